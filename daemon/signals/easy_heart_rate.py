"""Notices when easy runs cost more heartbeats than they used to at the same pace.

A one-sided CUSUM over the runner's own easy runs; it may look at heart rate and pace of easy running and at the day
intensity came, never at load. Method: Page's CUSUM, pace-adjusted, with a local norm that is held when intensity comes.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np

from daemon.signals.history import BoolArray, History, IntArray
from daemon.values import FloatArray, Level, Signal

SLOPE_ROWS = 120  # how far back the slope looks, in runs
PATH_ROWS = 110  # how far back residuals are made, in runs
CUSUM_ROWS = 60  # how far back the sum is walked, in runs
RECENT_RUNS = 3  # "the last few runs" of the rule that lifts a pull-back


@dataclass(frozen=True, slots=True)
class Params:
    """The control chart. Heart rate in bpm, speed in m/s, days as such; sources in brackets."""

    enabled: bool = True
    #: sum (in standard deviations) that counts as strong: alert. Simulated with realistic noise, 10 was passed by 4 %
    #: in the eight weeks after absorbed intensity and by 46 % of +5 bpm ramps; 8 by 5 % and 54 %
    h: float = 10.0
    #: sum that counts as moderate: watch
    h_watch: float = 6.0
    #: what each run may lie above the norm before it adds to the sum, in standard deviations (Page)
    k: float = 0.5
    #: a single run counts at most so many standard deviations
    clip: float = 3.0
    #: usable runs from one sensor before anything is said
    min_runs: int = 16
    #: runs that make the norm, at most
    norm_runs: int = 12
    #: and at least, for a run to be judged
    norm_min_runs: int = 6
    #: the norm looks back so many days
    norm_days: int = 84
    #: the rolling norm ends so many runs before the run it judges, so that a rise doesn't become its own norm
    norm_lag_runs: int = 8
    #: days for which the norm of before is held once intensity has come
    hold_days: int = 56
    #: prior of the standard deviation, bpm, and its weight in runs
    sd_bpm: float = 3.5
    sd_weight: float = 12.0
    #: prior of the slope, bpm per m/s, and its standard deviation (9 ± 3 bpm per km/h from ACSM's cost of running)
    slope: float = 32.0
    slope_sd: float = 11.0
    #: the sum is halved for each such gap without a usable run, days
    halve_after_days: int = 14
    #: older usable runs than this say nothing about today, days
    stale_days: int = 28


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """The usable runs of one sensor with what each lay above its norm, and the sum after each, oldest first."""

    rows: IntArray
    held: BoolArray
    norm_bpm: FloatArray
    above_bpm: FloatArray
    sums: FloatArray
    low_sums: FloatArray
    norm_rows: IntArray
    at_speed_m_s: float
    slope: float
    sd_bpm: float


def detect(history: History, params: Params) -> Signal | None:
    """Today's easy heart rate against the norm. The score is the CUSUM in standard deviations."""
    rows = _usable(history)
    if _lacking(history, rows, params) is not None:
        return None
    path = _path(history, rows, params)
    compared = _compared(path.sums, path.above_bpm)
    score = float(path.sums[-1])
    level: Level = "alert" if score >= params.h else "watch" if score >= params.h_watch else "ok"
    delta = _mean_clipped(path, compared, params)
    days = history.table.day[path.rows]
    since = None if level == "ok" else _day(days[_first_above(path.sums, params.h_watch)])
    evidence = _evidence(history, path, compared, params) | {"delta_bpm": round(delta, 1)}
    return Signal("easy_heart_rate", level, round(score, 2), _summary(delta, compared.size), since, evidence)


def lacking(history: History, params: Params) -> str | None:
    """What is missing before easy heart rate can be judged today, in a few words; None when nothing is."""
    return _lacking(history, _usable(history), params)


