"""The table of a Strava export (activities.csv): bytes in, activities and the names of their recordings out.

Which column is which is found by `columns`; dates are UTC, as Strava writes them. Grade-adjusted distance isn't read:
no value downstream takes it, as the pace of every run with a recording is adjusted second by second from its own
altitudes, and a run without one has no steady part that an adjusted mean would say anything about.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from daemon.recordings import csv_text
from daemon.recordings.columns import Column, in_strava_order, is_named, recognise
from daemon.recordings.dates import read_dates
from daemon.recordings.errors import Unreadable
from daemon.recordings.fitting import distance_pairs
from daemon.recordings.numbers import decimal_marks, read_numbers
from daemon.recordings.sports_told import sport_type
from daemon.values import Activity, FloatArray

# What no runner's activity is: a bound against broken tables, not a judgement [ENG].
LONGEST_S = 30 * 86400
FARTHEST_M = 5e6
LONGEST_NAME = 300

# 19569811741 as some spreadsheets save it: 1.95698E+10
ROUNDED = re.compile(r"\d[.,]\d{2,}[eE]\+?\d{1,2}")
ROUNDING = "a spreadsheet rounded the ids; import the table as Strava made it"


@dataclass(frozen=True, slots=True)
class TableRow:
    """One activity of the table. `filename` is its recording as the export names it, None where there is none.

    `activity.sport` is Strava's `sport_type`; a word of a language that `sports` doesn't know stays as it is written,
    for the recording (or the recordings of other rows with this word) to say what it means.
    """

    activity: Activity
    filename: str | None


@dataclass(frozen=True, slots=True)
class Table:
    """What a table says. `skipped` has a short line for each row that couldn't be read ("row 12: no date")."""

    rows: tuple[TableRow, ...]
    skipped: tuple[str, ...]


class _Skip(Exception):
    """Why one row isn't read."""


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """The columns that are used: texts and numbers by role, an empty text and NaN for a role the table lacks."""

    texts: dict[str, list[str]]
    numbers: dict[str, FloatArray]
    dates: list[datetime | None]

    def text(self, role: str, row: int) -> str:
        return self.texts[role][row].strip() if role in self.texts else ""

    def number(self, role: str, row: int, least: float, most: float) -> float | None:
        """None where there is none, or one that can't be true."""
        number = float(self.numbers[role][row]) if role in self.numbers else float("nan")
        return number if least <= number <= most else None


def read_table(data: bytes) -> Table:
    """The activities of an export's table, in its order. Raises Unreadable where it is no such table."""
    encoding = csv_text.encoding_of(data)
    separator = csv_text.separator_of(data, encoding)
    names, sample = csv_text.sample(data, encoding, separator)
    cells = [[row[index] for row in sample] for index in range(len(names))]
    marks = decimal_marks(cells)
    columns = [_column(*column) for column in zip(names, cells, marks, strict=True)]
    roles = recognise(columns)
    if sample and not {"id", "date"} <= roles.keys():
        rounded = any(ROUNDED.fullmatch(text) for texts in cells for text in texts[:20])
        raise Unreadable(
            f"it isn't the activities.csv of a Strava export: {ROUNDING if rounded else 'no ids, no dates'}"
        )
    roles = _without_guesses(roles, columns)
    numbers, picked, skipped = csv_text.picked(data, encoding, separator, len(names), list(roles.values()))
    used = _cells(dict(zip(roles, picked, strict=True)), {role: marks[column] for role, column in roles.items()})
    per_unit = next((unit for _, _, unit in distance_pairs(columns)), 1000.0)
    rows: list[TableRow] = []
    seen: set[int] = set()
    for index, number in enumerate(numbers):
        try:
            rows.append(_row(used, index, per_unit, seen))
        except _Skip as why:
            skipped.append((number, str(why)))
    return Table(tuple(rows), tuple(f"row {number}: {why}" for number, why in sorted(skipped)))


def _column(name: str, texts: list[str], mark: str) -> Column:
    filled = [text for text in texts if text.strip()]
    numbers = read_numbers(texts, mark)
    words = len(filled) - int(np.isfinite(numbers).sum())
    some = filled[:50] if words > 0.5 * len(filled) else []
    dates = sum(found is not None for found in read_dates(some, [None] * len(some))) / max(1, len(some))
    return Column(name, [text.strip() for text in texts], numbers, dates)


def _without_guesses(roles: dict[str, int], columns: Sequence[Column]) -> dict[str, int]:
    """Less what isn't sure. A race and a long run are a 1 among many such columns: only where the name or Strava's own
    order says so. A maximum below the average is another column."""
    names = [column.name for column in columns]
    sure = in_strava_order(len(names), roles)
    for role in ("competition", "long_run"):
        if role in roles and not sure and not is_named(names[roles[role]], role):
            del roles[role]
    highest = [role for role in ("max_heart_rate", "max_heart_rate_first") if role in roles]
    wrong = [role for role in highest if _below(columns[roles[role]], columns, roles.get("average_heart_rate"))]
    for role in ("average_heart_rate", *wrong) if wrong and wrong == highest else wrong:
        del roles[role]
    return roles


