"""All detectors together: what the future holds changes nothing, and a detector is one file, one name, one table."""

from dataclasses import fields, replace
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import daemon.signals
from daemon.signals import SignalParams
from tests.signals.days import reading
from tests.signals.runners import FIRST_DAY, QUIET, REAL, Plan, simulate

ESTABLISHED = simulate(QUIET, Plan(weeks=50, established=True), seed=2)
RUNS = simulate(REAL, Plan(weeks=50, intensity_week=36, change="added", rise_bpm=5), seed=2)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 340))
def test_a_day_is_read_the_same_whatever_comes_after_it(day):
    known = [run for run in RUNS if run.day <= FIRST_DAY + timedelta(days=day)]
    assert reading(RUNS, day) == reading(known, day) == reading(known[::-1], day)


@settings(max_examples=15, deadline=None)
@given(st.integers(100, 190))
def test_a_lay_off_is_none_before_it_is_one(day):
    off = range(120, 141)
    runs = [run for run in RUNS if (run.day - FIRST_DAY).days not in off]
    known = [run for run in runs if run.day <= FIRST_DAY + timedelta(days=day)]
    assert reading(runs, day) == reading(known, day)


def test_every_detector_is_one_file_one_field_and_one_table():
    shared = {"__init__", "answered", "course", "days", "factors", "history", "matched_pace", "rise", "wander"}
    files = {path.stem for path in Path(daemon.signals.__file__).parent.glob("*.py")} - shared
    assert files == {field.name for field in fields(SignalParams)}
    for name in files:
        detector = import_module(f"daemon.signals.{name}")
        assert isinstance(getattr(SignalParams(), name), detector.Params)
        assert detector.Params().enabled
        assert detector.__doc__.startswith("Notices ")


@pytest.mark.parametrize("name", [field.name for field in fields(SignalParams)])
def test_a_detector_that_is_off_says_nothing(name):
    off = replace(SignalParams(), **{name: replace(getattr(SignalParams(), name), enabled=False)})
    assert reading(ESTABLISHED, 300).signal(name) is not None
    got = reading(ESTABLISHED, 300, off)
    assert got.signal(name) is None
    assert got.missing is None


def test_a_history_of_nothing_says_what_is_missing():
    got = reading([], 0)
    assert got.signals == ()
    assert got.missing == "no runs yet"


def test_without_heart_rate_the_week_is_still_read():
    bare = [replace(run, easy=None, left_out="no heart rate") for run in simulate(QUIET, Plan(weeks=20), seed=2)]
    got = reading(bare, 120)
    assert got.signal("load_added") is not None
    assert got.missing == "no easy runs with heart rate yet"
