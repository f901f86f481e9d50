"""Control of easy runs and the work of hard ones, against runs whose truth is known."""

import numpy as np
import pytest

from daemon.metrics import AthleteSettings, judge_runs
from daemon.values import Control, FloatArray, Run, Work
from tests.metrics.recordings import EASY_M_S, base_weeks, record, repeats, run, steady

BASE = base_weeks()


def judged(speed: FloatArray, *, grade: FloatArray | float = 0.0, heart: bool = True, **facts: object) -> Run:
    streams = record(speed, grade=grade)
    if not heart and streams.heart_rate_bpm is not None:
        streams.heart_rate_bpm[:] = 0.0
    return judge_runs([*BASE, run(20, streams, **facts)], AthleteSettings())[-1]


def control(speed: FloatArray, *, grade: FloatArray | float = 0.0, heart: bool = True) -> Control:
    found = judged(speed, grade=grade, heart=heart).control
    assert found is not None
    return found


def work(speed: FloatArray) -> Work:
    found = judged(np.concatenate((steady(15), speed, steady(10)))).work
    assert found is not None
    return found


def waves(minutes: int, share: float) -> FloatArray:
    """Easy running whose pace comes and goes every four minutes."""
    return EASY_M_S * (1 + share * np.sin(2 * np.pi * np.arange(60 * minutes) / 240.0))


def test_an_even_run_and_an_uneven_one() -> None:
    even, uneven = control(steady(45)), control(waves(45, 0.06))
    assert even.speed_m_s == pytest.approx(EASY_M_S, abs=0.01)
    assert even.unevenness is not None and uneven.unevenness is not None
    assert even.unevenness < 0.006
    # A sine of 6 % has an SD of 4.2 %; means over a minute leave 90 % of it.
    assert uneven.unevenness == pytest.approx(0.9 * 0.06 / np.sqrt(2), rel=0.1)


def test_stops_and_hills_are_not_unevenness() -> None:
    lights = np.concatenate([np.concatenate((steady(5), np.zeros(30))) for _ in range(9)])
    grade = 0.03 * np.sin(2 * np.pi * np.arange(45 * 60) / 400.0)
    at_one_pace = control(steady(45), grade=grade)
    stopped = control(lights)
    assert at_one_pace.unevenness is not None and stopped.unevenness is not None
    assert at_one_pace.unevenness < 0.012 and stopped.unevenness < 0.015
    assert stopped.speed_m_s == pytest.approx(EASY_M_S, abs=0.03)


def test_control_needs_no_heart_rate_but_decoupling_does() -> None:
    without = judged(steady(80), heart=False)
    assert without.left_out == "no heart rate" and without.control is not None
    assert without.control.speed_m_s == pytest.approx(EASY_M_S, abs=0.01) and without.control.decoupling is None


def test_decoupling_of_a_drifting_heart() -> None:
    """70 minutes, 10 dropped: the halves' middles lie 30 min apart, 4.5 of 148 bpm at 0.15 a minute."""
    assert control(steady(70)).decoupling == pytest.approx(100 * 4.5 / 148, abs=0.5)
    assert control(steady(45)).decoupling is None


def test_sessions_and_other_ground_have_none() -> None:
    assert judged(np.concatenate((steady(15), repeats(6, 180, 120, 3.6)))).control is None
    assert judged(steady(45), trainer=True).control is None
    assert judged(steady(10)).control is None


def test_the_work_of_a_session() -> None:
    done = work(repeats(6, 180, 120, 3.6))
    assert done.seconds == pytest.approx(1080, abs=60)
    assert done.speed_m_s == pytest.approx(3.6, rel=0.03)
    assert done.bpm is not None and done.bpm > 155
    assert done.fade == pytest.approx(0.0, abs=0.01)


def test_slowing_repetitions_and_a_slowing_tempo_fade() -> None:
    slowing = np.concatenate([np.concatenate((np.full(180, 3.8 - 0.06 * k), np.full(120, 2.3))) for k in range(6)])
    # First third 3.77, last third 3.53 m/s.
    assert work(slowing).fade == pytest.approx(3.53 / 3.77 - 1, abs=0.012)
    tempo = work(np.linspace(3.5, 3.2, 20 * 60))
    # Thirds of a straight line from 3.5 to 3.2: 3.45 and 3.25.
    assert tempo.fade == pytest.approx(3.25 / 3.45 - 1, abs=0.012)


def test_repetitions_of_different_length_say_nothing_about_fading() -> None:
    pyramid = np.concatenate(
        [np.concatenate((np.full(s, 3.7), np.full(120, 2.3))) for s in (60, 120, 240, 240, 120, 60)]
    )
    assert work(pyramid).fade is None
