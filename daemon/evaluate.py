"""Store to verdict to outbox: judges every local day from the earliest change on, and says what is to be said today."""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from daemon import documents, metrics, verdict, wording
from daemon.clock import local_day
from daemon.config import Config
from daemon.metrics import AthleteSettings
from daemon.signals import History, RunTable, SignalParams, read
from daemon.store import Store, grants, judgement, outbox
from daemon.store import activities as rows
from daemon.store.progress import Progress, progress, save_progress
from daemon.values import Activity, Reading, Run, Verdict

log = logging.getLogger(__name__)

VERSION = 1
"""Raised whenever signals or verdict would judge the same history differently, so that the record is made again."""

GIVE_UP_AFTER = timedelta(days=3)
"""An older alert is no news to a channel that was added since."""

READING_HISTORY = "the newest half year of runs is still being fetched from Strava"


def doubles(activities: Sequence[Activity]) -> dict[int, int]:
    """Runs that a second device recorded as well: id of the poorer recording to id of the one that counts.

    Two activities are one when they share at least 80 % of the shorter one's time. The richer one has heart rate,
    then comes from a watch rather than by hand, then is longer.
    """
    poorer: dict[int, int] = {}
    runs = sorted((a for a in activities if a.is_run), key=lambda a: a.start)
    for i, second in enumerate(runs):
        for first in reversed(runs[max(0, i - 4) : i]):
            shared = (min(first.end, second.end) - second.start).total_seconds()
            shorter = min(first.elapsed_time_s, second.elapsed_time_s)
            if first.id in poorer or shorter <= 0 or shared < 0.8 * shorter:
                continue
            keep, drop = (first, second) if _richness(first) >= _richness(second) else (second, first)
            poorer[drop.id] = keep.id
            break
    return poorer


def _richness(activity: Activity) -> tuple[bool, bool, int, int]:
    return activity.has_heart_rate, not activity.manual, activity.elapsed_time_s, -activity.id


def params(config: Config) -> SignalParams:
    """The detectors' settings of a config."""
    return SignalParams(**config.signals)


def athlete_settings(config: Config) -> AthleteSettings:
    athlete = config.athlete
    return AthleteSettings(
        max_heart_rate=athlete.max_heart_rate,
        resting_heart_rate=athlete.resting_heart_rate,
        threshold_heart_rate=athlete.threshold_heart_rate,
        sex=athlete.sex,
    )


def runs(store: Store, athlete_id: int, config: Config) -> list[Run]:
    """Every living activity, classified and measured, oldest first, without doubles. Raises StoreError."""
    with store.read() as session:
        stored = rows.measured(session, athlete_id)
    twice = doubles([activity for activity, _ in stored])
    measured = [(activity, metrics.from_json(data)) for activity, data in stored if activity.id not in twice]
    return metrics.judge_runs(measured, athlete_settings(config))


def home_zone(config: Config, newest: Activity | None) -> tzinfo:
    """Where the runner's days begin: the configured zone, else that of the latest activity, else UTC."""
    if config.athlete.timezone is not None:
        return config.athlete.timezone
    if newest is None:
        return UTC
    if newest.timezone is not None:
        return ZoneInfo(newest.timezone)
    return timezone(timedelta(seconds=newest.utc_offset_s))


def local_now(store: Store, config: Config, now: datetime) -> datetime:
    """`now` on the runner's wall clock. Raises StoreError."""
    with store.read() as session:
        held = grants.grant(session)
        newest = None if held is None else rows.newest(session, held.athlete_id)
    return now.astimezone(home_zone(config, newest))


def judge_days(
    table: RunTable, days: Iterable[date], previous: Verdict | None, settings: SignalParams, *, ready: bool
) -> Iterator[Verdict]:
    """The verdict of each of consecutive `days`, given that of the day before. Pure; a day knows nothing later."""
    for day in days:
        # The end of the day, also today: a verdict must not depend on the hour at which it was looked at.
        reading = read(History.at(table, day, datetime.combine(day, time.max, UTC)), settings)
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


def evaluate(store: Store, athlete_id: int, config: Config, now: datetime) -> Evaluated:
    """Measures what is new, judges from the earliest change to today, opens what is to be said. Raises StoreError."""
    with store.only_one("judgement", wait_s=60.0):
        with store.read() as session:
            # Before measuring: a pull that lands in between counts as a change not yet seen.
            state = progress(session, athlete_id)
            newest = rows.newest(session, athlete_id)
            last = judgement.last_day(session, athlete_id)
        measure_new(store, athlete_id)
        today = local_day(now, home_zone(config, newest))
        made_with = _made_with(config)
        # A run from the future means that the clock is wrong: nothing is said by it.
        speak = newest is None or newest.day <= today + timedelta(days=1)
        if state.judged_with == made_with and last == today and state.judge_from is None:
            return Evaluated(_recorded(store, athlete_id, today), _tell(store, athlete_id, config, now, speak=speak))
        first = _first_due(state, last, today) if state.judged_with == made_with else None
        judged = _judge(store, athlete_id, config, first, today, ready=state.history_ready)
        with store.write() as session:
            record = [(v.day, documents.verdict_document(v)) for v in judged]
            # Days of a deleted first run are due without being judged again: they leave the record.
            since = date.min if first is None else min([first, *(v.day for v in judged[:1])])
            judgement.save_verdicts(session, athlete_id, record, since)
            current = progress(session, athlete_id)
            # A pull may have noted another change meanwhile: then it stays due.
            seen = current.changes == state.changes
            left = None if seen else current.judge_from
            save_progress(session, athlete_id, replace(current, judge_from=left, judged_with=made_with))
        told = _tell(store, athlete_id, config, now, speak=speak)
        return Evaluated(judged[-1] if judged else None, told)


