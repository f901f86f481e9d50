"""Whatever happens to a phone, a process or a clock: each alert arrives, and only a crash can make it arrive twice."""

import shutil
import tempfile
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from daemon import notify
from daemon.deliver import GIVE_UP_AFTER, deliver
from daemon.store import Store, open_store, outbox
from tests.house import Clock, Phone

ATHLETE = 1001


class Died(BaseException):
    """The process is gone; nothing of ours may catch it."""


@dataclass(frozen=True)
class Told:
    """One alert on its way to one phone."""

    episode: str
    phone: int


@cache
def migrated() -> Path:
    """An empty database of today's schema: migrating one per story would be most of the time."""
    path = Path(tempfile.mkdtemp()) / "pullback.db"
    open_store(path).close()
    return path


class OutboxMachine(RuleBasedStateMachine):
    """Two phones, one outbox. The phones are real receivers, and what they took is all that counts."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.path = Path(self.stack.enter_context(tempfile.TemporaryDirectory())) / "pullback.db"
        shutil.copy(migrated(), self.path)
        self.store: Store = open_store(self.path)
        self.stack.callback(self.close)
        self.phones = (Phone(), Phone())
        for phone in self.phones:
            self.stack.callback(phone.hang_up)
        self.in_config = {0, 1}
        self.clock = Clock()
        self.expected: set[Told] = set()
        self.excused: set[Told] = set()
        """Refused, or without their channel in the config, after three days: these needn't arrive."""
        self.repeats: Counter[Told] = Counter()
        """How often a process died between a phone's answer and the record of it."""
        self.opened: set[tuple[str, str]] = set()

    def teardown(self) -> None:
        try:
            self.all_is_well_again()
        finally:
            self.stack.close()

    # -- what happens ---------------------------------------------------------------------------------------------

    @initialize()
    def something_has_happened(self) -> None:
        self.something_is_to_be_told("pull_back", "0")

    @rule(kind=st.sampled_from(["pull_back", "all_clear"]), episode=st.sampled_from(["1", "2", "3"]))
    def something_is_to_be_told(self, kind: str, episode: str) -> None:
        with self.store.write() as session:
            alert = outbox.open_alert(
                session,
                ATHLETE,
                kind=kind,
                episode=episode,
                title=f"{kind} {episode}",
                text="Easy runs cost more.",
                channels=[outbox.channel_id(self.phones[n].url) for n in sorted(self.in_config)],
                now=self.clock.now(),
            )
        assert (alert is None) == ((kind, episode) in self.opened)
        if alert is not None:
            self.opened.add((kind, episode))
            self.expected |= {Told(f"{kind} {episode}", n) for n in self.in_config}

    @rule(at_once=st.booleans())
    def a_round(self, at_once: bool) -> None:
        self.deliver_with(self.send, at_once=at_once)

    @rule(after=st.integers(0, 2))
    def the_process_dies_before_it_sends(self, after: int) -> None:
        left = iter(range(after))

        def send(url: str, title: str, text: str) -> str | None:
            if next(left, None) is None:
                raise Died
            return self.send(url, title, text)

        self.deliver_with(send)

    @rule(after=st.integers(0, 2))
    def the_process_dies_before_it_records_the_answer(self, after: int) -> None:
        left = iter(range(after))

        def send(url: str, title: str, text: str) -> str | None:
            error = self.send(url, title, text)
            if next(left, None) is None:
                self.repeats[Told(title, self.phone_of(url))] += error is None
                raise Died
            return error

        self.deliver_with(send)

    @rule(phone=st.integers(0, 1), status=st.sampled_from([200, 500, 404]))
    def a_phone(self, phone: int, status: int) -> None:
        self.phones[phone].status = status

    @rule(phone=st.integers(0, 1), refusals=st.integers(1, 3))
    def a_phone_refuses_a_few(self, phone: int, refusals: int) -> None:
        self.phones[phone].refusals = refusals

    @rule(there=st.booleans())
    def the_second_phone_is_in_the_config(self, there: bool) -> None:
        (self.in_config.add if there else self.in_config.discard)(1)

    @rule(minutes=st.sampled_from([1, 2, 9, 120, 60 * 26]))
    def time_passes(self, minutes: int) -> None:
        self.clock.advance(minutes=minutes)

    @rule(days=st.sampled_from([-400, -2, -0.1, 0.5, 4, 400]))
    def the_clock_jumps(self, days: float) -> None:
        self.clock.advance(days=days)

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = open_store(self.path)

    # -- what must hold -------------------------------------------------------------------------------------------

    @invariant()
    def nothing_arrives_twice_without_a_crash(self) -> None:
        arrived = self.arrived()
        assert arrived.keys() <= self.expected
        assert all(arrived[told] <= 1 + self.repeats[told] for told in arrived)

    @invariant()
    def one_alert_an_episode(self) -> None:
        with self.store.read() as session:
            alerts = Counter((a.kind, a.episode) for a in outbox.alerts(session, ATHLETE))
        assert alerts.keys() == self.opened
        assert set(alerts.values()) <= {1}

    @invariant()
    def what_is_recorded_as_sent_has_arrived(self) -> None:
        arrived = self.arrived()
        with self.store.read() as session:
            recorded = {Told(d.alert.title, self.phone_by_id(d.channel)): d.state for d in outbox.deliveries(session)}
        assert recorded.keys() == self.expected
        assert all(arrived[told] for told, state in recorded.items() if state == "sent")
        assert {told for told, state in recorded.items() if state == "given_up"} <= self.excused

    def all_is_well_again(self) -> None:
        """Phones answer, the clock runs on: all must have come by the next day."""
        for phone in self.phones:
            phone.status, phone.refusals = 200, 0
        for hours in (0, 25):  # the longest wait is a day
            self.clock.advance(hours=hours)
            self.deliver_with(self.send)
        absent = {told for told in self.expected if told.phone not in self.in_config}
        assert self.expected - self.excused - absent <= self.arrived().keys()
        self.nothing_arrives_twice_without_a_crash()
        self.what_is_recorded_as_sent_has_arrived()
        with self.store.read() as session:
            assert not {self.phone_by_id(d.channel) for d in outbox.unsettled(session)} & self.in_config

    # -- helpers --------------------------------------------------------------------------------------------------

    def close(self) -> None:
        self.store.close()

    def deliver_with(self, send: object, *, at_once: bool = False) -> None:
        self.note_who_is_excused()
        channels = {outbox.channel_id(self.phones[n].url): self.phones[n].url for n in self.in_config}
        try:
            deliver(self.store, channels, send, self.clock, at_once=at_once)  # type: ignore[arg-type]
        except Died:
            self.restart()

    def send(self, url: str, title: str, text: str) -> str | None:
        return notify.send(url, title, text)

    def note_who_is_excused(self) -> None:
        with self.store.read() as session:
            for d in outbox.unsettled(session):
                phone = self.phone_by_id(d.channel)
                refuses = self.phones[phone].status != 200 or self.phones[phone].refusals
                old = self.clock.now() - d.created_at >= GIVE_UP_AFTER - timedelta(seconds=1)
                if old and (refuses or phone not in self.in_config):
                    self.excused.add(Told(d.alert.title, phone))

    def arrived(self) -> Counter[Told]:
        return Counter(Told(m["title"], n) for n, phone in enumerate(self.phones) for m in phone.messages)

    def phone_of(self, url: str) -> int:
        return [phone.url for phone in self.phones].index(url)

    def phone_by_id(self, channel: str) -> int:
        return [outbox.channel_id(phone.url) for phone in self.phones].index(channel)


TestOutbox = OutboxMachine.TestCase
TestOutbox.settings = settings(
    max_examples=20,
    stateful_step_count=20,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