def _lacking(history: History, rows: IntArray, params: Params) -> str | None:
    if rows.size == 0:
        return "no easy runs with heart rate yet"
    if rows.size < params.min_runs:
        sensor = " from the new sensor" if rows.size < np.isfinite(history.table.bpm).sum() else ""
        return f"needs {params.min_runs} easy runs with heart rate{sensor}; has {rows.size}"
    days, today = history.table.day[rows], history.today.toordinal()
    if today - days[-1] > params.stale_days:
        return f"no easy run with heart rate since {_day(days[-1]).day} {_day(days[-1]):%B}"
    near = int(np.count_nonzero(days[: -params.norm_lag_runs] >= days[-1] - params.norm_days))
    if near < params.norm_min_runs:
        lag = params.norm_lag_runs
        needed = params.norm_min_runs + lag
        return f"needs {needed} easy runs with heart rate within {params.norm_days} days; has {near + lag}"
    return None


def _usable(history: History) -> IntArray:
    """Rows of the last 400 days with an easy heart rate from the sensor used last; an unnamed one is the one before."""
    table = history.table
    first = table.row(history.today.toordinal() - 400)
    rows: IntArray = first + np.flatnonzero(np.isfinite(table.bpm[first:]) & np.isfinite(table.speed_m_s[first:]))
    codes = table.device[rows]
    known = np.flatnonzero(codes >= 0)
    if known.size == 0:
        return rows
    last_known = np.maximum.accumulate(np.where(codes >= 0, np.arange(codes.size), known[0]))
    filled = codes[last_known]
    return np.asarray(rows[filled == filled[-1]], dtype=np.int64)


def _path(history: History, rows: IntArray, params: Params) -> _Path:
    """Adjust every usable run to one pace, hold it against its norm, and walk the sums over the latest."""
    table = history.table
    columns = (table.day, table.bpm, table.speed_m_s, table.se_bpm)
    return _walked(rows.tobytes(), tuple(column[rows].tobytes() for column in columns), history.rose_on, params)


# A day without a new easy run asks for what the day before did.
@lru_cache(maxsize=2)
def _walked(packed_rows: bytes, packed: tuple[bytes, ...], rose_on: date | None, params: Params) -> _Path:
    rows, days = np.frombuffer(packed_rows, dtype=np.int64), np.frombuffer(packed[0], dtype=np.int64)
    bpm, speed, se = (np.frombuffer(column, dtype=np.float64) for column in packed[1:])
    slope = _slope(bpm, speed, params)
    rows, days = rows[-PATH_ROWS:], days[-PATH_ROWS:]
    bpm, speed, se = bpm[-PATH_ROWS:], speed[-PATH_ROWS:], se[-PATH_ROWS:]
    windows, held = _norm_windows(days, rose_on, params)
    normal = windows[-1][windows[-1] >= 0]
    norm_rows = rows[normal]
    at_speed = _median(speed[normal])
    adjusted = bpm - slope * (speed - at_speed)
    norm = _robust_mean(np.where(windows >= 0, adjusted[windows], np.nan))
    norm[(windows >= 0).sum(axis=1) < params.norm_min_runs] = np.nan
    above = adjusted - norm
    sd = _spread(above, held, params)
    known_se = se[np.isfinite(se)]
    usual_se = _median(known_se) if known_se.size else 0.0
    noise = np.sqrt(sd**2 + np.maximum(np.nan_to_num(se, nan=usual_se) ** 2 - usual_se**2, 0.0))
    z = np.clip(np.nan_to_num(above / noise), -params.clip, params.clip)
    z[np.isnan(above)] = 0.0
    fade = _fade(days, params)
    sums, low = _walk(z, fade, params), _walk(-z, fade, params)
    return _Path(rows, held, norm, above, sums, low, norm_rows, at_speed, slope, sd)


def _slope(bpm: FloatArray, speed: FloatArray, params: Params) -> float:
    """bpm per m/s from runs against their neighbours (so that a wandering level doesn't count), shrunk to the prior.

    The latest runs are left out: what they may show must not explain itself away.
    """
    bpm, speed = bpm[-SLOPE_ROWS : -params.norm_lag_runs], speed[-SLOPE_ROWS : -params.norm_lag_runs]
    if bpm.size < 5:
        return params.slope
    dx, dy = speed - _neighbours(speed), bpm - _neighbours(bpm)
    slope = params.slope
    for _ in range(2):
        error = dy - slope * dx
        scale = max(1.4826 * _median(np.abs(error)), 1.0)
        weight = np.minimum(1.0, 2 * scale / np.maximum(np.abs(error), 1e-9)) / scale**2
        prior = 1 / params.slope_sd**2
        slope = float((prior * params.slope + (weight * dx * dy).sum()) / (prior + (weight * dx * dx).sum()))
    return slope


