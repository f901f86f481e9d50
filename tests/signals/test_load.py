"""More load, a run day more, more hard days, one run too long, all at once, all alike: noticed; the usual is not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from daemon.values import Signal
from tests.signals.days import reading
from tests.signals.runners import QUIET, Plan, simulate
from tests.signals.weeks import (
    FRIDAY,
    MONDAY,
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

INTERVALS = ("intervals", 65)
ADDED = WEEK | {WEDNESDAY: INTERVALS}
REPLACED = WEEK | {THURSDAY: INTERVALS}
LOAD = ("load_added", "run_day_added", "hard_days", "longest_run", "new_stresses", "monotony")


def up(runs, week, names=LOAD):
    return {name for name in names if signal(name, runs, end_of(week)).level != "ok"}


@pytest.mark.parametrize("seed", range(5))
def test_a_usual_week_raises_nothing(seed):
    read = reading(simulate(QUIET, Plan(weeks=30), seed), 29 * 7)
    assert [s.name for s in read.signals if s.level != "ok"] == []


def test_a_session_added_on_a_free_day_is_load_and_a_run_day_added():
    runs = weeks(from_week(30, ADDED), 36)
    assert up(runs, 33) >= {"load_added", "run_day_added", "new_stresses"}
    load = signal("load_added", runs, end_of(33))
    assert load.summary == "The last two weeks carried 136 % of your usual load."
    assert load.evidence["norm_held"]
    assert load.evidence["value"] / load.evidence["usual"] == pytest.approx(1.36, abs=0.01)
    assert load.evidence["usual"] < load.evidence["threshold"] < load.evidence["value"]
    assert set(load.evidence["runs"]) == {r.id for r in runs if end_of(31) < r.day <= end_of(33)}
    days = signal("run_day_added", runs, end_of(33))
    assert days.summary == "You ran on 5 days a week in the last three weeks, usually on 4."
    assert MONDAY + timedelta(weeks=30) <= days.since <= end_of(32)


def test_a_session_in_the_place_of_an_easy_run_is_neither():
    runs = weeks(from_week(30, REPLACED), 40)
    assert [up(runs, week) for week in range(30, 40)] == [set()] * 10


def test_a_second_session_a_week_is_more_hard_days_and_the_first_is_not():
    first_then_second = weeks(lambda week: REPLACED | ({SATURDAY: ("tempo", 40)} if week >= 34 else {}), 40)
    assert up(first_then_second, 33, ["hard_days"]) == set()
    hard = signal("hard_days", first_then_second, end_of(36))
    assert hard.level != "ok"
    assert hard.evidence["value"] == 6
    assert len(hard.evidence["runs"]) == 6
    assert hard.summary == "You had 6 hard days in the last three weeks, usually 3."


def test_who_always_trained_hard_twice_a_week_has_no_more_hard_days_than_usual():
    always = weeks(lambda week: REPLACED | {SATURDAY: ("tempo", 40)}, 30)
    assert up(always, 29) == set()


def test_hard_rides_are_hard_days_and_load_but_of_one_family():
    rides = [
        replace(run(end_of(29) + timedelta(days=7 * week + day), "tempo", 75, 17, "Ride"), id=week * 10 + day)
        for week in range(4)
        for day in (1, 5)
    ]
    runs = weeks(lambda week: WEEK | {WEDNESDAY: ("easy", 45)}, 34) + rides
    found = [signal(name, runs, end_of(32)) for name in (*LOAD, "rest", "hard_spacing", "beside_long")]
    families = {s.family for s in found if s.level != "ok"}
    assert families == {"load"}
    assert signal("hard_days", runs, end_of(32)).level != "ok"


def test_one_run_far_longer_than_the_month_before():
    runs = weeks(lambda week: WEEK | ({SUNDAY: ("long", 140)} if week == 30 else {}), 36)
    found = signal("longest_run", runs, end_of(30))
    assert found.level != "ok"
    assert found.since == end_of(30)
    assert found.summary == "A run of the last two weeks was 65 % longer than anything in the 30 days before it."
    assert up(runs, 29) == set()
    assert "longest_run" not in up(runs, 33)


def test_a_race_is_no_training_run():
    runs = weeks(lambda week: WEEK | ({SUNDAY: ("race", 180)} if week == 30 else {}), 36)
    assert "longest_run" not in up(runs, 30)


def test_long_runs_that_grow_week_by_week_are_no_step():
    runs = weeks(lambda week: WEEK | {SUNDAY: ("long", 85 + 3 * week)}, 30)
    assert all("longest_run" not in up(runs, week) for week in range(10, 30))


def test_several_new_stresses_are_named():
    runs = weeks(from_week(30, ADDED), 36)
    found = signal("new_stresses", runs, end_of(32))
    assert isinstance(found, Signal)
    assert found.level == "alert"
    assert found.summary.startswith(
        "3 new stresses at once: hard running since 5 August, more volume and a run day more"
    )
    assert found.evidence["stresses"]["a run day more"] == {"value": 5.0, "usual": 4.0}
    assert "new_stresses" not in up(weeks(from_week(30, ADDED), 60), 36), "after four weeks it is no longer new"


def test_two_sessions_a_week_from_nothing_are_two_stresses():
    runs = weeks(from_week(30, WEEK | {TUESDAY: INTERVALS, FRIDAY: ("tempo", 40)}), 36)
    found = signal("new_stresses", runs, end_of(31))
    assert found.level != "ok"
    assert "a second session a week" in found.evidence["stresses"]


def test_two_sessions_a_week_are_new_also_where_a_single_one_came_a_month_before():
    def plan(week):
        more = {TUESDAY: INTERVALS} if week in (25, 26) else {}
        return WEEK | ({TUESDAY: INTERVALS, FRIDAY: ("tempo", 40)} if week >= 30 else more)

    found = signal("new_stresses", weeks(plan, 34), end_of(32))
    assert found.level != "ok"
    assert "a second session a week" in found.summary


def test_hard_rides_are_no_hard_running():
    rides = [replace(run(end_of(29) + timedelta(days=1 + 2 * n), "tempo", 75, 17, "Ride"), id=n) for n in range(7)]
    assert signal("new_stresses", weeks(lambda week: WEEK, 34) + rides, end_of(31)).level == "ok"


def test_seven_days_alike_are_monotony():
    alike = {day: ("easy", 60) for day in range(7)}
    found = signal("monotony", weeks(from_week(30, alike), 34), end_of(31))
    assert found.level != "ok"
    assert found.evidence["monotony"] > found.evidence["threshold_monotony"]
    assert "monotony" not in up(weeks(lambda week: alike, 34), 31), "who always trained so is used to it"
