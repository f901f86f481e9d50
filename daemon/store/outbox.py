"""Alerts and their deliveries: a row first, then claimed, then sent, each in a transaction of its own."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlmodel import Session, col, select

from daemon.store.tables import AlertRow, DeliveryRow

DeliveryState = Literal["pending", "claimed", "sent", "given_up"]


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing told to the runner. `closed_at` is None while it is still true."""

    id: int
    kind: str
    episode: str
    title: str
    text: str
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert on one channel."""

    id: int
    alert: Alert
    channel: str
    state: DeliveryState
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    error: str | None


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
) -> int | None:
    """Adds an alert and a pending delivery per channel; None, and nothing added, when this episode was told already."""
    twin = select(AlertRow).where(AlertRow.athlete_id == athlete_id, AlertRow.kind == kind, AlertRow.episode == episode)
    if session.exec(twin).first() is not None:
        return None
    row = AlertRow(athlete_id=athlete_id, kind=kind, episode=episode, title=title, text=text, opened_at=now)
    session.add(row)
    session.flush()
    assert row.id is not None
    for channel in dict.fromkeys(channels):
        session.add(DeliveryRow(alert_id=row.id, channel=channel, state="pending", created_at=now, next_attempt_at=now))
    session.flush()
    return row.id


def address(
    session: Session,
    athlete_id: int,
    channels: Iterable[str],
    hears: Callable[[str, str], bool],
    *,
    now: datetime,
    since: datetime,
) -> None:
    """Gives alerts opened after `since` that reached nobody yet a delivery on each of `channels` that lacks one.

    So a channel whose address was mended, or that was missing when the alert was opened, still hears of it.
    `hears(channel, kind)` says whether a channel wants alerts of a kind.
    """
    query = select(AlertRow).where(AlertRow.athlete_id == athlete_id, col(AlertRow.opened_at) > since)
    for row in session.exec(query.where(col(AlertRow.closed_at).is_(None))).all():
        existing = session.exec(select(DeliveryRow).where(DeliveryRow.alert_id == row.id)).all()
        if row.id is None or any(delivery.state == "sent" for delivery in existing):
            continue
        for channel in {c for c in channels if hears(c, row.kind)} - {delivery.channel for delivery in existing}:
            session.add(
                DeliveryRow(alert_id=row.id, channel=channel, state="pending", created_at=now, next_attempt_at=now)
            )


def close_alerts(session: Session, athlete_id: int, kinds: Iterable[str], now: datetime) -> None:
    """Marks alerts of these kinds as no longer true."""
    query = select(AlertRow).where(AlertRow.athlete_id == athlete_id, col(AlertRow.closed_at).is_(None))
    for row in session.exec(query.where(col(AlertRow.kind).in_(list(kinds)))):
        row.closed_at = now
        session.add(row)


def alerts(session: Session, athlete_id: int) -> list[Alert]:
    """All alerts, oldest first."""
    query = select(AlertRow).where(AlertRow.athlete_id == athlete_id).order_by(col(AlertRow.id))
    return [_alert(row) for row in session.exec(query)]


def unsettled(session: Session) -> list[Delivery]:
    """Deliveries that are pending or were claimed and never answered, oldest first."""
    query = (
        select(DeliveryRow, AlertRow)
        .join(AlertRow, col(DeliveryRow.alert_id) == col(AlertRow.id))
        .where(col(DeliveryRow.state).in_(("pending", "claimed")))
        .order_by(col(DeliveryRow.id))
    )
    return [_delivery(row, alert) for row, alert in session.exec(query)]


def deliveries(session: Session) -> list[Delivery]:
    """All deliveries, oldest first."""
    query = select(DeliveryRow, AlertRow).join(AlertRow, col(DeliveryRow.alert_id) == col(AlertRow.id))
    return [_delivery(row, alert) for row, alert in session.exec(query.order_by(col(DeliveryRow.id)))]


def claim(session: Session, delivery_id: int, now: datetime) -> None:
    """Records that sending begins: after this a crash may have sent it."""
    row = session.get_one(DeliveryRow, delivery_id)
    row.state, row.claimed_at, row.attempts = "claimed", now, row.attempts + 1
    session.add(row)


def sent(session: Session, delivery_id: int, now: datetime) -> None:
    row = session.get_one(DeliveryRow, delivery_id)
    row.state, row.sent_at, row.next_attempt_at, row.error = "sent", now, None, None
    session.add(row)


def failed(session: Session, delivery_id: int, error: str, again_at: datetime | None) -> None:
    """Records a failure: tried again at `again_at`, or given up (None)."""
    row = session.get_one(DeliveryRow, delivery_id)
    row.state, row.next_attempt_at, row.error = ("given_up" if again_at is None else "pending"), again_at, error
    session.add(row)


def _alert(row: AlertRow) -> Alert:
    assert row.id is not None
    return Alert(row.id, row.kind, row.episode, row.title, row.text, row.opened_at, row.closed_at)


def _delivery(row: DeliveryRow, alert: AlertRow) -> Delivery:
    assert row.id is not None
    return Delivery(
        id=row.id,
        alert=_alert(alert),
        channel=row.channel,
        state=row.state,  # type: ignore[arg-type]
        attempts=row.attempts,
        created_at=row.created_at,
        next_attempt_at=row.next_attempt_at,
        error=row.error,
    )
