"""Notices when one run was much longer than anything in the thirty days before it.

A race is no training run, and days of a lay-off are not among the thirty: coming back to the old long run is no step.
The score is how far ln(longest / longest before) has gone towards its threshold (1.0: there).
"""

from dataclasses import dataclass
from functools import lru_cache, partial
from math import expm1, log

import numpy as np

from daemon.signals.course import Ruler, stand
from daemon.signals.days import Days, lacking, recent, rolling_max, span
from daemon.signals.history import History
from daemon.values import FloatArray, Signal

PRIOR = 0.35  # ln: what one day in ten exceeds on irregular runners


@dataclass(frozen=True, slots=True)
class Params:
    """What is much longer. Engineering defaults; the own past may ask for more."""

    enabled: bool = True
    #: the longest run is looked for in so many days, today included
    days: int = 14
    #: and held against the longest of so many days before it
    before_days: int = 30
    #: its moving time against that at least. Frandsen et al. (BJSM 2025, 5,205 runners) saw more injuries beyond 1.1,
    #: in no order of size; irregular runners pass 1.1 every few weeks
    ratio: float = 1.3


def detect(history: History, params: Params) -> Signal | None:
    """The largest step to a longest run within the last days."""
    if lacking(history) is not None:
        return None
    name = ("longest", params.days, params.before_days)
    found = stand(history, name, partial(steps, width=params.days, before=params.before_days), _ruler(params))
    if found is None:
        return None
    before = f"anything in the {params.before_days} days before it"
    if found.value > 0:
        text = f"A run of the last {span(params.days)} was {100 * expm1(found.value):.0f} % longer than {before}."
    else:
        text = f"No run of the last {span(params.days)} was longer than {before}."
    runs = recent(history, params.days, history.table.is_run)
    return found.signal("longest_run", "load", text, runs, unit="ln(longest / longest before)")


@lru_cache(maxsize=8)
def _ruler(params: Params) -> Ruler:
    return Ruler(log(params.ratio), PRIOR, lag_days=max(params.days, 14), lasting=1)


def steps(days: Days, width: int, before: int) -> FloatArray:
    """Per day the largest ln(run / longest of the `before` counted days before it) of the last `width` days, or 0."""
    table, n = days.table, len(days)
    longest, trained = np.zeros(n), np.zeros(n)
    training = table.is_run & ~table.race
    np.maximum.at(longest, days.at[table.is_run], table.minutes[table.is_run])
    np.maximum.at(trained, days.at[training], table.minutes[training])
    counted = np.flatnonzero(days.counts)
    earlier, day = rolling_max(longest[counted], before)[before - 1 : -1], counted[before:]
    step = np.zeros(n)
    both = (trained[day] > 0) & (earlier > 0)
    step[day[both]] = np.log(trained[day[both]] / earlier[both])
    out = rolling_max(step, width)
    out[:before] = np.nan
    return np.maximum(out, 0.0)
