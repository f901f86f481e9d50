"""Alerts and their deliveries: a row first, then claimed, then sent, each in a transaction of its own."""

import hashlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import func, inspect
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, or_, select

from daemon.store.tables import AlertRow, DeliveryRow

DeliveryState = Literal["pending", "claimed", "sent", "given_up", "withdrawn"]

UNSETTLED: tuple[DeliveryState, ...] = ("pending", "claimed")
UNDELIVERED: tuple[DeliveryState, ...] = (*UNSETTLED, "given_up")

GIVE_UP_AFTER = timedelta(days=3)
"""What a channel has not taken for so long is given up, and what is older is no news to a channel added since [ENG]."""

NO_CHANNEL = "this channel is no longer in the config"


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing told to the runner. `closed_at` is None while it is still true.

    `about` is the kind it speaks of: its own but for reminders and retractions. Alerts of one episode share a `thread`.
    """

    id: int
    athlete_id: int
    kind: str
    episode: str
    title: str
    text: str
    opened_at: datetime
    closed_at: datetime | None
    about: str
    thread: int

    @property
    def began(self) -> str:
        """ISO date on which its episode began; of an episode told again, the key holds a number behind it."""
        return self.episode[:10]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert on one channel. `doubtful` is true where an attempt ended without an answer: it may have arrived."""

    id: int
    alert: Alert
    channel: str
    state: DeliveryState
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    error: str | None
    doubtful: bool

    @property
    def arrived(self) -> bool:
        """Whether the channel has it, or may have it."""
        return self.doubtful or self.state in ("sent", "claimed")

    @property
    def owed(self) -> bool:
        """Whether it goes out as its alert is opened again: withdrawn or given up, and not since the channel knew."""
        return self.state in ("withdrawn", "given_up") and (self.attempts > 0 or not self.doubtful)


def channel_id(address: str) -> str:
    """What is kept of a channel's address: enough to know it again, too little to use it."""
    return hashlib.sha256(address.encode()).hexdigest()[:16]


def open_alert(
    session: Session,
    athlete_id: int,
    *,
    kind: str,
    episode: str,
    title: str,
    text: str,
    channels: Iterable[str],
    now: datetime,
    about: str | None = None,
    thread: int | None = None,
    known_to: Collection[str] = (),
    spared: Collection[str] = (),
    event: bool = False,
) -> int | None:
    """Adds an alert and a pending delivery per channel; None, and nothing added, when this episode was told already.

    The channels in `known_to` have heard the same before and aren't told again; those in `spared` needn't hear it. An
    `event` is over as it is told: it can't become untrue.
    """
    if _is_told(session, athlete_id, kind, episode):
        return None
    row = AlertRow(
        athlete_id=athlete_id,
        kind=kind,
        episode=episode,
        about=about,
        thread=thread,
        title=title,
        text=text,
        opened_at=now,
        closed_at=now if event else None,
    )
    session.add(row)
    session.flush()
    assert row.id is not None
    for c in dict.fromkeys(channels):
        session.add(_untold(row.id, c, now, knows=c in known_to, spared=c in spared))
    return row.id


def address(
    session: Session,
    athlete_id: int,
    channels: Collection[str],
    wants: Callable[[str, Alert], bool],
    *,
    now: datetime,
    since: datetime,
) -> None:
    """Gives alerts opened after `since` a delivery on each of `channels` that lacks one and `wants(channel, alert)` it.

    So a channel whose address was mended, or that was missing when the alert was opened, still hears of it. What waits
    for a channel that isn't among them is given to them however old it is: nobody else will have it.
    """
    lost = col(DeliveryRow.state).in_(UNSETTLED) & col(DeliveryRow.channel).not_in(list(channels))
    moved = col(AlertRow.id).in_(select(DeliveryRow.alert_id).where(lost))
    query = select(AlertRow).where(AlertRow.athlete_id == athlete_id, or_(moved, col(AlertRow.opened_at) > since))
    for alert in [_alert(row) for row in session.exec(query)]:
        existing = session.exec(select(DeliveryRow.channel).where(DeliveryRow.alert_id == alert.id)).all()
        for channel in {c for c in channels if c not in existing and wants(c, alert)}:
            session.add(_pending(alert.id, channel, now))


def close(session: Session, alert: Alert, now: datetime) -> None:
    """Marks an alert as no longer true, with the reminders of it, and withdraws what hasn't been delivered."""
    reminders = select(AlertRow).where(
        AlertRow.thread == alert.thread, AlertRow.kind == "reminder", col(AlertRow.closed_at).is_(None)
    )
    for row in (session.get_one(AlertRow, alert.id), *session.exec(reminders)):
        row.closed_at = now
        session.add(row)
        assert row.id is not None
        withdraw(session, row.id)


