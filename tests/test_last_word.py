"""Whoever heard "pull back" hears of its end, whatever was lost, refused, held back or said anew in between."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest

from daemon.config import Channel
from daemon.evaluate.desk import Desk
from daemon.store import outbox
from daemon.store.progress import progress
from daemon.wording import KINDS
from tests.house import House, Phone
from tests.test_telling import stands

TOLD, OVER, TAKEN_BACK = "Time to p", "All clear", "Taken bac"


@pytest.fixture
def other(house: House) -> Iterator[Phone]:
    """A second phone, that of somebody else in the house."""
    phone = Phone()
    house.set_config("alerts", urls=(Channel(house.phone.url), Channel(phone.url)))
    yield phone
    phone.hang_up()


def said(phone: Phone) -> list[str]:
    return [title[:9] for title in phone.titles]


def heard_all_clears(phone: Phone) -> int:
    """Also those that came as part of a message with another title."""
    return sum("hard running may come back" in f"{m['title']} {m['message']}" for m in phone.messages)


def pulls_back(house: House, day: date, began: date | None = None) -> None:
    """A pull-back that began on `day`, or goes on since `began`; the phones are tried."""
    judged(house, day, "pull_back", episode=str(began or day), pulled_back=str(day))


def is_quiet_again(house: House, day: date, pulled_back: date | None, since: date | None = None) -> None:
    """Nothing stands, since `since` in the record; `pulled_back` was the last day on which it did."""
    judged(house, day, "stable", since, **({} if pulled_back is None else {"pulled_back": str(pulled_back)}))


def judged(house: House, day: date, state: str, since: date | None = None, **memory: str) -> None:
    house.clock.moment = datetime.combine(day, time(12), UTC)
    stands(house, state, day, since=since, **memory)
    house.deliver(at_once=True)


def cut_off(house: House) -> None:
    """The machine goes off before anything is sent."""
    with house.store.write() as session:
        for waiting in outbox.unsettled(session):
            outbox.claim(session, waiting.id, house.clock.now())


def test_the_all_clear_of_a_pull_back_one_phone_missed_ends_the_one_before_too(house: House, other: Phone) -> None:
    pulls_back(house, date(2026, 11, 2))
    house.phone.status = 404  # and what waits for it is withdrawn, as the next pull-back begins
    is_quiet_again(house, date(2026, 11, 10), date(2026, 11, 9))
    pulls_back(house, date(2026, 11, 30))
    house.phone.status = 200
    is_quiet_again(house, date(2026, 12, 10), date(2026, 12, 9))
    house.clock.advance(days=60)
    house.phone.status = 404
    pulls_back(house, date(2027, 2, 10))
    house.phone.status = 200
    is_quiet_again(house, date(2027, 2, 20), date(2027, 2, 19))
    assert said(house.phone) == [TOLD, OVER], "the third was never heard, and nothing was left to end"
    assert said(other) == [TOLD, OVER] * 3


def test_an_all_clear_that_a_mistaken_pull_back_withdrew_is_said_when_that_is_gone(house: House, other: Phone) -> None:
    pulls_back(house, date(2026, 11, 2))
    house.phone.status = 404
    is_quiet_again(house, date(2026, 11, 10), date(2026, 11, 9))
    pulls_back(house, date(2026, 11, 30))
    house.phone.status = 200
    for day in (date(2026, 11, 30), date(2026, 12, 1)):
        is_quiet_again(house, day, date(2026, 11, 9))
    assert said(house.phone) == [TOLD, OVER] and said(other) == [TOLD, OVER, TOLD, TAKEN_BACK]


def test_so_it_is_where_the_mistaken_one_was_over_and_went_on_before(house: House, other: Phone) -> None:
    pulls_back(house, date(2026, 11, 2))
    house.phone.status = 404
    is_quiet_again(house, date(2026, 11, 10), date(2026, 11, 9))
    pulls_back(house, date(2026, 11, 30))
    is_quiet_again(house, date(2026, 12, 8), date(2026, 12, 7))
    other.status = 404
    pulls_back(house, date(2026, 12, 8), date(2026, 11, 30))
    is_quiet_again(house, date(2026, 12, 8), date(2026, 11, 9), since=date(2026, 11, 30))
    house.phone.status = other.status = 200
    is_quiet_again(house, date(2026, 12, 9), date(2026, 11, 9))
    assert said(house.phone) == [TOLD, OVER] and said(other) == [TOLD, OVER] * 2


def test_what_was_told_while_the_clock_ran_a_year_ahead_keeps_no_all_clear_back(house: House) -> None:
    pulls_back(house, date(2027, 11, 2))
    is_quiet_again(house, date(2027, 11, 10), date(2027, 11, 9))
    is_quiet_again(house, date(2026, 11, 1), None, since=date(2026, 11, 1))
    pulls_back(house, date(2026, 11, 2))
    is_quiet_again(house, date(2026, 11, 10), date(2026, 11, 9))
    assert said(house.phone) == [TOLD, OVER] * 2


def test_who_missed_a_retraction_hears_the_one_of_an_episode_that_begins_in_between(house: House, other: Phone) -> None:
    """Of two episodes taken back, 16 days apart, a third lies near both: for who hears of them it is all one."""
    pulls_back(house, date(2026, 11, 2))
    house.phone.status = 404
    is_quiet_again(house, date(2026, 11, 2), None)
    pulls_back(house, date(2026, 11, 18))
    is_quiet_again(house, date(2026, 11, 18), None)
    pulls_back(house, date(2026, 11, 18), date(2026, 11, 10))
    house.phone.status = 200
    is_quiet_again(house, date(2026, 11, 18), None, since=date(2026, 11, 1))
    assert said(house.phone) == [TOLD, TAKEN_BACK] and said(other) == [TOLD, TAKEN_BACK] * 3


def test_a_pull_back_cut_off_in_sending_then_refused_then_taken_back_is_told_when_it_holds_after_all(
    house: House,
) -> None:
    day = date(2026, 11, 2)
    stands(house, "pull_back", day, episode=str(day))
    cut_off(house)
    house.phone.status = 404
    pulls_back(house, day)
    is_quiet_again(house, day, None)
    house.phone.status = 200
    pulls_back(house, day)
    assert said(house.phone) == [TOLD]


def test_a_pull_back_of_which_one_target_took_a_copy_is_taken_back(house: House) -> None:
    """Two topics of one address: the first time only one is served, then none."""
    house.set_config("alerts", urls=(Channel(house.phone.url.replace("json:", "ntfy:") + "ada/ben"),))
    day = date(2026, 11, 2)
    stands(house, "pull_back", day, episode=str(day))
    house.phone.refusals = 1
    house.deliver()
    is_quiet_again(house, day, None)
    assert said(house.phone)[0] == TOLD and set(said(house.phone)[1:]) == {TAKEN_BACK}


def test_a_gateway_that_waited_in_vain_may_have_delivered_it(house: House) -> None:
    day = date(2026, 11, 2)
    house.phone.status = 504
    pulls_back(house, day)
    house.phone.status = 200
    is_quiet_again(house, day, None)
    assert said(house.phone) == [TAKEN_BACK]


def test_a_silence_that_a_clock_put_back_seemed_to_end_is_told_to_who_has_not_heard_of_it(
    house: House, other: Phone
) -> None:
    house.pull()
    house.phone.status = 404
    for days in (8, -2, 2):
        house.clock.advance(days=days)
        house.evaluate()
        house.deliver(at_once=True)
        house.phone.status = 200 if days < 0 else house.phone.status
    assert [len(house.phone.titles), len(other.titles)] == [1, 1]


def test_an_all_clear_that_was_heard_is_not_said_again_when_a_mistaken_pull_back_is_taken_back(
    house: House, other: Phone
) -> None:
    pulls_back(house, date(2026, 11, 2))
    is_quiet_again(house, date(2026, 11, 10), date(2026, 11, 9))
    pulls_back(house, date(2026, 11, 30))
    for day in (date(2026, 11, 30), date(2026, 12, 1)):
        is_quiet_again(house, day, date(2026, 11, 9))
    for phone in (house.phone, other):
        assert said(phone) == [TOLD, OVER, TOLD, TAKEN_BACK]
        assert heard_all_clears(phone) == 1


def test_who_closed_a_pull_back_himself_waits_for_the_end_of_none(house: House, other: Phone) -> None:
    pulls_back(house, date(2026, 11, 2))
    fine = {"fine": "2026-11-05"}
    judged(house, date(2026, 11, 5), "stable", pulled_back="2026-11-04", **fine)
    house.phone.status = 404
    judged(house, date(2026, 12, 20), "pull_back", episode="2026-12-20", pulled_back="2026-12-20", **fine)
    house.phone.status = 200
    judged(house, date(2026, 12, 30), "stable", pulled_back="2026-12-29", **fine)
    assert said(house.phone) == [TOLD] and said(other) == [TOLD, TOLD, OVER]


def test_a_pull_back_that_was_given_up_and_comes_back_is_told_to_a_phone_that_is_mended(house: House) -> None:
    house.phone.status = 404
    for day in range(2, 8):
        pulls_back(house, date(2026, 11, day), date(2026, 11, 2))
        for _ in range(3):
            house.deliver(at_once=True)
    house.phone.status = 200
    is_quiet_again(house, date(2026, 11, 8), date(2026, 11, 7))
    assert said(house.phone) == []
    for day in (11, 12):
        pulls_back(house, date(2026, 11, day), date(2026, 11, 11))
    assert said(house.phone) == [TOLD]


@pytest.mark.parametrize("tried_for_days", [1, 6])
def test_a_pull_back_that_comes_back_days_later_is_told_in_the_words_of_that_day(
    house: House, other: Phone, tried_for_days: int
) -> None:
    """Cut off in sending and then refused, or refused until it was given up; the other phone has it."""
    house.set_config("alerts", all_clear=False)
    first = date(2026, 11, 2)
    house.clock.moment = datetime.combine(first, time(12), UTC)
    stands(house, "pull_back", first, episode=str(first))
    cut_off(house)
    house.phone.status = 404
    for day in range(2, 2 + tried_for_days):
        pulls_back(house, date(2026, 11, day), first)
        for _ in range(3):
            house.deliver(at_once=True)
    house.phone.status = 200
    is_quiet_again(house, date(2026, 11, 8), date(2026, 11, 7))
    for day in (12, 13):
        pulls_back(house, date(2026, 11, day), date(2026, 11, 12))
    assert ["The pull-back of 12 November" in m["message"] for m in house.phone.messages] == [True]
    assert ["The pull-back of 2 November" in m["message"] for m in other.messages] == [True]


def test_a_watch_that_stands_after_an_all_clear_is_told(house: House) -> None:
    house.set_config("alerts", minimum="watch")
    judged(house, date(2026, 11, 2), "watch", watch="2026-11-02")
    judged(house, date(2026, 11, 6), "stable")
    pulls_back(house, date(2026, 11, 8))
    is_quiet_again(house, date(2026, 11, 12), date(2026, 11, 11))
    for day in (14, 15):
        judged(house, date(2026, 11, day), "watch", watch="2026-11-14", pulled_back="2026-11-11")
    assert said(house.phone) == ["Watch: wh", TOLD, OVER, "Watch: wh"]


def test_what_was_ever_told_of_running_counts_and_other_words_for_some_weeks(house: House) -> None:
    now = house.clock.now()
    with house.store.write() as session:
        for kind in KINDS:
            for days in (7, 400):
                at, key = now - timedelta(days=days), f"{days} days ago"
                outbox.open_alert(
                    session, house.athlete_id, kind=kind, episode=key, title="", text="", channels=["a phone"], now=at
                )
        for alert in outbox.open_alerts(session, house.athlete_id):
            outbox.close(session, alert, now)
        state = progress(session, house.athlete_id)
        desk = Desk(session, house.athlete_id, house.config, now, UTC, state, lambda: [])
        told = [alert for alert, _ in desk.told().values()]
    of_all_times = {alert.kind for alert in told if alert.episode == "400 days ago"}
    assert {alert.kind for alert in told} == set(KINDS)
    assert set(KINDS) - of_all_times == {"digest", "access", "stale", "test"}
