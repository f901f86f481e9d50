"""Parts of one session come out as the session would in one recording; what isn't one stays apart."""

from datetime import timedelta

import numpy as np
import pytest

from daemon.metrics import AthleteSettings, RunMetrics, judge_runs
from daemon.values import Activity, FloatArray, Run
from tests.metrics.recordings import MONDAY, base_weeks, record, repeats, run, steady

BASE = base_weeks()
FAST = 3.6


def logged(parts: list[FloatArray], gap_s: float = 120.0, **facts: object) -> list[Run]:
    """The parts as activities of their own, one after the other on one day."""
    activities: list[tuple[Activity, RunMetrics]] = []
    start = MONDAY + timedelta(days=40)
    for number, speed in enumerate(parts):
        done, metrics = run(20 + number, record(speed, seed=30 + number), start=start, **facts)
        activities.append((done, metrics))
        start = done.end + timedelta(seconds=gap_s)
    return judge_runs([*BASE, *activities], AthleteSettings())[len(BASE) :]


def whole(*parts: FloatArray) -> Run:
    return judge_runs([*BASE, run(20, record(np.concatenate(parts)))], AthleteSettings())[-1]


def test_repetitions_logged_one_by_one_are_one_hard_session() -> None:
    parts = [steady(15), *([np.full(180, FAST)] * 6), steady(10)]
    runs = logged(parts)
    once = whole(steady(15), repeats(6, 180, 120, FAST), steady(10))
    assert {(r.kind, r.hard, r.left_out) for r in runs} == {("intervals", True, "hard session")}
    assert len({r.day for r in runs if r.hard}) == 1
    assert len({r.id for r in runs}) == 8
    assert sum(r.hard_minutes for r in runs) == pytest.approx(once.hard_minutes, rel=0.15)
    assert sum(r.load for r in runs) == pytest.approx(once.load - 6 * 2 * (2.3 / 2.7) ** 3, rel=0.05)
    works = [r.work for r in runs if r.work]
    assert len(works) == 1 and once.work is not None
    assert works[0].speed_m_s == pytest.approx(once.work.speed_m_s, rel=0.02)


def test_a_run_cut_in_two_is_long_by_its_whole_length_and_read_once() -> None:
    runs = logged([steady(50), steady(45)], gap_s=300)
    once = whole(steady(95))
    assert [r.kind for r in runs] == ["long", "long"] == [once.kind, once.kind]
    assert sum(r.load for r in runs) == pytest.approx(once.load, rel=0.02)
    assert [r.easy is not None for r in runs] == [True, False]
    assert runs[1].left_out == "read with another part of the run"
    assert runs[0].easy is not None and once.easy is not None
    assert runs[0].easy.bpm == pytest.approx(once.easy.bpm, abs=0.5)


def test_the_second_part_is_already_warm() -> None:
    """Twelve minutes, a pause, thirty more: the reading takes minutes of both, after the pause from the third on."""
    first, second = logged([steady(12), steady(30)], gap_s=1500)
    assert first.left_out == "read with another part of the run" and second.easy is not None
    # Minutes 5 to 12, then, the pause counting two minutes, 17 to 44.
    assert second.easy.minutes == 34
    assert not (first.hard or second.hard)


def test_morning_and_evening_are_two_runs() -> None:
    runs = logged([steady(45), steady(45)], gap_s=6 * 3600)
    assert [r.kind for r in runs] == ["easy", "easy"]
    assert all(r.easy is not None for r in runs)


def test_the_next_day_is_another_session() -> None:
    late = run(20, record(steady(40)), start=MONDAY.replace(hour=21, minute=50) + timedelta(days=40))
    after = run(21, record(steady(40)), start=MONDAY.replace(hour=22, minute=45) + timedelta(days=40))
    runs = judge_runs([*BASE, late, after], AthleteSettings())[len(BASE) :]
    assert runs[0].day != runs[1].day
    assert all(r.easy is not None for r in runs)


def test_a_belt_after_a_run_is_its_own() -> None:
    ground = run(20, record(steady(45)), start=MONDAY + timedelta(days=40))
    belt = run(21, record(steady(20)), start=ground[0].end + timedelta(minutes=5), trainer=True)
    runs = judge_runs([*BASE, ground, belt], AthleteSettings())[len(BASE) :]
    assert runs[0].easy is not None and runs[1].left_out == "treadmill"
