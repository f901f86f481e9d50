"""Sessions run by simulated runners after ten weeks of easy running, for the tests of what a session is called."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from daemon.metrics import RunMetrics, make_series, measure
from daemon.simulator import physiology
from daemon.simulator.physiology import Body, Conditions, Segment
from daemon.simulator.runner import WORLDS, WorldName
from daemon.values import Activity, Streams

MONDAY = datetime(2026, 1, 5, 7, tzinfo=UTC)
WEEKS = 9


class Someone:
    """A runner of one of the two worlds: another body, watch and ground for every seed."""

    def __init__(self, world: WorldName, seed: int) -> None:
        self.rng = np.random.default_rng([seed, 4711])
        rng, self.noise = self.rng, WORLDS[world]
        self.body = Body(rng.uniform(2.3, 3.6), rng.uniform(132, 152), rng.uniform(17, 39), 52, rng.uniform(180, 198))
        self.gps_cv = self.noise.gps_cv if world == "quiet" else rng.uniform(0.04, 0.1)
        self.grade_sd, self.level, self.runs_a_week = rng.uniform(0.004, 0.016), 0.0, int(rng.choice([2, 3, 4]))

    @property
    def easy_m_s(self) -> float:
        return self.body.easy_speed_m_s

    def run(
        self, day: float, parts: Sequence[Segment], strain: float = 0.0, number: int = 0
    ) -> tuple[Activity, RunMetrics]:
        """One run of these parts on `day`, as a watch of this world records it."""
        noise, rng = self.noise, self.rng
        self.level = 0.95 * self.level + 0.3 * float(rng.normal(0, noise.wander_bpm))
        today = 1.0 if any(s.work for s in parts) else 1.0 + float(rng.normal(0, noise.pace_m_s)) / self.easy_m_s
        conditions = Conditions(
            offset_bpm=self.level + float(rng.normal(0, noise.run_bpm)) + strain,
            drift_bpm_per_min=0.1 + float(rng.normal(0, noise.drift_bpm_per_min)),
            grade_sd=self.grade_sd,
            pace_cv=noise.pace_cv,
            gps_cv=self.gps_cv,
            wobble_bpm=noise.wobble_bpm,
            altimeter_m=noise.altimeter_m,
            stops_per_hour=noise.stops_per_hour,
            faults=noise.faults,
        )
        scaled = [replace(s, speed_m_s=s.speed_m_s * today) for s in parts]
        trace = physiology.run(self.body, scaled, conditions, np.random.default_rng(rng.integers(1 << 40)))
        streams = Streams(
            time_s=trace.time_s,
            distance_m=trace.distance_m,
            altitude_m=trace.altitude_m,
            heart_rate_bpm=trace.heart_rate_bpm,
            cadence_rpm=trace.cadence_rpm,
        )
        done = Activity(
            id=number or round(1000 * day) + 1,
            athlete_id=1,
            name="Run",
            sport="Run",
            start=MONDAY + timedelta(days=day),
            utc_offset_s=3600,
            distance_m=float(trace.distance_m[-1]),
            moving_time_s=int(trace.moving.sum()),
            elapsed_time_s=int(trace.time_s[-1]) + 1,
            has_heart_rate=trace.heart_rate_bpm is not None,
        )
        return done, measure(done, make_series(streams))

    def easy_weeks(self, weeks: int = WEEKS) -> list[tuple[Activity, RunMetrics]]:
        """Easy runs of 35 to 60 minutes and a long one a week."""
        out = []
        for number in range(weeks * self.runs_a_week):
            minutes = float(self.rng.uniform(35, 60)) * (1.0 if number % self.runs_a_week else 1.6)
            out.append(self.run(7 * number / self.runs_a_week, [Segment(60 * minutes, self.easy_m_s)]))
        return out
