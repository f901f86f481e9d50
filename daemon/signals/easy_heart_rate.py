"""Notices when easy runs cost more heartbeats than they used to at the same pace, and says by what it knows.

The rise and the readings that are compared are `rise`'s; here is what counts as too much, and the numbers behind it.
"""

from datetime import date
from typing import Any

import numpy as np

from daemon.clock import day_text
from daemon.signals import factors, wander
from daemon.signals.history import History, IntArray
from daemon.signals.rise import (
    LEARN_EVERY,
    LEAST_RUNS,
    NORM_RUNS,
    RECENT_RUNS,
    SCORE_PER_ERROR,
    Assessed,
    Params,
    assessed,
    clearest,
    older,
    position,
    usable,
)
from daemon.signals.wander import middle_of
from daemon.values import FloatArray, Level, Signal

__all__ = ["Params", "detect", "lacking"]

LOOK_BACK_DAYS, LOOK_BACK_YEARS = 14, 3
"""The own past is looked at every so many days, so far back, to say how often noise alone did the same."""


def detect(history: History, params: Params) -> Signal | None:
    """Today's easy heart rate against the norm. The score is six times the standard errors of the clearest rise."""
    rows = usable(history)
    if _lacking(history, rows, params) is not None:
        return None
    found = assessed(history, rows, params)
    idle = history.today.toordinal() - float(found.readings.day[-1])
    fade = 0.5 ** (idle / params.halve_after_days) if idle >= params.halve_after_days else 1.0
    score = max(SCORE_PER_ERROR * found.errors, 0.0) * fade
    delta = _mean(found.above_bpm[found.since :]) if found.comparable else 0.0
    level: Level = "ok"
    if score >= min(params.h_watch, params.h) and delta >= params.least_bpm:
        level = "alert" if score >= params.h and not found.faster else "watch"
    since = None if level == "ok" else _day(found.readings.day[found.since])
    evidence = _evidence(history, found, params) | {"delta_bpm": round(delta, 1)}
    if level != "ok":
        evidence["own_past"] = _own_past(history, found, params)
    summary = _summary(delta, found.readings.day.size - found.since)
    return Signal("easy_heart_rate", level, round(score, 2), summary, since, evidence, "response")


def lacking(history: History, params: Params) -> str | None:
    """What is missing before easy heart rate can be judged today, in a few words; None when nothing is."""
    return _lacking(history, usable(history), params)


def _lacking(history: History, rows: IntArray, params: Params) -> str | None:
    if rows.size == 0:
        return "no easy runs with heart rate yet"
    needed = max(params.min_runs, LEAST_RUNS)
    if rows.size < needed:
        return f"needs {needed} easy runs with heart rate; has {rows.size}"
    device = factors.sensors(history.table, rows)
    worn = int(np.count_nonzero(device == device[-1]))
    if worn < params.min_sensor_runs:
        return f"needs {params.min_sensor_runs} easy runs with heart rate from the new sensor; has {worn}"
    last = history.table.day[rows[-1]]
    if history.today.toordinal() - last > params.stale_days:
        return f"no easy run with heart rate since {day_text(_day(last), history.today)}"
    return None


