"""How near the limit: what the easy-run index answers to a known strain, how much it scatters, and Lorden's bound.

The index is easy heart rate at the runner's own usual pace, with a slope fitted to the runner's own base.
"""

import math
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import numpy as np

from daemon.simulator.events import Strain
from daemon.simulator.runner import WorldName
from daemon.values import FloatArray, Run
from tests.benchmarks.lives import Lived, Runner
from tests.benchmarks.walk import Outcome, delay_runs

INJECTED_BPM = 5.0
NORM_RUNS, GAP_RUNS, MEAN_RUNS = 12, 8, 8
SLOPE, SLOPE_SD, RUN_SD = 28.0, 8.0, 4.0
"""Prior of the slope (bpm per m/s), and the scatter of one run (bpm) it is weighed against."""


@dataclass(frozen=True, slots=True)
class Response:
    """One runner: mean answer to 5 bpm and to 5 bpm of lost pace, and the SD of one run and of 8-run means (bpm).

    `injected` is what the mean heart rate of the same runs rose by: strain fades towards maximum effort.
    """

    injected: float
    to_bpm: float
    to_pace: float
    run_sd: float
    mean_sd: float


def responses(world: WorldName, seeds: Sequence[int], processes: int = 1) -> list[Response]:
    """What the index of each runner answers. Runners without enough easy runs are left out."""
    work = partial(_response, world)
    if processes == 1:
        found = [work(seed) for seed in seeds]
    else:
        with ProcessPoolExecutor(processes) as pool:
            found = list(pool.map(work, seeds, chunksize=2))
    return [one for one in found if one is not None]


def _response(world: WorldName, seed: int) -> Response | None:
    runner = Runner(seed, world)
    steep = runner.spec.body.slope_bpm_per_m_s
    begin = runner.event + timedelta(days=1)

    def easy(lived: Lived) -> dict[int, Run]:
        return {run.id: run for run in lived.runs if run.easy is not None}

    strained = Strain(begin, INJECTED_BPM, days=1)
    slowed = replace(strained, as_pace=1.0, slope_bpm_per_m_s=steep)
    lives = [runner.live((), events) for events in ((), (strained,), (slowed,))]
    plain, bpm, pace = map(easy, lives)
    base = [run for run in plain.values() if run.day < begin]
    after = [run.id for run in plain.values() if run.day > begin and run.id in bpm and run.id in pace]
    if len(base) < NORM_RUNS + GAP_RUNS + MEAN_RUNS or not after:
        return None
    slope = _slope(base)
    answers = [
        float(np.mean([_index(changed[i], slope) - _index(plain[i], slope) for i in after])) for changed in (bpm, pace)
    ]
    index = np.array([_index(run, slope) for run in base])
    injected = float(np.mean([lives[1].averages[i] - lives[0].averages[i] for i in after]))
    return Response(injected, *answers, *_scatter(index))


def _index(run: Run, slope: float) -> float:
    assert run.easy is not None
    return run.easy.bpm - slope * run.easy.speed_m_s


def _slope(runs: Sequence[Run]) -> float:
    """From differences of successive runs, so that a wandering level doesn't count, shrunk to the prior."""
    bpm, speed = (np.array([getattr(run.easy, name) for run in runs]) for name in ("bpm", "speed_m_s"))
    dy, dx = np.diff(bpm), np.diff(speed)
    weight = 1.0 / (2 * RUN_SD**2)
    prior = 1.0 / SLOPE_SD**2
    return float((prior * SLOPE + weight * (dx * dy).sum()) / (prior + weight * (dx * dx).sum()))


def _scatter(index: FloatArray) -> tuple[float, float]:
    """SD of one run, and of the mean of 8, against the mean of the 12 that ended before them (bpm)."""
    one, eight = [], []
    for at in range(NORM_RUNS, index.size):
        if at >= NORM_RUNS + GAP_RUNS:
            one.append(index[at] - index[at - GAP_RUNS - NORM_RUNS : at - GAP_RUNS].mean())
        if at + MEAN_RUNS <= index.size:
            eight.append(index[at : at + MEAN_RUNS].mean() - index[at - NORM_RUNS : at].mean())
    return float(np.std(one)), float(np.std(eight))


def show(world: WorldName, found: Sequence[Response], outcomes: Sequence[Outcome], innocent: Sequence[str]) -> None:
    """The index's answer over its scatter, and each ramp's median delay against the bound of independent runs."""
    if not found:
        return
    injected, to_bpm, to_pace, run_sd, mean_sd = (
        float(np.mean([getattr(one, name) for one in found]))
        for name in ("injected", "to_bpm", "to_pace", "run_sd", "mean_sd")
    )
    print(f"\nHow near the limit? ({world} world, {len(found)} runners)")
    print(f"  the index answers {to_bpm:.2f} bpm to 5 bpm on easy effort (mean heart rate rises by {injected:.2f}),")
    print(f"  {to_pace:.2f} bpm to 5 bpm worth of lost pace (5 ± 0.5 wanted)")
    print(f"  SD against the norm: {run_sd:.1f} bpm of one run, {mean_sd:.1f} of the mean of 8;", end=" ")
    print(f"5 bpm are {to_bpm / mean_sd:.1f} and {to_pace / mean_sd:.1f} of the latter")
    wolf = [o for o in outcomes if o.scenario in innocent]
    easy, alarms = sum(len(o.easy_days) for o in wolf), sum(len(o.onsets.get("pull_back", ())) for o in wolf)
    if not alarms:
        return
    apart = easy / alarms
    print(f"  {apart:.0f} easy runs between false pull-backs; delays in easy runs against log of that over d²/2:")
    for bpm in (3, 5, 8):
        ramp = [o for o in outcomes if o.scenario == f"+{bpm} bpm"]
        if ramp:
            bound = math.log(apart) / ((bpm / run_sd) ** 2 / 2)
            waited = [_waited(o) for o in ramp]
            sign = "at least " if any(delay_runs(o) is None for o in ramp) else ""
            print(f"    +{bpm} bpm: {sign}{np.mean(waited):.1f} on average, bound {bound:.1f}")


def _waited(outcome: Outcome) -> int:
    """Easy runs from the strain to the pull-back, or to the end where none came."""
    delay = delay_runs(outcome)
    return sum(day >= (outcome.strained or 0) for day in outcome.easy_days) if delay is None else delay
