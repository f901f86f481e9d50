"""Synthetic runners with a known truth: who they are, how noisy their life is, and what they ran between two dates.

Deterministic from the seed: a longer simulation from the same start begins with the shorter one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import numpy as np

from daemon.simulator.events import Event, Today
from daemon.simulator.physiology import Body, Conditions, Thermometer
from daemon.simulator.recording import SimulatedActivity, Truth
from daemon.simulator.sensor import SensorFaults
from daemon.simulator.sessions import Session, segments

WorldName = Literal["quiet", "realistic"]

DEFAULT_WEEK = (
    (1, Session("easy", 45)),
    (2, Session("easy", 50)),
    (3, Session("easy", 45)),
    (5, Session("easy", 40)),
    (6, Session("long", 85, hour=9.0)),
)
RIDE = Body(easy_speed_m_s=7.5, easy_heart_rate_bpm=128.0, slope_bpm_per_m_s=12.0)


@dataclass(frozen=True, slots=True)
class Noise:
    """How untidy a life is. Standard deviations unless said otherwise.

    The level of the body wanders (`wander_bpm` around its mean, forgotten over `wander_days`), each run is off by
    `run_bpm`, and a share of `outliers` by 10 ± 8 more. The pace of easy running wanders as slowly by
    `pace_wander_m_s`, and from run to run by `pace_m_s`. Weeks vary by `week_log`, runs by `run_log` (log minutes); a
    share `skipped` of the plan isn't run. The rest goes to `Conditions`.
    """

    wander_bpm: float
    wander_days: float
    run_bpm: float
    outliers: float
    pace_m_s: float
    pace_cv: float
    gps_cv: float
    drift_bpm_per_min: float
    wobble_bpm: float
    altimeter_m: float
    week_log: float
    run_log: float
    skipped: float
    stops_per_hour: float
    thermometer: Thermometer
    faults: SensorFaults = field(default_factory=SensorFaults)
    pace_wander_m_s: float = 0.0


WORLDS: dict[WorldName, Noise] = {
    "quiet": Noise(
        wander_bpm=1.2,
        wander_days=10,
        run_bpm=1.65,
        outliers=0.01,
        pace_m_s=0.05,
        pace_cv=0.012,
        gps_cv=0.02,
        drift_bpm_per_min=0.02,
        wobble_bpm=0.6,
        altimeter_m=0.1,
        week_log=0.14,
        run_log=0.1,
        skipped=0.06,
        stops_per_hour=0.5,
        thermometer="true",
    ),
    "realistic": Noise(
        wander_bpm=5.7,
        wander_days=45,
        run_bpm=3.0,
        outliers=0.02,
        pace_m_s=0.14,
        pace_cv=0.045,
        gps_cv=0.06,
        drift_bpm_per_min=0.1,
        wobble_bpm=2.2,
        altimeter_m=0.5,
        week_log=0.45,
        run_log=0.2,
        skipped=0.35,
        stops_per_hour=2.5,
        thermometer="wrist",
        faults=SensorFaults(dropout=0.03, cadence_lock=0.015, cold_start=0.03, spikes=0.03, missing=0.03),
    ),
}


@dataclass(frozen=True, slots=True)
class RunnerSpec:
    """A runner. `week` is (weekday, session) with 0 for Monday; the year's temperature is `warmth_c` ± `season_c`.

    `noise` overrides the named `world`; `grade_sd` is the relief of the home ground (a fraction).
    """

    seed: int = 1
    body: Body = field(default_factory=Body)
    world: WorldName = "quiet"
    noise: Noise | None = None
    week: tuple[tuple[int, Session], ...] = DEFAULT_WEEK
    utc_offset_s: int = 3600
    timezone: str = "Etc/GMT-1"
    warmth_c: float = 10.0
    season_c: float = 8.0
    grade_sd: float = 0.01
    device: str = "Garmin Forerunner 265"
    auto_pause: bool = False
    rates_effort: bool = False

    @property
    def life(self) -> Noise:
        return self.noise or WORLDS[self.world]


def some_runner(seed: int, world: WorldName = "realistic") -> RunnerSpec:
    """A runner drawn at random: body, week (3 to 5 planned run days) and watch differ from seed to seed.

    In the realistic world so does the noise (see `some_noise`).
    """
    rng = np.random.default_rng([seed, 99])
    realistic = world == "realistic"
    body = Body(
        easy_speed_m_s=round(rng.uniform(2.5, 3.3), 2),
        easy_heart_rate_bpm=round(rng.uniform(134, 148)),
        slope_bpm_per_m_s=round(rng.uniform(17, 39) if realistic else rng.uniform(22, 34), 1),
        resting_bpm=round(rng.uniform(45, 60)),
        maximum_bpm=round(rng.uniform(180, 198)),
    )
    kept = sorted(rng.choice(4, size=int(rng.integers(2, 5)), replace=False))
    return RunnerSpec(
        seed=seed,
        body=body,
        world=world,
        noise=some_noise(rng, planned=len(kept) + 1) if realistic else None,
        week=(*(DEFAULT_WEEK[i] for i in kept), DEFAULT_WEEK[-1]),
        auto_pause=bool(rng.random() < 0.5),
        grade_sd=float(rng.uniform(0.006, 0.016)),
    )


def some_noise(rng: np.random.Generator, planned: int) -> Noise:
    """A realistic life drawn at random, for a runner who plans `planned` runs a week and keeps 2 to 3.5 of them.

    The ranges make the residuals of a hundred runners spread like those of the six watched ones [measured]: SD between
    successive runs 3.6-7.5 bpm, steps of 28-day means 2.8-7.6, pace .11-.18 m/s, log volume .59-.85, and so on.
    """
    kept = rng.uniform(2.0, min(3.5, 0.95 * planned))
    faults = WORLDS["realistic"].faults
    return replace(
        WORLDS["realistic"],
        wander_bpm=float(np.exp(rng.uniform(np.log(3.8), np.log(8.5)))),
        wander_days=float(np.exp(rng.uniform(np.log(30), np.log(100)))),
        run_bpm=float(rng.uniform(1.8, 4.4)),
        outliers=float(rng.uniform(0.0, 0.06)),
        pace_m_s=float(rng.uniform(0.07, 0.12)),
        pace_wander_m_s=float(rng.uniform(0.06, 0.14)),
        pace_cv=float(rng.uniform(0.022, 0.062)),
        gps_cv=float(rng.uniform(0.03, 0.08)),
        drift_bpm_per_min=float(rng.uniform(0.05, 0.17)),
        wobble_bpm=float(rng.uniform(1.4, 2.8)),
        altimeter_m=float(rng.uniform(0.3, 0.8)),
        week_log=float(rng.uniform(0.45, 0.72)),
        run_log=float(rng.uniform(0.15, 0.3)),
        skipped=float(1.0 - kept / planned),
        stops_per_hour=float(rng.uniform(0.5, 5.0)),
        thermometer="none" if rng.random() < 0.5 else "wrist",
        faults=SensorFaults(*(float(rng.uniform(0.0, 2.0)) * chance for chance in astuple(faults))),
    )


@dataclass(frozen=True, slots=True)
class Form:
    """Where the body stands on a day: what easy running costs beyond its mean, and how much faster it is run."""

    bpm: float
    m_s: float


def simulate(
    spec: RunnerSpec, start: date, end: date, events: Sequence[Event] = (), since: date | None = None
) -> list[SimulatedActivity]:
    """What the runner ran from `start` until before `end`, oldest first. Streams are made when they are read.

    `since` leaves out what was run before that day: the part of a life that events change, without the rest of it.
    """
    days = _days(spec, start, end, events, since or start)
    activities = [a for today, form in days for a in _run_day(spec, today, form)]
    return sorted(activities, key=lambda a: a.start)


def _days(
    spec: RunnerSpec, start: date, end: date, events: Sequence[Event], since: date
) -> Iterator[tuple[Today, Form]]:
    """Each day from `since` with its plan, changed by the events, and the runner's form, which began at `start`."""
    noise = spec.life
    keep = float(np.exp(-1 / noise.wander_days))
    new = float(np.sqrt(1 - keep**2))
    rng = np.random.default_rng([spec.seed, 1])
    form = Form(float(rng.normal(0, noise.wander_bpm)), float(rng.normal(0, noise.pace_wander_m_s)))
    day = start
    while day < end:
        rng = np.random.default_rng([spec.seed, day.toordinal()])
        bpm = keep * form.bpm + new * float(rng.normal(0, noise.wander_bpm))
        pace = float(rng.normal(0, noise.pace_wander_m_s)) if noise.pace_wander_m_s else 0.0
        form = Form(bpm, keep * form.m_s + new * pace)
        if day >= since:
            today = Today(day, _planned(spec, day, rng), spec.device, luck=float(rng.random()))
            for event in events:
                event.touch(today)
            yield today, form
        day += timedelta(1)


