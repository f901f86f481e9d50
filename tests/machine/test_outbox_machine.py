"""Whatever happens to a phone, a process, a clock, a config or a verdict: each phone ends up with what is true.

Only a crash, or a phone that takes a message and gives no answer, can make anything arrive twice.
"""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import product
from pathlib import Path
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlmodel import col, select

from daemon import documents, notify
from daemon.config import AlertsConfig, AthleteConfig, Channel, Config, Digest, QuietHours
from daemon.config.model import ScheduleConfig
from daemon.deliver import deliver, is_quiet
from daemon.evaluate.telling import tell, withdraw_late
from daemon.evaluate.week import LATE
from daemon.notify import Failure, Message
from daemon.store import Store, grants, judgement, open_store, outbox, snooze
from daemon.store.grants import Grant
from daemon.store.outbox import Alert, Delivery
from daemon.store.progress import Progress, save_progress
from daemon.store.tables import DeliveryRow
from daemon.values import Intensity, State, Verdict
from daemon.verdict.advice import READY
from daemon.verdict.telling import ALL_CLEAR_DAYS
from tests.house import Clock, Phone

ATHLETE = 1001
BERLIN = ZoneInfo("Europe/Berlin")
NIGHT, LUNCH = QuietHours(time(22), time(7)), QuietHours(time(11), time(13))
SUNDAYS = Digest(6, time(18))
WATCHER = {"minimum": "watch"}
WISHES = (None, WATCHER, {"kinds": ("digest",)}, {"kinds": ("pull_back", "watch")}, {"kinds": ("all_clear",)})
"""What the third phone may want; None: it is not in the config."""
BEFORE_WINTER_TIME = datetime(2026, 10, 23, 12, tzinfo=UTC)
SAME_DAYS = 14


class Died(BaseException):
    """The process is gone; nothing of ours may catch it."""


@dataclass
class Episode:
    """A pull-back or a watch as the record has it; `end` is the first day after it."""

    begin: date
    end: date | None = None

    def on(self, day: date) -> bool:
        return self.begin <= day and (self.end is None or day < self.end)


@cache
def migrated() -> Path:
    """An empty database of today's schema: migrating one per story would be most of the time."""
    path = Path(tempfile.mkdtemp()) / "pullback.db"
    open_store(path).close()
    return path


