"""Frozen values that travel between rooms. They hold facts and readings, and decide nothing."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

RUN_SPORTS = frozenset({"Run", "TrailRun", "VirtualRun"})

UNKNOWN_SPORTS = frozenset({"Unknown", "Workout"})
"""What Strava and files give where the sport isn't told: it may be any."""

Kind = Literal["easy", "long", "tempo", "intervals", "hills", "race", "strides", "other"]
Level = Literal["ok", "watch", "alert"]
State = Literal["learning", "stable", "absorbing", "watch", "pull_back", "recovering"]
Change = Literal["added", "replaced", "unclear"]
Feel = Literal["easy", "normal", "heavy", "forced"]
Cause = Literal["deleted", "edited", "recorded", "answered", "judged"]
Reason = Literal[
    "ill",
    "race",
    "heat",
    "altitude",
    "travel",
    "sensor",
    "medication",
    "company",
    "cycle",
    "life",
    "fine",
    "new-normal",
]


@dataclass(frozen=True, slots=True)
class Lap:
    """One lap as the watch marked it."""

    elapsed_s: float
    moving_s: float
    distance_m: float
    average_heart_rate_bpm: float | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """What is known of one activity without its streams.

    `start` is aware UTC; `utc_offset_s` leads to the runner's wall clock. `start_obscured` is true where Strava
    hides the start (00:00:01 local): the day is known, the time of day isn't. `sport` is Strava's `sport_type`,
    also when we never heard of it. `offset_guessed` is true where no source told the offset: other runs nearby did.
    """

    id: int
    athlete_id: int
    name: str
    sport: str
    start: datetime
    utc_offset_s: int
    distance_m: float
    moving_time_s: int
    elapsed_time_s: int
    timezone: str | None = None
    start_obscured: bool = False
    elevation_gain_m: float | None = None
    has_heart_rate: bool = False
    average_heart_rate_bpm: float | None = None
    max_heart_rate_bpm: float | None = None
    average_temperature_c: float | None = None
    trainer: bool = False
    manual: bool = False
    private: bool = False
    workout_type: int | None = None
    device: str | None = None
    athlete_count: int = 1
    perceived_exertion: float | None = None
    laps: tuple[Lap, ...] = ()
    weather_temperature_c: float | None = None
    dew_point_c: float | None = None
    source: str = "strava"
    offset_guessed: bool = False

    @property
    def end(self) -> datetime:
        """When it ended, aware UTC."""
        return self.start + timedelta(seconds=self.elapsed_time_s)

    @property
    def day(self) -> date:
        """The local calendar day on which it ended: the first day whose verdict may use it."""
        return (self.end + timedelta(seconds=self.utc_offset_s)).date()

    @property
    def is_run(self) -> bool:
        return self.sport in RUN_SPORTS


