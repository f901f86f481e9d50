"""Outbox to channels: claim, send, record, each apart. A claim without a recorded answer is sent again.

Only a crash between a channel's answer and our commit can therefore repeat a message; nothing can lose one.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from daemon.clock import Clock
from daemon.store import Store, outbox
from daemon.store.outbox import Delivery

log = logging.getLogger(__name__)

FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(days=1)
GIVE_UP_AFTER = timedelta(days=3)
LEAST_ATTEMPTS = 6

NO_CHANNEL = "this channel is no longer in the config"

Send = Callable[[str, str, str], str | None]
"""Address, title, text -> None when accepted, else what happened in a few words."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one round did."""

    sent: int = 0
    failed: int = 0
    given_up: int = 0


def next_attempt(attempts: int, created_at: datetime, now: datetime) -> datetime | None:
    """When to try again after `attempts` failures: doubling from a minute to a day.

    None after three days, but never before so many attempts as an hour holds: the machine may have slept them away.
    """
    if now - created_at >= GIVE_UP_AFTER and attempts >= LEAST_ATTEMPTS:
        return None
    return now + _wait(attempts)


def _wait(attempts: int) -> timedelta:
    wait: timedelta = FIRST_RETRY * 2 ** min(max(attempts - 1, 0), 20)
    return min(wait, LONGEST_RETRY)


def is_quiet(now: time, start: time, end: time) -> bool:
    """Whether nothing may be delivered at this wall-clock time; the range may pass midnight, its end is free again."""
    return start <= now < end if start <= end else now >= start or now < end


def due(deliveries: list[Delivery], now: datetime, *, at_once: bool) -> list[Delivery]:
    """Which to try now: claims left by a crash, and pending ones whose time has come (`at_once`: all of them).

    A time further off than the wait that led to it was set before the clock was put back: it has come, too.
    """
    return [
        d
        for d in deliveries
        if d.state == "claimed"
        or at_once
        or d.next_attempt_at is None
        or not now < d.next_attempt_at <= now + _wait(d.attempts)
    ]


def deliver(
    store: Store,
    channels: Mapping[str, str],
    send: Send,
    clock: Clock,
    *,
    at_once: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> Delivered:
    """One round over what waits. `channels` maps channel ids to addresses. Raises StoreError, Busy.

    Under the lock no other process is sending, so a claimed delivery was left by a crash.
    """
    sent = failed = given_up = 0
    with store.only_one("delivery", wait_s=2.0):
        with store.read() as session:
            waiting = due(outbox.unsettled(session), clock.now(), at_once=at_once)
        for delivery in waiting:
            if stop():
                break
            url = channels.get(delivery.channel)
            if url is None and clock.now() - delivery.created_at < GIVE_UP_AFTER:
                # Not this process's channel: a command run by hand may lack a credential that the service has.
                continue
            error = NO_CHANNEL if url is None else _attempt(store, delivery, url, send, clock)
            if error is None:
                sent += 1
            else:
                failed += 1
                given_up += _record_failure(store, delivery, error, clock)
    return Delivered(sent, failed, given_up)


def _attempt(store: Store, delivery: Delivery, url: str, send: Send, clock: Clock) -> str | None:
    with store.write() as session:
        outbox.claim(session, delivery.id, clock.now())
    error = send(url, delivery.alert.title, delivery.alert.text)
    if error is None:
        # It has arrived: not writing that down would send it again.
        store.insist(lambda session: outbox.sent(session, delivery.id, clock.now()))
        log.info("alert %d (%s) sent on channel %s", delivery.alert.id, delivery.alert.kind, delivery.channel)
    return error


def _record_failure(store: Store, delivery: Delivery, error: str, clock: Clock) -> bool:
    now = clock.now()
    again = None if error == NO_CHANNEL else next_attempt(delivery.attempts + 1, delivery.created_at, now)
    store.insist(lambda session: outbox.failed(session, delivery.id, error, again))
    level = logging.ERROR if again is None else logging.WARNING
    log.log(
        level,
        "alert %d (%s) not sent on channel %s: %s; %s",
        delivery.alert.id,
        delivery.alert.kind,
        delivery.channel,
        error,
        "given up" if again is None else f"again at {again:%H:%M} UTC",
    )
    return again is None