class OutboxMachine(RuleBasedStateMachine):
    """Three phones, one outbox. The phones are real receivers, and what they took is all that counts.

    The first hears what everybody hears, the second of a watch too, and what the third wants changes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.path = Path(self.stack.enter_context(tempfile.TemporaryDirectory())) / "pullback.db"
        shutil.copy(migrated(), self.path)
        self.store: Store = open_store(self.path)
        self.stack.callback(self.close)
        self.phones = (Phone(), Phone(), Phone())
        for phone in self.phones:
            self.stack.callback(phone.hang_up)
        self.another_config(NIGHT, WATCHER, digest=True, reminders=True)
        self.clock = Clock(BEFORE_WINTER_TIME)
        self.latest = self.clock.now()
        self.record: list[Episode] = []
        self.taken: Episode | None = None
        self.watches: list[Episode] = []
        self.broken: list[AssertionError] = []
        self.arrived: list[tuple[int, Delivery]] = []
        """(phone, delivery) in the order in which phones took them."""
        self.left_before: set[int] = set()
        """The deliveries whose claim was left by a crash, and that were withdrawn or unwanted as a round began."""
        self.repeats: Counter[int] = Counter()
        """How often a delivery may arrive again: its answer was lost."""
        self.good_news: tuple[str, date] | None = None
        """What quiet days are told for, "absorbing" or "ready", and since when."""
        self.refused: tuple[str, datetime] | None = None
        """Why Strava refuses us, and since when."""
        self.synced: datetime | None = None
        """The last sync; None while one follows the other."""
        with self.store.write() as session:
            grants.save_grant(session, Grant(ATHLETE, "", "", BEFORE_WINTER_TIME, ""))
        self.doubted: set[int] = set()
        """The deliveries of which, at some judging, nobody could say whether they had arrived."""
        self.quiet_from = self.quiet_to = BEFORE_WINTER_TIME - timedelta(days=9999)

    def teardown(self) -> None:
        try:
            self.all_is_well_again()
        finally:
            self.stack.close()

    # -- what happens to the runner -------------------------------------------------------------------------------

    @initialize()
    def there_is_strain(self) -> None:
        self.a_pull_back_begins()

    @rule()
    def a_pull_back_begins(self) -> None:
        if self.record and self.record[-1].end is None:
            return
        if self.record:
            self.clock.moment = max(self.clock.now(), self.latest) + timedelta(days=20)
        self.the_watch_ends(judge=False)
        self.record.append(Episode(self.today()))
        self.judge()

    @rule()
    def a_watch_begins(self) -> None:
        if any(found and found[-1].end is None for found in (self.record, self.watches)):
            return
        if self.watches:
            self.clock.moment = max(self.clock.now(), self.latest) + timedelta(days=20)
        self.watches.append(Episode(self.today()))
        self.judge()

    @rule()
    def the_watch_ends(self, *, judge: bool = True) -> None:
        if self.watches and self.watches[-1].end is None and self.watches[-1].begin <= self.today():
            self.watches[-1].end = self.today()
            if judge:
                self.judge()

    @rule()
    def a_deleted_run_takes_the_watch_away(self) -> None:
        if self.watches and self.watches[-1].end is None:
            self.watches.pop()
            self.judge()

    @rule()
    def it_ends(self) -> None:
        if self.record and self.record[-1].end is None and self.record[-1].begin < self.today():
            self.record[-1].end = self.today()
            self.judge()

    @rule()
    def a_deleted_run_takes_the_reason_away(self) -> None:
        if self.record and self.record[-1].end is None:
            self.taken = self.record.pop()
            self.judge()

    @rule()
    def it_holds_after_all(self) -> None:
        near = self.taken is not None and abs(self.today() - self.taken.begin) < timedelta(days=10)
        if self.taken is not None and near and not (self.record and self.record[-1].begin >= self.taken.begin):
            self.record.append(self.taken)
            self.taken = None
            self.judge()

    @rule(heard=st.booleans())
    def it_is_over_and_a_late_run_shows_that_it_goes_on(self, heard: bool) -> None:
        if not self.record:
            return
        if self.record[-1].end is None and self.record[-1].begin == self.today():
            self.time_passes(60 * 26)
        self.it_ends()
        if heard:
            self.a_round(at_once=True)
        end = self.record[-1].end
        if end is not None and end <= self.today() < end + timedelta(days=10):
            self.the_watch_ends(judge=False)
            self.record[-1].end = None
            self.judge()

    @rule(days=st.integers(-6, 6))
    def judged_again_it_began_on_another_day(self, days: int) -> None:
        if self.record and self.record[-1].end is None:
            self.record[-1].begin = min(self.record[-1].begin + timedelta(days=days), self.today())
            self.judge()

    @rule(news=st.sampled_from(["absorbing", "ready", None]))
    def quiet_days_are(self, news: str | None) -> None:
        self.good_news = None if news is None else (news, self.today() - timedelta(days=40))
        self.judge()

    @rule(how=st.sampled_from(["answers", "is silent", "revoked", "inactive"]))
    def strava(self, how: str) -> None:
        self.synced = self.clock.now() if how == "is silent" else None
        self.refused = (how, self.clock.now()) if how in ("revoked", "inactive") else None
        self.judge()

    @rule(days=st.integers(1, 10))
    def the_runner_wants_quiet(self, days: int) -> None:
        self.quiet_from, self.quiet_to = self.clock.now(), self.clock.now() + timedelta(days=days)
        with self.store.write() as session:
            snooze.snooze(session, ATHLETE, self.quiet_from, self.quiet_to)

    @rule()
    def the_runner_resumes(self) -> None:
        self.quiet_to = self.quiet_from
        with self.store.write() as session:
            snooze.resume(session, ATHLETE)

    @rule(
        quiet=st.sampled_from([None, NIGHT, LUNCH]),
        third=st.sampled_from(WISHES),
        digest=st.booleans(),
        reminders=st.booleans(),
    )
    def another_config(
        self, quiet: QuietHours | None, third: dict[str, Any] | None, digest: bool, reminders: bool
    ) -> None:
        urls = (Channel(self.phones[0].url), Channel(self.phones[1].url, minimum="watch"))
        urls += () if third is None else (Channel(self.phones[2].url, **third),)
        self.config = Config(
            athlete=AthleteConfig(timezone=BERLIN),
            alerts=AlertsConfig(urls=urls, quiet_hours=quiet, remind_after=timedelta(days=3) if reminders else None),
            schedule=ScheduleConfig(digest=SUNDAYS if digest else None),
        )

    # -- what happens to the machine ------------------------------------------------------------------------------

    @rule(at_once=st.booleans())
    def a_round(self, at_once: bool) -> None:
        self.deliver_with(self.send, at_once=at_once)

    @rule(after=st.integers(0, 1))
    def the_process_dies_before_it_sends(self, after: int) -> None:
        left = iter(range(after))

        def send(url: str, message: Message) -> Failure | None:
            if next(left, None) is None:
                raise Died
            return self.send(url, message)

        self.deliver_with(send)

    @rule(after=st.integers(0, 1))
    def the_process_dies_before_it_records_the_answer(self, after: int) -> None:
        left = iter(range(after))

        def send(url: str, message: Message) -> Failure | None:
            failure = self.send(url, message)
            if next(left, None) is None:
                raise Died
            return failure

        self.deliver_with(send)

    @rule(change=st.sampled_from(["it_ends", "a_deleted_run_takes_the_reason_away", "a_watch_begins"]))
    def it_is_judged_while_a_phone_is_being_sent_to(self, change: str) -> None:
        changes = iter([getattr(self, change)])

        def send(url: str, message: Message) -> Failure | None:
            return self.send(url, message, meanwhile=next(changes, None))

        self.deliver_with(send)

    @rule(phone=st.integers(0, 2), status=st.sampled_from([200, 500, 404]), drops=st.booleans())
    def a_phone(self, phone: int, status: int, drops: bool) -> None:
        self.phones[phone].status, self.phones[phone].drops = status, drops

    @rule(phone=st.integers(0, 2), refusals=st.integers(1, 3))
    def a_phone_refuses_a_few(self, phone: int, refusals: int) -> None:
        self.phones[phone].refusals = refusals

    @rule(minutes=st.sampled_from([1, 9, 120, 60 * 13, 60 * 26, 60 * 73]))
    def time_passes(self, minutes: int) -> None:
        self.clock.advance(minutes=minutes)
        self.judge()

    @rule(hours=st.sampled_from([-9600, -48, -2, -1, 1, 12, 100, 9600]))
    def the_clock_jumps(self, hours: int) -> None:
        self.clock.advance(hours=hours)

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = open_store(self.path)
        self.judge()

    # -- what must hold -------------------------------------------------------------------------------------------

    @invariant()
    def nothing_arrives_twice_without_a_lost_answer(self) -> None:
        count = Counter(delivery.id for _, delivery in self.arrived)
        assert all(times <= 1 + self.repeats[number] for number, times in count.items())

    @invariant()
    def no_warning_is_told_again_unless_it_was_over(self) -> None:
        with self.store.read() as session:
            found = outbox.deliveries(session)
        for phone, kind in product(range(3), ("pull_back", "watch")):
            mine = [d for d in found if d.channel == outbox.channel_id(self.phones[phone].url)]
            if any(ends(d.alert, kind) and (d.doubtful or d.id in self.doubted) for d in mine):
                continue  # it may be over there, or might have been when it was judged, so it is told again
            cut_off = {d.alert.id for d in mine if d.doubtful and d.state != "sent"}  # may have to be told again
            told: dict[str, int] = {}
            for delivery in (d for n, d in self.arrived if n == phone):
                if ends(delivery.alert, kind):
                    told = {}
                elif delivery.alert.kind == kind:
                    begun = date.fromisoformat(delivery.alert.began)
                    near = [number for day, number in told.items() if abs(date.fromisoformat(day) - begun).days < 14]
                    assert set(near) - cut_off <= {delivery.alert.id}
                    told[delivery.alert.began] = delivery.alert.id

    @invariant()
    def other_news_is_told_once(self) -> None:
        for phone, kind in product(range(3), ("absorbing", "ready", "access", "stale")):
            told = {d.alert.id: d.alert for n, d in self.arrived if n == phone and d.alert.kind == kind}
            assert len({alert.episode for alert in told.values()}) == len(told)

    @invariant()
    def what_is_recorded_as_sent_has_arrived(self) -> None:
        with self.store.read() as session:
            sent = {d.id for d in outbox.deliveries(session) if d.state == "sent"}
        assert sent <= {delivery.id for _, delivery in self.arrived}

    def all_is_well_again(self) -> None:
        """Phones answer, the clock runs on, nobody wants quiet: each phone must know by the next day how it stands."""
        for phone in self.phones:
            phone.status, phone.refusals, phone.drops = 200, 0, False
        self.the_runner_resumes()
        # A reminder would make up for a word that was lost.
        self.another_config(self.config.alerts.quiet_hours, WATCHER, digest=True, reminders=False)
        noon = max(self.clock.now(), self.latest).date() + timedelta(days=1)
        sunday = noon + timedelta(days=9 - (noon.weekday() + 3) % 7)
        for day in [*(noon + timedelta(days=day) for day in range(3)), sunday]:  # the longest wait is a day
            self.clock.moment = datetime.combine(day, time(12 if day != sunday else 19), UTC)
            self.judge()
            for _ in range(3):
                self.deliver_with(self.send)
                self.clock.advance(minutes=1)
        with self.store.read() as session:
            deliveries = outbox.deliveries(session)
        assert not [d for d in deliveries if d.state in ("pending", "claimed")]
        stands = bool(self.record) and self.record[-1].end is None
        watched = not stands and bool(self.watches) and self.watches[-1].end is None
        for n, phone in enumerate(self.phones):
            mine = [d for d in deliveries if d.channel == outbox.channel_id(phone.url)]
            digests = [d for number, d in self.arrived if number == n and d.alert.kind == "digest"]
            assert str(sunday) in {d.alert.began for d in digests}
            if n < 2 and not any(d.state == "given_up" for d in mine):
                # An all-clear that another pull-back withdrew is no news any more so long after.
                late = bool(self.record) and not stands and (self.today() - self.record[-1].end).days > ALL_CLEAR_DAYS
                # And while a watch stands not all is clear.
                assert late or watched or self.believes(n, "pull_back") == stands
                assert n == 0 or not watched or self.believes(n, "watch")
                assert self.heard_of_strava(n)
        self.nothing_arrives_twice_without_a_lost_answer()
        self.no_warning_is_told_again_unless_it_was_over()

    # -- helpers --------------------------------------------------------------------------------------------------

    def believes(self, phone: int, kind: str) -> bool:
        """Whether the last word that a phone got of this kind of warning is that it stands."""
        about = (kind, "all_clear") if kind == "pull_back" else (kind,)
        last = [d.alert.kind for n, d in self.arrived if n == phone and d.alert.about in about][-1:]
        return bool(last) and last[0] in (kind, "reminder")

    def heard_of_strava(self, phone: int) -> bool:
        """Whether a phone knows that Strava refuses us, or has been silent for long, where it is so."""
        mine = {(d.alert.kind, d.alert.episode) for n, d in self.arrived if n == phone}
        if self.refused is not None:
            reason, since = self.refused
            return ("access", f"{reason} {since.isoformat()}") in mine
        silent = self.synced is not None and self.latest - self.synced >= self.config.alerts.stale_after
        return not silent or ("stale", self.synced.isoformat()) in mine

    def today(self) -> date:
        return self.clock.now().astimezone(BERLIN).date()

    def judge(self) -> None:
        """The record as it is judged today, and what is told of it."""
        today = self.today()
        first = min([today, *(episode.begin for episode in (*self.record, *self.watches))]) - timedelta(days=1)
        verdicts, pulled_back = [], None
        for day in (first + timedelta(days=n) for n in range((today - first).days + 1)):
            now = next((e for e in self.record if e.on(day)), None)
            watch = None if now else next((e for e in self.watches if e.on(day)), None)
            pulled_back = day.isoformat() if now else pulled_back
            memory = {} if pulled_back is None else {"pulled_back": pulled_back}
            memory |= {} if now is None else {"episode": now.begin.isoformat()}
            memory |= {} if watch is None else {"watch": watch.begin.isoformat()}
            warned = "pull_back" if now else "watch" if watch else None
            verdicts.append(self.verdict(day, warned, memory))
        access, since = self.refused or (None, None)
        last = self.synced or self.clock.now()
        state = Progress(history_ready=True, because="deleted", access=access, access_since=since, last_success_at=last)
        with self.store.write() as session:
            save_progress(session, ATHLETE, state)
            rows = [(verdict.day, documents.verdict_document(verdict)) for verdict in verdicts]
            judgement.save_verdicts(session, ATHLETE, rows, date.min)
        tell(self.store, ATHLETE, self.config, self.clock.now(), speak=True)
        with self.store.read() as session:
            self.doubted |= {d.id for d in outbox.deliveries(session) if d.doubtful}
        self.latest = max(self.latest, self.clock.now())

    def verdict(self, day: date, warned: State | None, memory: dict[str, str]) -> Verdict:
        """A day's judgement: a warning, or what quiet days are told for."""
        news, since = self.good_news if self.good_news and not warned else (None, day)
        spells = (Intensity(since, False, 6, 1.0, "added"),) if news == "absorbing" else ()
        advice = (f"{READY}your base is stable.",) if news == "ready" else ()
        state: State = warned or ("absorbing" if news == "absorbing" else "stable")
        return Verdict(day, state, since, "State: how it stands.", advice, (), spells, memory)

    def close(self) -> None:
        self.store.close()

    def deliver_with(self, send: object, *, at_once: bool = False) -> None:
        if self.clock.now() < self.quiet_from:  # the clock was put back: as long as it was asked for, from now on
            span = self.quiet_to - self.quiet_from
            self.quiet_from, self.quiet_to = self.clock.now(), self.clock.now() + span
        before = len(self.arrived)
        withdraw_late(self.store, self.config, self.clock.now(), BERLIN)
        with self.store.read() as session:
            cut_off = [d for d in outbox.deliveries(session) if d.state == "claimed" and not self.wanted(d)]
            self.left_before = withdrawn_claims(session) | {d.id for d in cut_off}
        try:
            deliver(self.store, self.config.alerts, send, self.clock, BERLIN, at_once=at_once)  # type: ignore[arg-type]
        except Died:
            self.store.close()
            self.store = open_store(self.path)
        if self.broken:
            raise self.broken[0]
        with self.store.read() as session:
            states = {d.id: d.state for d in outbox.deliveries(session)}
        for _, delivery in self.arrived[before:]:
            self.repeats[delivery.id] += states[delivery.id] != "sent"

    def send(self, url: str, message: Message, meanwhile: Callable[[], None] | None = None) -> Failure | None:
        """What must not be sent is remembered: whoever delivers takes an exception for a channel's trouble."""
        try:
            return self.send_for_real(url, message, meanwhile)
        except AssertionError as error:
            self.broken.append(error)
            raise

    def send_for_real(self, url: str, message: Message, meanwhile: Callable[[], None] | None) -> Failure | None:
        """Notes which deliveries the phone took, by what is claimed for it at that moment."""
        now, number = self.clock.now(), [phone.url for phone in self.phones].index(url)
        quiet = self.config.alerts.quiet_hours
        assert quiet is None or not is_quiet(now.astimezone(BERLIN).time(), *quiet)
        assert not self.quiet_from <= now < self.quiet_to
        claimed = self.claimed(outbox.channel_id(url))
        if meanwhile is not None:
            meanwhile()
        had = len(self.phones[number].messages)
        failure = notify.send(url, message)
        if len(self.phones[number].messages) > had:
            assert all(d.alert.title in message.title + message.text for d in claimed)
            for d in claimed:
                assert self.wanted(d)
                assert d.alert.kind != "digest" or is_news(d.alert, now)
                assert d.state != "claimed" or d.alert.closed_at is None or d.alert.kind in ("retraction", "digest")
            self.arrived += [(number, replace(d)) for d in claimed]
        return failure

    def claimed(self, channel: str) -> list[Delivery]:
        """What is being sent to a channel; another phone's sender may have had it withdrawn since it was claimed."""
        with self.store.read() as session:
            mine = [d for d in outbox.deliveries(session) if d.channel == channel]
            taken_back = withdrawn_claims(session)
        return [d for d in mine if d.id not in self.left_before and (d.state == "claimed" or d.id in taken_back)]

    def wanted(self, delivery: Delivery) -> bool:
        """Whether its phone wants it now; a retraction goes to whoever heard what is taken back."""
        named = [c for c in self.config.alerts.urls if outbox.channel_id(c.url) == delivery.channel]
        return delivery.alert.kind == "retraction" or any(wants(c, delivery.alert.about) for c in named)