def close_alerts(session: Session, athlete_id: int, kinds: Iterable[str], now: datetime) -> None:
    """Closes every open alert of these kinds."""
    query = select(AlertRow).where(AlertRow.athlete_id == athlete_id, col(AlertRow.closed_at).is_(None))
    for row in session.exec(query.where(col(AlertRow.kind).in_(list(kinds)))).all():
        close(session, _alert(row), now)


def withdraw(session: Session, alert_id: int, channel: str | None = None) -> None:
    """Takes back what has not been delivered of an alert, on one channel or on all of them.

    What is being sent at this moment may arrive all the same.
    """
    query = select(DeliveryRow).where(DeliveryRow.alert_id == alert_id)
    if channel is not None:
        query = query.where(DeliveryRow.channel == channel)
    for row in session.exec(query.where(col(DeliveryRow.state).in_(("pending", "claimed")))):
        if row.state == "pending":
            row.claimed_at = None
        row.state, row.next_attempt_at = "withdrawn", None
        session.add(row)


def reopen(session: Session, alert_id: int, now: datetime) -> None:
    """What was closed is true after all: what was withdrawn or given up goes out, but to who knew it from before.

    What is being sent at this moment is on its way again, and its answer will say how it went. Where an attempt ended
    without an answer it may arrive twice: better than never.
    """
    alert = session.get_one(AlertRow, alert_id)
    alert.closed_at = None
    session.add(alert)
    unsent = col(DeliveryRow.state).in_(("withdrawn", "given_up"))
    query = select(DeliveryRow).where(DeliveryRow.alert_id == alert_id, unsent)
    tried_or_new = or_(col(DeliveryRow.attempts) > 0, col(DeliveryRow.doubtful_at).is_(None))
    for row in session.exec(query.where(tried_or_new)):
        row.state = "pending" if row.claimed_at is None else "claimed"
        row.created_at, row.next_attempt_at = now, now
        session.add(row)


def alerts(session: Session, athlete_id: int) -> list[Alert]:
    """All alerts, oldest first."""
    return [_alert(row) for row in _rows(session, _ALERTS.where(col(AlertRow.athlete_id) == athlete_id))]


def open_alerts(session: Session, athlete_id: int) -> list[Alert]:
    """Those that are still true, oldest first."""
    still = _ALERTS.where(col(AlertRow.athlete_id) == athlete_id, col(AlertRow.closed_at).is_(None))
    return [_alert(row) for row in _rows(session, still)]


def known_alert(session: Session, athlete_id: int, kind: str, episode: str) -> Alert | None:
    """The alert of an episode, None where it wasn't told."""
    same = _ALERTS.where(col(AlertRow.athlete_id) == athlete_id, col(AlertRow.episode) == episode)
    return next((_alert(row) for row in _rows(session, same.where(col(AlertRow.kind) == kind))), None)


def told(
    session: Session, athlete_id: int, kinds: Collection[str], since: datetime
) -> dict[int, tuple[Alert, tuple[Delivery, ...]]]:
    """Alerts of these kinds, and any that are open or were opened after `since`, each with its deliveries.

    By id, oldest first. Whatever was told long ago about nothing that matters any more isn't read.
    """
    chosen = (
        col(AlertRow.athlete_id) == athlete_id,
        or_(col(AlertRow.kind).in_(kinds), col(AlertRow.closed_at).is_(None), col(AlertRow.opened_at) > since),
    )
    found = {row.id: _alert(row) for row in _rows(session, _ALERTS.where(*chosen))}
    of: dict[int, list[Delivery]] = {number: [] for number in found}
    for row in _rows(session, _DELIVERIES.join(AlertRow).where(*chosen)):
        of[row.alert_id].append(_delivery(row, found[row.alert_id]))
    return {number: (alert, tuple(of[number])) for number, alert in found.items()}


def unsettled(session: Session) -> list[Delivery]:
    """Deliveries that are pending or were claimed and never answered, oldest first."""
    return deliveries(session, UNSETTLED)


def deliveries(session: Session, states: Collection[DeliveryState] = get_args(DeliveryState)) -> list[Delivery]:
    """Deliveries in these states, oldest first."""
    of = col(DeliveryRow.state).in_(states)
    known = _rows(session, _ALERTS.where(col(AlertRow.id).in_(select(DeliveryRow.alert_id).where(of))))
    by_id = {row.id: _alert(row) for row in known}
    return [_delivery(row, by_id[row.alert_id]) for row in _rows(session, _DELIVERIES.where(of))]


