"""A pull over real sockets: what Strava has is what the store has, whatever goes wrong on the way."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.store import Busy
from daemon.store import activities as rows
from daemon.store.progress import progress
from daemon.strava.errors import AccessLost, StravaUnreachable
from daemon.sync.decisions import RETRY_DAY, next_attempt
from tests.house import MONDAY, House, plain_run


def known(house: House) -> dict[int, rows.Known]:
    with house.store.read() as session:
        return rows.known(session, house.athlete_id)


def alive(house: House) -> set[int]:
    return {k.id for k in known(house).values() if not k.deleted}


def a_year(house: House, count: int = 30) -> list[int]:
    """`count` runs every ten days back from now."""
    starts = [house.clock.now() - timedelta(days=1 + 10 * n) for n in range(count)]
    return [house.world.add(plain_run(1000 + n, start, minutes=10)) for n, start in enumerate(starts)]


def test_the_first_pull_brings_a_year_newest_first_with_one_call_per_run_and_the_list_pages(house: House) -> None:
    ids = a_year(house)
    outcome = house.pull()
    assert outcome.problem is None and outcome.pending == 0
    assert alive(house) == set(ids)
    streams = [int(a.path.split("/")[-2]) for a in house.world.api_calls("streams")]
    assert streams == sorted(streams)  # the newest run has the lowest number here
    assert len(house.world.api_calls(r"activities/\d+$")) == 0
    assert len(house.world.api_calls("athlete/activities")) <= 4


def test_an_idle_poll_costs_one_call_and_a_new_run_two_more(house: House) -> None:
    a_year(house, 3)
    house.pull()
    house.world.forget_asked()
    house.clock.advance(minutes=20)
    house.pull()
    assert len(house.world.api_calls()) == 1
    house.world.add(plain_run(5000, house.clock.now() - timedelta(hours=2)))
    house.world.forget_asked()
    house.clock.advance(minutes=20)
    outcome = house.pull()
    assert outcome.new == 1 and outcome.fetched == 1
    assert len(house.world.api_calls()) == 3


def test_a_run_uploaded_days_late_is_found_and_its_days_are_judged_again(house: House) -> None:
    a_year(house, 2)
    house.pull()
    house.evaluate()
    late = house.clock.now() - timedelta(days=9)
    house.world.add(plain_run(7000, late))
    house.pull()
    assert 7000 in alive(house)
    with house.store.read() as session:
        assert progress(session, house.athlete_id).judge_from == late.date()


def test_a_bulk_upload_of_old_runs_is_found_by_the_weekly_sweep(house: House) -> None:
    a_year(house, 2)
    house.pull()
    house.world.add(plain_run(7001, house.clock.now() - timedelta(days=200)))
    house.clock.advance(days=1)
    house.pull()
    assert 7001 not in alive(house)
    house.clock.advance(days=7)
    house.pull()
    assert 7001 in alive(house)


def test_a_renamed_run_is_not_fetched_again_and_a_trimmed_one_is(house: House) -> None:
    first, second = a_year(house, 2)
    house.pull()
    house.world.forget_asked()
    house.world.edit(first, name="Easy with Ada")
    assert house.pull().changed == 1
    assert not house.world.api_calls("streams")
    house.world.edit(first, elapsed_time=500, distance=1388.0)
    assert house.pull().changed == 1
    assert len(house.world.api_calls("streams")) == 1
    assert second in alive(house)


def test_a_deleted_run_goes_only_when_strava_says_so_by_its_id(house: House) -> None:
    first, *_ = a_year(house, 3)
    house.pull()
    house.world.delete(first)
    assert house.pull().gone == 1
    assert first not in alive(house)


def test_a_short_list_by_mistake_deletes_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [house.world.add(plain_run(n, house.clock.now() - timedelta(days=n), minutes=10)) for n in range(1, 9)]
    house.pull()
    # Strava's list forgets all but three; asked by their ids, the others are there.
    everything = house.world.visible
    monkeypatch.setattr(house.world, "visible", lambda *who, **what: everything(*who, **what)[:3])
    assert house.pull().gone == 0
    assert alive(house) == set(ids)


def test_runs_that_are_never_listed_and_yet_there_hide_no_deletion(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [house.world.add(plain_run(n, house.clock.now() - timedelta(days=n), minutes=10)) for n in range(1, 9)]
    deleted = ids.pop(4)
    house.pull()
    house.world.delete(deleted)
    everything = house.world.visible
    monkeypatch.setattr(house.world, "visible", lambda *who, **what: everything(*who, **what)[:1])
    for _ in range(24):
        house.clock.advance(hours=1)
        house.pull()
    assert alive(house) == set(ids)


def test_streams_that_come_an_hour_later_are_asked_for_at_5_15_and_45_minutes(house: House) -> None:
    a_year(house, 1)
    house.pull()
    run = house.world.add(plain_run(8000, house.clock.now() - timedelta(hours=1)))
    house.world.hold_streams(run)
    house.pull()
    assert known(house)[run].recording == "waiting"
    house.clock.advance(minutes=4)
    house.world.forget_asked()
    house.pull()
    assert not house.world.api_calls("streams")
    house.clock.advance(minutes=2)
    house.pull()
    assert len(house.world.api_calls("streams")) == 1
    house.world.release_streams(run)
    house.clock.advance(minutes=16)
    house.pull()
    assert known(house)[run].recording == "have"


@given(attempts=st.integers(min_value=0, max_value=40))
def test_streams_are_given_up_after_a_day_and_old_runs_at_once(attempts: int) -> None:
    again = next_attempt(attempts, MONDAY, fresh=True)
    assert (again is None) == (attempts >= RETRY_DAY)
    assert next_attempt(attempts, MONDAY, fresh=False) is None


def test_the_retry_schedule_covers_a_day() -> None:
    moment, attempts = MONDAY, 0
    while (again := next_attempt(attempts, moment, fresh=True)) is not None:
        moment, attempts = again, attempts + 1
    assert timedelta(hours=24) <= moment - MONDAY <= timedelta(hours=26)


def test_a_backfill_stops_at_the_rate_limit_leaves_a_reserve_and_goes_on_later(house: House) -> None:
    ids = a_year(house)
    house.world.limits.read.short_limit = 20
    outcome = house.pull()
    assert outcome.waiting_until is not None and outcome.waiting_until > house.clock.now()
    assert outcome.pending > 0
    assert len(house.world.api_calls()) <= 18
    for _ in range(4):
        house.clock.moment = outcome.waiting_until or house.clock.now() + timedelta(minutes=15)
        outcome = house.pull()
    assert outcome.pending == 0
    assert {k.recording for k in known(house).values()} == {"have"}
    assert len(house.world.api_calls("streams")) == len(ids)


def test_five_failures_end_a_pull_and_the_next_one_goes_on(house: House) -> None:
    ids = a_year(house, 8)
    house.world.fail("streams", 500, times=None)
    outcome = house.pull()
    assert isinstance(outcome.problem, StravaUnreachable)
    assert len(house.world.api_calls("streams")) == 5
    house.world.heal()
    assert house.pull().pending == 0
    assert alive(house) == set(ids)


def test_a_stop_between_two_runs_loses_nothing(house: House) -> None:
    a_year(house, 6)
    asked = iter([False] * 4 + [True] * 20)
    assert house.pull(stop=lambda: next(asked)).pending > 0
    assert house.pull().pending == 0


def test_one_run_that_strava_never_gives_holds_up_neither_the_others_nor_the_verdict(house: House) -> None:
    ids = a_year(house, 12)
    house.world.fail(f"activities/({'|'.join(map(str, ids[2:8]))})/streams", 500, times=None)
    for _ in range(12):
        house.pull()
        house.clock.advance(minutes=20)
    assert {known(house)[i].recording for i in ids[:2] + ids[8:]} == {"have"}
    with house.store.read() as session:
        assert progress(session, house.athlete_id).history_ready
    house.world.heal()
    house.clock.advance(hours=2)
    house.pull()
    assert {k.recording for k in known(house).values()} == {"have"}


def test_a_refusal_of_one_run_is_not_taken_for_a_refusal_of_all(house: House) -> None:
    ids = a_year(house, 4)
    house.world.fail(f"activities/{ids[1]}/streams", 403, times=None)
    assert house.pull().problem is None
    with house.store.read() as session:
        assert progress(session, house.athlete_id).access is None
    assert {known(house)[i].recording for i in (ids[0], ids[2], ids[3])} == {"have"}


def test_a_run_moved_out_of_the_window_is_taken_over_and_not_asked_for_again(house: House) -> None:
    first, *_ = a_year(house, 3)
    house.pull()
    moved = house.clock.now() - timedelta(days=40)
    house.world.edit(first, start_date=f"{moved:%Y-%m-%dT%H:%M:%SZ}")
    house.pull()
    house.world.forget_asked()
    house.pull()
    assert len(house.world.api_calls()) == 1
    assert known(house)[first].start == moved.replace(microsecond=0)


def test_a_longer_backfill_is_listed_with_the_next_pull_and_without_details(house: House) -> None:
    a_year(house, 2)
    house.set_config("strava", backfill=timedelta(weeks=4))
    house.world.add(plain_run(7003, house.clock.now() - timedelta(weeks=20), minutes=10))
    house.pull()
    assert 7003 not in alive(house)
    house.set_config("strava", backfill=timedelta(weeks=30))
    house.pull()
    assert known(house)[7003].recording == "have"
    assert not house.world.api_calls(r"activities/\d+$")


def test_raw_answers_are_kept_for_the_days_the_runner_allows(house: House) -> None:
    run, *_ = a_year(house, 1)
    house.pull()
    with house.store.read() as session:
        assert rows.raw(session, house.athlete_id, run, "streams") is not None
    house.clock.advance(days=7)
    house.daemon().retain()
    with house.store.read() as session:
        assert rows.raw(session, house.athlete_id, run, "streams") is None
        assert rows.raw(session, house.athlete_id, run, "activity") is None
    assert known(house)[run].recording == "have"


@pytest.mark.parametrize("fault", ["html", "truncated", "wrong_types", "empty", "reset", 500, 503])
def test_a_list_that_can_not_be_read_loses_nothing(house: House, fault: str | int) -> None:
    ids = a_year(house, 3)
    house.pull()
    house.world.fail("athlete/activities", fault)  # type: ignore[arg-type]
    outcome = house.pull()
    assert outcome.gone == 0
    assert alive(house) == set(ids)
    house.world.heal()
    assert house.pull().problem is None
    assert alive(house) == set(ids)


def test_a_lapsed_subscription_is_remembered_with_its_first_day_and_forgotten_when_over(house: House) -> None:
    a_year(house, 1)
    house.pull()
    house.world.inactive = True
    outcome = house.pull()
    assert isinstance(outcome.problem, AccessLost) and outcome.problem.reason == "inactive"
    first = house.clock.now()
    house.clock.advance(hours=7)
    house.pull()
    with house.store.read() as session:
        state = progress(session, house.athlete_id)
    assert (state.access, state.access_since) == ("inactive", first)
    house.world.inactive = False
    house.pull()
    with house.store.read() as session:
        assert progress(session, house.athlete_id).access is None


def test_two_pulls_at_once_are_one(house: House) -> None:
    with house.store.only_one("pull"), pytest.raises(Busy):
        house.pull()


def test_a_second_athlete_is_refused(house: House) -> None:
    from daemon.errors import UserError

    house.world.athletes = {42: house.world.athletes.pop(house.athlete_id) | {"id": 42}}
    with pytest.raises(UserError, match="already watches"):
        house.authorise()


def test_a_clock_that_jumped_back_a_year_loses_nothing(house: House) -> None:
    ids = a_year(house, 5)
    house.pull()
    house.clock.moment = datetime(2025, 11, 2, tzinfo=MONDAY.tzinfo)
    house.pull()
    house.clock.moment = MONDAY + timedelta(hours=1)
    house.pull()
    assert alive(house) == set(ids)


def test_a_clock_that_was_ahead_for_a_while_delays_neither_the_sweep_nor_streams(house: House) -> None:
    a_year(house, 2)
    house.pull()
    run = house.world.add(plain_run(7002, house.clock.now() - timedelta(hours=1)))
    house.world.hold_streams(run)
    house.clock.advance(days=400)
    house.pull()
    house.clock.advance(days=-400)
    late = house.world.add(plain_run(7003, house.clock.now() - timedelta(days=200)))
    house.world.release_streams(run)
    house.pull()
    assert late in alive(house)
    assert known(house)[run].recording == "have"


def test_a_first_list_that_says_nothing_readable_is_asked_for_again(house: House) -> None:
    ids = a_year(house)
    house.world.fail("athlete/activities", "wrong_types", times=2)
    house.pull()
    with house.store.read() as session:
        state = progress(session, house.athlete_id)
    assert not state.history_ready
    assert (state.last_success_at, state.failing_since) == (None, house.clock.now()), "nothing was read"
    house.pull()
    assert alive(house) == set(ids)


def test_a_sweep_that_says_nothing_readable_is_made_again(house: House) -> None:
    a_year(house, 2)
    house.pull()
    late = house.world.add(plain_run(7004, house.clock.now() - timedelta(days=200)))
    house.clock.advance(days=30)
    missed = house.world.add(plain_run(7005, house.clock.now() - timedelta(days=20)))
    house.world.fail("athlete/activities", "wrong_types", times=2)
    house.pull()
    house.clock.advance(minutes=20)
    house.pull()
    assert {late, missed} <= alive(house)


def test_a_run_that_strava_still_works_on_at_the_first_pull_is_asked_for_again(house: House) -> None:
    run = house.world.add(plain_run(7006, house.clock.now() - timedelta(hours=1)))
    house.world.hold_streams(run)
    house.pull()
    house.world.release_streams(run)
    house.clock.advance(minutes=6)
    house.pull()
    assert known(house)[run].recording == "have"


def test_a_lapsed_subscription_is_one_episode_also_when_the_rate_limit_comes_between(house: House) -> None:
    a_year(house, 1)
    house.pull()
    house.clock.advance(minutes=20)
    first = house.clock.now()
    house.world.inactive = True
    house.world.limits.read.short_limit = 1
    house.pull()
    house.clock.advance(minutes=1)
    assert house.pull().waiting_until is not None
    with house.store.read() as session:
        state = progress(session, house.athlete_id)
    assert (state.access, state.access_since) == ("inactive", first)


def test_odd_activities_are_taken_as_they_are(house: House) -> None:
    now = house.clock.now()
    odd = {
        1: {"sport_type": "UnderwaterRugby", "type": "Workout"},
        2: {"timezone": None, "utc_offset": None},
        3: {"average_heartrate": None, "has_heartrate": False},
        4: {"manual": True},
        5: {"distance": 0.0, "moving_time": 0, "elapsed_time": 0},
    }
    for number, facts in odd.items():
        house.world.add(plain_run(number, now - timedelta(days=number), minutes=10, **facts))
    outcome = house.pull()
    assert outcome.problem is None
    assert alive(house) == set(odd)
    house.evaluate()
