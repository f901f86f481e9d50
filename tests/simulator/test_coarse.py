"""Runs recorded straight to rows against the same runs recorded second by second and cleaned: the same numbers."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from daemon.metrics import AthleteSettings, judge_runs, make_series, measure
from daemon.simulator.coarse import record
from daemon.simulator.events import HardBikeWeeks, SpeedWork
from daemon.simulator.recording import SimulatedActivity
from daemon.simulator.runner import WorldName, simulate, some_runner
from daemon.simulator.sensor import SensorFaults
from daemon.values import Activity, EasyHeartRate, Run

JANUARY = date(2026, 1, 5)
SESSIONS = (SpeedWork(JANUARY, "intervals", 2), SpeedWork(JANUARY, "tempo", 4), HardBikeWeeks(JANUARY, weekdays=(0,)))


def lived(world: WorldName) -> list[list[SimulatedActivity]]:
    """What some runners with a sound sensor ran."""
    specs = [some_runner(seed, world) for seed in range(5)]
    sound = [replace(spec, noise=replace(spec.life, faults=SensorFaults())) for spec in specs]
    return [simulate(spec, JANUARY, JANUARY + timedelta(56), SESSIONS) for spec in sound]


def judged(runs: list[SimulatedActivity], *, coarse: bool) -> list[Run]:
    measured = []
    for run in runs:
        activity, series = record(run) if coarse else (run.as_activity(1), make_series(run.as_streams()))
        measured.append((activity, measure(activity, series)))
    return judge_runs(measured, AthleteSettings())


@pytest.fixture(scope="module", params=["quiet", "realistic"])
def both(request: pytest.FixtureRequest) -> tuple[list[Run], list[Run]]:
    """Every run of some runners as judged from rows, and as judged from seconds."""
    lives = lived(request.param)
    rows, seconds = ([run for runs in lives for run in judged(runs, coarse=coarse)] for coarse in (True, False))
    return rows, seconds


def pairs(rows: list[Run], seconds: list[Run]) -> list[tuple[EasyHeartRate, EasyHeartRate]]:
    return [(a.easy, b.easy) for a, b in zip(rows, seconds, strict=True) if a.easy and b.easy]


class TestEasyHeartRate:
    @pytest.mark.parametrize(
        ("name", "off", "scatter"),
        [("bpm", 0.15, 0.5), ("speed_m_s", 0.006, 0.04), ("se_bpm", 0.08, 0.4), ("drift_bpm_per_min", 0.01, 0.08)],
    )
    def test_is_the_same_but_for_the_watch(
        self, both: tuple[list[Run], list[Run]], name: str, off: float, scatter: float
    ) -> None:
        found = [(getattr(a, name), getattr(b, name)) for a, b in pairs(*both)]
        rows, seconds = np.array([pair for pair in found if None not in pair], dtype=float).T
        assert abs(np.mean(rows - seconds)) <= off
        assert np.std(rows - seconds) <= scatter
        assert np.std(rows) == pytest.approx(np.std(seconds), rel=0.2)

    def test_is_there_as_often(self, both: tuple[list[Run], list[Run]]) -> None:
        rows, seconds = ([run.easy is not None for run in runs] for runs in both)
        assert np.mean(rows) == pytest.approx(np.mean(seconds), abs=0.03)


class TestSessions:
    def test_are_called_the_same(self, both: tuple[list[Run], list[Run]]) -> None:
        same = [(a.kind, a.hard) == (b.kind, b.hard) for a, b in zip(*both, strict=True)]
        assert np.mean(same) >= 0.93
        rows, seconds = ([run.hard for run in runs] for runs in both)
        assert np.mean(rows) == pytest.approx(np.mean(seconds), abs=0.02)

    def test_weigh_the_same(self, both: tuple[list[Run], list[Run]]) -> None:
        rows, seconds = (np.array([run.load for run in runs]) for runs in both)
        assert rows.mean() == pytest.approx(seconds.mean(), rel=0.02)
        assert rows.std() == pytest.approx(seconds.std(), rel=0.04)

    def test_hold_as_many_hard_minutes(self, both: tuple[list[Run], list[Run]]) -> None:
        """Of the sessions both call hard: how many they call so is told above."""
        agreed = [(a.hard_minutes, b.hard_minutes) for a, b in zip(*both, strict=True) if a.hard and b.hard]
        rows, seconds = np.array(agreed).T
        assert len(agreed) > 20
        assert rows.mean() == pytest.approx(seconds.mean(), rel=0.02)
        assert rows.std() == pytest.approx(seconds.std(), rel=0.04)


def facts(activity: Activity) -> Activity:
    """What must not depend on how the run was recorded."""
    return replace(
        activity,
        distance_m=0.0,
        elevation_gain_m=None,
        average_heart_rate_bpm=None,
        max_heart_rate_bpm=None,
        laps=(),
    )


def test_the_summary_tells_the_same() -> None:
    for run in lived("quiet")[1]:
        rows, seconds = record(run)[0], run.as_activity(1)
        assert facts(rows) == facts(seconds)
        assert rows.distance_m == pytest.approx(seconds.distance_m, rel=0.02)
        assert rows.average_heart_rate_bpm == pytest.approx(seconds.average_heart_rate_bpm, abs=0.2)
        if any(segment.work for segment in run.segments):
            laps = [[(lap.moving_s, lap.elapsed_s) for lap in activity.laps] for activity in (rows, seconds)]
            assert laps[0] == laps[1]


def test_missing_rows_are_missing_for_the_same_reason() -> None:
    for run in lived("realistic")[0][:8]:
        clean = replace(run, conditions=replace(run.conditions, auto_pause=True))
        series = (record(clean)[1], make_series(clean.as_streams()))
        assert series[0] is not None and series[1] is not None
        differ = series[0].flags != series[1].flags
        assert differ.mean() < 0.03


def test_a_broken_sensor_takes_the_way_through_the_cleaning() -> None:
    run = lived("quiet")[0][0]
    for faults in (SensorFaults(dropout=1.0), SensorFaults(cadence_lock=1.0), SensorFaults(missing=1.0)):
        activity, series = record(replace(run, conditions=replace(run.conditions, faults=faults)))
        assert series is not None
        assert np.isnan(series.heart_rate_bpm).sum() > 0
        assert activity.has_heart_rate == (faults.missing == 0)
