"""`status --json`: the record's latest verdict and what it rests on, and who the runner is. Reads; judges nothing."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from daemon import documents, metrics
from daemon.clock import local_day
from daemon.config import Config
from daemon.evaluate.history import athlete_settings, local_now, recordings
from daemon.store import Store, grants, imports, judgement, outbox, snooze
from daemon.store import activities as rows
from daemon.store import answers as said
from daemon.store.progress import Progress, in_the_way, progress


def whole_status(store: Store, config: Config, now: datetime) -> documents.Document:
    """The whole of `status --json`, for whoever's runs are stored. Raises StoreError."""
    with store.read() as session:
        athlete_id = grants.athlete(session)
    document = status_document(store, athlete_id, local_now(store, config, now).tzinfo or UTC, now)
    return document | {"athlete": athlete_document(store, athlete_id, config)}


def status_document(
    store: Store, athlete_id: int | None, zone: tzinfo = UTC, now: datetime | None = None
) -> documents.Document:
    """`status --json`: the record's latest verdict, and what it rests on; alerts by their day in `zone`.

    Without `now` nothing is said of a snooze.
    """
    if athlete_id is None:
        return _nothing_yet("no runs yet", ["run `pullback auth` for Strava, or `pullback import` for files"])
    with store.read() as session:
        state = progress(session, athlete_id)
        data = rows.counts(session, athlete_id)
        to_fetch = rows.wanted_since(session, athlete_id)
        last = judgement.last_day(session, athlete_id)
        found = None if last is None else judgement.verdict(session, athlete_id, last)
        answers = said.answers(session, athlete_id)
        told = _told(session, athlete_id, zone, now)
        granted = grants.grant(session) is not None
        imported = imports.last_import(session, athlete_id)
    document = _unjudged(data["runs"], granted) if found is None else _judged(found)
    document["data"] = {
        "runs": data["runs"],
        "with_heart_rate": data["with_heart_rate"],
        "first": None if data["first"] is None else data["first"].isoformat(),
        "last": None if data["last"] is None else data["last"].isoformat(),
        "recordings_to_fetch": to_fetch,
        "last_sync": None if state.last_success_at is None else _utc(state.last_success_at),
        "last_import": None if imported is None else _utc(imported),
    }
    document |= told
    document["answers"] = [documents.answer_document(answer) for answer in answers]
    document["access"] = _access(state)
    document["trouble"] = in_the_way(state, zone)
    document["broken_since"] = None if state.broken_since is None else _utc(state.broken_since)
    document["waiting_until"] = None if state.waiting_until is None else _utc(state.waiting_until)
    return document


def athlete_document(store: Store, athlete_id: int | None, config: Config) -> documents.Document | None:
    """Who the runner is on the day of the record's latest verdict; None before there is one. Raises StoreError."""
    if athlete_id is None:
        return None
    with store.read() as session:
        today = judgement.last_day(session, athlete_id)
    if today is None:
        return None
    try:
        held = recordings(store, athlete_id)
    except ValueError:
        return None  # numbers of another version: the next evaluation makes them anew
    # Each run costs half a millisecond, and none of the numbers looks back further
    # than a year, save where runs are few.
    lately = [pair for pair in held if pair[0].day > today - _LATELY]
    known = lately if len(lately) >= _FEW else held
    return metrics.profile(known, athlete_settings(config), today).as_document()


_LATELY = timedelta(weeks=104)
_FEW = 50
_STANDING = ("pull_back", "watch", "access", "stale")
_MARKED = timedelta(weeks=2)
"""So long a delivery that was given up is shown."""


def _told(session: Any, athlete_id: int, zone: tzinfo, now: datetime | None) -> documents.Document:
    """The alerts that are open, whether they are held back, and what a channel didn't take."""
    alerts = [a for a in outbox.open_alerts(session, athlete_id) if a.kind in _STANDING]
    failing = outbox.deliveries(session, outbox.UNDELIVERED)
    missed = {d.alert.id for d in failing if d.error == outbox.NO_CHANNEL}
    # What an address that was changed, or left out, didn't take is no trouble where another did.
    taken = outbox.reached(session, missed)
    failing = [d for d in failing if d.error != outbox.NO_CHANNEL or d.alert.id not in taken]
    quiet = None if now is None else snooze.snoozed_until(session, athlete_id, now)
    return {
        "alerts_open": [
            {"id": a.id, "kind": a.kind, "opened": local_day(a.opened_at, zone).isoformat(), "title": a.title}
            for a in alerts
        ],
        "snoozed_until": None if quiet is None else _utc(quiet),
        "undelivered": [_undelivered(d, zone) for d in failing if _failed(d, athlete_id, now)],
        "deliveries_waiting": sum(delivery.error is None for delivery in outbox.unsettled(session)),
    }


def _failed(delivery: outbox.Delivery, athlete_id: int, now: datetime | None) -> bool:
    alert = delivery.alert
    lately = (
        now is None or abs(now - alert.opened_at) < _MARKED or (alert.closed_at is None and alert.kind in _STANDING)
    )
    failing = delivery.state in ("pending", "claimed") and delivery.error is not None
    return alert.athlete_id == athlete_id and (failing or (delivery.state == "given_up" and lately))


def _undelivered(delivery: outbox.Delivery, zone: tzinfo) -> documents.Document:
    """One alert that a channel doesn't take. `channel` is what is kept of its address."""
    return {
        "alert": delivery.alert.id,
        "kind": delivery.alert.kind,
        "title": delivery.alert.title,
        "opened": local_day(delivery.alert.opened_at, zone).isoformat(),
        "channel": delivery.channel,
        "given_up": delivery.state == "given_up",
        "attempts": delivery.attempts,
        "error": delivery.error,
    }


def _judged(found: documents.Document) -> documents.Document:
    judged = documents.read_verdict(found)
    current = documents.current_intensity(judged)
    return {
        "verdict": judged.state,
        "since": judged.since.isoformat(),
        "headline": judged.headline,
        "advice": list(judged.advice),
        "intensity": None if current is None else documents.intensity_document(current),
        "signals": found["signals"],
    }


def _unjudged(runs: int, granted: bool) -> documents.Document:
    """Before the first judgement: nothing has come, or an import was interrupted."""
    following = "run `pullback sync`" if granted else "run the same `pullback import` again: it goes on from there"
    if not runs:
        return _nothing_yet("no activities yet", [following if granted else "run `pullback import` with your files"])
    return _nothing_yet(f"{runs} {'run' if runs == 1 else 'runs'} kept, not judged yet", [following])


def _nothing_yet(headline: str, advice: list[str]) -> documents.Document:
    nothing = {"runs": 0, "with_heart_rate": 0, "first": None, "last": None, "recordings_to_fetch": 0}
    nothing |= {"last_sync": None, "last_import": None}
    document: documents.Document = {"verdict": "learning", "since": None, "headline": headline, "advice": advice}
    document |= {"intensity": None, "signals": [], "data": nothing, "alerts_open": [], "answers": []}
    document |= {"snoozed_until": None, "undelivered": [], "deliveries_waiting": 0}
    return document | {"access": None, "trouble": None, "broken_since": None, "waiting_until": None}


def _access(state: Progress) -> documents.Document | None:
    """Why Strava refuses us, in one word, and since when; None while it doesn't."""
    if state.access is None or state.access_since is None:
        return None
    return {"state": state.access, "since": _utc(state.access_since)}


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
