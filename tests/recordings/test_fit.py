"""What a watch wrote is what is read: sessions, pauses, clocks, damage. Files come from a writer of other hands."""

import math
from datetime import timedelta

import numpy as np
import pytest
from fit_tool.profile.profile_type import EventType, FileType, Sport, SubSport

from daemon.metrics import make_series
from daemon.recordings.errors import Unreadable
from daemon.recordings.fit_structure import as_file
from daemon.recordings.reading import read_recording
from daemon.values import Recorded
from tests.recordings.written_fit import (
    FIT_EPOCH_UNIX_S,
    START,
    activity,
    file_id,
    fit_file,
    lap,
    records,
    session,
    sport,
    steady,
    timer,
    whole_run,
    with_developer_field,
)


def only(data: bytes, name: str = "run.fit") -> Recorded:
    (found,) = read_recording(data, name)
    return found


def without(rows: list[dict[str, float]], *names: str) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if name not in names} for row in rows]


def test_a_run_is_read_with_everything_the_watch_says_of_it() -> None:
    found = only(
        whole_run(steady(range(301)), total_ascent=21, max_heart_rate=151, workout_rpe=40), "a/Morning run.fit"
    )
    run, streams = found.activity, found.streams
    assert (run.name, run.sport, run.source, run.start, run.trainer) == ("Morning run", "Run", "fit", START, False)
    assert (run.utc_offset_s, found.offset_known) == (3600, True)
    assert (run.distance_m, run.elapsed_time_s, run.moving_time_s) == (pytest.approx(840.0), 300, 300)
    assert (run.elevation_gain_m, run.max_heart_rate_bpm, run.perceived_exertion) == (21.0, 151.0, 4.0)
    assert run.average_heart_rate_bpm == pytest.approx(143.0, abs=0.1)
    assert (run.device, run.average_temperature_c) == ("Garmin fēnix 6 Pro", 19.0)
    assert [(each.elapsed_s, each.average_heart_rate_bpm) for each in run.laps] == [(300.0, 143.0)]
    assert streams is not None and streams.cadence_rpm is not None and streams.altitude_m is not None
    assert np.array_equal(streams.time_s, np.arange(301.0))
    assert set(streams.cadence_rpm) == {84.5}
    assert streams.altitude_m[-1] == pytest.approx(106.0)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("activities/1234567.fit.gz", "1234567"),
        ("C:\\Runs\\12.5 km.FIT", "12.5 km"),
        ("odd\udcff\n name.gpx", "odd name"),
        ("run", "run"),
    ],
)
def test_a_run_without_a_name_has_that_of_its_file(name: str, read: str) -> None:
    assert only(whole_run(steady(range(61))), name).activity.name == read


def test_a_pause_is_a_jump_in_time_and_what_was_written_in_it_is_gone() -> None:
    rows = [*steady(range(121)), *without(steady(range(150, 170)), "distance"), *steady(range(300, 421))]
    for row in rows[-121:]:
        row["distance"] -= 2.8 * 180
    run = only(whole_run(rows, timer(120, EventType.STOP_ALL), timer(300, EventType.START)))
    assert run.streams is not None and run.streams.moving is not None
    assert np.flatnonzero(np.diff(run.streams.time_s) > 1).tolist() == [120]
    assert run.streams.time_s[121] == 300.0
    assert run.streams.moving[121] == 0.0 and run.streams.moving.sum() == 241
    assert (run.activity.elapsed_time_s, run.activity.moving_time_s) == (420, 240)
    series = make_series(run.streams)
    assert series is not None
    assert np.nanmean(series.speed_m_s) == pytest.approx(2.8, abs=0.02)
    assert np.isnan(series.heart_rate_bpm[26:58]).all()


def test_a_stop_that_no_start_follows_stops_nothing_while_the_run_goes_on() -> None:
    run = only(whole_run(steady(range(301)), timer(60, EventType.STOP)))
    assert run.streams is not None and run.streams.time_s.size == 301


def test_a_watch_stopped_and_started_again_within_a_second_goes_on_recording() -> None:
    rows = [*steady(range(121)), *steady(range(180, 301))]
    twice = [timer(60, EventType.STOP_ALL), timer(60, EventType.START)]
    run = only(whole_run(rows, *twice, timer(120, EventType.STOP_ALL), timer(180, EventType.START)))
    assert run.streams is not None and run.streams.time_s.tolist() == [*range(121), *range(180, 301)]


