"""One activity explained: how it was cleaned, what it was and why, which minutes gave its easy heart rate. Pure.

It decides nothing: it walks the same fold and puts what the judgement rests on into a JSON-ready dict.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from daemon.metrics import by_heart
from daemon.metrics.bouts import UNSMOOTHED, Bout, find_blocks, find_bouts
from daemon.metrics.easy import COMMON_MIN, PACE_SLOPE, used_minutes
from daemon.metrics.hints import hints
from daemon.metrics.judge import Session, fold, is_by_heart, kind_of
from daemon.metrics.kind import BLOCK_EDGE, Bar, Judged, answers_strongly, bar_of, response_from, stands_out
from daemon.metrics.pace import gap_factor
from daemon.metrics.pieces import Measured, joined, offsets
from daemon.metrics.run_metrics import ROW_S, RunMetrics
from daemon.metrics.usual import AthleteSettings, Usual
from daemon.values import Activity, Run

Document = dict[str, Any]


def explained(activities: Iterable[Measured], settings: AthleteSettings, run_id: int) -> Document | None:
    """What is known of activity `run_id` and why it was judged so; None where there is no such activity.

    Keys: `id kind hard why hints parts cleaning usual thresholds bouts easy control work load`. Paces are in s/km and
    grade-adjusted, heart rates in bpm, times in seconds from the start of the session, shares between 0 and 1.
    """
    for session in fold(activities, settings):
        for run, (_, metrics) in zip(session.runs, session.parts, strict=True):
            if run.id == run_id:
                return _explained(session, run, metrics, settings)
    return None


def _explained(session: Session, run: Run, own: RunMetrics, settings: AthleteSettings) -> Document:
    activity, metrics = joined(session.parts)
    usual = session.usual
    judged = kind_of(activity, metrics, usual, settings, session.maximum_bpm)
    easy_m_s = None if usual is None else usual.speed_m_s
    return {
        "id": run.id,
        "kind": run.kind,
        "hard": run.hard,
        "why": judged.why,
        "hints": list(hints(activity, easy_m_s)),
        "parts": [
            {"id": part.id, "from_s": begin}
            for (part, _), begin in zip(session.parts, offsets(session.parts), strict=True)
        ],
        "cleaning": _cleaning(own),
        "usual": _usual(usual),
        "thresholds": _thresholds(activity, metrics, session, settings),
        "bouts": [] if usual is None or is_by_heart(activity) else _bouts(activity, metrics, usual, judged),
        "easy": _easy(run, metrics, usual, judged),
        "control": _control(run),
        "work": _work(run),
        "load": {"easy_minutes": run.load, "moving_minutes": round(run.moving_s / 60.0, 1)},
    }


def _cleaning(metrics: RunMetrics) -> Document:
    return {
        "recording": metrics.trust == "streams",
        "sensor": metrics.sensor,
        "heart_rate_share": round(metrics.heart_share, 3),
        "faults": [{"what": words, "share": round(share, 3)} for words, share in metrics.faults],
    }


def _usual(usual: Usual | None) -> Document | None:
    if usual is None:
        return None
    return {
        "easy_pace_s_per_km": _pace(usual.speed_m_s),
        "easy_heart_rate_bpm": usual.heart_rate_bpm and round(usual.heart_rate_bpm, 1),
        "minutes": round(usual.moving_s / 60.0),
        "pace_spread": round(usual.spread, 3),
        "mostly_trail": usual.trail,
    }


def _thresholds(activity: Activity, metrics: RunMetrics, session: Session, settings: AthleteSettings) -> Document:
    """What the run was held against: multiples of easy speed, or a heart rate where pace says nothing."""
    usual = session.usual
    if is_by_heart(activity):
        return {"hard_from_bpm": by_heart.hard_from(activity, usual, settings, session.maximum_bpm)}
    if usual is None:
        return {}
    bar = _bar(activity, metrics, usual)
    return {
        "fast_x_easy": bar.fast,
        "slow_part_x_easy": round(bar.slow, 3),
        "minute_x_easy": round(bar.at(60.0), 3),
        "five_minutes_x_easy": round(bar.at(300.0), 3),
        "response_from_bpm": round(response_from(usual, settings), 1) or None,
    }


def _bar(activity: Activity, metrics: RunMetrics, usual: Usual) -> Bar:
    return bar_of(metrics, usual, bool(hints(activity, usual.speed_m_s)))


def _bouts(activity: Activity, metrics: RunMetrics, usual: Usual, judged: Judged) -> list[Document]:
    """The stretches that stand out or last some minutes, those that counted among them marked, by their start."""
    if not metrics.rows:
        return []
    bar = _bar(activity, metrics, usual)
    bouts = find_bouts(metrics, usual.speed_m_s, bar.fast)
    found = {bout: bar.at(bout.seconds) for bout in bouts if stands_out(bout) or bout in judged.work}
    for block in find_blocks(metrics, usual.speed_m_s, bar.fast - BLOCK_EDGE):
        found.setdefault(block, bar.sustained(block, answers_strongly(block, usual)))
    if not set(judged.work) <= found.keys():
        brief = find_bouts(metrics, usual.speed_m_s, bar.fast, UNSMOOTHED)
        found |= {bout: bar.at(bout.seconds) for bout in brief if bout in judged.work}
    ordered = sorted(found, key=lambda bout: (bout.start_s, bout.seconds))
    return [_bout(bout, found[bout], usual, counted=bout in judged.work) for bout in ordered]


def _bout(bout: Bout, bar: float, usual: Usual, *, counted: bool) -> Document:
    return {
        "start_s": bout.start_s,
        "seconds": bout.seconds,
        "pace_s_per_km": _pace(bout.speed * usual.speed_m_s),
        "x_easy": round(bout.speed, 3),
        "needed_x_easy": round(bar, 3),
        "rest_x_easy": round(bout.rest, 3),
        "bpm": bout.bpm and round(bout.bpm, 1),
        "rise_bpm": None if bout.rise is None else round(bout.rise, 1),
        "grade": round(bout.grade, 3),
        "counted": counted,
    }


def _easy(run: Run, metrics: RunMetrics, usual: Usual | None, judged: Judged) -> Document:
    """The easy heart rate, the minutes it rests on, and what drift and grade were worth in bpm."""
    if run.easy is None or usual is None:
        return {"bpm": None, "left_out": run.left_out}
    reading: Document = {
        "bpm": round(run.easy.bpm, 1),
        "se_bpm": round(run.easy.se_bpm, 1),
        "at_pace_s_per_km": _pace(run.easy.speed_m_s),
        "minutes": round(run.easy.minutes),
        "left_out": None,
    }
    if metrics.trust == "summary":
        return reading
    minute, heart, _ = used_minutes(metrics, usual, judged.surges)
    return reading | {
        "from_minute": int(minute[0]),
        "to_minute": int(minute[-1]) + 1,
        "mean_bpm": round(float(heart.mean()), 1),
        "drift_bpm_per_min": run.easy.drift_bpm_per_min,
        "drift_correction_bpm": round(run.easy.bpm - float(heart.mean()), 1),
        "drift_taken_to_minute": COMMON_MIN,
        "grade_bpm": _grade_bpm(metrics, minute),
        "temperature_c": run.easy.temperature_c,
        "air_c": None if run.air_c is None else round(run.air_c, 1),
    }


def _grade_bpm(metrics: RunMetrics, minute: Sequence[float] | np.ndarray[Any, Any]) -> float | None:
    """What the grade adjustment of those minutes' speed is worth at `PACE_SLOPE` (bpm); positive where it climbed."""
    table = metrics.row_table()
    rows = np.isin(np.arange(table.shape[1]) * ROW_S // 60, np.floor(np.asarray(minute))) & (table[0] > 0)
    if not rows.any():
        return None
    adjusted = table[0][rows] / 100.0
    flat = adjusted / gap_factor(table[2][rows] / 1000.0)
    return round(PACE_SLOPE * float((adjusted - flat).mean()), 1)


def _control(run: Run) -> Document | None:
    if run.control is None:
        return None
    return {
        "pace_s_per_km": _pace(run.control.speed_m_s),
        "unevenness": run.control.unevenness,
        "decoupling_percent": run.control.decoupling,
    }


def _work(run: Run) -> Document | None:
    if run.work is None:
        return None
    return {
        "seconds": round(run.work.seconds),
        "pace_s_per_km": _pace(run.work.speed_m_s),
        "bpm": run.work.bpm,
        "fade": run.work.fade,
    }


def _pace(speed_m_s: float) -> int:
    return round(1000.0 / speed_m_s)
