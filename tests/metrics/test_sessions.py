"""Sessions by other bodies, watches and coaches than the rules were written for: hard ones called hard, easy ones easy.

The bounds are the ones the program promises; seeds here were never used to choose a number.
"""

from collections import defaultdict

import pytest

from daemon.metrics import AthleteSettings, judge_runs
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
