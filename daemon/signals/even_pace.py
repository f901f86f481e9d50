"""Notices when easy runs are paced less evenly than this runner's easy runs used to be.

The score is how far ln(unevenness / usual) has gone towards its threshold (1.0: there).
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
PRIOR = 0.15  # ln: what one day in ten exceeds


@dataclass(frozen=True, slots=True)
class Params:
    """What is less even. Engineering defaults; the own past may ask for more."""

    enabled: bool = True
    #: easy and long runs whose mean unevenness is looked at, the latest
    runs: int = 5
    #: their unevenness against the usual at least
    ratio: float = 1.25


def detect(history: History, params: Params) -> Signal | None:
    """The unevenness of the last easy runs against the usual, that of before intensity where it came lately."""
    if lacking(history) is not None:
        return None
    found = stand(history, ("even pace", params.runs), partial(_unevenness, number=params.runs), _ruler(params))
    if found is None:
        return None
    runs = last_known(history, history.table.unevenness, params.runs, FRESH_DAYS)
    value, usual = 100 * found.value, 100 * found.usual
    text = f"Within your last {len(runs)} easy runs speed varied by {value:.1f} %, usually by {usual:.1f} %."
    return found.signal("even_pace", "control", text, runs, unit="coefficient of variation of speed")


@lru_cache(maxsize=8)
def _ruler(params: Params) -> Ruler:
    return Ruler(log(params.ratio), PRIOR, ratio=True, half_year=True, both_sides=True, lag_days=21)


def _unevenness(days: Days, number: int) -> FloatArray:
    return recent_middle(days.at, days.table.unevenness, len(days), number, LEAST, FRESH_DAYS)
