"""Grade from a noisy altimeter: local straight lines through altitude over distance. Pure arrays."""

import numpy as np

from daemon.metrics.grid import box, moving_sum
from daemon.values import FloatArray

WINDOW_ROWS = 15
"""Rows (5 s) in the local line, about 200 m of easy running: wide enough that a gust doesn't look like a hill."""

SHORT_ROWS = 7
SHORT_DIFFERS, SHORT_SURE = 0.015, 0.03
"""Half a minute is looked at as well: where its slope differs from the wide one by more than `SHORT_SURE` it is a short
climb, below `SHORT_DIFFERS` it is noise, in between it counts in part [ENG, tried on simulated barometers]."""

NOISE_M, SHORT_NOISE_M = 1.0, 0.5
"""What an altimeter wanders within a wide and a short window (m); with `USUAL_GRADE` it pulls a badly supported slope
to zero."""

USUAL_GRADE = 0.03
"""Standard deviation of real grades (rise over run) [ENG]."""

STEP_M = 6.0
"""A change of altitude within one row beyond this is the watch recalibrating, not a hill."""


def without_steps(altitude_m: FloatArray) -> FloatArray:
    """Altitude with recalibration jumps (more than `STEP_M` between rows) taken out; NaN kept."""
    good = np.flatnonzero(np.isfinite(altitude_m))
    out = altitude_m.copy()
    if good.size < 2:
        return out
    change = np.diff(altitude_m[good])
    change[np.abs(change) > STEP_M * np.diff(good)] = 0.0
    out[good[1:]] = altitude_m[good[0]] + np.cumsum(change)
    return out


def grade_of(altitude_m: FloatArray, speed_m_s: FloatArray, step_s: float) -> FloatArray:
    """Grade (rise over run) per row; 0 where altitude says nothing, never NaN.

    Slope of the least-squares line of altitude over distance in a window of `WINDOW_ROWS`, shrunk to zero by
    (noise / `USUAL_GRADE`)² so that windows that cover little ground (stops) give no grade; in a window of
    `SHORT_ROWS` where that one differs beyond noise.
    """
    good = np.isfinite(altitude_m)
    if good.sum() < 3:
        return np.zeros(altitude_m.size)
    distance = np.cumsum(np.where(np.isfinite(speed_m_s), speed_m_s, 0.0)) * step_s
    level = without_steps(altitude_m)
    x = np.where(good, distance - distance.mean(), 0.0)
    y = np.where(good, level - level[good].mean(), 0.0)
    windows = ((WINDOW_ROWS, NOISE_M), (SHORT_ROWS, SHORT_NOISE_M))
    wide, short = (box(_slope(x, y, good.astype(np.float64), rows, noise_m), 3) for rows, noise_m in windows)
    sure = np.clip((np.abs(short - wide) - SHORT_DIFFERS) / (SHORT_SURE - SHORT_DIFFERS), 0.0, 1.0)
    return np.clip(wide + sure * (short - wide), -0.4, 0.4)


def _slope(x: FloatArray, y: FloatArray, known: FloatArray, rows: int, noise_m: float) -> FloatArray:
    n = np.maximum(moving_sum(known, rows), 1.0)
    sx, sy = moving_sum(x, rows), moving_sum(y, rows)
    sxy = moving_sum(x * y, rows) - sx * sy / n
    sxx = np.maximum(moving_sum(x * x, rows) - sx * sx / n, 0.0)
    slope: FloatArray = sxy / (sxx + (noise_m / USUAL_GRADE) ** 2)
    return slope
