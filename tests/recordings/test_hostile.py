"""Whatever the bytes are: a run, or one short line that says why not. Also what fuzzing found, made again in code."""

import struct
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.recordings import fit, fit_official
from daemon.recordings.errors import Unreadable
from daemon.recordings.fit_structure import as_file
from daemon.recordings.reading import read_recording
from daemon.values import Recorded
from tests.fuzzing import tries
from tests.recordings.test_xml import gpx, tcx, tcx_activity, tcx_lap, trackpoint, trkpt
from tests.recordings.written_fit import (
    FIT_EPOCH_UNIX_S,
    START,
    file_id,
    fit_file,
    records,
    session,
    steady,
    whole_run,
    with_developer_field,
)

SHAPES = {
    "fit": whole_run(steady(range(90))),
    "developer fields": with_developer_field(steady(range(70)), "Heart Rate", list(range(100, 170))),
    "chain": whole_run(steady(range(70))) * 2,
    "gpx": gpx(map(trkpt, range(70)), map(trkpt, range(90, 120))).encode(),
    "tcx": tcx(tcx_activity(tcx_lap(0, 70, map(trackpoint, range(70))))).encode(),
}

WITHIN_S = 20.0
"""Hostile megabytes must not hold up an import; what is refused here takes a second or two of a slow processor."""


