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
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import cast

from daemon.simulator.runner import WorldName
from tests.benchmarks import tables
from tests.benchmarks.lives import Lived, Runner
from tests.benchmarks.scenarios import BY_NAME, SCENARIOS, Plan, Scenario
from tests.benchmarks.walk import Outcome, Walker

ROOT = Path(__file__).parents[2]
MAKES_RUNS = ("daemon/metrics", "daemon/simulator", "daemon/values.py", "tests/benchmarks/lives.py")
REPORTED_SEED = 10_000
"""Seeds from here on are reported; nothing may be tuned on them."""


def judged(world: WorldName, seeds: Sequence[int], scenarios: Sequence[Scenario], **how: object) -> list[Outcome]:
    """The outcome of every runner in every scenario, and of every runner's base ("base").

    `how`: `processes` (default 1) and `cache` (a folder, default none).
    """
    work = partial(_one_runner, world, [scenario.name for scenario in scenarios], cast(Path | None, how.get("cache")))
    processes = cast(int, how.get("processes", 1))
    if processes == 1:
        return [outcome for seed in seeds for outcome in work(seed)]
    with ProcessPoolExecutor(processes) as pool:
        return [outcome for found in pool.map(work, seeds, chunksize=2) for outcome in found]


def _one_runner(world: WorldName, names: Sequence[str], cache: Path | None, seed: int) -> list[Outcome]:
    runner = Runner(seed, world)
    walker = Walker(runner)
    found: list[Outcome] = []
    based = False
    for name in names:
        scenario = BY_NAME[name]
        plan = scenario.plan(runner)
        lived = _lived(runner, scenario, plan, cache)
        if not plan.base and not based:
            found.append(walker.base_outcome(lived.runs, plan))
            based = True
        found.append(walker.outcome(scenario, plan, lived))
    return found


def _lived(runner: Runner, scenario: Scenario, plan: Plan, cache: Path | None) -> Lived:
    if cache is None:
        return runner.live(plan.base, plan.events, plan.days_after)
    name = f"{runner.world}-{runner.seed}-{hashlib.sha256(repr((scenario.name, plan)).encode()).hexdigest()[:16]}"
    path = cache / _code() / name
    if path.exists():
        with path.open("rb") as file:
            return cast(Lived, pickle.load(file))
    lived = runner.live(plan.base, plan.events, plan.days_after)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial_path = path.with_suffix(f".{os.getpid()}")
    partial_path.write_bytes(pickle.dumps(lived, protocol=5))
    partial_path.replace(path)
    return lived


_code_digest = ""


def _code() -> str:
    """Names the code that makes judged runs: when it changes, the cache is another folder."""
    global _code_digest  # noqa: PLW0603 - read once per process
    if not _code_digest:
        digest = hashlib.sha256()
        for path in _sources():
            digest.update(path.read_bytes())
        _code_digest = digest.hexdigest()[:16]
    return _code_digest


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
    asked = parser.parse_args()
    names = asked.scenario or [""]
    scenarios = [s for s in SCENARIOS if any(s.name.startswith(name) for name in names)]
    if not scenarios:
        parser.error("scenarios are: " + "; ".join(s.name for s in SCENARIOS))
    for world in asked.world or ["quiet", "realistic"]:
        began = time.perf_counter()
        seeds = range(asked.seed, asked.seed + asked.runners)
        outcomes = judged(world, seeds, scenarios, processes=asked.processes, cache=asked.cache)
        print(f"\n{world} world, {asked.runners} runners, {time.perf_counter() - began:.0f} s")
        tables.show(outcomes, scenarios)


if __name__ == "__main__":
    main()