def _neighbours(values: FloatArray) -> FloatArray:
    """The mean of up to nine runs around each, itself included."""
    total = np.concatenate(([0.0], np.cumsum(values)))
    at = np.arange(values.size)
    low, high = np.maximum(at - 4, 0), np.minimum(at + 5, values.size)
    mean: FloatArray = (total[high] - total[low]) / (high - low)
    return mean


def _norm_windows(days: IntArray, rose_on: date | None, params: Params) -> tuple[IntArray, BoolArray]:
    """For each run the positions of the runs that are its norm (−1 where there is none), and whether it is held."""
    at = np.arange(days.size)
    end = at - params.norm_lag_runs  # the last run of the norm
    oldest = days - params.norm_days
    held = np.zeros(days.size, dtype=bool)
    if rose_on is not None:
        rose = rose_on.toordinal()
        held = (days >= rose) & (days < rose + params.hold_days)
        before = int(np.searchsorted(days, rose)) - 1
        if np.count_nonzero(days[: before + 1] >= rose - params.norm_days) < params.norm_min_runs:
            held[:] = False
        end = np.where(held, before, end)
        oldest = np.where(held, rose - params.norm_days, oldest)
    windows = end[:, None] - np.arange(params.norm_runs)[None, :]
    windows = np.where(windows >= 0, windows, -1)
    return np.where(days[windows] >= oldest[:, None], windows, -1), held


def _robust_mean(values: FloatArray) -> FloatArray:
    """Row means with what lies beyond 2 median absolute deviations pulled in; NaN is no value, an empty row is NaN."""
    middle = _row_median(values)
    reach = 2 * 1.4826 * _row_median(np.abs(values - middle[:, None]))
    pulled = np.clip(values, (middle - reach)[:, None], (middle + reach)[:, None])
    count = np.isfinite(values).sum(axis=1)
    mean: FloatArray = np.where(np.isfinite(values), pulled, 0.0).sum(axis=1) / np.maximum(count, 1)
    return np.where(count > 0, mean, np.nan)


