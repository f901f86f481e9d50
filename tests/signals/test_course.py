"""What was usual for a runner, and how far beyond his own past a day is: what all detectors of the week stand on."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from daemon.signals.course import Ruler, excursion, how_often
from daemon.signals.days import recent_middle, rolling_max, rolling_sum
from tests.signals.weeks import MONDAY, SUNDAY, TUESDAY, WEEK, answer, end_of, from_week, run, signal, weeks

NOTHING = {}


def stretched(week, share):
    return {day: (kind, minutes * share) for day, (kind, minutes) in week.items()}


def test_sums_and_largest_of_rolling_days_by_hand():
    daily = np.array([1.0, 0, 2, 5, 0])
    assert np.array_equal(rolling_sum(daily, 3), [np.nan, np.nan, 3, 7, 7], equal_nan=True)
    assert rolling_max(daily, 3).tolist() == [1, 1, 2, 5, 5]
    assert rolling_sum(daily, 5)[-1] == 8


def test_a_mean_of_recent_runs_needs_enough_fresh_ones():
    at, values = np.array([0, 2, 3, 9]), np.array([1.0, np.nan, 3.0, 5.0])
    mean = recent_middle(at, values, 12, number=2, least=2, fresh_days=8)
    assert np.array_equal(mean[:8], [np.nan] * 3 + [2.0] * 5, equal_nan=True)
    assert np.isnan(mean[8]), "the run of day 0 is no longer fresh"
    assert mean[9] == 4.0
    assert np.isnan(mean[11])


def test_an_excursion_lasts_until_it_is_well_below_its_threshold():
    assert excursion(np.array([0.0, 1.1, 0.9, 1.2]), lasting=2) == 1
    assert excursion(np.array([1.1, 0.7, 0.9, 1.2]), lasting=2) is None
    assert excursion(np.array([0.0, 0.9, 1.2, 1.2]), lasting=2) == 2
    assert excursion(np.array([1.5, 1.5, 0.7]), lasting=1) is None
    assert excursion(np.full(80, 1.5), lasting=1) == 0
    assert excursion(np.full(85, 1.5), lasting=1) is None, "after twelve weeks it is what is usual"


def test_a_ruler_measures_down_as_well_as_up():
    fewer = Ruler(floor=2.0, prior=1.0, less=True)
    assert fewer.excess(np.array([3.0]), np.array([5.0])).tolist() == [2.0]
    assert fewer.value_at(2.0, 5.0) == 3.0
    twice = Ruler(floor=0.5, prior=0.1, ratio=True)
    assert twice.value_at(float(twice.excess(np.array([30.0]), np.array([20.0]))[0]), 20.0) == pytest.approx(30.0)


def test_a_jump_is_held_against_the_weeks_before_it_and_becomes_usual_in_time():
    runs = weeks(from_week(30, stretched(WEEK, 1.6)), 50)
    soon, later, late = (signal("load_added", runs, end_of(week)) for week in (32, 34, 45))
    before = signal("load_added", runs, end_of(29)).evidence["usual"]
    assert soon.evidence["usual"] == pytest.approx(before, rel=0.03)
    assert (soon.level, later.level, late.level) == ("alert", "alert", "ok")
    assert MONDAY + timedelta(weeks=30) <= soon.since == later.since <= end_of(31)


def test_what_the_past_year_often_saw_is_no_news():
    in_blocks = weeks(lambda week: stretched(WEEK, 1.6 if week % 6 in (4, 5) else 1.0), 60)
    assert signal("load_added", in_blocks, end_of(59)).level == "ok"
    assert signal("load_added", weeks(from_week(58, stretched(WEEK, 1.6)), 60), end_of(59)).level == "alert"


def test_coming_back_to_the_old_volume_after_a_lay_off_adds_nothing():
    runs = weeks(lambda week: NOTHING if 25 <= week < 29 else WEEK, 36)
    levels = {
        signal(name, runs, end_of(week)).level for week in range(28, 36) for name in ("load_added", "longest_run")
    }
    assert levels == {"ok"}


def test_coming_back_to_more_than_before_is_noticed():
    plan = from_week(29, stretched(WEEK, 1.7))
    runs = weeks(lambda week: NOTHING if 25 <= week < 29 else plan(week), 36)
    assert signal("load_added", runs, end_of(31)).level != "ok"


def test_a_taper_a_race_and_a_quiet_fortnight_after_it_raise_nothing():
    def plan(week):
        if week in (28, 29, 31, 32):
            return stretched(WEEK, 0.5)
        return {TUESDAY: ("easy", 30), SUNDAY: ("race", 100)} if week == 30 else WEEK

    runs = weeks(plan, 40)
    names = ("load_added", "run_day_added", "hard_days", "longest_run", "new_stresses", "monotony", "hard_spacing")
    up = {name for week in range(28, 40) for name in names if signal(name, runs, end_of(week)).level != "ok"}
    assert up == set()


def test_days_the_runner_named_leave_the_usual():
    easier = weeks(lambda week: stretched(WEEK, 0.55) if 8 <= week < 30 else WEEK, 34)
    told = [answer("travel", MONDAY + timedelta(weeks=8), end_of(29))]
    assert signal("load_added", easier, end_of(31)).level != "ok"
    named = signal("load_added", easier, end_of(31), told)
    assert named.level == "ok"
    assert named.evidence["usual"] == pytest.approx(named.evidence["value"], rel=0.1)


def test_a_new_normal_starts_another_usual():
    runs = weeks(from_week(20, stretched(WEEK, 1.6)), 36)
    told = [answer("new-normal", MONDAY + timedelta(weeks=20))]
    assert signal("load_added", runs, end_of(23)).level != "ok"
    assert signal("load_added", runs, end_of(23), told) is None, "nothing is usual yet"
    fresh = signal("load_added", runs, end_of(30), told)
    assert fresh.level == "ok"
    assert fresh.evidence["value"] == pytest.approx(fresh.evidence["usual"], rel=0.1)


def test_what_is_said_later_changes_no_earlier_day():
    runs = weeks(from_week(20, stretched(WEEK, 1.6)), 36)
    told = [answer("ill", end_of(26)), answer("new-normal", end_of(28))]
    assert signal("load_added", runs, end_of(23)) == signal("load_added", runs, end_of(23), told)


def test_heart_rate_plays_no_part_and_neither_does_the_pace_of_easy_runs():
    runs = weeks(from_week(30, WEEK), 34)
    faster = [replace(r, load=1.3 * r.load) if r.day > end_of(29) and not r.hard else r for r in runs]
    assert signal("load_added", runs, end_of(33)) == signal("load_added", faster, end_of(33))


def test_six_weeks_come_before_any_judgement():
    runs = weeks(lambda week: WEEK, 8)
    assert signal("load_added", runs, end_of(4)) is None
    assert signal("load_added", runs, end_of(7)) is not None
    assert signal("load_added", [run(end_of(0))], end_of(7)) is None


def test_how_often_the_own_past_went_as_far_is_counted_in_spells():
    past = np.zeros(730)
    past[100:103] = 1.0  # as far, for three days
    past[103:105] = 0.85  # not yet over
    past[105] = 1.2
    past[300:302] = 1.5  # two days only
    past[500:510] = 0.9  # never as far
    assert how_often(past, 1.0, lasting=3)["times"] == 1
    assert how_often(past, 1.0, lasting=2)["times"] == 2
    assert how_often(past, 1.3, lasting=1)["times"] == 1
    told = how_often(past, 1.0, lasting=2)
    assert told["years"] == 2.0
    low, high = told["per_year"]
    assert low < 1.0 < high
    assert how_often(past[:360], 1.0, lasting=1) is None, "a frequency needs a year"
    past[:400] = np.nan
    assert how_often(past, 1.0, lasting=1) is None, "days of which nothing is known are no past"


def test_a_heavy_fortnight_says_how_often_there_was_one_before():
    def camps(week):
        return stretched(WEEK, 1.7) if week in (60, 61, 120, 121, 122) else WEEK

    before = weeks(camps, 130)
    first, second = (signal("load_added", before, end_of(week)) for week in (61, 122))
    assert first.evidence["own_past"]["times"] == 0
    assert second.evidence["own_past"]["times"] == 1
    assert signal("load_added", before, end_of(100)).level == "ok"
    assert "own_past" not in signal("load_added", before, end_of(100)).evidence
    alike = signal("load_added", weeks(camps, 62)[-180:], end_of(61))
    assert alike.level != "ok" and alike.evidence["own_past"] is None, "under a year of past"


def test_a_week_of_days_all_alike_says_how_often_there_was_one_before():
    daily = {weekday: ("easy", 60) for weekday in range(7)}
    runs = weeks(lambda week: daily if week in (60, 120) else WEEK, 121)
    told = [signal("monotony", runs, end_of(week)).evidence["own_past"] for week in (60, 120)]
    assert [past["times"] for past in told] == [0, 1]
