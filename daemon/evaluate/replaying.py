"""Walks the stored history as if it were new, and says what would have been told. Records no verdict, sends nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from daemon import verdict, wording
from daemon.clock import local_day
from daemon.config import Config
from daemon.evaluate.desk import kinds_told
from daemon.evaluate.history import Facts, facts, home_zone, measure_new, params, units
from daemon.evaluate.judging import judge_days, span
from daemon.store import Store
from daemon.store import activities as rows
from daemon.store.progress import progress
from daemon.values import Intensity, ReplayedDay, Verdict

SILENT = timedelta(weeks=8)
"""So long after the last run the days still count in what is so many a year or a week."""


@dataclass(frozen=True, slots=True)
class Told:
    """One alert that a replay would have sent."""

    day: date
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """A walk through the stored history: day by day, the spells of intensity as the last day saw them, what would
    have been said. `to_fetch` recordings of those runs aren't there yet.

    Rates are over its `rated_days`: from the first run to the last and eight weeks on, not the years without any.
    """

    days: tuple[ReplayedDay, ...]
    intensity: tuple[Intensity, ...]
    alerts: tuple[Told, ...]
    usable_runs_per_week: float | None
    rated_days: int
    to_fetch: int


def walk(
    store: Store, athlete_id: int, config: Config, now: datetime, *, last: date | None = None
) -> tuple[Facts, Iterator[Verdict]]:
    """What is known, and from it the verdict of each day from the first run's to `last` (today), as if it were new."""
    with store.only_one("judgement", wait_s=60.0):
        measure_new(store, athlete_id)
    with store.read() as session:
        ready = progress(session, athlete_id).history_ready
        newest = rows.newest(session, athlete_id)
    known = facts(store, athlete_id, config)
    if not known.runs:
        return known, iter(())
    begin = min(run.day for run in known.runs)
    today = local_day(now, home_zone(config, newest))
    days = span(begin, min(last or today, max(today, begin)))
    return known, judge_days(known, days, None, params(config), ready=ready)


def replay(
    store: Store, athlete_id: int, config: Config, now: datetime, *, first: date | None = None, last: date | None = None
) -> Replayed:
    """Judges the history day by day as if it were new, keeps `first` to `last`; records no verdict, sends nothing."""
    known, walked = walk(store, athlete_id, config, now, last=last)
    days: list[ReplayedDay] = []
    intensity: tuple[Intensity, ...] = ()
    alerts: list[Told] = []
    told: list[verdict.OpenAlert] = []
    kinds, measured_in = kinds_told(config), units(store, athlete_id, config)
    for judged in walked:
        for say in verdict.what_to_say(judged, told, kinds):
            told.append(verdict.OpenAlert(say.kind, say.episode, open=say.closes))  # an all-clear goes on being true
            if say.kind != "all_clear" or config.alerts.all_clear:
                title, _ = wording.alert(say.kind, judged, measured_in)
                alerts.append(Told(judged.day, say.kind, title))
        days.append(ReplayedDay(judged.day, judged.state, tuple((s.name, s.level, s.score) for s in judged.signals)))
        intensity = judged.intensity
    kept = tuple(d for d in days if first is None or d.day >= first)
    usable = sum(run.easy is not None for run in known.runs if kept and kept[0].day <= run.day <= kept[-1].day)
    rated = rated_days([run.day for run in known.runs if run.is_run], [d.day for d in kept])
    per_week = round(7 * usable / rated, 2) if kept else None
    with store.read() as session:
        to_fetch = rows.wanted_since(session, athlete_id)
    said = tuple(a for a in alerts if first is None or a.day >= first)
    return Replayed(kept, intensity if kept else (), said, per_week, rated, to_fetch)


def rated_days(ran: Sequence[date], days: Sequence[date]) -> int:
    """How many of these consecutive days lie between the first run and eight weeks after the last; all where none."""
    if not ran:
        return len(days)
    begin, end = min(ran), max(ran) + SILENT
    return sum(begin <= day <= end for day in days) or len(days)
