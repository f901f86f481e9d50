"""One run's series turned into numbers that don't depend on the runner. Pure; never looks at other runs."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from daemon.metrics.flags import HR_MISSING, NO_DATA, NOT_RUNNING, UNSETTLED, WORDS
from daemon.metrics.grid import box, means
from daemon.metrics.pace import gap_factor, grade_adjusted, lagged
from daemon.metrics.run_metrics import ROW_S, UNKNOWN, RunMetrics, Table, pack, unpack
from daemon.values import Activity, FloatArray, Series

BEST_S = (30, 60, 120, 300, 600, 1200, 1800, 2700, 3600)
BEST_BPM_S = (30, 600, 1200, 1800)
LOW_QUANTILE = 0.2
RELAXED_QUANTILE, SLOW_QUANTILE = 0.4, 0.1
RELAXED_BAND = 0.07
"""Minutes within ±7 % of the relaxed speed give `relaxed_bpm`."""

RELAXED_MINUTES = 15
"""The earliest so many of them do: later ones carry drift, and in a session the work before them."""

WARM_UP_MIN = 8
"""Heart rate has settled and the drift is slow from here on (min)."""

LEAST_MINUTES = 5
CUBE_CAP_M_S = 7.0
"""Speeds above this count as this in the load moment: a receiver's jump must not weigh a thousandfold (m/s)."""


def measure(activity: Activity, series: Series | None) -> RunMetrics:
    """The athlete-independent numbers of one run; from its summary alone where `series` is None.

    Where the series holds no speed, heart rate is measured and the rest comes from the summary.
    """
    if series is None:
        return _from_summary(activity)
    with np.errstate(all="ignore"):
        if not np.isfinite(series.speed_m_s).any():
            return _from_heart_rate(activity, series)
        return _from_series(activity, series)


def _from_summary(activity: Activity) -> RunMetrics:
    moving = float(activity.moving_time_s or activity.elapsed_time_s)
    speed = None
    if moving > 0 and activity.distance_m > 0 and activity.is_run:
        speed = _round(activity.distance_m / moving * _climbing_factor(activity))
    return RunMetrics(
        trust="summary",
        elapsed_s=float(activity.elapsed_time_s),
        moving_s=moving,
        distance_m=float(activity.distance_m),
        mean_m_s=speed,
        mean_cubed=None if speed is None else _round(min(speed, CUBE_CAP_M_S) ** 3),
        mean_bpm=activity.average_heart_rate_bpm or None,
        relaxed_m_s=speed,
        temperature_c=activity.average_temperature_c,
    )


def _from_heart_rate(activity: Activity, series: Series) -> RunMetrics:
    heart = series.heart_rate_bpm
    share = float(np.isfinite(heart[series.flags & NO_DATA == 0]).mean())
    return replace(
        _from_summary(activity),
        mean_bpm=_mean(heart),
        low_bpm=_low(heart, series.step_s),
        best_bpm=_best_bpm(heart, series.step_s),
        heart_share=_round(share),
        sensor=sensor_grade(share),
    )


def _climbing_factor(activity: Activity) -> float:
    """Grade adjustment of a loop that climbs `elevation_gain_m` over half of its distance and comes down again."""
    grade = 2.0 * (activity.elevation_gain_m or 0.0) / activity.distance_m
    up_and_down = gap_factor(np.array([min(grade, 0.2), -min(grade, 0.2)]))
    return float(up_and_down.mean())


