"""One simulated run, second by second: what the runner does, what the heart answers, what the watch makes of it.

Pure: the same body, segments, conditions and generator give the same run. It knows no dates, plans or Strava shapes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from daemon.simulator.sensor import SensorFaults, misread
from daemon.values import FloatArray

IntArray = NDArray[np.int64]
Thermometer = Literal["true", "wrist", "none"]

STEP_S = 5
HEART_LAG_S = 40.0
HEAT_BPM_PER_C = 0.7  # above 12 °C
STANDING_ABOVE_REST_BPM = 32.0
HARD_FROM, HARD_BPM = 1.12, 45.0  # beyond 1.12 x easy speed the heart answers more than in proportion
PACE_TAU_S = 180.0
"""How long a wandering pace hangs together: minutes of two real runners correlate .7, .4 and .2 after 1, 2 and 4."""

SLOW_COMPONENT_BPM = 6.0  # the first minutes cost less than the same pace does later


@dataclass(frozen=True, slots=True)
class Body:
    """The truth about a runner: heart rate at easy speed on the flat at 12 °C after ten minutes, and what moves it."""

    easy_speed_m_s: float = 2.9
    easy_heart_rate_bpm: float = 142.0
    slope_bpm_per_m_s: float = 28.0
    resting_bpm: float = 52.0
    maximum_bpm: float = 188.0


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a session at one speed. `grade` (a fraction) overrides the route; `work` marks a hard part."""

    seconds: float
    speed_m_s: float
    work: bool = False
    grade: float | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """What this run meets. Noise figures are standard deviations; `offset_bpm` is the day's level of the body,
    `strain_bpm` the cost of too much training (fades to nothing at maximum), `sensor_bpm` what the watch adds."""

    offset_bpm: float = 0.0
    strain_bpm: float = 0.0
    sensor_bpm: float = 0.0
    drift_bpm_per_min: float = 0.1
    temperature_c: float = 12.0
    thermometer: Thermometer = "true"
    grade_sd: float = 0.01
    pace_cv: float = 0.015
    gps_cv: float = 0.02
    wobble_bpm: float = 1.0
    altimeter_m: float = 0.2
    stops_per_hour: float = 1.0
    auto_pause: bool = False
    faults: SensorFaults = field(default_factory=SensorFaults)


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The recording: arrays of one length. `heart_rate_bpm` and `temperature_c` are None where the watch has none.

    `segment` is the index of the session's segment each sample belongs to. Cadence is per leg.
    """

    time_s: FloatArray
    distance_m: FloatArray
    altitude_m: FloatArray
    speed_m_s: FloatArray
    grade_percent: FloatArray
    cadence_rpm: FloatArray
    moving: FloatArray
    segment: IntArray
    heart_rate_bpm: FloatArray | None
    temperature_c: FloatArray | None


def grade_cost(grade: FloatArray) -> FloatArray:
    """Cost of a grade (fraction) relative to the flat, by heart rate: a third-party fit of Strava's curve."""
    g = np.clip(grade * 100.0, -25.0, 25.0)
    return np.asarray(1 + g * (0.032657 + g * (0.0020536 + g * (-3.99e-6 + g * -5.29e-7))))


def smooth_noise(rng: np.random.Generator, n: int, sd: float, tau: float) -> FloatArray:
    """Noise of standard deviation `sd` whose autocorrelation falls to 1/e in `tau` samples."""
    if sd == 0 or n == 0:
        return np.zeros(n)
    decay = np.exp(-1.0 / tau)
    kernel = decay ** np.arange(int(4 * tau) + 1)
    kernel /= np.sqrt((kernel**2).sum())
    noise = np.convolve(rng.standard_normal(n + len(kernel) - 1), kernel, mode="valid")
    return np.asarray(noise * sd)


