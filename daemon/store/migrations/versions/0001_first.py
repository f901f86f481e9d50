"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# Frozen copies of the types: a later change of `tables.py` must not change what this step did.
TEXT = sa.String()
MOMENT = sa.String(25)


def upgrade() -> None:
    op.create_table(
        "activity",
        sa.Column("athlete_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("content_hash", TEXT, nullable=False),
        sa.Column("start", MOMENT, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("sport", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("first_seen_at", MOMENT, nullable=False),
        sa.Column("deleted_at", MOMENT, nullable=True),
        sa.Column("recording", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", MOMENT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("detail_wanted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("athlete_id", "id"),
    )
    op.create_index("ix_activity_day", "activity", ["day"], unique=False)
    op.create_index("ix_activity_recording", "activity", ["recording"], unique=False)
    op.create_index("ix_activity_start", "activity", ["start"], unique=False)
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("athlete_id", sa.Integer(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("episode", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_alert_athlete_id", "alert", ["athlete_id"], unique=False)
    op.create_index("one_alert_per_episode", "alert", ["athlete_id", "kind", "episode"], unique=True)
    op.create_table(
        "sync_state",
        sa.Column("athlete_id", sa.Integer(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("athlete_id"),
    )
    op.create_table(
        "token",
        sa.Column("athlete_id", sa.Integer(), nullable=False),
        sa.Column("access", TEXT, nullable=False),
        sa.Column("refresh", TEXT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("athlete_id"),
    )
    op.create_table(
        "verdict",
        sa.Column("athlete_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("athlete_id", "day"),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alert_id", sa.Integer(), nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("next_attempt_at", MOMENT, nullable=True),
        sa.Column("claimed_at", MOMENT, nullable=True),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("error", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["alert_id"],
            ["alert.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_delivery_alert_id", "delivery", ["alert_id"], unique=False)
    op.create_index("ix_delivery_state", "delivery", ["state"], unique=False)
    op.create_index("one_delivery_per_channel", "delivery", ["alert_id", "channel"], unique=True)
    op.create_table(
        "metrics",
        sa.Column("athlete_id", sa.Integer(), nullable=False),
        sa.Column("activity_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["athlete_id", "activity_id"], ["activity.athlete_id", "activity.id"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("athlete_id", "activity_id"),
    )
    op.create_table(
        "raw",
        sa.Column("athlete_id", sa.Integer(), nullable=False),
        sa.Column("activity_id", sa.Integer(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["athlete_id", "activity_id"], ["activity.athlete_id", "activity.id"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("athlete_id", "activity_id", "kind"),
    )
    op.create_index("ix_raw_expires_at", "raw", ["expires_at"], unique=False)
    op.create_table(
        "series",
        sa.Column("athlete_id", sa.Integer(), nullable=False),
        sa.Column("activity_id", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["athlete_id", "activity_id"], ["activity.athlete_id", "activity.id"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("athlete_id", "activity_id"),
    )
