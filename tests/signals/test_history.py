"""What a detector may know on a day: only what had ended by then, in the order it ended."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from daemon.signals import RunTable
from tests.signals.runners import FIRST_DAY, QUIET, Plan, simulate

RUNS = simulate(QUIET, Plan(weeks=6), seed=1)


def test_a_day_sees_the_runs_that_had_ended_by_then():
    table = RunTable.of(RUNS)
    for ahead in range(0, 45, 5):
        day = FIRST_DAY + timedelta(days=ahead)
        expected = [run.id for run in RUNS if run.day <= day]
        cut = table.until(day)
        assert [table.runs[row].id for row in range(len(cut))] == expected
        assert np.isclose(cut.total_load[-1], sum(run.load for run in RUNS if run.day <= day))


def test_the_order_of_arrival_does_not_matter():
    table, shuffled = RunTable.of(RUNS), RunTable.of(RUNS[::-1])
    assert [run.id for run in table.runs] == [run.id for run in shuffled.runs]
    assert np.array_equal(table.bpm, shuffled.bpm, equal_nan=True)


def test_flying_west_does_not_turn_back_the_calendar():
    later = RUNS[3]
    flown = replace(RUNS[4], day=later.day - timedelta(days=1))
    table = RunTable.of([*RUNS[:4], flown])
    assert (np.diff(table.day) >= 0).all()
    assert len(table.until(later.day - timedelta(days=1))) == 3
    assert len(table.until(later.day)) == 5


def test_two_runs_on_a_day_are_one_run_day():
    twice = [*RUNS[:3], replace(RUNS[2], id=99, end=RUNS[2].end + timedelta(hours=9))]
    assert RunTable.of(twice).total_run_days[-1] == 3


def test_other_sports_count_as_load_but_never_as_easy_running():
    ride = replace(RUNS[1], sport="Ride")
    table = RunTable.of([RUNS[0], ride])
    assert np.isnan(table.bpm[1])
    assert table.total_load[-1] > table.total_load[1]
    assert table.total_run_days[-1] == 1


def test_an_empty_history_is_a_table_too():
    table = RunTable.of([]).until(date(2026, 1, 1))
    assert len(table) == 0
    assert table.row(datetime(2026, 1, 1, tzinfo=UTC).toordinal()) == 0


def test_a_watch_is_the_same_however_its_file_and_strava_write_it():
    names = ("Garmin fēnix 6 Pro", "Garmin Fenix 6 Pro", "garmin fenix® 6 pro", "Garmin fēnix 7")
    codes = RunTable.of([replace(run, device=name) for run, name in zip(RUNS, names, strict=False)]).device
    assert list(codes) == [0, 0, 0, 1]
    assert RunTable.of([replace(RUNS[0], device=None)]).device[0] == -1
