"""Simulated runners and their lives, measured by the real code: recordings in, judged runs out. Judges no day.

A runner's base is lived once and shared by all that may happen to the runner afterwards; what an event doesn't touch is
not measured twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from daemon.metrics import AthleteSettings, RunMetrics, judge_runs, measure
from daemon.simulator.coarse import record
from daemon.simulator.events import Event
from daemon.simulator.recording import SimulatedActivity, Truth
from daemon.simulator.runner import RunnerSpec, WorldName, simulate, some_runner
from daemon.values import Activity, Run

LEAD_DAYS = 7
"""How long before the event days may be touched and are looked at."""

WINDOW_DAYS = 56
"""How long after the event the runner is looked at."""

Measured = tuple[Activity, RunMetrics]


@dataclass(frozen=True, slots=True)
class Lived:
    """A life as the detectors get it, oldest first; by id, what really was the case and the average heart rate."""

    runs: list[Run]
    truths: dict[int, Truth]
    averages: dict[int, float]


class Runner:
    """One simulated runner: 36 to 44 weeks of base, an event, and what came of it."""

    def __init__(self, seed: int, world: WorldName) -> None:
        self.seed, self.world = seed, world
        self.spec: RunnerSpec = some_runner(seed, world)
        rng = np.random.default_rng([seed, 7])
        first = date(2024, 1, 1) + timedelta(weeks=int(rng.integers(0, 52)))
        self.first = first
        self.event = first + timedelta(weeks=int(rng.integers(36, 45)))
        self._measured: dict[SimulatedActivity, Measured] = {}
        self._bases: dict[tuple[Event, ...], list[tuple[Truth, Measured]]] = {}

    @property
    def touched(self) -> date:
        """The first day that may differ from the base."""
        return self.event - timedelta(days=LEAD_DAYS)

    def live(self, base: Sequence[Event], events: Sequence[Event], days_after: int = WINDOW_DAYS) -> Lived:
        """The life with the `base` events from the first day on, and with `events` from `touched` on."""
        end = self.event + timedelta(days=days_after)
        rest = simulate(self.spec, self.first, end, [*base, *events], since=self.touched)
        runs = [*self._base(tuple(base)), *((run.truth, self._measure(run)) for run in rest)]
        activities = [activity for _, (activity, _) in runs]
        return Lived(
            runs=judge_runs([measured for _, measured in runs], AthleteSettings()),
            truths={activity.id: truth for truth, (activity, _) in runs},
            averages={a.id: a.average_heart_rate_bpm for a in activities if a.average_heart_rate_bpm is not None},
        )

    def _base(self, base: tuple[Event, ...]) -> list[tuple[Truth, Measured]]:
        if base not in self._bases:
            runs = simulate(self.spec, self.first, self.touched, base)
            self._bases[base] = [(run.truth, self._measure(run)) for run in runs]
        return self._bases[base]

    def _measure(self, run: SimulatedActivity) -> Measured:
        known = self._measured.get(run)
        if known is None:
            activity, series = record(run)
            known = self._measured[run] = (activity, measure(activity, series))
        return known
