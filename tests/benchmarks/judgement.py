"""The judgement on simulated runners, scenario by scenario. Run it by hand while building:

python -m tests.benchmarks.judgement --world realistic --scenario stable --runners 50 --seed 0

Judged runs are kept in a cache (`--cache`, under the temporary directory) until the code that makes them changes, so
that a second run with other detectors takes seconds.
"""

import argparse
import hashlib
import os
import pickle
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import cast

from daemon.simulator.runner import WorldName
from tests.benchmarks import expected, figures, floors, tables
from tests.benchmarks.figures import Figure
from tests.benchmarks.lives import Lived, Runner
from tests.benchmarks.scenarios import BY_NAME, SCENARIOS, SHORT, Plan, Scenario
from tests.benchmarks.walk import Outcome, Walker

ROOT = Path(__file__).parents[2]
MAKES_RUNS = (
    "daemon/metrics",
    "daemon/simulator",
    "daemon/values.py",
    "tests/benchmarks/lives.py",
    "tests/benchmarks/scenarios.py",
)
REPORTED_SEED = 10_000
"""Seeds from here on are reported; nothing may be tuned on them."""


def judged(
    world: WorldName,
    seeds: Sequence[int],
    scenarios: Sequence[Scenario] = SCENARIOS,
    *,
    processes: int = 1,
    folder: Path | None = None,
) -> list[Outcome]:
    """The outcome of every runner in every scenario, and of every runner's base ("base").

    `folder` keeps the judged runs from one call to the next.
    """
    work = partial(_one_runner, world, [scenario.name for scenario in scenarios], folder)
    if processes == 1:
        return [outcome for seed in seeds for outcome in work(seed)]
    with ProcessPoolExecutor(processes) as pool:
        return [outcome for found in pool.map(work, seeds, chunksize=2) for outcome in found]


def counted(
    outcomes: Mapping[WorldName, Sequence[Outcome]], scenarios: Sequence[Scenario] = SCENARIOS
) -> dict[WorldName, dict[str, Figure]]:
    """The figures of each world."""
    return {world: figures.figures(found, scenarios) for world, found in outcomes.items()}


def show(outcomes: Mapping[WorldName, Sequence[Outcome]], scenarios: Sequence[Scenario] = SCENARIOS) -> None:
    """All tables."""
    tables.show(outcomes, counted(outcomes, scenarios), scenarios)


def show_floors(outcomes: Mapping[WorldName, Sequence[Outcome]], scenarios: Sequence[Scenario] = SCENARIOS) -> None:
    """What must hold."""
    quiet = outcomes.get("quiet", ())
    delays = {name: tables.median_delay([o for o in quiet if o.scenario == name]) for name in floors.SLOWEST}
    floors.show(counted(outcomes, scenarios), delays)


def _one_runner(world: WorldName, names: Sequence[str], folder: Path | None, seed: int) -> list[Outcome]:
    runner = Runner(seed, world)
    walker = Walker(runner)
    found: list[Outcome] = []
    for scenario in (BY_NAME[name] for name in names):
        plan = scenario.plan(runner)
        lived = lived_in(runner, scenario, plan, folder)
        if not plan.base and all(outcome.scenario != "base" for outcome in found):
            found.append(walker.base_outcome(lived, plan))
        found.append(walker.outcome(scenario, plan, lived))
    return found


def lived_in(runner: Runner, scenario: Scenario, plan: Plan, folder: Path | None) -> Lived:
    if folder is None:
        return runner.live(plan.base, plan.events, plan.days_after)
    path = folder / _code() / f"{runner.world}-{runner.seed}-{scenario.name.replace(' ', '_')}"
    if path.exists():
        with path.open("rb") as file:
            return cast(Lived, pickle.load(file))
    lived = runner.live(plan.base, plan.events, plan.days_after)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(pickle.dumps(lived, protocol=5))
    unfinished.replace(path)
    return lived


@cache
def _code() -> str:
    """Names the code that makes judged runs: when it changes, they are kept in another folder."""
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    for name in MAKES_RUNS:
        path = ROOT / name
        yield from sorted(path.glob("*.py")) if path.is_dir() else (path,)


def main() -> None:
    parser = argparse.ArgumentParser(description="The judgement on simulated runners with a known truth.")
    parser.add_argument("--world", choices=("quiet", "realistic"), action="append")
    parser.add_argument("--scenario", action="append", help="name or beginning of a name; all when absent")
    parser.add_argument("--runners", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0, help=f"the first one; {REPORTED_SEED} and more are for reports")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "pullback-benchmark")
    parser.add_argument("--save-expected", action="store_true", help="hold changes against these figures from now on")
    asked = parser.parse_args()
    scenarios = [s for s in SCENARIOS if any(s.name.startswith(name) for name in asked.scenario or ("",))]
    if not scenarios:
        parser.error("scenarios are: " + "; ".join(s.name for s in SCENARIOS))
    seeds = range(asked.seed, asked.seed + asked.runners)
    outcomes: dict[WorldName, list[Outcome]] = {}
    for world in asked.world or ("quiet", "realistic"):
        began = time.perf_counter()
        outcomes[world] = judged(world, seeds, scenarios, processes=asked.processes, folder=asked.cache)
        print(f"{world} world, {asked.runners} runners: {time.perf_counter() - began:.0f} s")
    show(outcomes, scenarios)
    show_floors(outcomes, scenarios)
    if asked.save_expected:
        names = {"base", *(scenario.name for scenario in SHORT)}
        short = {world: [o for o in found if o.scenario in names] for world, found in outcomes.items()}
        expected.save(counted(short, SHORT))


if __name__ == "__main__":
    main()
