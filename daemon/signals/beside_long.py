"""Notices when a hard day lies beside the long run, the day before it or after it, more often than usual.

The long run counts as half a hard day: an easy day belongs on either side. The score is how far the number of such
pairs has gone from the usual towards the threshold (1.0: there).
"""

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from daemon.signals.course import Ruler, stand
from daemon.signals.days import Days, days_of, lacking, recent, rolling_sum, span
from daemon.signals.history import BoolArray, History
from daemon.values import FloatArray, Signal

PRIOR = 0.3  # pairs: what one day in ten exceeds where little is known


@dataclass(frozen=True, slots=True)
class Params:
    """How often is often. Engineering defaults; the own past may ask for more."""

    enabled: bool = True
    #: pairs are counted over so many days, today included
    days: int = 28
    #: pairs above the usual at least
    more: float = 2.0


def detect(history: History, params: Params) -> Signal | None:
    """Hard days beside long runs in the last weeks against the usual."""
    if lacking(history) is not None:
        return None
    found = stand(history, ("beside long", params.days), partial(_often, width=params.days), _ruler(params))
    if found is None:
        return None
    many = "No hard day" if found.value < 1 else "One hard day" if found.value < 2 else f"{found.value:.0f} hard days"
    usual = f"{found.usual:.0f}" if found.usual > 0.5 else "none"
    text = f"{many} lay beside a long run in the last {span(params.days)}, usually {usual}."
    runs = recent(history, params.days, _rows(history)) if found.value else []
    return found.signal("beside_long", "spacing", text, runs, unit="pairs")


@lru_cache(maxsize=8)
def _ruler(params: Params) -> Ruler:
    return Ruler(params.more, PRIOR, lag_days=max(params.days, 14), lasting=1)


def _often(days: Days, width: int) -> FloatArray:
    """A pair counts on its later day."""
    hard, long = _hard_and_long(days)
    pairs = np.zeros(len(days), dtype=bool)
    pairs[1:] = (long[1:] & hard[:-1]) | (hard[1:] & long[:-1])
    return rolling_sum(pairs, width)


def _hard_and_long(days: Days) -> tuple[BoolArray, BoolArray]:
    table = days.table
    return days.on(table.hard & table.is_run), days.on(days.long & ~table.hard)


def _rows(history: History) -> BoolArray:
    """The rows up to today that are one of a pair."""
    days, table = days_of(history), history.table
    hard, long = _hard_and_long(days)
    until = history.today.toordinal() - days.first + 1
    hard[until:] = long[until:] = False
    pair = hard.copy()
    pair[:-1] = (hard[:-1] & long[1:]) | (long[:-1] & hard[1:])
    pair[1:] |= (hard[1:] & long[:-1]) | (long[1:] & hard[:-1])
    at = days.at[: len(table)]
    out: BoolArray = pair[at] & ((table.hard & table.is_run) | days.long[: len(table)])
    return out
