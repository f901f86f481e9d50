"""Small made-up recordings with a known truth: a runner whose heart follows speed by a first-order lag."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from daemon.metrics import RunMetrics, make_series, measure
from daemon.values import Activity, FloatArray, Streams

EASY_M_S = 2.7
EASY_BPM = 142.0
MONDAY = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)


def steady(minutes: float, speed: float = EASY_M_S) -> FloatArray:
    return np.full(int(minutes * 60), speed)


def repeats(count: int, fast_s: int, slow_s: int, fast: float, slow: float = 2.3) -> FloatArray:
    return np.concatenate([np.concatenate((np.full(fast_s, fast), np.full(slow_s, slow))) for _ in range(count)])


def record(speed: FloatArray, *, strain: float = 0.0, grade: FloatArray | float = 0.0, seed: int = 1) -> Streams:
    """Streams at 1 Hz: heart rate lags speed by 40 s, costs 22 bpm per m/s, drifts 0.15 bpm a minute, plus `strain`."""
    rng = np.random.default_rng(seed)
    seconds = np.arange(speed.size, dtype=np.float64)
    wanted = np.where(speed > 0.5, EASY_BPM + strain + 22.0 * (speed - EASY_M_S) + 0.15 * seconds / 60.0, 90.0)
    heart = np.empty(speed.size)
    now = 95.0
    for k, target in enumerate(wanted):
        now += (target - now) / 40.0
        heart[k] = now
    climb = np.broadcast_to(np.asarray(grade, dtype=np.float64), speed.shape)
    return Streams(
        time_s=seconds,
        distance_m=np.cumsum(speed + rng.normal(0.0, 0.05, speed.size) * (speed > 0)),
        altitude_m=np.round((100.0 + np.cumsum(climb * speed)) / 0.2) * 0.2,
        heart_rate_bpm=np.round(heart + rng.normal(0.0, 0.8, speed.size)),
        cadence_rpm=np.where(speed > 1.4, np.round(84 + rng.normal(0.0, 0.6, speed.size)), 0.0),
    )


def activity(number: int = 0, streams: Streams | None = None, **facts: Any) -> Activity:
    """A run two days after the one before; distance and time as the recording says."""
    seconds = 2400 if streams is None else int(streams.time_s[-1]) + 1
    metres = 6480.0 if streams is None or streams.distance_m is None else float(streams.distance_m[-1])
    base = Activity(
        id=1000 + number,
        athlete_id=1,
        name="Run",
        sport="Run",
        start=MONDAY + timedelta(days=2 * number),
        utc_offset_s=3600,
        distance_m=metres,
        moving_time_s=seconds,
        elapsed_time_s=seconds,
        has_heart_rate=streams is not None and streams.heart_rate_bpm is not None,
    )
    return replace(base, **facts)


def run(number: int, streams: Streams, **facts: Any) -> tuple[Activity, RunMetrics]:
    """One run, measured from its recording."""
    done = activity(number, streams, **facts)
    return done, measure(done, make_series(streams))


def base_weeks(count: int = 8) -> list[tuple[Activity, RunMetrics]]:
    """Easy runs of 45 minutes that differ a little: what a runner's usual is learned from."""
    rng = np.random.default_rng(7)
    speeds = rng.normal(EASY_M_S, 0.05, count)
    return [run(k, record(steady(45, float(v)), seed=100 + k)) for k, v in enumerate(speeds)]
