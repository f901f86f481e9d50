"""Fast stretches inside a run, found by speed against the runner's own easy speed. Heart rate only describes them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.metrics.run_metrics import ROW_S, RunMetrics, Table
from daemon.values import FloatArray

Index = NDArray[np.intp]

FAST = 1.10
"""A fast bout is at least this multiple of the usual easy speed over 30 s."""

SHORT_FAST = 1.15
"""Short repetitions are at least this multiple of easy speed, and of the rest between them."""

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
    """The bouts of a run at `fast` times `easy_m_s` (m/s) or more.

    Costs nothing where neither the best 30 s nor the best two minutes could be work.
    """
    if metrics.best_speed(30) < max(fast, SHORT_FAST) * easy_m_s and metrics.best_speed(120) < fast * easy_m_s:
        return []
    table = metrics.row_table()
    speed = np.maximum(table[0], 0) / (100.0 * easy_m_s)
    smooth = np.convolve(speed, (1 / 3, 1 / 3, 1 / 3), mode="same")
    edge = np.flatnonzero(np.diff(smooth >= fast, prepend=False, append=False))
    start, end = edge[0::2], edge[1::2]
    apart = start[1:] - end[:-1] > HOLD_S // ROW_S
    start, end = start[np.concatenate((_TRUE, apart))[: start.size]], end[np.concatenate((apart, _TRUE))[: end.size]]
    # The mean over 30 s widens a bout by a row at either end where it is much faster than its surroundings.
    start, end = start + (speed[start] < fast), end - (speed[end - 1] < fast)
    enough = (end - start) * ROW_S >= LEAST_S
    start, end = start[enough], end[enough]
    return _described(table, speed, start, end) if start.size else []


_TRUE = np.array([True])


def _described(table: Table, speed: FloatArray, start: Index, end: Index) -> list[Bout]:
    """All bouts at once: means over stretches come from running totals."""
    size, near = speed.size, REST_S // ROW_S
    running, known = speed >= STANDING, table[1] > 0
    parts = np.zeros((5, size + 1))
    np.cumsum((speed * running, running, table[1] * known, known, table[2] * running), axis=1, out=parts[:, 1:])

    def mean(value: int, count: int, begin: Index, stop: Index) -> FloatArray:
        n = parts[count, stop] - parts[count, begin]
        total: FloatArray = parts[value, stop] - parts[value, begin]
        return total / np.where(n > 0, n, np.nan)

    earlier = np.maximum(np.concatenate(([0], end[:-1])), start - near)
    later = np.minimum(np.concatenate((start[1:], [size])), end + near)
    rest = np.fmin(mean(0, 1, earlier, start), mean(0, 1, end, later))
    beats = mean(2, 3, start + (end - start) // 3, np.minimum(end + 1, size))
    columns = (
        start * ROW_S,
        (end - start) * ROW_S,
        mean(0, 1, start, end),
        np.where(rest > 0, rest, 1.0),
        beats,
        beats - mean(2, 3, np.maximum(start - 3, 0), start),
        mean(4, 1, start, end) / 1000.0,
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Bout(a, n, v, slow, _known(bpm), _known(rise), g) for a, n, v, slow, bpm, rise, g in rows]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
