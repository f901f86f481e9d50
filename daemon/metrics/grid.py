"""Ragged recordings brought to a clean one-second grid. Knows nothing of running beyond how watches record."""

import numpy as np
from numpy.typing import NDArray

from daemon.values import FloatArray, Streams

MAX_GAP_S = 15.0
"""Samples further apart are a pause; smart recording was seen to leave up to 9 s between samples [measured]."""

MAX_ELAPSED_S = 48 * 3600
"""A recording is cut here: longer ones are forgotten watches."""

BoolArray = NDArray[np.bool_]


def usable_times(streams: Streams) -> tuple[FloatArray, NDArray[np.intp]]:
    """Strictly rising times (s) and the indices they came from; duplicates and steps back in time are dropped."""
    time = np.asarray(streams.time_s, dtype=np.float64).ravel()
    if time.size == 0:
        return time, np.empty(0, dtype=np.intp)
    good = np.isfinite(time) & (time >= 0.0)
    if good.any() and time[good][0] > MAX_ELAPSED_S:
        time = time - time[good][0]
        good &= time >= 0.0
    good &= time <= MAX_ELAPSED_S
    index = np.flatnonzero(good)
    time = time[index]
    if time.size > 1:
        highest = np.maximum.accumulate(time)
        rising = np.concatenate(([True], time[1:] > highest[:-1]))
        time, index = time[rising], index[rising]
    return time, index


def column(values: FloatArray | None, index: NDArray[np.intp]) -> FloatArray | None:
    """`values` at `index`, NaN where the array is too short; None for a stream that is absent or empty."""
    if values is None:
        return None
    flat = np.asarray(values, dtype=np.float64).ravel()
    if flat.size == 0 or index.size == 0:
        return None
    if flat.size > index[-1]:
        return flat[index]
    out = np.full(index.size, np.nan)
    inside = index < flat.size
    out[inside] = flat[index[inside]]
    return out


def on_grid(time: FloatArray, values: FloatArray | None, grid: FloatArray) -> FloatArray:
    """`values` interpolated to `grid` (s), NaN outside the recording and inside gaps longer than `MAX_GAP_S`.

    A second that has a sample within half a second keeps it even where a gap follows.
    """
    if values is None:
        return np.full(grid.size, np.nan)
    good = np.isfinite(values)
    if not good.all():
        time, values = time[good], values[good]
    if time.size < 2:
        return np.full(grid.size, np.nan)
    out = np.interp(grid, time, values, left=np.nan, right=np.nan)
    gaps = np.flatnonzero(np.diff(time) > MAX_GAP_S)
    firsts = np.searchsorted(grid, time[gaps] + 0.5, side="right")
    lasts = np.searchsorted(grid, time[gaps + 1] - 0.5, side="left")
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        out[first:last] = np.nan
    return out


def spans(mask: BoolArray) -> NDArray[np.intp]:
    """Start and end (exclusive) of every stretch of True, shape (n, 2)."""
    edge = np.diff(np.concatenate(([0], mask.astype(np.int8), [0])))
    return np.column_stack((np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)))


def bridge(mask: BoolArray, longest: int) -> BoolArray:
    """`mask` with stretches of False of at most `longest` rows between two True filled in."""
    holes = spans(~mask)
    short = (holes[:, 1] - holes[:, 0] <= longest) & (holes[:, 0] > 0) & (holes[:, 1] < mask.size)
    return mask | covered(holes[short], mask.size)


def covered(stretches: NDArray[np.intp], size: int) -> BoolArray:
    """The mask of `size` rows that is True inside the given stretches (n, 2)."""
    change = np.zeros(size + 1, dtype=np.int64)
    np.add.at(change, stretches[:, 0], 1)
    np.add.at(change, np.minimum(stretches[:, 1], size), -1)
    return np.cumsum(change[:-1]) > 0


def means(values: FloatArray, rows: int, step: int, least: int = 1) -> FloatArray:
    """Means of `rows` blocks of `step` values, NaN where fewer than `least` of them are finite."""
    padded = np.full(rows * step, np.nan)
    padded[: min(values.size, padded.size)] = values[: padded.size]
    block = padded.reshape(rows, step)
    good = np.isfinite(block)
    count = good.sum(axis=1)
    total = np.where(good, block, 0.0).sum(axis=1)
    return np.where(count >= least, total / np.maximum(count, 1), np.nan)


def box(values: FloatArray, width: int) -> FloatArray:
    """Centred moving mean of `width` rows that skips NaN (NaN only where the whole window is), same length."""
    good = np.isfinite(values)
    total = moving_sum(np.where(good, values, 0.0), width)
    count = moving_sum(good.astype(np.float64), width)
    return np.where(count > 0.5, total / np.maximum(count, 1.0), np.nan)


def moving_sum(values: FloatArray, width: int) -> FloatArray:
    """Sum over the `width` rows centred on each row (one more to the left for an even width), shrinking at the ends."""
    total = np.concatenate(([0.0], np.cumsum(values)))
    at = np.arange(values.size)
    left = np.maximum(at - width // 2, 0)
    right = np.minimum(at - width // 2 + width, values.size)
    out: FloatArray = total[right] - total[left]
    return out
