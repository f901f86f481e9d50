"""What a runner changes about the past, and days that aren't 24 hours long: found, taken over, and judged again."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from daemon import access
from daemon.simulator.tokens import Grant
from daemon.simulator.world import Entry
from daemon.store import activities as rows
from daemon.store.progress import progress
from daemon.strava.auth import read_tokens
from daemon.sync import PER_PAGE
from daemon.sync.decisions import RETRY_DAY
from tests.house import House, plain_run


def known(house: House) -> dict[int, rows.Known]:
    with house.store.read() as session:
        return rows.known(session, house.athlete_id)


def alive(house: House) -> set[int]:
    return {k.id for k in known(house).values() if not k.deleted}


def judged_from(house: House) -> date | None:
    with house.store.read() as session:
        return progress(session, house.athlete_id).judge_from


def week(house: House) -> list[int]:
    """A run every second day, pulled and judged."""
    days = range(2, 12, 2)
    ids = [house.world.add(plain_run(n, house.clock.now() - timedelta(days=n), minutes=2)) for n in days]
    house.set_config("strava", backfill=timedelta(weeks=4))
    house.pull()
    house.evaluate()
    assert judged_from(house) is None
    return ids


def abroad(number: int, wall_clock: str, offset_hours: float, zone: str) -> Any:
    """A run that began at that time of the place's own clock."""
    there = datetime.fromisoformat(f"{wall_clock}+00:00")
    start = there - timedelta(hours=offset_hours)
    facts = {"start_date_local": f"{there:%Y-%m-%dT%H:%M:%SZ}", "utc_offset": offset_hours * 3600, "timezone": zone}
    return plain_run(number, start, minutes=2, **facts)


@pytest.mark.parametrize(
    "change",
    [
        {"workout_type": 1},
        {"sport_type": "Ride", "type": "Ride"},
        {"elapsed_time": 100, "moving_time": 100, "distance": 280.0},
        {"trainer": True},
    ],
    ids=["a race", "a ride", "trimmed", "a treadmill"],
)
def test_an_edit_of_an_old_run_has_the_days_from_there_on_judged_again(house: House, change: dict[str, Any]) -> None:
    week(house)
    house.world.edit(8, **change)
    assert house.pull().changed == 1
    assert judged_from(house) == known(house)[8].day
    house.evaluate()
    assert judged_from(house) is None


def test_a_deletion_has_the_days_from_there_on_judged_again(house: House) -> None:
    week(house)
    day = known(house)[6].day
    house.world.delete(6)
    house.pull()
    assert judged_from(house) == day


def test_a_run_that_becomes_a_ride_and_a_run_again_has_its_recording_again(house: House) -> None:
    week(house)
    house.world.edit(4, sport_type="Ride", type="Ride")
    house.pull()
    assert known(house)[4].recording == "none"
    house.world.edit(4, sport_type="Run", type="Run")
    house.pull()
    assert known(house)[4].recording == "have"


def test_one_recording_that_makes_no_sense_costs_an_old_run_nothing(house: House) -> None:
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=100), minutes=2))
    house.world.fail("streams", "wrong_types")
    house.pull()
    assert known(house)[1].recording == "waiting"
    house.clock.advance(minutes=6)
    house.pull()
    assert known(house)[1].recording == "have"


def test_a_recording_that_never_makes_sense_is_asked_for_a_day_and_no_longer(house: House) -> None:
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=100), minutes=2))
    house.world.fail("streams", "wrong_types", times=None)
    for _ in range(40):
        house.pull()
        house.clock.advance(hours=1)
    assert known(house)[1].recording == "none"
    assert len(house.world.api_calls("streams")) <= RETRY_DAY + 1


def test_a_run_made_private_stays_where_private_runs_may_be_read(house: House) -> None:
    ids = week(house)
    house.world.edit(4, private=True, visibility="only_me")
    outcome = house.pull()
    assert (outcome.changed, outcome.gone) == (1, 0)
    assert alive(house) == set(ids)


def test_a_run_made_private_is_out_of_sight_else_and_comes_back_with_its_recording(house: House) -> None:
    scope = frozenset({"read", "activity:read", "profile:read_all"})
    issued = house.world.tokens.issue(Grant("1", house.athlete_id, scope), house.clock.now())
    access.authorise(house.store, read_tokens(issued, scope=scope, athlete_id=house.athlete_id))
    ids = week(house)
    house.world.edit(4, private=True)
    assert house.pull().gone == 1
    assert alive(house) == set(ids) - {4}
    house.world.edit(4, private=False)
    house.pull()
    assert alive(house) == set(ids) and known(house)[4].recording == "have"


def test_an_empty_list_by_mistake_deletes_nothing_however_often_it_comes(house: House) -> None:
    ids = week(house)
    true_list, house.world.visible = house.world.visible, lambda *_who, **_what: []  # type: ignore[method-assign]
    for _ in range(5):
        house.clock.advance(minutes=20)
        assert house.pull().gone == 0
    house.world.visible = true_list  # type: ignore[method-assign]
    assert alive(house) == set(ids)
    assert house.pull().new == 0