def test_smart_recording_keeps_its_seconds() -> None:
    seconds = [0, 1, 5, 12, 13, 21, 40, 44, 61, 90]
    run = only(whole_run(steady(seconds)))
    assert run.streams is not None and run.streams.time_s.tolist() == seconds
    assert run.activity.moving_time_s == 90


def test_a_triathlon_is_three_activities_and_its_changes_of_shoes_are_none() -> None:
    rows = [*steady(range(121), 1.0), *steady(range(121, 151)), *steady(range(151, 401), 9.0), *steady(range(401, 601))]
    legs = [
        session(0, 120.5, sport=Sport.SWIMMING, sub_sport=SubSport.OPEN_WATER),
        session(121, 150, sport=Sport.TRANSITION),
        session(151, 400, sport=Sport.CYCLING, total_distance=2241.0),
        session(401, 600, sport=Sport.RUNNING, sub_sport=SubSport.TRAIL),
    ]
    laps = [lap(0, 120, 120.0), lap(151, 400, 2241.0), lap(401, 500, 280.0), lap(500, 600, 280.0)]
    swim, ride, run = read_recording(fit_file([file_id(), *records(rows), *laps, *legs, activity(600)]), "race.fit")
    assert [each.activity.sport for each in (swim, ride, run)] == ["Swim", "Ride", "TrailRun"]
    assert [len(each.activity.laps) for each in (swim, ride, run)] == [1, 1, 2]
    assert run.activity.start == START + timedelta(seconds=401)
    assert run.activity.distance_m == pytest.approx(199 * 2.8, abs=1.0)
    assert len({each.activity.id for each in (swim, ride, run)}) == 3


def test_a_session_saved_twice_is_one_run() -> None:
    rows = records(steady(range(181)))
    run = only(fit_file([file_id(), *rows, session(0, 90), session(0, 180, total_ascent=9), activity(180)]))
    assert (run.activity.elapsed_time_s, run.activity.elevation_gain_m) == (180, 9.0)


def test_files_in_a_chain_are_read_one_after_the_other() -> None:
    morning = whole_run(steady(range(121)))
    evening = steady(range(36_000, 36_121))
    later = fit_file([file_id(), *records(evening), session(36_000, 36_120), activity(36_120)])
    found = read_recording(morning + later, "day.fit")
    assert [each.activity.start for each in found] == [START, START + timedelta(hours=10)]
    assert found[0].activity.id == only(morning).activity.id