def states(session: Session) -> dict[str, int]:
    """How many deliveries are in each state."""
    counted = select(DeliveryRow.state, func.count()).group_by(col(DeliveryRow.state))
    return dict(session.exec(counted).all())


def claim(session: Session, delivery_id: int, now: datetime) -> bool:
    """Records that sending begins: after this a crash may have sent it. False where it was withdrawn meanwhile."""
    row = session.get_one(DeliveryRow, delivery_id)
    if row.state not in ("pending", "claimed"):
        return False
    if row.state == "claimed":
        row.doubtful_at = row.claimed_at
    else:
        # One that was cut off says nothing of the channel, so it doesn't bring giving up any nearer.
        row.attempts += 1
    row.state, row.claimed_at = "claimed", now
    session.add(row)
    return True


def sent(session: Session, delivery_id: int, now: datetime) -> None:
    row = session.get_one(DeliveryRow, delivery_id)
    row.state, row.sent_at, row.next_attempt_at, row.error = "sent", now, None, None
    session.add(row)


def failed(
    session: Session, delivery_id: int, error: str, again_at: datetime | None, *, doubtful_at: datetime | None = None
) -> None:
    """Records a failure: tried again at `again_at`, or given up (None). `doubtful_at` where no answer came."""
    row = session.get_one(DeliveryRow, delivery_id)
    row.error, row.claimed_at, row.doubtful_at = error, None, doubtful_at or row.doubtful_at
    if row.state != "withdrawn":
        row.state, row.next_attempt_at = ("given_up" if again_at is None else "pending"), again_at
    session.add(row)


def missed(session: Session, delivery_id: int, now: datetime) -> None:
    """Its channel isn't in the config any more; `next_attempt_at` keeps when that was seen first."""
    row = session.get_one(DeliveryRow, delivery_id)
    row.error, row.next_attempt_at = NO_CHANNEL, now
    session.add(row)


def reached(session: Session, alerts: Collection[int]) -> set[int]:
    """Which of these alerts some channel took."""
    taken = select(DeliveryRow.alert_id).where(DeliveryRow.state == "sent", col(DeliveryRow.alert_id).in_(alerts))
    return set(session.exec(taken))


def hasten(session: Session, channel: str, now: datetime) -> None:
    """A channel answers again: what waits for it needn't wait any longer."""
    query = select(DeliveryRow).where(DeliveryRow.channel == channel, DeliveryRow.state == "pending")
    for row in session.exec(query):
        row.next_attempt_at = now
        session.add(row)


def _is_told(session: Session, athlete_id: int, kind: str, episode: str) -> bool:
    twin = select(AlertRow).where(AlertRow.athlete_id == athlete_id, AlertRow.kind == kind, AlertRow.episode == episode)
    return session.exec(twin).first() is not None


def _untold(alert_id: int, channel: str, now: datetime, *, knows: bool, spared: bool) -> DeliveryRow:
    """A delivery to a channel: it waits to be sent, unless the channel `knows` already or is `spared`."""
    delivery = _pending(alert_id, channel, now)
    if knows or spared:
        delivery.state, delivery.next_attempt_at = "withdrawn", None
        delivery.doubtful_at = now if knows else None
    return delivery


def _pending(alert_id: int, channel: str, now: datetime) -> DeliveryRow:
    return DeliveryRow(alert_id=alert_id, channel=channel, state="pending", created_at=now, next_attempt_at=now)


_ALERTS = sql_select(*inspect(AlertRow).columns).order_by(col(AlertRow.id))
_DELIVERIES = sql_select(*inspect(DeliveryRow).columns).order_by(col(DeliveryRow.id))
"""Columns, not entities: of those each takes 3 kB while the session lasts, and a daemon asks for them all day long."""


def _rows(session: Session, query: Any) -> Iterable[Any]:
    session.flush()
    return session.connection().execute(query)


def _alert(row: Any) -> Alert:
    return Alert(
        id=row.id,
        athlete_id=row.athlete_id,
        kind=row.kind,
        episode=row.episode,
        title=row.title,
        text=row.text,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        about=row.about or row.kind,
        thread=row.thread or row.id,
    )


def _delivery(row: Any, alert: Alert) -> Delivery:
    return Delivery(
        id=row.id,
        alert=alert,
        channel=row.channel,
        state=row.state,
        attempts=row.attempts,
        created_at=row.created_at,
        next_attempt_at=row.next_attempt_at,
        error=row.error,
        # Withdrawn while it was being sent, and no answer yet, or never any.
        doubtful=row.doubtful_at is not None or (row.state == "withdrawn" and row.claimed_at is not None),
    )
