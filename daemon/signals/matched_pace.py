"""What each easy heart rate is at the norm's pace and conditions, for whoever wants to look. It judges nothing.

It shows what `rise` worked out: the same norm, the same corrections, the same runs compared.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from daemon.signals.history import History, IntArray
from daemon.signals.rise import LEAST_RUNS, NORM_RUNS, Assessed, Params, assessed, usable


@dataclass(frozen=True, slots=True)
class MatchedRun:
    """One easy run's heart rate (bpm) brought to the norm's pace and conditions; `compared` with the norm, or not."""

    id: int
    day: date
    bpm: float
    compared: bool


@dataclass(frozen=True, slots=True)
class Matched:
    """The easy runs that are looked at together on one day, oldest first, and the norm they are held against.

    `norm_bpm` holds at `at_pace_s_per_km`, the mean pace of the runs compared; a single run strays by `spread_bpm` (SD)
    alone.
    """

    norm_bpm: float
    spread_bpm: float
    at_pace_s_per_km: float
    runs: tuple[MatchedRun, ...]


def matched(history: History, params: Params) -> Matched | None:
    """The easy runs up to the day of `history` at one pace; None where there are too few for a norm."""
    rows = usable(history)
    if rows.size < max(params.min_runs, LEAST_RUNS):
        return None
    found = assessed(history, rows, params)
    at_pace = found.norm.centre.copy()
    at_pace[0] = speed = float(found.readings.x[found.since :, 0].mean())
    norm_bpm = float(found.norm.expected(at_pace))
    from_where = found.since if found.comparable else found.rows.size
    runs = (
        MatchedRun(history.table.runs[row].id, date.fromordinal(int(day)), norm_bpm + above, n >= from_where)
        for n, (row, day, above) in enumerate(
            zip(found.rows.tolist(), found.readings.day.tolist(), found.above_bpm.tolist(), strict=True)
        )
    )
    return Matched(norm_bpm, _spread(found, float(np.median(found.readings.se_bpm))), 1000 / speed, tuple(runs))


def explain_run(history: History, params: Params, run_id: int) -> dict[str, Any] | None:
    """What one run's easy heart rate was compared with, as the day it was run on saw it; None where it has none.

    JSON-ready: `corrections_bpm` is what each factor takes from or adds to the reading to bring it to the norm's pace
    and conditions, `residual_bpm` what it then lies above the norm, `usual_spread_bpm` how far one run strays alone.
    """
    rows = usable(history)
    at = next((n for n, row in enumerate(rows) if history.table.runs[row].id == run_id), None)
    if at is None or at + 1 < max(params.min_runs, LEAST_RUNS):
        return None
    found = assessed(history, rows[: at + 1], params)
    return {
        "corrections_bpm": _corrections(found),
        "compared_with": {
            "norm_bpm": round(found.norm.bpm, 1),
            "at_pace_s_per_km": round(1000 / float(found.norm.centre[0])),
            "runs": _norm_runs(history, found.rows[: found.norm_until]),
        },
        "residual_bpm": round(float(found.above_bpm[-1]), 1),
        "usual_spread_bpm": round(_spread(found, float(found.readings.se_bpm[-1])), 1),
    }


def _corrections(found: Assessed) -> dict[str, float]:
    away = found.norm.centre - found.readings.x[-1]
    corrections = dict.fromkeys((factor.name for factor in found.factors), 0.0)
    for factor, bpm in zip(found.factors, (found.norm.sizes * away).tolist(), strict=True):
        corrections[factor.name] += bpm
    return {name: round(bpm, 1) for name, bpm in corrections.items()}


def _norm_runs(history: History, rows: IntArray) -> list[int]:
    return [history.table.runs[row].id for row in rows[-NORM_RUNS:]]


def _spread(found: Assessed, se_bpm: float) -> float:
    """How far one run strays alone (SD, bpm), its own error with it."""
    return float(np.hypot(found.wander.run_bpm, se_bpm))
