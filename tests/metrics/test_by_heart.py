"""Belts and other sports: hard by heart rate alone, carefully, and never an easy reading."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from daemon.metrics import AthleteSettings, judge_runs
from daemon.values import Run, Streams
from tests.metrics.recordings import EASY_BPM, MONDAY, base_weeks, record, repeats, run, steady

BASE = base_weeks()


def beats(*parts: tuple[float, float]) -> Streams:
    """A recording of heart rate alone: (minutes, bpm) of each part."""
    heart = np.concatenate([np.full(int(60 * minutes), float(bpm)) for minutes, bpm in parts])
    heart += np.random.default_rng(1).normal(0, 1.5, heart.size)
    return Streams(time_s=np.arange(heart.size, dtype=np.float64), heart_rate_bpm=np.round(heart))


def judged(streams: Streams, settings: AthleteSettings | None = None, **facts: object) -> Run:
    return judge_runs([*BASE, run(20, streams, **facts)], settings or AthleteSettings())[-1]


def test_a_hard_ride_is_a_hard_day_and_no_running_intensity() -> None:
    ride = judged(beats((15, 120), (25, 166), (20, 125)), sport="Ride")
    assert (ride.kind, ride.hard, ride.is_run, ride.easy, ride.left_out) == ("other", True, False, None, "not a run")
    assert ride.load > 20 and (ride.easy_minutes, ride.hard_minutes) == (0.0, 0.0)


@pytest.mark.parametrize("bpm", [120.0, EASY_BPM, EASY_BPM + 10])
def test_an_ordinary_ride_is_not(bpm: float) -> None:
    assert not judged(beats((60, bpm)), sport="Ride").hard


def test_a_ride_without_heart_rate_counts_nothing() -> None:
    ride = judged(record(steady(60)), sport="Ride", has_heart_rate=False)
    assert ride.load == 0.0


def test_the_runners_own_threshold_says_what_hard_is() -> None:
    ride = beats((15, 120), (25, 158), (20, 125))
    assert not judged(ride, sport="Ride").hard
    assert judged(ride, AthleteSettings(threshold_heart_rate=172), sport="Ride").hard


def test_a_confirmed_maximum_says_it_too() -> None:
    """Two hard runs that reach 172: half of the way up from easy is less than what is asked of the unknown."""
    races = [
        run(
            9 + k,
            record(np.concatenate((steady(12), steady(15, 3.9))), strain=4.0, seed=k),
            start=MONDAY + timedelta(days=30 + 4 * k),
        )
        for k in range(2)
    ]
    ride = run(20, beats((15, 120), (25, 157), (20, 125)), sport="Ride")
    assert not judge_runs([*BASE, ride], AthleteSettings())[-1].hard
    assert judge_runs([*BASE, *races, ride], AthleteSettings())[-1].hard


def test_a_belt_without_pace_goes_by_heart_rate() -> None:
    hard = judged(beats((12, 140), (25, 172), (8, 145)), trainer=True)
    assert (hard.hard, hard.easy, hard.left_out) == (True, None, "treadmill")
    assert not judged(beats((50, 150)), trainer=True).hard


def test_a_hot_day_on_a_belt_is_no_session() -> None:
    assert not judged(beats((50, EASY_BPM + 27)), trainer=True).hard


def test_a_belt_that_changes_its_speed_like_a_session_is_one() -> None:
    speed = np.concatenate((steady(15), repeats(6, 180, 120, 3.5), steady(10)))
    slow_belt = record(speed)
    assert slow_belt.distance_m is not None
    miscounted = replace(slow_belt, distance_m=0.85 * slow_belt.distance_m)
    assert judged(miscounted, trainer=True).kind == "intervals"
    assert judged(miscounted, trainer=True).hard
