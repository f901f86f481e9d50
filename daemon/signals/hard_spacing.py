"""Notices when hard sessions lie hardly 48 hours apart or less, more often than usual.

The hours count from the end of one hard run to the start of the next; repetitions logged as several runs are one
session. The score is how far the number of such pairs has gone from the usual towards the threshold (1.0: there).
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial

import numpy as np

from daemon.clock import day_text
from daemon.signals.course import Ruler, stand
from daemon.signals.days import Days, lacking, rolling_sum, span
from daemon.signals.history import History, IntArray, RunTable
from daemon.values import FloatArray, Signal

PIECES_HOURS = 6.0  # hard runs that begin closer together than this are pieces of one session [ENG]
PRIOR = 0.3  # pairs: what one day in ten exceeds where little is known


@dataclass(frozen=True, slots=True)
class Params:
    """What is close, and how often is often. Engineering defaults; the own past may ask for more."""

    enabled: bool = True
    #: pairs are counted over so many days, today included
    days: int = 21
    #: hours between the end of a hard run and the start of the next. Reviews give 24 to 48 h of recovery after a
    #: tempo and more than 48 h after intervals; two more keep every other day from counting by chance of the hour
    hours: float = 50.0
    #: pairs above the usual at least
    more: float = 2.0


def detect(history: History, params: Params) -> Signal | None:
    """Close pairs of hard runs in the last weeks against the usual."""
    if lacking(history) is not None:
        return None
    key = ("hard spacing", params.days, params.hours)
    found = stand(history, key, partial(_often, width=params.days, hours=params.hours), _ruler(params))
    if found is None:
        return None
    table = history.table
    rows = close_pairs(table, params.hours, table.row(history.today.toordinal() - params.days + 1)).tolist()
    pairs = [[table.runs[first].id, table.runs[second].id] for first, second in rows]
    runs = sorted({run for pair in pairs for run in pair})
    return found.signal(
        "hard_spacing", "spacing", _summary(table, rows, params, history.today), runs, unit="pairs", pairs=pairs
    )


def _summary(table: RunTable, rows: list[list[int]], params: Params, today: date) -> str:
    if not rows:
        return f"No hard sessions of the last {span(params.days)} lay less than {params.hours:.0f} hours apart."
    first, second = (table.runs[row] for row in rows[-1])
    on = f"on {day_text(first.day, today)} and {day_text(second.day, today)}"
    if first.hour is not None and second.hour is not None:
        on += f" with {(second.start - first.end).total_seconds() / 3600:.0f} hours between"
    if len(rows) == 1:
        return f"Two hard sessions lay close together, {on}."
    often = "twice" if len(rows) == 2 else f"{len(rows)} times"
    return f"Hard sessions lay close together {often} in {span(params.days)}, last {on}."


@lru_cache(maxsize=8)
def _ruler(params: Params) -> Ruler:
    return Ruler(params.more, PRIOR, lag_days=max(params.days, 14), lasting=1)


def _often(days: Days, width: int, hours: float) -> FloatArray:
    close = np.zeros(len(days.table), dtype=bool)
    close[close_pairs(days.table, hours)[:, 1]] = True
    return rolling_sum(days.on(close), width)


def close_pairs(table: RunTable, hours: float, begin: int = 0) -> IntArray:
    """Rows (first, second) of hard runs in a row with too few hours between; the second is at `begin` or later.

    Where a start is hidden, runs of neighbouring days are close.
    """
    rows = np.flatnonzero(table.hard & table.is_run)
    first, second = rows[:-1], rows[1:]
    apart = (table.start_s[second] - table.start_s[first]) / 3600
    between = (table.start_s[second] - table.end_s[first]) / 3600
    hidden = np.isnan(table.hour[first] + table.hour[second])
    following = table.day[second] - table.day[first] == 1
    close = np.where(hidden, following, (apart > PIECES_HOURS) & (between < hours)) & (second >= begin)
    return np.stack((first[close], second[close]), axis=1)