@dataclass(frozen=True, slots=True)
class Told:
    """One alert that a replay would have sent."""

    day: date
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """A walk through the stored history: one verdict a day, and what would have been said."""

    verdicts: tuple[Verdict, ...]
    alerts: tuple[Told, ...]
    usable_runs_per_week: float | None


def replay(
    store: Store, athlete_id: int, config: Config, now: datetime, *, first: date | None = None, last: date | None = None
) -> Replayed:
    """Judges the history day by day as if it were new, keeps `first` to `last`; records no verdict, sends nothing."""
    with store.only_one("judgement", wait_s=60.0):
        measure_new(store, athlete_id)
    with store.read() as session:
        state = progress(session, athlete_id)
        newest = rows.newest(session, athlete_id)
    all_runs = runs(store, athlete_id, config)
    if not all_runs:
        return Replayed((), (), None)
    begin = min(run.day for run in all_runs)
    today = local_day(now, home_zone(config, newest))
    days = span(begin, min(last or today, max(today, begin)))
    walked = judge_days(RunTable.of(all_runs), days, None, params(config), ready=state.history_ready)
    verdicts: list[Verdict] = []
    alerts: list[Told] = []
    told: list[verdict.OpenAlert] = []
    for judged in walked:
        verdicts.append(judged)
        for say in verdict.what_to_say(judged, told, _lowest_minimum(config)) if state.history_ready else ():
            told.append(verdict.OpenAlert(say.kind, say.episode))
            if say.kind != "all_clear" or config.alerts.all_clear:
                title, _ = wording.alert(say.kind, judged, config.athlete.units or "metric")
                alerts.append(Told(judged.day, say.kind, title))
    kept = tuple(v for v in verdicts if first is None or v.day >= first)
    usable = sum(run.easy is not None for run in all_runs if kept and kept[0].day <= run.day <= kept[-1].day)
    per_week = round(7 * usable / len(kept), 2) if kept else None
    return Replayed(kept, tuple(a for a in alerts if first is None or a.day >= first), per_week)


def status_document(store: Store, athlete_id: int | None, zone: tzinfo = UTC) -> documents.Document:
    """`status --json`: the record's latest verdict, and what it rests on; alerts by their day in `zone`."""
    if athlete_id is None:
        return _nothing_yet("not authorised yet", ["run `pullback auth`"])
    with store.read() as session:
        state = progress(session, athlete_id)
        data = rows.counts(session, athlete_id)
        last = judgement.last_day(session, athlete_id)
        found = None if last is None else judgement.verdict(session, athlete_id, last)
        alerts = [a for a in outbox.alerts(session, athlete_id) if a.closed_at is None and a.kind in _STANDING]
    document = _nothing_yet("no activities yet", ["run `pullback sync`"])
    if found is not None:
        judged = documents.read_verdict(found)
        current = documents.current_intensity(judged)
        document = {
            "verdict": judged.state,
            "since": judged.since.isoformat(),
            "headline": judged.headline,
            "advice": list(judged.advice),
            "intensity": None if current is None else documents.intensity_document(current),
            "signals": found["signals"],
        }
    document["data"] = {
        "runs": data["runs"],
        "with_heart_rate": data["with_heart_rate"],
        "first": None if data["first"] is None else data["first"].isoformat(),
        "last": None if data["last"] is None else data["last"].isoformat(),
        "last_sync": None if state.last_success_at is None else _utc(state.last_success_at),
    }
    document["alerts_open"] = [
        {"id": a.id, "kind": a.kind, "opened": local_day(a.opened_at, zone).isoformat(), "title": a.title}
        for a in alerts
    ]
    document["trouble"] = state.problem
    document["waiting_until"] = None if state.waiting_until is None else _utc(state.waiting_until)
    return document


_STANDING = ("pull_back", "watch", "access")


def _nothing_yet(headline: str, advice: list[str]) -> documents.Document:
    nothing = {"runs": 0, "with_heart_rate": 0, "first": None, "last": None, "last_sync": None}
    document: documents.Document = {"verdict": "learning", "since": None, "headline": headline, "advice": advice}
    document |= {"intensity": None, "signals": [], "data": nothing, "alerts_open": []}
    return document | {"trouble": None, "waiting_until": None}


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def measure_new(store: Store, athlete_id: int) -> None:
    """Makes the metrics of every activity that has none of this version."""
    with store.read() as session:
        due = rows.outdated(session, athlete_id, metrics.VERSION)
    for start in range(0, len(due), 50):
        batch = due[start : start + 50]
        measured = [
            metrics.to_json(metrics.measure(d.activity, None if d.series is None else metrics.decode_series(d.series)))
            for d in batch
        ]
        with store.write() as session:
            for item, numbers in zip(batch, measured, strict=True):
                # What a pull has changed since it was read is measured the next time.
                if rows.is_current(session, item):
                    rows.save_metrics(session, athlete_id, item.activity.id, metrics.VERSION, numbers)


