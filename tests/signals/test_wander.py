"""How far a level strays by itself, worked out by hand where it can be, and on made readings with a known truth."""

import numpy as np
import pytest

from daemon.signals import wander
from daemon.signals.wander import Factor, Readings, Wander, poisson_range

PACE = Factor("pace", 28.0, 8.0)
STILL = Wander(sd_bpm=1e-6, days=50.0, run_bpm=2.0)


def readings(days, bpm, x=None, se=0.0):
    days = np.asarray(days, dtype=float)
    x = np.zeros((days.size, 1)) if x is None else np.asarray(x, dtype=float).reshape(days.size, -1)
    return Readings(days, np.asarray(bpm, dtype=float), np.full(days.size, se), x)


def made(seed, wander_bpm, days, run_bpm, count=60, every=3.0):
    """Readings of a runner whose level strays as told."""
    rng = np.random.default_rng(seed)
    when = np.cumsum(rng.uniform(0.5, 1.5, count) * every)
    apart = np.abs(when[:, None] - when[None, :])
    level = np.linalg.cholesky(wander_bpm**2 * np.exp(-apart / days) + 1e-9 * np.eye(count)) @ rng.standard_normal(
        count
    )
    speed = rng.normal(0, 0.1, count)
    return readings(when, 142 + level + 28 * speed + rng.normal(0, run_bpm, count), speed)


def test_without_wander_a_rise_is_the_difference_of_two_means():
    before, after = [140.0, 141, 139, 140, 140, 141, 139, 140], [145.0, 146, 144, 145]
    found = wander.rises(readings(range(12), before + after), (PACE,), STILL, np.array([8.0]), days=1.0)
    # A little less: what no one would expect of a still level weighs less.
    assert found.bpm[0] == pytest.approx(5.0, abs=0.15)
    assert found.se_bpm[0] == pytest.approx(2 * np.sqrt(1 / 8 + 1 / 4), rel=0.1)
    assert found.errors[0] == pytest.approx(found.bpm[0] / found.se_bpm[0], rel=0.02)


def test_a_rise_that_comes_over_days_is_seen_in_full_size():
    days = np.arange(0.0, 40.0, 2.0)
    bpm = 140 + 6 * np.clip((days - 20 + 1) / 10, 0, 1)
    found = wander.rises(readings(days, bpm), (PACE,), STILL, np.array([20.0]), days=10.0)
    assert found.bpm[0] == pytest.approx(6.0, abs=0.1)


def test_what_wanders_anyway_raises_less_than_what_stays():
    days, bpm = np.arange(0.0, 60.0, 3.0), np.r_[np.full(14, 140.0), np.full(6, 145.0)]
    steady, restless = (
        wander.rises(readings(days, bpm), (PACE,), Wander(sd, 40.0, 2.0), np.array([42.0]), 1.0) for sd in (0.5, 6.0)
    )
    assert steady.errors[0] > 2 * restless.errors[0] > 0


def test_what_pace_explains_is_no_rise_and_lost_pace_is_one():
    days, faster = np.arange(20.0), np.r_[np.zeros(12), np.full(8, 0.2)]
    wobble = 0.1 * np.sin(np.arange(20) * 2.3)
    explained = readings(days, 140 + 28 * (faster + wobble), faster + wobble)
    lost = readings(days, np.full(20, 140.0), -faster)
    assert abs(wander.rises(explained, (PACE,), STILL, np.array([12.0]), 1.0).bpm[0]) < 1.0
    assert wander.rises(lost, (PACE,), STILL, np.array([12.0]), 1.0).bpm[0] == pytest.approx(5.6, abs=0.3)


def test_one_wild_run_is_no_rise():
    bpm = np.full(30, 140.0)
    bpm[25] = 175.0
    found = wander.rises(readings(np.arange(30.0) * 2, bpm), (PACE,), Wander(3.0, 60.0, 2.5), np.array([48.0]), 10.0)
    assert found.errors[0] < 1.0


def test_a_wild_run_weighs_less_by_the_cube_of_how_wild_it_is():
    days, bpm = 2 * np.arange(20.0), 140 + 2 * np.sin(1.7 * np.arange(20))
    bpm[12] = 162.0
    near = 3.0**2 * np.exp(-np.abs(days[:, None] - days[None, :]) / 60) + wander.LEVEL_SD_BPM**2
    off, noise = bpm - np.median(bpm), np.full(20, 2.5**2)
    inverse = np.linalg.inv(near + np.diag(noise))
    wild = np.abs(inverse @ off) / np.sqrt(np.diagonal(inverse)) / 2
    assert np.flatnonzero(wild > 1).tolist() == [12]
    noise[12] *= wild[12] ** 3
    level = near[-1] @ np.linalg.inv(near + np.diag(noise)) @ off
    norm = wander.norm(readings(days, bpm), (PACE,), Wander(3.0, 60.0, 2.5), days[-1])
    assert norm.bpm == pytest.approx(np.median(bpm) + level, abs=1e-6)


@pytest.mark.parametrize(("wander_bpm", "run_bpm"), [(1.0, 1.5), (5.5, 3.0)])
def test_a_runners_own_wander_is_learned(wander_bpm, run_bpm):
    learned = [wander.learn(made(seed, wander_bpm, 60.0, run_bpm), (PACE,)) for seed in range(12)]
    assert wander_bpm / 1.5 < np.median([w.sd_bpm for w in learned]) < 2 * wander_bpm
    assert np.median([w.run_bpm for w in learned]) == pytest.approx(run_bpm, rel=0.3)


def test_without_readings_the_wander_is_the_usual_one():
    usual = wander.learn(readings([], []), (PACE,))
    assert 2 < usual.sd_bpm < 6 and 1.5 < usual.run_bpm < 4.5


def test_errors_are_what_they_are_called_where_nothing_happens():
    """The share of single looks beyond 1.64 standard errors is one in twenty, or a little less."""
    looks = []
    for seed in range(200):
        runs = made(seed, 4.0, 60.0, 2.5)
        looks.append(wander.rises(runs, (PACE,), Wander(4.0, 60.0, 2.5), runs.day[45:46], 10.0).errors[0])
    assert 0.01 <= np.mean(np.array(looks) > 1.645) <= 0.09
    assert abs(np.mean(looks)) < 0.25


def test_the_norm_is_the_level_of_late_and_knows_the_pace():
    runs = made(3, 3.0, 40.0, 1.0)
    norm = wander.norm(runs, (PACE,), Wander(3.0, 40.0, 1.0), float(runs.day[-1] + 1))
    last = (runs.bpm - 28 * runs.x[:, 0])[-4:].mean()
    assert norm.expected(np.array([0.0])) == pytest.approx(last, abs=2.5)
    assert norm.expected(np.array([0.1])) - norm.expected(np.array([0.0])) == pytest.approx(2.8, abs=0.8)


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0.0, 3.69), (1, 0.03, 5.57), (5, 1.62, 11.67)])
def test_the_range_of_a_count_is_garwoods(count, low, high):
    assert poisson_range(count) == pytest.approx((low, high), abs=0.15)
