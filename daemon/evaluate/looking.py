"""Gathers what the picture and the page show: the runs, the record of verdicts, alerts, settings. Judges nothing."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import groupby
from statistics import median
from sys import intern
from typing import Any

import daemon
from daemon import documents
from daemon.clock import local_day
from daemon.config import Config
from daemon.evaluate.history import Facts, facts, home_zone, measure_new, params, units
from daemon.measures import Units
from daemon.report.data import (
    Course,
    DayKind,
    EasyHeart,
    EasyRun,
    HardSession,
    PageData,
    PictureData,
    Reading,
    RunRow,
    Setting,
    Stretch,
    Told,
    Week,
)
from daemon.report.picture import picture
from daemon.signals import History, RunTable, SignalParams, matched
from daemon.signals.hard_spacing import PIECES_HOURS
from daemon.signals.matched_pace import Matched
from daemon.store import Store, judgement, outbox
from daemon.store import activities as rows
from daemon.store.outbox import Alert
from daemon.values import Run, Signal, Verdict

log = logging.getLogger(__name__)

USUAL_WEEKS, LEAST_USUAL_WEEKS = 8, 3
"""The usual week is the median of so many whole weeks before intensity came, or before this one."""

SILENT = timedelta(weeks=4)
"""After so long without an activity the page shows the weeks before, not empty ones."""

ABOVE_NORM = "recent_delta_bpm"
_NOTHING: dict[str, Any] = {}

Record = Sequence[dict[str, Any]]
"""Verdicts as recorded, oldest day first."""


def picture_of(store: Store, athlete_id: int, config: Config, alert: Alert) -> bytes | None:
    """The picture that goes with an alert, as things stood on its day; None where there is none to draw.

    Raises StoreError.
    """
    with store.read() as session:
        day = local_day(alert.opened_at, home_zone(config, rows.newest(session, athlete_id)))
        recorded = judgement.verdict(session, athlete_id, day)
    if recorded is None:
        return None
    try:
        known = facts(store, athlete_id, config)
    except ValueError:
        # The next evaluation makes them anew.
        log.warning('no picture problem="the numbers are those of another version"')
        return None
    chosen = units(store, athlete_id, config)
    return picture(picture_data(known, documents.read_verdict(recorded), alert.title, config, chosen))


def picture_data(known: Facts, verdict: Verdict, title: str, config: Config, chosen: Units = "metric") -> PictureData:
    """What the picture of an alert shows that came with this verdict. Pure."""
    known = _until(known, verdict.day)
    came_on, stepped_up = _came(verdict)
    weeks = weeks_of(known.runs, verdict.day)
    return PictureData(
        title=title,
        today=verdict.day,
        easy=_easy(_matched(known, verdict.day, config), verdict),
        came_on=came_on,
        stepped_up=stepped_up,
        weeks=weeks,
        hard_days=tuple(sorted({run.day for run in known.runs if run.hard and run.is_run})),
        usual_minutes=_usual(weeks, came_on, "minutes"),
        units=chosen,
    )


def lately(store: Store, athlete_id: int | None, config: Config) -> PictureData | None:
    """What the picture shows, as of the record's latest verdict; None before there is one. Raises StoreError."""
    if athlete_id is None:
        return None
    with store.read() as session:
        today = judgement.last_day(session, athlete_id)
        recorded = None if today is None else judgement.verdict(session, athlete_id, today)
    if recorded is None:
        return None
    try:
        known, chosen = facts(store, athlete_id, config), units(store, athlete_id, config)
        return picture_data(known, documents.read_verdict(recorded), "", config, chosen)
    except ValueError:
        return None  # numbers of another version: the next evaluation makes them anew


