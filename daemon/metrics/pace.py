"""Grade-adjusted speed and the speed heart rate answers to. Arrays in, arrays out, NaN passed through."""

import numpy as np

from daemon.values import FloatArray

STEEPEST = 0.25
"""Grades beyond ±25 % are clipped: the curve was fitted inside ±30 % and a recording that steep is mostly noise."""

LAG_S = 60.0
"""Time constant of heart rate after a change of speed (s); 30 to 120 s are equally good on recordings [measured]."""


def gap_factor(grade: FloatArray) -> FloatArray:
    """How much faster the same effort would be on the flat; `grade` is rise over run (0.05 = 5 %).

    1 + .032657 g + .0020536 g² − 3.99e-6 g³ − 5.29e-7 g⁴, g in percent: a third-party fit to Strava's
    heart-rate-equivalent pace (240,000 athletes, 2017). Preferred to Minetti's lab cost (2002), which is up to three
    times off downhill.
    """
    g = np.clip(grade, -STEEPEST, STEEPEST) * 100.0
    factor: FloatArray = 1.0 + g * (0.032657 + g * (0.0020536 + g * (-3.99e-6 + g * -5.29e-7)))
    return factor


def grade_adjusted(speed_m_s: FloatArray, grade: FloatArray) -> FloatArray:
    """Speed on the flat at the same effort (m/s); an unknown grade counts as flat."""
    return speed_m_s * gap_factor(np.where(np.isfinite(grade), grade, 0.0))


def lagged(speed_m_s: FloatArray, step_s: float, lag_s: float = LAG_S) -> FloatArray:
    """What heart rate has had time to answer to: an exponential mean of past speed with time constant `lag_s`.

    Missing rows carry no weight; NaN where less than half of the weight of a full past is known.
    """
    if speed_m_s.size == 0:
        return speed_m_s
    length = int(4 * lag_s / step_s)
    kernel = np.exp(-np.arange(length) * step_s / lag_s)
    kernel /= kernel.sum()
    good = np.isfinite(speed_m_s)
    total = np.convolve(np.where(good, speed_m_s, 0.0), kernel)[: speed_m_s.size]
    weight = np.convolve(good.astype(np.float64), kernel)[: speed_m_s.size]
    return np.where(weight > 0.5, total / np.maximum(weight, 1e-9), np.nan)
