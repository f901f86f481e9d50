"""The tables that answer SCIENCE.md's questions, printed from outcomes. Works out shares and rates; judges nothing."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from tests.benchmarks import intervals
from tests.benchmarks.scenarios import Scenario
from tests.benchmarks.walk import Outcome

YEAR = 365.25


def show(outcomes: Sequence[Outcome], scenarios: Sequence[Scenario]) -> None:
    """Everything there is to say of these outcomes."""
    _false_alarms(outcomes, [s for s in scenarios if s.blame == "innocent"])
    _caught(outcomes, [s for s in scenarios if s.blame == "guilty"])
    _noticed(outcomes, scenarios)
    _dating(outcomes)
    _kinds(outcomes)


def onset(outcome: Outcome, mark: str, begin: int, days: int) -> int | None:
    """The first onset of `mark` within `days` from day `begin` on."""
    return next((day for day in outcome.onsets.get(mark, ()) if begin <= day < begin + days), None)


def of(outcomes: Iterable[Outcome], name: str) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.scenario == name]


def _false_alarms(outcomes: Sequence[Outcome], scenarios: Sequence[Scenario]) -> None:
    print("\nDoes it cry wolf?            pull-backs a year [95 %]   watches a year   pulled back in the window [95 %]")
    base = of(outcomes, "base")
    for name, found in (("base", base), *((s.name, of(outcomes, s.name)) for s in scenarios)):
        if found:
            years = sum(o.judged for o in found) / YEAR
            pulls = sum(len(o.onsets.get("pull_back", ())) for o in found)
            low, high = intervals.rate(pulls, years)
            watches = sum(len(o.onsets.get("watch", ())) for o in found) / years
            line = f"  {name:26} {pulls / years:5.2f} [{low:.2f}, {high:.2f}]       {watches:11.2f}"
            print(
                line + ("" if name == "base" else "      " + _share(found, lambda o: bool(o.onsets.get("pull_back"))))
            )
    innocent = [o for s in scenarios for o in of(outcomes, s.name)]
    days = sum(o.judged for o in innocent) + len(scenarios) * sum(o.judged for o in base)
    pulls = sum(len(o.onsets.get("pull_back", ())) for o in innocent)
    pulls += len(scenarios) * sum(len(o.onsets.get("pull_back", ())) for o in base)
    if days:
        print(f"  all innocent days, base included: {pulls / days * YEAR:.2f} pull-backs a year")
    absorbed = [o for s in scenarios if s.intensity for o in of(outcomes, s.name)]
    if absorbed:
        print("  with absorbed intensity, pulled back: " + _share(absorbed, lambda o: bool(o.onsets.get("pull_back"))))


def _caught(outcomes: Sequence[Outcome], scenarios: Sequence[Scenario]) -> None:
    if scenarios:
        print("\nDoes it see it?              within 4 weeks        within 8 weeks        median delay in easy runs")
    for scenario in scenarios:
        found = of(outcomes, scenario.name)
        shares = [_share(found, lambda o, d=days: caught_on(o, d) is not None) for days in (28, 56)]
        delays = [runs for o in found if (runs := delay_runs(o)) is not None]
        late = len(found) - len(delays)
        median = float(np.median([*delays, *[np.inf] * late])) if found else np.nan
        print(f"  {scenario.name:26} {shares[0]}   {shares[1]}   {median:.0f}")


def caught_on(outcome: Outcome, days: int) -> int | None:
    """The day of the pull-back where it came within `days` of the strain; one since the event counts as at once."""
    strained = outcome.strained or 0
    day = onset(outcome, "pull_back", 0, strained + days)
    return None if day is None else max(day, strained)


def delay_runs(outcome: Outcome) -> int | None:
    """Easy runs with a heart rate from the strain to the pull-back, both days included; None where it never came."""
    day = caught_on(outcome, 56)
    if day is None:
        return None
    return sum((outcome.strained or 0) <= easy <= day for easy in outcome.easy_days)


NOTICED = (
    ("second hard session", "up", 35, "at least watch within 5 weeks"),
    ("absorbed, added", "up", 28, "a hard run day added: at least watch within 4 weeks"),
    ("faster easy runs", "family control: watch", 56, "noticed as lost control"),
    ("stable", "family control: watch", 56, "the same without any change"),
    ("stable", "up", 28, "at least watch within 4 weeks without any change"),
    ("new sensor", "pull_back", 56, "pulled back"),
)


def _noticed(outcomes: Sequence[Outcome], scenarios: Sequence[Scenario]) -> None:
    names = {scenario.name for scenario in scenarios}
    print("\nWhat else it notices")
    for name, mark, days, words in NOTICED:
        if name in names:
            print(
                f"  {name:26} {words}: "
                + _share(of(outcomes, name), lambda o, m=mark, d=days: onset(o, m, -7, d + 7) is not None)
            )
    if "faster easy runs" in names:
        found = of(outcomes, "faster easy runs")
        print(f"  {'faster easy runs':26} blamed on heart rate: " + _share(found, blamed))


def blamed(outcome: Outcome) -> bool:
    return any(outcome.onsets.get(mark) for mark in ("easy_heart_rate: alert", "pull_back"))


def _dating(outcomes: Sequence[Outcome]) -> None:
    came = [o for o in outcomes if o.introduced is not None]
    if came:
        print("\nDoes it know when intensity began?")
        print("  dated within 7 days: " + _share(came, lambda o: _spell(o) is not None))
        known = [o for o in came if o.change is not None]
        print(
            "  replaced or added right: " + _share(known, lambda o: (s := _spell(o)) is not None and s[2] == o.change)
        )
        unclear = sum((s := _spell(o)) is not None and s[2] == "unclear" for o in known)
        print(f"  unclear: {unclear / max(1, len(known)):.0%}")
    years, spurious = 0.0, 0
    for outcome in outcomes:
        if outcome.scenario != "base":
            years += (outcome.judged + 280) / YEAR
            near = [s for s in outcome.spells if s[0] is not None and not _near(s[0], outcome.introduced, 21)]
            spurious += len(near)
    if years:
        print(f"  spurious introductions: {spurious / years:.2f} a year")
    established = of(outcomes, "established")
    if established:
        print("  established, and said so: " + _share(established, lambda o: any(s[1] for s in o.spells[-1:])))


def _near(day: int, truth: int | None, days: int) -> bool:
    return truth is not None and abs(day - truth) <= days


def _spell(outcome: Outcome) -> tuple[int | None, bool, str] | None:
    near = [s for s in outcome.spells if s[0] is not None and _near(s[0], outcome.introduced, 7)]
    return near[0] if near else None


def _kinds(outcomes: Sequence[Outcome]) -> None:
    called: dict[str, dict[str, int]] = {}
    hard = [0, 0]
    easy = [0, 0]
    for outcome in outcomes:
        for (true, truly_hard, name, called_hard), count in outcome.kinds.items():
            row = called.setdefault(true, {})
            row[name] = row.get(name, 0) + count
            tally = hard if truly_hard else easy
            tally[0] += count * (truly_hard == called_hard)
            tally[1] += count
    if not called:
        return
    columns = ["easy", "long", "strides", "tempo", "intervals", "hills", "race", "other"]
    print("\nIs a session what it is called? (rows: what it was, per cent called)")
    print("  " + " " * 10 + "".join(f"{name:>10}" for name in columns) + "        n")
    for true in columns:
        if true in called:
            n = sum(called[true].values())
            print(
                f"  {true:10}" + "".join(f"{100 * called[true].get(name, 0) / n:10.1f}" for name in columns) + f"{n:9}"
            )
    print(f"  hard called hard {hard[0] / max(1, hard[1]):.1%} of {hard[1]}")
    print(f"  easy called easy {easy[0] / max(1, easy[1]):.2%} of {easy[1]}")


def _share(outcomes: Sequence[Outcome], true: Callable[[Outcome], bool]) -> str:
    hits = sum(map(true, outcomes))
    low, high = intervals.share(hits, len(outcomes))
    return f"{hits / max(1, len(outcomes)):4.0%} [{low:.0%}, {high:.0%}]"
