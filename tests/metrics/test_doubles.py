"""One run recorded twice counts once, two runs count twice, and it doesn't matter in which order recordings came."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from daemon.metrics.doubles import Measured, completed, doubles, groups, same_clock
from daemon.metrics.run_metrics import ROW_S, RunMetrics, pack
from daemon.values import Activity, Lap

SEVEN = datetime(2026, 11, 1, 7, tzinfo=UTC)
WATCH_FILE = 2**52 + 17


def run(
    number: int,
    after_min: float = 0.0,
    *,
    minutes: float = 60.0,
    km: float = 10.0,
    heart: float = 1.0,
    trust: str = "streams",
    body: int | None = None,
    pause: tuple[int, int] | None = None,
    cut_s: int = 0,
    ups: float = 1.0,
    **facts: object,
) -> Measured:
    """A run that began `after_min` minutes after seven; `body` is whose heartbeats the recording holds,
    without the first `cut_s` and with the `ups` and downs of one, `pause` the minutes between which the watch stood."""
    seconds = round(60 * minutes)
    stood = range(0) if pause is None else range(60 * pause[0], 60 * pause[1])
    facts = {"sport": "Run", "name": "", "source": "strava", "utc_offset_s": 0, **facts}
    activity = Activity(  # type: ignore[arg-type]
        id=number,
        athlete_id=1,
        start=SEVEN + timedelta(minutes=after_min),
        distance_m=1000 * km,
        moving_time_s=seconds - len(stood),
        elapsed_time_s=seconds,
        **facts,
    )
    rows = ""
    if body is not None:
        climbing = np.cumsum(np.random.default_rng(body).normal(0, 2.0, (seconds + cut_s) // ROW_S))
        climbing = ups * climbing[cut_s // ROW_S :]
        climbing[stood.start // ROW_S : stood.stop // ROW_S] = np.nan
        rows = pack([300 + climbing, 140 + climbing if heart else climbing * np.nan, climbing * 0])
    bpm = 140.0 if heart else None
    numbers = RunMetrics(trust, seconds, seconds, 1000 * km, mean_bpm=bpm, heart_share=heart, rows=rows)  # type: ignore[arg-type]
    return activity, numbers


def counted(*recorded: Measured) -> dict[int, int]:
    """Which recordings don't count, and which counts for each."""
    numbers = {activity.id: metrics for activity, metrics in recorded}
    found: dict[int, int] = {}
    for group in groups(activity for activity, _ in recorded):
        found |= doubles((activity, numbers[activity.id]) for activity in group)
    return found


def test_the_watch_counts_and_not_the_phone_in_the_pocket() -> None:
    assert counted(run(10, heart=0.0), run(11, 0.5, minutes=59)) == {10: 11}


def test_two_devices_that_upload_the_same_run_are_one_with_the_first_upload_counting() -> None:
    assert counted(run(11), run(10, 0.2)) == {11: 10}


def test_strava_s_own_counts_where_the_file_holds_no_more() -> None:
    assert counted(run(WATCH_FILE, source="file", heart=0.98), run(10)) == {WATCH_FILE: 10}
    assert counted(run(WATCH_FILE, source="file"), run(10, trust="summary")) == {10: WATCH_FILE}
    assert counted(run(WATCH_FILE, source="file"), run(10, heart=0.4)) == {10: WATCH_FILE}


def test_a_clock_some_minutes_off_is_the_same_run_and_a_run_after_it_is_another() -> None:
    assert counted(run(10), run(11, 12.0, km=10.2)) == {11: 10}
    assert counted(run(10), run(11, 60.5)) == {}
    # A phone without distance, further off: the watch's recording still counts, and not the poorer.
    assert counted(run(10), run(11, 25.0, km=0.0, heart=0.0)) == {11: 10}
    # Half an hour of overlap with another length: a wrong clock between two runs, which both took place.
    assert counted(run(10, minutes=60), run(11, 30.0, minutes=45, km=7.0)) == {}


def test_half_of_two_short_runs_is_too_little_to_be_the_same() -> None:
    assert counted(run(10, minutes=8, km=1.6), run(11, 3.6, minutes=8, km=1.6)) == {}
    assert counted(run(10, minutes=11, km=2.2), run(11, 5.0, minutes=11, km=2.2)) == {11: 10}


def test_a_watch_that_pauses_itself_and_a_phone_that_does_not_are_one() -> None:
    stops = run(10, minutes=60, km=6.0, pause=(10, 35))
    assert counted(stops, run(11, minutes=60, km=6.0, heart=0.0)) == {11: 10}


def test_a_halt_at_a_traffic_light_does_not_make_two_runs_of_two_devices() -> None:
    # Known from their summaries alone, and not of the same distance: their clocks decide.
    halted = run(10, minutes=60, km=10.0, pause=(10, 15), trust="summary")
    assert counted(halted, run(11, 0.5, minutes=60, km=11.0, pause=(30, 34), trust="summary")) == {11: 10}


