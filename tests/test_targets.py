"""One address may name several: each topic, chat or mailbox hears what it hasn't heard, and nothing twice."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from daemon import notify
from daemon.config import Channel
from daemon.config.reading import parse
from daemon.evaluate import whole_status
from daemon.store import snooze
from tests.house import House
from tests.test_telling import stands


@pytest.fixture
def topics(house: House) -> str:
    """The address of Ada's and Ben's topic, as it was read from the configuration."""
    configured(house, ntfy(house, "ada/ben"))
    return ntfy(house, "ada/ben")


def ntfy(house: House, names: str) -> str:
    return f"{house.phone.url.replace('json:', 'ntfy:')}{names}"


def unparted(house: House) -> None:
    """Ada's and Ben's topic as they were before each was a channel of its own."""
    house.set_config("alerts", urls=(Channel(ntfy(house, "ada/ben")),))


def configured(house: House, *urls: str) -> None:
    read = parse(
        f"[alerts]\nurls = {list(urls)}",
        environ={},
        where="",
        check_url=notify.problem_with,
        signal_tables={},
        parts_of=notify.parts,
    )
    house.config = replace(house.config, alerts=read.alerts)


def heard(house: House) -> list[tuple[str, str]]:
    """(topic, what its title begins with) of each message, in any order of the topics."""
    return sorted((m["topic"], m["title"][:9]) for m in house.phone.messages)


def day(house: House, when: date, state: str, **memory: str) -> None:
    house.clock.moment = datetime.combine(when, time(12), UTC)
    stands(house, state, when, **memory)
    house.deliver(at_once=True)


def test_the_topic_that_takes_a_message_gets_it_once_while_the_other_refuses(house: House, topics: str) -> None:
    house.phone.deaf = "ben"
    day(house, date(2026, 11, 2), "pull_back", episode="2026-11-02")
    for _ in range(9):
        house.clock.advance(hours=6)
        house.deliver(at_once=True)
    assert heard(house) == [("ada", "Time to p")]
    house.phone.deaf = ""
    house.deliver(at_once=True)
    house.deliver(at_once=True)
    assert heard(house) == [("ada", "Time to p"), ("ben", "Time to p")]


def test_the_topic_that_never_heard_of_a_pull_back_does_not_hear_that_it_is_over(house: House, topics: str) -> None:
    house.phone.deaf = "ben"
    for number in range(2, 8):
        day(house, date(2026, 11, number), "pull_back", episode="2026-11-02", pulled_back=f"2026-11-0{number}")
    house.phone.deaf = ""
    day(house, date(2026, 11, 9), "stable", pulled_back="2026-11-07")
    assert heard(house) == [("ada", "All clear"), ("ada", "Time to p")]


def test_status_names_the_target_by_number_and_says_nothing_of_its_address(house: House, topics: str) -> None:
    house.phone.deaf = "ben"
    day(house, date(2026, 11, 2), "pull_back", episode="2026-11-02")
    numbered = house.config.alerts.numbered()
    assert list(numbered.values()) == [("1.1", "ntfy"), ("1.2", "ntfy")]
    (undelivered,) = whole_status(house.store, house.config, house.clock.now())["undelivered"]
    assert undelivered["error"] == "refused by the service (403)"
    assert {topics, ntfy(house, "ada"), ntfy(house, "ben")} <= set(house.config.secrets())


def test_who_heard_of_a_pull_back_when_all_topics_were_one_channel_hears_its_end_once(house: House) -> None:
    unparted(house)
    day(house, date(2026, 11, 2), "pull_back", episode="2026-11-02", pulled_back="2026-11-02")
    configured(house, ntfy(house, "ada/ben"))
    day(house, date(2026, 11, 3), "pull_back", episode="2026-11-02", pulled_back="2026-11-03")
    for number in (12, 13):
        day(house, date(2026, 11, number), "stable", pulled_back="2026-11-03")
    assert heard(house) == [(who, what) for who in ("ada", "ben") for what in ("All clear", "Time to p")]


def test_services_written_into_one_string_are_channels_of_their_own(house: House) -> None:
    configured(house, f"{ntfy(house, 'ada')}, {ntfy(house, 'ben')}")
    house.phone.deaf = "ben"
    day(house, date(2026, 11, 2), "pull_back", episode="2026-11-02")
    for _ in range(3):
        house.deliver(at_once=True)
    assert heard(house) == [("ada", "Time to p")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["ada/ben"], ["ada/ben/cara"]),
        (["ada/ben"], ["cara/ben/ada"]),
        (["ada/ben"], ["ada", "ben"]),
        (["ada", "ben"], ["ben/ada"]),
        (["ada/ben"], ["ben"]),
    ],
)
def test_a_topic_stays_the_channel_it_is_whatever_else_its_address_names(
    house: House, before: list[str], after: list[str]
) -> None:
    configured(house, *(ntfy(house, names) for names in before))
    house.phone.deaf = "ben"
    day(house, date(2026, 11, 2), "pull_back", episode="2026-11-02")
    configured(house, *(ntfy(house, names) for names in after))
    day(house, date(2026, 11, 3), "pull_back", episode="2026-11-02")
    house.phone.deaf = ""
    day(house, date(2026, 11, 4), "pull_back", episode="2026-11-02")
    assert heard(house) == [("ada", "Time to p"), ("ben", "Time to p")]


def test_an_address_edited_again_and_again_after_it_took_a_warning_is_not_told_again(house: House) -> None:
    configured(house, ntfy(house, "ben"))
    house.phone.deaf = "ben"
    for number, address in enumerate(("ben", "cara", "cara?priority=high", "cara?priority=max"), start=2):
        configured(house, ntfy(house, address))
        day(house, date(2026, 11, number), "pull_back", episode="2026-11-02", pulled_back=f"2026-11-0{number}")
    assert heard(house) == [("cara", "Time to p")]


def test_a_topic_that_is_left_out_waits_for_nothing_and_status_says_nothing_of_it(house: House, topics: str) -> None:
    house.phone.deaf = "ben"
    day(house, date(2026, 11, 2), "pull_back", episode="2026-11-02")
    for _ in range(9):
        house.deliver(at_once=True)
    configured(house, ntfy(house, "ada"))
    house.clock.advance(minutes=1)
    house.deliver()
    assert whole_status(house.store, house.config, house.clock.now())["undelivered"] == []
    for number in range(3, 9):
        day(house, date(2026, 11, number), "pull_back", episode="2026-11-02")
        assert whole_status(house.store, house.config, house.clock.now())["undelivered"] == []
    assert heard(house) == [("ada", "Time to p")]


def test_a_warning_held_back_by_a_long_snooze_reaches_the_topics_that_one_address_has_become(house: House) -> None:
    unparted(house)
    house.clock.moment = datetime(2026, 11, 2, 8, tzinfo=UTC)
    with house.store.write() as session:
        snooze.snooze(session, house.athlete_id, house.clock.moment, house.clock.moment + timedelta(days=5))
    for number in range(2, 7):
        day(house, date(2026, 11, number), "pull_back", episode="2026-11-02", pulled_back=f"2026-11-0{number}")
    configured(house, ntfy(house, "ada/ben"))
    for number in range(7, 12):
        day(house, date(2026, 11, number), "pull_back", episode="2026-11-02", pulled_back=f"2026-11-{number:02}")
    assert heard(house) == [("ada", "Time to p"), ("ben", "Time to p")]


def test_what_waited_long_for_an_address_waits_three_days_more_once_that_has_gone(house: House) -> None:
    configured(house, ntfy(house, "ben"))
    house.phone.deaf = "ben"
    for number in range(2, 5):
        day(house, date(2026, 11, number), "pull_back", episode="2026-11-02")
    assert house.phone.messages == []
    house.set_config("alerts", urls=())  # as where a command lacks the credential that the service has
    for hours in (0, 30, 30):
        house.clock.advance(hours=hours)
        house.deliver()
    (undelivered,) = whole_status(house.store, house.config, house.clock.now())["undelivered"]
    assert (undelivered["error"], undelivered["given_up"]) == ("this channel is no longer in the config", False)
    configured(house, ntfy(house, "ben"))
    house.deliver()
    house.set_config("alerts", urls=())
    for hours in (0, 30, 30):
        house.clock.advance(hours=hours)
        house.deliver()
    house.phone.deaf = ""
    configured(house, ntfy(house, "ben"))
    house.deliver()
    assert heard(house) == [("ben", "Time to p")]


def test_who_heard_of_a_pull_back_hears_its_end_though_a_reminder_was_refused_at_the_new_address(house: House) -> None:
    configured(house, ntfy(house, "ada"))
    day(house, date(2026, 11, 2), "pull_back", episode="2026-11-02", pulled_back="2026-11-02")
    configured(house, ntfy(house, "ben"))
    house.set_config("alerts", remind_after=timedelta(days=2))
    house.phone.deaf = "ben"
    for number in (4, 5):
        day(house, date(2026, 11, number), "pull_back", episode="2026-11-02", pulled_back=f"2026-11-0{number}")
    house.phone.deaf = ""
    for number in (12, 13):
        day(house, date(2026, 11, number), "stable", pulled_back="2026-11-05")
    assert heard(house) == [("ada", "Time to p"), ("ben", "All clear")]


@pytest.mark.parametrize(
    ("url", "alone"),
    [
        ("ntfys://notes.example.org/ben/ada/?retry=2", "ntfys://notes.example.org/ben/?retry=2"),
        ("ncloud://ada:pw@example.org/kim/ben/ada", "ncloud://ada:pw@example.org/kim"),
        (
            "mailto://ada:pw@gmail.com?to=kim@example.org, ben@example.org",
            "mailto://ada:pw@gmail.com?to=kim@example.org",
        ),
        ("mailto://ada:pw@gmail.com/kim@example.org?to=ben@example.org", "mailto://ada:pw@gmail.com/kim@example.org"),
        ("ifttt://webhook@ran/pulled_back", "ifttt://webhook@ran"),
        ("ntfy://example.org/ada, ntfy://example.org/ben/kim", "ntfy://example.org/ada"),
    ],
)
def test_the_first_target_of_an_address_has_the_address_one_would_write_for_it_alone(url: str, alone: str) -> None:
    assert notify.parts(url)[0] == alone and notify.parts(alone) == ()


@pytest.mark.parametrize(
    ("url", "apart"),
    [
        ("ntfy://notes.example.org/ada", 0),
        ("ntfys://notes.example.org/ada/ben?retry=2&format=markdown", 2),
        ("tgram://123456789:abcdefg_hijklmnop/123/456/789", 3),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#runs/#club", 2),
        ("mailtos://ada:password@gmail.com", 0),
        ("mailtos://ada:password@gmail.com?to=ben@example.org,eve@example.org&cc=kim@example.org", 2),
        ("matrix://ada:password@matrix.example.org/#runs/!club", 2),
        ("ifttt://webhook@ran/pulled_back", 2),
        ("pover://user@token/phone/watch", 0),
        ("json://localhost/ada/ben", 0),
        ("humhub://token@localhost/1/2/3", 3),
        ("irc://localhost/#runs/#club", 2),
    ],
)
def test_each_target_of_an_address_is_one_of_its_own_where_the_service_asks_for_each(url: str, apart: int) -> None:
    found = notify.parts(url)
    assert len(found) == apart and not any(notify.takes_together(address) for address in found or (url,))


@pytest.mark.parametrize(
    "url",
    [
        "pingram://pingram_sk_abc123/ada/ben/ada@example.org",
        "clickatell://1111111111@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/2222222222/2222222222",
        "viber://token?to=ada,ben",
    ],
)
def test_targets_of_which_some_would_be_lost_apart_stay_together(url: str) -> None:
    assert notify.parts(url) == () and notify.takes_together(url)
