"""Strava's JSON as values: the usual shapes, the odd ones that were seen, and anything at all."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.strava.convert import read_activity, read_streams, zone_name

REAL = Path(__file__).parents[2] / "../shared/data/strava_json"
USUAL = {
    "id": 7,
    "name": "Lunch run",
    "sport_type": "TrailRun",
    "start_date": "2026-03-01T17:00:00Z",
    "start_date_local": "2026-03-02T01:00:00Z",
    "timezone": "(GMT+08:00) Etc/GMT-8",
    "utc_offset": 28800.0,
    "distance": 8000.5,
    "moving_time": 2400,
    "elapsed_time": 2500,
    "has_heartrate": True,
    "average_heartrate": 139.9,
    "max_heartrate": 160,
    "perceived_exertion": 4,
    "device_name": "Garmin Forerunner 945",
}
FIELDS = sorted({*USUAL, "laps", "trainer", "workout_type", "athlete_count", "type", "total_elevation_gain"})

words = st.text("ab Z5-:,é\0", max_size=8)
numbers = st.one_of(st.integers(), st.floats(), st.sampled_from([10**400, -1, 0, 2**63]))
leaves = st.one_of(st.none(), st.booleans(), numbers, words, st.just("\ud800"))
anything = st.recursive(
    leaves, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(words, inner, max_size=4))
)
times = st.datetimes(datetime(1970, 1, 1), datetime(2300, 1, 1)).map(lambda moment: moment.isoformat() + "Z")


def read(**changes: Any) -> Any:
    return read_activity({**USUAL, **changes}, athlete_id=1001)


def test_the_usual_run() -> None:
    run = read()
    assert run.start == datetime(2026, 3, 1, 17, tzinfo=UTC)
    assert (run.utc_offset_s, run.timezone, run.athlete_id) == (28800, "Etc/GMT-8", 1001)
    assert (run.moving_time_s, run.elapsed_time_s, run.distance_m) == (2400, 2500, 8000.5)
    assert (run.average_heart_rate_bpm, run.perceived_exertion) == (139.9, 4)
    assert run.day.isoformat() == "2026-03-02" and run.is_run and not run.start_obscured


def test_the_wall_clock_comes_from_whatever_is_there() -> None:
    assert read(utc_offset=None).utc_offset_s == 28800, "the local time, whose Z is false"
    assert read(utc_offset=None, start_date_local=None).utc_offset_s == 28800, "the time zone"
    assert read(utc_offset=None, start_date_local=None, timezone=None).utc_offset_s == 0
    assert read(utc_offset=1e9, start_date_local="2031-01-01T00:00:00Z").utc_offset_s == 28800
    assert read(start_date=None).start == read().start
    assert read(start_date=None, utc_offset=None).start == read().start


def test_summer_time_is_that_of_the_day() -> None:
    berlin = {"utc_offset": None, "start_date_local": None, "timezone": "(GMT+01:00) Europe/Berlin"}
    assert read(**berlin).utc_offset_s == 3600
    assert read(**berlin, start_date="2026-07-01T17:00:00Z").utc_offset_s == 7200


def test_a_hidden_start_leaves_the_day_known_and_the_hour_not() -> None:
    hidden = read(start_date="2026-03-01T16:00:01Z", start_date_local="2026-03-02T00:00:01Z")
    assert hidden.start_obscured and hidden.day.isoformat() == "2026-03-02"
    told_apart = read(start_date_local="2026-03-02T00:00:01Z", utc_offset=None)
    assert told_apart.start_obscured and told_apart.utc_offset_s == 28800, "a hidden time tells no offset"


@pytest.mark.parametrize(
    ("moving", "elapsed", "is_moving", "is_elapsed"),
    [
        (2400, 2500, 2400, 2500),
        (None, 2500, 2500, 2500),
        (2400, None, 2400, 2400),
        (2400, 0, 2400, 2400),
        (2600, 2500, 2500, 2500),
        (2400, 10**9, 2400, 2400),
        ("a while", [], 0, 0),
    ],
)
def test_moving_and_elapsed_time_stand_in_for_each_other(
    moving: Any, elapsed: Any, is_moving: int, is_elapsed: int
) -> None:
    run = read(moving_time=moving, elapsed_time=elapsed)
    assert (run.moving_time_s, run.elapsed_time_s) == (is_moving, is_elapsed)


def test_what_was_never_heard_of_is_kept() -> None:
    assert read(sport_type="Padel").sport == "Padel"
    assert read(sport_type=None, type="Hike").sport == "Hike"
    assert read(sport_type=3).sport == "Unknown"


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("(GMT-05:00) America/New_York", "America/New_York"),
        ("Europe/Berlin", "Europe/Berlin"),
        ("(GMT+00:00) Mars/Olympus_Mons", None),
        ("(GMT+01:00) ../../etc/passwd", None),
        ("(GMT+01:00) Europe", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_time_zones(told: Any, name: str | None) -> None:
    assert zone_name(told) == name


@pytest.mark.parametrize("change", [{"id": None}, {"id": "x"}, {"id": True}, {"id": 2**63}, {"id": -4}, {"id": 1.5}])
def test_without_an_id_there_is_nothing_to_keep(change: dict[str, Any]) -> None:
    assert read(**change) is None


def test_without_a_start_there_is_nothing_to_keep() -> None:
    assert read(start_date="0001-01-01T00:00:00Z", start_date_local=None) is None
    assert read_activity(["not", "a", "dict"], 1001) is None


@given(st.dictionaries(st.sampled_from(FIELDS), st.one_of(anything, times, st.just([USUAL]))))
@settings(max_examples=80, deadline=None)
def test_whatever_else_is_odd_the_run_is_kept_and_can_be_stored(odd: dict[str, Any]) -> None:
    run = read_activity({**USUAL, **odd}, athlete_id=1001)
    if run is None:
        assert not {"id", "start_date"}.isdisjoint(odd)
        return
    assert 0 < run.id < 2**63 and 0 <= run.moving_time_s <= run.elapsed_time_s and abs(run.utc_offset_s) <= 64_800
    assert isinstance(run.day.year, int) and run.start.utcoffset() == timedelta(0)
    for text in (run.name, run.sport, run.device or "", run.timezone or ""):
        text.encode()
    facts = (run.distance_m, run.average_heart_rate_bpm, run.elevation_gain_m, *(lap.distance_m for lap in run.laps))
    assert all(fact is None or np.isfinite(fact) for fact in facts)


def keyed(**streams: Any) -> dict[str, Any]:
    return {key: {"data": data, "series_type": "time"} for key, data in streams.items()}


def test_ragged_streams_are_cut_and_padded_to_the_time() -> None:
    streams = read_streams(keyed(time=[0, 1, 2, 3], heartrate=[120, 121], distance=[0, 3, 6, 9, 12, 15]))
    assert streams is not None and streams.heart_rate_bpm is not None and streams.distance_m is not None
    np.testing.assert_array_equal(streams.heart_rate_bpm, [120, 121, np.nan, np.nan])
    np.testing.assert_array_equal(streams.distance_m, [0, 3, 6, 9])
    assert streams.altitude_m is None


def test_what_is_no_number_is_missing() -> None:
    heart = [120, None, "many", [1], {}, 10**400, float("inf"), 0, 255]
    streams = read_streams(keyed(time=list(range(9)), heartrate=heart, moving=[True, False, None, *[1] * 6]))
    assert streams is not None and streams.heart_rate_bpm is not None and streams.moving is not None
    np.testing.assert_array_equal(streams.heart_rate_bpm, [120, *[np.nan] * 6, 0, 255])
    np.testing.assert_array_equal(streams.moving[:4], [1, 0, np.nan, 1])


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ([0, 1, 5, 3, 6], [0, 1, 5, 6]),
        ([0, 1, None, 3, 4], [0, 1, 3, 4]),
        ([0, 1, 900_000, 3, 4, 5], [0, 1, 3, 4, 5]),
        ([0, 1, 2, 3, 0, 4], [0, 1, 2, 3, 4]),
        ([-5, 0, 1, 1, 2], [0, 1, 1, 2]),
    ],
)
def test_time_never_falls_and_one_wild_value_costs_one_row(told: list[Any], kept: list[float]) -> None:
    streams = read_streams(keyed(time=told, distance=told))
    assert streams is not None
    assert streams.time_s.tolist() == kept
    assert streams.distance_m is not None and streams.distance_m.tolist() == kept


@pytest.mark.parametrize(
    "nothing", [None, {}, [], "x", keyed(time=[]), keyed(time=[0], heartrate=[1]), keyed(heartrate=[1, 2, 3])]
)
def test_an_empty_recording_is_none(nothing: Any) -> None:
    assert read_streams(nothing) is None


def test_streams_as_a_list_are_understood_too() -> None:
    streams = read_streams([{"type": "time", "data": [0, 1]}, {"type": "heartrate", "data": [99, 98]}])
    assert streams is not None and streams.heart_rate_bpm is not None and streams.heart_rate_bpm.tolist() == [99, 98]


@given(
    st.dictionaries(st.sampled_from(["time", "distance", "heartrate", "moving"]), st.one_of(anything, st.lists(leaves)))
)
@settings(max_examples=80, deadline=None)
def test_streams_always_have_one_length_and_a_time_that_never_falls(odd: dict[str, Any]) -> None:
    streams = read_streams({key: {"data": data} for key, data in odd.items()})
    if streams is not None:
        assert len(streams.time_s) >= 2 and (np.diff(streams.time_s) >= 0).all()
        for values in (streams.distance_m, streams.heart_rate_bpm, streams.moving):
            assert values is None or (len(values) == len(streams.time_s) and not np.isinf(values).any())


@pytest.mark.skipif(not REAL.is_dir(), reason="no real answers here")
def test_real_answers_are_read_whole() -> None:
    listed = [(raw, read_activity(raw, 1)) for raw in json.loads((REAL / "summary_list.json").read_text())]
    for raw, activity in listed:
        assert activity is not None and activity.timezone is not None
        assert (activity.distance_m, activity.moving_time_s) == (raw["distance"], raw["moving_time"])
    detail = read_activity(json.loads((REAL / "detailed_run.json").read_text()), 1)
    assert detail is not None and detail.workout_type == 1 and detail.utc_offset_s == -18_000
    ride = read_activity(json.loads((REAL / "detailed_ride.json").read_text()), 1)
    assert ride is not None and ride.device == "Garmin Forerunner 945" and len(ride.laps) == 1
    manual = read_activity(json.loads((REAL / "detailed_manual.json").read_text()), 1)
    assert manual is not None and manual.manual and (manual.sport, manual.utc_offset_s) == ("Hike", -28_800)