def test_repetitions_logged_one_by_one_are_not_doubles_of_each_other() -> None:
    reps = [run(n, 1.4 * n, minutes=1.5, km=0.4) for n in range(8)]
    assert counted(*reps) == {}


def test_a_run_cut_in_two_is_two_recordings_and_the_phone_s_whole_is_spared() -> None:
    first, second = run(10, minutes=28, km=4.6), run(11, 31.0, minutes=29, km=4.9)
    assert counted(first, second) == {}
    assert set(counted(first, second, run(12, heart=0.0))) == {12}


def test_a_watch_that_gave_up_after_ten_minutes_does_not_hide_the_run() -> None:
    assert counted(run(10, minutes=10, km=1.7), run(11, heart=0.0)) == {10: 11}
    # A phone that was left on in the car does not hide the watch.
    assert counted(run(10, minutes=45), run(11, minutes=70, km=11.0, heart=0.0)) == {11: 10}


def test_a_run_within_the_hours_for_which_another_was_paused_is_a_run_of_its_own() -> None:
    # Stopped at nine, forgotten, and saved in the evening; at noon another watch was worn.
    paused = {"minutes": 600, "km": 15.0, "pause": (120, 570), "body": 1}
    assert counted(run(10, **paused), run(11, 300, minutes=50, km=5.4, body=2)) == {}
    # As far, even: what was recorded at the same time decides.
    assert counted(run(10, **paused), run(11, 180, minutes=150, km=15.0, body=2)) == {}
    # The second watch was started some minutes before the first was stopped.
    assert counted(run(10, **paused), run(11, 100, minutes=120, km=12.0, body=2)) == {}
    # The phone in the pocket until nine is no run of its own, whatever its own clock went on to.
    assert counted(run(10, **paused), run(11, 1, minutes=119, km=12.0, body=1, heart=0.0)) == {11: 10}
    assert counted(run(10, **paused, heart=0.0), run(11, 1, minutes=590, km=15.2, body=1, pause=(119, 570))) == {10: 11}
    assert counted(run(10, minutes=600, km=15.0, pause=(120, 570), heart=0.0), run(11, 1, **paused)) == {10: 11}
    gym = run(10, minutes=600, km=0.0, pause=(120, 570), heart=0.0, body=1)
    assert counted(gym, run(11, 1, minutes=119, km=12.0, body=1)) == {10: 11}
    # Where one of them is known from its summary alone, they went as far or they are two.
    summary = run(10, minutes=600, km=15.0, pause=(120, 570), trust="summary")
    assert counted(summary, run(11, 300, minutes=50, km=5.4, body=2)) == {}
    assert counted(summary, run(11, minutes=600, km=15.2, pause=(125, 570), body=2)) == {10: 11}
    assert [same_clock(summary[0], run(11, 180, minutes=150, km=km)[0]) for km in (11.0, 14.6)] == [False, True]
    assert [same_clock(summary[0], run(11, 2, minutes=m, km=0.0)[0]) for m in (50, 148)] == [False, True]


def test_legs_of_a_triathlon_and_strength_training_beside_a_run_all_count() -> None:
    ride, leg = run(10, minutes=60, km=30, sport="Ride"), run(11, 60.2, minutes=30, km=5.0)
    assert counted(ride, leg) == {}
    assert counted(run(10), run(11, 1.0, sport="WeightTraining", km=0.0)) == {}
    assert counted(run(10, heart=0.0), run(11, sport="Unknown", source="file")) == {10: 11}


def test_a_run_within_an_hour_at_the_gym_counts_and_does_not_make_the_hour_a_run() -> None:
    gym = run(11, -30.0, minutes=90, km=0.0, sport="Workout")
    assert counted(run(10, minutes=20, km=4.0), gym) == {}
    assert counted(run(10, minutes=88, km=15.0), gym) == {11: 10}


def test_strava_s_sport_counts_whatever_the_watch_was_set_to() -> None:
    ride = run(10, sport="Ride", source="export", trust="summary", heart=0.0)
    assert counted(ride, run(WATCH_FILE, source="fit")) == {WATCH_FILE: 10}
    assert counted(run(10, trust="summary"), run(WATCH_FILE, source="fit", sport="Ride")) == {WATCH_FILE: 10}
    # Another length or another second, and nobody knows.
    assert counted(ride, run(WATCH_FILE, source="fit", minutes=59)) == {}
    assert counted(ride, run(WATCH_FILE, 1.0, source="fit")) == {}
    # Two files: neither sport was corrected by anybody.
    assert counted(run(10, sport="Ride", source="fit"), run(WATCH_FILE, source="fit")) == {}


def test_a_watch_that_gives_every_run_the_same_date_hides_none() -> None:
    assert counted(run(10, km=8.0), run(11, km=13.0)) == {}


