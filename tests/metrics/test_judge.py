"""Runs called what a runner would call them, measured against the runner's own usual, and never by later runs."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.metrics import AthleteSettings, RunMetrics, judge, judge_runs, measure
from daemon.values import Activity, FloatArray, Lap, Run, Streams
from tests.metrics.recordings import EASY_M_S, activity, base_weeks, record, repeats, run, steady

WARM_UP, COOL_DOWN = steady(15), steady(10)
BASE = base_weeks()


def judged(streams: Streams, **facts: Any) -> Run:
    return judge_runs([*BASE, run(20, streams, **facts)], AthleteSettings())[-1]


def session(*parts: FloatArray, **facts: Any) -> Run:
    return judged(record(np.concatenate((WARM_UP, *parts, COOL_DOWN))), **facts)


def test_an_easy_run_is_easy_and_gives_its_heart_rate() -> None:
    result = judged(record(steady(45)))
    assert (result.kind, result.hard, result.left_out) == ("easy", False, None)
    assert result.easy is not None
    # At minute 20 the drift has added 3 bpm to 142; the lag of the heart is settled.
    assert result.easy.bpm == pytest.approx(145.0, abs=0.6)
    assert result.easy.speed_m_s == pytest.approx(EASY_M_S, abs=0.02)
    assert result.easy.drift_bpm_per_min == pytest.approx(0.15, abs=0.03)
    assert result.easy.minutes == 40 and result.easy.se_bpm < 1.5
    assert result.load == pytest.approx(45.0, rel=0.05)
    assert (result.easy_minutes, result.hard_minutes) == (45.0, 0.0)


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        (repeats(10, 60, 60, 4.0), "intervals"),
        (repeats(6, 180, 120, 3.6), "intervals"),
        (repeats(5, 240, 150, 3.5), "intervals"),
        (steady(20, 3.3), "tempo"),
        (repeats(2, 600, 120, 3.35, 2.6), "tempo"),
    ],
)
def test_sessions_are_hard_and_say_nothing_about_easy_heart_rate(parts: FloatArray, kind: str) -> None:
    result = session(parts)
    assert (result.kind, result.hard, result.easy, result.left_out) == (kind, True, None, "hard session")
    assert result.hard_minutes > 8 and result.load > 45


def test_hill_repeats_are_hills() -> None:
    speed = np.concatenate((WARM_UP, repeats(8, 90, 120, 3.0, 2.4), COOL_DOWN))
    grade = np.where(speed > 2.9, 0.06, np.where(speed < 2.5, -0.045, 0.0))
    streams = record(speed, grade=grade)
    assert streams.heart_rate_bpm is not None
    assert judged(streams).hard
    steep = record(speed, grade=grade, seed=4)
    factor = np.where(speed > 2.9, 18.0, 0.0)
    beats = np.convolve(np.concatenate((np.zeros(40), factor)), np.full(40, 1 / 40), mode="valid")[: speed.size]
    assert steep.heart_rate_bpm is not None
    steep.heart_rate_bpm[:] += np.round(beats)
    assert judged(steep).kind == "hills"


def test_strides_are_not_hard_and_the_easy_part_counts() -> None:
    result = judged(record(np.concatenate((steady(35), repeats(6, 20, 70, 4.6, 2.6), steady(5)))))
    assert (result.kind, result.hard) == ("strides", False)
    assert result.easy is not None
    assert result.easy.bpm == pytest.approx(145.0, abs=1.0)


def test_an_easy_pace_with_a_high_heart_rate_stays_easy() -> None:
    result = judged(record(steady(45), strain=15.0))
    assert (result.kind, result.hard) == ("easy", False)
    assert result.easy is not None and result.easy.bpm == pytest.approx(160.0, abs=0.6)


def test_a_slower_run_at_the_same_heart_rate_shows_its_lost_pace() -> None:
    result = judged(record(steady(45, EASY_M_S - 0.3), strain=6.6))
    assert result.easy is not None
    assert result.easy.speed_m_s == pytest.approx(EASY_M_S - 0.3, abs=0.02)
    assert result.easy.bpm == pytest.approx(145.0, abs=0.6)


def test_faster_easy_running_without_a_response_is_not_a_session() -> None:
    assert not judged(record(steady(45, 3.05), strain=-7.7)).hard


def test_fast_from_end_to_end_is_hard_unless_days_differ_that_much() -> None:
    """Forty minutes at 1.17 times easy speed, the heart with it; nothing in the run to stand out from."""
    fast = run(30, record(steady(40, 1.17 * EASY_M_S)))
    varied = [run(k, record(steady(45, v), seed=k)) for k, v in enumerate((2.5, 2.85, 2.7, 2.55, 2.9, 2.7, 2.45, 2.8))]
    assert judge_runs([*BASE, fast], AthleteSettings())[-1].kind == "tempo"
    assert not judge_runs([*varied, fast], AthleteSettings())[-1].hard


def test_long_runs_count_their_first_part() -> None:
    result = judged(record(steady(100)))
    assert (result.kind, result.hard) == ("long", False)
    assert result.easy is not None and result.easy.minutes == 40


def test_a_long_run_with_a_session_in_it_is_hard() -> None:
    result = judged(record(np.concatenate((steady(60), steady(20, 3.35), steady(15)))))
    assert (result.kind, result.hard) == ("long", True)


def test_a_race_is_known_by_its_effort() -> None:
    hard = [run(8 + k, record(np.concatenate((WARM_UP, steady(25, 3.4), COOL_DOWN)), seed=k)) for k in range(2)]
    race = run(20, record(np.concatenate((steady(1), steady(24, 3.55))), strain=8.0))
    results = judge_runs([*BASE, *hard, race], AthleteSettings())
    assert results[-1].kind == "race" and results[-3].kind == "tempo"


def test_a_jogged_race_is_no_race_and_a_name_is_no_evidence() -> None:
    assert judged(record(steady(30)), workout_type=1).kind == "easy"
    assert judged(record(steady(45)), name="INTERVALS of doom").kind == "easy"


def test_stops_at_traffic_lights_dont_make_intervals() -> None:
    parts = [np.concatenate((steady(4, 2.75), np.zeros(30))) for _ in range(10)]
    result = judged(record(np.concatenate(parts)))
    assert (result.kind, result.hard) == ("easy", False)


def test_rolling_hills_run_by_effort_are_easy() -> None:
    minutes = np.arange(45 * 60)
    grade = 0.03 * np.sin(2 * np.pi * minutes / 400.0)
    result = judged(record(EASY_M_S / (1 + 3.2657 * grade + 20.5 * grade**2), grade=grade))
    assert (result.kind, result.hard) == ("easy", False)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"trainer": True}, "treadmill"),
        ({"sport": "VirtualRun"}, "treadmill"),
        ({"sport": "Ride"}, "not a run"),
        ({"sport": "Snorkelling"}, "not a run"),
        ({"manual": True}, "entered by hand"),
    ],
)
def test_what_is_left_out_counts_as_load_and_says_why(facts: dict[str, Any], reason: str) -> None:
    result = judged(record(steady(45)), **facts)
    assert (result.easy, result.left_out) == (None, reason)
    assert result.load > 20


def test_short_broken_and_steep_runs_are_left_out_in_words() -> None:
    assert judged(record(steady(12))).left_out == "too short"
    walks = np.concatenate([np.concatenate((steady(1.5), steady(1, 1.0))) for _ in range(18)])
    assert judged(record(walks)).left_out == "not enough steady running"
    assert judged(record(steady(40, 2.2), grade=0.07)).left_out == "too hilly"
    assert judged(record(steady(40, 1.9), strain=10.0)).left_out == "slower than easy running"
    assert judged(record(steady(40, 0.9))).kind == "other"


def test_a_summary_alone_still_counts_at_a_larger_error() -> None:
    done = activity(20, average_heart_rate_bpm=140.0, has_heart_rate=True)
    result = judge_runs([*BASE, (done, measure(done, None))], AthleteSettings())[-1]
    assert result.trust == "summary" and result.easy is not None
    assert result.easy.se_bpm >= 4.0 and result.easy.bpm > 142.0


@pytest.mark.parametrize(("workout_type", "kind"), [(1, "race"), (3, "intervals"), (None, "easy")])
def test_without_streams_the_runners_mark_is_taken(workout_type: int | None, kind: str) -> None:
    done = activity(20, average_heart_rate_bpm=140.0, workout_type=workout_type)
    assert judge_runs([*BASE, (done, measure(done, None))], AthleteSettings())[-1].kind == kind


def test_without_streams_alternating_laps_are_a_session() -> None:
    laps = tuple(Lap(60.0, 60.0, 240.0) if k % 2 else Lap(90.0, 90.0, 190.0) for k in range(16))
    done = activity(20, laps=laps)
    assert judge_runs([*BASE, (done, measure(done, None))], AthleteSettings())[-1].hard


def test_nobody_and_one_run() -> None:
    assert judge_runs([], AthleteSettings()) == []
    assert judge_runs(BASE[:1], AthleteSettings())[0].easy is not None
    done = activity(0, distance_m=0.0)
    alone = judge_runs([(done, measure(done, None))], AthleteSettings())[0]
    assert alone.easy is None and alone.left_out


def test_trails_stay_out_of_a_road_runners_norm_and_roads_out_of_a_trail_runners() -> None:
    assert judged(record(steady(45)), sport="TrailRun").left_out == "trail"
    trails = [(replace(done, sport="TrailRun"), metrics) for done, metrics in BASE]
    on_trail = judge_runs([*trails, run(20, record(steady(45)), sport="TrailRun")], AthleteSettings())[-1]
    on_road = judge_runs([*trails, run(20, record(steady(45)))], AthleteSettings())[-1]
    assert on_trail.easy is not None
    assert on_road.left_out == "road, unlike most of the runs"


def test_a_name_or_a_mark_lowers_the_bar_and_no_more() -> None:
    """Two repetitions at a moderate pace: nothing by themselves, a session where the runner says so."""
    parts = repeats(2, 170, 120, 3.15)
    assert not session(parts).hard
    assert session(parts, name="Fractionné 2 x 3 min").hard
    assert session(parts, workout_type=3).hard
    assert not judged(record(steady(45)), name="Intervalle 10 x 400").hard


def test_a_marathon_is_a_race_where_it_is_called_one() -> None:
    parts = record(steady(150, 3.05), strain=3.0)
    assert (judged(parts).kind, judged(parts).hard) == ("long", False)
    assert judged(parts, name="Stadtmarathon").kind == "race"


def test_hidden_start_times_have_no_hour() -> None:
    assert judged(record(steady(45)), start_obscured=True).hour is None
    assert judged(record(steady(45))).hour == 8.0


POOL = [
    record(steady(45)),
    record(steady(30, 2.5)),
    record(steady(50, 2.9), strain=6.0),
    record(np.concatenate((WARM_UP, repeats(6, 180, 120, 3.6)))),
    record(steady(25, 3.4)),
    record(steady(95)),
    record(steady(14)),
]
MEASURED: list[RunMetrics] = [run(0, streams)[1] for streams in POOL]


def diary(choices: list[tuple[int, int]]) -> list[tuple[Activity, RunMetrics]]:
    """Runs chosen from the pool, each so many days after the one before."""
    out: list[tuple[Activity, RunMetrics]] = []
    day = 0
    for number, (which, gap) in enumerate(choices):
        day += gap
        done = activity(number, POOL[which])
        moved = activity(number, POOL[which], start=done.start + timedelta(days=day))
        out.append((moved, MEASURED[which]))
    return out


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(POOL) - 1), st.integers(0, 40)), min_size=7, max_size=40), st.data())
def test_later_runs_never_change_earlier_ones(choices: list[tuple[int, int]], data: st.DataObject) -> None:
    whole = diary(choices)
    cut = data.draw(st.integers(6, len(whole)))
    results = judge_runs(whole, AthleteSettings())
    assert judge_runs(whole[:cut], AthleteSettings()) == results[:cut]
    assert judge_runs(whole[::-1], AthleteSettings()) == results
    assert all((run.easy is None) != (run.left_out is None) for run in results)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(POOL) - 1), st.integers(0, 40)), min_size=7, max_size=30), st.data())
def test_a_history_judged_again_is_judged_as_if_for_the_first_time(
    choices: list[tuple[int, int]], data: st.DataObject
) -> None:
    before = diary(choices)
    judge_runs(before, AthleteSettings())
    after, at = list(before), data.draw(st.integers(0, len(before) - 1))
    match data.draw(st.sampled_from(["added", "deleted", "retyped", "rated", "measured anew", "threshold known"])):
        case "added":
            after += diary([*choices, (0, 1)])[len(before) :]
        case "deleted":
            del after[at]
        case "retyped":
            after[at] = (replace(after[at][0], sport="Ride"), after[at][1])
        case "rated":
            after[at] = (replace(after[at][0], perceived_exertion=9), after[at][1])
        case "measured anew":
            after[at] = (after[at][0], replace(after[at][1], mean_bpm=171.0, relaxed_bpm=171.0))
        case _:
            after[at] = (replace(after[at][0], sport="Ride"), after[at][1])
            judge_runs(after, AthleteSettings(threshold_heart_rate=200))
            told = AthleteSettings(threshold_heart_rate=100)
            assert judge_runs(after, told) == cold(after, told)
    assert judge_runs(after, AthleteSettings()) == cold(after, AthleteSettings())


def cold(activities: list[tuple[Activity, RunMetrics]], told: AthleteSettings) -> list[Run]:
    judge._LAST.clear()
    return judge_runs(activities, told)
