"""Alerts on their way to a real receiver: each arrives, none twice but after a crash nobody could tell from success."""

import errno
import os
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import daemon.store.database
from daemon import notify
from daemon.config import Channel, QuietHours
from daemon.deliver import LEAST_ATTEMPTS, MOST_IN_ONE, deliver, is_quiet, next_attempt
from daemon.notify import Failure, Message
from daemon.store import Busy, StoreError, outbox, snooze
from daemon.store.database import INSIST_TRIES
from daemon.store.outbox import GIVE_UP_AFTER
from tests.house import MONDAY, House


def tell(house: House, episode: str = "2026-11-02", kind: str = "pull_back") -> int | None:
    with house.store.write() as session:
        return outbox.open_alert(
            session,
            house.athlete_id,
            kind=kind,
            episode=episode,
            title="Time to pull back",
            text="Easy runs cost more.",
            channels=[outbox.channel_id(c.url) for c in house.config.alerts.urls],
            now=house.clock.now(),
        )


def states(house: House) -> list[str]:
    with house.store.read() as session:
        return [d.state for d in outbox.deliveries(session)]


def test_an_alert_arrives_once_however_often_we_try(house: House) -> None:
    tell(house)
    house.deliver()
    house.deliver(at_once=True)
    assert house.phone.titles == ["Time to pull back"]
    assert states(house) == ["sent"]


