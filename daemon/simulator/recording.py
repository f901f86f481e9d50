"""A simulated activity in Strava's shapes: the same keys and JSON types as the real answers. Pure and lazy."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from daemon.simulator import physiology
from daemon.simulator.physiology import Body, Conditions, Segment, Trace
from daemon.simulator.sessions import Session
from daemon.values import Activity, FloatArray, Kind, Lap, Streams

Json = dict[str, Any]

WORKOUT_TYPES: dict[Kind, int] = {"race": 1}  # the others are as good as never set by hand
CLIMB_WINDOW_S = 30

USUAL: Json = {
    "resource_state": 2,
    "achievement_count": 0,
    "kudos_count": 0,
    "comment_count": 0,
    "athlete_count": 1,
    "commute": False,
    "manual": False,
    "private": False,
    "visibility": "everyone",
    "flagged": False,
    "gear_id": None,
    "heartrate_opt_out": False,
    "from_accepted_tag": False,
    "pr_count": 0,
    "has_kudoed": False,
}
"""The same in every summary."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What really was the case: nobody but a test may read it."""

    kind: Kind
    hard: bool
    strain_bpm: float
    offset_bpm: float
    temperature_c: float
    double_of: int | None = None


@dataclass(frozen=True)
class SimulatedActivity:
    """One activity. `start` is aware UTC. Nothing is simulated before something of it is read."""

    id: int
    start: datetime
    utc_offset_s: int
    timezone: str
    session: Session
    body: Body
    segments: tuple[Segment, ...]
    conditions: Conditions
    device: str
    exertion: float | None
    seed: tuple[int, ...]
    truth: Truth

    def trace(self) -> Trace:
        """The recording as arrays, made anew (and the same) at every call."""
        return physiology.run(self.body, self.segments, self.conditions, np.random.default_rng(self.seed))

    @cached_property
    def _facts(self) -> tuple[Json, list[Json], list[Json]]:
        trace = self.trace()
        return _summary(self, trace), _laps(self, trace), _splits(trace)

    @property
    def summary(self) -> Json:
        """An item of the activity list."""
        return self._facts[0]

    @property
    def laps(self) -> list[Json]:
        """One lap per kilometre, or per part of a session with structure."""
        return self._facts[1]

    @property
    def extra(self) -> Json:
        """What the detailed answer has beyond summary and laps."""
        return {
            "calories": round(self.summary["distance"] * 0.065, 1),
            "perceived_exertion": self.exertion,
            "prefer_perceived_exertion": None if self.exertion is None else False,
            "splits_metric": self._facts[2],
            "splits_standard": [],
            "hide_from_home": False,
            "device_name": self.device,
        }

    @property
    def streams(self) -> dict[str, list[Any]]:
        """Plain lists by stream name, as `keys=…` would ask for them."""
        trace = self.trace()
        streams: dict[str, list[Any]] = {
            "time": _integers(trace.time_s),
            "distance": trace.distance_m.tolist(),
            "altitude": np.round(trace.altitude_m, 1).tolist(),
            "velocity_smooth": trace.speed_m_s.tolist(),
            "cadence": _integers(trace.cadence_rpm),
            "moving": trace.moving.astype(bool).tolist(),
            "grade_smooth": trace.grade_percent.tolist(),
        }
        if trace.heart_rate_bpm is not None:
            streams["heartrate"] = _integers(trace.heart_rate_bpm)
        if trace.temperature_c is not None:
            streams["temp"] = _integers(trace.temperature_c)
        return streams

    def as_activity(self, athlete_id: int) -> Activity:
        """The same facts as the rooms of the program pass them around, without the way over HTTP."""
        s = self.summary
        return Activity(
            id=self.id,
            athlete_id=athlete_id,
            name=s["name"],
            sport=s["sport_type"],
            start=self.start,
            utc_offset_s=self.utc_offset_s,
            distance_m=s["distance"],
            moving_time_s=s["moving_time"],
            elapsed_time_s=s["elapsed_time"],
            timezone=self.timezone,
            elevation_gain_m=s["total_elevation_gain"],
            has_heart_rate=s["has_heartrate"],
            average_heart_rate_bpm=s.get("average_heartrate"),
            max_heart_rate_bpm=s.get("max_heartrate"),
            average_temperature_c=s.get("average_temp"),
            trainer=s["trainer"],
            workout_type=s["workout_type"],
            device=self.device,
            perceived_exertion=self.exertion,
            laps=tuple(
                Lap(lap["elapsed_time"], lap["moving_time"], lap["distance"], lap.get("average_heartrate"))
                for lap in self.laps
            ),
        )

    def as_streams(self) -> Streams:
        """The same recording as the rooms of the program pass it around, without the way over HTTP."""
        trace = self.trace()
        return Streams(
            time_s=trace.time_s,
            distance_m=trace.distance_m,
            altitude_m=trace.altitude_m,
            speed_m_s=trace.speed_m_s,
            heart_rate_bpm=trace.heart_rate_bpm,
            cadence_rpm=trace.cadence_rpm,
            temperature_c=trace.temperature_c,
            moving=trace.moving,
        )


