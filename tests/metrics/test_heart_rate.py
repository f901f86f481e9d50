"""Sensor faults are taken out and named; a heart that only does unusual things is left alone."""

from dataclasses import replace

import numpy as np

from daemon.metrics import AthleteSettings, judge_runs, make_series, measure
from daemon.metrics.flags import HR_CADENCE, HR_FLAT, HR_START
from daemon.metrics.heart_rate import cadence_locked, flat, spikes
from daemon.values import FloatArray, Run, Streams
from tests.metrics.recordings import activity, base_weeks, record, steady


def with_heart(change: slice, values: FloatArray | float, minutes: float = 45) -> Streams:
    clean = record(steady(minutes))
    assert clean.heart_rate_bpm is not None
    heart = clean.heart_rate_bpm.copy()
    heart[change] = values
    return replace(clean, heart_rate_bpm=heart)


def judged(streams: Streams) -> Run:
    done = activity(20, streams)
    return judge_runs([*base_weeks(), (done, measure(done, make_series(streams)))], AthleteSettings())[-1]


def steps_of(streams: Streams) -> FloatArray:
    assert streams.cadence_rpm is not None
    return 2.0 * streams.cadence_rpm


def test_a_spike_goes_and_its_neighbours_stay() -> None:
    heart = np.tile([139.0, 140.0, 141.0, 140.0], 10)
    heart[17] = 190.0
    assert np.flatnonzero(spikes(heart)).tolist() == [17]


def test_a_gap_doesnt_hide_a_spike() -> None:
    heart = np.tile([139.0, 140.0, 141.0, 140.0], 10)
    heart[15:20] = np.nan
    heart[20] = 90.0
    assert np.flatnonzero(spikes(heart)).tolist() == [20]


def test_ninety_equal_seconds_are_flat_and_eighty_nine_are_not() -> None:
    heart = np.concatenate(([139.0], np.full(90, 140.0), [141.0], np.full(89, 142.0), [143.0]))
    assert np.flatnonzero(flat(heart)).tolist() == list(range(1, 91))


def test_cadence_lock_is_found_by_its_jump_and_the_jump_goes_too() -> None:
    heart = np.full(600, 140.0) + np.arange(600) % 3
    steps = np.full(600, 168.0)
    heart[300:500] = 168.0 + np.arange(200) % 2
    locked = cadence_locked(heart, steps / 2)
    assert locked[295:500].all() and not locked[:285].any() and not locked[515:].any()


def test_a_heart_that_happens_to_beat_at_the_step_rate_is_left_alone() -> None:
    heart = np.concatenate((np.linspace(100, 168, 300), np.full(300, 168.0) + np.arange(300) % 2))
    assert not cadence_locked(heart, np.full(600, 84.0)).any()


def test_a_lock_without_an_edge_shows_in_moving_together() -> None:
    cadence = 84.0 + np.repeat(np.random.default_rng(3).normal(0, 2, 60), 10)
    assert cadence_locked(2 * cadence, cadence).all()


def test_a_locked_run_is_left_out_for_that_reason() -> None:
    clean = record(steady(45))
    run = judged(with_heart(slice(400, None), steps_of(clean)[400:]))
    assert (run.easy, run.left_out) == (None, "sensor counted your steps")
    assert any("sensor counted your steps" in note for note in run.notes)


def test_a_flat_run_is_left_out_for_that_reason() -> None:
    assert judged(with_heart(slice(300, None), 150.0)).left_out == "flat heart rate"


def test_a_run_of_zeros_has_no_heart_rate_and_one_of_255_neither() -> None:
    assert judged(with_heart(slice(None), 0.0)).left_out == "no heart rate"
    assert judged(with_heart(slice(None), 255.0)).left_out == "no heart rate"


def test_a_sensor_that_dies_after_ten_minutes_drops_out() -> None:
    assert judged(with_heart(slice(600, None), np.nan)).left_out == "heart rate drops out"


def test_ten_locked_minutes_dont_move_the_rest() -> None:
    clean = judged(record(steady(45))).easy
    hurt = judged(with_heart(slice(1200, 1800), steps_of(record(steady(45)))[1200:1800])).easy
    assert clean is not None and hurt is not None
    assert abs(hurt.bpm - clean.bpm) < 0.7 and hurt.minutes < clean.minutes


def test_a_dry_strap_at_the_start_goes_until_it_settles() -> None:
    series = make_series(with_heart(slice(60, 540), 178.0 + np.arange(480) % 3))
    assert series is not None
    assert np.isnan(series.heart_rate_bpm[:100]).all() and np.isfinite(series.heart_rate_bpm[115:]).all()
    assert series.flags[50] & HR_START


def test_a_cold_sensor_goes_until_it_jumps() -> None:
    series = make_series(with_heart(slice(0, 400), 95.0 + np.arange(400) % 4))
    assert series is not None
    assert np.isnan(series.heart_rate_bpm[:78]).all() and np.isfinite(series.heart_rate_bpm[90:]).all()


def test_an_ordinary_warm_up_stays() -> None:
    series = make_series(record(steady(45)))
    assert series is not None
    assert np.isfinite(series.heart_rate_bpm).all() and not (series.flags & (HR_START | HR_FLAT | HR_CADENCE)).any()


def test_a_strained_heart_is_not_a_fault() -> None:
    strained, calm = judged(record(steady(45), strain=12.0)).easy, judged(record(steady(45))).easy
    assert strained is not None and calm is not None
    assert 11.5 < strained.bpm - calm.bpm < 12.5
