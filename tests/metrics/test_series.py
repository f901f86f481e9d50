"""A recording becomes a series: whatever the watch wrote, nothing raises, and the store gives back the same numbers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from daemon.metrics import decode_series, encode_series, make_series
from daemon.metrics.codec import COLUMNS
from daemon.metrics.flags import HR_MISSING, NO_DATA, RESTART, STOPPED
from daemon.values import FloatArray, Series, Streams
from tests.metrics.recordings import record, steady


def made(streams: Streams) -> Series:
    series = make_series(streams)
    assert series is not None
    return series


def same(a: Series, b: Series) -> bool:
    columns = all(np.array_equal(getattr(a, n), getattr(b, n), equal_nan=True) for n, _ in COLUMNS)
    return columns and np.array_equal(a.flags, b.flags) and a.step_s == b.step_s


def test_five_second_means_worked_out_by_hand() -> None:
    seconds = np.arange(61.0)
    heart = np.full(61, 140.0)
    heart[5:10] = [140, 141, 142, 143, 144]
    series = made(Streams(time_s=seconds, distance_m=3.0 * seconds, heart_rate_bpm=heart))
    assert series.heart_rate_bpm[1] == 142.0
    assert series.speed_m_s[:12].tolist() == [3.0] * 12
    assert series.flags.size == 13


def test_smart_recording_is_interpolated_and_a_pause_is_not() -> None:
    time = np.concatenate((np.arange(0.0, 301.0, 7.0), np.arange(600.0, 901.0, 7.0)))
    metres = np.where(time < 500, 2.5 * time, 2.5 * (time - 301))
    series = made(Streams(time_s=time, distance_m=metres, heart_rate_bpm=np.linspace(120, 150, time.size)))
    assert np.isfinite(series.heart_rate_bpm[:58]).all()
    assert np.isnan(series.speed_m_s[65:115]).all()
    assert (series.flags[65:115] & NO_DATA).all()
    assert series.speed_m_s[30] == 2.5 and series.speed_m_s[150] == pytest.approx(2.5, abs=0.01)
    assert series.flags[121] & RESTART and not series.flags[140] & RESTART


def test_a_traffic_light_is_a_stop_and_the_minute_after_it_a_restart() -> None:
    speed = steady(20)
    speed[600:630] = 0.0
    series = made(record(speed))
    assert series.flags[122] & STOPPED
    assert all(series.flags[127:138] & RESTART)
    assert not series.flags[150] & (STOPPED | RESTART)


def test_steps_back_in_time_and_repeats_are_dropped() -> None:
    clean = record(steady(10))
    time = clean.time_s.copy()
    time[100:103] = 90.0
    time[200] = np.nan
    series = made(replace(clean, time_s=time))
    assert np.nanmedian(series.speed_m_s) == pytest.approx(2.7, abs=0.03)
    assert series.flags.size == made(clean).flags.size


def test_speed_stream_serves_where_distance_is_missing() -> None:
    clean = record(steady(10))
    series = made(replace(clean, distance_m=None, speed_m_s=np.full(600, 2.6)))
    assert np.nanmedian(series.speed_m_s) == 2.6


def test_a_jump_of_the_receiver_is_no_sprint() -> None:
    clean = record(steady(10))
    assert clean.distance_m is not None
    metres = clean.distance_m.copy()
    metres[300:] += 400.0
    assert np.nanmax(made(replace(clean, distance_m=metres)).speed_m_s) < 3.5


def test_zero_and_255_are_no_heart_rate() -> None:
    clean = record(steady(20))
    assert clean.heart_rate_bpm is not None
    heart = clean.heart_rate_bpm.copy()
    heart[300:400], heart[700:800] = 0.0, 255.0
    series = made(replace(clean, heart_rate_bpm=heart))
    assert np.isnan(series.heart_rate_bpm[62:78]).all() and (series.flags[62:78] & HR_MISSING).all()
    assert np.isnan(series.heart_rate_bpm[142:158]).all()
    assert np.nanmax(series.heart_rate_bpm) < 160


@pytest.mark.parametrize(
    "streams",
    [
        Streams(time_s=np.empty(0)),
        Streams(time_s=np.array([0.0])),
        Streams(time_s=np.full(100, np.nan)),
        Streams(time_s=np.arange(100.0)),
        Streams(time_s=np.arange(100.0), heart_rate_bpm=np.zeros(100), speed_m_s=np.full(100, np.nan)),
    ],
)
def test_nothing_recorded_is_no_series(streams: Streams) -> None:
    assert make_series(streams) is None


def test_a_series_takes_a_few_kilobytes_an_hour() -> None:
    assert len(encode_series(made(record(steady(60))))) < 5000


def test_damaged_bytes_are_refused() -> None:
    data = encode_series(made(record(steady(5))))
    for broken in (b"", b"XX" + data[2:], data[:-5], data[:2] + b"\x09" + data[3:]):
        with pytest.raises(ValueError, match="series"):
            decode_series(broken)


wild = st.floats(width=32, allow_nan=True, allow_infinity=True)
plausible = st.floats(-50.0, 400.0)


@st.composite
def ragged_streams(draw: st.DrawFn) -> Streams:
    size = draw(st.integers(0, 400))
    seconds = np.cumsum(draw(hnp.arrays(np.float64, size, elements=st.floats(-2.0, 30.0))))
    if size and draw(st.booleans()):
        seconds[draw(st.integers(0, size - 1))] = draw(wild)

    def column() -> FloatArray | None:
        length = draw(st.integers(0, size + 5))
        values = hnp.arrays(np.float64, length, elements=st.one_of(plausible, wild), fill=plausible)
        return draw(st.one_of(st.none(), values))

    return Streams(seconds, column(), column(), column(), column(), column(), column(), column())


@settings(max_examples=150, deadline=None)
@given(ragged_streams())
def test_any_recording_gives_a_series_the_store_keeps_exactly(streams: Streams) -> None:
    series = make_series(streams)
    if series is None:
        return
    assert same(decode_series(encode_series(series)), series)
    heart = series.heart_rate_bpm[np.isfinite(series.heart_rate_bpm)]
    assert ((heart >= 40) & (heart <= 225)).all()
    assert not (series.speed_m_s < 0).any() and not (series.speed_m_s > 9.5).any()
    assert (np.isfinite(series.heart_rate_bpm) | (series.flags & 31 != 0)).all()
