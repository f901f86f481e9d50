"""TCX and GPX as services and watches write them, with the oddities seen in the wild."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np
import pytest

from daemon.metrics import make_series
from daemon.recordings.errors import Unreadable
from daemon.recordings.reading import read_recording
from daemon.values import Recorded
from tests.recordings.written_fit import START

TPX = "http://www.garmin.com/xmlschemas/TrackPointExtension/v1"


def only(data: bytes | str, name: str = "1234.gpx") -> Recorded:
    (found,) = read_recording(data.encode() if isinstance(data, str) else data, name)
    return found


def clock(second: float, zone: str = "Z") -> str:
    return (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S") + zone


def trkpt(second: float, zone: str = "Z", more: str = "") -> str:
    """A point of a run due north at 3 m/s, as Strava's and Garmin's GPX have it."""
    return (
        f'<trkpt lat="{50 + second * 2.698e-5:.8f}" lon="8.0"><ele>{100 + second / 50}</ele>'
        f"<time>{clock(second, zone)}</time><extensions><gpxtpx:TrackPointExtension>"
        f"<gpxtpx:atemp>17</gpxtpx:atemp><gpxtpx:hr>{140 + second % 3}</gpxtpx:hr><gpxtpx:cad>85</gpxtpx:cad>"
        f"{more}</gpxtpx:TrackPointExtension></extensions></trkpt>"
    )


def gpx(*segments: Iterable[str], kind: str = "9", creator: str = "StravaGPX iPhone", name: str = "Easy run") -> str:
    tracks = "".join(f"<trkseg>{''.join(segment)}</trkseg>" for segment in segments)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><gpx creator="{creator}" version="1.1" '
        f'xmlns="http://www.topografix.com/GPX/1/1" xmlns:gpxtpx="{TPX}"><metadata><time>{clock(0)}</time></metadata>'
        f"<trk><name>{name}</name><type>{kind}</type>{tracks}</trk></gpx>"
    )


def trackpoint(second: float, distance: float | None = None, zone: str = "Z") -> str:
    metres = 2.8 * second if distance is None else distance
    return (
        f"<Trackpoint><Time>{clock(second, zone)}</Time><AltitudeMeters>{100 + second / 50}</AltitudeMeters>"
        f"<DistanceMeters>{metres}</DistanceMeters><HeartRateBpm><Value>{140 + second % 3}</Value></HeartRateBpm>"
        "<Cadence>80</Cadence><Extensions><ns3:TPX><ns3:Speed>2.8</ns3:Speed><ns3:RunCadence>84</ns3:RunCadence>"
        "</ns3:TPX></Extensions></Trackpoint>"
    )


def tcx_lap(begin: int, end: int, *tracks: Iterable[str]) -> str:
    points = "".join(f"<Track>{''.join(track)}</Track>" for track in tracks)
    return (
        f'<Lap StartTime="{clock(begin)}"><TotalTimeSeconds>{end - begin}</TotalTimeSeconds>'
        f"<DistanceMeters>{2.8 * (end - begin)}</DistanceMeters><AverageHeartRateBpm><Value>141</Value>"
        f"</AverageHeartRateBpm><MaximumHeartRateBpm><Value>150</Value></MaximumHeartRateBpm>{points}</Lap>"
    )


def tcx(*activities: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><TrainingCenterDatabase '
        'xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2" '
        'xmlns:ns3="http://www.garmin.com/xmlschemas/ActivityExtension/v2">'
        f"<Activities>{''.join(activities)}</Activities><Author><Name>Garmin Connect</Name></Author>"
        "</TrainingCenterDatabase>"
    )


def tcx_activity(*laps: str, sport: str = "Running") -> str:
    return (
        f'<Activity Sport="{sport}"><Id>{clock(0)}</Id>{"".join(laps)}'
        "<Creator><Name>Forerunner 620</Name></Creator></Activity>"
    )


def test_a_gpx_run_is_measured_from_its_positions() -> None:
    found = only(gpx(map(trkpt, range(301))))
    run, streams = found.activity, found.streams
    assert (run.name, run.sport, run.source, run.start) == ("Easy run", "Run", "gpx", START)
    assert (found.offset_known, run.utc_offset_s, run.elapsed_time_s) == (False, 0, 300)
    assert run.distance_m == pytest.approx(900.0, rel=0.002)
    assert (run.average_temperature_c, run.average_heart_rate_bpm) == (17.0, pytest.approx(141.0, abs=0.1))
    assert run.elevation_gain_m == pytest.approx(6.0, abs=3.0)
    assert streams is not None and streams.cadence_rpm is not None and set(streams.cadence_rpm) == {85.0}
    series = make_series(streams)
    assert series is not None and np.nanmean(series.speed_m_s) == pytest.approx(3.0, rel=0.01)


def test_between_segments_the_runner_stood() -> None:
    later = [trkpt(second).replace(clock(second), clock(second + 300)) for second in range(121, 242)]
    run = only(gpx(map(trkpt, range(121)), later))
    assert (run.activity.elapsed_time_s, run.activity.moving_time_s) == (541, 240)
    assert run.streams is not None and np.diff(run.streams.time_s).max() == 301


def trk(begin: int, seconds: int, *, kind: str = "9", name: str = "Easy run") -> str:
    points = "".join(trkpt(s).replace(clock(s), clock(begin + s)) for s in range(seconds + 1))
    return f"<trk><name>{name}</name><type>{kind}</type><trkseg>{points}</trkseg></trk>"


def with_tracks(*tracks: str) -> str:
    head, foot = gpx().split("<trk>")[0], "</gpx>"
    return f"{head}{''.join(tracks)}{foot}"


def test_a_gpx_of_several_days_is_a_run_for_each_and_the_tracks_of_one_day_s_run_are_one() -> None:
    hour, day = 3600, 86_400
    monday = [trk(0, 300, name="Monday"), trk(2400, 300)]  # a halt at a café, the watch off
    later = [trk(5 * hour, 400, name="After work"), trk(2 * day, 500, name="Wednesday"), trk(20 * day, 600)]
    found = read_recording(with_tracks(*monday, *later).encode(), "years.gpx")
    assert [(each.activity.name, each.activity.start, each.activity.elapsed_time_s) for each in found] == [
        ("Monday", START, 2700),
        ("After work", START + timedelta(hours=5), 400),
        ("Wednesday", START + timedelta(days=2), 500),
        ("Easy run", START + timedelta(days=20), 600),
    ]
    assert [each.activity.moving_time_s for each in found] == [600, 400, 500, 600]
    assert [each.lost for each in found] == [None] * 4
    # Services write the newest first; the runs are the same, and have the same ids.
    again = read_recording(with_tracks(*later[::-1], *monday).encode(), "years.gpx")
    assert [each.activity for each in again] == [each.activity for each in found]


def test_a_single_point_years_away_does_not_make_one_run_of_all_tracks() -> None:
    day = 86_400
    astray = trk(0, 300).replace(clock(300), clock(4000 * day))
    backwards = trk(4 * day, 300).replace(clock(4 * day), clock(-4000 * day))
    tracks = [astray, trk(2 * day, 300), backwards, trk(6 * day, 300)]
    found = read_recording(with_tracks(*tracks).encode(), "years.gpx")
    assert [(each.activity.start - START).days for each in found] == [0, 2, 4, 6]
    assert [each.activity.elapsed_time_s for each in found] == [299, 300, 299, 300]
    assert [each.lost is not None for each in found] == [True, False, True, False]
    # At the end of a segment: neither is the run cut there, nor do its points lie within a pause of years.
    for where in (4000 * day, -4000 * day):
        first = [*map(trkpt, range(300)), trkpt(300).replace(clock(300), clock(where))]
        run = only(gpx(first, map(trkpt, range(360, 661))))
        assert run.activity.elapsed_time_s == 660 and run.streams is not None and run.streams.time_s.size == 601
        assert run.lost == "1 point with a clock far from the others' left out"


def test_segments_and_laps_of_several_days_are_a_run_for_each() -> None:
    begins = (0, 3600, 86_400, 30 * 86_400)
    segments = [[trkpt(s).replace(clock(s), clock(at + s, "+02:00"[: 6 * (at > 86_400)] or "Z")) for s in range(301)]
                for at in begins]  # fmt: skip
    found = read_recording(gpx(*segments).encode(), "track.gpx")
    assert [each.activity.elapsed_time_s for each in found] == [3900, 300, 300]
    assert [each.activity.moving_time_s for each in found] == [600, 300, 300]
    assert [each.activity.utc_offset_s for each in found] == [0, 0, 7200]
    again = read_recording(gpx(*segments[::-1]).encode(), "track.gpx")
    assert [each.activity.start for each in again] == [each.activity.start for each in found]
    # A watch that counts its metres on and on.
    laps = [tcx_lap(at, at + 300, (trackpoint(at + s, 1000 * n + 2.8 * s) for s in range(301)))
            for n, at in enumerate(begins)]  # fmt: skip
    found = read_recording(tcx(tcx_activity(*laps)).encode(), "laps.tcx")
    assert [each.activity.elapsed_time_s for each in found] == [3900, 300, 300]
    assert [len(each.activity.laps) for each in found] == [2, 1, 1]
    assert [each.activity.start - START for each in found] == [timedelta(seconds=at) for at in (0, 86_400, 30 * 86_400)]
    streams = [each.streams.distance_m for each in found if each.streams is not None]
    assert [round(float(metres[-1])) for metres in streams if metres is not None] == [1840, 1000 + 840 - 840, 1000]
    assert len({each.activity.id for each in found}) == 3


def test_a_track_without_times_beside_a_good_one_is_said() -> None:
    undated = "<trk><trkseg><trkpt lat='50' lon='8'/><trkpt lat='50.1' lon='8'/></trkseg></trk>"
    (found,) = read_recording(with_tracks("<trk/>", undated, trk(0, 300)).encode(), "a.gpx")
    assert found.lost == "1 track left out: no times in it"
    short = tcx_activity(tcx_lap(90_000, 90_000, [trackpoint(90_000)]))
    (found,) = read_recording(tcx(tcx_activity(tcx_lap(0, 300, map(trackpoint, range(301)))), short).encode(), "a.tcx")
    assert found.lost == "1 activity left out: nothing recorded in it"


def test_a_track_within_another_does_not_end_it() -> None:
    tracks = [trk(0, 5 * 3600), trk(3600, 300), trk(5 * 3600 + 1800, 300)]
    (found,) = read_recording(with_tracks(*tracks).encode(), "a.gpx")
    assert found.activity.elapsed_time_s == 5 * 3600 + 2100
    # What one track recorded is no pause because another was shorter.
    assert found.streams is not None and found.streams.time_s.size > 5 * 3600


def test_a_ride_to_the_start_of_a_run_is_a_ride_and_a_run() -> None:
    found = read_recording(with_tracks(trk(0, 300, kind="1"), trk(400, 300)).encode(), "both.gpx")
    assert [each.activity.sport for each in found] == ["Ride", "Run"]


def test_points_far_from_the_others_and_tracks_of_a_single_point_are_left_out_and_said() -> None:
    text = gpx(map(trkpt, range(301)))
    assert only(text).lost is None
    astray = text.replace(clock(300), "2031-01-01T00:00:00Z")
    assert only(astray).lost == "1 point with a clock far from the others' left out"
    assert only(astray).activity.elapsed_time_s == 299
    (found,) = read_recording(with_tracks(trk(0, 300), trk(90_000, 0)).encode(), "a.gpx")
    assert found.lost == "1 track left out: nothing recorded in it"


@pytest.mark.parametrize(
    ("kind", "word", "trainer"),
    [
        ("9", "Run", False),
        ("running", "Run", False),
        ("TrailRun", "TrailRun", False),
        ("trail_running", "TrailRun", False),
        ("treadmill_running", "Run", True),
        ("53", "VirtualRun", False),
        ("cycling", "Ride", False),
        ("1", "Ride", False),
        ("unicycling", "Workout", False),
        ("", "Workout", False),
    ],
)
def test_the_type_of_a_track_may_be_a_word_or_stravas_number(kind: str, word: str, trainer: bool) -> None:
    run = only(gpx(map(trkpt, range(61)), kind=kind)).activity
    assert (run.sport, run.trainer) == (word, trainer)


def test_an_offset_in_the_times_is_the_runners_wall_clock() -> None:
    run = only(gpx(trkpt(second, "-05:00") for second in range(61)))
    assert (run.offset_known, run.activity.utc_offset_s) == (True, -18_000)
    assert run.activity.start == START + timedelta(hours=5)


@pytest.mark.parametrize(
    "dress",
    [
        lambda text: text.encode(),
        lambda text: ("\n   \t " + text).encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: b"\xef\xbb\xbf \n" + text.encode(),
        lambda text: text.replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16"),
        lambda text: text.replace("UTF-8", "ISO-8859-1").encode("latin-1"),
        lambda text: text.replace("<gpx ", "<!-- made by hand --><gpx ").encode(),
        lambda text: (
            text.replace("<trk>", "<g:trk xmlns:g='http://www.topografix.com/GPX/1/1'>")
            .replace("</trk>", "</g:trk>")
            .encode()
        ),
    ],
)
def test_however_a_file_is_dressed_it_is_the_same_run(dress) -> None:  # type: ignore[no-untyped-def]
    text = gpx(map(trkpt, range(61)), name="Läufchen")
    assert only(dress(text)).activity == only(text).activity


def test_a_tcx_run_has_its_laps_and_the_watchs_own_distance() -> None:
    laps = [tcx_lap(0, 150, map(trackpoint, range(150))), tcx_lap(150, 300, map(trackpoint, range(150, 301)))]
    found = only("  \n\n" + tcx(tcx_activity(*laps)), "activities/143805738.tcx")
    run, streams = found.activity, found.streams
    assert (run.name, run.sport, run.source, run.start) == ("143805738", "Run", "tcx", START)
    assert (run.distance_m, run.moving_time_s, run.elapsed_time_s) == (pytest.approx(840.0), 300, 300)
    assert (run.device, run.max_heart_rate_bpm, found.offset_known) == ("Forerunner 620", 150.0, False)
    assert [(lap.elapsed_s, lap.distance_m, lap.average_heart_rate_bpm) for lap in run.laps] == [(150, 420, 141)] * 2
    assert streams is not None and streams.cadence_rpm is not None and set(streams.cadence_rpm) == {84.0}
    assert streams.moving is not None and streams.moving.all()


def test_between_two_tracks_the_watch_was_stopped() -> None:
    points = [
        trackpoint(second).replace("DistanceMeters", "Ignored").replace("Speed", "Ignored") for second in range(131)
    ]
    found = only(tcx(tcx_activity(tcx_lap(0, 130, points[:61], points[70:]))))
    assert found.streams is not None and found.streams.distance_m is None
    assert (found.activity.elapsed_time_s, found.activity.moving_time_s) == (130, 120)


def test_a_tcx_of_several_sports_is_several_activities() -> None:
    ride = tcx_activity(tcx_lap(0, 100, map(trackpoint, range(101))), sport="Biking")
    run = tcx_activity(tcx_lap(200, 300, map(trackpoint, range(200, 301))))
    text = tcx(f"<MultiSportSession><FirstSport>{ride}</FirstSport><NextSport>{run}</NextSport></MultiSportSession>")
    found = read_recording(text.encode(), "tri.tcx")
    assert [each.activity.sport for each in found] == ["Ride", "Run"]
    assert [each.activity.start for each in found] == [START, START + timedelta(seconds=200)]


def test_a_tcx_without_points_is_known_by_its_laps() -> None:
    found = only(tcx(tcx_activity(tcx_lap(0, 1800))), "treadmill.tcx")
    assert found.streams is None
    assert (found.activity.start, found.activity.elapsed_time_s, found.activity.distance_m) == (START, 1800, 5040.0)


def test_a_distance_that_begins_again_with_each_lap_goes_on() -> None:
    laps = [
        tcx_lap(0, 150, map(trackpoint, range(150))),
        tcx_lap(150, 300, (trackpoint(second, 2.8 * (second - 150)) for second in range(150, 301))),
    ]
    found = only(tcx(tcx_activity(*laps)))
    assert found.streams is not None and found.streams.distance_m is not None
    assert np.nanmax(found.streams.distance_m) == pytest.approx(840.0, abs=4.0)


def test_broken_off_it_is_read_as_far_as_it_goes() -> None:
    text = gpx(map(trkpt, range(301)))
    half = only(text[: len(text) // 2])
    assert 100 < half.activity.elapsed_time_s < 200
    with pytest.raises(Unreadable, match="truncated"):
        only(text[:3000])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (gpx([trkpt(second).replace(clock(second), "") for second in range(61)]), "no times in it"),
        (gpx([trkpt(second).replace(clock(second), "gestern") for second in range(61)]), "no times in it"),
        (gpx([trkpt(second).replace("2026", "1989") for second in range(61)]), "clock was not set"),
        ("<gpx/>", "no times in it"),
        (gpx(map(trkpt, range(1))), "nothing recorded"),
        (tcx(), "no activity in it"),
        (tcx("<Course><Name>Round the lake</Name></Course>"), "course"),
        ("<kml><Placemark/></kml>", "not a FIT, TCX or GPX file"),
        ("<html><body>Please log in</body></html>", "not a FIT, TCX or GPX file"),
        ("<", "not a FIT, TCX or GPX file"),
        ("", "empty"),
        ("Activity ID,Activity Date\n", "not a FIT, TCX or GPX file"),
    ],
)
def test_what_is_no_recording_is_said_to_be_none(text: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        only(text)


def test_the_name_of_a_run_is_one_short_line() -> None:
    run = only(gpx(map(trkpt, range(61)), name="Run &#10; with\n\x85 Ann" + "a" * 500)).activity
    assert run.name.startswith("Run with Ann") and len(run.name) <= 100


def test_times_of_a_run_are_those_of_the_watch_to_the_fraction() -> None:
    points = [trkpt(second).replace(clock(second), clock(second)[:-1] + ".250Z") for second in range(61)]
    run = only(gpx(points))
    assert isinstance(run.activity.start, datetime) and run.activity.start == START
    assert run.streams is not None and run.streams.time_s.tolist() == list(range(61))
