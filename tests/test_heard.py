"""Each phone hears what concerns it: the end of what it heard, at the address it has now, and of nothing else."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from daemon.config import Channel, Digest
from tests.house import House, Phone
from tests.test_telling import stands

WATCH = {"watch": "2026-11-02"}
GROWN = {"episode": "2026-11-03"}


def test_a_pull_back_nobody_heard_is_withdrawn_without_a_word_and_the_watch_heard_before_it_remains(
    house: House,
) -> None:
    house.set_config("alerts", minimum="watch")
    stands(house, "watch", date(2026, 11, 2), **WATCH)
    house.deliver()
    house.clock.advance(days=1)
    stands(house, "pull_back", date(2026, 11, 3), **GROWN)  # and the phone is off
    stands(house, "watch", date(2026, 11, 3), **WATCH)
    house.deliver()
    assert [title[:5] for title in house.phone.titles] == ["Watch"]
    stands(house, "stable", date(2026, 11, 3), since=date(2026, 11, 2))
    house.deliver()
    assert [title[:17] for title in house.phone.titles][1:] == ["Taken back: watch"]


def test_each_channel_hears_taken_back_what_it_heard(house: House) -> None:
    watcher, both = Phone(), Phone()
    channels = (Channel(watcher.url, kinds=("watch",)), Channel(both.url, minimum="watch"))
    house.set_config("alerts", urls=(Channel(house.phone.url), *channels))
    stands(house, "watch", date(2026, 11, 2), **WATCH)
    house.deliver()
    house.clock.advance(days=1)
    stands(house, "pull_back", date(2026, 11, 3), **GROWN)
    house.deliver()
    for _ in range(2):
        stands(house, "stable", date(2026, 11, 3), since=date(2026, 11, 2))
        house.deliver()
    for phone in (watcher, both):
        phone.hang_up()
    assert [title[:16] for title in house.phone.titles] == ["Time to pull bac", "Taken back: pull"]
    assert [title[:16] for title in both.titles][1:] == ["Time to pull bac", "Taken back: pull"]
    assert "Taken back: watch" not in both.messages[-1]["message"]
    assert [title[:17] for title in watcher.titles][1:] == ["Taken back: watch"]


def test_a_watch_that_has_passed_is_not_taken_back_with_the_pull_back_that_grew_from_it(house: House) -> None:
    house.set_config("alerts", urls=(Channel(house.phone.url, kinds=("watch",)),))
    stands(house, "watch", date(2026, 11, 2), **WATCH)
    house.deliver()
    house.clock.advance(days=1)
    stands(house, "pull_back", date(2026, 11, 3), **GROWN)
    stands(house, "stable", date(2026, 11, 3))
    house.deliver()
    assert len(house.phone.titles) == 1


def test_a_watch_taken_back_that_comes_as_a_pull_back_is_not_said_to_be_taken_back(house: House) -> None:
    house.set_config("alerts", minimum="watch")
    stands(house, "watch", date(2026, 11, 2), **WATCH)
    house.deliver()
    house.clock.advance(days=1)
    stands(house, "stable", date(2026, 11, 3), since=date(2026, 11, 2))
    stands(house, "pull_back", date(2026, 11, 3), **GROWN)
    house.deliver()
    assert len(house.phone.messages) == 2 and "Taken back" not in house.phone.messages[1]["message"]


def test_of_two_phones_the_one_whose_address_changed_hears_the_end_too(house: House) -> None:
    old, new = Phone(), Phone()
    house.set_config("alerts", urls=(Channel(house.phone.url), Channel(old.url)))
    stands(house, "pull_back", date(2026, 11, 2), episode="2026-11-02")
    house.deliver()
    house.set_config("alerts", urls=(Channel(house.phone.url), Channel(new.url)))
    stands(house, "stable", date(2026, 11, 20), pulled_back="2026-11-19")
    house.deliver()
    for phone in (old, new):
        phone.hang_up()
    assert [title[:9] for title in house.phone.titles] == ["Time to p", "All clear"]
    assert [title[:9] for title in new.titles] == ["All clear"]


def test_a_phone_whose_address_is_mended_while_something_waits_for_it_hears_it(house: House) -> None:
    old, new = Phone(), Phone()
    house.set_config("alerts", urls=(Channel(house.phone.url), Channel(old.url)))
    old.status = 401
    stands(house, "pull_back", date(2026, 11, 2), episode="2026-11-02")
    house.deliver()  # only the first phone takes it
    house.set_config("alerts", urls=(Channel(house.phone.url), Channel(new.url)))
    for _ in range(3):
        house.clock.advance(hours=1)
        stands(house, "pull_back", date(2026, 11, 2), episode="2026-11-02")
        house.deliver()
    for phone in (old, new):
        phone.hang_up()
    assert [title[:9] for title in house.phone.titles] == [title[:9] for title in new.titles] == ["Time to p"]


@pytest.mark.parametrize("end", ["retraction", "all_clear"])
def test_what_ends_a_warning_follows_the_phone_to_its_new_address_and_goes_to_nobody_else(
    house: House, end: str
) -> None:
    deaf, new = Phone(), Phone()
    deaf.status = 500
    house.set_config("alerts", urls=(Channel(house.phone.url), Channel(deaf.url)))
    stands(house, "pull_back", date(2026, 11, 2), episode="2026-11-02")
    house.deliver()
    house.phone.status, deaf.status = 401, 200
    over = {"since": date(2026, 11, 2)} if end == "retraction" else {"pulled_back": "2026-11-02"}
    stands(house, "stable", date(2026, 11, 3), **over)
    house.deliver()
    for channels in ((new.url, deaf.url), (new.url, deaf.url, house.phone.url)):
        house.set_config("alerts", urls=tuple(Channel(url) for url in channels))
        house.phone.status = 200
        house.clock.advance(hours=1)
        stands(house, "stable", date(2026, 11, 3), **over)
        house.deliver()
    for phone in (deaf, new):
        phone.hang_up()
    assert [title[:9] for title in new.titles] == [{"retraction": "Taken bac", "all_clear": "All clear"}[end]]
    assert deaf.titles == []


def test_an_all_clear_that_waits_does_not_go_to_a_phone_added_meanwhile(house: House) -> None:
    added = Phone()
    stands(house, "pull_back", date(2026, 11, 2), episode="2026-11-02")
    house.deliver()
    for channels in ((house.phone.url,), (house.phone.url, added.url)):
        house.set_config("alerts", urls=tuple(Channel(url) for url in channels))
        house.phone.status = 500
        stands(house, "stable", date(2026, 11, 20), pulled_back="2026-11-19")
        house.deliver()
    added.hang_up()
    assert added.titles == []


def test_who_was_added_after_a_pull_back_does_not_hear_that_it_is_over(house: House) -> None:
    added = Phone()
    stands(house, "pull_back", date(2026, 11, 2), episode="2026-11-02")
    house.deliver()
    house.set_config("alerts", urls=(Channel(house.phone.url), Channel(added.url)))
    stands(house, "stable", date(2026, 11, 20), pulled_back="2026-11-19")
    house.deliver()
    added.hang_up()
    assert [title[:9] for title in house.phone.titles] == ["Time to p", "All clear"] and added.titles == []


def test_one_phone_named_twice_hears_what_either_entry_lets_through(house: House) -> None:
    house.set_config("alerts", urls=())
    stands(house, "pull_back", date(2026, 11, 2), episode="2026-11-02")
    named = (Channel(house.phone.url, kinds=("pull_back",)), Channel(house.phone.url, kinds=("digest",)))
    house.set_config("alerts", urls=named)
    stands(house, "pull_back", date(2026, 11, 2), episode="2026-11-02")
    house.deliver()
    assert [title[:9] for title in house.phone.titles] == ["Time to p"]


@pytest.mark.parametrize("meanwhile", [Digest(6, time(20)), None])
def test_a_digest_withdrawn_as_its_time_was_moved_comes_at_the_new_one(house: House, meanwhile: Digest | None) -> None:
    at = datetime(2026, 11, 8, 18, 5, tzinfo=UTC)
    house.phone.status = 500
    for hours, digest in ((0, Digest(6, time(18))), (1, meanwhile), (2, Digest(6, time(20))), (3, Digest(6, time(20)))):
        house.set_config("schedule", digest=digest)
        house.clock.moment = at + timedelta(hours=hours)
        stands(house, "stable", date(2026, 11, 8))
        house.deliver(at_once=True)
        house.phone.status = 200
    assert [title[:9] for title in house.phone.titles] == ["Your week"]