def _planned(spec: RunnerSpec, day: date, rng: np.random.Generator) -> list[Session]:
    noise = spec.life
    monday = day.toordinal() - day.weekday()
    week = float(np.exp(np.random.default_rng([spec.seed, monday, 2]).normal(0, noise.week_log)))
    planned = []
    for weekday, session in spec.week:
        skipped, stretch = rng.random() < noise.skipped, float(np.exp(rng.normal(0, noise.run_log)))
        if weekday == day.weekday() and not skipped:
            planned.append(replace(session, minutes=float(np.clip(session.minutes * week * stretch, 15, 200))))
    return planned


def _run_day(spec: RunnerSpec, today: Today, form: Form) -> Iterator[SimulatedActivity]:
    for number, session in enumerate(today.sessions):
        rng = np.random.default_rng([spec.seed, today.day.toordinal(), 10 + number])
        run = _one_run(spec, today, session, form, number, rng)
        yield run
        if today.uploaded_twice:
            yield _from_the_phone(run)


def _one_run(
    spec: RunnerSpec, today: Today, session: Session, form: Form, number: int, rng: np.random.Generator
) -> SimulatedActivity:
    conditions = _conditions(spec, today, session, form.bpm, rng)
    pace = form.m_s + float(rng.normal(0, spec.life.pace_m_s)) - (0.0 if session.hard else today.slower_m_s)
    minutes_late = today.hours_moved * 60 + float(rng.normal(0, 12))
    local = datetime.combine(today.day, datetime.min.time(), UTC) + timedelta(hours=session.hour, minutes=minutes_late)
    riding = session.sport == "Ride"
    body = replace(RIDE, resting_bpm=spec.body.resting_bpm, maximum_bpm=spec.body.maximum_bpm) if riding else spec.body
    exertion = {"race": 9.0, "intervals": 7.0, "hills": 7.0, "tempo": 6.0, "long": 4.0}.get(session.kind, 3.0)
    return SimulatedActivity(
        id=_id(spec.seed, today.day, number),
        start=(local - timedelta(seconds=spec.utc_offset_s)).replace(microsecond=0),
        utc_offset_s=spec.utc_offset_s,
        timezone=spec.timezone,
        session=session,
        body=body,
        segments=tuple(segments(session, body.easy_speed_m_s + pace)),
        conditions=conditions,
        device=today.device,
        exertion=min(10.0, round(exertion + today.exertion)) if spec.rates_effort else None,
        seed=(spec.seed, today.day.toordinal(), 20 + number),
        truth=Truth(
            kind="other" if riding else session.kind,
            hard=session.hard,
            strain_bpm=today.strain_bpm,
            offset_bpm=conditions.offset_bpm,
            temperature_c=conditions.temperature_c,
        ),
    )


