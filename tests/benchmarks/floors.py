"""What must hold, row by row: the floor, what is seen, and by how much it fails. Figures in, lines out."""

from collections.abc import Mapping
from dataclasses import dataclass

from daemon.simulator.runner import WorldName
from tests.benchmarks.figures import Figure


@dataclass(frozen=True, slots=True)
class Floor:
    """`name` is a figure; it must be at least (or at most) the bound of each world, where there is one."""

    name: str
    most: bool
    quiet: float | None
    realistic: float | None

    def bound(self, world: WorldName) -> float | None:
        return self.quiet if world == "quiet" else self.realistic


def _least(name: str, quiet: float | None, realistic: float | None) -> Floor:
    return Floor(name, False, quiet, realistic)


def _most(name: str, quiet: float | None, realistic: float | None) -> Floor:
    return Floor(name, True, quiet, realistic)


FLOORS = (
    _most("pull-backs a year: all innocent", 0.4, 0.6),
    _most("pulled back: all absorbed", 0.10, 0.12),
    _most("pulled back: new sensor, both", 0.15, 0.15),
    _least("caught within 8 weeks: +8 bpm", 0.95, 0.75),
    _least("caught within 8 weeks: +5 bpm", 0.85, 0.50),
    _least("caught within 8 weeks: +3 bpm", 0.40, None),
    _least("caught within 4 weeks: three hard days", 0.90, 0.80),
    _least("watch within 5 weeks: second hard session", 0.80, 0.60),
    _least("watch within 4 weeks: hard run day added", 0.70, 0.50),
    _least("lost control: faster easy runs", 0.75, 0.50),
    _most("blamed on heart rate: faster easy runs", 0.15, 0.15),
    _least("dated within 7 days", 0.90, 0.80),
    _most("spurious introductions a year", 0.3, 0.5),
    _least("added or replaced right", 0.85, 0.75),
    _least("hard called hard", 0.93, 0.88),
    _least("easy called easy", 0.985, 0.96),
)
"""Issue 3's table, but for the median delays (at most 8 easy runs at +8 bpm, 12 at +5, quiet world)."""

SLOWEST = {"+8 bpm": 8, "+5 bpm": 12}
"""The most easy runs a median delay may take in the quiet world."""


def verdict(figure: Figure, bound: float, *, most: bool) -> str:
    """Whether a floor holds; bounds apply beyond sampling error."""
    low, high = figure.interval()
    over = figure.value - bound if most else bound - figure.value
    if over <= 0:
        return "holds"
    if (low <= bound) if most else (high >= bound):
        return "within sampling error"
    unit = f"{over:.2f} a year" if figure.rate else f"{100 * over:.1f} points"
    return f"FAILS by {unit}"


def show(figures: Mapping[WorldName, Mapping[str, Figure]], delays: Mapping[str, str]) -> None:
    """One line per floor and world. `delays` are the quiet world's median delays by scenario."""
    print("\nWhat must hold")
    print(f"  {'':44}{'world':11}{'floor':>8}   {'seen [95 %]':24}")
    for floor in FLOORS:
        for world, found in figures.items():
            bound, seen = floor.bound(world), found.get(floor.name)
            if bound is not None and seen is not None:
                sign, size = "≤" if floor.most else "≥", f"{bound:g}" if seen.rate else f"{100 * bound:g} %"
                said = verdict(seen, bound, most=floor.most)
                print(f"  {floor.name:44}{world:11}{sign + ' ' + size:>8}   {seen.text():24}{said}")
    for scenario, most in SLOWEST.items():
        delay = delays.get(scenario, "-")
        if delay != "-":
            said = "holds" if delay.isdigit() and int(delay) <= most else "FAILS"
            print(
                f"  {'median delay in easy runs: ' + scenario:44}{'quiet':11}{'≤ ' + str(most):>8}   {delay:24}{said}"
            )
