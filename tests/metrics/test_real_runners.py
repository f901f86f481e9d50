"""The two real recordings, where they are at hand: every run judged or left out, and a quieter number than the mean."""

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from daemon.metrics import AthleteSettings, judge_runs, make_series, measure
from daemon.values import Activity, FloatArray, Streams

DATA = Path(__file__).parents[2] / "../shared/data"
NEWEST = 60


def stream(streams: dict[str, list[float]], key: str) -> FloatArray | None:
    return np.array(streams[key], dtype=np.float64) if key in streams else None


def loaded(item: dict[str, Any]) -> tuple[Activity, Streams]:
    facts, raw = item["summary"], item["streams"]
    done = Activity(
        id=facts["id"],
        athlete_id=1,
        name=facts["name"],
        sport=facts["sport_type"],
        start=datetime.fromisoformat(facts["start_date"].replace("Z", "+00:00")),
        utc_offset_s=int(facts["utc_offset"]),
        distance_m=facts["distance"],
        moving_time_s=facts["moving_time"],
        elapsed_time_s=facts["elapsed_time"],
        has_heart_rate=facts["has_heartrate"],
        average_heart_rate_bpm=facts.get("average_heartrate"),
    )
    return done, Streams(
        time_s=np.array(raw["time"], dtype=np.float64),
        distance_m=stream(raw, "distance"),
        altitude_m=stream(raw, "altitude"),
        heart_rate_bpm=stream(raw, "heartrate"),
        cadence_rpm=stream(raw, "cadence"),
    )


@pytest.mark.parametrize("runner", ["runner_a", "runner_b"])
def test_the_easy_heart_rate_is_quieter_than_the_mean(runner: str) -> None:
    path = DATA / f"{runner}.json.gz"
    if not path.exists():
        pytest.skip("no recordings here")
    with gzip.open(path) as file:
        items = [loaded(item) for item in json.load(file)["activities"][-NEWEST:]]
    runs = judge_runs([(a, measure(a, make_series(s))) for a, s in items], AthleteSettings())
    assert all((run.easy is None) != (run.left_out is None) for run in runs)
    mean = {a.id: a.average_heart_rate_bpm for a, _ in items}
    pairs = [(run.easy.bpm - 22.0 * run.easy.speed_m_s, mean[run.id]) for run in runs if run.easy]
    index, plain = np.array(pairs, dtype=np.float64).T
    assert len(pairs) > NEWEST / 2
    assert np.diff(index).std() < np.diff(plain).std()
