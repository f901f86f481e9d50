"""Why a run was judged as it was: the numbers behind it, the same ones the judgement used."""

import json
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from daemon.metrics import AthleteSettings, explained, judge_runs
from daemon.values import Streams
from tests.metrics.recordings import MONDAY, base_weeks, record, repeats, run, steady

BASE = base_weeks()


def told(streams: Streams, **facts: Any) -> dict[str, Any]:
    document = explained([*BASE, run(20, streams, **facts)], AthleteSettings(), 1020)
    assert document is not None
    loaded: dict[str, Any] = json.loads(json.dumps(document))
    return loaded


def test_an_easy_run() -> None:
    streams = record(steady(45))
    document = told(streams)
    easy = document["easy"]
    judged = judge_runs([*BASE, run(20, streams)], AthleteSettings())[-1]
    assert (document["kind"], document["hard"], document["why"]) == ("easy", False, "nothing stands out")
    assert judged.easy is not None and easy["bpm"] == pytest.approx(judged.easy.bpm, abs=0.05)
    assert (easy["minutes"], easy["from_minute"], easy["to_minute"]) == (40, 5, 45)
    # The middle of minutes 5 to 45 is 25: five minutes of drift are taken off.
    assert easy["drift_correction_bpm"] == pytest.approx(-0.75, abs=0.1)
    assert easy["mean_bpm"] + easy["drift_correction_bpm"] == pytest.approx(easy["bpm"], abs=0.11)
    assert easy["grade_bpm"] == pytest.approx(0.0, abs=0.1)
    assert document["usual"]["easy_pace_s_per_km"] == pytest.approx(370, abs=8)
    assert document["cleaning"] == {"recording": True, "sensor": "A", "heart_rate_share": 1.0, "faults": []}


def test_a_climb_says_what_its_grade_was_worth() -> None:
    easy = told(record(steady(45, 2.5), grade=0.02))["easy"]
    # 2 % cost 7.4 % of 2.5 m/s, at 15 bpm per m/s.
    assert easy["grade_bpm"] == pytest.approx(15 * 2.5 * 0.0735, abs=0.4)


def test_a_session_names_its_repetitions_and_the_bar_they_passed() -> None:
    document = told(record(np.concatenate((steady(15), repeats(6, 180, 120, 3.6), steady(10)))), name="6x3 min")
    counted = [bout for bout in document["bouts"] if bout["counted"]]
    assert (document["kind"], document["why"], document["hints"]) == ("intervals", "repetitions", ["name"])
    assert len(counted) == 6
    assert all(bout["x_easy"] >= bout["needed_x_easy"] for bout in counted)
    assert counted[0]["start_s"] == pytest.approx(900, abs=20)
    assert counted[0]["pace_s_per_km"] == pytest.approx(278, abs=8)
    assert document["easy"] == {"bpm": None, "left_out": "hard session"}
    assert document["work"]["seconds"] == pytest.approx(1080, abs=60) and document["control"] is None


def test_what_was_cleaned_out_is_named() -> None:
    streams = record(steady(45))
    assert streams.heart_rate_bpm is not None and streams.cadence_rpm is not None
    streams.heart_rate_bpm[1200:1800] = 2 * streams.cadence_rpm[1200:1800]
    faults = told(streams)["cleaning"]["faults"]
    assert faults[0]["what"] == "sensor counted your steps" and faults[0]["share"] == pytest.approx(
        600 / 2700, abs=0.02
    )


def test_a_belt_is_held_against_a_heart_rate() -> None:
    document = told(record(steady(45)), trainer=True)
    assert document["thresholds"]["hard_from_bpm"] == pytest.approx(169, abs=2)
    assert document["why"] == "heart rate stayed low" and document["bouts"] == []


def test_a_part_shows_its_whole() -> None:
    first = run(20, record(steady(40)), start=MONDAY + timedelta(days=40))
    second = run(21, record(steady(40)), start=first[0].end + timedelta(minutes=5))
    for number in (1020, 1021):
        document = explained([*BASE, first, second], AthleteSettings(), number)
        assert document is not None and document["kind"] == "long"
        assert [part["id"] for part in document["parts"]] == [1020, 1021]


def test_an_unknown_run_is_none() -> None:
    assert explained(BASE, AthleteSettings(), 1) is None
