"""A judged life walked day by day through detectors and verdict, and what came of it in a few numbers."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from daemon.signals import History, RunTable, SignalParams, read
from daemon.values import Change, Kind, Run, Verdict
from daemon.verdict import decide
from tests.benchmarks import people_do
from tests.benchmarks.lives import Lived, Runner
from tests.benchmarks.scenarios import Plan, Scenario

LEARNT_DAYS = 140
"""Days are judged from the twentieth week on."""

MEMORY_DAYS = 70
"""For so long a verdict remembers: where a base isn't counted itself, it is walked from that many days before."""

UP = ("watch", "pull_back")


@dataclass(frozen=True, slots=True)
class Spell:
    """A spell of intensity as it is seen on the last day; `came` counts days from the event."""

    came: int | None
    established: bool
    change: Change


@dataclass(frozen=True, slots=True)
class Outcome:
    """One runner in one scenario. Days count from the event; the first day of a row of days is its onset.

    `onsets` are those of the states, of "up" (watch or pull-back), of every signal ("name: watch" is watch or more),
    every family ("family name: …") and of what people do ("people: …"). `judged` days were not learning, `lived` ones
    are all since the first run. `introduced`, `change`, `first_kind`, `established` and `strained` are the truth.
    `kinds` counts (what it was, hard, what it was called, called hard).
    """

    scenario: str
    seed: int
    judged: int
    lived: int
    onsets: dict[str, tuple[int, ...]]
    easy_days: tuple[int, ...] = ()
    introduced: int | None = None
    first_kind: Kind | None = None
    change: Change | None = None
    established: bool = False
    strained: int | None = None
    spells: tuple[Spell, ...] = ()
    kinds: Counter[tuple[Kind, bool, Kind, bool]] = field(default_factory=Counter)

    @property
    def spurious(self) -> int:
        """Introductions that are none: those within three weeks of a true one are counted as dated wrongly only."""
        return sum(spell.came is not None and not _near(spell.came, self.introduced, 21) for spell in self.spells)


def _near(day: int, truth: int | None, days: int) -> bool:
    return truth is not None and abs(day - truth) <= days


def spell_found(outcome: Outcome, change: Change | None = None) -> Spell | None:
    """The introduction dated within 7 days, and told as `change` where that is given."""
    for spell in outcome.spells:
        if spell.came is not None and _near(spell.came, outcome.introduced, 7) and change in (None, spell.change):
            return spell
    return None


def noticed(outcome: Outcome, mark: str, days: int) -> bool:
    """Whether `mark` had an onset before `days` had passed since the event."""
    return any(day < days for day in outcome.onsets.get(mark, ()))


def caught_on(outcome: Outcome, mark: str, days: int) -> int | None:
    """The day of `mark`'s first onset within `days` of the strain; one since the event counts as on the first day."""
    strained = outcome.strained or 0
    found = (day for day in outcome.onsets.get(mark, ()) if 0 <= day < strained + days)
    first = next(found, None)
    return None if first is None else max(first, strained)


def delay_runs(outcome: Outcome, mark: str = "pull_back") -> int | None:
    """Easy runs with a heart rate from the strain to the onset, both days included; None without one in 8 weeks."""
    day = caught_on(outcome, mark, 56)
    if day is None:
        return None
    return sum((outcome.strained or 0) <= easy <= day for easy in outcome.easy_days)


