"""The numbers of one run: right on a run worked out by hand, and the same after the store."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.metrics import RunMetrics, decode_series, encode_series, from_json, make_series, measure, to_json
from tests.metrics.recordings import activity, record, repeats, run, steady


def test_an_even_run() -> None:
    _, metrics = run(0, record(steady(60)))
    assert metrics.trust == "streams" and metrics.sensor == "A" and not metrics.faults
    assert metrics.mean_m_s == pytest.approx(2.7, abs=0.02)
    assert metrics.relaxed_m_s == pytest.approx(2.7, abs=0.02)
    assert metrics.mean_cubed == pytest.approx(2.7**3, rel=0.02)
    assert metrics.minute_table().shape[0] == 4
    assert [seconds for seconds, _, _ in metrics.best] == [30, 60, 120, 300, 600, 1200, 1800, 2700, 3600]
    assert len(to_json(metrics)) < 6000


def test_the_best_minute_is_the_fast_one() -> None:
    speed = np.concatenate((steady(20), np.full(60, 4.0), steady(10)))
    _, metrics = run(0, record(speed))
    assert metrics.best_speed(60) == pytest.approx(4.0, abs=0.1)
    assert metrics.best_speed(3600) == 0.0


def test_recovery_pace_is_the_relaxed_one() -> None:
    speed = np.concatenate((steady(15), repeats(6, 180, 120, 3.6), steady(10)))
    _, metrics = run(0, record(speed))
    assert metrics.relaxed_m_s is not None and metrics.relaxed_m_s < 2.9


def test_a_climb_counts_as_the_flat_speed_it_costs() -> None:
    _, flat = run(0, record(steady(30)))
    _, hill = run(0, record(steady(30, 2.3), grade=0.04))
    assert flat.mean_m_s is not None and hill.mean_m_s is not None
    assert hill.mean_m_s == pytest.approx(2.3 * 1.163, rel=0.02)


def test_without_streams_the_summary_speaks_at_lower_trust() -> None:
    done = activity(average_heart_rate_bpm=141.0, elevation_gain_m=60.0)
    metrics = measure(done, None)
    assert (metrics.trust, metrics.mean_bpm) == ("summary", 141.0)
    assert metrics.mean_m_s is not None and 2.7 < metrics.mean_m_s < 2.75
    assert measure(activity(distance_m=0.0, moving_time_s=0, elapsed_time_s=0), None).mean_m_s is None


def test_heart_rate_alone_is_as_good_as_a_summary() -> None:
    streams = replace(record(steady(40)), distance_m=None)
    _, metrics = run(0, streams, distance_m=6480.0)
    assert metrics.trust == "summary"


def test_now_and_from_the_store_are_the_same_numbers() -> None:
    streams = record(np.concatenate((steady(15), repeats(5, 60, 60, 4.0), steady(20))))
    done, series = activity(0, streams), make_series(streams)
    assert series is not None
    assert measure(done, series) == measure(done, decode_series(encode_series(series)))


def test_metrics_survive_their_text_exactly() -> None:
    for metrics in (run(0, record(steady(40)))[1], measure(activity(average_heart_rate_bpm=140.3), None)):
        assert from_json(to_json(metrics)) == metrics


@settings(max_examples=50, deadline=None)
@given(
    st.builds(
        RunMetrics,
        trust=st.just("streams"),
        elapsed_s=st.floats(0, 1e6),
        moving_s=st.floats(0, 1e6),
        distance_m=st.floats(0, 1e6),
        mean_bpm=st.none() | st.floats(40, 220),
        faults=st.lists(st.tuples(st.text(max_size=8), st.floats(0, 1)), max_size=3).map(tuple),
    )
)
def test_any_metrics_survive_their_text(metrics: RunMetrics) -> None:
    assert from_json(to_json(metrics)) == metrics


@pytest.mark.parametrize("text", ["[]", '{"trust":"streams"}', '{"unheard":1}', "not json"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"metrics|Expecting"):
        from_json(text)
