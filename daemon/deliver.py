"""Outbox to channels: claim, send, record, each apart. A claim without a recorded answer is sent again.

Only a crash between a channel's answer and our commit, or a channel that takes a message and gives no answer, can
therefore repeat one; nothing can lose one.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo
from functools import partial
from time import monotonic
from typing import Any

from daemon import notify, wording
from daemon.clock import Clock
from daemon.config import AlertsConfig
from daemon.notify import Failure, Message
from daemon.report import picture as drawing
from daemon.store import Store, StoreError, outbox, snooze
from daemon.store.outbox import GIVE_UP_AFTER, NO_CHANNEL, Alert, Delivery

log = logging.getLogger(__name__)

FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(days=1)
LEAST_ATTEMPTS = 6

MOST_IN_ONE = 8
"""Alerts in one message: more are no longer read [ENG]. A channel whose messages are short gets fewer in one."""

PICTURED = ("pull_back", "watch", "all_clear")
"""Kinds whose picture tells something."""
LOUDEST_FIRST = ("pull_back", "retraction", "access", "watch", "all_clear", "stale")
"""Of several messages in one the first gives the title. A reminder counts as what it repeats; others come last."""

Send = Callable[[str, Message], Failure | None]
"""Address and message -> None when accepted."""

Picture = Callable[[Alert], bytes | None]


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


def due(deliveries: Iterable[Delivery], now: datetime, *, at_once: bool) -> list[Delivery]:
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
    alerts: AlertsConfig,
    send: Send,
    clock: Clock,
    zone: tzinfo,
    *,
    at_once: bool = False,
    stop: Callable[[], bool] = lambda: False,
    picture: Picture | None = None,
) -> Delivered:
    """One round over what waits, all channels at the same time, what waits for one in as few messages as hold it.

    A message takes as long as its picture may (`TIMEOUT_S` of the report) and then a channel (`WHOLE_S`): a minute at
    most. Where more waits than one holds, the loudest goes first, and a channel gets the next once it took the one
    before; whether to `stop`, quiet hours and a snooze are looked at again between two messages.
    Nothing is sent in quiet hours (by the clock in `zone`), to who snoozes or on a channel that wants no such alert any
    more, also not `at_once`, which only says that waits between attempts are cut short. Raises StoreError, Busy. Under
    the lock no other process is sending, so a claimed delivery was left by a crash.
    """
    quiet, now = alerts.quiet_hours, clock.now()

    def enough() -> bool:
        local = clock.now().astimezone(zone).time()
        return stop() or (quiet is not None and is_quiet(local, quiet.start, quiet.end))

    if enough():
        return Delivered()
    with store.only_one("delivery", wait_s=2.0):
        numbered = alerts.numbered().items()
        called = {outbox.channel_id(address): f"{number} scheme={scheme}" for address, (number, scheme) in numbered}
        channels = {outbox.channel_id(address): address for address, _ in numbered}
        with store.read() as session:
            unsettled = outbox.unsettled(session)
        lost = [d for d in unsettled if d.channel not in channels]  # no attempt is made: none has its time
        known = due([d for d in unsettled if d.channel in channels], now, at_once=at_once)
        waiting = _wanted(store, alerts, [*lost, *known], now)
        if not waiting or enough():
            return Delivered()
        wanted = _not_snoozed(store, waiting, now)
        return _Round(store, send, clock, enough, called, _Pictures(picture)).over(wanted, channels)


def _wanted(store: Store, alerts: AlertsConfig, waiting: Sequence[Delivery], now: datetime) -> list[Delivery]:
    """What the channels want by the config of now. The rest waits for another config, and is withdrawn at last.

    A retraction goes to whoever heard what is taken back.
    """
    named = {outbox.channel_id(a): [c for c in alerts.urls if a in c.addresses] for a in alerts.numbered()}

    def wanted(d: Delivery) -> bool:
        if d.alert.kind == "retraction" or d.channel not in named:
            return True
        on = alerts.all_clear or d.alert.kind != "all_clear"
        return on and any(alerts.hears(channel, d.alert.about) for channel in named[d.channel])

    late = [d for d in waiting if not wanted(d) and now - d.created_at >= GIVE_UP_AFTER]
    if late:
        with store.write() as session:
            for d in late:
                outbox.withdraw(session, d.alert.id, d.channel)
    return [d for d in waiting if wanted(d)]


def _not_snoozed(store: Store, waiting: Sequence[Delivery], now: datetime) -> list[Delivery]:
    quiet = {}
    for athlete_id in {d.alert.athlete_id for d in waiting}:
        with store.write() as session:
            snooze.note_clock(session, athlete_id, now)
            quiet[athlete_id] = snooze.snoozed_until(session, athlete_id, now) is not None
    return [d for d in waiting if not quiet[d.alert.athlete_id]]


@dataclass
class _Round:
    """One round; only this thread writes to the store, the others do nothing but send."""

    store: Store
    send: Send
    clock: Clock
    stop: Callable[[], bool]
    called: Mapping[str, str]
    """What the log calls a channel."""
    pictures: "_Pictures"
    sent: int = 0
    failed: int = 0
    given_up: int = 0
    taken: set[str] = field(default_factory=set)
    unwritten: StoreError | None = None
    """Why an answer couldn't be written down: the others' are, and nothing more is sent."""

    def over(self, waiting: Sequence[Delivery], channels: Mapping[str, str]) -> Delivered:
        self._miss(waiting, channels)
        loudest_first = sorted(waiting, key=lambda d: (_loudness(d.alert), d.id))
        left = {c: [d for d in loudest_first if d.channel == c] for c in channels}
        while (left := {c: found for c, found in left.items() if found}) and not self.unwritten and not self.stop():
            # What couldn't be written down once it has arrived would arrive again.
            self.store.keep_room()
            self.taken = set()
            lots = {channel: found[: _in_one(found, channels[channel])] for channel, found in left.items()}
            self._send(self._claim(lots), channels)
            rest = {channel: left[channel][len(lots[channel]) :] for channel in self.taken}
            left = {channel: _not_snoozed(self.store, found, self.clock.now()) for channel, found in rest.items()}
        if self.unwritten:
            raise self.unwritten
        return Delivered(self.sent, self.failed, self.given_up)

    def _miss(self, waiting: Sequence[Delivery], channels: Mapping[str, str]) -> None:
        """Notes whose channel isn't in the config, and gives up what has waited for three days since that was noted.

        A command run by hand may lack a credential that the service has, and a snooze may last longer than those days:
        whoever looks at the runs next gives it to the channels there are.
        """
        now = self.clock.now()
        gone = [d for d in waiting if d.channel not in channels]
        new = [d for d in gone if d.error != NO_CHANNEL]
        if new:
            with self.store.write() as session:
                for d in new:
                    outbox.missed(session, d.id, now)
        since = [(d, d.next_attempt_at) for d in gone if d not in new]
        late = [d for d, noted in since if noted is not None and now - noted >= GIVE_UP_AFTER]
        self._record_failures(late, Failure(NO_CHANNEL))

    def _claim(self, lots: Mapping[str, Sequence[Delivery]]) -> dict[str, list[Delivery]]:
        """What is still wanted of each channel's lot, claimed: all of it, or nothing where that can't be written."""
        with self.store.write() as session:
            now = self.clock.now()
            claimed = {c: [d for d in lot if outbox.claim(session, d.id, now)] for c, lot in lots.items()}
        return {channel: lot for channel, lot in claimed.items() if lot}

    def _send(self, claimed: Mapping[str, list[Delivery]], channels: Mapping[str, str]) -> None:
        """Each channel in a thread of its own: one that hangs holds up none of the others."""
        if not claimed:
            return
        with ThreadPoolExecutor(len(claimed), thread_name_prefix="channel") as pool:
            sending = {
                pool.submit(self.send, channels[channel], _message(found, self.pictures)): found
                for channel, found in claimed.items()
            }
            for answer in as_completed(sending):
                self._record(sending[answer], answer)

    def _record(self, deliveries: Sequence[Delivery], answer: "Future[Failure | None]") -> None:
        failure = _outcome(answer)
        if failure is not None:
            self._record_failures(deliveries, failure)
            return
        # It has arrived: not writing that down would send it again.
        if not self._insist(lambda session: _all_sent(session, deliveries, self.clock.now())):
            return
        self.sent += len(deliveries)
        self.taken.add(deliveries[0].channel)
        for d in deliveries:
            log.info("alert sent alert=%d kind=%s channel=%s", d.alert.id, d.alert.kind, self.called[d.channel])

    def _record_failures(self, deliveries: Sequence[Delivery], failure: Failure) -> None:
        now = self.clock.now()
        again = [None if failure.text == NO_CHANNEL else _again(delivery, now) for delivery in deliveries]
        doubtful_at = now if failure.doubtful else None

        def write(session: Any) -> None:
            for delivery, at in zip(deliveries, again, strict=True):
                outbox.failed(session, delivery.id, failure.text, at, doubtful_at=doubtful_at)

        if not self._insist(write):
            return
        for delivery, at in zip(deliveries, again, strict=True):
            self.failed += 1
            self.given_up += at is None
            _log_failure(delivery, self.called.get(delivery.channel, "unknown"), failure, at)

    def _insist(self, work: Callable[[Any], None]) -> bool:
        try:
            self.store.insist(work)
        except StoreError as error:
            self.unwritten = error
            return False
        return True


def _again(delivery: Delivery, now: datetime) -> datetime | None:
    """When to try again what failed just now; one left claimed by a crash had its attempt counted before."""
    return next_attempt(delivery.attempts + (delivery.state != "claimed"), delivery.created_at, now)


def _log_failure(delivery: Delivery, channel: str, failure: Failure, again: datetime | None) -> None:
    log.log(
        logging.ERROR if again is None else logging.WARNING,
        'alert %s alert=%d kind=%s channel=%s problem="%s"%s',
        "given up" if again is None else "not sent",
        delivery.alert.id,
        delivery.alert.kind,
        channel,
        failure.text,
        "" if again is None else f" again_at={again:%Y-%m-%dT%H:%MZ}",
    )


def _outcome(answer: "Future[Failure | None]") -> Failure | None:
    """How it went. A bug in sending to one channel is that one's failure: the others' answers are recorded."""
    try:
        return answer.result()
    except Exception as error:
        log.error("sending failed, this is a bug error=%s", type(error).__name__)  # its words may be secret
        return Failure("sending failed, this is a bug", doubtful=True)


def _all_sent(session: Any, deliveries: Sequence[Delivery], now: datetime) -> None:
    for delivery in deliveries:
        outbox.sent(session, delivery.id, now)
    outbox.hasten(session, deliveries[0].channel, now)


def _in_one(waiting: Sequence[Delivery], url: str) -> int:
    """How many of what waits one message of this channel holds whole; 1 also where it is sent in pieces."""
    most = min(len(waiting), MOST_IN_ONE)
    return next((n for n in range(most, 1, -1) if notify.fits(url, *_merged(_in_order(waiting[:n])))), 1)


def _in_order(deliveries: Sequence[Delivery]) -> list[Alert]:
    return sorted((d.alert for d in deliveries), key=lambda alert: (_loudness(alert), alert.id))


def _merged(alerts: Sequence[Alert]) -> tuple[str, str]:
    return wording.merged([(alert.title, alert.text) for alert in alerts])


def _message(deliveries: Sequence[Delivery], pictures: "_Pictures") -> Message:
    """What waits for one channel as one message; its picture is the loudest alert's that has one."""
    alerts = _in_order(deliveries)
    title, text = _merged(alerts)
    pictured = next((alert for alert in alerts if alert.kind in PICTURED), None)
    # A service that refuses may do so for the picture's sake: the second attempt is the text alone.
    first = all(d.attempts == 0 for d in deliveries)
    return Message(
        title,
        text,
        thread=f"pullback-{alerts[0].athlete_id}-{alerts[0].thread}",
        picture=partial(pictures.of, pictured) if pictured is not None and first else None,
    )


