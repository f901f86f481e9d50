"""The life of an alert: what it speaks of, its thread, deliveries without an answer, and when all is to be quiet."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TEXT = sa.String()
MOMENT = sa.String(25)


def upgrade() -> None:
    op.add_column("alert", sa.Column("about", TEXT, nullable=True))
    op.add_column("alert", sa.Column("thread", sa.Integer(), nullable=True))
    op.add_column("delivery", sa.Column("doubtful_at", MOMENT, nullable=True))
    op.create_table(
        "snooze",
        sa.Column("athlete_id", sa.Integer(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("athlete_id"),
    )
    # An all-clear belongs to the pull-back it ended.
    op.execute(
        "UPDATE alert SET thread = (SELECT p.id FROM alert p WHERE p.kind = 'pull_back'"
        " AND p.athlete_id = alert.athlete_id AND p.episode = alert.episode) WHERE kind = 'all_clear'"
    )
