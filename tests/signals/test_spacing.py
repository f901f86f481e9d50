"""Hard days that crowd: too close, beside the long run, no rest, no recovery; each against what was usual."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.signals.weeks import (
    FRIDAY,
    SATURDAY,
    SUNDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    WEEK,
    end_of,
    from_week,
    run,
    signal,
    weeks,
)

TWICE = WEEK | {TUESDAY: ("intervals", 50), WEDNESDAY: ("tempo", 40)}
APART = WEEK | {TUESDAY: ("intervals", 50), FRIDAY: ("tempo", 40)}
BESIDE = WEEK | {TUESDAY: ("intervals", 50), SATURDAY: ("tempo", 40)}
ONCE = WEEK | {TUESDAY: ("intervals", 50)}


def test_hard_sessions_on_following_days_are_close():
    found = signal("hard_spacing", weeks(from_week(30, TWICE, ONCE), 34), end_of(31))
    assert found.level != "ok"
    assert found.family == "spacing"
    assert found.evidence["value"] == len(found.evidence["pairs"]) == 2
    assert found.summary.startswith("Hard sessions lay close together twice in three weeks, last on 11 August and 12")
    assert found.summary.endswith("with 23 hours between.")


def test_one_pair_is_told_and_raises_nothing():
    runs = weeks(lambda week: TWICE if week == 30 else ONCE, 34)
    found = signal("hard_spacing", runs, end_of(30))
    assert found.level == "ok"
    assert found.summary.startswith("Two hard sessions lay close together, on 4 August and 5 August")


def test_three_days_between_are_enough():
    found = signal("hard_spacing", weeks(from_week(30, APART, ONCE), 34), end_of(33))
    assert found.level == "ok"
    assert found.evidence["value"] == 0


def test_every_other_day_is_close_whatever_the_hour():
    every_other = WEEK | {TUESDAY: ("intervals", 50), THURSDAY: ("tempo", 40)}
    runs = weeks(from_week(30, every_other, ONCE), 34)
    later = [replace(r, start=r.start + timedelta(hours=1)) if r.kind == "tempo" else r for r in runs]
    assert signal("hard_spacing", runs, end_of(32)).evidence["value"] == 3
    assert signal("hard_spacing", later, end_of(32)).evidence["value"] == 3


def test_repetitions_logged_as_several_runs_are_one_session():
    runs = weeks(lambda week: ONCE, 34)
    pieces = [
        replace(r, id=r.id + 5, start=r.start + timedelta(hours=1), end=r.end + timedelta(hours=1))
        for r in runs
        if r.hard
    ]
    assert signal("hard_spacing", runs + pieces, end_of(33)).evidence["value"] == 0


def test_where_starts_are_hidden_days_that_follow_are_close():
    hidden = [replace(r, hour=None) for r in weeks(from_week(30, TWICE, ONCE), 34)]
    found = signal("hard_spacing", hidden, end_of(31))
    assert found.evidence["value"] == 2
    assert "hours between" not in found.summary


def test_who_always_ran_two_days_in_a_row_hard_is_used_to_it():
    assert signal("hard_spacing", weeks(lambda week: TWICE, 30), end_of(29)).level == "ok"


def test_a_hard_day_before_the_long_run_is_beside_it():
    runs = weeks(from_week(30, BESIDE, ONCE), 34)
    found = signal("beside_long", runs, end_of(31))
    assert found.level != "ok"
    assert found.since == end_of(31)
    days = {r.id: r.day.weekday() for r in runs}
    assert sorted(days[one] for one in found.evidence["runs"]) == [SATURDAY, SATURDAY, SUNDAY, SUNDAY]
    assert found.summary == "2 hard days lay beside a long run in the last four weeks, usually none."


def test_a_hard_day_in_midweek_is_not():
    assert signal("beside_long", weeks(from_week(30, ONCE), 34), end_of(33)).evidence["value"] == 0


def test_the_longest_run_of_the_week_is_a_long_run_whatever_it_is_called():
    unnamed = {day: ("easy" if kind == "long" else kind, minutes) for day, (kind, minutes) in BESIDE.items()}
    runs = weeks(from_week(30, unnamed, {SUNDAY: ("easy", 85)} | ONCE), 34)
    assert signal("beside_long", runs, end_of(31)).level != "ok"


def test_rest_that_vanishes_into_runs():
    daily = {day: ("easy", 40) for day in range(7)}
    found = signal("rest", weeks(from_week(30, daily), 34), end_of(31))
    assert found.level != "ok"
    assert found.family == "spacing"
    assert found.summary == "You had no rest day in the last two weeks, usually 6."


def test_rest_that_vanishes_into_other_sports_is_load():
    runs = weeks(lambda week: WEEK, 34)
    rides = [run(end_of(29) + timedelta(days=n), "easy", 60, 17, "Ride") for n in range(1, 15)]
    found = signal("rest", runs + rides, end_of(31))
    assert found.level != "ok"
    assert found.family == "load"


def test_one_run_day_more_leaves_rest_enough():
    assert signal("rest", weeks(from_week(30, WEEK | {WEDNESDAY: ("easy", 45)}), 36), end_of(34)).level == "ok"


def test_who_never_rests_misses_nothing():
    daily = {day: ("easy", 40) for day in range(7)}
    assert signal("rest", weeks(lambda week: daily, 30), end_of(29)).level == "ok"


def test_a_long_run_or_a_session_on_the_day_after_is_said_elsewhere():
    two_in_a_row = {TUESDAY: ("intervals", 50), WEDNESDAY: ("tempo", 60), SUNDAY: ("long", 85)}
    for plan in (two_in_a_row, ONCE | {SATURDAY: ("intervals", 50)}):
        found = signal("recovery", weeks(from_week(30, plan, ONCE), 36), end_of(35))
        assert found.evidence["value"] == 0


@pytest.mark.parametrize(("minutes", "up"), [(0, False), (15, False), (60, True)])
def test_the_day_after_a_session_that_fills_up_is_noticed(minutes, up):
    after = ONCE | ({WEDNESDAY: ("easy", minutes)} if minutes else {})
    found = signal("recovery", weeks(from_week(30, after, ONCE), 36), end_of(35))
    assert (found.level != "ok") == up
    if up:
        assert found.summary == "The days after your last 4 hard sessions held 57 easy minutes each, usually 0."
        assert len(found.evidence["runs"]) == 6
