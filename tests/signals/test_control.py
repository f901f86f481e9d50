"""Runs that lose their control: faster easy runs, uneven ones, drifting ones, sessions that fade."""

from dataclasses import replace

import numpy as np
import pytest

from daemon.values import Control, Work
from tests.signals.weeks import THURSDAY, WEEK, end_of, from_week, signal, weeks

CONTROL = ("easy_pace", "even_pace", "decoupling")


def easy_runs(last=36, first=30, speed=1.0, uneven=1.0, drift=0.0, seed=1):
    """Weeks of easy runs whose speed, evenness and drift change from week `first` on."""
    rng = np.random.default_rng(seed)
    out = []
    for one in weeks(lambda week: WEEK, last):
        changed = one.day > end_of(first - 1)
        out.append(
            replace(
                one,
                control=Control(
                    speed_m_s=(2.8 + rng.normal(0, 0.12)) * (speed if changed else 1.0),
                    unevenness=0.05 * float(np.exp(rng.normal(0, 0.2))) * (uneven if changed else 1.0),
                    decoupling=4 + rng.normal(0, 3) + (drift if changed else 0.0),
                ),
            )
        )
    return out


def up(runs, week):
    return {name for name in CONTROL if signal(name, runs, end_of(week)).level != "ok"}


def test_easy_runs_that_run_a_tenth_faster_are_noticed_and_nothing_else_is():
    runs = easy_runs(speed=1.1)
    assert up(runs, 33) == {"easy_pace"}
    found = signal("easy_pace", runs, end_of(33))
    assert found.family == "control"
    assert found.evidence["usual"] == pytest.approx(2.8, abs=0.06)
    assert found.summary.startswith("Your last 5 easy runs were ")
    assert found.summary.endswith(" % faster than usual.")
    assert found.evidence["runs"] == [r.id for r in runs if r.day <= end_of(33)][-5:]


def test_slower_easy_runs_are_told_and_raise_nothing():
    found = signal("easy_pace", easy_runs(speed=0.9), end_of(33))
    assert found.level == "ok"
    assert "slower than usual" in found.summary


@pytest.mark.parametrize("seed", range(6))
def test_runs_as_usual_raise_nothing(seed):
    runs = easy_runs(seed=seed)
    assert [up(runs, week) for week in (20, 28, 34)] == [set()] * 3


def test_easy_runs_paced_half_as_unevenly_again():
    runs = easy_runs(uneven=1.6)
    assert up(runs, 34) == {"even_pace"}
    assert "usually by 5." in signal("even_pace", runs, end_of(34)).summary


def test_easy_runs_that_drift():
    runs = easy_runs(drift=8)
    assert up(runs, 34) == {"decoupling"}
    assert signal("decoupling", runs, end_of(34)).evidence["unit"] == "%"


def test_a_fitter_runner_gets_faster_slowly_and_is_not_noticed():
    rng = np.random.default_rng(3)
    runs = [
        replace(one, control=Control(2.7 + 0.0025 * week + rng.normal(0, 0.1)))
        for week in range(40)
        for one in weeks(lambda _: WEEK, 40)[4 * week : 4 * week + 4]
    ]
    assert all(signal("easy_pace", runs, end_of(week)).level == "ok" for week in range(12, 40, 3))


@pytest.mark.parametrize("seed", range(4))
def test_who_got_slower_for_a_year_still_runs_a_little_faster_now_and_then(seed):
    rng = np.random.default_rng(seed)
    runs = [
        replace(one, control=Control(2.9 - 0.35 * min(n, 240) / 240 + (0.16 if n > 240 else 0) + rng.normal(0, 0.1)))
        for n, one in enumerate(weeks(lambda _: WEEK, 68))
    ]
    assert [signal("easy_pace", runs, end_of(week)).level for week in (59, 62, 64, 66)] == ["ok"] * 4


def test_runs_that_measure_nothing_say_nothing():
    assert signal("easy_pace", weeks(lambda week: WEEK, 30), end_of(29)) is None
    stopped = easy_runs(last=30)
    assert signal("easy_pace", stopped, end_of(35)) is None


def sessions(fade=0.0, dearer=1.0, first=32, kind="intervals"):
    """A session a week whose last repetitions slow down, or which costs more, from week `first` on."""
    rng = np.random.default_rng(2)
    out = []
    for one in weeks(from_week(10, WEEK | {THURSDAY: (kind, 50)}), 40):
        if one.hard:
            changed = one.day > end_of(first - 1)
            bpm = 168 * (dearer if changed else 1.0) * float(np.exp(rng.normal(0, 0.01)))
            slowing = rng.normal(-0.01, 0.01) + (fade if changed else 0.0)
            one = replace(one, work=Work(1200, 3.7, bpm, float(slowing)))  # noqa: PLW2901
        out.append(one)
    return out


def test_sessions_whose_last_repetitions_slow_down_fade():
    found = signal("fading", sessions(fade=-0.06), end_of(36))
    assert found.level != "ok"
    assert found.evidence["worse"] == "slowing"
    assert len(found.evidence["runs"]) == 3


def test_sessions_that_cost_more_heartbeats_at_the_same_speed_fade():
    found = signal("fading", sessions(dearer=1.08), end_of(36))
    assert found.level != "ok"
    assert found.evidence["worse"] == "cost"
    assert found.summary.startswith("Your last 3 hard sessions cost 6 % more heartbeats at the same speed")


def test_sessions_as_they_were_do_not():
    assert signal("fading", sessions(), end_of(36)).level == "ok"


def test_the_first_sessions_have_nothing_to_be_held_against():
    assert signal("fading", sessions(fade=-0.06), end_of(13)) is None


def test_tempo_and_intervals_are_not_held_against_each_other():
    runs = [replace(r, kind="tempo") if r.hard and r.day > end_of(31) else r for r in sessions(dearer=1.2)]
    found = signal("fading", runs, end_of(34))
    assert found is None or found.level == "ok"
