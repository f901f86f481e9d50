"""Simulated runners as the detectors see them: weeks of `Run` values with a known truth, seeded.

Two worlds. *Quiet*: regular weeks and little noise. *Realistic*: residuals of easy heart rate, pace, volume and run
days like those of real watches (a level that wanders, outliers, irregular weeks, sessions sometimes misnamed).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from daemon.values import Control, EasyHeartRate, Run, Work

FIRST_DAY = date(2025, 1, 6)  # a Monday


@dataclass(frozen=True, slots=True)
class World:
    """Noise of one world: SDs in bpm and m/s, shares as such."""

    run_days: tuple[int, int]
    noise_bpm: tuple[float, float]
    wander_bpm: tuple[float, float]
    pace_sd: tuple[float, float]
    slope: tuple[float, float]
    volume_sd: tuple[float, float]
    skip: float
    outliers: float
    hard_seen: float
    easy_called_hard: float
    usable: float
    unevenness_sd: float = 0.12
    decoupling_sd: float = 2.0


QUIET = World((4, 5), (1.4, 1.9), (0.6, 1.0), (0.05, 0.05), (25, 25), (0.1, 0.2), 0.02, 0.01, 0.97, 0.01, 0.97)
REAL = World(
    (3, 4), (2.2, 4.5), (2.0, 4.5), (0.11, 0.18), (17, 39), (0.3, 0.5), 0.15, 0.03, 0.9, 0.025, 0.85, 0.25, 3.5
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to the runner. Weeks count from the first; `rise_bpm` comes over ten days once intensity is in."""

    weeks: int = 64
    intensity_week: int | None = None
    change: str = "replaced"
    rise_bpm: float = 0.0
    tight: bool = False
    established: bool = False
    second_session_week: int | None = None
    run_day_week: int | None = None


def simulate(world: World, plan: Plan, seed: int) -> list[Run]:
    """All runs of one runner, oldest first."""
    rng = np.random.default_rng(seed)
    runner = _Runner(world, plan, rng, np.random.default_rng([seed, 1]))
    runs: list[Run] = []
    for week in range(plan.weeks):
        volume = float(np.exp(rng.normal(0, runner.volume_sd)))
        for weekday, kind in runner.week(week):
            if rng.random() < world.skip and kind != "intervals":
                continue
            day = FIRST_DAY + timedelta(days=7 * week + weekday)
            runs.append(runner.run(len(runs) + 1, day, kind, volume))
    return runs


