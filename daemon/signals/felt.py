"""Notices when running feels heavier: the runner says so, or rates easy runs harder at no faster a pace.

Answers are evidence of their own, whatever heart rate does. The score is how far the worse of the two has gone
towards its threshold (1.0: there).
"""

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from math import log

import numpy as np

from daemon.signals.course import Ruler, Stand, stand, stretch
from daemon.signals.days import Days, lacking, last_known, recent, recent_middle, rolling_sum, span
from daemon.signals.easy_pace import easy_pace
from daemon.signals.history import BoolArray, History, RunTable
from daemon.values import FloatArray, Signal

FRESH_DAYS = 28  # older ratings say nothing of today
LEAST = 3  # ratings at least
PRIORS = 0.3, 0.6  # heavy runs, and points of exertion: what one day in ten exceeds
RUNS, FASTER = 5, 1.03  # easy runs that are faster than this explain a higher rating by themselves

PACE = Ruler(log(FASTER), prior=0.03, ratio=True, half_year=True, both_sides=True, lag_days=21)  # that of `easy_pace`


@dataclass(frozen=True, slots=True)
class Params:
    """What is heavier. Engineering defaults; the own past may ask for more."""

    enabled: bool = True
    #: answers "heavy" and "forced" are counted over so many days, today included
    days: int = 14
    #: such answers above the usual at least
    heavy: float = 2.0
    #: easy and long runs whose mean rating is looked at, the latest
    runs: int = 4
    #: their perceived exertion (1 to 10) above the usual at least; a point more is what overreached runners showed
    more: float = 1.0


def detect(history: History, params: Params) -> Signal | None:
    """What the runner said of the last runs against what he used to say; None where he never said anything."""
    if lacking(history) is not None:
        return None
    heavy = _said_heavy(history, params)
    rated = stand(history, ("exertion", params.runs), partial(_exertion, number=params.runs), _rulers(params)[1])
    if rated is not None and rated.level != "ok" and _faster(history):
        rated = replace(rated, level="ok", since=None)
    known = [found for found in (heavy, rated) if found is not None]
    if not known:
        return None
    found = max(known, key=lambda one: (one.level != "ok", one.score))
    if found is heavy:
        many = "No run" if found.value < 1 else "One run" if found.value < 2 else f"{found.value:.0f} runs"
        text = f"{many} of the last {span(params.days)} felt heavy or forced."
        runs = recent(history, params.days, _answered(history.table))
        return found.signal("felt", "felt", text, runs, unit="heavy runs")
    runs = last_known(history, history.table.exertion, params.runs, FRESH_DAYS)
    rating, usual = (f"{round(points, 1):g}" for points in (found.value, found.usual))
    text = f"You rated your last {len(runs)} easy runs {rating} of 10 for effort, usually {usual}."
    return found.signal("felt", "felt", text, runs, unit="perceived exertion")


@lru_cache(maxsize=8)
def _rulers(params: Params) -> tuple[Ruler, Ruler]:
    return (
        Ruler(params.heavy, PRIORS[0], lasting=1),
        Ruler(params.more, PRIORS[1], both_sides=True, lag_days=21),
    )


def _said_heavy(history: History, params: Params) -> Stand | None:
    if not _answered(history.table).any():
        return None
    return stand(history, ("heavy", params.days), partial(_heavy, width=params.days), _rulers(params)[0])


def _answered(table: RunTable) -> BoolArray:
    return np.isfinite(table.heavy)


def _heavy(days: Days, width: int) -> FloatArray:
    return rolling_sum(days.on(days.table.heavy == 1.0), width)


def _exertion(days: Days, number: int) -> FloatArray:
    return recent_middle(days.at, days.table.exertion, len(days), number, LEAST, FRESH_DAYS)


def _faster(history: History) -> bool:
    pace = stretch(history, ("easy pace", RUNS), partial(easy_pace, number=RUNS), PACE)
    return bool(pace.known and pace.value > FASTER * pace.usual)