def _below(highest: Column, columns: Sequence[Column], average: int | None) -> bool:
    """Whether a maximum is below the average in more rows than a few broken ones."""
    if average is None:
        return False
    known = np.isfinite(columns[average].numbers) & np.isfinite(highest.numbers)
    return bool((highest.numbers < columns[average].numbers).sum() > 0.05 * known.sum())


def _cells(texts: dict[str, list[str]], marks: dict[str, str]) -> _Cells:
    words = ("id", "date", "name", "sport", "filename")
    numbers = {role: read_numbers(column, marks[role]) for role, column in texts.items() if role not in words}
    ids = [int(text) if text.strip().isdecimal() else None for text in texts.get("id", [])]
    return _Cells(texts, numbers, read_dates([text.strip() for text in texts.get("date", [])], ids))


def _row(cells: _Cells, row: int, per_unit: float, seen: set[int]) -> TableRow:
    id_ = _id(cells.text("id", row))
    start = cells.dates[row]
    if start is None:
        raise _Skip("no date" if not cells.text("date", row) else "a date it doesn't understand")
    if id_ in seen:
        raise _Skip("an id that came before")
    seen.add(id_)
    filename = cells.text("filename", row) or None
    elapsed_s, moving_s = _times(cells, row, filename is not None)
    heart_rate = cells.number("average_heart_rate", row, 25, 250)
    word = cells.text("sport", row)
    activity = Activity(
        id=id_,
        athlete_id=0,
        name=" ".join(cells.text("name", row).split())[:LONGEST_NAME],
        sport=sport_type(word) or word or "Unknown",
        start=start,
        utc_offset_s=0,
        distance_m=_distance_m(cells, row, per_unit),
        moving_time_s=moving_s,
        elapsed_time_s=elapsed_s,
        elevation_gain_m=cells.number("elevation_gain", row, 0, 30000),
        has_heart_rate=heart_rate is not None,
        average_heart_rate_bpm=heart_rate,
        max_heart_rate_bpm=_max_heart_rate(cells, row, heart_rate),
        average_temperature_c=cells.number("average_temperature", row, -60, 60),
        manual=filename is None and cells.number("from_upload", row, 0, 1) == 0,
        workout_type=_workout_type(cells, row),
        perceived_exertion=cells.number("perceived_exertion", row, 1, 10),
        weather_temperature_c=cells.number("weather_temperature", row, -60, 60),
        dew_point_c=cells.number("dew_point", row, -60, 40),
        source="export",
    )
    return TableRow(activity, filename)


def _id(text: str) -> int:
    if not text:
        raise _Skip("no id")
    if not text.isdecimal():
        raise _Skip(ROUNDING if ROUNDED.fullmatch(text) else "no id")
    if not 0 < int(text[:25]) < 2**63:
        raise _Skip("no id")
    return int(text)


def _times(cells: _Cells, row: int, recorded: bool) -> tuple[int, int]:
    """(elapsed, moving) in s; one stands for the other where it is missing, and 0 where a recording has both."""
    elapsed = cells.number("elapsed", row, 0, LONGEST_S) or cells.number("elapsed_whole", row, 0, LONGEST_S)
    moving = cells.number("moving", row, 0, LONGEST_S)
    if elapsed is None and moving is None and not recorded:
        raise _Skip("no time")
    longest = max(elapsed or 0.0, moving or 0.0)
    return round(longest), round(longest if moving is None else moving)


def _distance_m(cells: _Cells, row: int, per_unit: float) -> float:
    """The metres of the second distance, else the first one's kilometres (or miles, where the table showed it)."""
    metres = cells.number("distance_m", row, 0, FARTHEST_M)
    if metres is None:
        metres = (cells.number("distance_km", row, 0, FARTHEST_M / per_unit) or 0.0) * per_unit
    return metres


def _max_heart_rate(cells: _Cells, row: int, average: float | None) -> float | None:
    """The second column of that name, else the first: a table may have either one empty."""
    if average is None:
        return None
    second = cells.number("max_heart_rate", row, average, 250)
    return second if second is not None else cells.number("max_heart_rate_first", row, average, 250)


def _workout_type(cells: _Cells, row: int) -> int | None:
    """Strava's number: 1 is a race, 2 a long run."""
    if cells.number("competition", row, 0, 1) == 1:
        return 1
    return 2 if cells.number("long_run", row, 0, 1) == 1 else None
