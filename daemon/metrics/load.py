"""Load in easy minutes: time and grade-adjusted speed. Heart rate plays no part, or a sensor would count twice."""

from daemon.metrics.run_metrics import RunMetrics
from daemon.metrics.usual import Usual
from daemon.values import Activity

EXPONENT = 3
"""Banister's TRIMP weights (1975) put on typical speeds: threshold is 1.2 x easy speed at 1.8 x the TRIMP of an easy
minute, intervals 1.3 x at 2.2 x: an exponent of 3. `RunMetrics.mean_cubed` carries it."""

CROSS_TRAINING = 0.6
"""Easy minutes per moving minute of another sport with heart rate [ENG]."""

STRAY = (0.2, 4.0)
"""Easy minutes per moving minute stay within this: belts and lost receivers report anything."""


def load_of(activity: Activity, metrics: RunMetrics, usual: Usual | None) -> float:
    """Σ minutes · (grade-adjusted speed / easy speed)³; minutes themselves where speed or the usual is unknown."""
    minutes = metrics.moving_s / 60.0
    if not activity.is_run:
        return CROSS_TRAINING * minutes if activity.has_heart_rate else 0.0
    if metrics.mean_cubed is None or usual is None:
        return minutes
    weight = metrics.mean_cubed / usual.speed_m_s**EXPONENT
    return minutes * min(max(weight, STRAY[0]), STRAY[1])