def look(store: Store, athlete_id: int, config: Config, now: datetime, *, wait_s: float = 60.0) -> PageData | None:
    """What the page shows at `now`; None before anything was judged. Raises StoreError.

    Raises Busy where somebody else judges for longer than `wait_s` seconds.
    """
    with store.only_one("judgement", wait_s=wait_s):
        measure_new(store, athlete_id)
    with store.read() as session:
        zone = home_zone(config, rows.newest(session, athlete_id))
        alerts = outbox.alerts(session, athlete_id)
        to_fetch = rows.wanted_since(session, athlete_id)
    known, chosen = facts(store, athlete_id, config), units(store, athlete_id, config)
    with store.read() as session:
        last = judgement.last_day(session, athlete_id)
        if last is None:
            return None
        known = _until(known, last)  # a run that isn't judged yet is none of this page's
        record = slim(judgement.verdicts(session, athlete_id), until_of(known.runs, last))
    return page_data(known, record, alerts, config, now.astimezone(zone), chosen, to_fetch)


def page_data(
    known: Facts,
    record: Record,
    alerts: Sequence[Alert],
    config: Config,
    now: datetime,
    chosen: Units = "metric",
    to_fetch: int = 0,
) -> PageData:
    """The page of what is known, of a record with one day at least. `now` is on the runner's wall clock. Pure."""
    verdict = documents.read_verdict(record[-1])
    known, settings = _until(known, verdict.day), params(config)
    seen = _matched(known, verdict.day, config)
    came_on, stepped_up = _came(verdict)
    until = until_of(known.runs, verdict.day)
    weeks = weeks_of(known.runs, until)
    return PageData(
        made_at=now,
        until=until,
        version=daemon.__version__,
        verdict=verdict,
        signals=_signals_on(record, until),
        easy=_easy(seen, verdict),
        came_on=came_on,
        stepped_up=stepped_up,
        weeks=weeks,
        usual_load=_usual(weeks, came_on, "load"),
        sessions=sessions_of(known.runs),
        close_hours=settings.hard_spacing.hours,
        courses=_courses(record, settings),
        above_norm=_above_norm(record),
        runs=_run_rows(known.runs, seen),
        told=tuple(_told(alert, now.tzinfo) for alert in alerts),
        stretches=_stretches(record),
        settings=_settings(config),
        units=chosen,
        to_fetch=to_fetch,
    )


def slim(record: Iterable[dict[str, Any]], shown: date) -> Record:
    """What a page needs of a record, the days with all they hold being only the `shown` one and the last. Pure."""
    days: list[dict[str, Any]] = []
    for document in record:
        # The shown day is the last one not after it.
        if days and not days[-1]["day"] <= str(shown) < document["day"]:
            days[-1] = _slim(days[-1])
        days.append(document)
    return days


def _slim(document: dict[str, Any]) -> dict[str, Any]:
    return {
        "day": document["day"],
        "state": intern(document["state"]),
        "signals": [
            {name: intern(signal[name]) for name in ("name", "level", "family")}
            | {"score": signal["score"], "evidence": _kept(signal["evidence"])}
            for signal in document["signals"]
        ],
    }


def _kept(evidence: dict[str, Any]) -> dict[str, Any]:
    return {ABOVE_NORM: evidence[ABOVE_NORM]} if ABOVE_NORM in evidence else _NOTHING


def until_of(runs: Sequence[Run], today: date) -> date:
    """The last day to show: today, or after a long silence the Sunday of the newest activity's week."""
    newest = max((run.day for run in runs), default=today)
    sunday = newest + timedelta(days=6 - newest.weekday())
    return sunday if today - newest > SILENT else today


