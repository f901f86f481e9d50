"""The easy heart rate of one run, or why it has none. Chosen by structure and pace; heart rate is only a gross gate."""

import math
from collections.abc import Sequence

import numpy as np

from daemon.metrics.bouts import Bout
from daemon.metrics.control import BoolArray, around
from daemon.metrics.flags import HR_MISSING, WORDS
from daemon.metrics.kind import strides_of
from daemon.metrics.run_metrics import UNKNOWN, RunMetrics
from daemon.metrics.usual import Usual
from daemon.values import EasyHeartRate, FloatArray

FROM_MIN, TO_MIN = 5, 45
"""Minutes of the run that are compared: settled, and before a long run becomes another thing. From 5 on predicted the
next runs of two real runners better than from 8, 12 or 15 on, to 45 as well as to 30 or 60 [measured]."""

SLOWEST, FASTEST = 0.78, 1.18
"""Multiples of the usual easy speed that count as easy running: wide, so that lost pace and a creeping one stay in
sight; minutes up to 1.18 were predicted as well as those up to 1.12 [measured]."""

LEAST_MIN = 8
LEAST_SETTLED = 0.5
"""Of the minutes between the marks this share must hold half a minute of settled running: walk breaks leave less."""

LEAST_SHARE = 0.5
"""This much of the settled running between the minutes must be at easy speed, or the run was something else."""

STEEP = 40
"""Minutes whose mean absolute grade is above this (‰) are left out."""

COMMON_MIN = 20.0
DRIFT_BPM_PER_MIN, DRIFT_SD = 0.15, 0.1
"""Prior of the drift that brings a run to `COMMON_MIN` (0.15 ± 0.1 bpm a minute, SCIENCE section 2). The run's own
slope moves it by as much as its error allows, which is little."""

PACE_SLOPE = 15.0
"""Within-run slope (bpm per m/s) taken out before drift and scatter are measured."""

MINUTE_CORRELATION = 0.85
"""Scatter of successive minutes hangs together; with this the standard error weighs runs best [measured: likelihood of
a local level on two real runners]."""

WILD_BPM = 6.5
"""Scatter of the minutes about pace and drift beyond this is a sensor losing contact (bpm) [measured]."""

FLOOR_SE_BPM = 0.7
FAR_BPM = 35.0
"""Beyond this from the usual no change of form explains a heart rate."""

FAR_ALTITUDE_M = 800.0
SUMMARY_SE_BPM = 4.0
SUMMARY_WARM_UP = 150.0
"""What the climb of heart rate at the start takes from a whole-run mean (bpm·min) [measured on two runners]."""

SUMMARY_LEAST_MIN, SUMMARY_MOST_MIN = 20.0, 90.0
Outcome = tuple[EasyHeartRate | None, str | None]


def easy_heart_rate(metrics: RunMetrics, usual: Usual, surges: Sequence[Bout]) -> Outcome:
    """The easy heart rate of a run that wasn't hard, or the reason for leaving it out, in the runner's words.

    The easy running before the work of a hard session gives none: such readings lay 1.8 bpm lower on one of two real
    runners and didn't help to predict the next runs, and they would come in just when intensity does [measured].
    """
    if _far(metrics.altitude_m, usual.altitude_m, FAR_ALTITUDE_M):
        return None, "altitude far from the usual"
    if metrics.trust == "summary":
        found = _from_summary(metrics, usual)
    else:
        found = _from_minutes(metrics, usual, surges)
    reading = found[0]
    if reading is not None and _far(reading.bpm, usual.heart_rate_bpm, FAR_BPM):
        return None, "heart rate far from anything usual"
    return found


def _far(value: float | None, usual: float | None, limit: float) -> bool:
    return value is not None and usual is not None and abs(value - usual) > limit


