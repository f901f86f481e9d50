"""`status --json`: the record's latest verdict and what it rests on, and who the runner is. Reads; judges nothing."""

from datetime import UTC, datetime, timedelta, tzinfo

from daemon import documents, metrics
from daemon.clock import local_day
from daemon.config import Config
from daemon.evaluate.history import athlete_settings, recordings
from daemon.store import Store, judgement, outbox
from daemon.store import activities as rows
from daemon.store import answers as said
from daemon.store.progress import Progress, progress


def status_document(store: Store, athlete_id: int | None, zone: tzinfo = UTC) -> documents.Document:
    """`status --json`: the record's latest verdict, and what it rests on; alerts by their day in `zone`."""
    if athlete_id is None:
        return _nothing_yet("not authorised yet", ["run `pullback auth`"])
    with store.read() as session:
        state = progress(session, athlete_id)
        data = rows.counts(session, athlete_id)
        last = judgement.last_day(session, athlete_id)
        found = None if last is None else judgement.verdict(session, athlete_id, last)
        answers = said.answers(session, athlete_id)
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
    document["answers"] = [documents.answer_document(answer) for answer in answers]
    document["access"] = _access(state)
    document["trouble"] = state.problem
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
    # Each run costs half a millisecond, and none of the numbers looks back further than a year.
    lately = [pair for pair in held if pair[0].day > today - _LATELY]
    return metrics.profile(lately or held, athlete_settings(config), today).as_document()


_LATELY = timedelta(weeks=104)
_STANDING = ("pull_back", "watch", "access")


def _nothing_yet(headline: str, advice: list[str]) -> documents.Document:
    nothing = {"runs": 0, "with_heart_rate": 0, "first": None, "last": None, "last_sync": None}
    document: documents.Document = {"verdict": "learning", "since": None, "headline": headline, "advice": advice}
    document |= {"intensity": None, "signals": [], "data": nothing, "alerts_open": [], "answers": []}
    return document | {"access": None, "trouble": None, "waiting_until": None}


def _access(state: Progress) -> documents.Document | None:
    """Why Strava refuses us, in one word, and since when; None while it doesn't."""
    if state.access is None or state.access_since is None:
        return None
    return {"state": state.access, "since": _utc(state.access_since)}


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
