"""Days the runner explained leave every comparison, and nothing else of them changes."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.signals.answered import WORDS, leave_out
from daemon.values import Answer, Control, Reason, Run, Work
from tests.signals.runners import FIRST_DAY, REAL, Plan, simulate

SAID_AT = datetime(2026, 11, 20, tzinfo=UTC)
COMPARED = {"easy", "control", "work", "feel", "perceived_exertion", "left_out"}
RUNS = [
    replace(
        run, control=Control(2.8, 0.04, 3.0), work=Work(1200, 3.6, 175.0, -0.02) if run.hard else None, feel="heavy"
    )
    for run in simulate(REAL, Plan(weeks=20, intensity_week=10), seed=3)
]


def said(reason: str, first: int, last: int) -> Answer:
    """An answer about days of the simulation."""
    return Answer(1, reason, FIRST_DAY + timedelta(first), FIRST_DAY + timedelta(last), SAID_AT)  # type: ignore[arg-type]


def test_a_week_of_illness_is_compared_with_nothing_and_still_is_load() -> None:
    after = leave_out(RUNS, [said("ill", 70, 76)])
    days = [(run.day - FIRST_DAY).days for run in RUNS]
    assert [run for run, day in zip(after, days, strict=True) if not 70 <= day <= 76] == [
        run for run, day in zip(RUNS, days, strict=True) if not 70 <= day <= 76
    ]
    ill = [run for run, day in zip(after, days, strict=True) if 70 <= day <= 76]
    assert ill
    for run in ill:
        assert (run.easy, run.control, run.work, run.feel, run.left_out) == (None, None, None, None, "ill, as you said")
    assert [run.load for run in after] == [run.load for run in RUNS]
    assert [run.hard for run in after] == [run.hard for run in RUNS]


def test_a_bad_sensor_explains_a_heart_rate_and_neither_heavy_legs_nor_a_fade() -> None:
    run = leave_out(RUNS[:1], [said("sensor", 0, 6)])[0]
    assert run.easy is None and run.feel == "heavy"
    assert run.control == Control(2.8, 0.04, None)
    hard = next(run for run in RUNS if run.hard)
    days = (hard.day - FIRST_DAY).days
    (left,) = leave_out([hard], [said("sensor", days, days)])
    assert left.work == Work(1200, 3.6, None, -0.02)


@pytest.mark.parametrize("reason", ["fine", "new-normal"])
def test_to_be_fine_or_to_begin_anew_takes_no_day_out(reason: str) -> None:
    assert leave_out(RUNS, [said(reason, 0, 200)]) == RUNS


def test_the_latest_answer_names_the_reason() -> None:
    left = leave_out(RUNS, [said("heat", 0, 20), said("ill", 7, 13)])
    whys = [
        (run.day - FIRST_DAY).days // 7 == 1 and run.left_out for run in left if run.day < FIRST_DAY + timedelta(14)
    ]
    assert set(whys) == {False, "ill, as you said"}
    assert left[0].left_out == "heat, as you said"


def test_a_bike_ride_on_such_a_day_stays_what_it_was() -> None:
    ride = replace(RUNS[0], sport="Ride", easy=None, left_out="not a run")
    assert leave_out([ride], [said("ill", 0, 6)]) == [ride]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(get_args(Reason)), st.integers(0, 140), st.integers(0, 30)), max_size=4))
def test_whatever_is_said_a_run_is_left_out_exactly_where_an_answer_explains_its_day(
    spoken: list[tuple[str, int, int]],
) -> None:
    answers = [said(reason, first, first + length) for reason, first, length in spoken]
    for run, left in zip(RUNS, leave_out(RUNS, answers), strict=True):
        covered = any(a.reason in WORDS and a.first <= run.day <= a.last for a in answers)
        assert (left != run) == covered
        assert _rest(left) == _rest(run)


def _rest(run: Run) -> dict[str, object]:
    return {f.name: getattr(run, f.name) for f in fields(run) if f.name not in COMPARED}


def test_every_reason_has_its_word_or_takes_no_day_out() -> None:
    assert set(get_args(Reason)) == set(WORDS) | {"fine", "new-normal"}
