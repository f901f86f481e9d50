"""What the runner said: how runs felt, and what was up with some days."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TEXT = sa.String()
MOMENT = sa.String(25)


def upgrade() -> None:
    op.create_table(
        "answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("athlete_id", sa.Integer(), nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_answer_athlete_id", "answer", ["athlete_id"], unique=False)
    op.create_table(
        "feel",
        sa.Column("athlete_id", sa.Integer(), nullable=False),
        sa.Column("activity_id", sa.Integer(), nullable=False),
        sa.Column("feel", TEXT, nullable=False),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["athlete_id", "activity_id"], ["activity.athlete_id", "activity.id"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("athlete_id", "activity_id"),
    )
