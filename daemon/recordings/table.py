"""The table of a Strava export (activities.csv): bytes in, activities and the names of their recordings out."""

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime

from daemon.recordings.errors import Unreadable
from daemon.values import Activity


@dataclass(frozen=True, slots=True)
class TableRow:
    """One activity of the table. `filename` is its recording as the export names it, None where there is none."""

    activity: Activity
    filename: str | None


@dataclass(frozen=True, slots=True)
class Table:
    """What a table says. `skipped` has a short line for each row that couldn't be read ("row 12: no date")."""

    rows: tuple[TableRow, ...]
    skipped: tuple[str, ...]


def read_table(data: bytes) -> Table:
    """The activities of an export's table. Raises Unreadable where it is no such table."""
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig", "replace"), newline="")))
    if not rows or len(rows[0]) < 18:
        raise Unreadable("it isn't the activities.csv of a Strava export")
    return Table(tuple(_row(row) for row in rows[1:]), ())


def _row(row: list[str]) -> TableRow:
    start = datetime.strptime(row[1], "%b %d, %Y, %I:%M:%S %p").replace(tzinfo=UTC)
    activity = Activity(
        id=int(row[0]),
        athlete_id=0,
        name=row[2],
        sport=row[3],
        start=start,
        utc_offset_s=0,
        distance_m=float(row[17] or 0),
        moving_time_s=int(float(row[16] or 0)),
        elapsed_time_s=int(float(row[15] or 0)),
        source="export",
    )
    return TableRow(activity, row[12] or None)
