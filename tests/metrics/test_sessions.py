"""Sessions by other bodies, watches and coaches than the rules were written for: hard ones called hard, easy ones easy.

The bounds are the ones the program promises; seeds here were never used to choose a number.
"""

from collections import defaultdict
from dataclasses import replace

import pytest

from daemon.metrics import AthleteSettings, judge_runs
from daemon.metrics.pieces import Measured
from daemon.simulator.physiology import Segment
from daemon.simulator.runner import WorldName
from daemon.simulator.sessions import DESIGNS, EASY_DESIGNS, designed, designed_easy
from tests.metrics.sessions import WEEKS, Someone

TODAY = 7.0 * WEEKS + 1


@pytest.mark.parametrize(("world", "seen", "left_alone"), [("quiet", 0.93, 0.985), ("realistic", 0.88, 0.96)])
def test_hard_sessions_are_hard_and_easy_runs_are_easy(world: WorldName, seen: float, left_alone: float) -> None:
    hard: dict[str, list[bool]] = defaultdict(list)
    for seed in range(6):
        someone = Someone(world, seed)
        base = someone.easy_weeks()
        hard["base"] += [run.hard for run in judge_runs(base, AthleteSettings())]
        plans = {name: designed(name, someone.easy_m_s) for name in DESIGNS}
        plans |= {name: designed_easy(name, someone.easy_m_s) for name in EASY_DESIGNS}
        for name, parts in plans.items():
            hard[name].append(judge_runs([*base, someone.run(TODAY, parts)], AthleteSettings())[-1].hard)
    sessions = [called for name in DESIGNS for called in hard[name]]
    others = [called for name in ("base", *EASY_DESIGNS) for called in hard[name]]
    assert sum(sessions) / len(sessions) >= seen, {name: hard[name] for name in DESIGNS}
    assert 1 - sum(others) / len(others) >= left_alone, {name: hard[name] for name in EASY_DESIGNS}


@pytest.mark.parametrize("world", ["quiet", "realistic"])
def test_eight_beats_of_strain_make_no_session(world: WorldName) -> None:
    for seed in range(6, 10):
        someone = Someone(world, seed)
        base = someone.easy_weeks()
        run = judge_runs(
            [*base, someone.run(TODAY, designed_easy("even", someone.easy_m_s), strain=8.0)], AthleteSettings()
        )
        assert not run[-1].hard


@pytest.mark.parametrize("seconds", [660, 1100, 2300])
def test_a_race_is_hard_even_where_the_watch_saw_no_effort(seconds: int) -> None:
    """A wrist sensor that shows an easy run's heart rate at a race: nobody jogs at a third above his easy pace."""
    someone = Someone("quiet", 13)
    base = someone.easy_weeks()
    raced = someone.run(TODAY, [Segment(seconds, 1.35 * someone.easy_m_s)], strain=-45.0)
    usual = sum(run.easy.bpm for run in judge_runs(base, AthleteSettings()) if run.easy) / len(base)
    assert raced[1].mean_bpm < usual + 9
    assert judge_runs([*base, raced], AthleteSettings())[-1].hard


def test_a_marathon_that_was_called_one_is_a_race_at_hardly_more_than_easy_pace() -> None:
    someone = Someone("quiet", 14)
    base = someone.easy_weeks()
    speed = 1.04 * someone.easy_m_s
    run, numbers = someone.run(TODAY, [Segment(42_195 / speed, speed)], strain=12.0)
    called = replace(run, name="Newport Marathon")
    assert judge_runs([*base, (called, numbers)], AthleteSettings())[-1].kind == "race"
    trained = replace(run, name="Marathon long run")
    part = someone.run(TODAY, [Segment(30_000 / speed, speed)], strain=12.0)[1]
    assert not judge_runs([*base, (trained, part)], AthleteSettings())[-1].hard


def test_who_runs_on_hills_every_day_does_no_hill_session() -> None:
    """Rolling ground on every run: short climbs run briskly are this runner's ordinary running."""
    someone = Someone("quiet", 15)

    def rolling(day: float) -> Measured:
        up = Segment(45, 1.0 * someone.easy_m_s, grade=0.06)
        down = Segment(45, 1.1 * someone.easy_m_s, grade=-0.04)
        return someone.run(day, [Segment(300, someone.easy_m_s), *(up, Segment(120, someone.easy_m_s), down) * 12])

    runs = [rolling(2.5 * k) for k in range(24)]
    assert sum(run.hard for run in judge_runs(runs, AthleteSettings())[6:]) <= 1


def test_easy_pace_that_creeps_up_is_not_a_session_but_shows() -> None:
    """Three weeks of easy runs ten per cent faster: none is hard, and the speed of easy running says so."""
    someone = Someone("quiet", 11)
    base = someone.easy_weeks()
    faster = [
        someone.run(TODAY + 7 * k / 3, designed_easy("even", 1.1 * someone.easy_m_s), number=900_000 + k)
        for k in range(9)
    ]
    runs = judge_runs([*base, *faster], AthleteSettings())
    later = runs[-9:]
    assert not any(run.hard for run in later)
    before = [run.control.speed_m_s for run in runs[:-9] if run.control]
    after = [run.control.speed_m_s for run in later if run.control]
    assert len(after) == 9 and min(after) > 1.04 * (sum(before) / len(before))
    assert all(run.easy is not None for run in later)


def test_who_ran_hard_from_the_first_week_on_has_an_easy_pace_too() -> None:
    """Every second run a session: easy speed is still learned from what is easy, and the sessions are seen."""
    someone = Someone("quiet", 12)
    names = list(DESIGNS)
    runs = []
    for number in range(24):
        name = names[number // 2 % len(names)]
        parts = designed(name, someone.easy_m_s) if number % 2 else designed_easy("even", someone.easy_m_s)
        runs.append(someone.run(2.5 * number, parts))
    judged = judge_runs(runs, AthleteSettings())
    assert sum(run.hard for run in judged[1::2]) >= 11
    assert not any(run.hard for run in judged[0::2])