def test_nothing_is_sent_that_could_not_be_written_down(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(house)
    monkeypatch.setattr(daemon.store.database, "ROOM_BYTES", 2**62)  # more than any disk has left
    with pytest.raises(StoreError, match="free some space"):
        house.deliver()
    assert (house.phone.titles, states(house)) == ([], ["pending"])


def test_one_episode_is_told_once(house: House) -> None:
    assert tell(house) is not None
    assert tell(house) is None
    house.deliver()
    assert len(house.phone.messages) == 1


def test_a_phone_that_refuses_is_tried_again_after_a_minute_and_then_less_often(house: House) -> None:
    tell(house)
    house.phone.status = 500
    assert house.deliver().failed == 1
    assert house.deliver().failed == 0
    house.clock.advance(seconds=61)
    assert house.deliver().failed == 1
    house.phone.status = 200
    house.clock.advance(minutes=2, seconds=1)
    assert house.deliver().sent == 1
    assert len(house.phone.messages) == 1


def test_after_three_days_it_is_given_up_with_a_mark(house: House) -> None:
    tell(house)
    house.phone.status = 500
    for _ in range(100):
        house.deliver()
        house.clock.advance(hours=1)
    assert states(house) == ["given_up"]


def test_a_clock_put_back_by_a_year_holds_nothing_up(house: House) -> None:
    tell(house)
    house.clock.advance(days=-365)
    house.phone.refusals = 1
    assert house.deliver().failed == 1
    house.clock.advance(days=-365)
    assert house.deliver().sent == 1


def test_a_crash_between_claim_and_record_sends_it_again(house: House) -> None:
    tell(house)
    with house.store.write() as session:
        outbox.claim(session, 1, house.clock.now())
    house.reopen()
    house.deliver()
    assert len(house.phone.messages) == 1
    assert states(house) == ["sent"]


def test_a_channel_taken_out_of_the_config_is_forgotten_after_three_days(house: House) -> None:
    tell(house)
    house.set_config("alerts", urls=())
    house.deliver()
    assert states(house) == ["pending"]
    house.clock.advance(days=3)
    house.deliver()
    assert states(house) == ["given_up"]


def test_a_command_that_lacks_the_channels_credential_leaves_the_alert_to_the_service(house: House) -> None:
    channels = house.config.alerts
    house.set_config("alerts", urls=())
    tell(house)
    house.deliver()
    house.config = replace(house.config, alerts=channels)
    house.evaluate()
    house.deliver()
    assert house.phone.titles == ["Time to pull back"]


def test_a_claim_is_on_disk_before_the_channel_hears_anything(house: House) -> None:
    tell(house)
    seen: list[list[str]] = []

    def send(url: str, message: Message) -> None:
        seen.append(states(house))

    deliver(house.store, house.config.alerts, send, house.clock, UTC)
    assert seen == [["claimed"]]


def test_a_machine_that_slept_for_days_does_not_give_up_after_two_attempts(house: House) -> None:
    tell(house)
    house.phone.refusals = 2
    house.deliver()
    house.clock.advance(days=4)
    house.deliver()
    assert states(house) == ["pending"]
    house.clock.advance(hours=1)
    house.deliver()
    assert states(house) == ["sent"]


def test_a_bug_in_sending_to_one_channel_is_that_ones_failure(house: House, caplog: pytest.LogCaptureFixture) -> None:
    broken = "json://127.0.0.1:1/hunter2"
    house.set_config("alerts", urls=(*house.config.alerts.urls, Channel(broken)))
    tell(house)

    def send(url: str, message: Message) -> Failure | None:
        if url == broken:
            raise ValueError(url)
        return notify.send(url, message)

    for _ in range(3):
        deliver(house.store, house.config.alerts, send, house.clock, UTC)
        house.clock.advance(seconds=20)
    assert states(house) == ["sent", "pending"] and len(house.phone.messages) == 1
    assert "this is a bug error=ValueError" in caplog.text and "hunter2" not in caplog.text


def test_two_deliverers_at_once_are_one(house: House) -> None:
    tell(house)
    with house.store.only_one("delivery"), pytest.raises(Busy):
        house.deliver()
    house.deliver()
    assert len(house.phone.messages) == 1


def test_attempts_that_were_cut_off_bring_giving_up_no_nearer(house: House) -> None:
    tell(house)
    for _ in range(LEAST_ATTEMPTS + 1):
        with house.store.write() as session:  # and here the machine goes off
            assert [outbox.claim(session, d.id, house.clock.now()) for d in outbox.unsettled(session)] == [True]
        house.clock.advance(hours=12)
    house.phone.status = 500
    assert house.deliver().given_up == 0
    house.phone.status = 200
    house.clock.advance(minutes=2)
    assert house.deliver().sent == 1


def test_a_refusal_after_a_cut_off_attempt_counts_once(house: House) -> None:
    tell(house)
    house.phone.status = 500
    house.clock.advance(hours=73)
    failures = 0
    while states(house) == ["pending"]:
        if failures == LEAST_ATTEMPTS - 2:
            with house.store.write() as session:  # and here the machine goes off
                outbox.claim(session, 1, house.clock.now())
        failures += house.deliver().failed
        house.clock.advance(days=2)
    assert (states(house), failures) == (["given_up"], LEAST_ATTEMPTS)


def test_one_answer_that_cannot_be_written_down_takes_no_other_with_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody holds the database for longer than the first answer is insisted on, and lets go during the second."""
    monkeypatch.setattr(daemon.store.database, "BUSY_TIMEOUT_MS", 10)
    house.reopen()
    two_channels(house)
    somebody = sqlite3.connect(house.path, isolation_level=None, check_same_thread=False)
    both = threading.Barrier(2, action=lambda: somebody.execute("BEGIN IMMEDIATE"))
    pauses, heard = [], []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == INSIST_TRIES:
            somebody.execute("ROLLBACK")

    def send(url: str, message: Message) -> None:
        heard.append(url)
        if len(heard) <= 2:
            both.wait(10)

    monkeypatch.setattr(daemon.store.database, "sleep", sleep)
    with closing(somebody), pytest.raises(StoreError, match="locked"):
        deliver(house.store, house.config.alerts, send, house.clock, UTC)
    assert sorted(states(house)) == ["claimed", "sent"]
    deliver(house.store, house.config.alerts, send, house.clock, UTC)
    assert (states(house), len(heard)) == (["sent", "sent"], 3)


def two_channels(house: House) -> None:
    house.set_config("alerts", urls=(*house.config.alerts.urls, Channel("json://127.0.0.1:1/")))
    tell(house)


def test_room_is_asked_for_before_any_channel_is_claimed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    two_channels(house)
    asked = []

    def allocate(handle: int, offset: int, length: int) -> None:
        asked.append(states(house))
        if len(asked) > 1:
            raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "posix_fallocate", allocate)
    assert deliver(house.store, house.config.alerts, lambda url, message: None, house.clock, UTC).sent == 2
    assert asked == [["pending", "pending"]]


def test_a_daemon_that_is_stopped_begins_no_further_message(house: House) -> None:
    house.set_config("alerts", minimum="watch")
    for n in range(20):
        tell(house, f"2026-11-{n + 1:02}", "watch")
    assert house.deliver(stop=lambda: bool(house.phone.messages)).sent == MOST_IN_ONE
    assert len(house.phone.messages) == 1 and states(house).count("pending") == 20 - MOST_IN_ONE


@pytest.mark.parametrize("how", ["quiet hours", "snooze"])
def test_quiet_that_begins_between_two_messages_holds_the_second(house: House, how: str) -> None:
    house.set_config("alerts", minimum="watch", quiet_hours=QuietHours(time(22), time(7)))
    house.clock.moment = evening = datetime(2026, 11, 2, 21, 59, 50, tzinfo=UTC)
    for n in range(20):
        tell(house, f"2026-10-{n + 1:02}", "watch")

    def send(url: str, message: Message) -> Failure | None:
        if how == "quiet hours":
            house.clock.advance(seconds=20)
        else:
            with house.store.write() as session:
                snooze.snooze(session, house.athlete_id, evening, evening + timedelta(days=3))
        return notify.send(url, message)

    assert deliver(house.store, house.config.alerts, send, house.clock, UTC).sent == MOST_IN_ONE
    assert len(house.phone.messages) == 1


def test_of_many_that_wait_the_pull_back_goes_first(house: House) -> None:
    house.set_config("alerts", minimum="watch")
    for n in range(12):
        tell(house, f"2026-10-{n + 1:02}", "watch")
    tell(house, "2026-11-02", "pull_back")
    first: list[str] = []

    def send(url: str, message: Message) -> Failure | None:
        with house.store.read() as session:
            first[:] = first or [d.alert.kind for d in outbox.deliveries(session) if d.state == "claimed"]
        return None

    deliver(house.store, house.config.alerts, send, house.clock, UTC)
    assert "pull_back" in first and len(first) == MOST_IN_ONE


def watch_is_told(house: House, times: int, url: str, text: str) -> None:
    """On as many days, each in an alert of its own that waits; `text` holds a place for its number."""
    for n in range(times):
        with house.store.write() as session:
            outbox.open_alert(
                session,
                house.athlete_id,
                kind="watch",
                episode=f"2026-11-{n + 1:02}",
                title=f"Watch: alert {n}",
                text=text.format(n, n),
                channels=[outbox.channel_id(url)],
                now=house.clock.now(),
            )


def test_of_many_alerts_that_waited_none_is_cut_off_with_the_end_of_a_message(house: House) -> None:
    house.set_config("alerts", minimum="watch")
    text = "Alert number {} of many: " + "easy runs cost more, and the week is tight. " * 12
    watch_is_told(house, 20, house.phone.url, text)
    assert house.deliver().sent == 20
    said = "\n".join(message["message"] for message in house.phone.messages)
    assert [said.count(f"Alert number {n} of many") for n in range(20)] == [1] * 20
    assert len(house.phone.messages) == 3


@given(attempts=st.integers(1, 200), age=st.timedeltas(timedelta(0), timedelta(days=4)))
def test_waits_grow_from_a_minute_to_a_day_and_end_after_three_days(attempts: int, age: timedelta) -> None:
    again = next_attempt(attempts, MONDAY, MONDAY + age)
    if age >= GIVE_UP_AFTER and attempts >= LEAST_ATTEMPTS:
        assert again is None
    else:
        assert again is not None
        assert timedelta(minutes=1) <= again - (MONDAY + age) <= timedelta(days=1)


@pytest.mark.parametrize(
    ("clock", "quiet"), [("21:59", False), ("22:00", True), ("03:00", True), ("06:59", True), ("07:00", False)]
)
def test_quiet_hours_pass_midnight(clock: str, quiet: bool) -> None:
    assert is_quiet(time.fromisoformat(clock), time(22), time(7)) is quiet


def test_nothing_is_sent_in_quiet_hours_and_it_arrives_when_they_end(house: House) -> None:
    house.set_config("alerts", quiet_hours=QuietHours(time(22), time(7)))
    house.clock.moment = datetime(2026, 11, 2, 23, 30, tzinfo=UTC)
    tell(house)
    daemon = house.daemon()
    daemon.deliver()
    assert house.phone.messages == []
    house.clock.moment = datetime(2026, 11, 3, 7, 0, tzinfo=UTC)
    daemon.deliver()
    assert len(house.phone.messages) == 1


def test_what_waits_is_held_against_the_config_of_now(house: House) -> None:
    house.phone.status = 500
    tell(house, kind="watch")
    tell(house, "2026-11-03", kind="all_clear")
    tell(house, "2026-11-04")
    house.set_config("alerts", minimum="watch")
    house.deliver()
    house.phone.status = 200
    house.set_config("alerts", minimum="pull_back", all_clear=False)
    assert house.deliver(at_once=True).sent == 1
    assert states(house) == ["pending", "pending", "sent"]
    house.set_config("alerts", minimum="watch")
    assert house.deliver(at_once=True).sent == 1, "the runner has changed his mind again"
    house.clock.advance(days=3)
    assert house.deliver().given_up == 0
    assert states(house) == ["sent", "withdrawn", "sent"]