def weeks_of(runs: Sequence[Run], today: date) -> tuple[Week, ...]:
    """Every calendar week from the first activity's to that of `today`, the last one as far as it has come."""
    by_day: dict[date, list[Run]] = {}
    for run in runs:
        by_day.setdefault(run.day, []).append(run)
    if not by_day:
        return ()
    first = min(by_day) - timedelta(days=min(by_day).weekday())
    mondays = (first + timedelta(weeks=n) for n in range((today - first).days // 7 + 1))
    return tuple(_week(monday, by_day, today) for monday in mondays)


def _week(monday: date, by_day: Mapping[date, list[Run]], today: date) -> Week:
    days = [monday + timedelta(days=n) for n in range(7) if monday + timedelta(days=n) <= today]
    active = [run for day in days for run in by_day.get(day, ())]
    runs = [run for run in active if run.is_run]
    hard = sum(min(run.hard_minutes, run.moving_s / 60) for run in runs)
    return Week(
        monday=monday,
        easy_minutes=sum(run.moving_s for run in runs) / 60 - hard,
        hard_minutes=hard,
        load=sum(run.load for run in active),
        days=tuple(_day_kind(by_day.get(day, ())) for day in days),
    )


def _day_kind(runs: Sequence[Run]) -> DayKind:
    if not runs:
        return "rest"
    if any(run.hard for run in runs):
        return "hard"
    if not any(run.is_run for run in runs):
        return "other"
    return "long" if any(run.kind == "long" for run in runs) else "easy"


def sessions_of(runs: Sequence[Run]) -> tuple[HardSession, ...]:
    """Every hard run with the hours since the one before; pieces of one session are one."""
    found: list[HardSession] = []
    before: Run | None = None
    for run in sorted((run for run in runs if run.hard and run.is_run), key=lambda run: run.start):
        hours = None if before is None else (run.start - before.end).total_seconds() / 3600
        hidden = run.hour is None or (before is not None and before.hour is None)
        if hours is None or hidden or hours > PIECES_HOURS:
            found.append(HardSession(run.day, run.kind, None if hidden else hours))
        before = run
    return tuple(found)


def _until(known: Facts, day: date) -> Facts:
    return Facts([run for run in known.runs if run.day <= day], known.answers)


def _matched(known: Facts, day: date, config: Config) -> Matched | None:
    history = History.at(RunTable.of(known.runs), day, datetime.combine(day, time.max, UTC), known.answers)
    return matched(history, params(config))


def _easy(seen: Matched | None, verdict: Verdict) -> EasyHeart | None:
    if seen is None:
        return None
    signal = _signal(verdict, "easy_heart_rate")
    compared = any(run.compared for run in seen.runs)
    return EasyHeart(
        runs=tuple(EasyRun(run.day, run.bpm, run.compared) for run in seen.runs),
        norm_bpm=seen.norm_bpm,
        spread_bpm=seen.spread_bpm,
        at_pace_s_per_km=seen.at_pace_s_per_km,
        delta_bpm=signal.evidence.get("delta_bpm") if signal and compared else None,
        raised=signal is not None and signal.level != "ok",
    )


def _signals_on(record: Record, day: date) -> tuple[Signal, ...]:
    """What the signals said on that day of the record, or the last one before it."""
    found = next((d for d in reversed(record) if date.fromisoformat(d["day"]) <= day), record[-1])
    return documents.read_verdict(found).signals


def _signal(verdict: Verdict, name: str) -> Signal | None:
    return next((signal for signal in verdict.signals if signal.name == name), None)


def _came(verdict: Verdict) -> tuple[date | None, bool]:
    """The day intensity came or was stepped up, and whether it was the latter."""
    intensity, now = _signal(verdict, "intensity"), documents.current_intensity(verdict)
    rose_on = intensity.evidence.get("rose_on") if intensity else None
    if rose_on is None or now is None:
        return None, False
    day = date.fromisoformat(rose_on)
    return day, now.introduced_on is None or day > now.introduced_on


def _usual(weeks: Sequence[Week], came_on: date | None, what: str) -> float | None:
    """The median of the last whole weeks before intensity came, where it came lately, else before this week."""
    end = weeks[-1].monday if weeks else date.min
    if came_on is not None and end - came_on < timedelta(weeks=26):
        end = came_on - timedelta(days=6)
    whole = [getattr(week, what) for week in weeks[1:] if week.monday < end and len(week.days) == 7]
    return float(median(whole[-USUAL_WEEKS:])) if len(whole) >= LEAST_USUAL_WEEKS else None


def _courses(record: Record, settings: SignalParams) -> tuple[Course, ...]:
    """What each signal said, day by day; the order is that in which they are read."""
    courses: dict[str, list[Reading]] = {field.name: [] for field in fields(settings)}
    families: dict[str, str] = {}
    for document in record:
        day = date.fromisoformat(document["day"])
        for signal in document["signals"]:
            courses.setdefault(signal["name"], []).append(Reading(day, signal["score"], signal["level"]))
            families[signal["name"]] = signal["family"]
    lines = {name: 1.0 if family else None for name, family in families.items()}
    lines |= {"easy_heart_rate": min(settings.easy_heart_rate.h_watch, settings.easy_heart_rate.h)}
    return tuple(Course(name, tuple(said), lines.get(name)) for name, said in courses.items() if said)


def _above_norm(record: Record) -> tuple[Reading, ...]:
    """How far the last three easy runs lay above the norm on each day, in bpm."""
    found = []
    for document in record:
        heart = next((signal for signal in document["signals"] if signal["name"] == "easy_heart_rate"), None)
        bpm = heart["evidence"].get(ABOVE_NORM) if heart else None
        if heart is not None and bpm is not None:
            found.append(Reading(date.fromisoformat(document["day"]), bpm, heart["level"]))
    return tuple(found)


def _run_rows(runs: Sequence[Run], seen: Matched | None) -> tuple[RunRow, ...]:
    """Newest first."""
    above = {run.id: run.bpm - seen.norm_bpm for run in seen.runs} if seen else {}
    return tuple(
        RunRow(
            id=run.id,
            day=run.day,
            name=run.name,
            kind=run.kind,
            hard=run.hard,
            distance_m=run.distance_m,
            moving_s=run.moving_s,
            load=run.load,
            bpm=run.easy.bpm if run.easy else None,
            at_pace_s_per_km=1000 / run.easy.speed_m_s if run.easy else None,
            above_bpm=above.get(run.id),
            left_out=run.left_out,
            feel=run.feel,
        )
        for run in sorted((run for run in runs if run.is_run), key=lambda run: run.start, reverse=True)
    )


def _told(alert: Alert, zone: tzinfo | None) -> Told:
    zone = zone or UTC
    closed = None if alert.closed_at is None else local_day(alert.closed_at, zone)
    return Told(local_day(alert.opened_at, zone), alert.kind, alert.title, alert.text, closed)


def _stretches(record: Record) -> tuple[Stretch, ...]:
    grouped = (list(days) for _, days in groupby(record, key=lambda document: document["state"]))
    return tuple(
        Stretch(date.fromisoformat(days[0]["day"]), date.fromisoformat(days[-1]["day"]), days[0]["state"])
        for days in grouped
    )


def _settings(config: Config) -> tuple[Setting, ...]:
    """What decides about verdicts and what is told; no address and no secret."""
    found = []
    tables: dict[str, Any] = {"athlete": config.athlete}
    tables |= {f"signals.{name}": table for name, table in config.signals.items()}
    for title, table in tables.items():
        for field in fields(table):
            found.append(_setting(f"{title}.{field.name}", getattr(table, field.name), field.default))
    told = type(config.alerts)()
    for name in ("minimum", "all_clear", "remind_after", "quiet_hours", "stale_after"):
        found.append(_setting(f"alerts.{name}", getattr(config.alerts, name), getattr(told, name)))
    return tuple(found)


def _setting(key: str, value: Any, default: Any) -> Setting:
    return Setting(key, _shown(value), value != default)


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, timedelta):
        return f"{value / timedelta(days=1):g} days"
    if isinstance(value, tuple):
        return " to ".join(f"{moment:%H:%M}" for moment in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
