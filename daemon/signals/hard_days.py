"""Notices when there are more hard days than usual: a second or a third hard session a week, other sports' counted.

One hard session a week is enough to start with and raises nothing. The score is how far the number of hard days has
gone from the usual (from one a week where that is more) towards the threshold (1.0: there).
"""

from dataclasses import dataclass
from functools import lru_cache, partial

from daemon.signals.course import Ruler, stand
from daemon.signals.days import Days, lacking, recent, rolling_sum, span
from daemon.signals.history import History
from daemon.values import FloatArray, Signal

PRIOR = 0.8  # hard days: what one day in ten exceeds where little is known


@dataclass(frozen=True, slots=True)
class Params:
    """What is more. Hard days; engineering defaults, the own past may ask for more."""

    enabled: bool = True
    #: hard days are counted over so many days, today included
    days: int = 21
    #: hard days above the usual at least; a second session a week is three more in three weeks, less one skipped
    more: float = 2.0


def detect(history: History, params: Params) -> Signal | None:
    """Hard days of the last weeks against the usual, that of before intensity where it came lately."""
    if lacking(history) is not None:
        return None
    found = stand(history, ("hard days", params.days), partial(_hard_days, width=params.days), _ruler(params))
    if found is None:
        return None
    many = f"{found.value:.0f} hard day{'' if round(found.value) == 1 else 's'}"
    usual = f"{found.usual:.0f}" if found.usual > 0.5 else "none"
    text = f"You had {many} in the last {span(params.days)}, usually {usual}."
    return found.signal("hard_days", "load", text, recent(history, params.days, history.table.hard), unit="hard days")


@lru_cache(maxsize=8)
def _ruler(params: Params) -> Ruler:
    return Ruler(params.more, PRIOR, base=params.days / 7, lag_days=max(params.days, 14), lasting=1)


def _hard_days(days: Days, width: int) -> FloatArray:
    return rolling_sum(days.hard, width)
