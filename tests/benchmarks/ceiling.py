"""What could be caught at all: the program's test of easy heart rate, told what no program can know. Run it by hand:

python -m tests.benchmarks.ceiling --runners 100 --seed 10000

It knows the day intensity came, how far this runner's level strays, what heat and pace cost him. What it misses at a
given share of false alarms is hidden in the runner's own wander, and no rule on heart rate alone can have it.
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np

from daemon.signals import RunTable, factors, wander
from daemon.signals.history import IntArray
from daemon.signals.rise import COMES_WITHIN_DAYS, LEAST_RUNS, Params
from daemon.signals.wander import Factor, Readings, Wander
from daemon.simulator.physiology import HEAT_BPM_PER_C
from daemon.simulator.runner import WorldName
from daemon.values import FloatArray
from tests.benchmarks.judgement import REPORTED_SEED, lived_in
from tests.benchmarks.lives import Lived, Runner
from tests.benchmarks.scenarios import BY_NAME, Plan

ABSORBED = ("absorbed, replaced", "absorbed, added")
STRAINED = ("+3 bpm", "+5 bpm", "+8 bpm")
FALSE = (0.10, 0.12, 0.15)
WEATHER_SD_C = 2.5
"""How far the simulated weather differs from day to day (SD, °C)."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the test is told of a runner: how the level strays (None: learns it as the program does), and each
    reading's true cost of heat (bpm)."""

    strays: Callable[[Runner], Wander] | None
    heat: bool = False


KNOWING = {
    "the day it came": Told(None),
    "and how the level strays": Told(lambda r: _strays(r, WEATHER_SD_C * HEAT_BPM_PER_C)),
    "and heat and slope": Told(lambda r: _strays(r, 0.0), heat=True),
}


def _strays(runner: Runner, weather_bpm: float) -> Wander:
    life = runner.spec.life
    return Wander(life.wander_bpm, life.wander_days, float(np.hypot(life.run_bpm, weather_bpm)))


def clearest(runner: Runner, plan: Plan, lived: Lived, told: Told) -> float:
    """The clearest rise that began when intensity came or within three weeks, seen within eight weeks (errors)."""
    assert plan.introduced_on is not None
    table, rose = RunTable.of(lived.runs), plan.introduced_on.toordinal()
    rows = np.flatnonzero(np.isfinite(table.bpm) & np.isfinite(table.speed_m_s))
    day = table.day[rows]
    last = ((plan.strained_on or runner.event) + timedelta(days=56)).toordinal()
    strays = told.strays(runner) if told.strays else _learned(table, rows[day < rose])
    found = (
        _errors(runner, lived, table, rows[: n + 1], rose, strays, heat=told.heat)
        for n in np.flatnonzero((day >= rose) & (day <= last))
        if n >= LEAST_RUNS
    )
    return max(found, default=0.0)


def _learned(table: RunTable, rows: IntArray) -> Wander:
    return wander.learn(*factors.readings(table, rows[-Params().window_runs :], None))


def _errors(
    runner: Runner, lived: Lived, table: RunTable, rows: IntArray, rose: int, strays: Wander, *, heat: bool
) -> float:
    readings, known = factors.readings(table, rows[-Params().window_runs :], None)
    if heat:
        readings, known = _without_heat(runner, lived, table, rows, readings, known)
    day = readings.day
    onsets = np.unique(day[(day >= rose) & (day <= rose + COMES_WITHIN_DAYS)])
    onsets = onsets[onsets <= day[-Params().least_runs]]
    if onsets.size == 0:
        return 0.0
    return float(wander.rises(readings, known, strays, onsets, Params().rise_days).errors.max())


def _without_heat(
    runner: Runner, lived: Lived, table: RunTable, rows: IntArray, readings: Readings, known: Sequence[Factor]
) -> tuple[Readings, tuple[Factor, ...]]:
    """The readings with the true cost of heat taken off, and the runner's true slope."""
    ids = [table.runs[row].id for row in rows[-len(readings) :]]
    cost: FloatArray = np.array([HEAT_BPM_PER_C * max(0.0, lived.truths[i].temperature_c - 12) for i in ids])
    sure = {"pace": (runner.spec.body.slope_bpm_per_m_s, 1.0), "heat": (0.0, 0.01)}
    told = tuple(Factor(f.name, *sure.get(f.name, (f.mean, f.sd))) for f in known)
    return replace(readings, bpm=readings.bpm - cost), told


def _one(world: WorldName, folder: Path, seed: int) -> dict[str, list[float]]:
    """The clearest rise of one runner in every scenario, as each of `KNOWING` sees it."""
    runner, found = Runner(seed, world), {}
    for name in (*ABSORBED, *STRAINED):
        plan = BY_NAME[name].plan(runner)
        lived = lived_in(runner, BY_NAME[name], plan, folder)
        found[name] = [clearest(runner, plan, lived, told) for told in KNOWING.values()]
    return found


def show(world: WorldName, found: Sequence[dict[str, list[float]]]) -> None:
    """What each would catch within eight weeks at the threshold that so many absorbed runners pass."""
    print(f"\nWhat could be caught on heart rate alone? ({world} world, {len(found)} runners)")
    print(f"  {'told':28}{'false':>8}" + "".join(f"{name:>10}" for name in STRAINED))
    for at, told in enumerate(KNOWING):
        innocent = [one[name][at] for one in found for name in ABSORBED]
        for share in FALSE:
            bar = np.quantile(innocent, 1 - share)
            caught = [np.mean([one[name][at] > bar for one in found]) for name in STRAINED]
            print(f"  {told:28}{100 * share:6.0f} %" + "".join(f"{100 * c:8.0f} %" for c in caught))


def main() -> None:
    parser = argparse.ArgumentParser(description="What could be caught on heart rate alone.")
    parser.add_argument("--world", choices=("quiet", "realistic"), default="realistic")
    parser.add_argument("--runners", type=int, default=100)
    parser.add_argument("--seed", type=int, default=REPORTED_SEED)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "pullback-benchmark")
    asked = parser.parse_args()
    seeds = range(asked.seed, asked.seed + asked.runners)
    with ProcessPoolExecutor(asked.processes) as pool:
        found = list(pool.map(partial(_one, asked.world, asked.cache), seeds, chunksize=2))
    show(asked.world, found)


if __name__ == "__main__":
    main()