@dataclass(frozen=True, slots=True, eq=False)
class Streams:
    """One recording at the watch's own rate: arrays of one length, NaN for a missing value, None for a missing stream.

    `time_s` counts seconds from the start, never falls, and may jump (pauses, smart recording). Cadence is per leg,
    steps per minute of one foot, as Strava gives it. `moving` is 1.0, 0.0 or NaN.
    """

    time_s: FloatArray
    distance_m: FloatArray | None = None
    altitude_m: FloatArray | None = None
    speed_m_s: FloatArray | None = None
    heart_rate_bpm: FloatArray | None = None
    cadence_rpm: FloatArray | None = None
    temperature_c: FloatArray | None = None
    moving: FloatArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """One activity as a file has it. `streams` is None where the file holds no recording of it.

    `activity.utc_offset_s` is a guess where `offset_known` is false: the file doesn't tell the runner's wall clock.
    `lost` says in a few words what of the file isn't here and why, None where all of it is.
    """

    activity: Activity
    streams: Streams | None
    offset_known: bool
    lost: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One run as 5-second means of cleaned data: what is kept, and all that metrics are computed from.

    Arrays have one row per 5 s of elapsed time from the start (pauses included, as NaN). Values are rounded to what
    the store keeps, so that metrics made now and metrics made from the store in a year are the same numbers.
    `flags` holds the bits of `daemon.metrics.flags` (why heart rate was dropped, stopped, …).
    """

    speed_m_s: FloatArray
    grade: FloatArray
    heart_rate_bpm: FloatArray
    cadence_rpm: FloatArray
    altitude_m: FloatArray
    temperature_c: FloatArray
    flags: NDArray[np.uint8]
    step_s: int = 5


@dataclass(frozen=True, slots=True)
class EasyHeartRate:
    """What easy running cost in one run: mean heart rate over its steady easy running, and the pace it belongs to.

    `bpm` is brought to a common minute of the run (drift taken out) but not to a common pace: that needs the
    runner's own slope. `speed_m_s` is the grade-adjusted speed that drove that heart rate (lagged). `se_bpm` is
    the standard error of `bpm` from this run alone. `minutes` is how much steady running it rests on.
    """

    bpm: float
    speed_m_s: float
    minutes: float
    se_bpm: float
    drift_bpm_per_min: float | None = None
    temperature_c: float | None = None


@dataclass(frozen=True, slots=True)
class Control:
    """How an easy or long run was held together, whatever its heart rate was used for.

    `speed_m_s` is the mean grade-adjusted speed of its settled minutes on easy running. `unevenness` is the coefficient
    of variation of those minutes' grade-adjusted speed (0.05 = 5 %). `decoupling` is aerobic decoupling in percent
    (efficiency factor of the first half over that of the second, less one), None without heart rate or under 40 min.
    """

    speed_m_s: float
    unevenness: float | None = None
    decoupling: float | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """The hard part of a hard session: how long (s), how fast (grade-adjusted m/s), and what it cost (bpm).

    `fade` is the speed of the last third of the repetitions against the first third, less one (-0.03 = 3 % slower);
    in a tempo the last third of its time against the first. None where there is too little to say.
    """

    seconds: float
    speed_m_s: float
    bpm: float | None = None
    fade: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the runner said of some days, `first` to `last` with both.

    The days leave the norm; "new-normal" starts another norm on `first` instead, and "fine" closes the episode that
    is open on `first` and takes no day out.
    """

    id: int
    reason: Reason
    first: date
    last: date
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """One activity as the detectors see it: classified and measured against the runner's own usual of that time.

    `load` is in easy minutes: one minute at the runner's easy speed counts 1 (heart rate plays no part in it).
    `day` is the local day it ended. `air_c` is the air as it felt (°C) where the weather is known. `easy` is None where
    the run says nothing about easy heart rate, and then `left_out` says why in a few words. Other sports appear with
    kind "other" and never have `easy`.
    """

    id: int
    start: datetime
    end: datetime
    day: date
    hour: float | None
    sport: str
    name: str
    kind: Kind
    hard: bool
    distance_m: float
    moving_s: float
    load: float
    easy_minutes: float
    hard_minutes: float
    easy: EasyHeartRate | None
    left_out: str | None
    device: str | None = None
    trainer: bool = False
    perceived_exertion: float | None = None
    trust: Literal["streams", "summary"] = "streams"
    notes: tuple[str, ...] = ()
    control: Control | None = None
    work: Work | None = None
    feel: Feel | None = None
    air_c: float | None = None

    @property
    def is_run(self) -> bool:
        return self.sport in RUN_SPORTS


@dataclass(frozen=True, slots=True)
class Intensity:
    """One spell of hard running: when it came, how much of it, and whether the week made room.

    `introduced_on` is None with `established` true where hard running was there from the first run on. `ended_on`
    is the day of the last hard session once none has followed for long enough.
    """

    introduced_on: date | None
    established: bool
    sessions: int
    per_week: float
    change: Change
    ended_on: date | None = None


@dataclass(frozen=True, slots=True)
class Week:
    """Seven local days from `first` on, and what such a week usually holds: the middle one of up to eight before it.

    `load` is in easy minutes, `minutes` is moving time of runs. `hard_days` had a hard session of any sport,
    `rest_days` no activity at all. The usual is 0 where no whole week before is known.
    """

    first: date
    runs: int
    run_days: int
    minutes: float
    usual_minutes: float
    load: float
    usual_load: float
    hard_days: int
    usual_hard_days: float
    rest_days: int


@dataclass(frozen=True, slots=True)
class Signal:
    """One detector's reading on one day. `score` grows with concern, in the unit the detector's file states.

    `family` groups detectors that can be tripped by one cause: "response", "load", "spacing", "control" or "felt";
    the verdict asks for evidence from more than one. "" raises no concern by itself.

    `evidence` is JSON-ready: numbers behind the score, `runs` (ids compared) and `excluded` ([{id, why}]).
    """

    name: str
    level: Level
    score: float
    summary: str
    since: date | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    family: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """All detectors on one day. `missing` says what is lacking for a judgement, or is None.

    `fine_on` is the last day up to this one on which the runner called what was open fine. `idle_days` have passed
    since the day of the last run: 0 where there was one today, or none ever.
    """

    day: date
    signals: tuple[Signal, ...]
    intensity: tuple[Intensity, ...]
    missing: str | None = None
    fine_on: date | None = None
    idle_days: int = 0

    def signal(self, name: str) -> Signal | None:
        return next((s for s in self.signals if s.name == name), None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The joint judgement of one day. `memory` is what the next day's decision needs to know, JSON-ready."""

    day: date
    state: State
    since: date
    headline: str
    advice: tuple[str, ...]
    signals: tuple[Signal, ...]
    intensity: tuple[Intensity, ...]
    memory: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReplayedDay:
    """What a replay keeps of one day: its state, and the name, level and score of each signal.

    All that a verdict says is far more, and after ten years would be most of the memory there is.
    """

    day: date
    state: State
    signals: tuple[tuple[str, Level, float], ...]
