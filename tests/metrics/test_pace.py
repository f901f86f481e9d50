"""Grade and grade-adjusted speed against values worked out by hand."""

import numpy as np
import pytest

from daemon.metrics.grade import grade_of, without_steps
from daemon.metrics.grid import box, bridge, means
from daemon.metrics.pace import gap_factor, grade_adjusted, lagged

NAN = float("nan")


def test_the_cost_of_a_climb() -> None:
    # 1 + .032657·5 + .0020536·25 − 3.99e-6·125 − 5.29e-7·625
    assert gap_factor(np.array([0.05]))[0] == pytest.approx(1.213796, abs=1e-5)
    assert gap_factor(np.array([0.0, -0.05])).tolist() == pytest.approx([1.0, 0.888217], abs=1e-5)
    assert gap_factor(np.array([0.5]))[0] == gap_factor(np.array([0.25]))[0]


def test_an_unknown_grade_is_flat_and_an_unknown_speed_stays_unknown() -> None:
    out = grade_adjusted(np.array([3.0, NAN]), np.array([NAN, 0.05]))
    assert out[0] == 3.0 and np.isnan(out[1])


def test_heart_rate_answers_late() -> None:
    speed = np.concatenate((np.full(60, 2.0), np.full(60, 3.0)))
    answer = lagged(speed, 5.0, lag_s=50.0)
    assert answer[59] == pytest.approx(2.0)
    assert answer[69] == pytest.approx(3.0 - np.exp(-1.0), abs=0.02)
    assert answer[-1] == pytest.approx(3.0, abs=0.02)


def test_a_gap_in_speed_carries_no_weight() -> None:
    speed = np.full(100, 2.5)
    speed[50:60] = NAN
    answer = lagged(speed, 5.0, lag_s=50.0)
    assert np.isnan(answer[:5]).all() and answer[65] == pytest.approx(2.5)
    assert not np.nanmax(np.abs(answer - 2.5)) > 1e-9


def test_a_steady_climb_and_its_way_down() -> None:
    speed = np.full(400, 2.5)
    profile = np.cumsum(np.where(np.arange(400) < 200, 0.05, -0.05) * 12.5)
    grade = grade_of(profile, speed, 5.0)
    assert grade[100] == pytest.approx(0.05, abs=0.002) and grade[300] == pytest.approx(-0.05, abs=0.002)


def test_a_short_steep_climb_isnt_averaged_away() -> None:
    """Half a minute at 10 %: over 75 s it would look like 5."""
    rising = np.zeros(200)
    rising[100:107] = 0.1
    grade = grade_of(np.cumsum(rising * 12.5), np.full(200, 2.5), 5.0)
    assert grade[101:106].max() > 0.08 and np.abs(grade[:85]).max() < 0.005


def test_barometer_noise_makes_no_hills() -> None:
    wander = np.repeat(np.random.default_rng(1).normal(0.0, 0.6, 100), 4)
    grade = grade_of(wander, np.full(400, 2.7), 5.0)
    assert np.std(grade) < 0.008


def test_standing_still_has_no_grade_and_no_altitude_is_flat() -> None:
    assert np.abs(grade_of(np.random.default_rng(1).normal(0, 1, 200), np.zeros(200), 5.0)).max() < 0.02
    assert not grade_of(np.full(200, NAN), np.full(200, 2.7), 5.0).any()


def test_a_recalibration_is_no_cliff() -> None:
    altitude = np.array([100.0, 100.2, NAN, 180.4, 180.6])
    assert without_steps(altitude)[[0, 1, 3]].tolist() == pytest.approx([100.0, 100.2, 100.2])
    assert without_steps(altitude)[4] == pytest.approx(100.4)


def test_means_skip_what_is_missing() -> None:
    assert means(np.array([1.0, NAN, 3.0, NAN, NAN, NAN, 5.0]), 3, 3, least=2).tolist()[0] == 2.0
    assert np.isnan(means(np.array([1.0, NAN, NAN, 4.0, 5.0, NAN]), 2, 3, least=2)).tolist() == [True, False]
    assert box(np.array([1.0, NAN, 3.0, 5.0]), 3).tolist() == pytest.approx([1.0, 2.0, 4.0, 4.0])


def test_short_holes_are_bridged_and_ends_are_not() -> None:
    mask = np.array([0, 1, 0, 1, 0, 0, 1, 0], dtype=bool)
    assert bridge(mask, 1).astype(int).tolist() == [0, 1, 1, 1, 0, 0, 1, 0]
