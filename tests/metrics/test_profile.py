"""Who the runner is: learned, told with its source, and unknown until something has shown it."""

import json
from datetime import date, timedelta

import numpy as np
import pytest

from daemon.metrics import AthleteSettings, Profile, RunMetrics, profile
from daemon.values import Activity, FloatArray
from tests.metrics.recordings import EASY_M_S, MONDAY, base_weeks, record, run, steady

BASE = base_weeks(16)
LAST = BASE[-1][0].day
RACE = np.concatenate((steady(2), steady(38, 3.5)))


def seen(*more: tuple[Activity, RunMetrics], today: date = LAST, **told: float) -> Profile:
    return profile([*BASE, *more], AthleteSettings(**told), today)


def effort(number: int, speed: FloatArray, days: float, strain: float = 8.0) -> tuple[Activity, RunMetrics]:
    return run(
        number, record(speed, strain=strain, seed=number), start=MONDAY + timedelta(days=days), name="10 km race"
    )


def test_easy_runs_show_easy_pace_and_heart_rate_and_nothing_else() -> None:
    found = seen()
    assert found.easy_speed_m_s.value == pytest.approx(EASY_M_S, abs=0.06)
    assert found.easy_heart_rate_bpm.value == pytest.approx(144, abs=2)
    for unknown in (found.maximum_heart_rate_bpm, found.threshold_heart_rate_bpm, found.threshold_speed_m_s):
        assert (unknown.value, unknown.source) == (None, "not known yet: needs a hard effort")


def test_the_usual_week() -> None:
    """A run of 45 minutes every other day, and one long run a fortnight ago that no median notices."""
    long = run(99, record(steady(90)), start=MONDAY + timedelta(days=15))
    week = seen(long, today=LAST).week
    assert week is not None
    assert (week.weeks, week.hard_days, week.long_run_minutes) == (4, 0, 45)
    assert 3 <= week.runs <= 4 and week.rest_days == 7 - week.runs
    assert week.minutes == pytest.approx(45 * week.runs)


def test_one_effort_shows_a_maximum_and_a_second_confirms_it() -> None:
    first, second = effort(60, RACE, 20.3), effort(61, RACE, 27.3)
    once = seen(first).maximum_heart_rate_bpm
    assert once.value is None and "needs a second effort to confirm it" in once.source
    twice = seen(first, second).maximum_heart_rate_bpm
    assert twice.value == pytest.approx(174, abs=3)
    assert twice.source == "learned from two efforts, 22 March 2026 and 29 March 2026"


def test_a_lower_effort_and_an_old_one_confirm_nothing() -> None:
    best, lower = effort(60, RACE, 20.3), effort(61, RACE, 27.3, strain=2.0)
    assert seen(best, lower).maximum_heart_rate_bpm.value is None
    both = best, effort(61, RACE, 27.3)
    assert seen(*both, today=date(2027, 3, 20)).maximum_heart_rate_bpm.value is not None
    assert seen(*both, today=date(2027, 3, 24)).maximum_heart_rate_bpm.value is None


def test_an_effort_that_came_later_is_not_known_today() -> None:
    later = effort(60, RACE, 20.3), effort(61, RACE, 27.3)
    assert seen(*later, today=date(2026, 3, 20)).maximum_heart_rate_bpm.value is None


def test_a_race_shows_the_threshold() -> None:
    found = seen(effort(60, RACE, 20.3))
    assert found.threshold_heart_rate_bpm.value == pytest.approx(172, abs=3)
    assert found.threshold_heart_rate_bpm.source == "learned from the race on 22 March 2026"
    # 38 minutes at 3.5 m/s, brought to an hour: 3.5 · (38 / 60)^0.06.
    assert found.threshold_speed_m_s.value == pytest.approx(3.41, abs=0.06)


def test_what_the_runner_told_wins() -> None:
    found = seen(effort(60, RACE, 20.3), effort(61, RACE, 27.3), max_heart_rate=190, threshold_heart_rate=171)
    assert (found.maximum_heart_rate_bpm.value, found.maximum_heart_rate_bpm.source) == (190, "config")
    assert (found.threshold_heart_rate_bpm.value, found.threshold_heart_rate_bpm.source) == (171, "config")


def test_nobody_has_a_profile_of_unknowns() -> None:
    document = profile([], AthleteSettings(), date(2026, 3, 1)).as_document()
    assert document["week"] is None and document["easy_pace_s_per_km"]["value"] is None
    assert document["easy_pace_s_per_km"]["source"].startswith("not known yet")


def test_the_document_is_json() -> None:
    document = json.loads(json.dumps(seen(effort(60, RACE, 20.3)).as_document()))
    assert document["easy_pace_s_per_km"]["value"] == pytest.approx(1000 / EASY_M_S, abs=8)
    assert document["week"]["source"] == "median of the last 4 weeks"
    assert set(document) == {
        "day",
        "easy_pace_s_per_km",
        "easy_heart_rate_bpm",
        "maximum_heart_rate_bpm",
        "threshold_heart_rate_bpm",
        "threshold_pace_s_per_km",
        "week",
        "device",
        "sensor",
    }


def test_what_was_known_years_ago_is_told_with_its_date_and_not_as_today() -> None:
    """Who ran hard in 2026 isn't asked in 2031 for a hard effort, nor told that his pace is today's."""
    found = seen(effort(60, RACE, 20.3), effort(61, RACE, 27.3), today=date(2031, 6, 1))
    for gone in (found.maximum_heart_rate_bpm, found.threshold_heart_rate_bpm, found.threshold_speed_m_s):
        said = "not known now: the last hard efforts are from 29 March 2026, too long ago"
        assert (gone.value, gone.source) == (None, said)
    assert found.easy_speed_m_s.value == pytest.approx(EASY_M_S, abs=0.06)
    assert found.easy_speed_m_s.source.startswith("median of the last runs, as of ")
    assert "as of" not in seen().easy_speed_m_s.source
    # His usual week is that of then, and no week without running.
    then = found.as_document()["week"]
    assert (then["runs"], then["source"]) == (4, "median of the last 4 weeks, as of 1 April 2026")
    assert "as of" not in seen(today=LAST + timedelta(days=20)).as_document()["week"]["source"]