def _from_minutes(metrics: RunMetrics, usual: Usual, surges: Sequence[Bout]) -> Outcome:
    inside, level, paced, used = _masks(metrics, usual, surges)
    speed = metrics.minute_table()[1][level] / (1000.0 * usual.speed_m_s)
    counts = [int(np.count_nonzero(mask)) for mask in (inside, level, paced, used)]
    if counts[3] < LEAST_MIN:
        return None, _why_not(metrics, counts, speed)
    if counts[0] < LEAST_SETTLED * (min(metrics.elapsed_s / 60.0, TO_MIN) - FROM_MIN):
        return None, "not enough steady running"
    if counts[2] < LEAST_SHARE * counts[1]:
        return None, _off_pace(speed)
    return _reading(*used_minutes(metrics, usual, surges), metrics.temperature_c)


def used_minutes(
    metrics: RunMetrics, usual: Usual, surges: Sequence[Bout]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The minutes a reading rests on: middle of each (min of the run), heart rate (bpm), lagged speed (m/s)."""
    table = metrics.minute_table()[:, _masks(metrics, usual, surges)[3]]
    return table[0] + 0.5, table[2] / 10.0, table[1] / 1000.0


def _masks(metrics: RunMetrics, usual: Usual, surges: Sequence[Bout]) -> tuple[BoolArray, ...]:
    """Which minutes lie between the marks and away from strides, of these the level ones, of these those at easy speed,
    and of these those with heart rate."""
    at, speed, heart, grade = metrics.minute_table()
    inside = (at >= FROM_MIN) & (at < TO_MIN) & ~around(strides_of(surges))[at]
    level = inside & (grade <= STEEP)
    share = speed / (1000.0 * usual.speed_m_s)
    paced = level & (share >= SLOWEST) & (share <= FASTEST)
    return inside, level, paced, paced & (heart != UNKNOWN)


def _reading(minute: FloatArray, heart: FloatArray, speed: FloatArray, temperature: float | None) -> Outcome:
    count = minute.size
    middle, mean = minute.sum() / count, speed.sum() / count
    centred = minute - middle
    at_pace = heart - PACE_SLOPE * (speed - mean)
    at_pace -= at_pace.sum() / count
    reach = float(centred @ centred)
    slope = float(centred @ at_pace) / reach
    rest = at_pace - slope * centred
    scatter = math.sqrt(rest @ rest / count)
    if scatter > WILD_BPM:
        return None, "heart rate jumps about"
    together = (1.0 + MINUTE_CORRELATION) / (1.0 - MINUTE_CORRELATION)
    bpm = heart.sum() / count + _drift(slope, scatter**2 * together / reach) * (COMMON_MIN - middle)
    return EasyHeartRate(
        bpm=round(float(bpm), 3),
        speed_m_s=round(float(mean), 4),
        minutes=float(count),
        se_bpm=round(math.hypot(scatter * math.sqrt(together / count), FLOOR_SE_BPM), 3),
        drift_bpm_per_min=round(slope, 4) if count >= 2 * LEAST_MIN else None,
        temperature_c=temperature,
    ), None


def _drift(slope: float, variance: float) -> float:
    """The drift to correct with (bpm/min): the prior, moved towards the run's own by what its error leaves of it."""
    return DRIFT_BPM_PER_MIN + (slope - DRIFT_BPM_PER_MIN) * DRIFT_SD**2 / (DRIFT_SD**2 + variance)


def _why_not(metrics: RunMetrics, counts: Sequence[int], speed: FloatArray) -> str:
    """The first thing that left too few minutes: no sensor, length, stops, hills, pace, then the sensor's faults.

    `counts`: minutes between the marks, those not steep, those at easy speed; `speed` of the second.
    """
    inside, level, paced = counts[:3]
    if metrics.heart_share == 0.0:
        return worst_fault(metrics)
    if metrics.moving_s < 60 * (FROM_MIN + LEAST_MIN):
        return "too short"
    if inside < LEAST_MIN:
        return "not enough steady running"
    if level < LEAST_MIN:
        return "too hilly"
    if paced < LEAST_MIN:
        return _off_pace(speed)
    return worst_fault(metrics)


def worst_fault(metrics: RunMetrics) -> str:
    """The sensor fault that took most of the run; nothing recorded at all is "no heart rate"."""
    if not metrics.faults or (metrics.heart_share == 0.0 and metrics.faults[0][0] == WORDS[HR_MISSING]):
        return "no heart rate"
    return metrics.faults[0][0]


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