def _own_past(history: History, found: Assessed, params: Params) -> dict[str, Any] | None:
    """How often a rise as clear as today's stood there before this one began; None under a year of past.

    `times` counts separate spells; the range is that of a Poisson count (95 %) over those years.
    """
    before = older(history, usable(history), int(found.readings.day[found.since]), params)
    rows = usable(history)[: before // LEARN_EVERY * LEARN_EVERY]
    if rows.size <= params.min_runs:
        return None
    day = history.table.day[rows]
    years = min(float(day[-1] - day[params.min_runs]) / 365.25, LOOK_BACK_YEARS)
    if years < 1.0:
        return None
    key = ("own_past", int(rows[-1]), history.norm_from, found.wander, params)
    worked_out = history.table.worked_out
    if key not in worked_out:
        ends = day[-1] - LOOK_BACK_DAYS * np.arange(years * 365.25 // LOOK_BACK_DAYS)
        lasts = np.unique(np.searchsorted(day, ends, "right"))
        worked_out[key] = np.array([clearest(history, rows[:last], found.wander, params) for last in lasts])
    past = worked_out[key] >= found.errors
    times = int(np.count_nonzero(past & ~np.concatenate(([False], past[:-1]))))
    return {
        "years": round(years, 1),
        "times": times,
        "per_year": [round(n / years, 2) for n in wander.poisson_range(times)],
    }


def _mean(above: FloatArray) -> float:
    """Mean with what lies beyond two median absolute deviations pulled in; 0 of nothing."""
    if above.size == 0:
        return 0.0
    middle = float(middle_of(above))
    reach = 2 * 1.4826 * float(middle_of(np.abs(above - middle)))
    return float(np.clip(above, middle - reach, middle + reach).mean()) if reach else middle


def _evidence(history: History, found: Assessed, params: Params) -> dict[str, Any]:
    """The numbers behind the score, JSON-ready."""
    runs, days, rows = history.table.runs, history.table.day, usable(history)
    compared = found.rows[found.since :]
    rose = history.rose_on
    # Runs of before a new norm aren't compared with it, so they show nothing.
    after = 0 if rose is None else rows.size - position(history, rows, max(rose.toordinal(), history.norm_from or 0))
    pace = found.norm.sizes[0]
    speed = float(found.readings.x[found.since :, 0].mean())
    at_pace = found.norm.centre.copy()
    at_pace[0] = speed
    return {
        "recent_delta_bpm": round(_mean(found.above_bpm[-RECENT_RUNS:]), 1) if found.comparable else None,
        "at_pace_s_per_km": round(1000 / speed),
        "norm_bpm": round(float(found.norm.expected(at_pace)), 1),
        "norm_held": found.held,
        "faster": found.faster,
        "threshold": params.h,
        "after_intensity": round(SCORE_PER_ERROR * found.errors_after_intensity, 2),
        "rise_bpm": round(found.rise_bpm, 1),
        "rise_se_bpm": round(found.rise_se_bpm, 1),
        "run_sd_bpm": round(found.wander.run_bpm, 1),
        "wander_sd_bpm": round(found.wander.sd_bpm, 1),
        "wander_days": round(found.wander.days),
        "slope_bpm_per_m_s": round(float(pace), 1),
        "runs": [runs[row].id for row in compared],
        "norm_runs": [runs[row].id for row in found.rows[: found.norm_until][-NORM_RUNS:]],
        "runs_since_intensity": after,
        "per_week": round((rows.size - position(history, rows, history.today.toordinal() - 55)) / 8, 1),
        "since": _day(days[compared[0]]).isoformat(),
        "suppressed": {
            "score": round(max(SCORE_PER_ERROR * found.low_errors, 0.0), 2),
            "delta_bpm": round(_mean(found.above_bpm[found.since :]), 1) if found.comparable else 0.0,
        },
        "excluded": _excluded(history, found),
    }


def _excluded(history: History, found: Assessed) -> list[dict[str, Any]]:
    """Runs since the first one compared (four weeks at least) that have no reading, and why."""
    table = history.table
    since = int(table.day[found.rows[found.since]])
    first = table.row(min(since, history.today.toordinal() - 28))
    late = (table.runs[row] for row in range(first, len(table)))
    return [{"id": run.id, "why": run.left_out or ""} for run in late if run.is_run and run.easy is None]


def _summary(delta: float, runs: int) -> str:
    if abs(delta) < 0.5:
        return f"Easy heart rate is at its norm over the last {runs} easy runs."
    side = "above" if delta > 0 else "below"
    return f"Easy heart rate is {abs(delta):.0f} bpm {side} its norm at the same pace over the last {runs} easy runs."


def _day(ordinal: float) -> date:
    return date.fromordinal(int(ordinal))