def lagged(target: FloatArray, before: float, tau: float) -> FloatArray:
    """First-order answer to `target` with time constant `tau` samples, having rested at `before` until the start."""
    decay = np.exp(-1.0 / tau)
    kernel = (1 - decay) * decay ** np.arange(int(8 * tau))
    return before + np.asarray(np.convolve(target - before, kernel)[: len(target)])


@dataclass(frozen=True, slots=True, eq=False)
class Effort:
    """What really happened, in rows of 5 s: segment, speed (m/s, 0 at a stop), grade (fraction), heart rate (bpm)."""

    segment: IntArray
    speed_m_s: FloatArray
    grade: FloatArray
    heart_rate_bpm: FloatArray


def run(body: Body, segments: Sequence[Segment], conditions: Conditions, rng: np.random.Generator) -> Trace:
    """Run the segments, recorded once a second."""
    return _record(effort(body, segments, conditions, rng), conditions, rng)


def effort(body: Body, segments: Sequence[Segment], conditions: Conditions, rng: np.random.Generator) -> Effort:
    """Run the segments unrecorded."""
    index = np.repeat(np.arange(len(segments), dtype=np.int64), [max(1, round(s.seconds / STEP_S)) for s in segments])
    grade = _route(segments, index, conditions, rng)
    speed = _true_speed(segments, index, grade, conditions, rng)
    return Effort(index, speed, grade, _heart(body, speed, grade, conditions, rng))


def _route(
    segments: Sequence[Segment], index: IntArray, conditions: Conditions, rng: np.random.Generator
) -> FloatArray:
    """Rolling ground: three waves of 300-2,000 m; a segment's own grade goes first."""
    along = np.cumsum(np.array([s.speed_m_s for s in segments])[index]) * STEP_S
    lengths = rng.uniform(300, 2000, 3)
    waves = np.cos(2 * np.pi * along[:, None] / lengths + rng.uniform(0, 2 * np.pi, 3))
    rolling = waves.sum(axis=1) * conditions.grade_sd * np.sqrt(2 / 3)
    own = np.array([np.nan if s.grade is None else s.grade for s in segments])[index]
    return np.asarray(np.where(np.isnan(own), rolling, own))


def _true_speed(
    segments: Sequence[Segment],
    index: IntArray,
    grade: FloatArray,
    conditions: Conditions,
    rng: np.random.Generator,
) -> FloatArray:
    """Planned speed, eased up on climbs, wandering a little, with stops at lights outside of the hard parts."""
    n = len(index)
    planned = np.array([s.speed_m_s for s in segments])[index]
    own_grade = np.array([s.grade is not None for s in segments])[index]
    ease = np.where(own_grade, 1.0, np.sqrt(grade_cost(grade)))
    speed = planned / ease * (1 + smooth_noise(rng, n, conditions.pace_cv, PACE_TAU_S / STEP_S))
    work = np.array([s.work for s in segments])[index]
    for _ in range(rng.poisson(conditions.stops_per_hour * n * STEP_S / 3600)):
        begin, length = rng.integers(0, n), rng.integers(3, 10)
        if not work[begin : begin + length].any():
            speed[begin : begin + length] = 0.0
    return np.asarray(np.maximum(speed, 0.0))


def _heart(
    body: Body, speed: FloatArray, grade: FloatArray, conditions: Conditions, rng: np.random.Generator
) -> FloatArray:
    minutes = np.arange(len(speed)) * STEP_S / 60
    effort = speed * grade_cost(grade)
    heat = HEAT_BPM_PER_C * max(0.0, conditions.temperature_c - 12.0)
    target = body.easy_heart_rate_bpm + body.slope_bpm_per_m_s * (effort - body.easy_speed_m_s)
    target += HARD_BPM * np.maximum(0.0, effort / body.easy_speed_m_s - HARD_FROM)
    target += conditions.offset_bpm + heat + conditions.drift_bpm_per_min * np.maximum(0.0, minutes - 10)
    target -= SLOW_COMPONENT_BPM * np.exp(-minutes / 3)
    room = (body.maximum_bpm - target) / (body.maximum_bpm - body.easy_heart_rate_bpm)
    target += conditions.strain_bpm * np.clip(room, 0.0, 1.0) * np.clip(minutes - 4, 0.0, 1.0)
    standing = body.resting_bpm + STANDING_ABOVE_REST_BPM
    target = np.maximum(target, standing)
    target = body.maximum_bpm - 4 * np.logaddexp(
        0.0, (body.maximum_bpm - target) / 4
    )  # nears the maximum, never passes
    heart = lagged(target, standing, HEART_LAG_S / STEP_S)
    return heart + smooth_noise(rng, len(speed), conditions.wobble_bpm, 150 / STEP_S)


