"""A simulated run recorded straight to five-second rows, for benchmarks that need half a million runs.

The run itself is the one `SimulatedActivity.trace` records once a second; noise is drawn as it remains after cleaning
and averaging. Sensor faults that leave odd values behind take the long way through the real cleaning.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from daemon.metrics.flags import HR_MISSING, NO_DATA, RESTART, STOPPED
from daemon.metrics.grade import grade_of
from daemon.metrics.grid import box, covered, spans
from daemon.metrics.series import RESTART_S, WALK_M_S, make_series
from daemon.simulator import physiology
from daemon.simulator.physiology import STEP_S, Conditions, Effort, smooth_noise
from daemon.simulator.recording import WORKOUT_TYPES, SimulatedActivity, climb, default_name
from daemon.simulator.sensor import SensorFaults
from daemon.values import Activity, FloatArray, Lap, Series

BoolArray = NDArray[np.bool_]

HEART_ROW_BPM = 0.26
"""What a watch's rounding and its beat-to-beat noise of 0.5 bpm leave in a mean of five samples (bpm)."""

GPS_TAU_S, GPS_ROW_SHARE = 13.6, 0.935
ALTIMETER_TAU_S, ALTIMETER_ROW_SHARE = 41.6, 0.98
"""Time constant and share of the standard deviation that five-second means of the recording's noise (12 and 40 s) have.

Worked out: the mean keeps 87 and 96 % of the variance, and long sums must scatter as before."""


def record(run: SimulatedActivity, athlete_id: int = 1) -> tuple[Activity, Series | None]:
    """The activity and its series, as `as_activity` and `make_series(as_streams())` give them but for their noise."""
    rng = np.random.default_rng([*run.seed, 1])
    odd, missing = _faults(run.conditions.faults, rng)
    if odd is not None:
        faulty = replace(run, conditions=replace(run.conditions, faults=odd))
        return faulty.as_activity(athlete_id), make_series(faulty.as_streams())
    # The same generator as the recording once a second: the effort is the same run.
    done = physiology.effort(run.body, run.segments, run.conditions, np.random.default_rng(run.seed))
    return _recorded(run, done, athlete_id, rng, missing=missing)


def _faults(chance: SensorFaults, rng: np.random.Generator) -> tuple[SensorFaults | None, bool]:
    """The faults of this run that leave odd values, if any, and whether heart rate is missing altogether.

    Spikes are single samples: nothing of them is left in a cleaned row.
    """
    missing, dropout, lock, cold = rng.random(4) < (
        chance.missing,
        chance.dropout,
        chance.cadence_lock,
        chance.cold_start,
    )
    if missing or not (dropout or lock or cold):
        return None, bool(missing)
    return SensorFaults(float(dropout), float(lock), float(cold)), False


def _recorded(
    run: SimulatedActivity, done: Effort, athlete_id: int, rng: np.random.Generator, *, missing: bool
) -> tuple[Activity, Series]:
    conditions, n = run.conditions, done.speed_m_s.size
    stopped = done.speed_m_s == 0.0
    true_speed = np.where(stopped, 0.0, _smeared(done.speed_m_s))
    gps = smooth_noise(rng, n, conditions.gps_cv * GPS_ROW_SHARE, GPS_TAU_S / STEP_S)
    distance = np.round(np.cumsum(true_speed * np.maximum(0.2, 1 + gps)) * STEP_S, 1)
    speed = np.diff(distance, prepend=0.0) / STEP_S
    heart = _smeared(done.heart_rate_bpm) + rng.normal(conditions.sensor_bpm, HEART_ROW_BPM, n)
    altitude = _altitude(done.grade * true_speed, conditions, rng)
    warmth = _thermometer(conditions, n, rng)
    if missing:
        heart[:] = np.nan
    activity = _activity(run, done, (distance, heart, altitude, warmth), athlete_id)
    paused = stopped & conditions.auto_pause
    speed[_or_next(paused)] = np.nan
    speed[-1] = np.nan  # the last five seconds have no end
    for column in (heart, altitude, warmth):
        column[paused] = np.nan
    return activity, Series(
        speed_m_s=np.round(speed, 2),
        grade=np.round(grade_of(altitude, speed, STEP_S), 3),
        heart_rate_bpm=np.round(heart * 5) / 5,
        cadence_rpm=np.where(stopped, np.where(paused, np.nan, 0.0), np.round(160 + 14 * (true_speed - 2.9)) / 2),
        altitude_m=np.round(altitude * 5) / 5,
        temperature_c=warmth,
        flags=_flags(speed, heart, paused),
        step_s=STEP_S,
    )