def read_or_why(data: bytes) -> tuple[Recorded, ...] | str:
    """What the reader makes of the bytes, held against what it promises."""
    try:
        found = read_recording(data, "run.fit")
    except Unreadable as reason:
        assert str(reason) and "\n" not in str(reason) and len(str(reason)) < 80
        return str(reason)
    for each in found:
        run, streams = each.activity, each.streams
        assert 0 <= run.moving_time_s <= run.elapsed_time_s and 0 <= run.distance_m < 2e6
        assert 2003 <= run.start.year < 2100 and 2**52 <= run.id < 2**53
        if streams is not None:
            assert streams.time_s[0] == 0.0 and (np.diff(streams.time_s) > 0).all()
            for values in (streams.distance_m, streams.heart_rate_bpm, streams.speed_m_s, streams.moving):
                assert values is None or (values.shape == streams.time_s.shape and not np.isinf(values).any())
    return found


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A real shape with flipped bits, lost, doubled or foreign pieces, with a right checksum half of the time."""
    data = bytearray(SHAPES[draw(st.sampled_from(sorted(SHAPES)))])
    is_fit = data[8:12] == b".FIT"
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data) - 1))
        length = draw(st.integers(1, 60))
        change = draw(st.sampled_from(["flip", "byte", "cut", "end", "twice", "fill", "graft"]))
        if change == "flip":
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif change == "byte":
            data[at] = draw(st.integers(0, 255))
        elif change == "cut":
            del data[at : at + length]
        elif change == "end":
            del data[at + 1 :]
        elif change == "twice":
            data[at:at] = data[at : at + length]
        elif change == "fill":
            data[at : at + length] = bytes([draw(st.sampled_from([0, 255, 127, 64]))]) * length
        else:
            other = SHAPES[draw(st.sampled_from(sorted(SHAPES)))]
            data[at:] = other[draw(st.integers(0, len(other) - 1)) :]
        data = data or bytearray(b"\0")
    return as_file(bytes(data[14:-2])) if is_fit and draw(st.booleans()) else bytes(data)


@tries(300)
@given(damaged())
def test_a_damaged_file_is_a_run_or_a_line(data: bytes) -> None:
    read_or_why(data)


@tries(100)
@given(damaged())
def test_the_official_decoder_keeps_the_same_promise(data: bytes) -> None:
    read = fit._decoder
    fit._decoder = lambda: fit_official.decode  # type: ignore[assignment]
    try:
        read_or_why(data)
    finally:
        fit._decoder = read


@tries(100)
@given(st.binary(max_size=300))
def test_any_bytes_behind_a_right_head_are_a_run_or_a_line(data: bytes) -> None:
    read_or_why(as_file(data))
    read_or_why(b"<gpx>" + data)
    read_or_why(data)


def definition(kind: int, *fields: tuple[int, int, int], local: int = 0, developer: bytes = b"") -> bytes:
    head = bytes([(0x60 if developer else 0x40) | local])
    return head + b"\0\0" + struct.pack("<HB", kind, len(fields)) + b"".join(map(bytes, fields)) + developer


WIDE = [(number, 1, 2) for number in range(200)]
TIME = (253, 4, 0x86)
NOW = struct.pack("<I", round(START.timestamp()) - FIT_EPOCH_UNIX_S)


def test_found_by_fuzzing_a_field_of_a_type_that_does_not_exist() -> None:
    """fitfast 0.1 panics (a division by zero) over base types beyond 16."""
    for base_type in (0x11, 0x1F, 0xB2, 0xFF):
        bad = definition(20, TIME, (200, 27, base_type), local=1) + b"\1" + NOW + bytes(27)
        whole = whole_run(steady(range(90)))
        found = read_or_why(as_file(whole[14 if whole[0] == 14 else 12 : -2] + bad))
        assert not isinstance(found, str) and found[0].activity.elapsed_time_s == 89


def test_found_by_fuzzing_an_apps_field_of_a_type_that_does_not_exist() -> None:
    described = definition(206, (0, 1, 2), (1, 1, 2), (2, 1, 2)) + b"\0\0\0"
    for description in (described + b"\x13", described + b"\xff", definition(206, (0, 1, 2), (1, 1, 2)) + b"\0\0\0"):
        owner = definition(207, (3, 1, 2)) + b"\0\0"
        carrying = definition(20, TIME, (3, 1, 2), local=1, developer=b"\1\0\2\0")
        rows = b"".join(
            b"\1" + struct.pack("<I", round(START.timestamp()) - FIT_EPOCH_UNIX_S + second) + b"\x8c\1\2"
            for second in range(90)
        )
        found = read_or_why(as_file(owner + description + carrying + rows))
        assert not isinstance(found, str) and found[0].activity.average_heart_rate_bpm == 140.0


def test_found_by_fuzzing_a_clock_that_no_shift_brings_home() -> None:
    rows = steady(range(90), since=FIT_EPOCH_UNIX_S + 30.0)
    rows[-1]["timestamp"] = FIT_EPOCH_UNIX_S + 2.0**31
    found = read_or_why(fit_file([file_id(), *records(rows), session(0, 90)]))
    assert not isinstance(found, str) and found[0].activity.elapsed_time_s == 88


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: as_file_without_checksum(definition(20) + b"\0" * 4_000_000), "more messages"),
        (lambda: as_file_without_checksum(definition(20) * 300_000), "more messages"),
        (
            lambda: as_file_without_checksum(definition(20, *WIDE) + b"\0" * 5_000_000),
            "more",
        ),
        (lambda: as_file_without_checksum(definition(19, TIME) + (b"\0" + NOW) * 200_000), "more messages"),
        (lambda: as_file(definition(20, TIME) + b"\0" + NOW) * 20_000, "more messages"),
        (lambda: b"<gpx>" + b"<a/>" * 3_500_000, "more elements"),
        (lambda: b"<gpx>" + b"<a>" * 1_000_000, "no times"),
        (lambda: b"<gpx><trk><name>" + b"x" * 12_000_000, "no times"),
        (lambda: b"<TrainingCenterDatabase>" + b"<Activity/>" * 200_000, "more activities"),
        (lambda: b"<TrainingCenterDatabase><Activity>" + b"<Lap/>" * 200_000, "more laps"),
        (lambda: b"<!-- " * 1_000_000, "not a FIT"),
    ],
)
def test_a_file_made_to_fill_the_memory_is_refused_soon(make: Callable[[], bytes], why: str) -> None:
    data = make()
    begun = time.process_time()
    assert why in str(read_or_why(data))
    assert time.process_time() - begun < WITHIN_S


def as_file_without_checksum(messages: bytes) -> bytes:
    return b"\x0e\x20\0\x08" + struct.pack("<I", len(messages)) + b".FIT\0\0" + messages + b"\0\0"


def test_entities_and_outside_files_are_refused_before_they_grow(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the runner's token")
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    bombs = [
        f'<?xml version="1.0"?><!DOCTYPE gpx [<!ENTITY l0 "lol">{laughs}]><gpx><trk><name>&l11;</name></trk></gpx>',
        f'<!DOCTYPE gpx [<!ENTITY x SYSTEM "file://{secret}">]><gpx><trk><name>&x;</name></trk></gpx>',
        f'<!DOCTYPE gpx [<!ENTITY % x SYSTEM "file://{secret}"> %x;]><gpx/>',
        f'<!DOCTYPE gpx SYSTEM "file://{secret}"><gpx/>',
        '<!DOCTYPE TrainingCenterDatabase PUBLIC "-//x//y" "http://127.0.0.1:9/z.dtd"><TrainingCenterDatabase/>',
    ]
    for bomb in bombs:
        for data in (bomb.encode(), ("\n" + bomb).encode() if bomb[1] != "?" else bomb.encode("utf-16")):
            assert read_or_why(data) == "it declares a document type, which no recording needs"