def _record(done: Effort, conditions: Conditions, rng: np.random.Generator) -> Trace:
    """What the watch keeps: once a second, rounded as Strava rounds, with GPS and altimeter noise."""
    index, speed, grade, heart = done.segment, done.speed_m_s, done.grade, done.heart_rate_bpm
    n = len(speed) * STEP_S
    grid, time = np.arange(len(speed)) * STEP_S + STEP_S / 2, np.arange(n, dtype=float)
    stopped = np.repeat(speed == 0, STEP_S)
    true_speed = np.where(stopped, 0.0, np.interp(time, grid, speed))
    measured = true_speed * np.maximum(0.2, 1 + smooth_noise(rng, n, conditions.gps_cv, 12))
    climbed = np.cumsum(np.repeat(grade, STEP_S) * true_speed)
    altitude = 60 + climbed + smooth_noise(rng, n, conditions.altimeter_m, 40)
    steps = 80 + 7 * (true_speed - 2.9) + smooth_noise(rng, n, 0.8, 15)
    cadence = np.asarray(np.round(np.where(stopped, 0.0, steps)), dtype=np.float64)
    beats = np.interp(time, grid, heart) + rng.normal(0, 0.5, n) + conditions.sensor_bpm
    pulse = misread(np.clip(np.round(beats), 35, 230), cadence, conditions.faults, rng)
    warmth = thermometer(conditions, n, rng)
    moving = ~stopped
    keep = moving if conditions.auto_pause else np.ones(n, dtype=bool)
    return Trace(
        time_s=time[keep],
        distance_m=np.round(np.cumsum(measured), 1)[keep],
        altitude_m=(np.round(altitude * 5) / 5)[keep],
        speed_m_s=np.round(measured, 3)[keep],
        grade_percent=np.round(_grade_smooth(altitude, measured), 1)[keep],
        cadence_rpm=cadence[keep],
        moving=moving[keep].astype(float),
        segment=np.repeat(index, STEP_S)[keep],
        heart_rate_bpm=None if pulse is None else pulse[keep],
        temperature_c=None if warmth is None else warmth[keep],
    )


def _grade_smooth(altitude: FloatArray, speed: FloatArray) -> FloatArray:
    """Percent over the last and next 15 s, as Strava's `grade_smooth` roughly is; 0 where hardly moving."""
    half = 15
    if len(altitude) <= 2 * half:
        return np.zeros(len(altitude))
    padded_alt, padded_way = np.pad(altitude, half, mode="edge"), np.pad(np.cumsum(speed), half, mode="edge")
    rise, way = padded_alt[2 * half :] - padded_alt[: -2 * half], padded_way[2 * half :] - padded_way[: -2 * half]
    return np.asarray(np.clip(np.where(way > 10, 100 * rise / np.maximum(way, 10), 0.0), -40, 40))


def thermometer(conditions: Conditions, n: int, rng: np.random.Generator) -> FloatArray | None:
    """The air's temperature, or a wrist-warmed one (begins indoors, ends some degrees above the air), or none."""
    warming = rng.uniform(3, 7)
    if conditions.thermometer == "none":
        return None
    if conditions.thermometer == "true":
        return np.full(n, np.round(conditions.temperature_c))
    warmed = conditions.temperature_c + warming
    return np.round(warmed + (26 - warmed) * np.exp(-np.arange(n) / 360))
