"""The tables that answer SCIENCE.md's questions, both worlds side by side. Prints figures; works out only medians."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np

from daemon.simulator.runner import WorldName
from daemon.values import Kind
from tests.benchmarks import people_do
from tests.benchmarks.figures import Figure, share, yearly
from tests.benchmarks.scenarios import Scenario
from tests.benchmarks.walk import Outcome, caught_on, delay_runs

Outcomes = Mapping[WorldName, Sequence[Outcome]]
Figures = Mapping[WorldName, Mapping[str, Figure]]

LABEL, CELL = 48, 24


def table(title: str, columns: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Prints rows of cells below a title, nothing where there is no row."""
    if rows:
        print(f"\n{title}")
        print(" " * (LABEL + 2) + "".join(f"{column:{CELL}}" for column in columns))
        for label, cells in rows:
            print(f"  {label:{LABEL}}" + "".join(f"{cell:{CELL}}" for cell in cells).rstrip())


def show(outcomes: Outcomes, figures: Figures, scenarios: Sequence[Scenario]) -> None:
    """Everything there is to say of these outcomes but the floors."""
    _cry_wolf(figures)
    _see_it(outcomes, figures, scenarios)
    _notice(figures)
    _people_do(outcomes, scenarios)
    _began(figures)
    _sessions(outcomes, figures)


def _rows(figures: Figures, names: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """A row per name (label -> figure's name) that some world has."""
    rows = []
    for label, name in names.items():
        cells = [found[name].text() if name in found else "-" for found in figures.values()]
        if any(cell != "-" for cell in cells):
            rows.append((label, cells))
    return rows


def _cry_wolf(figures: Figures) -> None:
    columns = ("pull-backs a year", "watches a year", "pulled back")
    for world, found in figures.items():
        rows = []
        for label in (name.removeprefix(_A_YEAR) for name in found if name.startswith(_A_YEAR)):
            parts = [found.get(f"{what}: {label}") for what in columns]
            rows.append((label, [part.text() if part else "" for part in parts]))
        absorbed = found.get("pulled back: all absorbed")
        if absorbed:
            rows.append(("all with absorbed intensity", ["", "", absorbed.text()]))
        table(f"Does it cry wolf? ({world} world)", [*columns[:2], "pulled back in 8 weeks"], rows)


_A_YEAR = "pull-backs a year: "


def _see_it(outcomes: Outcomes, figures: Figures, scenarios: Sequence[Scenario]) -> None:
    for world, found in figures.items():
        rows = []
        for scenario in scenarios:
            if scenario.blame == "guilty":
                shares = [found.get(f"caught within {weeks} weeks: {scenario.name}") for weeks in (4, 8)]
                delay = median_delay([o for o in outcomes[world] if o.scenario == scenario.name])
                rows.append((scenario.name, [*(one.text() if one else "-" for one in shares), delay]))
        columns = ["within 4 weeks", "within 8 weeks", "median delay, easy runs"]
        table(f"Does it see it? ({world} world)", columns, rows)


def median_delay(outcomes: Sequence[Outcome], mark: str = "pull_back") -> str:
    """The median of the delays in easy runs; who was never caught waits for ever."""
    if not outcomes:
        return "-"
    delays = [delay_runs(outcome, mark) for outcome in outcomes]
    middle = float(np.median([np.inf if delay is None else delay for delay in delays]))
    return "not half of them" if np.isinf(middle) else f"{middle:.0f}"


def _notice(figures: Figures) -> None:
    names = {
        "a second hard session: watch within 5 weeks": "watch within 5 weeks: second hard session",
        "a hard run day added: watch within 4 weeks": "watch within 4 weeks: hard run day added",
        "a hard session in an easy run's place: the same": "watch within 4 weeks: hard session replaced",
        "nothing changed: the same": "watch within 4 weeks: stable",
        "easy runs faster: lost control": "lost control: faster easy runs",
        "nothing changed: the same, lost control": "lost control: stable",
        "easy runs faster: heart rate blamed": "blamed on heart rate: faster easy runs",
        "new sensor, both: pulled back": "pulled back: new sensor, both",
    }
    table("What else does it notice?", list(figures), _rows(figures, names))


def _people_do(outcomes: Outcomes, scenarios: Sequence[Scenario]) -> None:
    """The program, the two controls and what people do now, on the same runs."""
    innocent = {s.name for s in scenarios if s.blame == "innocent"}
    plain = [name for name in ("+3 bpm", "+5 bpm", "+8 bpm") if any(s.name == name for s in scenarios)]
    rules = {"pullback": "pull_back"} | {rule: f"people: {rule}" for rule in people_do.RULES} | {"silence": "-"}
    for world, found in outcomes.items():
        rows = []
        for label, mark in rules.items():
            wolf = [o for o in found if o.scenario in innocent]
            absorbed = [o for o in wolf if o.introduced is not None]
            cells = [yearly(wolf, mark).text(), share(absorbed, lambda o, m=mark: bool(o.onsets.get(m))).text()]
            for name in plain:
                hit = [o for o in found if o.scenario == name]
                cells.append(share(hit, lambda o, m=mark: caught_on(o, m, 56) is not None).text())
            rows.append((label[:LABEL], cells))
        if innocent and plain:
            columns = ["false a year", "absorbed, false", *(f"{name} caught" for name in plain)]
            table(f"What else could one do? ({world} world; onsets from a week before the event on)", columns, rows)


def _began(figures: Figures) -> None:
    names = {
        "dated within 7 days": "dated within 7 days",
        "  tempo first": "dated within 7 days: tempo first",
        "  intervals first": "dated within 7 days: intervals first",
        "added or replaced, right": "added or replaced right",
        "  where it was added": "added or replaced right: added",
        "  where it replaced": "added or replaced right: replaced",
        "  unclear": "added or replaced unclear",
        "spurious introductions a year": "spurious introductions a year",
        "established, and said so": "established, and said so",
    }
    table("Does it know when intensity began?", list(figures), _rows(figures, names))


def _sessions(outcomes: Outcomes, figures: Figures) -> None:
    kinds: tuple[Kind, ...] = get_args(Kind)
    for world, found in outcomes.items():
        called: Counter[tuple[Kind, Kind]] = Counter()
        for outcome in found:
            for (true, _, name, _), count in outcome.kinds.items():
                called[true, name] += count
        if called:
            print(f"\nIs a session what it is called? ({world} world; rows: what it was, columns: per cent called)")
            print(" " * 12 + "".join(f"{kind:>10}" for kind in kinds) + "         n")
        for true in kinds:
            n = sum(called[true, name] for name in kinds)
            if n:
                print(f"  {true:10}" + "".join(f"{100 * called[true, name] / n:10.1f}" for name in kinds) + f"{n:10}")
    names = {"hard sessions called hard": "hard called hard", "easy runs called easy": "easy called easy"}
    table("Hard or easy?", list(figures), _rows(figures, names))
