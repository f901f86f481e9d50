"""Fast stretches inside a run, found by speed against the runner's own easy speed. Heart rate only describes them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.metrics.grid import moving_sum
from daemon.metrics.run_metrics import ROW_S, RunMetrics, Table
from daemon.values import FloatArray

Index = NDArray[np.intp]

LEAST_S, LEAST_BLOCK_S = 20, 240
HOLD_S, HOLD_BLOCK_S = 10, 60
"""A dip of at most this long doesn't end a bout, or a block (s)."""

SMOOTH_ROWS, BLOCK_ROWS = 3, 18
"""Rows over which speed is averaged to find bouts (30 s) and blocks (3 min)."""

UNSMOOTHED = 1
"""For what comes and goes by the half minute: over 30 s its rests would fill up."""

REST_S = 120
"""How far around a bout its rest is looked at where no other bout is nearer (s)."""

STANDING = 0.45
"""Multiples of easy speed below this are standing or walking; they say nothing about the pace of the rest."""


@dataclass(frozen=True, slots=True)
class Bout:
    """One fast stretch: `speed` and `rest` (the slower of the runs before and after it) are multiples of easy speed.

    `seconds` counts its running. `bpm` is mean heart rate of its last two thirds (None unknown), `rise` against the
    30 s before it and the second minute after it; `grade` is its mean grade. `rest` is 1.0 where
    the rest was standing.
    """

    start_s: int
    seconds: int
    speed: float
    rest: float
    bpm: float | None
    rise: float | None
    grade: float


def find_bouts(metrics: RunMetrics, easy_m_s: float, fast: float, smooth_rows: int = SMOOTH_ROWS) -> list[Bout]:
    """Repetitions, surges and strides: where speed over `smooth_rows` is `fast` times `easy_m_s` (m/s) or more.

    Costs nothing where the best 30 s are no faster than that.
    """
    if metrics.best_speed(30) < fast * easy_m_s:
        return []
    table = metrics.row_table()
    speed = np.maximum(table[0], 0) / (100.0 * easy_m_s)
    smooth = np.convolve(speed, np.full(smooth_rows, 1 / smooth_rows), mode="same")
    return _found(table, speed, smooth, fast, (LEAST_S, HOLD_S))


def find_blocks(metrics: RunMetrics, easy_m_s: float, fast: float) -> list[Bout]:
    """Sustained work: where speed over three minutes, stops left out, is `fast` times `easy_m_s` (m/s) or more."""
    if metrics.best_speed(300) < fast * easy_m_s:
        return []
    table = metrics.row_table()
    speed = np.maximum(table[0], 0) / (100.0 * easy_m_s)
    running = (speed >= STANDING).astype(np.float64)
    weight = moving_sum(running, BLOCK_ROWS)
    smooth = np.where(weight >= BLOCK_ROWS / 3, moving_sum(speed * running, BLOCK_ROWS) / np.maximum(weight, 1.0), 0.0)
    return _found(table, speed, smooth, fast, (LEAST_BLOCK_S, HOLD_BLOCK_S))


def _found(table: Table, speed: FloatArray, smooth: FloatArray, fast: float, limits: tuple[int, int]) -> list[Bout]:
    """Stretches of `smooth` at `fast` or more, none shorter and no hole longer than `limits` (s)."""
    least_s, hold_s = limits
    edge = np.flatnonzero(np.diff(smooth >= fast, prepend=False, append=False))
    start, end = edge[0::2], edge[1::2]
    apart = start[1:] - end[:-1] > hold_s // ROW_S
    start, end = start[np.concatenate((_TRUE, apart))[: start.size]], end[np.concatenate((apart, _TRUE))[: end.size]]
    # The mean widens a bout by a row at either end where it is much faster than its surroundings.
    start, end = start + (speed[start] < fast), end - (speed[end - 1] < fast)
    enough = (end - start) * ROW_S >= least_s
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
        n = parts[count][stop] - parts[count][begin]
        total: FloatArray = parts[value][stop] - parts[value][begin]
        n[n == 0] = np.nan
        total /= n
        return total

    earlier = np.maximum(np.concatenate(([0], end[:-1])), start - near)
    later = np.minimum(np.concatenate((start[1:], [size])), end + near)
    rest = np.fmin(mean(0, 1, earlier, start), mean(0, 1, end, later))
    beats = mean(2, 3, start + (end - start) // 3, np.minimum(end + 1, size))
    before = mean(2, 3, np.maximum(np.concatenate(([0], end[:-1])), start - near // 4), start)
    after = mean(2, 3, np.minimum(end + near // 2, later), later)
    columns = (
        start * ROW_S,
        (parts[1, end] - parts[1, start]) * ROW_S,
        mean(0, 1, start, end),
        np.where(rest > 0, rest, 1.0),
        beats,
        beats - _middle(before, after),
        mean(4, 1, start, end) / 1000.0,
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Bout(a, int(n), v, slow, _known(bpm), _known(rise), g) for a, n, v, slow, bpm, rise, g in rows]


def _middle(a: FloatArray, b: FloatArray) -> FloatArray:
    """The mean of both, or the one that is known."""
    return (np.where(np.isnan(a), b, a) + np.where(np.isnan(b), a, b)) / 2.0


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
