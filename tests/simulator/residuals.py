"""Statistics of a runner's easy runs, as SCIENCE's table of real recordings gives them. For the tests beside it."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from daemon.simulator.physiology import HEAT_BPM_PER_C, grade_cost, lagged
from daemon.simulator.recording import SimulatedActivity

MINUTE = 12  # rows of the 5-second grid


@dataclass(frozen=True)
class Residuals:
    """One runner: `index` is easy heart rate at matched pace (bpm) by run, `days` the day of each."""

    index: np.ndarray
    days: np.ndarray
    speed: np.ndarray
    cv: np.ndarray
    drift: np.ndarray
    weekly_minutes: np.ndarray
    run_days_a_week: float

    def between_successive(self) -> float:
        """SD of a run against the one before (of one run: the difference's SD over the root of two)."""
        return float(np.std(np.diff(self.index)) / np.sqrt(2))

    def against_lagged_norm(self, norm: int = 12, lag: int = 2) -> np.ndarray:
        """Each run less the mean of the `norm` runs that ended `lag` runs before it."""
        places = range(norm + lag, len(self.index))
        return np.array([self.index[i] - self.index[i - norm - lag : i - lag].mean() for i in places])

    def autocorrelation(self, lag: int) -> float:
        r = self.index - self.index.mean()
        return float((r[lag:] * r[:-lag]).sum() / (r * r).sum())

    def steps_of_28_days(self) -> float:
        month = (self.days - self.days[0]) // 28
        means = np.array([self.index[month == m].mean() for m in np.unique(month)])
        return float(np.std(np.diff(means)))


def residuals(runs: list[SimulatedActivity]) -> Residuals:
    """Measure the easy runs of one runner with a plain index: minutes 10-40, lagged grade-adjusted speed."""
    easy = [r for r in runs if r.truth.kind == "easy"]
    measured = [m for m in (_measure(r) for r in easy) if m is not None]
    pulse, speed, cv, drift, day = np.array(measured).T
    slope = easy[0].body.slope_bpm_per_m_s
    weeks: dict[int, float] = {}
    for run in runs:
        week = _day(run).toordinal() // 7
        weeks[week] = weeks.get(week, 0.0) + run.session.minutes
    return Residuals(
        index=pulse - slope * (speed - speed.mean()),
        days=day,
        speed=speed,
        cv=cv,
        drift=drift,
        weekly_minutes=np.array(list(weeks.values())),
        run_days_a_week=len({_day(r) for r in runs}) / ((_day(runs[-1]) - _day(runs[0])).days / 7),
    )


def _day(run: SimulatedActivity) -> date:
    return run.start.date()


def _measure(run: SimulatedActivity) -> tuple[float, float, float, float, float] | None:
    trace = run.trace()
    if trace.heart_rate_bpm is None or len(trace.time_s) < 1500:
        return None
    rows = len(trace.time_s) // 5
    pulse, speed, grade = (
        np.asarray(a)[: rows * 5].reshape(rows, 5).mean(axis=1)
        for a in (trace.heart_rate_bpm, trace.speed_m_s, trace.grade_percent)
    )
    effort = lagged(speed * grade_cost(np.clip(grade / 100, -0.1, 0.1)), speed[0], 8)
    part = slice(10 * MINUTE, min(rows, 40 * MINUTE))
    ran = speed[part] > 1.5
    pulse, effort, minutes = pulse[part][ran], effort[part][ran], np.arange(rows)[part][ran] / MINUTE
    if run.conditions.thermometer == "true":
        pulse = pulse - HEAT_BPM_PER_C * max(0.0, run.truth.temperature_c - 12)
    slope, _ = np.polyfit(minutes, pulse - run.body.slope_bpm_per_m_s * (effort - effort.mean()), 1)
    speed_sd = float(effort.std() / effort.mean())
    return float(pulse.mean()), float(effort.mean()), speed_sd, float(slope), _day(run).toordinal()
