"""Notices when rest days vanish: of the usual days without running or other training hardly one is left.

Where it is other sports that fill them, the days without a run being as many as ever, it is load that was added, and
no crowding of runs. The score is how far the number of rest days has fallen towards the threshold (1.0: there).
"""

from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np

from daemon.signals.course import Ruler, Stand, stand
from daemon.signals.days import Days, days_of, lacking, recent, rolling_sum, span
from daemon.signals.history import History
from daemon.values import FloatArray, Signal

PRIOR = 1.5  # rest days: how far one day in ten falls below the usual where little is known


@dataclass(frozen=True, slots=True)
class Params:
    """What is hardly one. Engineering defaults; the own past may ask for less."""

    enabled: bool = True
    #: rest days are counted over so many days, today included
    days: int = 14
    #: rest days below the usual at least
    fewer: float = 2.0
    #: and at most so many are left
    left: float = 1.0


def detect(history: History, params: Params) -> Signal | None:
    """Rest days of the last two weeks against the usual."""
    if lacking(history) is not None:
        return None
    found = stand(history, ("rest", params.days), partial(_rest_days, width=params.days), _ruler(params))
    if found is None:
        return None
    if found.value > params.left and found.level != "ok":
        found = replace(found, level="ok", since=None)
    found = replace(found, threshold=min(found.threshold, params.left))
    many = "no rest day" if found.value < 1 else "one rest day" if found.value < 2 else f"{found.value:.0f} rest days"
    usual = f"{found.usual:.0f}" if found.usual > 0.5 else "none"
    text = f"You had {many} in the last {span(params.days)}, usually {usual}."
    return found.signal("rest", _family(history, found, params), text, recent(history, params.days), unit="rest days")


@lru_cache(maxsize=8)
def _ruler(params: Params) -> Ruler:
    return Ruler(params.fewer, PRIOR, less=True, lag_days=max(params.days, 14))


def _rest_days(days: Days, width: int) -> FloatArray:
    return rolling_sum(days.effort <= 0, width)


def _family(history: History, found: Stand, params: Params) -> str:
    days = days_of(history)
    until = history.today.toordinal() - days.first + 1
    without_run = int(np.count_nonzero(~days.runs[max(until - params.days, 0) : until]))
    return "spacing" if without_run <= max(found.threshold, found.value) else "load"
