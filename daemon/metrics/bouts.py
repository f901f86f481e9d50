"""Fast stretches inside a run, found by speed against the runner's own easy speed. Heart rate only describes them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.metrics.grid import box, bridge, spans
from daemon.metrics.measure import ROW_S
from daemon.metrics.run_metrics import RunMetrics
from daemon.values import FloatArray

FAST = 1.10
"""A fast bout is at least this multiple of the usual easy speed over 30 s."""

LEAST_S = 20
HOLD_S = 10
"""A dip of at most this long doesn't end a bout (s)."""

REST_S = 120
"""How far around a bout its rest is looked at where no other bout is nearer (s)."""

STANDING = 0.45
"""Multiples of easy speed below this are standing or walking; they say nothing about the pace of the rest."""


@dataclass(frozen=True, slots=True)
class Bout:
    """One fast stretch: `speed` and `rest` (the slower of the runs before and after it) are multiples of easy speed.

    `bpm` is mean heart rate of its last two thirds (None unknown), `rise` against the 30 s before it; `grade` is
    its mean grade. `rest` is 1.0 where the rest was standing.
    """

    start_s: int
    seconds: int
    speed: float
    rest: float
    bpm: float | None
    rise: float | None
    grade: float


def find_bouts(metrics: RunMetrics, easy_m_s: float, fast: float = FAST) -> list[Bout]:
    """The bouts of a run at `fast` times `easy_m_s` (m/s) or more; costs nothing where the best 30 s stay below."""
    if metrics.best_speed(30) < fast * easy_m_s or not metrics.rows_cm_s:
        return []
    rows = np.array(metrics.rows_cm_s, dtype=np.float64)
    speed = np.where(rows >= 0, rows, 0.0) / (100.0 * easy_m_s)
    edges = spans(bridge(box(speed, 3) >= fast, HOLD_S // ROW_S))
    edges = edges[(edges[:, 1] - edges[:, 0]) * ROW_S >= LEAST_S]
    if not edges.size:
        return []
    return _described(metrics, speed, edges[:, 0], edges[:, 1])


def _described(
    metrics: RunMetrics, speed: FloatArray, start: NDArray[np.intp], end: NDArray[np.intp]
) -> list[Bout]:
    """All bouts at once: sums over stretches come from running totals."""
    length, near = end - start, REST_S // ROW_S
    heart = np.array(metrics.rows_bpm, dtype=np.float64)
    grade = np.array(metrics.rows_grade, dtype=np.float64)
    running = speed >= STANDING
    earlier = np.maximum(np.concatenate(([0], end[:-1])), start - near)
    later = np.minimum(np.concatenate((start[1:], [speed.size])), end + near)
    rests = np.stack((_means(speed, running, earlier, start), _means(speed, running, end, later)))
    beats = _means(heart, heart > 0, start + length // 3, np.minimum(end + 1, speed.size))
    columns = (
        start * ROW_S,
        length * ROW_S,
        _means(speed, running, start, end),
        np.where(np.isfinite(rests).any(axis=0), np.fmin(rests[0], rests[1]), 1.0),
        beats,
        beats - _means(heart, heart > 0, np.maximum(start - 3, 0), start),
        _means(grade, running, start, end) / 1000.0,
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Bout(a, n, v, rest, _known(bpm), _known(rise), g) for a, n, v, rest, bpm, rise, g in rows]


def _means(
    values: FloatArray, good: NDArray[np.bool_], start: NDArray[np.intp], end: NDArray[np.intp]
) -> FloatArray:
    """Mean of the good `values` in each [start, end), NaN where there are none."""
    total = np.concatenate(([0.0], np.cumsum(np.where(good, values, 0.0))))
    count = np.concatenate(([0], np.cumsum(good)))
    n = count[end] - count[start]
    return np.where(n > 0, (total[end] - total[start]) / np.maximum(n, 1), np.nan)


def _known(value: float) -> float | None:
    return None if value != value else value
