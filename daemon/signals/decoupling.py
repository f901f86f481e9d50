"""Notices when easy runs drift more than this runner's used to: heart rate parts from pace in the second half.

The score is how far aerobic decoupling has gone from the usual towards its threshold (1.0: there).
"""

from dataclasses import dataclass
from functools import lru_cache, partial

from daemon.signals.course import Ruler, stand
from daemon.signals.days import Days, lacking, last_known, recent_middle
from daemon.signals.history import History
from daemon.values import FloatArray, Signal

FRESH_DAYS = 35  # older runs say nothing of today
LEAST = 3  # runs at least
PRIOR = 2.3  # percentage points: what one day in ten exceeds; one run scatters by 3 to 4


@dataclass(frozen=True, slots=True)
class Params:
    """What is more drift. Engineering defaults; the own past may ask for more."""

    enabled: bool = True
    #: easy and long runs of 40 minutes and more whose mean decoupling is looked at, the latest
    runs: int = 4
    #: percentage points above the usual at least; that 5 % is the limit of good is convention, not measured
    more: float = 3.0


def detect(history: History, params: Params) -> Signal | None:
    """The decoupling of the last easy runs against the usual, that of before intensity where it came lately."""
    if lacking(history) is not None:
        return None
    found = stand(history, ("decoupling", params.runs), partial(_decoupling, number=params.runs), _ruler(params))
    if found is None:
        return None
    runs = last_known(history, history.table.decoupling, params.runs, FRESH_DAYS)
    drifted = f"by {found.value:.1f} %, usually by {found.usual:.1f} %"
    text = f"Heart rate drifted away from pace {drifted}, in the second half of your last {len(runs)} longer easy runs."
    return found.signal("decoupling", "control", text, runs, unit="%")


@lru_cache(maxsize=8)
def _ruler(params: Params) -> Ruler:
    return Ruler(params.more, PRIOR, half_year=True, both_sides=True, lag_days=21)


def _decoupling(days: Days, number: int) -> FloatArray:
    return recent_middle(days.at, days.table.decoupling, len(days), number, LEAST, FRESH_DAYS)