def _conditions(spec: RunnerSpec, today: Today, session: Session, level: float, rng: np.random.Generator) -> Conditions:
    noise = spec.life
    outlier = float(rng.normal(10, 8)) if rng.random() < noise.outliers else 0.0
    season = np.cos(2 * np.pi * (today.day.timetuple().tm_yday - 200) / 365.25)
    outside = spec.warmth_c + spec.season_c * season + float(rng.normal(0, 2.5)) + today.warmer_c
    return Conditions(
        offset_bpm=level + float(rng.normal(0, noise.run_bpm)) + outlier + today.offset_bpm,
        strain_bpm=today.strain_bpm,
        sensor_bpm=today.sensor_bpm,
        drift_bpm_per_min=0.1 + float(rng.normal(0, noise.drift_bpm_per_min)),
        temperature_c=20.0 if session.treadmill else float(outside),
        thermometer=noise.thermometer,
        grade_sd=0.0 if session.treadmill else spec.grade_sd + today.steeper,
        pace_cv=noise.pace_cv,
        gps_cv=noise.gps_cv,
        wobble_bpm=noise.wobble_bpm,
        altimeter_m=0.0 if session.treadmill else noise.altimeter_m,
        stops_per_hour=0.0 if session.treadmill else noise.stops_per_hour,
        auto_pause=spec.auto_pause,
        faults=today.faults or noise.faults,
    )


def _from_the_phone(run: SimulatedActivity) -> SimulatedActivity:
    """The same run as a phone in the pocket recorded it: no heart rate, begun seconds later, coarser."""
    return replace(
        run,
        id=run.id + 5,
        start=run.start + timedelta(seconds=9),
        device="Strava App",
        conditions=replace(run.conditions, faults=SensorFaults(missing=1.0), thermometer="none", gps_cv=0.08),
        truth=replace(run.truth, double_of=run.id),
    )


def _id(seed: int, day: date, number: int) -> int:
    """Beyond 32 bits, as Strava's are; grows with the day."""
    return 10_000_000_000 + (seed % 10_000) * 10_000_000 + (day.toordinal() - 700_000) * 10 + number
