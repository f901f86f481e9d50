"""Notices when easy runs creep up: the last ones were faster, hills taken out, than this runner's easy runs used to be.

It looks at pace alone; what the pace costs is `easy_heart_rate`'s to say. The score is how far ln(speed / usual) has
gone towards its threshold (1.0: there).
"""

from dataclasses import dataclass
from functools import lru_cache, partial
from math import log

from daemon.signals.course import Ruler, stand
from daemon.signals.days import Days, lacking, last_known, recent_middle
from daemon.signals.history import History
from daemon.values import FloatArray, Signal

FRESH_DAYS = 28  # older runs say nothing of today
LEAST = 3  # runs at least
PRIOR = 0.03  # ln: what one day in ten exceeds; pace scatters by 4 to 6 % from run to run


@dataclass(frozen=True, slots=True)
class Params:
    """What is faster. Engineering defaults; the own past may ask for more."""

    enabled: bool = True
    #: easy and long runs whose mean speed is looked at, the latest
    runs: int = 5
    #: their speed against the usual at least
    ratio: float = 1.03


def detect(history: History, params: Params) -> Signal | None:
    """The pace of the last easy runs against the usual, that of before intensity where it came lately."""
    if lacking(history) is not None:
        return None
    found = stand(history, ("easy pace", params.runs), partial(easy_pace, number=params.runs), _ruler(params))
    if found is None:
        return None
    runs = last_known(history, history.table.easy_speed_m_s, params.runs, FRESH_DAYS)
    change = 100 * (found.value / found.usual - 1)
    faster = "faster" if change > 0 else "slower"
    text = f"Your last {len(runs)} easy runs were {abs(change):.0f} % {faster} than usual."
    return found.signal("easy_pace", "control", text, runs, unit="m/s")


@lru_cache(maxsize=8)
def _ruler(params: Params) -> Ruler:
    return Ruler(log(params.ratio), PRIOR, ratio=True, half_year=True, both_sides=True, lag_days=21)


def easy_pace(days: Days, number: int) -> FloatArray:
    """Per day the mean grade-adjusted speed (m/s) of the last `number` easy runs."""
    return recent_middle(days.at, days.table.easy_speed_m_s, len(days), number, LEAST, FRESH_DAYS)
