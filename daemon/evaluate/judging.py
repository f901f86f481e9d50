"""Judges every local day from the earliest change on, keeps the record, and has told what is to be said today."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from daemon import documents, metrics, verdict
from daemon.clock import local_day
from daemon.config import Config
from daemon.evaluate.history import Facts, athlete_settings, facts, home_zone, measure_new, params
from daemon.evaluate.telling import tell
from daemon.signals import History, RunTable, SignalParams, read
from daemon.store import Store, grants, judgement
from daemon.store import activities as rows
from daemon.store.progress import Progress, progress, save_progress
from daemon.values import Reading, Verdict

VERSION = 12
"""Raised whenever signals or verdict would judge the same history differently, so that the record is made again."""

READING_HISTORY = "the newest half year of runs is still being fetched from Strava"


def judge_days(
    known: Facts, days: Iterable[date], previous: Verdict | None, settings: SignalParams, *, ready: bool
) -> Iterator[Verdict]:
    """The verdict of each of consecutive `days`, given that of the day before. Pure; a day knows nothing later."""
    table = RunTable.of(known.runs)
    for day in days:
        # The end of the day, also today: a verdict must not depend on the hour at which it was looked at.
        reading = read(History.at(table, day, datetime.combine(day, time.max, UTC), known.answers), settings)
        if not ready:
            # Half a history would be judged wrongly: nothing is read from it.
            reading = Reading(day, (), (), READING_HISTORY)
        previous = verdict.decide(reading, previous)
        yield previous


def span(first: date, last: date) -> list[date]:
    """All days from `first` to `last`, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What one evaluation came to: today's verdict (None: not one activity yet) and the alerts it opened."""

    verdict: Verdict | None
    opened: tuple[int, ...] = ()


def evaluate(store: Store, athlete_id: int, config: Config, now: datetime, *, wait_s: float = 60.0) -> Evaluated:
    """Measures what is new, judges from the earliest change to today, opens what is to be said.

    Raises StoreError, and Busy where another process goes on judging for `wait_s` seconds.
    """
    with store.only_one("judgement", wait_s=wait_s):
        with store.read() as session:
            # Whoever signs in after an import takes over what it brought: nothing is written under the old name.
            athlete_id = grants.whose(session, athlete_id)
            seen = progress(session, athlete_id).changes
        measure_new(store, athlete_id)
        with store.read() as session:
            # Counted before measuring: a pull that landed in between is a change not yet seen.
            state = replace(progress(session, athlete_id), changes=seen)
            newest = rows.newest(session, athlete_id)
            last = judgement.last_day(session, athlete_id)
        today = local_day(now, home_zone(config, newest))
        made_with = _made_with(config)
        # A run from the future means that the clock is wrong: nothing is said by it.
        speak = newest is None or newest.day <= today + timedelta(days=1)
        if state.judged_with == made_with and last == today and state.judge_from is None:
            return Evaluated(_recorded(store, athlete_id, today), tell(store, athlete_id, config, now, speak=speak))
        first = _first_due(state, last, today) if state.judged_with == made_with else None
        judged = _judge(store, athlete_id, config, first, today, ready=state.history_ready)
        with store.write() as session:
            record = [(v.day, documents.verdict_document(v)) for v in judged]
            # Days of a deleted first run are due without being judged again: they leave the record.
            since = date.min if first is None else min([first, *(v.day for v in judged[:1])])
            judgement.save_verdicts(session, athlete_id, record, since)
            current = progress(session, athlete_id)
            # A pull may have noted another change meanwhile: then it stays due.
            left = None if current.changes == seen else current.judge_from
            save_progress(session, athlete_id, replace(current, judge_from=left, judged_with=made_with))
        told = tell(store, athlete_id, config, now, speak=speak)
        return Evaluated(judged[-1] if judged else None, told)


def _first_due(state: Progress, last: date | None, today: date) -> date | None:
    """The earliest day to judge: what changed, what is new, and today again where the record is ahead of the clock."""
    if last is None:
        return None
    return min(d for d in (state.judge_from, last + timedelta(days=1), today) if d is not None)


def _judge(
    store: Store, athlete_id: int, config: Config, first: date | None, today: date, *, ready: bool
) -> list[Verdict]:
    """Verdicts from `first` (None: the first run's day) to today."""
    known = facts(store, athlete_id, config)
    if not known.runs:
        return []
    begin = min(run.day for run in known.runs)
    first = begin if first is None else max(first, begin)
    # A record may lie ahead of a clock that was set back: today is judged all the same.
    first = min(first, max(today, begin))
    previous = _recorded(store, athlete_id, first - timedelta(days=1)) if first > begin else None
    if previous is None:
        first = begin
    last = max(today, first)
    return list(judge_days(known, span(first, last), previous, params(config), ready=ready))


def _recorded(store: Store, athlete_id: int, day: date) -> Verdict | None:
    with store.read() as session:
        found = judgement.verdict(session, athlete_id, day)
    return None if found is None else documents.read_verdict(found)


def _made_with(config: Config) -> str:
    """Names the code and the settings a record was made with: when it differs, all days are judged again."""
    parts = (metrics.VERSION, VERSION, athlete_settings(config), params(config))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
