"""The calendar the detectors look at: what was done on each day, sums over rolling days, and which days can be usual.

It arranges facts and judges nothing. What it says of a day uses nothing later, so one calendar serves a whole replay.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.signals.history import BoolArray, History, IntArray, RunTable
from daemon.values import Answer, FloatArray

MIN_DAYS = 42  # history before anything is said of a week [ENG]
LAY_OFF_DAYS = 14  # so many days in a row without a run are a lay-off [ENG]
LONG_OF, LONG_RATIO, LONG_LEAST_MINUTES = 12, 1.25, 45.0  # see `_long` [ENG]
AHEAD = 90  # days laid out after the last run, so that a calendar needn't be made anew every day

WEEKS = {7: "week", 14: "two weeks", 21: "three weeks", 28: "four weeks"}


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """Every day from the first run's on. `table` holds all runs; `at` is each row's day, as a position.

    `effort` is load in easy minutes, with easy running at one minute a minute: how fast it was is another detector's to
    say. `minutes` is moving time of runs. `runs` and `hard` mark days with a run and with a hard session of any
    sport, `long` the rows of long runs. `counts` marks the days that can be usual: no lay-off, and no day the
    runner named. `norm_from` is per day the first position that a usual may look back to.
    """

    table: RunTable
    first: int
    at: IntArray
    long: BoolArray
    effort: FloatArray
    minutes: FloatArray
    runs: BoolArray
    hard: BoolArray
    counts: BoolArray
    norm_from: IntArray

    def __len__(self) -> int:
        return int(self.effort.size)

    def on(self, rows: BoolArray) -> BoolArray:
        """The days on which one of these rows of the table ended."""
        return _on(self.at[rows], len(self))


def days_of(history: History) -> Days:
    """The calendar of a history with at least one run. It reaches beyond today: look no further than today."""
    table = history.table.whole or history.table
    today = history.today.toordinal()
    key = ("days", history.said)
    found: Days | None = table.worked_out.get(key)
    if found is None or today >= found.first + len(found):
        found = table.worked_out[key] = _lay_out(table, history.said, max(int(table.day[-1]), today) + AHEAD)
    return found


def lacking(history: History) -> str | None:
    """What is missing before a week can be held against the usual, in a few words; None when nothing is."""
    first = history.first_run_day
    if first is None:
        return "no runs yet"
    days = history.today.toordinal() - first + 1
    return None if days >= MIN_DAYS else f"needs {MIN_DAYS // 7} weeks of runs; has {days // 7}"


def span(days: int) -> str:
    """So many days in words."""
    return WEEKS.get(days, f"{days} days")


def recent(history: History, days: int, which: BoolArray | None = None) -> list[int]:
    """Ids of the activities of the last `days` days up to today; `which` (a column of the table) marks those wanted."""
    table = history.table
    begin = table.row(history.today.toordinal() - days + 1)
    wanted = range(begin, len(table)) if which is None else (begin + np.flatnonzero(which[begin : len(table)])).tolist()
    return [table.runs[row].id for row in wanted]


def last_known(history: History, values: FloatArray, number: int, fresh_days: int) -> list[int]:
    """Ids of the last `number` runs with a value (NaN is none) that are less than `fresh_days` old."""
    table = history.table
    begin = table.row(history.today.toordinal() - fresh_days + 1)
    rows = begin + np.flatnonzero(np.isfinite(values[begin : len(table)]))
    return [table.runs[row].id for row in rows[-number:].tolist()]


def rolling_sum(daily: NDArray[np.generic], width: int) -> FloatArray:
    """The sum over each day and the `width` - 1 days before it; NaN before there are that many."""
    total = np.concatenate(([0.0], np.cumsum(daily, dtype=float)))
    out = np.full(daily.size, np.nan)
    out[width - 1 :] = total[width:] - total[:-width]
    return out


def rolling_max(daily: FloatArray, width: int) -> FloatArray:
    """The largest of each day and the `width` - 1 days before it (or as many as there are), by doubling."""
    padded = np.concatenate((np.full(width - 1, -np.inf), daily))
    done = 1
    while done < width:
        step = min(done, width - done)
        padded = np.maximum(padded[step:], padded[:-step])
        done += step
    return padded


def recent_middle(at: IntArray, values: FloatArray, n: int, number: int, least: int, fresh_days: int) -> FloatArray:
    """Per day (of `n`) the mean of the middle half of the last `number` of `values`, which lie on the days `at`
    (rising): of five the middle three, of three the middle one, so that one odd run moves little. NaN is no value.

    NaN where fewer than `least` of them are less than `fresh_days` old.
    """
    known = np.isfinite(values)
    at, values, day = at[known], values[known], np.arange(n)
    end = np.searchsorted(at, day, side="right")
    begin = np.maximum(np.searchsorted(at, day - fresh_days, side="right"), end - number)
    count, place = end - begin, np.arange(number)
    rows = begin[:, None] + place
    ordered = np.sort(np.where(rows < end[:, None], np.append(values, np.nan)[np.minimum(rows, values.size)], np.nan))
    left = (count + 1) // 4
    middle = (place >= left[:, None]) & (place < (count - left)[:, None])
    mean: FloatArray = np.where(middle, ordered, 0.0).sum(axis=1) / np.maximum(count - 2 * left, 1)
    return np.where(count >= least, mean, np.nan)


def _lay_out(table: RunTable, said: Sequence[Answer], last: int) -> Days:
    first = int(table.day[int(table.is_run.argmax())])
    n = last - first + 1
    at = np.maximum(table.day - first, 0)
    since = table.day >= first  # other sports before the first run are no history of running
    load = np.where(table.is_run & ~table.hard, table.minutes, table.load)
    runs = _on(at[table.is_run], n)
    return Days(
        table=table,
        first=first,
        at=at,
        long=_long(table),
        effort=np.bincount(at, load * since, n).astype(float),
        minutes=np.bincount(at, table.minutes * table.is_run, n).astype(float),
        runs=runs,
        hard=_on(at[table.hard & since], n),
        counts=~(_lay_offs(runs) | _named(said, first, n)),
        norm_from=_norm_from(said, first, n),
    )


def _on(positions: IntArray, n: int) -> BoolArray:
    days = np.zeros(n, dtype=bool)
    days[positions] = True
    return days


def _long(table: RunTable) -> BoolArray:
    """Rows of long runs: so called, or a quarter longer than the middle one of the last twelve, and the longest of
    the seven days up to then. The runner's long run is often not half as long again as the other runs."""
    out = np.zeros(len(table), dtype=bool)
    rows = np.flatnonzero(table.is_run)
    if rows.size == 0:
        return out
    minutes, day = table.minutes[rows], table.day[rows]
    long = table.long[rows].copy()
    if rows.size > LONG_OF:
        middle = np.median(np.lib.stride_tricks.sliding_window_view(minutes, LONG_OF)[:-1], axis=1)
        long[LONG_OF:] |= minutes[LONG_OF:] >= np.maximum(LONG_RATIO * middle, LONG_LEAST_MINUTES)
    week = np.searchsorted(day, day - 6).tolist()
    for run in np.flatnonzero(long).tolist():
        out[rows[run]] = minutes[run] >= minutes[week[run] : run + 1].max() and not table.race[rows[run]]
    return out


def _lay_offs(runs: BoolArray) -> BoolArray:
    out = np.zeros(runs.size, dtype=bool)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], ~runs, [False])).astype(np.int8)))
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if end - begin >= LAY_OFF_DAYS:
            out[begin:end] = True
    return out


def _named(said: Sequence[Answer], first: int, n: int) -> BoolArray:
    out = np.zeros(n, dtype=bool)
    for answer in said:
        if answer.reason not in ("fine", "new-normal"):
            out[max(answer.first.toordinal() - first, 0) : max(answer.last.toordinal() - first + 1, 0)] = True
    return out


def _norm_from(said: Sequence[Answer], first: int, n: int) -> IntArray:
    out = np.zeros(n, dtype=np.int64)
    for begin in sorted(answer.first.toordinal() - first for answer in said if answer.reason == "new-normal"):
        out[max(begin, 0) :] = max(begin, 0)
    return out
