"""Months of simulated runners through detectors and verdict: strain is caught, absorbed intensity is left alone."""

from collections import Counter
from datetime import timedelta

import pytest

from daemon.signals import History, RunTable, SignalParams, read
from tests.signals.days import NOW, reading, verdicts
from tests.signals.runners import FIRST_DAY, QUIET, REAL, Plan, simulate

WEEK = 32
TIGHT = [(QUIET, 600), (QUIET, 601), (QUIET, 602), (REAL, 603), (REAL, 604), (REAL, 605)]
FIRST, LAST = WEEK * 7 - 14, WEEK * 7 + 55


def pulled_back(world, plan, seeds):
    """How many of these runners are pulled back within eight weeks of week 32."""
    walks = (verdicts(simulate(world, plan, seed), FIRST, LAST) for seed in seeds)
    return sum(any(verdict.state == "pull_back" for verdict in walk) for walk in walks)


@pytest.mark.parametrize("change", ["added", "replaced"])
def test_absorbed_intensity_is_left_alone(change):
    assert pulled_back(QUIET, Plan(weeks=41, intensity_week=WEEK, change=change), range(100, 108)) <= 1


@pytest.mark.parametrize("change", ["added", "replaced"])
def test_five_bpm_after_intensity_are_caught(change):
    plan = Plan(weeks=41, intensity_week=WEEK, change=change, rise_bpm=5)
    assert pulled_back(QUIET, plan, range(200, 206)) >= 5


def test_eight_bpm_are_mostly_caught_in_realistic_noise():
    assert pulled_back(REAL, Plan(weeks=41, intensity_week=WEEK, rise_bpm=8), range(300, 308)) >= 5


def test_three_hard_days_a_week_are_caught_without_any_response():
    assert pulled_back(QUIET, Plan(weeks=41, intensity_week=WEEK, tight=True), range(400, 404)) >= 3


def up(world, plan, seed, day):
    """Names and families of what is up on `day`, heart rate aside."""
    read = reading(simulate(world, plan, seed), day)
    found = [s for s in read.signals if s.family not in ("", "response") and s.level != "ok"]
    return {s.name for s in found}, {s.family for s in found}


def test_three_hard_days_a_week_are_three_signals_of_two_families():
    seen = [up(world, Plan(weeks=41, intensity_week=WEEK, tight=True), seed, WEEK * 7 + 24) for world, seed in TIGHT]
    assert sum(len(names) >= 3 and len(families) >= 2 for names, families in seen) >= len(seen) - 1


def test_a_hard_run_day_added_is_a_matter_of_load_alone():
    plan = Plan(weeks=41, intensity_week=WEEK, change="added")
    seen = [up(QUIET, plan, seed, WEEK * 7 + 24) for seed in range(700, 706)]
    assert sum(bool(names) for names, _ in seen) >= 5
    assert all(families <= {"load"} for _, families in seen)


def test_a_detector_goes_up_about_once_a_year_at_most_without_a_cause():
    days, onsets = 0, Counter()
    for world, seed in [(QUIET, 800), (REAL, 801), (REAL, 802), (REAL, 803)]:
        runs, before = RunTable.of(simulate(world, Plan(weeks=104), seed)), set()
        for day in range(182, 728, 2):
            read_ = read(History.at(runs, FIRST_DAY + timedelta(days=day), NOW), SignalParams())
            names = {s.name for s in read_.signals if s.family not in ("", "response") and s.level != "ok"}
            onsets.update(names - before)
            before, days = names, days + 2
    years = days / 365
    assert max(onsets.values()) / years <= 1.3
    assert onsets.total() / years <= 4.5


def test_stable_runners_are_left_alone():
    assert pulled_back(REAL, Plan(weeks=41), range(500, 506)) == 0
