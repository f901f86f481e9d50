"""The easy heart rate of one run, or why it has none. Chosen by structure and pace; heart rate is only a gross gate."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from daemon.metrics.bouts import Bout
from daemon.metrics.run_metrics import RunMetrics
from daemon.metrics.usual import Usual
from daemon.values import EasyHeartRate, FloatArray

FROM_MIN, TO_MIN = 8, 45
"""Minutes of the run that are compared: settled, and before a long run becomes another thing."""

SLOWEST, FASTEST = 0.78, 1.12
"""Multiples of the usual easy speed that count as easy running: wide, so that lost pace stays in sight."""

LEAST_MIN = 8
LEAST_SHARE = 0.5
"""This much of the settled running between the minutes must be at easy speed, or the run was something else."""

STEEP = 40
"""Minutes whose mean absolute grade is above this (‰) are left out."""

COMMON_MIN = 20.0
DRIFT_BPM_PER_MIN = 0.15
"""Drift used to bring a run to `COMMON_MIN`: the prior, not the run's own slope, which is noisier than the effect."""

PACE_SLOPE = 15.0
"""Within-run slope (bpm per m/s) taken out before drift and scatter are measured."""

MINUTE_CORRELATION = 0.8
FLOOR_SE_BPM = 0.7
FAR_BPM = 35.0
"""Beyond this from the usual no change of form explains a heart rate."""

FAR_ALTITUDE_M = 800.0
SUMMARY_SE_BPM = 4.0
SUMMARY_WARM_UP = 75.0
"""What the climb of heart rate at the start takes from a whole-run mean (bpm·min) [measured on two runners]."""

SUMMARY_LEAST_MIN, SUMMARY_MOST_MIN = 20.0, 90.0
Outcome = tuple[EasyHeartRate | None, str | None]


def easy_heart_rate(metrics: RunMetrics, usual: Usual, bouts: Sequence[Bout]) -> Outcome:
    """The easy heart rate of a run that wasn't hard, or the reason for leaving it out, in the runner's words."""
    if _far(metrics.altitude_m, usual.altitude_m, FAR_ALTITUDE_M):
        return None, "altitude far from the usual"
    if metrics.trust == "summary":
        found = _from_summary(metrics, usual)
    else:
        found = _from_minutes(metrics, usual, bouts)
    reading = found[0]
    if reading is not None and _far(reading.bpm, usual.heart_rate_bpm, FAR_BPM):
        return None, "heart rate far from anything usual"
    return found


def _far(value: float | None, usual: float | None, limit: float) -> bool:
    return value is not None and usual is not None and abs(value - usual) > limit


def _from_minutes(metrics: RunMetrics, usual: Usual, bouts: Sequence[Bout]) -> Outcome:
    at = np.array(metrics.minute_at, dtype=np.int64)
    speed = np.array(metrics.minute_mm_s, dtype=np.float64) / (1000.0 * usual.speed_m_s)
    heart = np.array(metrics.minute_decibeats, dtype=np.float64) / 10.0
    inside = (at >= FROM_MIN) & (at < TO_MIN) & ~_around(bouts, at)
    level = inside & (np.array(metrics.minute_grade, dtype=np.int64) <= STEEP)
    paced = level & (speed >= SLOWEST) & (speed <= FASTEST)
    used = paced & (heart > 0)
    if int(used.sum()) < LEAST_MIN:
        return None, _why_not(metrics, (inside, level, paced), speed)
    if paced.sum() < LEAST_SHARE * level.sum():
        return None, _off_pace(speed[level])
    minute = at[used] + 0.5
    return _reading(minute, heart[used], speed[used] * usual.speed_m_s, metrics.temperature_c), None


def _around(bouts: Sequence[Bout], at: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Minutes touched by a short acceleration, and the minute after each."""
    out = np.zeros(at.size, dtype=np.bool_)
    for bout in bouts:
        if bout.seconds <= 60:
            out |= (at >= bout.start_s // 60) & (at <= (bout.start_s + bout.seconds) // 60 + 1)
    return out


def _reading(minute: FloatArray, heart: FloatArray, speed: FloatArray, temperature: float | None) -> EasyHeartRate:
    count = minute.size
    mean = float(speed.mean())
    at_pace = heart - PACE_SLOPE * (speed - mean)
    centred = minute - minute.mean()
    slope = float((centred * at_pace).sum() / (centred * centred).sum())
    scatter = float((at_pace - at_pace.mean() - slope * centred).std())
    independent = count * (1.0 - MINUTE_CORRELATION) / (1.0 + MINUTE_CORRELATION)
    bpm = float(heart.mean()) + DRIFT_BPM_PER_MIN * (COMMON_MIN - float(minute.mean()))
    return EasyHeartRate(
        bpm=round(bpm, 3),
        speed_m_s=round(mean, 4),
        minutes=float(count),
        se_bpm=round(math.hypot(scatter / math.sqrt(independent), FLOOR_SE_BPM), 3),
        drift_bpm_per_min=round(slope, 4) if count >= 2 * LEAST_MIN else None,
        temperature_c=temperature,
    )


def _why_not(metrics: RunMetrics, masks: tuple[NDArray[np.bool_], ...], speed: FloatArray) -> str:
    """The first thing that left too few minutes: length, stops, hills, pace, then the heart rate sensor."""
    inside, level, paced = (int(mask.sum()) for mask in masks)
    if metrics.heart_share == 0.0:
        return worst_fault(metrics) if metrics.faults[:1] and metrics.faults[0][0] != "heart rate drops out" else "no heart rate"
    if metrics.moving_s < 60 * (FROM_MIN + LEAST_MIN):
        return "too short"
    if inside < LEAST_MIN:
        return "not enough steady running"
    if level < LEAST_MIN:
        return "too hilly"
    if paced < LEAST_MIN:
        return _off_pace(speed[masks[1]])
    return worst_fault(metrics)


def worst_fault(metrics: RunMetrics) -> str:
    """The sensor fault that took most of the run."""
    return metrics.faults[0][0] if metrics.faults else "no heart rate"


def _off_pace(speed: FloatArray) -> str:
    return "faster than easy running" if float(np.median(speed)) > 1.0 else "slower than easy running"


def _from_summary(metrics: RunMetrics, usual: Usual) -> Outcome:
    """From the mean heart rate of the whole run, its start and drift allowed for, at a larger standard error."""
    minutes = metrics.moving_s / 60.0
    if metrics.mean_bpm is None or metrics.mean_m_s is None:
        return None, "no heart rate" if metrics.mean_bpm is None else "no pace"
    if not SUMMARY_LEAST_MIN <= minutes <= SUMMARY_MOST_MIN:
        return None, "no recording"
    speed = metrics.mean_m_s / usual.speed_m_s
    if not SLOWEST <= speed <= FASTEST:
        return None, "faster than easy running" if speed > 1.0 else "slower than easy running"
    bpm = metrics.mean_bpm + SUMMARY_WARM_UP / minutes + DRIFT_BPM_PER_MIN * (COMMON_MIN - minutes / 2.0)
    return EasyHeartRate(
        bpm=round(bpm, 3),
        speed_m_s=round(metrics.mean_m_s, 4),
        minutes=round(minutes, 2),
        se_bpm=SUMMARY_SE_BPM,
        temperature_c=metrics.temperature_c,
    ), None
