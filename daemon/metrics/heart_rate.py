"""Heart rate cleaned at one-second resolution: what no heart does is taken out, and why is remembered in flags.

Cleans by shape alone; never by what a runner's heart rate ought to be, which would remove the signal we look for.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from daemon.metrics.flags import HR_CADENCE, HR_FLAT, HR_MISSING, HR_SPIKE
from daemon.metrics.grid import bridge, covered, spans
from daemon.values import FloatArray

FLOOR_BPM, CEILING_BPM = 40.0, 225.0
HAMPEL_S = 15
HAMPEL_MAD = 3.0
SPIKE_BPM = 5.0
"""A spike stands out by 3 MAD of its 15 s and by at least this much (bpm)."""

FLAT_S = 90
LOCK_S = 60
LOCK_BPM = 3.0
LOCK_JUMP_BPM = 10.0
LOCK_EDGE_S = 10
LOCK_CORRELATION = 0.9

Flags = NDArray[np.uint8]


def in_range(heart_rate_bpm: FloatArray) -> FloatArray:
    """Native samples with NaN where no running heart can be: 0, 255, below 40, above 225 bpm."""
    with np.errstate(invalid="ignore"):
        good = (heart_rate_bpm >= FLOOR_BPM) & (heart_rate_bpm <= CEILING_BPM)
    return np.where(good, heart_rate_bpm, np.nan)


def clean(heart_rate_bpm: FloatArray, cadence_rpm: FloatArray) -> tuple[FloatArray, Flags]:
    """Cleaned heart rate and flags on the one-second grid; flagged seconds are NaN.

    `heart_rate_bpm` is in range already (see `in_range`), `cadence_rpm` is steps per minute of one foot.
    """
    flags = np.where(np.isfinite(heart_rate_bpm), 0, HR_MISSING).astype(np.uint8)
    if flags.all():
        return heart_rate_bpm, flags
    flags[flat(heart_rate_bpm)] |= HR_FLAT
    flags[cadence_locked(heart_rate_bpm, cadence_rpm)] |= HR_CADENCE
    flags[spikes(heart_rate_bpm)] |= HR_SPIKE
    return np.where(flags == 0, heart_rate_bpm, np.nan), flags


def flat(heart_rate_bpm: FloatArray) -> NDArray[np.bool_]:
    """Seconds inside a stretch of exactly one value for `FLAT_S` or longer: a sensor that lost the wrist."""
    same = np.concatenate((np.diff(heart_rate_bpm) == 0.0, [False]))
    long = spans(same)
    long = long[long[:, 1] - long[:, 0] + 1 >= FLAT_S]
    long[:, 1] += 1
    return covered(long, heart_rate_bpm.size)


def spikes(heart_rate_bpm: FloatArray) -> NDArray[np.bool_]:
    """Hampel's identifier: more than 3 scaled MAD and `SPIKE_BPM` from the median of the 15 s around (Davies 1993)."""
    half = HAMPEL_S // 2
    if heart_rate_bpm.size < HAMPEL_S:
        return np.zeros(heart_rate_bpm.size, dtype=np.bool_)
    known = np.flatnonzero(np.isfinite(heart_rate_bpm))
    filled = heart_rate_bpm[known]
    if filled.size < HAMPEL_S:
        return np.zeros(heart_rate_bpm.size, dtype=np.bool_)
    window = sliding_window_view(np.pad(filled, half, mode="edge"), HAMPEL_S)
    median = np.partition(window, half, axis=1)[:, half]
    off = np.abs(filled - median)
    out = np.zeros(heart_rate_bpm.size, dtype=np.bool_)
    suspect = np.flatnonzero(off > SPIKE_BPM)
    if suspect.size:
        deviation = np.abs(window[suspect] - median[suspect, None])
        mad = 1.4826 * np.partition(deviation, half, axis=1)[:, half]
        out[known[suspect[off[suspect] > HAMPEL_MAD * mad]]] = True
    return out


