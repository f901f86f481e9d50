"""Notices when the days of a week are all alike and heavy: monotony and strain both beyond the own past.

Monotony is the mean of seven days' load over their standard deviation, strain is their load times monotony (Foster
1998; only the runner's own thresholds mean something). The score is the lesser of how far the two have gone towards
their thresholds (1.0: both there).
"""

from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import Any

import numpy as np

from daemon.signals.course import ALERT, Ruler, Stretch, excesses, excursion, how_often, stretch
from daemon.signals.days import Days, lacking, recent, rolling_sum
from daemon.signals.history import History
from daemon.values import FloatArray, Level, Signal

WEEK = 7
MOST = 5.0  # days that are all the same have no spread
PRIORS = 0.6, 0.3  # ln strain and monotony: what one day in ten exceeds on irregular runners


@dataclass(frozen=True, slots=True)
class Params:
    """What is beyond. Engineering defaults; the own past may ask for more."""

    enabled: bool = True
    #: strain against the usual at least
    strain_ratio: float = 1.5
    #: monotony above the usual at least
    monotony_more: float = 0.3


def detect(history: History, params: Params) -> Signal | None:
    """Monotony and strain of the last seven days against the usual."""
    if lacking(history) is not None:
        return None
    for_strain, for_monotony = _rulers(params)
    strain, alike = (
        stretch(history, "strain", _strain, for_strain),
        stretch(history, "monotony", _monotony, for_monotony),
    )
    if not (strain.known and alike.known):
        return None
    score = np.minimum(strain.score, alike.score)
    begun = excursion(score, lasting=2)
    level: Level = "ok" if begun is None else "alert" if score[-1] >= ALERT else "watch"
    times = 100 * strain.value / max(strain.usual, 1.0)
    begin = "Your last week was" if level == "ok" else "Your last week was heavy and its days alike:"
    alike_text = f"monotony {alike.value:.1f}, usually {alike.usual:.1f}"
    text = f"{begin} {times:.0f} % of your usual strain, {alike_text}."
    evidence: dict[str, Any] = {
        "value": round(strain.value),
        "usual": round(strain.usual),
        "threshold": round(for_strain.value_at(strain.limit, strain.usual)),
        "unit": "easy minutes x monotony",
        "monotony": round(alike.value, 2),
        "usual_monotony": round(alike.usual, 2),
        "threshold_monotony": round(for_monotony.value_at(alike.limit, alike.usual), 2),
        "norm_held": strain.held,
        "runs": recent(history, WEEK),
    }
    if begun is not None:
        evidence["own_past"] = _own_past(history, params, strain, alike, strain.first + begun)
    return Signal("monotony", level, round(float(score[-1]), 2), text, strain.day(begun), evidence, "load")


def _own_past(history: History, params: Params, strain: Stretch, alike: Stretch, begun: int) -> dict[str, Any] | None:
    """How often both were as far from the usual at once, in parts of where they are today."""
    for_strain, for_monotony = _rulers(params)
    parts = [
        excesses(history, name, values, ruler, begun) / ruler.excess_of(one.value, one.usual)
        for name, values, ruler, one in (
            ("strain", _strain, for_strain, strain),
            ("monotony", _monotony, for_monotony, alike),
        )
    ]
    return how_often(np.minimum(*parts), 1.0, lasting=2)


@lru_cache(maxsize=8)
def _rulers(params: Params) -> tuple[Ruler, Ruler]:
    return (
        Ruler(log(params.strain_ratio), PRIORS[0], ratio=True, half_year=True),
        Ruler(params.monotony_more, PRIORS[1], half_year=True),
    )


def _monotony(days: Days) -> FloatArray:
    mean = rolling_sum(days.effort, WEEK) / WEEK
    variance = rolling_sum(days.effort**2, WEEK) / WEEK - mean**2
    return np.asarray(mean / np.sqrt(np.maximum(variance, (mean / MOST) ** 2) + 1e-9))


def _strain(days: Days) -> FloatArray:
    return rolling_sum(days.effort, WEEK) * _monotony(days)
