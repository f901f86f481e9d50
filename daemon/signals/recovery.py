"""Notices when the days after hard sessions, once rest or a short easy run, fill with running or other training.

A long run or another hard session on the day after is left out here: `beside_long` and `hard_spacing` speak of those.
The score is how far the minutes on the days after have gone from the usual towards the threshold (1.0: there).
"""

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from daemon.signals.course import Ruler, stand
from daemon.signals.days import Days, days_of, lacking, recent, recent_middle
from daemon.signals.history import History, IntArray
from daemon.values import FloatArray, Signal

FRESH_DAYS = 42  # older hard sessions say nothing of today
LEAST = 3  # hard sessions at least
PRIOR = 20.0  # minutes: what one day in ten exceeds where little is known


@dataclass(frozen=True, slots=True)
class Params:
    """What is full. Engineering defaults; the own past may ask for more."""

    enabled: bool = True
    #: the days after so many hard sessions, the latest
    sessions: int = 4
    #: easy minutes on such a day above the usual at least
    more: float = 20.0


def detect(history: History, params: Params) -> Signal | None:
    """What followed the last hard sessions against what used to follow them."""
    if lacking(history) is not None:
        return None
    found = stand(history, ("recovery", params.sessions), partial(_after, number=params.sessions), _ruler(params))
    if found is None:
        return None
    text = (
        f"The days after your last {params.sessions} hard sessions held {found.value:.0f} easy minutes each,"
        f" usually {found.usual:.0f}."
    )
    days = days_of(history)
    on = days.on(days.table.hard & days.table.is_run)
    after = np.zeros(len(days), dtype=bool)
    after[1:] = on[:-1]
    runs = recent(history, FRESH_DAYS, after[days.at[: len(history.table)]])
    return found.signal("recovery", "spacing", text, runs, unit="easy minutes")


@lru_cache(maxsize=8)
def _ruler(params: Params) -> Ruler:
    return Ruler(params.more, PRIOR, lag_days=21)


def _after(days: Days, number: int) -> FloatArray:
    day = _days_after(days)
    return recent_middle(day, days.effort[day], len(days), number, LEAST, FRESH_DAYS)


def _days_after(days: Days) -> IntArray:
    """The days after hard runs that are neither hard themselves nor have a long run."""
    day: IntArray = np.flatnonzero(days.on(days.table.hard & days.table.is_run)[:-1]) + 1
    return day[~(days.hard | days.on(days.long))[day]]
