"""Notices when there are more run days in a week than usual: a day was added, no easy run replaced.

The score is how far run days a week have gone from the usual towards the threshold (1.0: there).
"""

from dataclasses import dataclass
from functools import lru_cache, partial

from daemon.signals.course import Ruler, stand
from daemon.signals.days import Days, lacking, recent, rolling_sum, span
from daemon.signals.history import History
from daemon.values import FloatArray, Signal

PRIOR = 0.8  # run days a week: what one day in ten exceeds on irregular runners
AFTER = 1.5  # times what one day in ten exceeds, in the weeks after hard running came


@dataclass(frozen=True, slots=True)
class Params:
    """What is more. Run days a week; engineering defaults, the own past may ask for more."""

    enabled: bool = True
    #: run days are counted over so many days, today included
    days: int = 21
    #: run days a week above the usual at least
    more: float = 1.0
    #: the same in the ten weeks after hard running came: less than one, because now and then a run is skipped
    more_after: float = 0.65


def detect(history: History, params: Params) -> Signal | None:
    """Run days of the last weeks against the usual, that of before intensity where it came lately."""
    if lacking(history) is not None:
        return None
    found = stand(history, ("run days", params.days), partial(run_days, width=params.days), _ruler(params))
    if found is None:
        return None
    often, usual = (f"{round(days, 1):g}" for days in (found.value, found.usual))
    text = f"You ran on {often} days a week in the last {span(params.days)}, usually on {usual}."
    runs = recent(history, params.days, history.table.is_run)
    return found.signal("run_day_added", "load", text, runs, unit="run days a week")


@lru_cache(maxsize=8)
def _ruler(params: Params) -> Ruler:
    lag = max(params.days, 14)
    return Ruler(params.more, PRIOR, half_year=True, lag_days=lag, after=(params.more_after, AFTER))


def run_days(days: Days, width: int) -> FloatArray:
    """Run days a week over the last `width` days."""
    return 7 * rolling_sum(days.runs, width) / width
