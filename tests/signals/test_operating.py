"""Months of simulated runners through detectors and verdict: strain is caught, absorbed intensity is left alone."""

import pytest

from tests.signals.days import verdicts
from tests.signals.runners import QUIET, REAL, Plan, simulate

WEEK = 32
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


def test_stable_runners_are_left_alone():
    assert pulled_back(REAL, Plan(weeks=41), range(500, 506)) == 0