def withdrawn_claims(session: Any) -> set[int]:
    query = select(DeliveryRow.id).where(DeliveryRow.state == "withdrawn", col(DeliveryRow.claimed_at).is_not(None))
    return set(session.exec(query))


def wants(channel: Channel, kind: str) -> bool:
    for_watchers = kind in ("watch", "absorbing", "ready")
    return kind in channel.kinds if channel.kinds else not for_watchers or channel.minimum == "watch"


def ends(alert: Alert, kind: str) -> bool:
    """Whether an alert says that a warning of this kind is over or taken back."""
    return (alert.kind == "retraction" and alert.about == kind) or (alert.kind == "all_clear" and kind == "pull_back")


def is_news(digest: Alert, now: datetime) -> bool:
    """Whether a digest is due, or nearly, as the clock may have been put back a little since."""
    due = datetime.combine(date.fromisoformat(digest.began), SUNDAYS.at, BERLIN)
    return abs(now - due) < LATE


def test_what_is_withdrawn_before_the_second_sender_looks_has_arrived_where_it_was_sent() -> None:
    machine, judged = OutboxMachine(), Event()
    try:
        machine.there_is_strain()
        first = iter([True])

        def change() -> None:
            machine.a_deleted_run_takes_the_reason_away()
            judged.set()

        def send(url: str, message: Message) -> Failure | None:
            if next(first, None):
                return machine.send(url, message, meanwhile=change)
            judged.wait(10)  # a busy machine: this thread comes second
            return machine.send(url, message)

        machine.deliver_with(send)
        machine.what_is_recorded_as_sent_has_arrived()
    finally:
        machine.stack.close()


TestOutbox = OutboxMachine.TestCase
TestOutbox.settings = settings(
    max_examples=20 * int(os.environ.get("PULLBACK_FUZZ", "1")),
    stateful_step_count=20,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
