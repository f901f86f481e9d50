"""A recording made into a series: cleaned, resampled to five-second means, rounded to what the store keeps.

Never raises on a recording, however broken; judges nothing.
"""

import numpy as np
from numpy.typing import NDArray

from daemon.metrics.codec import rounded
from daemon.metrics.flags import HR_MISSING, HR_START, NO_DATA, RESTART, STOPPED
from daemon.metrics.grade import grade_of
from daemon.metrics.grid import box, column, covered, means, on_grid, spans, usable_times
from daemon.metrics.heart_rate import clean, in_range, unsettled_start
from daemon.metrics.pace import grade_adjusted
from daemon.values import FloatArray, Series, Streams

STEP_S = 5
LEAST_S = 60
"""Shorter recordings are nothing (s)."""

FASTEST_M_S = 9.5
"""A five-second mean above this is the receiver jumping, not a distance runner (m/s)."""

WALK_M_S = 1.4
"""Below this over 15 s the runner walks or stands (m/s; the usual figure is 1.5, but slow runners exist)."""

RESTART_S = 60


def make_series(streams: Streams) -> Series | None:
    """`streams` as a series, or None where there is neither speed nor heart rate for a minute.

    Tolerates ragged, empty and missing streams, NaN, repeated or falling time, values no runner has.
    """
    time, index = usable_times(streams)
    if time.size < 2 or time[-1] < LEAST_S:
        return None
    rows = int(time[-1]) // STEP_S + 1
    grid = np.arange(rows * STEP_S, dtype=np.float64)
    with np.errstate(all="ignore"):
        speed = _speed(time, index, streams, grid, rows)
        heart, heart_flags = _heart_rate(time, index, streams, grid)
        if not (np.isfinite(speed).any() or np.isfinite(heart).any()):
            return None
        return _assemble(time, index, streams, grid, (speed, heart, heart_flags))


def _assemble(
    time: FloatArray,
    index: NDArray[np.intp],
    streams: Streams,
    grid: FloatArray,
    cleaned: tuple[FloatArray, FloatArray, NDArray[np.uint8]],
) -> Series:
    speed, heart, second_flags = cleaned
    rows = speed.size
    altitude = _bounded(means(on_grid(time, column(streams.altitude_m, index), grid), rows, STEP_S), -500.0, 6500.0)
    grade = grade_of(altitude, speed, STEP_S)
    heart_rows = means(heart, rows, STEP_S, least=3)
    flags = _heart_flags(heart_rows, second_flags, rows) | _motion_flags(time, speed, rows)
    unsettled = unsettled_start(heart_rows, grade_adjusted(speed, grade), STEP_S)
    if unsettled:
        heart_rows[:unsettled] = np.nan
        flags[:unsettled] |= HR_START
    cadence = _bounded(on_grid(time, column(streams.cadence_rpm, index), grid), 0.0, 150.0)
    temperature = _bounded(on_grid(time, column(streams.temperature_c, index), grid), -40.0, 60.0)
    return Series(
        speed_m_s=rounded(speed, "speed_m_s"),
        grade=rounded(grade, "grade"),
        heart_rate_bpm=rounded(heart_rows, "heart_rate_bpm"),
        cadence_rpm=rounded(means(cadence, rows, STEP_S), "cadence_rpm"),
        altitude_m=rounded(altitude, "altitude_m"),
        temperature_c=rounded(means(temperature, rows, STEP_S), "temperature_c"),
        flags=flags,
        step_s=STEP_S,
    )


def _bounded(values: FloatArray, low: float, high: float) -> FloatArray:
    return np.where((values >= low) & (values <= high), values, np.nan)


def _heart_rate(
    time: FloatArray, index: NDArray[np.intp], streams: Streams, grid: FloatArray
) -> tuple[FloatArray, NDArray[np.uint8]]:
    native = column(streams.heart_rate_bpm, index)
    heart = on_grid(time, None if native is None else in_range(native), grid)
    cadence = on_grid(time, column(streams.cadence_rpm, index), grid)
    return clean(heart, cadence)


def _heart_flags(heart_rows: FloatArray, second_flags: NDArray[np.uint8], rows: int) -> NDArray[np.uint8]:
    """Why rows have no heart rate: all reasons of their seconds; none for rows that kept enough good seconds."""
    reasons = np.bitwise_or.reduce(second_flags.reshape(rows, STEP_S), axis=1)
    return np.where(np.isfinite(heart_rows), 0, np.where(reasons == 0, HR_MISSING, reasons)).astype(np.uint8)


def _speed(time: FloatArray, index: NDArray[np.intp], streams: Streams, grid: FloatArray, rows: int) -> FloatArray:
    """Five-second mean speed (m/s): from distance where there is one, else from the speed stream."""
    distance = column(streams.distance_m, index)
    if distance is not None:
        speed = _speed_from_distance(time, distance, rows)
        if np.isfinite(speed).sum() * 2 > rows or streams.speed_m_s is None:
            return speed
    return means(_bounded(on_grid(time, column(streams.speed_m_s, index), grid), 0.0, FASTEST_M_S), rows, STEP_S)


def _speed_from_distance(time: FloatArray, distance_m: FloatArray, rows: int) -> FloatArray:
    good = np.isfinite(distance_m)
    if good.sum() < 2 or np.ptp(distance_m[good]) <= 0.0:
        return np.full(rows, np.nan)
    edges = np.arange(rows + 1, dtype=np.float64) * STEP_S
    covered = on_grid(time[good], np.maximum.accumulate(distance_m[good]), edges)
    return _bounded(np.diff(covered) / STEP_S, 0.0, FASTEST_M_S)


def _motion_flags(time: FloatArray, speed: FloatArray, rows: int) -> NDArray[np.uint8]:
    """Paused, standing or walking, and the minute after each."""
    flags = np.zeros(rows, dtype=np.uint8)
    samples = np.bincount((time // STEP_S).astype(np.intp), minlength=rows)[:rows]
    empty = spans(samples == 0)
    flags[covered(empty[(empty[:, 1] - empty[:, 0]) > 2], rows)] |= NO_DATA
    flags[box(speed, 3) < WALK_M_S] |= STOPPED
    idle = flags != 0
    ends = spans(idle)[:, 1]
    after = covered(np.column_stack((ends, ends + RESTART_S // STEP_S)), rows)
    flags[after & ~idle] |= RESTART
    return flags