class Walker:
    """Walks the lives of one runner. The days of a base that was walked are not walked again."""

    def __init__(self, runner: Runner, params: SignalParams | None = None) -> None:
        self.runner, self.params = runner, params or SignalParams()
        self._bases: dict[object, list[Verdict]] = {}

    def base(self, lived: Lived, plan: Plan) -> list[Verdict]:
        """The verdicts of the days before anything is touched."""
        if plan.base not in self._bases:
            learnt = self.runner.first + timedelta(days=LEARNT_DAYS)
            # Only the plain base is counted; of another one the verdict needs no more than its memory.
            first = self.runner.touched - timedelta(days=MEMORY_DAYS) if plan.base else learnt
            self._bases[plan.base] = self._walk(RunTable.of(lived.runs), first, self.runner.touched, None)
        return self._bases[plan.base]

    def base_outcome(self, lived: Lived, plan: Plan) -> Outcome:
        """What came of those days."""
        verdicts, event = self.base(lived, plan), self.runner.event
        rules = people_do.days_up(lived, [v.day for v in verdicts])
        return Outcome(
            scenario="base",
            seed=self.runner.seed,
            judged=sum(v.state != "learning" for v in verdicts),
            lived=(self.runner.touched - self.runner.first).days,
            onsets=_onsets(verdicts, rules, (), event),
        )

    def outcome(self, scenario: Scenario, plan: Plan, lived: Lived) -> Outcome:
        """What came of the days from `touched` on."""
        base, runner = self.base(lived, plan), self.runner
        end = runner.event + timedelta(days=plan.days_after)
        verdicts = self._walk(RunTable.of(lived.runs), runner.touched, end, base[-1])
        after = [run for run in lived.runs if run.day >= runner.touched]
        hard = [run for run in after if lived.truths[run.id].hard and run.is_run]
        came = hard[0] if hard and not plan.established else None
        rules = people_do.days_up(lived, [v.day for v in verdicts])
        rules |= people_do.blind_rule(None if came is None else came.day)
        return Outcome(
            scenario=scenario.name,
            seed=runner.seed,
            judged=sum(v.state != "learning" for v in verdicts),
            lived=(end - runner.first).days,
            onsets=_onsets(verdicts, rules, base[-1:], runner.event),
            easy_days=tuple((run.day - runner.event).days for run in after if run.easy is not None),
            introduced=None if came is None else (came.day - runner.event).days,
            first_kind=None if came is None else lived.truths[came.id].kind,
            change=plan.change,
            established=plan.established,
            strained=_offset(plan.strained_on, runner.event),
            spells=tuple(
                Spell(_offset(spell.introduced_on, runner.event), spell.established, spell.change)
                for spell in verdicts[-1].intensity
            ),
            kinds=_called(lived, after),
        )

    def _walk(self, table: RunTable, begin: date, end: date, previous: Verdict | None) -> list[Verdict]:
        verdicts = []
        for n in range((end - begin).days):
            day = begin + timedelta(days=n)
            reading = read(History.at(table, day, datetime.combine(day, time.max, UTC)), self.params)
            previous = decide(reading, previous)
            verdicts.append(previous)
        return verdicts


def _called(lived: Lived, runs: Iterable[Run]) -> Counter[tuple[Kind, bool, Kind, bool]]:
    truths = lived.truths
    return Counter((truths[r.id].kind, truths[r.id].hard, r.kind, r.hard) for r in runs if r.is_run)


def _marks(verdict: Verdict, rules: people_do.DaysUp) -> set[str]:
    """Everything that is up on a day, in the words of `Outcome.onsets`."""
    marks = {str(verdict.state)} | {f"people: {rule}" for rule, days in rules.items() if verdict.day in days}
    if verdict.state in UP:
        marks.add("up")
    for signal in verdict.signals:
        if signal.level != "ok":
            for what in (signal.name, f"family {signal.family}"):
                marks |= {f"{what}: watch", f"{what}: {signal.level}"}
    return marks


def _onsets(
    verdicts: Sequence[Verdict], rules: people_do.DaysUp, before: Sequence[Verdict], event: date
) -> dict[str, tuple[int, ...]]:
    yesterday = _marks(before[-1], rules) if before else set()
    found: dict[str, list[int]] = {}
    for verdict in verdicts:
        today = _marks(verdict, rules)
        for mark in today - yesterday:
            found.setdefault(mark, []).append((verdict.day - event).days)
        yesterday = today
    return {mark: tuple(onsets) for mark, onsets in found.items()}


def _offset(day: date | None, event: date) -> int | None:
    return None if day is None else (day - event).days
