"""The two decoders of FIT, message by message: where fitfast has no wheel the same runs are read."""

import logging
import sys
from typing import Any

import numpy as np
import pytest
from fit_tool.profile.profile_type import EventType, Sport, SubSport
from hypothesis import given
from hypothesis import strategies as st

from daemon.recordings import fit, fit_fast, fit_official
from daemon.recordings.fit_structure import parts
from daemon.recordings.reading import read_recording
from tests.fuzzing import tries
from tests.recordings.written_fit import (
    START,
    Row,
    activity,
    file_id,
    fit_file,
    lap,
    records,
    session,
    steady,
    timer,
    whole_run,
    with_developer_field,
)

MILLIMETRE_S, STEP_OF_ALTITUDE_M = 0.0011, 0.21
"""What fitfast cuts off where an enhanced field is made from a plain one."""

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "distance": st.floats(0, 4e7),
    "speed": st.floats(0, 60),
    "enhanced_speed": st.floats(0, 4000),
    "altitude": st.floats(-500, 12_000),
    "enhanced_altitude": st.floats(-500, 800_000),
    "heart_rate": st.integers(0, 254),
    "cadence": st.integers(0, 254),
    "fractional_cadence": st.floats(0, 1.9),
    "temperature": st.integers(-127, 126),
    "position_lat": st.floats(-90, 90),
    "position_long": st.floats(-180, 179.9),
}


@st.composite
def rows(draw: st.DrawFn) -> list[Row]:
    """Records of one watch: some of the fields, each there in some of the records, at any seconds in any order."""
    names = draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True))
    out: list[Row] = []
    for second in draw(st.lists(st.integers(0, 100_000), min_size=2, max_size=12)):
        row = {"timestamp": START.timestamp() + second}
        out.append(row | {name: draw(VALUES[name]) for name in names if draw(st.booleans())})
    return out


@st.composite
def files(draw: st.DrawFn) -> bytes:
    made = draw(rows())
    sports = [session(0, 50, sport=draw(st.sampled_from(Sport)), total_ascent=draw(st.integers(0, 65_534)))]
    if draw(st.booleans()):
        sports.append(
            session(51, 90, sport=Sport.RUNNING, sub_sport=draw(st.sampled_from(SubSport)), avg_temperature=-3)
        )
    laps = [lap(second, second + 9, draw(st.floats(0, 1e6))) for second in range(draw(st.integers(0, 4)))]
    stops = [timer(draw(st.integers(0, 99)), draw(st.sampled_from(EventType))) for _ in range(draw(st.integers(0, 4)))]
    serial, offset = draw(st.integers(1, 2**32 - 2)), draw(st.integers(-50_000, 50_000))
    head = file_id(serial_number=serial, product_name=draw(st.sampled_from([None, "ELEMNT RIVAL", "Lauf-Uhr ü"])))
    return fit_file([head, *stops, *records(made), *laps, *sports, activity(90, offset)])


def agree(data: bytes) -> None:
    """Both decoders give the same columns and the same messages."""
    for part in parts(data):
        fast, official = fit_fast.decode(part), fit_official.decode(part)
        assert fast.records.keys() == official.records.keys()
        for name, values in fast.records.items():
            loose = {"enhanced_speed": MILLIMETRE_S, "enhanced_altitude": STEP_OF_ALTITUDE_M}.get(name, 1e-6)
            np.testing.assert_allclose(values, official.records[name], rtol=1e-9, atol=loose, err_msg=name)
        for kind in ("file_id", "session", "lap", "event", "activity", "workout", "sport", "device_info"):
            here, there = fast.all(kind), official.all(kind)
            assert len(here) == len(there), kind
            for one, other in zip(here, there, strict=True):
                assert USED & (one.keys() ^ other.keys()) == set(), kind
                for name in USED & one.keys():
                    same = one[name] == other[name] or one[name] == pytest.approx(other[name], rel=1e-9)
                    assert same, (kind, name)


USED = frozenset(
    {"timestamp", "start_time", "total_elapsed_time", "total_timer_time", "total_distance", "total_ascent", "sport"}
    | {"sub_sport", "avg_heart_rate", "max_heart_rate", "avg_temperature", "workout_rpe", "local_timestamp", "event"}
    | {"event_type", "serial_number", "time_created", "manufacturer", "product", "product_name", "type", "wkt_name"}
)
"""The fields of the few messages that become something."""


@tries(60)
@given(files())
def test_both_decoders_give_the_same_messages(data: bytes) -> None:
    agree(data)


def test_both_decoders_give_an_apps_own_field_by_its_name() -> None:
    agree(with_developer_field(steady(range(70)), "Heart Rate", list(range(100, 170))))


def test_both_decoders_read_on_to_the_damage() -> None:
    whole = whole_run(steady(range(200)))
    agree(whole[:-700])
    agree(whole[:2500] + b"\xff" * 60 + whole[2560:])


def test_without_fitfast_the_same_run_is_read_and_that_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    data = whole_run(steady(range(200)))
    (fast,) = read_recording(data, "run.fit")
    monkeypatch.setitem(sys.modules, "daemon.recordings.fit_fast", None)
    fit._decoder.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            (slow,), (again,) = read_recording(data, "run.fit"), read_recording(data, "run.fit")
    finally:
        fit._decoder.cache_clear()
    assert slow.activity == fast.activity == again.activity
    assert [record.message for record in caplog.records if "slower" in record.message] == [
        "fitfast is not available here: FIT files are read by Garmin's SDK, about 40 times slower"
    ]