def test_no_more_than_a_few_are_asked_for_and_taken_for_deleted_in_one_pull(house: House) -> None:
    for number in week(house):
        house.world.delete(number)
    assert house.pull().gone == 3
    assert house.pull().gone == 2


def test_many_old_runs_that_were_deleted_are_gone_within_days_though_others_are_never_listed(house: House) -> None:
    """Thirty beyond the window, found by the weekly sweep; and five that are there and, by a mistake, in no list."""
    for number in range(1, 41):
        house.world.add(plain_run(number, house.clock.now() - timedelta(days=20 + number), minutes=2, manual=True))
    house.pull()
    true_list, hidden = house.world.visible, range(31, 36)
    house.world.visible = lambda *who, **what: [  # type: ignore[method-assign]
        entry for entry in true_list(*who, **what) if entry.summary["id"] not in hidden
    ]
    for number in range(1, 31):
        house.world.delete(number)
    house.clock.advance(days=8)
    gone, calls = [], []
    for _ in range(4 * 24):
        house.world.forget_asked()
        gone.append(house.pull().gone)
        calls.append(len(house.world.api_calls("athlete/activities")))
        house.clock.advance(hours=1)
    assert (sum(gone), max(gone)) == (30, 3)
    assert sum(gone[:24]) > 15, "a few an hour as long as some are"
    assert calls[-24:].count(2) <= 1, "the whole history is read once a day then, not at each poll"


def test_pages_that_shift_while_they_are_read_lose_nothing_and_delete_nothing(house: House) -> None:
    ids = week(house)
    house.clock.advance(days=8)  # the weekly sweep, which reads page after page
    true_list, pages = house.world.visible, iter(range(100))

    def shifting(*who: Any, **what: Any) -> list[Entry]:
        """Between two pages the oldest run is deleted, so that one slips onto the page that was read already."""
        if next(pages) == 1:
            house.world.delete(10)
        return true_list(*who, **what)

    house.world.visible = shifting  # type: ignore[method-assign]
    house.world.most_per_page = 2
    outcome = house.pull()
    assert (outcome.problem, outcome.gone) == (None, 0)
    assert alive(house) == set(ids), "the one that slipped was asked for by its id"
    house.clock.advance(days=8)
    house.pull()
    assert alive(house) == set(ids) - {10}


def test_two_that_began_in_one_second_are_both_there_also_at_the_end_of_a_page(house: House) -> None:
    now = house.clock.now().replace(microsecond=0)
    starts = [now - timedelta(days=20, minutes=n) for n in range(PER_PAGE - 1)]
    starts += [starts[-1] - timedelta(minutes=1)] * 2
    for number, start in enumerate(starts, 1):
        house.world.add(plain_run(number, start, minutes=1, manual=True))
    house.pull()
    assert len(alive(house)) == PER_PAGE + 1
    assert len(house.world.api_calls("athlete/activities")) <= 4


def test_a_run_across_midnight_belongs_to_the_evening_it_began_in(house: House) -> None:
    house.world.add(abroad(1, "2026-10-30T23:50:00", 1, "(GMT+01:00) Europe/Vienna"))
    house.world.add(abroad(2, "2026-10-31T00:10:00", 1, "(GMT+01:00) Europe/Vienna"))
    house.pull()
    assert {k.id: k.day for k in known(house).values()} == {1: date(2026, 10, 30), 2: date(2026, 10, 31)}


def test_the_hour_that_comes_twice_and_the_one_that_never_comes_have_their_day(house: House) -> None:
    house.clock.moment = datetime.fromisoformat("2026-10-26T06:00:00+00:00")
    vienna = "(GMT+01:00) Europe/Vienna"
    house.world.add(abroad(1, "2026-10-25T02:30:00", 2, vienna))
    house.world.add(abroad(2, "2026-10-25T02:30:00", 1, vienna))
    house.world.add(abroad(3, "2026-03-29T03:00:00", 2, vienna))
    house.pull()
    found = known(house)
    assert found[2].start - found[1].start == timedelta(hours=1)
    assert [found[n].day for n in (1, 2, 3)] == [date(2026, 10, 25), date(2026, 10, 25), date(2026, 3, 29)]


def test_a_flight_across_the_date_line_gives_a_day_twice_and_the_record_agrees(house: House) -> None:
    week(house)
    house.world.add(abroad(21, "2026-11-02T07:00:00", 14, "(GMT+14:00) Pacific/Kiritimati"))
    house.world.add(abroad(22, "2026-11-01T18:00:00", -10, "(GMT-10:00) Pacific/Honolulu"))
    house.clock.advance(hours=30)
    house.pull()
    house.evaluate()
    found = known(house)
    assert found[21].start < found[22].start and found[21].day > found[22].day
    house.world.delete(21)
    house.pull()
    assert judged_from(house) == date(2026, 11, 2)
    house.evaluate()
    assert judged_from(house) is None
