"""A judged life walked day by day through detectors and verdict, and what came of it in a few numbers."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from daemon.signals import History, RunTable, SignalParams, read
from daemon.values import Change, Run, Verdict
from daemon.verdict import decide
from tests.benchmarks.lives import LEAD_DAYS, Lived, Runner
from tests.benchmarks.scenarios import Plan, Scenario

LEARNT_DAYS = 140
"""Days are judged from the twentieth week on."""

UP = ("watch", "pull_back")


@dataclass(frozen=True, slots=True)
class Day:
    """One judged day: the state, and the level of every signal that is up, by name and by family."""

    day: date
    state: str
    names: dict[str, str]
    families: dict[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One runner in one scenario. Days count from the event; the first day of a spell of days is its onset.

    `onsets` are those of the states, and of every signal and family ("name: watch" is watch or more). `judged` is how
    many days were judged and not learning. `spells` are the introductions seen on the last day.
    """

    scenario: str
    seed: int
    begin: int
    judged: int
    onsets: dict[str, tuple[int, ...]]
    easy_days: tuple[int, ...] = ()
    introduced: int | None = None
    change: Change | None = None
    strained: int | None = None
    spells: tuple[tuple[int | None, bool, Change], ...] = ()
    kinds: Counter[tuple[str, bool, str, bool]] = field(default_factory=Counter)


class Walker:
    """Walks the lives of one runner. The days of a base that was walked are not walked again."""

    def __init__(self, runner: Runner, params: SignalParams | None = None) -> None:
        self.runner, self.params = runner, params or SignalParams()
        self._bases: dict[object, tuple[list[Day], Verdict | None]] = {}

    def base(self, runs: Sequence[Run], plan: Plan) -> tuple[list[Day], Verdict | None]:
        """The days before anything is touched, and the last verdict of them."""
        if plan.base not in self._bases:
            first = self.runner.first + timedelta(days=LEARNT_DAYS)
            self._bases[plan.base] = self._walk(RunTable.of(runs), first, self.runner.touched, None)
        return self._bases[plan.base]

    def outcome(self, scenario: Scenario, plan: Plan, lived: Lived) -> Outcome:
        """What came of the days from `touched` on."""
        base, previous = self.base(lived.runs, plan)
        event = self.runner.event
        end = event + timedelta(days=plan.days_after)
        days, last = self._walk(RunTable.of(lived.runs), self.runner.touched, end, previous)
        after = [run for run in lived.runs if run.day >= self.runner.touched]
        return Outcome(
            scenario=scenario.name,
            seed=self.runner.seed,
            begin=-LEAD_DAYS,
            judged=sum(day.state != "learning" for day in days),
            onsets=_onsets(days, base[-1:], event),
            easy_days=tuple((run.day - event).days for run in after if run.easy is not None),
            introduced=_offset(plan.introduced_on, event),
            change=plan.change,
            strained=_offset(plan.strained_on, event),
            spells=tuple(
                (_offset(spell.introduced_on, event), spell.established, spell.change)
                for spell in (last.intensity if last else ())
            ),
            kinds=Counter(
                (lived.truths[run.id].kind, lived.truths[run.id].hard, run.kind, run.hard)
                for run in after
                if run.is_run
            ),
        )

    def base_outcome(self, runs: Sequence[Run], plan: Plan) -> Outcome:
        """The same of the base, once per runner."""
        days, _ = self.base(runs, plan)
        return Outcome(
            scenario="base",
            seed=self.runner.seed,
            begin=(self.runner.first - self.runner.event).days + LEARNT_DAYS,
            judged=sum(day.state != "learning" for day in days),
            onsets=_onsets(days, (), self.runner.event),
        )

    def _walk(
        self, table: RunTable, begin: date, end: date, previous: Verdict | None
    ) -> tuple[list[Day], Verdict | None]:
        days = []
        for n in range((end - begin).days):
            day = begin + timedelta(days=n)
            reading = read(History.at(table, day, datetime.combine(day, time.max, UTC)), self.params)
            previous = decide(reading, previous)
            days.append(_day(previous))
        return days, previous


def _day(verdict: Verdict) -> Day:
    up = [signal for signal in verdict.signals if signal.level != "ok"]
    names = {signal.name: str(signal.level) for signal in up}
    families: dict[str, str] = {}
    for signal in sorted(up, key=lambda signal: signal.level, reverse=True):  # "watch" first, an "alert" stays
        families[signal.family] = signal.level
    return Day(verdict.day, verdict.state, names, families)


def _marks(day: Day) -> set[str]:
    """Everything that is up on a day, in the words `Outcome.onsets` uses."""
    marks = {f"{day.state}"}
    if day.state in UP:
        marks.add("up")
    for what, level in (*day.names.items(), *((f"family {name}", level) for name, level in day.families.items())):
        marks |= {f"{what}: watch", f"{what}: {level}"}
    return marks


def _onsets(days: Iterable[Day], before: Iterable[Day], event: date) -> dict[str, tuple[int, ...]]:
    yesterday: set[str] = set()
    for day in before:
        yesterday = _marks(day)
    found: dict[str, list[int]] = {}
    for day in days:
        today = _marks(day)
        for mark in today - yesterday:
            found.setdefault(mark, []).append((day.day - event).days)
        yesterday = today
    return {mark: tuple(onsets) for mark, onsets in found.items()}


def _offset(day: date | None, event: date) -> int | None:
    return None if day is None else (day - event).days
