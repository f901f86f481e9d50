"""What people do now, and the two controls: rules applied to the same runs, for comparison side by side.

They see averages as Strava shows them. Nothing of this is in the program.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import numpy as np

from daemon.values import FloatArray, Run
from tests.benchmarks.lives import Lived

DaysUp = dict[str, frozenset[date]]

MEANS = "mean heart rate of 7 runs 3 above that of 28"
RATIO = "acute:chronic load above 1.5"
CEILING = "an easy run above 145 bpm"
DISTANCE = "30 % more distance than the week before"
BLIND = "nine days after the first hard session"

RULES = (MEANS, RATIO, CEILING, DISTANCE, BLIND)


def days_up(lived: Lived, days: Sequence[date]) -> DaysUp:
    """The days among `days` (consecutive) on which each rule says stop, and the day before the first of them."""
    if not days:
        return {}
    looked = [days[0] - timedelta(days=1), *days]
    rules: dict[str, Callable[[Lived, Sequence[date]], list[bool]]] = {
        MEANS: _seven_against_twenty_eight,
        RATIO: _acute_to_chronic,
        CEILING: _above_a_ceiling,
        DISTANCE: _more_distance,
    }
    found = ((name, zip(looked, rule(lived, looked), strict=True)) for name, rule in rules.items())
    return {name: frozenset(day for day, up in ups if up) for name, ups in found}


def blind_rule(first_hard: date | None) -> DaysUp:
    """The control that never reads a heart rate: pull back nine days after the first hard session, for a week."""
    if first_hard is None:
        return {}
    return {BLIND: frozenset(first_hard + timedelta(days=9 + n) for n in range(7))}


def _seven_against_twenty_eight(lived: Lived, days: Sequence[date]) -> list[bool]:
    runs = [run for run in lived.runs if run.is_run and run.id in lived.averages]
    averages = [lived.averages[run.id] for run in runs]
    counts = _count_until(runs, days)
    return [n >= 28 and float(np.mean(averages[n - 7 : n]) - np.mean(averages[n - 28 : n])) > 3.0 for n in counts]


def _acute_to_chronic(lived: Lived, days: Sequence[date]) -> list[bool]:
    acute, chronic = (_trailing(lived.runs, [run.load for run in lived.runs], days, n) for n in (7, 28))
    return [bool(a > 1.5 * c / 4) for a, c in zip(acute, chronic, strict=True)]


def _more_distance(lived: Lived, days: Sequence[date]) -> list[bool]:
    runs = [run for run in lived.runs if run.is_run]
    week, fortnight = (_trailing(runs, [run.distance_m for run in runs], days, n) for n in (7, 14))
    return [bool(w > 1.3 * (f - w) > 0.0) for w, f in zip(week, fortnight, strict=True)]


def _above_a_ceiling(lived: Lived, days: Sequence[date]) -> list[bool]:
    """Whether the last easy run was too high; the runner knows which runs were meant to be easy."""
    runs = [run for run in lived.runs if run.id in lived.averages and not lived.truths[run.id].hard and run.is_run]
    counts = _count_until(runs, days)
    return [n > 0 and lived.averages[runs[n - 1].id] > 145.0 for n in counts]


def _count_until(runs: Sequence[Run], days: Sequence[date]) -> list[int]:
    ends = np.array([run.day.toordinal() for run in runs])
    return [int(n) for n in np.searchsorted(ends, [day.toordinal() for day in days], side="right")]


def _trailing(runs: Sequence[Run], values: Sequence[float], days: Sequence[date], n: int) -> FloatArray:
    """The sum of `values` over the `n` days that end on each of `days`."""
    total = np.concatenate(([0.0], np.cumsum(values)))
    ends = np.array([run.day.toordinal() for run in runs])
    last = np.array([day.toordinal() for day in days])
    found: FloatArray = total[np.searchsorted(ends, last, "right")] - total[np.searchsorted(ends, last - n, "right")]
    return found