def _loudness(alert: Alert) -> int:
    kind = alert.about if alert.kind == "reminder" else alert.kind
    return LOUDEST_FIRST.index(kind) if kind in LOUDEST_FIRST else len(LOUDEST_FIRST)


class _Pictures:
    """The pictures of one round, each drawn once, and only where a channel takes it."""

    def __init__(self, draw: Picture | None) -> None:
        self._draw = draw
        self._drawn: dict[int, bytes | None] = {}
        self._one_at_a_time = threading.Lock()
        self._give_up_at = monotonic() + drawing.TIMEOUT_S

    def of(self, alert: Alert) -> bytes | None:
        """The picture of an alert, None where drawing it fails or takes too long: the text doesn't wait for it."""
        if self._draw is None or not self._one_at_a_time.acquire(timeout=self._left_s()):
            return None
        try:
            if alert.id not in self._drawn:
                self._drawn[alert.id] = None
                thread = threading.Thread(target=self._keep, args=(self._draw, alert), daemon=True)
                thread.start()
                thread.join(self._left_s())
            return self._drawn[alert.id]
        finally:
            self._one_at_a_time.release()

    def _left_s(self) -> float:
        """All pictures of a round have the time of one: several channels may wait for one another's."""
        return max(0.0, self._give_up_at - monotonic())

    def _keep(self, draw: Picture, alert: Alert) -> None:
        try:
            self._drawn[alert.id] = draw(alert)
        except Exception:
            log.exception("picture not drawn, this is a bug: the text goes alone alert=%d", alert.id)
