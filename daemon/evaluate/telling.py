"""What is told to the runner: opens, repeats, closes and takes back alerts, as the record and Strava's answers ask for.

It decides nothing about running: which verdicts are told is the verdict room's to say, in which words the wording's.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Literal

from daemon import documents, wording
from daemon.config import Config
from daemon.evaluate.desk import Desk, Heard, free_key
from daemon.evaluate.history import facts, home_zone
from daemon.evaluate.warnings import tell_verdict
from daemon.evaluate.week import LATE, digest_due, first_day, week_of
from daemon.store import Busy, Store, grants, judgement, outbox
from daemon.store import activities as rows
from daemon.store.outbox import Alert
from daemon.store.progress import Progress, progress, save_progress, silent_since
from daemon.values import Verdict
from daemon.verdict import WARNINGS

BROKEN_FOR = timedelta(days=1)
"""A bug in every look at the runs is told after so long [ENG]: one that an odd answer made is over by then."""
BROKEN_LOOKS = 6
"""And after so many looks [ENG]: a machine that slept for a day has not looked all day."""

Ended = Literal["well", "bug", "problem"]
"""How a look at the runs ended; a problem is one that the runner or the machine has to mend."""


def tell(store: Store, athlete_id: int, config: Config, now: datetime, *, speak: bool) -> tuple[int, ...]:
    """Opens and closes what today's record and Strava's answers ask for; the ids of the alerts it opened.

    Called under the judgement's lock: nobody else opens or closes alerts meanwhile. Raises StoreError.
    """
    with store.write() as session:
        desk = _desk(store, session, athlete_id, config, now)
        state = desk.state
        _tell_access(desk)
        if state.broken_since is None:  # else whoever met the bug says whether it is there still
            _tell_silence(desk)
        _withdraw(session, _late(session, config, now, desk.zone))
        today = _today(desk)
        if today is not None and speak:
            tell_verdict(desk, today)
            _tell_digest(desk, today)
        if state.because is not None and state.judge_from is None:
            save_progress(session, athlete_id, replace(state, because=None))
        _address(desk)
    return tuple(desk.opened)


def note_look(store: Store, athlete_id: int, config: Config, now: datetime, ended: Ended) -> None:
    """Keeps for how long each look at the runs has ended in a bug, and tells when that lasts, and when it is over.

    A problem shows neither that the bug is there still nor that it is gone: it ends what was not told yet. Raises
    StoreError.
    """
    with store.read() as session:
        athlete_id = grants.whose(session, athlete_id)
        before = progress(session, athlete_id)
    if ended == "problem" and _lasts(before, now):
        return
    since, looks = (min(before.broken_since or now, now), before.broken_looks + 1) if ended == "bug" else (None, 0)
    if (since, looks) == (before.broken_since, before.broken_looks):
        return
    with store.write() as session:
        state = progress(session, athlete_id)
        save_progress(session, athlete_id, replace(state, broken_since=since, broken_looks=looks))
    with suppress(Busy):  # the next look tells it
        _tell_trouble(store, athlete_id, config, now)


def _lasts(state: Progress, now: datetime) -> bool:
    since = state.broken_since
    return since is not None and now - since >= BROKEN_FOR and state.broken_looks >= BROKEN_LOOKS


def _tell_trouble(store: Store, athlete_id: int, config: Config, now: datetime) -> None:
    """Tells what stands in the way, without a look at the runs or the record. Raises StoreError, Busy."""
    with store.only_one("judgement", wait_s=60.0), store.write() as session:
        desk = _desk(store, session, athlete_id, config, now)
        _tell_access(desk)
        _tell_silence(desk)


def _desk(store: Store, session: Any, athlete_id: int, config: Config, now: datetime) -> Desk:
    zone = home_zone(config, rows.newest(session, athlete_id))
    state = progress(session, athlete_id)
    # Runs are only read where something is told, which is rare enough to be done while the database is held.
    return Desk(session, athlete_id, config, now, zone, state, lambda: facts(store, athlete_id, config).runs)


def withdraw_late(store: Store, config: Config, now: datetime, zone: tzinfo) -> None:
    """Takes back a digest that waits and is no news any more, whatever else is judged. Raises StoreError."""
    with store.read() as session:
        late = _late(session, config, now, zone)
    if late:  # asked each minute: the database isn't held for nothing
        with store.write() as session:
            _withdraw(session, late)


def _today(desk: Desk) -> Verdict | None:
    """The record's latest verdict, None while the history it must rest on isn't there."""
    last = judgement.last_day(desk.session, desk.athlete_id)
    found = None if last is None else judgement.verdict(desk.session, desk.athlete_id, last)
    return None if found is None or not desk.state.history_ready else documents.read_verdict(found)


def _tell_access(desk: Desk) -> None:
    state = desk.state
    if state.access is None or state.access_since is None:
        desk.close_kinds("access")
        return
    episode = f"{state.access} {state.access_since.isoformat()}"
    for alert in outbox.open_alerts(desk.session, desk.athlete_id):
        if alert.kind == "access" and alert.episode != episode:
            desk.close(alert)  # Strava refuses for another reason now
    desk.stand("access", episode, wording.access(state.access))


def _tell_silence(desk: Desk) -> None:
    """Nothing synced for long, or ever: told once a silence, not where lost access has said so, nor without a grant.

    A bug of ours that lasts is such a silence, whoever brings the runs, and whatever else is said.
    """
    broken = desk.state.broken_since
    if broken is not None and _lasts(desk.state, desk.now):
        desk.stand("stale", f"bug {broken.isoformat()}", wording.broken(broken, desk.now.astimezone(desk.zone)))
        return
    since, granted = silent_since(desk.state, desk.now), grants.grant(desk.session)
    asked = granted is not None and granted.athlete_id == desk.athlete_id and desk.state.access is None
    if not asked or since is None or desk.now - since < desk.config.alerts.stale_after:
        desk.close_kinds("stale")
        return
    last = None if desk.state.last_success_at is None else since
    desk.stand("stale", since.isoformat(), wording.stale(last, desk.now.astimezone(desk.zone)))


def _late(session: Any, config: Config, now: datetime, zone: tzinfo) -> set[int]:
    """The digests that wait though they are not, or no longer, due. A clock that was put back by a little ends none."""
    due = str(digest_due(config.schedule.digest, now, zone))
    waiting = (d.alert for d in outbox.unsettled(session) if d.alert.kind == "digest" and d.alert.began != due)
    return {alert.id for alert in waiting if not timedelta(0) < alert.opened_at - now < LATE}


def _withdraw(session: Any, alerts: Iterable[int]) -> None:
    for alert in alerts:
        outbox.withdraw(session, alert)


def _tell_digest(desk: Desk, today: Verdict) -> None:
    """The weekly digest, once its time has come."""
    digest = desk.config.schedule.digest
    day = digest_due(digest, desk.now, desk.zone)
    heard = Heard.of(desk)
    # One that was withdrawn before it arrived, as the time of it was moved, told nobody.
    told = (a for a in heard.alerts if a.kind == "digest" and not heard.silent(a))
    if digest is None or day is None or any(a.began == str(day) for a in told):
        return
    week = week_of(list(desk.runs.values()), first_day(digest, day))
    desk.open("digest", free_key(heard.alerts, "digest", str(day)), wording.digest(today, week, desk.units), event=True)


def _address(desk: Desk) -> None:
    """Gives what reached nobody yet, or waits for an address that was changed, to the channels that lack it."""
    heard, configured = Heard.of(desk), desk.channels()

    def wants(channel: str, alert: Alert) -> bool:
        found = heard.deliveries.get(alert.id, ())
        # Until somebody has taken what was given to him in its place.
        taken_up = max((d.created_at for d in found if d.state == "sent"), default=datetime.min.replace(tzinfo=UTC))
        lost = (d for d in found if d.state in ("pending", "claimed") and d.channel not in configured)
        moved = any(d.created_at >= taken_up for d in lost)
        if channel not in desk.hearers(alert.about):
            return False
        if alert.kind in ("retraction", "all_clear"):  # only for who heard what is over
            return moved and heard.is_new(alert.thread, channel)
        knows = alert.kind in WARNINGS and channel in heard.knowing(alert.kind, alert.began, alert.thread)
        reached = alert.closed_at is not None or any(d.state == "sent" for d in found)
        return (moved or not reached) and not knows

    since = desk.now - outbox.GIVE_UP_AFTER
    outbox.address(desk.session, desk.athlete_id, configured, wants, now=desk.now, since=since)
