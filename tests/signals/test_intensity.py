"""When hard running came, how often, and whether the week made room for it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from daemon.signals import History, RunTable, SignalParams, read
from tests.signals.days import NOW, reading
from tests.signals.runners import FIRST_DAY, QUIET, Plan, simulate

CLEAN = replace(QUIET, hard_seen=1.0, easy_called_hard=0.0, skip=0.0)
TUESDAY_OF_WEEK_20 = FIRST_DAY + timedelta(days=20 * 7 + 1)


@pytest.mark.parametrize("change", ["added", "replaced"])
def test_intervals_that_come_after_twenty_weeks_are_dated_and_told_apart(change):
    runs = simulate(CLEAN, Plan(weeks=28, intensity_week=20, change=change), seed=5)
    (spell,) = reading(runs, 27 * 7).intensity
    assert spell.introduced_on == TUESDAY_OF_WEEK_20
    assert not spell.established
    assert spell.change == change
    assert spell.per_week == 1.0
    assert spell.ended_on is None


def test_the_first_two_weeks_cannot_tell_added_from_replaced():
    runs = simulate(CLEAN, Plan(weeks=28, intensity_week=20, change="added"), seed=5)
    assert reading(runs, 20 * 7 + 9).intensity[0].change == "unclear"


def test_one_race_is_no_introduction():
    runs = simulate(CLEAN, Plan(weeks=30), seed=5)
    race = replace(runs[80], kind="race", hard=True, easy=None, left_out="race")
    assert reading([*runs[:80], race, *runs[81:]], 200).intensity == ()


def test_hard_running_that_was_always_there_is_established():
    (spell,) = reading(simulate(CLEAN, Plan(weeks=20, established=True), seed=4), 130).intensity
    assert spell.established
    assert spell.introduced_on is None


def test_four_weeks_without_a_hard_run_end_a_spell_on_its_last_session():
    runs = simulate(CLEAN, Plan(weeks=34, intensity_week=10), seed=5)
    last_hard = FIRST_DAY + timedelta(days=19 * 7 + 1)
    eased = [replace(run, hard=False, kind="easy") if run.day > last_hard else run for run in runs]
    (spell,) = reading(eased, 30 * 7).intensity
    assert spell.ended_on == last_hard
    assert spell.sessions == 10
    assert reading(eased, 20 * 7).intensity[0].ended_on is None


def test_spells_looked_at_day_after_day_are_those_of_a_single_look():
    runs = simulate(CLEAN, Plan(weeks=34, intensity_week=8), seed=5)
    pauses = (FIRST_DAY + timedelta(weeks=14), FIRST_DAY + timedelta(weeks=20)), (FIRST_DAY + timedelta(weeks=28),)
    eased = [replace(run, hard=False, kind="easy") if _between(run.day, *pauses) else run for run in runs]
    table = RunTable.of(eased)
    for day in range(0, 34 * 7, 2):
        seen = read(History.at(table, FIRST_DAY + timedelta(days=day), NOW), SignalParams())
        assert seen.intensity == reading(eased, day).intensity, day
    first, second = seen.intensity
    assert first.ended_on < pauses[0][0] < pauses[0][1] <= second.introduced_on < second.ended_on < pauses[1][0]


def test_a_second_session_on_an_established_first_is_a_step_up():
    runs = simulate(CLEAN, Plan(weeks=30, established=True, second_session_week=22), seed=5)
    before, after = reading(runs, 22 * 7 - 1), reading(runs, 26 * 7)
    assert before.signal("intensity").evidence["rose_on"] is None
    rose = after.signal("intensity").evidence["rose_on"]
    assert abs((FIRST_DAY + timedelta(days=22 * 7)).toordinal() - _ordinal(rose)) <= 14


def test_a_history_that_has_just_begun_is_no_step_up():
    runs = simulate(CLEAN, Plan(weeks=16, established=True), seed=4)
    for week in range(4, 15):
        found = reading(runs, week * 7).signal("intensity")
        assert found is None or found.evidence["rose_on"] is None, week


def test_intensity_alone_raises_no_concern():
    runs = simulate(CLEAN, Plan(weeks=28, intensity_week=20), seed=5)
    assert reading(runs, 27 * 7).signal("intensity").level == "ok"


def _between(day, first, last):
    return first[0] <= day < first[1] or day >= last[0]


def _ordinal(text):
    return type(FIRST_DAY).fromisoformat(text).toordinal()
