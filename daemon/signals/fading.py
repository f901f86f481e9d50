"""Notices when hard sessions fade: the last repetitions are slower than they were, or the same speed costs more.

Each session is held against the runner's earlier ones of its kind. The score is how far the worse of the two has gone
towards its threshold (1.0: there).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from math import isfinite, log
from statistics import median

import numpy as np

from daemon.signals.course import Ruler, stand
from daemon.signals.days import Days, lacking, recent_middle
from daemon.signals.history import History
from daemon.values import FloatArray, Run, Signal, Work

FRESH_DAYS = 35  # older sessions say nothing of today
LEAST = 3  # sessions at least, those of today as well as the earlier ones of a kind
EARLIER, EARLIER_DAYS = 8, 180  # a session is held against so many before it, no older than that
LASTING = 8  # days: two sessions in a row
PRIORS = 0.028, 0.04  # what one day in ten exceeds, of slowing and of ln cost


@dataclass(frozen=True, slots=True)
class Params:
    """What is fading. Engineering defaults; the own past may ask for more."""

    enabled: bool = True
    #: hard sessions whose mean is looked at, the latest
    sessions: int = 3
    #: the last third of the repetitions against the first third, slower than in earlier sessions by this share
    slower: float = 0.03
    #: heartbeats for a metre of hard running, above those of earlier sessions by this share
    dearer: float = 0.04


def detect(history: History, params: Params) -> Signal | None:
    """The last hard sessions against those of their kind before."""
    if lacking(history) is not None:
        return None
    rulers = _rulers(params)
    slowing = stand(history, ("slowing", params.sessions), partial(_slowing, number=params.sessions), rulers[0])
    cost = stand(history, ("cost", params.sessions), partial(_cost, number=params.sessions), rulers[1])
    known = [found for found in (slowing, cost) if found is not None]
    if not known:
        return None
    found = max(known, key=lambda one: (one.level != "ok", one.score))
    measure = _slower if found is slowing else _dearer
    more = f"{100 * abs(found.value):.0f} % {'more' if found.value > 0 else 'less'}"
    did = f"slowed down {more}" if found is slowing else f"cost {more} heartbeats at the same speed"
    text = f"Your last {params.sessions} hard sessions {did} than earlier ones of their kind."
    rows = history.table.runs[history.table.row(history.today.toordinal() - FRESH_DAYS + 1) : len(history.table)]
    runs = [run.id for run in rows if isfinite(_measured(run, measure))][-params.sessions :]
    return found.signal("fading", "control", text, runs, unit="share", worse="slowing" if found is slowing else "cost")


@lru_cache(maxsize=8)
def _rulers(params: Params) -> tuple[Ruler, Ruler]:
    return (
        Ruler(params.slower, PRIORS[0], base=0.0, both_sides=True, lag_days=21, lasting=LASTING),
        Ruler(params.dearer, PRIORS[1], base=0.0, both_sides=True, lag_days=21, lasting=LASTING),
    )


def _slower(work: Work) -> float:
    return np.nan if work.fade is None else -work.fade


def _dearer(work: Work) -> float:
    return np.nan if work.bpm is None or work.speed_m_s <= 0 else log(work.bpm / work.speed_m_s)


def _slowing(days: Days, number: int) -> FloatArray:
    return recent_middle(days.at, _against_earlier(days, _slower), len(days), number, LEAST, FRESH_DAYS)


def _cost(days: Days, number: int) -> FloatArray:
    return recent_middle(days.at, _against_earlier(days, _dearer), len(days), number, LEAST, FRESH_DAYS)


def _measured(run: Run, measure: Callable[[Work], float]) -> float:
    return measure(run.work) if run.work and run.kind != "race" else np.nan


def _against_earlier(days: Days, measure: Callable[[Work], float]) -> FloatArray:
    """Per row how far it lies above the median of the earlier sessions of its kind; NaN where there are too few."""
    values = np.array([_measured(run, measure) for run in days.table.runs], dtype=float)
    kinds = [run.kind for run in days.table.runs]
    out, earlier = np.full(values.size, np.nan), dict[str, list[int]]()
    for row in np.flatnonzero(np.isfinite(values)).tolist():
        same = earlier.setdefault(kinds[row], [])
        past = [other for other in same[-EARLIER:] if days.at[other] > days.at[row] - EARLIER_DAYS]
        if len(past) >= LEAST:
            out[row] = values[row] - median(values[past].tolist())
        same.append(row)
    return out
