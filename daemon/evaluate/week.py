"""A week of running beside the usual ones, for the digest. Pure; judges nothing."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from statistics import median

from daemon.config import Digest
from daemon.values import Run, Week

USUAL_WEEKS = 8
"""So many weeks before say what is usual [ENG]."""

LATE = timedelta(hours=24)
"""A digest is told that late at most, where the machine was off: later it is no news."""

NOON = time(12)


def digest_due(digest: Digest | None, now: datetime, zone: tzinfo) -> date | None:
    """The day whose digest is to be told at `now` (aware), None where none is: its time has come, not long ago."""
    if digest is None:
        return None
    local = now.astimezone(zone)
    day = local.date() - timedelta(days=(local.weekday() - digest.weekday) % 7)
    at = datetime.combine(day, digest.at, zone)
    if now < at:  # later today
        at = datetime.combine(day - timedelta(days=7), digest.at, zone)
    return at.date() if now - at < LATE else None


def first_day(digest: Digest, day: date) -> date:
    """The first of the seven days a digest speaks of: up to its `day`, or before noon up to the day before."""
    return day - timedelta(days=6 if digest.at >= NOON else 7)


def week_of(runs: Sequence[Run], first: date) -> Week:
    """The seven days from `first` on, against the middle one of the weeks before it since the first run."""
    known = [run for run in runs if run.day < first]
    begin = min((run.day for run in known), default=first)
    weeks = [first - timedelta(weeks=n) for n in range(1, USUAL_WEEKS + 1) if first - timedelta(weeks=n) >= begin]
    before = [_in_week(runs, monday) for monday in weeks]
    now = _in_week(runs, first)
    minutes, load, hard = ([f(week) for week in before] for f in (_minutes, _load, _hard_days))
    return Week(
        first=first,
        runs=sum(run.is_run for run in now),
        run_days=len({run.day for run in now if run.is_run}),
        minutes=_minutes(now),
        usual_minutes=float(median(minutes or [0.0])),
        load=_load(now),
        usual_load=float(median(load or [0.0])),
        hard_days=_hard_days(now),
        usual_hard_days=float(median(hard or [0])),
        rest_days=7 - len({run.day for run in now}),
    )


def _in_week(runs: Sequence[Run], first: date) -> list[Run]:
    return [run for run in runs if timedelta(0) <= run.day - first < timedelta(days=7)]


def _minutes(week: Sequence[Run]) -> float:
    return sum(run.moving_s for run in week if run.is_run) / 60


def _load(week: Sequence[Run]) -> float:
    return sum(run.load for run in week)


def _hard_days(week: Sequence[Run]) -> int:
    return len({run.day for run in week if run.hard})
