"""Weeks of one runner written out by hand, for the tests of the detectors that read the training week."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from daemon.signals import History, RunTable, SignalParams, read
from daemon.values import Answer, Run, Signal
from tests.signals.days import NOW

MONDAY = date(2026, 1, 5)
TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(1, 7)
WEEK = {TUESDAY: ("easy", 45), THURSDAY: ("easy", 50), SATURDAY: ("easy", 40), SUNDAY: ("long", 85)}

Week = dict[int, tuple[str, float]]


def run(day: date, kind: str = "easy", minutes: float = 45, hour: float = 7.0, sport: str = "Run") -> Run:
    """One activity; a session's load is that of its kind, everything else counts its minutes."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour)
    hard = kind in ("tempo", "intervals", "hills", "race")
    hard_minutes = 20.0 if hard else 0.0
    return Run(
        id=day.toordinal() * 10 + int(hour >= 12),
        start=start,
        end=start + timedelta(minutes=minutes),
        day=day,
        hour=hour,
        sport=sport,
        name=kind,
        kind=kind if sport == "Run" else "other",  # type: ignore[arg-type]
        hard=hard,
        distance_m=170 * minutes,
        moving_s=60 * minutes,
        load=(minutes - hard_minutes + 2 * hard_minutes) * (1.0 if sport == "Run" else 0.6),
        easy_minutes=minutes - hard_minutes,
        hard_minutes=hard_minutes,
        easy=None,
        left_out="by hand",
    )


def weeks(plan: Callable[[int], Week], number: int) -> list[Run]:
    """`number` weeks from `MONDAY` on, each as `plan` says for it; every third week is a little shorter."""
    runs = []
    for week in range(number):
        for weekday, (kind, minutes) in sorted(plan(week).items()):
            shorter = 0.9 if week % 3 == 2 else 1.0
            runs.append(run(MONDAY + timedelta(days=7 * week + weekday), kind, minutes * shorter))
    return runs


def from_week(first: int, later: Week, before: Week = WEEK) -> Callable[[int], Week]:
    """A plan: `before`, and from week `first` on `later`."""
    return lambda week: later if week >= first else before


def end_of(week: int) -> date:
    """The Sunday of that week."""
    return MONDAY + timedelta(days=7 * week + 6)


def signal(name: str, runs: Iterable[Run], day: date, answers: Iterable[Answer] = (), **params: float) -> Signal | None:
    """What one detector says at the end of `day`."""
    settings = SignalParams()
    settings = replace(settings, **{name: replace(getattr(settings, name), **params)})
    history = History.at(RunTable.of(list(runs)), day, NOW, tuple(answers))
    return read(history, settings).signal(name)


def answer(reason: str, first: date, last: date | None = None) -> Answer:
    return Answer(1, reason, first, last or first, NOW)  # type: ignore[arg-type]
