"""Outcomes counted into figures: shares and rates with their sampling error. Prints nothing and judges nothing."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.benchmarks.scenarios import Scenario
from tests.benchmarks.walk import Outcome, caught_on, noticed, spell_found

YEAR = 365.25
Z = 1.96


@dataclass(frozen=True, slots=True)
class Figure:
    """`hits` of `of`: a share, or with `rate` a number a year. `spread` is how much wider than independent draws.

    Several outcomes of one runner hang together: `spread` is the variance of the figure from runner to runner over the
    variance that as many independent draws would have (the design effect), 1 at least.
    """

    hits: float
    of: float
    rate: bool = False
    spread: float = 1.0

    @property
    def value(self) -> float:
        return self.hits / self.of if self.of else math.nan

    def interval(self) -> tuple[float, float]:
        """95 %: Wilson's of a share (1927), Byar's of a rate (Breslow 1987), both on the effective number of draws."""
        if not self.of:
            return (0.0, math.inf if self.rate else 1.0)
        hits, of = self.hits / self.spread, self.of / self.spread
        return _byar(hits, of) if self.rate else _wilson(hits, of)

    def text(self) -> str:
        if not self.of:
            return "-"
        low, high = self.interval()
        if self.rate:
            return f"{self.value:.2f} [{low:.2f}, {high:.2f}]"
        return f"{100 * self.value:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"


def _wilson(hits: float, of: float) -> tuple[float, float]:
    p = hits / of
    middle = (p + Z * Z / (2 * of)) / (1 + Z * Z / of)
    half = Z / (1 + Z * Z / of) * math.sqrt(p * (1 - p) / of + Z * Z / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def _byar(hits: float, of: float) -> tuple[float, float]:
    low = hits * (1 - 1 / (9 * hits) - Z / (3 * math.sqrt(hits))) ** 3 if hits > 0 else 0.0
    more = hits + 1
    return max(0.0, low) / of, more * (1 - 1 / (9 * more) + Z / (3 * math.sqrt(more))) ** 3 / of


def figure(pairs: Iterable[tuple[int, float, float]], *, rate: bool = False) -> Figure:
    """From (runner, hits, of) of every outcome; how outcomes of one runner hang together is measured."""
    hits: dict[int, float] = defaultdict(float)
    of: dict[int, float] = defaultdict(float)
    for runner, hit, out_of in pairs:
        hits[runner] += hit
        of[runner] += out_of
    total, whole = sum(hits.values()), sum(of.values())
    if not whole:
        return Figure(0, 0, rate)
    mean = total / whole
    seen = sum((hits[runner] - mean * of[runner]) ** 2 for runner in of)
    independent = total if rate else total * (1 - mean)
    spread = seen / independent if independent > 0 else 1.0
    return Figure(total, whole, rate, max(1.0, spread))


def share(outcomes: Iterable[Outcome], true: Callable[[Outcome], bool]) -> Figure:
    return figure((o.seed, float(true(o)), 1.0) for o in outcomes)


def yearly(outcomes: Iterable[Outcome], mark: str) -> Figure:
    """Onsets of `mark` a year of judged days."""
    return figure(((o.seed, len(o.onsets.get(mark, ())), o.judged / YEAR) for o in outcomes), rate=True)


def pulled_back(outcome: Outcome) -> bool:
    return bool(outcome.onsets.get("pull_back"))


def figures(outcomes: Sequence[Outcome], scenarios: Sequence[Scenario]) -> dict[str, Figure]:
    """Every figure there is to show of one world, by name; those without outcomes are left out."""
    by_name: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_name[outcome.scenario].append(outcome)
    found = _false_alarms(by_name, scenarios)
    found |= _caught(by_name, [s for s in scenarios if s.blame == "guilty"])
    found |= _noticed(by_name)
    found |= _introductions(outcomes)
    found |= _kinds(outcomes)
    return {name: one for name, one in found.items() if one.of}


def _false_alarms(by_name: dict[str, list[Outcome]], scenarios: Sequence[Scenario]) -> dict[str, Figure]:
    innocent = [s for s in scenarios if s.blame == "innocent"]
    found = {}
    for name in ("base", *(s.name for s in innocent)):
        found[f"pull-backs a year: {name}"] = yearly(by_name[name], "pull_back")
        found[f"watches a year: {name}"] = yearly(by_name[name], "watch")
        if name != "base":
            found[f"pulled back: {name}"] = share(by_name[name], pulled_back)
    with_base = [o for s in innocent for o in (*by_name[s.name], *by_name["base"])]
    found["pull-backs a year: all innocent"] = yearly(with_base, "pull_back")
    found["watches a year: all innocent"] = yearly(with_base, "watch")
    absorbed = [o for s in innocent if s.intensity for o in by_name[s.name]]
    found["pulled back: all absorbed"] = share(absorbed, pulled_back)
    sensors = [o for name in ("new sensor", "new sensor, absorbed") for o in by_name[name]]
    found["pulled back: new sensor, both"] = share(sensors, pulled_back)
    return found


def _caught(by_name: dict[str, list[Outcome]], guilty: Sequence[Scenario]) -> dict[str, Figure]:
    found = {}
    for scenario in guilty:
        for weeks in (4, 8):
            name = f"caught within {weeks} weeks: {scenario.name}"
            found[name] = share(
                by_name[scenario.name], lambda o, days=7 * weeks: caught_on(o, "pull_back", days) is not None
            )
    return found


def _noticed(by_name: dict[str, list[Outcome]]) -> dict[str, Figure]:
    faster = by_name["faster easy runs"]
    return {
        "watch within 5 weeks: second hard session": share(
            by_name["second hard session"], lambda o: noticed(o, "up", 35)
        ),
        "watch within 4 weeks: hard run day added": share(by_name["absorbed, added"], lambda o: noticed(o, "up", 28)),
        "watch within 4 weeks: hard session replaced": share(
            by_name["absorbed, replaced"], lambda o: noticed(o, "up", 28)
        ),
        "watch within 4 weeks: stable": share(by_name["stable"], lambda o: noticed(o, "up", 28)),
        "lost control: faster easy runs": share(faster, lambda o: noticed(o, "family control: watch", 56)),
        "lost control: stable": share(by_name["stable"], lambda o: noticed(o, "family control: watch", 56)),
        "blamed on heart rate: faster easy runs": share(faster, _blamed),
    }


def _blamed(outcome: Outcome) -> bool:
    """Whether heart rate raised an alarm, or a pull-back was said, once the easy runs had become faster."""
    days = (day for mark in ("pull_back", "easy_heart_rate: alert") for day in outcome.onsets.get(mark, ()))
    return any(day >= (outcome.strained or 0) for day in days)


def _introductions(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    came = [o for o in outcomes if o.introduced is not None]
    told = [o for o in came if o.change is not None]
    found = {
        "dated within 7 days": share(came, lambda o: spell_found(o) is not None),
        "added or replaced right": share(told, lambda o: spell_found(o, o.change) is not None),
        "added or replaced unclear": share(told, lambda o: spell_found(o, "unclear") is not None),
        "established, and said so": share(
            [o for o in outcomes if o.established], lambda o: any(spell.established for spell in o.spells)
        ),
        "spurious introductions a year": figure(
            ((o.seed, o.spurious, o.lived / YEAR) for o in outcomes if o.scenario != "base"), rate=True
        ),
    }
    for kind in ("tempo", "intervals"):
        found[f"dated within 7 days: {kind} first"] = share(
            [o for o in came if o.first_kind == kind], lambda o: spell_found(o) is not None
        )
    for change in ("added", "replaced"):
        found[f"added or replaced right: {change}"] = share(
            [o for o in told if o.change == change], lambda o: spell_found(o, o.change) is not None
        )
    return found


def _kinds(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    hard, easy = [], []
    for outcome in outcomes:
        for (_, truly, _, called), count in outcome.kinds.items():
            (hard if truly else easy).append((outcome.seed, float(count * (truly == called)), float(count)))
    return {"hard called hard": figure(hard), "easy called easy": figure(easy)}
