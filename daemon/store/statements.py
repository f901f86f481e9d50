"""The statements that are carried out for each of thousands of runs. They are made once, here: to build one costs more
than SQLite needs to carry it out. They decide nothing."""

from typing import Any

from sqlalchemy import Delete, Insert, bindparam, delete, insert, update
from sqlmodel import SQLModel, col, select

from daemon.store.tables import ActivityRow, MetricsRow, RawRow, SeriesRow, SyncRow


def _forget(table: Any) -> Delete:
    return delete(table).where(
        col(table.athlete_id) == bindparam("athlete"), col(table.activity_id) == bindparam("activity")
    )


REPLACE: dict[type[SQLModel], Insert] = {
    table: insert(table).prefix_with("OR REPLACE") for table in (ActivityRow, MetricsRow, RawRow, SeriesRow, SyncRow)
}
"""Adds rows, or puts them in the place of those with their key."""

FORGET_METRICS, FORGET_SERIES = _forget(MetricsRow), _forget(SeriesRow)
"""Take the `activity` of an `athlete` out of a table."""

THERE = select(col(ActivityRow.id)).where(
    col(ActivityRow.athlete_id) == bindparam("athlete"), col(ActivityRow.id) == bindparam("activity")
)

RECORDED = (
    update(ActivityRow)
    .where(col(ActivityRow.athlete_id) == bindparam("athlete"), col(ActivityRow.id) == bindparam("activity"))
    .values(recording=bindparam("found"), next_attempt_at=None, failures=0)
)
"""Says that the streams of the `activity` of an `athlete` came, and what was `found` in them."""

PROGRESS = select(col(SyncRow.data)).where(col(SyncRow.athlete_id) == bindparam("athlete"))
