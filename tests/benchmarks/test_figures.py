"""The benchmark's arithmetic: intervals, what hangs together, when a figure has got worse, and what is injected."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from daemon.metrics import AthleteSettings, judge_runs, make_series, measure
from daemon.simulator.recording import SimulatedActivity
from daemon.simulator.runner import RunnerSpec, simulate
from tests.benchmarks import floors, real_recordings
from tests.benchmarks.expected import chance_of
from tests.benchmarks.figures import Figure, figure
from tests.benchmarks.real_recordings import INJECTIONS, Recorded

JANUARY = date(2026, 1, 5)


class TestSamplingError:
    def test_of_a_share(self) -> None:
        low, high = Figure(20, 200).interval()
        assert (low, high) == (pytest.approx(0.066, abs=0.001), pytest.approx(0.149, abs=0.001))  # Wilson's, by hand
        assert Figure(0, 50).interval()[1] == pytest.approx(0.071, abs=0.001)

    def test_of_a_rate(self) -> None:
        low, high = Figure(10, 20, rate=True).interval()
        assert (low, high) == (pytest.approx(4.80 / 20, abs=0.01), pytest.approx(18.39 / 20, abs=0.01))  # exact limits

    def test_runners_who_are_hit_in_every_scenario_are_few_draws(self) -> None:
        """Ten runners, twenty scenarios: two runners always hit are no better known than two of ten."""
        always = figure((runner, float(runner < 2), 1.0) for runner in range(10) for _ in range(20))
        alone = Figure(2, 10)
        assert always.value == alone.value
        assert always.interval() == pytest.approx(alone.interval(), abs=0.02)
        scattered = figure((runner, float((runner + n) % 5 == 0), 1.0) for runner in range(10) for n in range(20))
        assert scattered.spread == 1.0


class TestRegression:
    def test_a_clear_fall_is_one_and_chance_is_none(self) -> None:
        usual = Figure(190, 200)
        assert chance_of(Figure(31, 32), usual, more=False) > 0.5
        assert chance_of(Figure(28, 32), usual, more=False) > 0.05
        assert chance_of(Figure(20, 32), usual, more=False) < 0.001

    def test_false_alarms_count_the_other_way(self) -> None:
        usual = Figure(8, 200)
        assert chance_of(Figure(0, 32), usual, more=True) == pytest.approx(1.0)
        assert chance_of(Figure(10, 32), usual, more=True) < 0.001

    def test_none_in_two_hundred_may_become_one_in_thirty(self) -> None:
        assert chance_of(Figure(1, 32), Figure(0, 200), more=True) > 0.01

    def test_rates(self) -> None:
        usual = Figure(40, 100, rate=True)
        assert chance_of(Figure(8, 20, rate=True), usual, more=True) == pytest.approx(0.55, abs=0.03)
        assert chance_of(Figure(24, 20, rate=True), usual, more=True) < 0.001


def test_a_floor_holds_or_fails_by_so_much() -> None:
    assert floors.verdict(Figure(180, 200), 0.85, most=False) == "holds"
    assert floors.verdict(Figure(165, 200), 0.85, most=False) == "within sampling error"
    assert floors.verdict(Figure(120, 200), 0.85, most=False) == "FAILS by 25.0 points"
    assert floors.verdict(Figure(80, 100, rate=True), 0.4, most=True) == "FAILS by 0.40 a year"


class TestInjection:
    """Strain put into recordings, tried on a simulated runner's."""

    RUNS = simulate(RunnerSpec(), JANUARY, JANUARY + timedelta(28))

    def recorded(self, runs: list[SimulatedActivity]) -> Recorded:
        recordings = [(run.as_activity(1), run.as_streams()) for run in runs]
        measured = [(a, measure(a, make_series(s))) for a, s in recordings]
        judged = judge_runs(measured, AthleteSettings())
        return Recorded(recordings, measured, judged, easy_bpm=142.0, maximum_bpm=188.0)

    def beats(self, kind: str, shown: float) -> tuple[np.ndarray, np.ndarray]:
        runner = self.recorded(self.RUNS[:1])
        activity, streams = runner.recordings[0]
        before = np.full(len(streams.time_s), shown)
        _, changed = INJECTIONS[kind](runner, (activity, replace(streams, heart_rate_bpm=before)), 1.0)
        assert changed.heart_rate_bpm is not None
        return before, changed.heart_rate_bpm

    def test_strain_begins_after_five_minutes_and_fades_to_nothing_at_maximum(self) -> None:
        before, after = self.beats("+8 bpm", 142.0)
        assert set(after[:300] - before[:300]) == {0.0}
        assert set(after[300:] - before[300:]) == {8.0}
        before, after = self.beats("+8 bpm", 165.0)
        assert set(after[300:] - before[300:]) == {4.0}
        before, after = self.beats("+8 bpm", 188.0)
        assert set(after - before) == {0.0}

    def test_lost_pace_leaves_heart_rate_alone(self) -> None:
        runner = self.recorded(self.RUNS[:1])
        activity, streams = runner.recordings[0]
        slower, changed = INJECTIONS["5 bpm as lost pace"](runner, (activity, streams), 1.0)
        lost = (activity.distance_m - slower.distance_m) / activity.moving_time_s
        assert lost == pytest.approx(5 / 28, rel=0.001)
        assert changed.distance_m is not None
        assert changed.distance_m[-1] == pytest.approx(slower.distance_m)
        assert changed.heart_rate_bpm is streams.heart_rate_bpm

    def test_only_runs_of_the_window_are_touched_and_easy_running_answers(self) -> None:
        runner = self.recorded(self.RUNS)
        begin = JANUARY + timedelta(14)
        for kind in ("+5 bpm", "5 bpm as lost pace"):
            risen = []
            for run, other in zip(runner.runs, real_recordings.injected(runner, begin, INJECTIONS[kind]), strict=True):
                if run.day < begin:
                    assert run == other
                elif run.easy and other.easy and run.day >= begin + timedelta(10):
                    risen.append(other.easy.bpm - run.easy.bpm - 28 * (other.easy.speed_m_s - run.easy.speed_m_s))
            assert np.mean(risen) == pytest.approx(5.0, abs=0.7)
