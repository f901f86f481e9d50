"""What may happen to a simulated runner, and whether training was to blame: the scenarios of SCIENCE.md's table."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal
from zlib import crc32

import numpy as np

from daemon.simulator.events import (
    Event,
    FasterEasy,
    FaultySensor,
    HardBikeWeeks,
    HeatWave,
    Hills,
    LayOff,
    LutealPhase,
    NewDevice,
    OneSession,
    SpeedWork,
    Strain,
    Warming,
)
from daemon.values import Change, Kind
from tests.benchmarks.lives import Runner

Blame = Literal["innocent", "guilty", "neither"]
SUNDAY = 6


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens: `base` from the first day on, `events` from a week before the event on.

    `introduced_on` is the day of the first hard session where intensity comes; `strained_on` the day from which
    training costs too much, or easy runs are run too fast. `established` where hard running was there from the first
    day on.
    """

    events: tuple[Event, ...] = ()
    base: tuple[Event, ...] = ()
    introduced_on: date | None = None
    change: Change | None = None
    strained_on: date | None = None
    days_after: int = 56
    established: bool = False


Happens = Callable[[Runner, np.random.Generator], Plan]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A name, who is to blame, and what happens to a runner. `intensity` says that absorbed intensity came as well."""

    name: str
    blame: Blame
    happens: Happens
    intensity: bool = False

    def plan(self, runner: Runner) -> Plan:
        """What happens to this runner; the same for the same seed."""
        return self.happens(runner, np.random.default_rng([runner.seed, crc32(self.name.encode())]))


def some_change(rng: np.random.Generator) -> Change:
    return "added" if rng.random() < 0.5 else "replaced"


def some_kind(rng: np.random.Generator) -> Kind:
    return "intervals" if rng.random() < 0.5 else "tempo"


def speed_work(runner: Runner, kind: Kind, change: Change, begin: date | None = None) -> SpeedWork:
    """A hard session a week from the event on: away from the long run, in the room of an easy run or on a free day."""
    weekday = _easy_day(runner) if change == "replaced" else _free_day(runner)
    instead = weekday if change == "replaced" else None
    return SpeedWork(begin or runner.event, kind, weekday, 50.0, instead, missed=_missed(runner))


def _missed(runner: Runner) -> float:
    """The share of hard sessions that isn't run: who keeps few of the runs planned misses some of these, too."""
    return 0.3 * runner.spec.life.skipped


def _run_days(runner: Runner) -> list[int]:
    return [weekday for weekday, _ in runner.spec.week]


def _easy_day(runner: Runner) -> int:
    return next(day for day in (2, 1, 3) if day in _run_days(runner))


def _free_day(runner: Runner) -> int:
    return next(day for day in (2, 3, 1, 4) if day not in _run_days(runner))


def first_session(work: SpeedWork) -> date:
    return work.begin + timedelta(days=(work.weekday - work.begin.weekday()) % 7)


def _introduced(runner: Runner, rng: np.random.Generator, change: Change, *more: Event) -> Plan:
    work = speed_work(runner, some_kind(rng), change)
    return Plan((work, *more), introduced_on=first_session(work), change=change)


def _stable(runner: Runner, rng: np.random.Generator) -> Plan:
    return Plan()


def _replaced(runner: Runner, rng: np.random.Generator) -> Plan:
    return _introduced(runner, rng, "replaced")


def _added(runner: Runner, rng: np.random.Generator) -> Plan:
    return _introduced(runner, rng, "added")


def _something_else(what: Callable[[Runner, date], Event], *, intensity: bool) -> Happens:
    """An innocent change within a week before and two weeks after the event, with absorbed intensity or without."""

    def happens(runner: Runner, rng: np.random.Generator) -> Plan:
        event = what(runner, runner.event + timedelta(days=int(rng.integers(-7, 15))))
        plan = _introduced(runner, rng, some_change(rng), event) if intensity else Plan((event,))
        return replace(plan, strained_on=event.begin) if isinstance(event, FasterEasy) else plan

    return happens


def _ramp(bpm: float) -> Happens:
    """Strain over one to two weeks, from up to two weeks after intensity came; up to half of it shows as lost pace."""

    def happens(runner: Runner, rng: np.random.Generator) -> Plan:
        change, late, days = some_change(rng), int(rng.integers(0, 15)), int(rng.integers(7, 15))
        plan = _introduced(runner, rng, change)
        begin = (plan.introduced_on or runner.event) + timedelta(days=late)
        slope = runner.spec.body.slope_bpm_per_m_s
        strain = Strain(begin, bpm, days, as_pace=float(rng.uniform(0, 0.5)), slope_bpm_per_m_s=slope)
        after = (begin - runner.event).days + 56
        return Plan((*plan.events, strain), (), plan.introduced_on, change, begin, after)

    return happens