def cadence_locked(heart_rate_bpm: FloatArray, cadence_rpm: FloatArray) -> NDArray[np.bool_]:
    """Seconds where the sensor counted steps: within 3 bpm of the step rate for a minute, and not by coincidence.

    A heart that happens to beat at the step rate is left alone. It is a lock where the stretch is entered or left by
    a jump of 10 bpm within 10 s (and the jump goes too), or where both move together (r > 0.9).
    """
    out = np.zeros(heart_rate_bpm.size, dtype=np.bool_)
    known = cadence_rpm[cadence_rpm > 20.0]
    if known.size < LOCK_S:
        return out
    steps = cadence_rpm * (1.0 if np.median(known) > 120.0 else 2.0)
    with np.errstate(invalid="ignore"):
        near = (np.abs(heart_rate_bpm - steps) <= LOCK_BPM) & (steps > 100.0)
    stretches = spans(bridge(near, 5))
    for start, end in stretches[stretches[:, 1] - stretches[:, 0] >= LOCK_S]:
        before, after = _jump(heart_rate_bpm, start, -1), _jump(heart_rate_bpm, end - 1, 1)
        if before or after or _together(heart_rate_bpm[start:end], steps[start:end]):
            out[max(start - LOCK_EDGE_S * before, 0) : end + LOCK_EDGE_S * after] = True
    return out


def _jump(heart_rate_bpm: FloatArray, at: int, direction: int) -> bool:
    """Whether heart rate `LOCK_EDGE_S` outside differs by `LOCK_JUMP_BPM` from just inside the edge `at`."""
    outside, inside = at + direction * LOCK_EDGE_S, at - direction * 2
    if not (0 <= outside < heart_rate_bpm.size and 0 <= inside < heart_rate_bpm.size):
        return False
    return bool(abs(heart_rate_bpm[outside] - heart_rate_bpm[inside]) >= LOCK_JUMP_BPM)


def _together(heart_rate_bpm: FloatArray, steps: FloatArray) -> bool:
    """Whether both move, and move as one (r > `LOCK_CORRELATION`)."""
    good = np.isfinite(heart_rate_bpm) & np.isfinite(steps)
    a, b = heart_rate_bpm[good], steps[good]
    if a.size < LOCK_S or a.std() < 1.0 or b.std() < 1.0:
        return False
    return bool(np.mean((a - a.mean()) * (b - b.mean())) / (a.std() * b.std()) > LOCK_CORRELATION)


def unsettled_start(heart_rate_bpm: FloatArray, gap_m_s: FloatArray, step_s: int) -> int:
    """How many rows (of `step_s`) at the start a dry or cold sensor spoiled; 0 for none.

    Too high: minutes 2-8 stand more than 10 bpm above minutes 12-25 at no higher grade-adjusted speed. Too low: after
    two and a half minutes of running a jump of 20 bpm within 15 s to the level that stays.
    """
    minute = 60 // step_s
    with np.errstate(invalid="ignore"):
        later = heart_rate_bpm[12 * minute : 25 * minute]
        early = heart_rate_bpm[2 * minute : 8 * minute]
        if np.isfinite(later).sum() < 5 * minute or np.isfinite(early).sum() < 2 * minute:
            return 0
        level = float(np.nanmedian(later))
        high = _too_high(early, level, gap_m_s, minute)
        if high:
            settled = np.flatnonzero(heart_rate_bpm[: 20 * minute] <= level + 4.0)
            settled = settled[settled >= 2 * minute]
            return int(max(settled[0], 2 * minute)) if settled.size else 12 * minute
        return _late_jump(heart_rate_bpm, level, minute, 15 // step_s)


def _too_high(early: FloatArray, level: float, gap_m_s: FloatArray, minute: int) -> bool:
    before, after = gap_m_s[2 * minute : 8 * minute], gap_m_s[12 * minute : 25 * minute]
    if not (np.isfinite(before).any() and np.isfinite(after).any()):
        return False
    no_faster = float(np.nanmean(before)) <= 1.02 * float(np.nanmean(after))
    return no_faster and float(np.nanmedian(early)) - level > 10.0


def _late_jump(heart_rate_bpm: FloatArray, level: float, minute: int, width: int) -> int:
    head = heart_rate_bpm[: 12 * minute]
    if head.size <= width:
        return 0
    rise = head[width:] - head[:-width]
    jump = (rise >= 20.0) & (head[width:] > level - 10.0) & (head[:-width] < level - 15.0)
    jump[: 5 * minute // 2] = False
    found = np.flatnonzero(jump)
    return int(found[-1]) + width if found.size else 0