def _first_due(state: Progress, last: date | None, today: date) -> date | None:
    """The earliest day to judge: what changed, what is new, and today again where the record is ahead of the clock."""
    if last is None:
        return None
    return min(d for d in (state.judge_from, last + timedelta(days=1), today) if d is not None)


def _judge(
    store: Store, athlete_id: int, config: Config, first: date | None, today: date, *, ready: bool
) -> list[Verdict]:
    """Verdicts from `first` (None: the first run's day) to today."""
    all_runs = runs(store, athlete_id, config)
    if not all_runs:
        return []
    begin = min(run.day for run in all_runs)
    first = begin if first is None else max(first, begin)
    # A record may lie ahead of a clock that was set back: today is judged all the same.
    first = min(first, max(today, begin))
    previous = _recorded(store, athlete_id, first - timedelta(days=1)) if first > begin else None
    if previous is None:
        first = begin
    last = max(today, first)
    return list(judge_days(RunTable.of(all_runs), span(first, last), previous, params(config), ready=ready))


def _recorded(store: Store, athlete_id: int, day: date) -> Verdict | None:
    with store.read() as session:
        found = judgement.verdict(session, athlete_id, day)
    return None if found is None else documents.read_verdict(found)


def _made_with(config: Config) -> str:
    """Names the code and the settings a record was made with: when it differs, all days are judged again."""
    parts = (metrics.VERSION, VERSION, athlete_settings(config), params(config))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _tell(store: Store, athlete_id: int, config: Config, now: datetime, *, speak: bool) -> tuple[int, ...]:
    """Opens and closes alerts as today's verdict and Strava's answers ask for."""
    with store.write() as session:
        state = progress(session, athlete_id)
        opened = [_tell_access(session, athlete_id, config, state, now)]
        last = judgement.last_day(session, athlete_id)
        found = None if last is None else judgement.verdict(session, athlete_id, last)
        if found is not None and state.history_ready and speak:
            opened += _tell_verdict(session, athlete_id, config, documents.read_verdict(found), now)
        hearers = {outbox.channel_id(channel.url): channel for channel in config.alerts.urls}
        outbox.address(
            session,
            athlete_id,
            list(hearers),
            lambda channel, kind: _hears(hearers[channel], kind, config),
            now=now,
            since=now - GIVE_UP_AFTER,
        )
    return tuple(alert for alert in opened if alert is not None)


def _tell_access(session: Any, athlete_id: int, config: Config, state: Progress, now: datetime) -> int | None:
    if state.access is None or state.access_since is None:
        outbox.close_alerts(session, athlete_id, ["access"], now)
        return None
    title, text = wording.access(state.access)
    episode = f"{state.access} {state.access_since.isoformat()}"
    return _open(session, athlete_id, config, "access", episode, (title, text), now)


def _tell_verdict(session: Any, athlete_id: int, config: Config, today: Verdict, now: datetime) -> list[int | None]:
    told = [verdict.OpenAlert(a.kind, a.episode) for a in outbox.alerts(session, athlete_id)]
    over = {"watch"} if today.state in ("pull_back", "recovering") else {"watch", "pull_back"}
    if today.state != "watch":
        outbox.close_alerts(session, athlete_id, over, now)
    opened = []
    for say in verdict.what_to_say(today, told, _lowest_minimum(config)):
        if say.kind == "all_clear" and not config.alerts.all_clear:
            continue
        words = wording.alert(say.kind, today, config.athlete.units or "metric")
        opened.append(_open(session, athlete_id, config, say.kind, say.episode, words, now))
    return opened


def _open(
    session: Any, athlete_id: int, config: Config, kind: str, episode: str, words: tuple[str, str], now: datetime
) -> int | None:
    alert = outbox.open_alert(
        session,
        athlete_id,
        kind=kind,
        episode=episode,
        title=words[0],
        text=words[1],
        channels=[outbox.channel_id(channel.url) for channel in config.alerts.urls if _hears(channel, kind, config)],
        now=now,
    )
    if alert is not None:
        log.info("alert %d opened: %s, %s", alert, kind, words[0])
    return alert


def _lowest_minimum(config: Config) -> str:
    heard = any(_hears(channel, "watch", config) for channel in config.alerts.urls)
    return "watch" if heard or config.alerts.minimum == "watch" else "pull_back"


def _hears(channel: Any, kind: str, config: Config) -> bool:
    if channel.kinds is not None:
        return kind in channel.kinds
    return kind != "watch" or (channel.minimum or config.alerts.minimum) == "watch"