def _three_hard_days(runner: Runner, rng: np.random.Generator) -> Plan:
    """Hard on Tuesday, Thursday and Saturday, the day before the long run; easy runs make room, the load rises."""
    kinds: tuple[tuple[int, Kind], ...] = ((1, "intervals"), (3, "tempo"), (5, "intervals"))
    works = tuple(SpeedWork(runner.event, kind, day, 55.0, day, missed=_missed(runner)) for day, kind in kinds)
    return Plan(works, introduced_on=first_session(works[0]), strained_on=runner.event)


def _always_hard(runner: Runner) -> SpeedWork:
    """A hard session a week since the first day."""
    kind = some_kind(np.random.default_rng([runner.seed, 11]))
    return speed_work(runner, kind, "replaced", runner.first)


def _second_session(runner: Runner, rng: np.random.Generator) -> Plan:
    """On top of a hard session a week since the first day a second one, the day before the long run."""
    second = SpeedWork(runner.event, some_kind(rng), 5, 50.0, 5, missed=_missed(runner))
    return Plan((second,), (_always_hard(runner),), strained_on=first_session(second), established=True)


def _established(runner: Runner, rng: np.random.Generator) -> Plan:
    return Plan(base=(_always_hard(runner),), established=True)


def _cycle(*, intensity: bool) -> Happens:
    """A cycle as it always was, whose second half costs 2 to 4 bpm more."""

    def happens(runner: Runner, rng: np.random.Generator) -> Plan:
        own = np.random.default_rng([runner.seed, 12])
        luteal = LutealPhase(runner.first - timedelta(days=int(own.integers(28))), bpm=float(own.uniform(2, 4)))
        plan = _introduced(runner, rng, some_change(rng)) if intensity else Plan()
        return replace(plan, base=(luteal,))

    return happens


def _faster(runner: Runner, begin: date) -> Event:
    return FasterEasy(begin, m_s=0.1 * runner.spec.body.easy_speed_m_s, days=7)


def _mixed(runner: Runner, rng: np.random.Generator) -> Plan:
    """Every kind of session, of any length, every other day: for what sessions are called."""
    kinds: tuple[Kind, ...] = ("tempo", "intervals", "hills", "race", "strides", "easy", "easy", "easy", "long")
    lengths = {"race": (20, 60), "long": (80, 120), "easy": (25, 70), "strides": (35, 60)}
    events = []
    for day in range(0, 56, 2):
        kind = kinds[int(rng.integers(len(kinds)))]
        minutes = float(rng.uniform(*lengths.get(kind, (40, 75))))
        events.append(OneSession(runner.event + timedelta(days=day), kind, minutes))
    return Plan(tuple(events))


ELSE: dict[str, Callable[[Runner, date], Event]] = {
    "heat wave": lambda runner, begin: HeatWave(begin, warmer_c=10.0),
    "hills": lambda runner, begin: Hills(begin),
    "lay-off": lambda runner, begin: LayOff(begin),
    "new sensor": lambda runner, begin: NewDevice(begin, bpm=5.0),
    "faulty sensor": lambda runner, begin: FaultySensor(begin),
    "hard bike weeks": lambda runner, begin: HardBikeWeeks(begin),
    "faster easy runs": _faster,
    "summer warming up": lambda runner, begin: Warming(begin, days=49, warmer_c=9.0),
}

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("stable", "innocent", _stable),
    Scenario("established", "innocent", _established),
    Scenario("absorbed, replaced", "innocent", _replaced, intensity=True),
    Scenario("absorbed, added", "innocent", _added, intensity=True),
    Scenario("luteal phase", "innocent", _cycle(intensity=False)),
    Scenario("luteal phase, absorbed", "innocent", _cycle(intensity=True), intensity=True),
    *(Scenario(name, "innocent", _something_else(what, intensity=False)) for name, what in ELSE.items()),
    *(
        Scenario(f"{name}, absorbed", "innocent", _something_else(what, intensity=True), intensity=True)
        for name, what in ELSE.items()
    ),
    *(Scenario(f"+{bpm} bpm", "guilty", _ramp(float(bpm))) for bpm in (3, 5, 8)),
    Scenario("three hard days", "guilty", _three_hard_days),
    Scenario("second hard session", "neither", _second_session),
    Scenario("every kind of session", "neither", _mixed),
)

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}

SHORT = tuple(
    BY_NAME[name]
    for name in (
        "stable",
        "absorbed, replaced",
        "absorbed, added",
        "faster easy runs",
        "new sensor, absorbed",
        "heat wave, absorbed",
        "+5 bpm",
        "+8 bpm",
        "three hard days",
        "second hard session",
        "every kind of session",
    )
)
"""The scenarios of the short form: enough for every floor."""