class _Runner:
    """One body and its habits."""

    def __init__(self, world: World, plan: Plan, rng: np.random.Generator, more: np.random.Generator) -> None:
        self.world, self.plan, self.rng, self.more = world, plan, rng, more
        self.unevenness, self.decoupling = more.uniform(0.03, 0.08), more.uniform(1, 5)
        self.days = int(rng.integers(world.run_days[0], world.run_days[1] + 1))
        self.noise = rng.uniform(*world.noise_bpm)
        self.wander_sd = rng.uniform(*world.wander_bpm)
        self.pace_sd = rng.uniform(*world.pace_sd)
        self.slope = rng.uniform(*world.slope)
        self.volume_sd = rng.uniform(*world.volume_sd)
        self.level, self.pace = rng.uniform(135, 155), rng.uniform(2.6, 3.1)
        self.wander = rng.normal(0, self.wander_sd)

    def week(self, week: int) -> list[tuple[int, str]]:
        """Weekday and kind of each run of the week: easy runs spread out, the long run on Sunday."""
        easy = [1, 3, 5, 2, 4][: self.days - 1]
        kinds = {day: "easy" for day in easy} | {6: "long"}
        plan = self.plan
        began = plan.intensity_week is not None and week >= plan.intensity_week
        if plan.established or began:
            kinds[1] = "intervals"
            if plan.change == "added" and began:
                free = next(day for day in (2, 4, 5, 0) if day not in kinds)
                kinds[free] = "easy"
        if began and plan.tight:
            kinds |= {3: "tempo", 5: "tempo"}
        if plan.second_session_week is not None and week >= plan.second_session_week:
            kinds |= {5: "tempo"}
        if plan.run_day_week is not None and week >= plan.run_day_week:
            free = next(day for day in (2, 4, 5, 0) if day not in kinds)
            kinds[free] = "easy"
            kinds[1] = "intervals"
        return sorted(kinds.items())

    def run(self, number: int, day: date, kind: str, volume: float) -> Run:
        rng, world = self.rng, self.world
        minutes = float({"easy": 45, "long": 80, "intervals": 50, "tempo": 50}[kind] * volume * rng.uniform(0.9, 1.1))
        really_hard = kind in ("intervals", "tempo")
        hard = rng.random() < (world.hard_seen if really_hard else world.easy_called_hard)
        usable = not really_hard and rng.random() < (world.usable if not hard else 0.3)
        start = datetime(day.year, day.month, day.day, 7, tzinfo=UTC) + timedelta(minutes=float(rng.normal(0, 50)))
        hard_minutes = 22.0 if hard else 0.0
        speed = self.pace + (0.1 if really_hard else rng.normal(0, self.pace_sd))
        return Run(
            id=number,
            start=start,
            end=start + timedelta(minutes=minutes),
            day=day,
            hour=start.hour + start.minute / 60,
            sport="Run",
            name=kind,
            kind=(kind if really_hard else "intervals") if hard else ("long" if kind == "long" else "easy"),  # type: ignore[arg-type]
            hard=hard,
            distance_m=60 * minutes * speed,
            moving_s=60 * minutes,
            load=(minutes - hard_minutes) * float((speed / self.pace) ** 2) + 1.5 * hard_minutes,
            easy_minutes=minutes - hard_minutes,
            hard_minutes=hard_minutes,
            easy=self.easy(day, speed, minutes) if usable else None,
            left_out=None if usable else ("hard session" if hard else "too little steady running"),
            device="Watch",
            perceived_exertion=float(np.clip(round(self.more.normal(7 if really_hard else 3, 0.7)), 1, 10)),
            control=None if hard or really_hard else self.control(speed, minutes),
            work=self.work(hard_minutes) if hard and really_hard else None,
        )

    def control(self, speed: float, minutes: float) -> Control:
        more, world = self.more, self.world
        uneven = self.unevenness * float(np.exp(more.normal(0, world.unevenness_sd)))
        drift = float(more.normal(self.decoupling, world.decoupling_sd))
        return Control(float(speed), uneven, drift if minutes >= 40 else None)

    def work(self, minutes: float) -> Work:
        more = self.more
        speed = 1.3 * self.pace * float(np.exp(more.normal(0, 0.02)))
        return Work(60 * minutes, speed, float(more.normal(170, 3)), float(more.normal(-0.01, 0.015)))

    def easy(self, day: date, speed: float, minutes: float) -> EasyHeartRate:
        rng = self.rng
        self.wander = 0.94 * self.wander + rng.normal(0, self.wander_sd * np.sqrt(1 - 0.94**2))
        noise = self.noise * rng.standard_t(5) / np.sqrt(5 / 3)
        if rng.random() < self.world.outliers:
            noise += rng.choice([-1, 1]) * rng.normal(11, 3)
        bpm = self.level + self.slope * (speed - self.pace) + self.wander + noise + self.rise(day)
        seen = speed + rng.normal(0, 0.01)
        return EasyHeartRate(float(bpm), float(seen), min(minutes, 45) - 10, float(rng.uniform(0.5, 1.5)))

    def rise(self, day: date) -> float:
        """Bpm that strain adds on `day`: a ten-day ramp that starts with the first hard week."""
        if self.plan.intensity_week is None:
            return 0.0
        gone = (day - FIRST_DAY).days - 7 * self.plan.intensity_week
        return self.plan.rise_bpm * min(max(gone / 10, 0.0), 1.0)


def with_sensor(runs: Iterable[Run], first: date, device: str, offset_bpm: float) -> list[Run]:
    """The same runs, recorded by another sensor from `first` on that reads `offset_bpm` higher."""
    out = []
    for run in runs:
        if run.day >= first:
            easy = replace(run.easy, bpm=run.easy.bpm + offset_bpm) if run.easy else None
            run = replace(run, device=device, easy=easy)  # noqa: PLW2901
        out.append(run)
    return out