def test_a_clock_a_time_zone_off_needs_the_very_same_heartbeats() -> None:
    assert counted(run(10, body=1), run(11, 120.0, body=1)) == {11: 10}
    assert counted(run(10, body=1), run(11, 120.0, body=2)) == {}
    assert counted(run(10), run(11, 120.0)) == {}
    # The same commute morning and evening.
    assert counted(run(10, body=3), run(11, 600.0, body=4)) == {}
    # Where one lacks heart rate, the ups and downs of speed tell.
    assert counted(run(10, body=1), run(11, 120.0, body=1, heart=0.0)) == {11: 10}


def test_recordings_cut_off_differently_are_copies_and_even_ones_tell_nothing() -> None:
    assert counted(run(10, body=1), run(11, 120.5, body=1, minutes=59.5, cut_s=30)) == {11: 10}
    assert counted(run(10, body=1), run(11, 123.0, body=1, minutes=57, cut_s=180)) == {}
    # An hour at one heart rate, an hour at one speed: so are many.
    even = {"body": 1, "ups": 0.1}
    assert counted(run(10, **even), run(11, 120.0, **even)) == {}
    assert counted(run(10, **even), run(11, 120.0, **even, heart=0.0)) == {}


def test_the_same_programme_of_a_treadmill_morning_and_evening_is_two_runs() -> None:
    indoors = {"body": 1, "trainer": True}
    assert counted(run(10, **indoors, heart=0.0), run(11, 600.0, **indoors, heart=0.0)) == {}
    assert counted(run(10, **indoors), run(11, 600.0, **indoors, heart=0.0)) == {}
    # One of the two devices doesn't know that it was indoors.
    unaware = {"body": 1, "heart": 0.0}
    assert counted(run(10, **unaware), run(11, 600.0, **indoors, heart=0.0)) == {}
    assert counted(run(10, **indoors, heart=0.0), run(11, 600.0, **unaware)) == {}
    # A clock ten hours off: the heart beats alike only once.
    assert counted(run(10, **indoors), run(11, 600.0, **indoors)) == {11: 10}
    assert counted(run(10, body=1, heart=0.0), run(11, 600.0, body=1, heart=0.0)) == {11: 10}


def test_runs_whose_start_strava_hides_are_told_apart_by_what_was_recorded() -> None:
    hidden = {"start_obscured": True}
    assert counted(run(10, -419, body=1, **hidden), run(11, -419, body=2, **hidden)) == {}
    assert counted(run(10, -419, body=1, **hidden), run(WATCH_FILE, body=1, source="file")) == {WATCH_FILE: 10}


def test_what_only_one_of_them_says_counts_for_the_run() -> None:
    watch, _ = run(WATCH_FILE, source="file", name="2026-11-01-07-00", laps=(Lap(60, 60, 200),), device="watch")
    strava, _ = run(10, name="Tempo with Ada", perceived_exertion=7.0, workout_type=3, device="Strava App")
    whole = completed(watch, [strava])
    assert (whole.name, whole.perceived_exertion, whole.workout_type) == ("Tempo with Ada", 7.0, 3)
    assert whole.laps == watch.laps and whole.device == "watch" and whole.id == WATCH_FILE
    assert completed(strava, [watch]).name == "Tempo with Ada"
    assert completed(watch, []) is watch
    unnamed, _ = run(12, sport="Workout", source="fit")
    assert completed(unnamed, [strava]).sport == "Run"


RECORDINGS = st.lists(
    st.builds(
        run,
        st.integers(1, 10**6),
        st.sampled_from([0.0, 0.5, 3.0, 11.0, 29.0, 60.0, 61.5, 120.0]),
        minutes=st.sampled_from([1.5, 10.0, 28.0, 45.0, 58.0, 60.0, 90.0]),
        km=st.sampled_from([0.0, 1.6, 4.8, 7.5, 10.0, 10.3]),
        heart=st.sampled_from([0.0, 0.5, 1.0]),
        body=st.sampled_from([None, 1, 2]),
        sport=st.sampled_from(["Run", "TrailRun", "Ride", "Unknown"]),
        source=st.sampled_from(["strava", "export", "fit"]),
    ),
    max_size=7,
    unique_by=lambda pair: pair[0].id,
)


@given(recorded=RECORDINGS, shuffled=st.randoms(use_true_random=False))
def test_the_order_of_arrival_plays_no_part_and_whoever_counts_is_no_double(
    recorded: list[Measured], shuffled: object
) -> None:
    found = counted(*recorded)
    other = list(recorded)
    shuffled.shuffle(other)  # type: ignore[attr-defined]
    assert counted(*other) == found
    ids = {activity.id for activity, _ in recorded}
    assert found.keys() <= ids and set(found.values()) <= ids - found.keys()