def _median(values: FloatArray) -> float:
    """The median of at least one number, without the checks that cost `np.median` most of its time."""
    ordered = np.sort(values)
    return float(ordered[(values.size - 1) // 2] + ordered[values.size // 2]) / 2


def _row_median(values: FloatArray) -> FloatArray:
    ordered = np.sort(values, axis=1)  # NaN goes last
    count = np.isfinite(values).sum(axis=1)
    row = np.arange(values.shape[0])
    low, high = np.maximum((count - 1) // 2, 0), count // 2
    high = np.minimum(high, values.shape[1] - 1)
    return np.asarray((ordered[row, low] + ordered[row, high]) / 2, dtype=float)


def _spread(above: FloatArray, held: BoolArray, params: Params) -> float:
    """The SD of a run about its norm from the runner's own past, with a prior; the runs now in question left out."""
    past = above[: -params.norm_lag_runs][~held[: -params.norm_lag_runs]]
    past = past[np.isfinite(past)]
    if past.size == 0:
        return params.sd_bpm
    reach = max(3 * 1.4826 * _median(np.abs(past)), params.sd_bpm)
    squares = 1.05 * float((np.clip(past, -reach, reach) ** 2).sum())
    weight = params.sd_weight
    return float(np.sqrt((weight * params.sd_bpm**2 + squares) / (weight + past.size)))


def _fade(days: IntArray, params: Params) -> FloatArray:
    """The factor a gap before each run leaves of the sum; 1 for gaps shorter than `halve_after_days`."""
    gaps = np.diff(days, prepend=days[:1])
    fade: FloatArray = np.where(gaps >= params.halve_after_days, 0.5 ** (gaps / params.halve_after_days), 1.0)
    return fade


def _walk(z: FloatArray, fade: FloatArray, params: Params) -> FloatArray:
    """Page's one-sided sum, capped so that it can come down again within weeks."""
    total, cap = 0.0, 1.2 * params.h
    sums = [0.0] * max(z.size - CUSUM_ROWS, 0)
    for step, left in zip(z[-CUSUM_ROWS:].tolist(), fade[-CUSUM_ROWS:].tolist(), strict=True):
        total = min(max(total * left + step - params.k, 0.0), cap)
        sums.append(total)
    return np.array(sums)


def _compared(sums: FloatArray, above: FloatArray) -> IntArray:
    """Positions of the runs since the sum was last zero, the last eight where it is zero now."""
    zero = np.flatnonzero(sums <= 0)
    begin = int(zero[-1]) + 1 if zero.size else 0
    if begin > sums.size - 1:
        begin = max(sums.size - 8, 0)
    return begin + np.flatnonzero(np.isfinite(above[begin:]))


def _first_above(sums: FloatArray, level: float) -> int:
    """Position from which on the sum has stayed at or above `level`."""
    below = np.flatnonzero(sums < level)
    return int(below[-1]) + 1 if below.size else 0


def _mean_clipped(path: _Path, positions: IntArray, params: Params) -> float:
    reach = params.clip * path.sd_bpm
    return float(np.clip(path.above_bpm[positions], -reach, reach).mean()) if positions.size else 0.0


def _evidence(history: History, path: _Path, compared: IntArray, params: Params) -> dict[str, Any]:
    """The numbers behind the score, JSON-ready."""
    runs, days = history.table.runs, history.table.day
    judged = np.flatnonzero(np.isfinite(path.above_bpm))
    rose = history.rose_on
    after = 0 if rose is None else int(np.count_nonzero(days[path.rows] >= rose.toordinal()))
    low = _compared(path.low_sums, path.above_bpm)
    since = int(days[path.rows[compared[0]]]) if compared.size else history.today.toordinal()
    return {
        "recent_delta_bpm": round(_mean_clipped(path, judged[-RECENT_RUNS:], params), 1),
        "at_pace_s_per_km": round(1000 / path.at_speed_m_s),
        "norm_bpm": round(float(path.norm_bpm[-1]), 1),
        "norm_held": bool(path.held[-1]),
        "threshold": params.h,
        "sd_bpm": round(path.sd_bpm, 1),
        "slope_bpm_per_m_s": round(path.slope, 1),
        "runs": [runs[row].id for row in path.rows[compared]],
        "norm_runs": [runs[row].id for row in sorted(path.norm_rows)],
        "runs_since_intensity": after,
        "since": _day(since).isoformat(),
        "suppressed": {
            "score": round(float(path.low_sums[-1]), 2),
            "delta_bpm": round(_mean_clipped(path, low, params), 1),
        },
        "excluded": _excluded(history, path, since),
    }


def _excluded(history: History, path: _Path, since: int) -> list[dict[str, Any]]:
    """Runs since the first one compared (four weeks at least) that were not compared, and why."""
    table = history.table
    first = table.row(min(since, history.today.toordinal() - 28))
    used = set(path.rows[np.isfinite(path.above_bpm)].tolist())
    out = []
    for row in range(first, len(table)):
        run = table.runs[row]
        if run.is_run and row not in used:
            why = run.left_out or ("no norm yet" if row in path.rows else "another sensor")
            out.append({"id": run.id, "why": why})
    return out


def _summary(delta: float, runs: int) -> str:
    if abs(delta) < 0.5:
        return f"Easy heart rate is at its norm over the last {runs} easy runs."
    side = "above" if delta > 0 else "below"
    return f"Easy heart rate is {abs(delta):.0f} bpm {side} its norm at the same pace over the last {runs} easy runs."


def _day(ordinal: int) -> date:
    return date.fromordinal(int(ordinal))