def _smeared(values: FloatArray) -> FloatArray:
    """Row means of the lines drawn from row to row, as the recording once a second draws them."""
    out = 0.74 * values
    out[1:] += 0.18 * values[:-1]
    out[:-1] += 0.08 * values[1:]
    out[0] += 0.18 * values[0]
    out[-1] += 0.08 * values[-1]
    return np.asarray(out)


def _or_next(mask: BoolArray) -> BoolArray:
    """True where `mask` or the row after it is: a mean speed needs both of its ends."""
    out: BoolArray = mask | np.append(mask[1:], False)
    return out


def _altitude(climb_m_s: FloatArray, conditions: Conditions, rng: np.random.Generator) -> FloatArray:
    climbed = np.cumsum(climb_m_s) * STEP_S - 2.0 * climb_m_s  # the mean of a row lies before its end
    noise = conditions.altimeter_m * ALTIMETER_ROW_SHARE
    return np.asarray(60.0 + climbed + smooth_noise(rng, climb_m_s.size, noise, ALTIMETER_TAU_S / STEP_S))


def _thermometer(conditions: Conditions, n: int, rng: np.random.Generator) -> FloatArray:
    found = physiology.thermometer(conditions, n * STEP_S, rng)
    return np.full(n, np.nan) if found is None else np.asarray(found[2::STEP_S], dtype=np.float64)


def _flags(speed: FloatArray, heart: FloatArray, paused: BoolArray) -> NDArray[np.uint8]:
    """Why rows don't count, by the rules of `make_series`."""
    with np.errstate(invalid="ignore"):
        flags = np.where(box(speed, 3) < WALK_M_S, STOPPED, 0).astype(np.uint8)
    long = spans(paused)
    flags[covered(long[long[:, 1] - long[:, 0] > 2], speed.size)] |= NO_DATA
    idle = flags != 0
    ends = spans(idle)[:, 1]
    flags[covered(np.column_stack((ends, ends + RESTART_S // STEP_S)), speed.size) & ~idle] |= RESTART
    flags[np.isnan(heart)] |= HR_MISSING
    return flags


def _activity(
    run: SimulatedActivity, done: Effort, seen: tuple[FloatArray, FloatArray, FloatArray, FloatArray], athlete_id: int
) -> Activity:
    """The summary of a recording whose rows still hold what happened at stops."""
    distance, heart, altitude, warmth = seen
    moving = done.speed_m_s > 0.0
    kept = moving if run.conditions.auto_pause else np.ones(moving.size, dtype=bool)
    beats = heart[kept]
    known = not np.isnan(beats[0])
    return Activity(
        id=run.id,
        athlete_id=athlete_id,
        name=default_name(run),
        sport=run.session.sport,
        start=run.start,
        utc_offset_s=run.utc_offset_s,
        distance_m=float(distance[-1]),
        moving_time_s=int(moving.sum()) * STEP_S,
        elapsed_time_s=(int(np.flatnonzero(kept)[-1]) + 1) * STEP_S,
        timezone=run.timezone,
        elevation_gain_m=climb(altitude[kept], STEP_S),
        has_heart_rate=known,
        average_heart_rate_bpm=round(float(beats.mean()), 1) if known else None,
        max_heart_rate_bpm=float(np.round(beats.max())) if known else None,
        average_temperature_c=None if np.isnan(warmth[0]) else float(np.round(warmth[kept].mean())),
        trainer=run.session.treadmill,
        workout_type=WORKOUT_TYPES.get(run.session.kind, 0) if run.session.sport != "Ride" else 10,
        device=run.device,
        perceived_exertion=run.exertion,
        laps=_laps(run, done, distance, heart),
    )


def _laps(run: SimulatedActivity, done: Effort, distance: FloatArray, heart: FloatArray) -> tuple[Lap, ...]:
    """The lap button's where the session has parts, kilometres to the nearest row where not."""
    structured = any(s.work for s in run.segments) and len(run.segments) > 1
    mark = done.segment if structured else (distance // 1000).astype(np.int64)
    starts = np.flatnonzero(np.diff(mark, prepend=-1))
    rows = np.diff(np.append(starts, mark.size))
    moving = np.add.reduceat((done.speed_m_s > 0.0).astype(np.int64), starts)
    ways = np.diff(np.append(0.0, distance[np.append(starts[1:], mark.size) - 1]))
    beats = np.add.reduceat(heart, starts) / rows
    known = not np.isnan(heart[0])
    numbers = zip(rows.tolist(), moving.tolist(), ways.tolist(), beats.tolist(), strict=True)
    return tuple(
        Lap(STEP_S * row, STEP_S * moved, round(way, 1), beat if known else None) for row, moved, way, beat in numbers
    )
