"""Notices when several new stresses come at once: hard running is new or more, and within the same four weeks so is
volume, a run day, the longest run, or a second session a week.

One stress at a time, three to four weeks apart, is the coaches' rule (untested). The score is half the number of new
stresses (1.0: two of them).
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from math import log
from typing import Any

import numpy as np

from daemon.clock import day_text
from daemon.signals.course import Ruler, Stretch, excursion, stretch
from daemon.signals.days import Days, lacking, recent, rolling_sum
from daemon.signals.history import History
from daemon.signals.longest_run import steps
from daemon.signals.run_day_added import run_days
from daemon.values import FloatArray, Level, Signal

DAYS = 14  # volume, hard days and the longest run are looked at over so many days, run days over `RUN_DAYS`
RUN_DAYS = 21
AFTER = 1.4  # times what one day in ten of the own past exceeds


@dataclass(frozen=True, slots=True)
class Params:
    """What is new beside hard running. Engineering defaults; the own past may ask for more."""

    enabled: bool = True
    #: hard running is new for so many days
    days: int = 28
    #: running time of two weeks against the usual at least
    volume: float = 1.15
    #: run days a week above the usual at least
    run_days: float = 0.65
    #: the longest run of two weeks against the longest of the thirty days before it at least
    longest: float = 1.15
    #: days with a hard run in two weeks above the usual at least: a second session a week came with the first
    hard_days: float = 4.0


def detect(history: History, params: Params) -> Signal | None:
    """The new stresses of the weeks since hard running came or was stepped up."""
    if lacking(history) is not None:
        return None
    parts = {name: stretch(history, key, values, ruler) for name, key, values, ruler in _stresses(params)}
    one = next(iter(parts.values()))
    twice = parts["a second session a week"].score >= 1.0
    new = np.maximum(_hard_running_is_new(history, one, params), twice)
    count = new * (1 + sum((part.score >= 1.0).astype(float) for part in parts.values()))
    begun = excursion(count / 2, lasting=2)
    level: Level = "ok" if begun is None else "alert" if count[-1] >= 3 else "watch"
    up = {name: _numbers(part) for name, part in parts.items() if part.now >= 1.0 and new[-1]}
    evidence: dict[str, Any] = {"value": int(count[-1]), "usual": 0, "threshold": 2, "unit": "new stresses"}
    evidence |= {"stresses": up, "runs": recent(history, DAYS)}
    text = _summary(history.rose_on, list(up), history.today) if new[-1] else "Nothing is new in the last four weeks."
    return Signal("new_stresses", level, float(count[-1] / 2), text, one.day(begun), evidence, "load")


@lru_cache(maxsize=8)
def _stresses(params: Params) -> tuple[tuple[str, Any, Any, Ruler], ...]:
    def ruler(least: float, prior: float, **more: Any) -> Ruler:
        return Ruler(np.inf, prior, after=(least, AFTER), **more)

    volume = ruler(log(params.volume), 0.4, ratio=True, half_year=True)
    days = ruler(params.run_days, 1.0, half_year=True, lag_days=RUN_DAYS)
    return (
        ("more volume", "minutes", _minutes, volume),
        ("a run day more", ("run days", RUN_DAYS), partial(run_days, width=RUN_DAYS), days),
        (
            "a longer run",
            ("longest", DAYS, 30),
            partial(steps, width=DAYS, before=30),
            ruler(log(params.longest), 0.35),
        ),
        ("a second session a week", "hard days of two weeks", _hard_days, Ruler(params.hard_days, 0.8)),
    )


def _minutes(days: Days) -> FloatArray:
    return rolling_sum(days.minutes, DAYS)


def _hard_days(days: Days) -> FloatArray:
    return rolling_sum(days.on(days.table.hard & days.table.is_run), DAYS)


def _hard_running_is_new(history: History, part: Stretch, params: Params) -> FloatArray:
    """1.0 on the days of the stretch on which hard running was new, else 0.0."""
    if history.rose_on is None:
        return np.zeros(part.score.size)
    since = part.first + np.arange(part.score.size) - history.rose_on.toordinal()
    return np.asarray((since >= 0) & (since < params.days), dtype=float)


def _numbers(part: Stretch) -> dict[str, float]:
    return {"value": round(part.value, 2), "usual": round(part.usual, 2)}


def _summary(rose_on: date | None, others: list[str], today: date) -> str:
    names = [f"hard running since {day_text(rose_on, today)}" if rose_on else "hard running", *others]
    if len(names) == 1:
        return f"One new stress: {names[0]}."
    return f"{len(names)} new stresses at once: {', '.join(names[:-1])} and {names[-1]}."
