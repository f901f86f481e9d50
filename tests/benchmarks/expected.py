"""The figures a change is held against: those of the short form's own runners, compared with a binomial test.

A figure regresses when chance alone would make it as bad as it is, or worse, less often than once in a hundred times.
"""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

from daemon.simulator.runner import WorldName
from tests.benchmarks.figures import Figure
from tests.benchmarks.floors import FLOORS

FILE = Path(__file__).with_name("expected.json")
CHANCE = 0.01

Figures = Mapping[WorldName, Mapping[str, Figure]]


def save(figures: Figures) -> None:
    """Write down what is to be expected from now on."""
    kept = {
        world: {
            floor.name: [round(one.hits, 3), round(one.of, 3), round(one.spread, 2)]
            for floor in FLOORS
            if (one := found.get(floor.name)) is not None
        }
        for world, found in figures.items()
    }
    lines = [
        f'  "{world}": {{\n'
        + ",\n".join(f"    {json.dumps(name)}: {numbers}" for name, numbers in found.items())
        + "\n  }"
        for world, found in kept.items()
    ]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def regressions(figures: Figures) -> list[str]:
    """One line per figure that is worse than expected beyond its sampling error."""
    expected = json.loads(FILE.read_text())
    found = []
    for world, seen in figures.items():
        for floor in FLOORS:
            if floor.name in seen and floor.name in expected[world]:
                one = seen[floor.name]
                usual = Figure(*expected[world][floor.name][:2], one.rate, expected[world][floor.name][2])
                chance = chance_of(one, usual, more=floor.most)
                if chance < CHANCE:
                    said = f"{one.text()}, expected {usual.text()} (chance {chance:.4f})"
                    found.append(f"{world} world, {floor.name}: {said}")
    return found


def chance_of(seen: Figure, usual: Figure, *, more: bool) -> float:
    """How often draws from `usual` give at least (`more`) or at most as many hits as `seen`."""
    spread = max(seen.spread, usual.spread)
    hits, of = seen.hits / spread, seen.of / spread
    # Half a hit more or less: a figure of none in two hundred isn't impossible.
    mean = (usual.hits / usual.spread + 0.5) / (usual.of / usual.spread + 1.0)
    # Rounded in favour of what is seen.
    whole, draws = (math.floor(hits), math.ceil(of)) if more else (math.ceil(hits), math.floor(of))
    log_pmf = _poisson(mean * of) if seen.rate else _binomial(draws, mean)
    if more:
        return max(0.0, 1.0 - sum(math.exp(log_pmf(k)) for k in range(whole)))
    return min(1.0, sum(math.exp(log_pmf(k)) for k in range(whole + 1)))


def _binomial(of: int, p: float) -> Callable[[int], float]:
    def log_pmf(k: int) -> float:
        if k > of:
            return -math.inf
        ways = math.lgamma(of + 1) - math.lgamma(k + 1) - math.lgamma(of - k + 1)
        return ways + k * math.log(p) + (of - k) * math.log(1 - p)

    return log_pmf


def _poisson(mean: float) -> Callable[[int], float]:
    return lambda k: k * math.log(mean) - mean - math.lgamma(k + 1)
