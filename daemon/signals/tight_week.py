"""Notices when the week tightens: load on top, hard days crowding together, rest going, one run far too long.

Load here is time and pace, never heart rate, so that one sensor can't speak twice. Each sign is held against the
runner's own past before it counts: what is usual for this runner raises nothing.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from daemon.signals.history import BoolArray, History, IntArray
from daemon.values import FloatArray, Level, Signal

PIECES_HOURS = 6  # hard runs closer than this are pieces of one session
WINDOW = 14  # days each sign looks over, today included
HARD_DAYS_TWICE = 1.25  # so many times the allowance (5 in 14 days where there were none) count as two signs
PAST_DAYS = 364  # how far back the own history is consulted


@dataclass(frozen=True, slots=True)
class Params:
    """How far beyond the own usual a week must be. Engineering defaults; hours, days, ratios as named."""

    enabled: bool = True
    #: signs that make a watch, and that make an alert (from two families at least)
    watch: int = 2
    alert: int = 3
    #: share of the own past that a sign must exceed
    quantile: float = 0.95
    #: load of 14 days against the usual
    load_ratio: float = 1.1
    #: more run days in 14 than usual
    run_days_more: float = 2.0
    #: hard sessions whose starts lie closer than this are crowded (48 h less the spread of a runner's starting times)
    hard_gap_hours: float = 44.0
    #: more crowded pairs, and more hard sessions beside a long run, in 14 days than usual
    crowded_more: float = 2.0
    beside_long_more: float = 1.0
    #: hard days in 14 beyond the usual
    hard_days_more: float = 4.0
    #: rest days left of the usual
    rest_ratio: float = 0.5
    #: load of one run in the last 7 days against the largest of the 30 days before it
    spike_ratio: float = 1.3
    #: the usual is the median of so many days, before intensity came or ending two weeks ago
    usual_days: int = 56
    #: days of history before anything is said
    min_days: int = 42
    #: days for which "before intensity came" stays the usual
    hold_days: int = 70


@dataclass(frozen=True, slots=True)
class _Sign:
    """One way a week tightens: far from usual is beyond `usual * ratio + more`, or below it where `less` is bad."""

    name: str
    family: str
    text: str
    ratio: float = 1.0
    more: float = 0.0
    less: bool = False


def detect(history: History, params: Params) -> Signal | None:
    """How tight the last two weeks are. The score is the number of signs; very many hard days count twice."""
    if lacking(history, params) is not None:
        return None
    values = _daily_values(history, params)
    end = _usual_end(history, values.shape[1], params)
    usual = np.median(values[:, max(end - params.usual_days, 0) : end], axis=1).tolist()
    rows = zip(_signs(params), values, usual, strict=True)
    flags = [flag for sign, row, middle in rows if (flag := _flag(sign, row, end, middle, history, params))]
    if any(flag["name"] == "run_days" for flag in flags):  # then fewer rest days are the same fact again
        flags = [flag for flag in flags if flag["name"] != "rest"]
    families = {flag["family"] for flag in flags}
    count = sum(flag["weight"] for flag in flags)
    level: Level = "ok"
    if count >= params.watch:
        level = "alert" if count >= params.alert and len(families) >= 2 else "watch"
    evidence = {"flags": flags, "families": len(families), "threshold": params.alert}
    return Signal("tight_week", level, float(count), _summary(flags), _since(flags), evidence)


def lacking(history: History, params: Params) -> str | None:
    """What is missing before a week can be called tight; None when nothing is."""
    first = history.first_run_day
    if first is None:
        return "no runs yet"
    days = history.today.toordinal() - first + 1
    return None if days >= params.min_days else f"needs {params.min_days // 7} weeks of runs; has {days // 7}"


def _signs(params: Params) -> tuple[_Sign, ...]:
    usually = "in two weeks, usually {usual:.0f}"
    return (
        _Sign("load", "load", "load is {ratio:.0%} of the usual two weeks", ratio=params.load_ratio),
        _Sign("run_days", "load", "{value:.0f} run days " + usually, more=params.run_days_more),
        _Sign("longest", "load", "one run was {value:.0%} of the month's largest before it", ratio=params.spike_ratio),
        _Sign("hard_days", "hard", "{value:.0f} hard days " + usually, more=params.hard_days_more),
        _Sign("crowded", "spacing", "hard sessions within two days, {value:.0f} times", more=params.crowded_more),
        _Sign("beside_long", "spacing", "hard beside a long run, {value:.0f} times", more=params.beside_long_more),
        _Sign("rest", "rest", "{value:.0f} rest days " + usually, ratio=params.rest_ratio, less=True),
    )


def _daily_values(history: History, params: Params) -> FloatArray:
    """One row per sign: its value on every day up to today, over the `WINDOW` days that end on it."""
    table, today = history.table, history.today.toordinal()
    first = max(today - PAST_DAYS - WINDOW, history.first_run_day or today)
    rows = slice(table.row(first), len(table))
    n = today - first + 1
    at = table.day[rows] - first
    load: FloatArray = np.bincount(at, table.load[rows], n).astype(float)
    hard, long = _on_days(at, table.hard[rows], n), _on_days(at, table.long[rows] & ~table.hard[rows], n)
    starts, begun = table.start_s[rows][table.hard[rows]], at[table.hard[rows]]
    gap_hours = np.diff(starts, prepend=-np.inf) / 3600
    crowded = _on_days(begun, (gap_hours > PIECES_HOURS) & (gap_hours < params.hard_gap_hours), n)
    near = hard.copy()
    near[1:] |= hard[:-1]
    beside = long & near
    beside[1:] |= hard[1:] & long[:-1]
    run_days = _on_days(at, table.is_run[rows], n)
    longest = _spikes(at, np.where(table.is_run[rows], table.load[rows], 0.0), n)
    sums = _rolling(np.vstack((load, run_days, np.zeros(n), hard, crowded, beside, load <= 0)))
    sums[2] = longest
    return sums


def _on_days(at: IntArray, which: BoolArray, n: int) -> BoolArray:
    days = np.zeros(n, dtype=bool)
    days[at[which]] = True
    return days


def _rolling(daily: FloatArray) -> FloatArray:
    """Row sums over `WINDOW` days; the days before there are that many are left out."""
    total = np.zeros((daily.shape[0], daily.shape[1] + 1))
    np.cumsum(daily, axis=1, out=total[:, 1:])
    return np.asarray(total[:, WINDOW:] - total[:, :-WINDOW], dtype=float)


def _spikes(at: IntArray, load: FloatArray, n: int) -> FloatArray:
    """The largest run of the last 7 days over the largest of the 30 days before those, per day; 0 without either."""
    largest = np.zeros(n + 36)
    np.maximum.at(largest, at + 36, load)
    week, month = _largest_of(largest, 7)[30:], _largest_of(largest, 30)[:n]
    ratio = np.divide(week, month, out=np.zeros(n), where=month > 0)
    return np.asarray(ratio[WINDOW - 1 :], dtype=float)


def _largest_of(values: FloatArray, width: int) -> FloatArray:
    """The largest of each `width` values in a row, by doubling."""
    done = 1
    while done < width:
        step = min(done, width - done)
        values = np.maximum(values[step:], values[:-step])
        done += step
    return values


def _flag(
    sign: _Sign, values: FloatArray, end: int, usual: float, history: History, params: Params
) -> dict[str, Any] | None:
    """The sign's entry in the evidence when today is far from the usual and beyond the own past, else None.

    `end` is how many of the `values` are the past.
    """
    now = float(values[-1])
    usual = 1.0 if sign.name == "longest" else usual
    far = usual * sign.ratio + sign.more
    if (now > far) if sign.less else (now < far):
        return None  # the common case, and the own past need not be consulted
    own = float(np.quantile(values[:end], 1 - params.quantile if sign.less else params.quantile))
    beyond = (values <= far) & (values < own) if sign.less else (values >= far) & (values > own)
    if not beyond[-1]:
        return None
    lasted = beyond.size if beyond.all() else int(np.argmin(beyond[::-1]))
    return {
        "name": sign.name,
        "family": sign.family,
        "weight": 2 if sign.name == "hard_days" and now >= usual + HARD_DAYS_TWICE * sign.more else 1,
        "value": round(now, 2),
        "usual": round(usual, 2),
        "threshold": round(min(far, own) if sign.less else max(far, own), 2),
        "since": date.fromordinal(history.today.toordinal() - lasted + 1).isoformat(),
        "text": sign.text.format(value=now, usual=usual, ratio=now / usual if usual else 0.0),
    }


def _usual_end(history: History, n: int, params: Params) -> int:
    """How many of the `n` days count as the past: those before intensity came, or all but the last two weeks."""
    end = n - WINDOW
    if history.rose_on is not None:
        ago = history.today.toordinal() - history.rose_on.toordinal()
        if ago <= params.hold_days:
            end = min(end, n - ago - 1)
    return end if end >= WINDOW else max(n - WINDOW, 1)


def _since(flags: list[dict[str, Any]]) -> date | None:
    return min((date.fromisoformat(flag["since"]) for flag in flags), default=None)


def _summary(flags: list[dict[str, Any]]) -> str:
    if not flags:
        return "The last two weeks are as usual."
    return "The week is tighter: " + "; ".join(flag["text"] for flag in flags) + "."
