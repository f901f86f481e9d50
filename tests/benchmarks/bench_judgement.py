"""The nightly form of the judgement's benchmark: 200 runners per scenario and world, and the real recordings."""

import sys
import time

import pytest

from daemon.simulator.runner import WorldName
from tests.benchmarks import judgement, limits, real_recordings
from tests.benchmarks.scenarios import SCENARIOS
from tests.benchmarks.walk import Outcome

RUNNERS, OF_THE_LIMITS = 200, 60
PROCESSES = 2
SEEDS = range(judgement.REPORTED_SEED, judgement.REPORTED_SEED + RUNNERS)
WORLDS: tuple[WorldName, ...] = ("quiet", "realistic")


def test_the_judgement_on_simulated_runners() -> None:
    began = time.perf_counter()
    outcomes: dict[WorldName, list[Outcome]] = {w: judgement.judged(w, SEEDS, processes=PROCESSES) for w in WORLDS}
    print(f"\n{RUNNERS} runners in each of {len(SCENARIOS)} scenarios and {len(WORLDS)} worlds, shares [95 %]")
    judgement.show(outcomes)
    innocent = [scenario.name for scenario in SCENARIOS if scenario.blame == "innocent"]
    for world, found in outcomes.items():
        answers = limits.responses(world, SEEDS[:OF_THE_LIMITS], PROCESSES)
        limits.show(world, answers, found, innocent)
    judgement.show_floors(outcomes)
    print(f"\ntook {time.perf_counter() - began:.0f} s in {PROCESSES} processes")


def test_the_judgement_on_real_recordings() -> None:
    began = time.perf_counter()
    real_recordings.show(real_recordings.figures(processes=PROCESSES))
    print(f"took {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-s"]))
