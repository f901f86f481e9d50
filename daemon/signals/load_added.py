"""Notices when the load of two weeks is far above the usual: hard running was added instead of put in an easy run's
place, or the volume rose by itself.

Load is time and grade-adjusted pace, never heart rate; an easy run counts its minutes. The score is how far
ln(load / usual) has gone towards its threshold (1.0: there).
"""

from dataclasses import dataclass
from functools import lru_cache, partial
from math import log

from daemon.signals.course import Ruler, stand
from daemon.signals.days import Days, lacking, recent, rolling_sum, span
from daemon.signals.history import History
from daemon.values import FloatArray, Signal

PRIOR = 0.45  # ln: what one day in ten exceeds on irregular runners
AFTER = 1.5  # times what one day in ten exceeds, in the weeks after hard running came


@dataclass(frozen=True, slots=True)
class Params:
    """What is far above. Engineering defaults; the own past may ask for more."""

    enabled: bool = True
    #: the load of so many days, today included
    days: int = 14
    #: that load against the usual at least. An interval session in the place of an easy run adds 10 to 20 % by itself;
    #: a fixed 15 % is true on a third of all days of real runners
    ratio: float = 1.3


def detect(history: History, params: Params) -> Signal | None:
    """The load of the last days against the usual, that of before intensity where it came lately."""
    if lacking(history) is not None:
        return None
    found = stand(history, ("load", params.days), partial(_load, width=params.days), _ruler(params))
    if found is None:
        return None
    share = 100 * found.value / max(found.usual, 1.0)
    text = f"The last {span(params.days)} carried {share:.0f} % of your usual load."
    return found.signal("load_added", "load", text, recent(history, params.days), unit="easy minutes")


@lru_cache(maxsize=8)
def _ruler(params: Params) -> Ruler:
    floor = log(params.ratio)
    return Ruler(floor, PRIOR, ratio=True, half_year=True, lag_days=max(params.days, 14), after=(floor, AFTER))


def _load(days: Days, width: int) -> FloatArray:
    return rolling_sum(days.effort, width)