def _from_series(activity: Activity, series: Series) -> RunMetrics:
    step = series.step_s
    gap = grade_adjusted(series.speed_m_s, series.grade)
    heart = series.heart_rate_bpm
    moving = (series.flags & NO_DATA == 0) & (series.speed_m_s > 0.3)
    minutes = _minutes(series, gap)
    relaxed, slow, relaxed_bpm = relaxed_part(unpack(minutes, 4))
    smooth = np.minimum(box(gap, 30 // step), CUBE_CAP_M_S)[moving]
    share = float(np.isfinite(heart[moving]).mean()) if moving.any() else 0.0
    return RunMetrics(
        trust="streams",
        elapsed_s=float(activity.elapsed_time_s or series.flags.size * step),
        moving_s=float(activity.moving_time_s or moving.sum() * step),
        distance_m=float(activity.distance_m or np.nansum(series.speed_m_s) * step),
        mean_m_s=_mean(gap[moving]),
        mean_cubed=_mean(smooth**3),
        mean_bpm=_mean(heart[moving]),
        low_bpm=_low(heart, step),
        best_bpm=_best_bpm(heart, step),
        relaxed_m_s=relaxed,
        slow_m_s=slow,
        relaxed_bpm=relaxed_bpm,
        altitude_m=_mean(series.altitude_m),
        temperature_c=_temperature(activity, series),
        heart_share=_round(share),
        sensor=sensor_grade(share),
        faults=_faults(series.flags[moving]),
        best=_bests(gap, heart, step),
        rows=_rows(series, gap),
        minutes=minutes,
    )


def _minutes(series: Series, gap: FloatArray) -> str:
    """The minutes with at least half a minute of settled running (see `RunMetrics.minute_table`)."""
    per = 60 // series.step_s
    count = gap.size // per
    speed = lagged(gap, series.step_s)
    settled = (series.flags & UNSETTLED == 0) & np.isfinite(speed) & np.isfinite(gap)
    # Speed and heart rate must be means over the same rows, or a fault shifts one against the other.
    with_heart = settled & np.isfinite(series.heart_rate_bpm)
    both = means(np.where(with_heart, speed, np.nan), count, per, per // 2)
    alone = means(np.where(settled, speed, np.nan), count, per, per // 2)
    heart = means(np.where(with_heart, series.heart_rate_bpm, np.nan), count, per, per // 2)
    grade = means(np.where(settled, np.abs(series.grade), np.nan), count, per, per // 2)
    at = np.flatnonzero(np.isfinite(alone))
    used = np.where(np.isfinite(both), both, alone)[at]
    return pack((at.astype(np.float64), used * 1000.0, heart[at] * 10.0, grade[at] * 1000.0))


def relaxed_part(minutes: Table) -> tuple[float | None, float | None, float | None]:
    """Relaxed and slow speed (m/s) and heart rate at the relaxed one; None where the run is too short or too broken."""
    if minutes.shape[1] < LEAST_MINUTES:
        return None, None, None
    speed, heart = minutes[1] / 1000.0, minutes[2] / 10.0
    relaxed, slow = (float(v) for v in np.quantile(speed, (RELAXED_QUANTILE, SLOW_QUANTILE)))
    near = (np.abs(speed / relaxed - 1.0) <= RELAXED_BAND) & (minutes[2] != UNKNOWN) & (minutes[0] >= WARM_UP_MIN)
    early = heart[near][:RELAXED_MINUTES]
    return _round(relaxed), _round(slow), (_round(float(early.mean())) if early.size >= LEAST_MINUTES else None)


def _bests(gap: FloatArray, heart: FloatArray, step: int) -> tuple[tuple[int, float, float | None], ...]:
    """Best grade-adjusted speed over each of `BEST_S`, with the mean heart rate of the same stretch."""
    total = np.concatenate(([0.0], np.cumsum(np.where(np.isfinite(gap), gap, 0.0))))
    good = np.isfinite(heart)
    beats = np.concatenate(([0.0], np.cumsum(np.where(good, heart, 0.0))))
    known = np.concatenate(([0], np.cumsum(good)))
    out = []
    for seconds in BEST_S:
        rows = seconds // step
        if rows > gap.size:
            break
        sums = total[rows:] - total[:-rows]
        k = int(np.argmax(sums))
        n = int(known[k + rows] - known[k])
        bpm = _round(float(beats[k + rows] - beats[k]) / n) if 2 * n >= rows else None
        out.append((seconds, _round(float(sums[k]) / rows), bpm))
    return tuple(out)


def _low(heart: FloatArray, step: int) -> float | None:
    late = heart[240 // step :]
    late = late[np.isfinite(late)]
    return _round(float(np.quantile(late, LOW_QUANTILE))) if late.size else None


def _best_bpm(heart: FloatArray, step: int) -> tuple[tuple[int, float], ...]:
    """Highest mean heart rate over each of `BEST_BPM_S`, of stretches of which 90 % are known."""
    good = np.isfinite(heart)
    total = np.concatenate(([0.0], np.cumsum(np.where(good, heart, 0.0))))
    count = np.concatenate(([0], np.cumsum(good)))
    out = []
    for seconds in BEST_BPM_S:
        rows = seconds // step
        known = count[rows:] - count[:-rows]
        enough = known >= 0.9 * rows
        if enough.any():
            out.append((seconds, _round(float(((total[rows:] - total[:-rows])[enough] / known[enough]).max()))))
    return tuple(out)


def _faults(flags: NDArray[np.uint8]) -> tuple[tuple[str, float], ...]:
    """Share of the moving rows each sensor fault took, largest first; absence counts where nothing else is to blame."""
    out = []
    for bit, words in WORDS.items():
        blamed = flags & bit != 0
        if bit == HR_MISSING:
            blamed &= flags & ~np.uint8(HR_MISSING) & ~np.uint8(UNSETTLED) == 0
        share = float(blamed.mean()) if flags.size else 0.0
        if share > 0.0:
            out.append((words, _round(share)))
    return tuple(sorted(out, key=lambda fault: -fault[1]))


def sensor_grade(share: float) -> str:
    """A from 95 % believable heart rate, B from 80 %, C below; "" without any [ENG]."""
    if share <= 0.0:
        return ""
    return "A" if share >= 0.95 else "B" if share >= 0.8 else "C"


def _temperature(activity: Activity, series: Series) -> float | None:
    measured = _mean(series.temperature_c[series.flags & NOT_RUNNING == 0])
    return activity.average_temperature_c if measured is None else measured


def _rows(series: Series, gap: FloatArray) -> str:
    per = ROW_S // series.step_s
    count = -(-gap.size // per)
    grade = np.where(np.isfinite(gap), series.grade, 0.0)
    columns = (gap * 100.0, series.heart_rate_bpm, grade * 1000.0)
    return pack([means(column, count, per) for column in columns])


def _mean(values: FloatArray) -> float | None:
    known = values[np.isfinite(values)]
    return _round(float(known.mean())) if known.size else None


def _round(value: float) -> float:
    return round(float(value), 4)