def test_a_watch_that_died_leaves_what_it_had_written_and_the_same_id() -> None:
    rows = steady(range(301))
    whole = fit_file([file_id(), sport(Sport.RUNNING, SubSport.TRAIL), *records(rows), session(0, 300), activity(300)])
    half = only(whole[: len(whole) // 2])
    assert 60 <= half.activity.elapsed_time_s < 200
    assert half.activity.sport == "TrailRun"
    assert half.activity.id == only(whole).activity.id
    unfinished = whole[:4] + b"\0\0\0\0" + whole[8 : len(whole) // 2]
    assert only(unfinished).activity == half.activity
    with pytest.raises(Unreadable, match="truncated"):
        read_recording(whole[:900], "run.fit")
    with pytest.raises(Unreadable, match="truncated"):
        read_recording(whole[:60], "run.fit")


def test_a_wrong_checksum_is_no_reason_to_lose_a_run() -> None:
    whole = whole_run(steady(range(121)))
    assert only(whole[:-2] + b"\x12\x34").activity == only(whole).activity


def test_nonsense_in_the_middle_ends_the_run_there() -> None:
    whole = whole_run(steady(range(301)))
    middle = len(whole) // 2
    broken = only(whole[:middle] + b"\xff" * 40 + whole[middle + 40 :])
    assert 60 <= broken.activity.elapsed_time_s < 200
    with pytest.raises(Unreadable, match="truncated"):
        read_recording(whole[:900] + b"\xff" * 40 + whole[940:], "run.fit")


def test_a_second_in_the_head_of_a_record_is_a_second_too() -> None:
    """Old watches save three bytes a record: the head counts seconds from the last whole time, modulo 32."""
    began = round(START.timestamp()) - FIT_EPOCH_UNIX_S
    whole_time = b"\x40\0\0\x14\0\2\xfd\4\x86\3\1\2" + b"\0" + began.to_bytes(4, "little") + b"\x8c"
    shorter = b"\x43\0\0\x14\0\1\3\1\2"
    heads = b"".join(bytes([0x80 | 3 << 5 | (began + second) % 32, 140]) for second in range(1, 91))
    run = only(as_file(whole_time + shorter + heads))
    assert run.streams is not None and run.streams.time_s.tolist() == list(range(91))
    assert run.activity.average_heart_rate_bpm == 140.0


@pytest.mark.parametrize("clock", [FIT_EPOCH_UNIX_S + 30.0, 946_684_800.0])
def test_a_clock_that_was_never_set_is_told_by_the_session_or_not_at_all(clock: float) -> None:
    rows = steady(range(121), since=clock)
    told = only(fit_file([file_id(), *records(rows), session(0, 120), activity(120)]))
    assert told.activity.start == START and told.activity.elapsed_time_s == 120
    with pytest.raises(Unreadable, match="clock was not set"):
        read_recording(fit_file([file_id(time_created=clock), *records(rows)]), "run.fit")


def test_the_seconds_before_the_clock_was_set_are_left_out() -> None:
    early = steady(range(10), since=FIT_EPOCH_UNIX_S + 30.0)
    run = only(fit_file([file_id(), *records([*early, *steady(range(10, 131))]), session(0, 130), activity(130)]))
    assert run.activity.start == START + timedelta(seconds=10) and run.activity.elapsed_time_s == 120


def test_one_flipped_clock_does_not_make_a_run_of_three_days() -> None:
    rows = steady(range(121))
    rows[60]["timestamp"] += 3 * 86_400
    assert only(fit_file([file_id(), *records(rows), session(0, 120)])).activity.elapsed_time_s == 120


@pytest.mark.parametrize(
    ("told", "read"), [(19_800, 19_800), (-12_600 + 40, -12_600), (0, None), (15 * 3600, None), (None, None)]
)
def test_the_wall_clock_is_known_where_the_watch_tells_a_zone(told: int | None, read: int | None) -> None:
    run = only(whole_run(steady(range(121)), offset_s=told))
    assert (run.offset_known, run.activity.utc_offset_s) == (read is not None, read or 0)


def test_heart_rate_in_an_apps_own_field_is_heart_rate() -> None:
    rows = without(steady(range(121)), "heart_rate")
    run = only(with_developer_field(rows, "Heart Rate", [0] * 20 + [151] * 101))
    assert run.activity.average_heart_rate_bpm == 151.0
    assert run.streams is not None and run.streams.heart_rate_bpm is not None
    assert np.isnan(run.streams.heart_rate_bpm[:20]).all()
    other = only(with_developer_field(rows, "Ground Contact", [151] * 121))
    assert not other.activity.has_heart_rate


def test_distance_comes_from_positions_where_the_watch_gives_none() -> None:
    rows = without(steady(range(181)), "distance", "enhanced_speed")
    for second, row in enumerate(rows):
        row |= {"position_lat": 50.0 + second * 2.7e-5, "position_long": 8.0}  # 3.0 m north a second
    rows[90]["position_lat"] += 0.5
    run = only(fit_file([file_id(), *records(rows), session(0, 180)]))
    assert run.activity.distance_m == pytest.approx(178 * 3.002, rel=0.01)


def test_a_treadmill_has_speed_alone() -> None:
    rows = without(steady(range(181)), "distance", "enhanced_altitude")
    run = only(fit_file([file_id(), *records(rows), session(0, 180, sub_sport=SubSport.TREADMILL)]))
    assert (run.activity.sport, run.activity.trainer) == ("Run", True)
    assert run.streams is not None and run.streams.distance_m is None and run.streams.altitude_m is None
    series = make_series(run.streams)
    assert series is not None and np.nanmean(series.speed_m_s) == pytest.approx(2.8)


def test_a_stop_of_the_belt_is_no_moving_time() -> None:
    rows = without([*steady(range(61)), *steady(range(70, 131))], "distance", "enhanced_altitude")
    stop, start = timer(60, EventType.STOP_ALL), timer(70, EventType.START)
    run = only(fit_file([file_id(), *records(rows), stop, start, session(0, 130, sub_sport=SubSport.TREADMILL)]))
    assert (run.activity.elapsed_time_s, run.activity.moving_time_s) == (130, 120)


def test_records_out_of_order_and_seconds_written_twice_make_one_run() -> None:
    rows = steady(range(181))
    places = [{name: row[name] for name in ("timestamp", "distance", "enhanced_speed")} for row in rows]
    hearts = without(rows, "distance", "enhanced_speed")
    mixed = [*hearts[90:], *places, *hearts[:90]]
    run = only(fit_file([file_id(), *records(mixed), session(0, 180)]))
    assert run.streams is not None and run.streams.heart_rate_bpm is not None and run.streams.distance_m is not None
    assert run.streams.time_s.tolist() == list(range(181))
    assert np.isfinite(run.streams.heart_rate_bpm).all() and np.isfinite(run.streams.distance_m).all()


def test_one_wild_distance_does_not_take_the_rest_of_the_run_with_it() -> None:
    rows = steady(range(301))
    rows[100]["distance"] = 1_900_000.0
    run = only(fit_file([file_id(), *records(rows), session(0, 300)]))
    assert run.streams is not None and run.streams.distance_m is not None
    assert run.activity.distance_m == np.nanmax(run.streams.distance_m) == pytest.approx(840.0)


def test_a_counter_that_begins_again_goes_on_from_where_it_was() -> None:
    rows = steady(range(301))
    for row in rows[150:]:
        row["distance"] -= 2.8 * 150
    assert only(fit_file([file_id(), *records(rows)])).activity.distance_m == pytest.approx(840.0, abs=4.0)


def test_a_run_has_the_same_id_whatever_its_file_is_called_and_another_run_another() -> None:
    data = whole_run(steady(range(121)))
    assert only(data, "a.fit").activity.id == only(data, "b.gpx").activity.id
    again = fit_file([file_id(serial_number=7), *records(steady(range(121))), session(0, 120)])
    assert only(again).activity.id != only(data).activity.id
    assert 2**52 <= only(data).activity.id < 2**52 + 2**48


@pytest.mark.parametrize(
    ("what", "sub", "word", "trainer"),
    [
        (Sport.RUNNING, SubSport.STREET, "Run", False),
        (Sport.RUNNING, SubSport.TRACK, "Run", False),
        (Sport.RUNNING, SubSport.INDOOR_RUNNING, "Run", True),
        (Sport.RUNNING, SubSport.VIRTUAL_ACTIVITY, "VirtualRun", False),
        (Sport.FITNESS_EQUIPMENT, SubSport.TREADMILL, "Run", True),
        (Sport.CYCLING, SubSport.INDOOR_CYCLING, "Ride", True),
        (Sport.CYCLING, SubSport.VIRTUAL_ACTIVITY, "VirtualRide", False),
        (Sport.HIKING, SubSport.GENERIC, "Hike", False),
        (Sport.BOATING, SubSport.GENERIC, "Workout", False),
    ],
)
def test_sports_have_stravas_words(what: Sport, sub: SubSport, word: str, trainer: bool) -> None:
    run = only(fit_file([file_id(), *records(steady(range(61))), session(0, 60, sport=what, sub_sport=sub)]))
    assert (run.activity.sport, run.activity.trainer) == (word, trainer)


def test_a_session_without_records_is_known_by_its_totals() -> None:
    run = only(fit_file([file_id(), session(0, 1800, total_distance=5000.0, avg_heart_rate=139), activity(1800)]))
    assert run.streams is None
    assert (run.activity.distance_m, run.activity.elapsed_time_s, run.activity.average_heart_rate_bpm) == (
        5000,
        1800,
        139,
    )


def test_what_is_no_recording_is_said_to_be_none() -> None:
    with pytest.raises(Unreadable, match="without an activity"):
        read_recording(fit_file([file_id(type=FileType.SETTINGS)]), "settings.fit")
    course = fit_file([file_id(type=FileType.COURSE), *records(steady(range(121)))])
    with pytest.raises(Unreadable, match="course"):
        read_recording(course, "course.fit")


def test_values_that_no_runner_has_are_missing() -> None:
    rows = steady(range(121))
    for row in rows[:30]:
        row["heart_rate"] = 0
    run = only(whole_run(rows))
    assert run.streams is not None and run.streams.heart_rate_bpm is not None
    assert np.isnan(run.streams.heart_rate_bpm[:30]).all() and math.isclose(run.streams.heart_rate_bpm[30], 142.0)
