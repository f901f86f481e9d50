"""One address may name several: each topic, chat or mailbox hears what it hasn't heard, and nothing twice."""

from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest

from daemon import notify
from daemon.config import Channel
from daemon.config.reading import parse
from daemon.evaluate import whole_status
from tests.house import House
from tests.test_telling import stands


@pytest.fixture
def topics(house: House) -> str:
    """The address of Ada's and Ben's topic, as it was read from the configuration."""
    url = f"{house.phone.url.replace('json:', 'ntfy:')}ada/ben"
    configured(house, url)
    return url


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
    assert topics in house.config.secrets()


def test_who_heard_of_a_pull_back_when_all_topics_were_one_channel_hears_its_end_once(house: House) -> None:
    url = f"{house.phone.url.replace('json:', 'ntfy:')}ada/ben"
    house.set_config("alerts", urls=(Channel(url),))
    day(house, date(2026, 11, 2), "pull_back", episode="2026-11-02", pulled_back="2026-11-02")
    configured(house, url)
    day(house, date(2026, 11, 3), "pull_back", episode="2026-11-02", pulled_back="2026-11-03")
    for number in (12, 13):
        day(house, date(2026, 11, number), "stable", pulled_back="2026-11-03")
    assert heard(house) == [(who, what) for who in ("ada", "ben") for what in ("All clear", "Time to p")]


def test_services_written_into_one_string_are_channels_of_their_own(house: House) -> None:
    ntfy = house.phone.url.replace("json:", "ntfy:")
    configured(house, f"{ntfy}ada, {ntfy}ben")
    house.phone.deaf = "ben"
    day(house, date(2026, 11, 2), "pull_back", episode="2026-11-02")
    for _ in range(3):
        house.deliver(at_once=True)
    assert heard(house) == [("ada", "Time to p")]


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
    ],
)
def test_each_target_of_an_address_is_one_of_its_own_where_the_service_asks_for_each(url: str, apart: int) -> None:
    found = notify.parts(url)
    assert len(found) == apart and not any(notify.takes_together(address) for address in found or (url,))