def _summary(activity: SimulatedActivity, trace: Trace) -> Json:
    session, distance, moving_s = activity.session, float(trace.distance_m[-1]), int(trace.moving.sum())
    pulse, warmth = trace.heart_rate_bpm, trace.temperature_c
    facts: Json = {
        **USUAL,
        "name": default_name(activity),
        "distance": distance,
        "moving_time": moving_s,
        "elapsed_time": int(trace.time_s[-1]) + 1,
        "total_elevation_gain": climb(trace.altitude_m),
        "type": session.sport if session.sport == "Ride" else "Run",
        "sport_type": session.sport,
        "workout_type": WORKOUT_TYPES.get(session.kind, 0) if session.sport != "Ride" else 10,
        "id": activity.id,
        **_times(activity, 0),
        "timezone": _zone(activity.utc_offset_s, activity.timezone),
        "utc_offset": float(activity.utc_offset_s),
        "trainer": session.treadmill,
        "average_speed": round(distance / max(1, moving_s), 3),
        "max_speed": float(trace.speed_m_s.max()),
        "average_cadence": round(float(trace.cadence_rpm.mean()), 1),
        "has_heartrate": pulse is not None,
        "display_hide_heartrate_option": pulse is not None,
        "elev_high": round(float(trace.altitude_m.max()), 1),
        "elev_low": round(float(trace.altitude_m.min()), 1),
    }
    if warmth is not None:
        facts["average_temp"] = round(float(warmth.mean()))
    if pulse is not None:
        facts |= _pulse(pulse) | {"suffer_score": float(round(moving_s / 60 * max(0.2, pulse.mean() / 100 - 0.6)))}
    return facts


def _laps(activity: SimulatedActivity, trace: Trace) -> list[Json]:
    """The watch's own kilometre laps, or the lap button's where the session has parts."""
    structured = any(s.work for s in activity.segments) and len(activity.segments) > 1
    mark = trace.segment if structured else trace.distance_m // 1000
    edges = [0, *(np.flatnonzero(np.diff(mark)) + 1).tolist(), len(mark)]
    laps: list[Json] = []
    for number, (begin, end) in enumerate(zip(edges, edges[1:], strict=False), start=1):
        part = slice(begin, end)
        way = float(trace.distance_m[end - 1] - (trace.distance_m[begin - 1] if begin else 0.0))
        elapsed, moving_s = int(trace.time_s[end - 1] - trace.time_s[begin]) + 1, int(trace.moving[part].sum())
        lap = {
            "id": activity.id * 100 + number,
            "resource_state": 2,
            "name": f"Lap {number}",
            "elapsed_time": elapsed,
            "moving_time": moving_s,
            **_times(activity, int(trace.time_s[begin])),
            "distance": round(way, 1),
            "average_speed": round(way / max(1, moving_s), 2),
            "max_speed": float(trace.speed_m_s[part].max()),
            "lap_index": number,
            "split": number,
            "start_index": begin,
            "end_index": end - 1,
            "total_elevation_gain": climb(trace.altitude_m[part]),
            "average_cadence": round(float(trace.cadence_rpm[part].mean()), 1),
            "device_watts": False,
        }
        if trace.heart_rate_bpm is not None:
            lap |= _pulse(trace.heart_rate_bpm[part])
        laps.append(lap)
    return laps


def _splits(trace: Trace) -> list[Json]:
    edges = [0, *(np.flatnonzero(np.diff(trace.distance_m // 1000)) + 1).tolist(), len(trace.distance_m)]
    splits: list[Json] = []
    for number, (begin, end) in enumerate(zip(edges, edges[1:], strict=False), start=1):
        part = slice(begin, end)
        way = float(trace.distance_m[end - 1] - trace.distance_m[begin])
        moving_s = int(trace.moving[part].sum())
        split = {
            "distance": round(way, 1),
            "elapsed_time": int(trace.time_s[end - 1] - trace.time_s[begin]) + 1,
            "elevation_difference": round(float(trace.altitude_m[end - 1] - trace.altitude_m[begin]), 1),
            "moving_time": moving_s,
            "split": number,
            "average_speed": round(way / max(1, moving_s), 2),
            "average_grade_adjusted_speed": round(way / max(1, moving_s), 2),
            "pace_zone": 2,
        }
        if trace.heart_rate_bpm is not None:
            split["average_heartrate"] = float(trace.heart_rate_bpm[part].mean())
        splits.append(split)
    return splits


def _pulse(beats: FloatArray) -> Json:
    return {"average_heartrate": round(float(beats.mean()), 1), "max_heartrate": float(beats.max())}


def climb(altitude: FloatArray, step_s: int = 1) -> float:
    """Metres climbed, on altitude (one value per `step_s`) averaged over half a minute."""
    window = CLIMB_WINDOW_S // step_s
    whole = len(altitude) // window * window
    steps = np.diff(altitude[:whole].reshape(-1, window).mean(axis=1))
    return round(float(steps[steps > 0].sum()), 1)


def _times(activity: SimulatedActivity, after_s: int) -> Json:
    """Start in UTC and on the wall clock, the latter with Strava's false Z."""
    start = activity.start + timedelta(seconds=after_s)
    local = start + timedelta(seconds=activity.utc_offset_s)
    return {"start_date": f"{start:%Y-%m-%dT%H:%M:%SZ}", "start_date_local": f"{local:%Y-%m-%dT%H:%M:%SZ}"}


def _zone(offset_s: int, name: str) -> str:
    hours, minutes = divmod(abs(offset_s) // 60, 60)
    return f"(GMT{'-' if offset_s < 0 else '+'}{hours:02d}:{minutes:02d}) {name}"


def default_name(activity: SimulatedActivity) -> str:
    """The name Strava gives by itself."""
    hour = (activity.start + timedelta(seconds=activity.utc_offset_s)).hour
    part = "Morning" if hour < 12 else "Afternoon" if hour < 17 else "Evening"
    return f"{part} {'Ride' if activity.session.sport == 'Ride' else 'Run'}"


def _integers(values: FloatArray) -> list[int]:
    whole: list[int] = values.astype(int).tolist()
    return whole
