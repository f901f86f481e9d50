"""Imports: which files were read, and which recordings are doubles of another."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TEXT = sa.String()
MOMENT = sa.String(25)


def upgrade() -> None:
    # Added by SQLite itself: a batch change would copy the table, which has children.
    op.add_column("activity", sa.Column("double_of", sa.Integer(), nullable=True))
    op.create_table(
        "imported",
        sa.Column("athlete_id", sa.Integer(), nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("activities", sa.JSON(), nullable=False),
        sa.Column("problem", TEXT, nullable=True),
        sa.Column("imported_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("athlete_id", "digest"),
    )
