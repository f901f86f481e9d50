"""A tidied track and what its file told, as the values the rest of the program knows. Stores nothing."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from daemon.recordings.errors import Unreadable
from daemon.recordings.tidy import EARLIEST_UNIX_S, LATEST_UNIX_S, LONGEST_S, measured_distance, tidied
from daemon.recordings.track import Told, Track
from daemon.values import RUN_SPORTS, Activity, FloatArray, Recorded, Streams

RESTING_M_S = 0.7
"""Slower than this is not moving, in a run: the moving time of 813 runs came nearest to Strava's with it, half of them
within 5 s (Strava's own line lies at 0.6 m/s of a speed it has smoothed first) [measured]."""

PAUSE_S = 15.0
"""A gap that no stop of the timer explains is a pause beyond this, as in `daemon.metrics.grid` [measured there]."""

SPEED_HOLDS_S = 2.0
"""The watch's speed at a point says how the seconds before it were; over longer steps the way covered does [ENG]."""

STOP_S = 2.0
"""A stop of the timer shorter than this is a lap or a sport begun, and no pause [ENG]."""

CLIMB_M = 1.0
"""A climb counts once it has risen this far: 0.8 to 1.1 of Strava's gain at the median of two runners [measured]."""

STEEPEST = 0.5
"""More climbed than half of the way is an altimeter gone wild, and then nothing is said [ENG]."""

FIRST_ID = 2**52
ID_BITS = 48


def identity_of(text: str) -> int:
    """A stable id: 2**52 + 48 bits of the SHA-256 of `text`. Strava's ids are far below 2**52, floats still exact."""
    return FIRST_ID + (int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> (64 - ID_BITS))


def recorded(track: Track, told: Told) -> Recorded:
    """The activity with its streams; Unreadable where no clock or no points allow one."""
    track = tidied(track, told.start_unix_s)
    seconds = track.unix_s - track.unix_s[0]
    if seconds[-1] < 1.0:
        raise Unreadable("nothing recorded in it")
    distance = measured_distance(track)
    streams = Streams(
        time_s=seconds,
        distance_m=distance,
        altitude_m=track.columns.get("altitude_m"),
        speed_m_s=track.columns.get("speed_m_s"),
        heart_rate_bpm=track.columns.get("heart_rate_bpm"),
        cadence_rpm=track.columns.get("cadence_rpm"),
        temperature_c=track.columns.get("temperature_c"),
        moving=_moving(seconds, track, distance, told.sport in RUN_SPORTS),
    )
    strays = "1 point" if track.strays == 1 else f"{track.strays} points"
    lost = f"{strays} with a clock far from the others' left out" if track.strays else None
    return Recorded(_activity(streams, told, float(track.unix_s[0])), streams, told.utc_offset_s is not None, lost)


def with_lost(found: Sequence[Recorded], why: Sequence[str], part: str, parts: str) -> list[Recorded]:
    """`found`, the first of which says how many `parts` of the file are left out, and `why` the first of them is."""
    if not why:
        return list(found)
    left = f"1 {part}" if len(why) == 1 else f"{len(why)} {parts}"
    lost = "; ".join(text for text in (found[0].lost, f"{left} left out: {why[0]}") if text)
    return [replace(found[0], lost=lost), *found[1:]]


def summarised(told: Told) -> Recorded:
    """An activity of which the file has nothing but its totals."""
    start, elapsed = told.start_unix_s, _within(told.elapsed_s, 1, LONGEST_S) or _within(told.timer_s, 1, LONGEST_S)
    if start is None or not EARLIEST_UNIX_S <= start < LATEST_UNIX_S:
        raise Unreadable("its clock was not set")
    if elapsed is None:
        raise Unreadable("nothing recorded in it")
    nothing = Streams(time_s=np.array([0.0, elapsed]))
    return Recorded(_activity(nothing, told, start), None, told.utc_offset_s is not None)


def _activity(streams: Streams, told: Told, start_unix_s: float) -> Activity:
    elapsed_s = float(streams.time_s[-1])
    heart = streams.heart_rate_bpm
    average, highest = _heart_rate(heart, told)
    start = datetime.fromtimestamp(round(start_unix_s), UTC)
    return Activity(
        id=identity_of(told.identity),
        athlete_id=0,
        name=told.name,
        sport=told.sport,
        start=start,
        utc_offset_s=told.utc_offset_s or 0,
        distance_m=_distance(streams.distance_m, told),
        moving_time_s=_moving_time(streams, told, elapsed_s),
        elapsed_time_s=round(elapsed_s),
        elevation_gain_m=_ascent(streams, told),
        has_heart_rate=average is not None,
        average_heart_rate_bpm=average,
        max_heart_rate_bpm=highest,
        average_temperature_c=_temperature(streams.temperature_c, told),
        trainer=told.trainer,
        device=told.device,
        perceived_exertion=told.perceived_exertion,
        laps=told.laps,
        source=told.source,
    )


def _moving(seconds: FloatArray, track: Track, distance: FloatArray | None, run: bool) -> FloatArray:
    """1 where the time up to a point was spent moving, as Strava has it: 0 after a pause, and where a runner rests."""
    step = np.diff(seconds, prepend=0.0)
    paused = step > PAUSE_S
    for begin, _ in track.stopped:
        after = int(np.searchsorted(track.unix_s, begin, side="right"))
        if after < seconds.size:
            paused[after] |= step[after] > STOP_S
    speed = track.columns.get("speed_m_s")
    if distance is not None:
        covered = np.diff(distance, prepend=np.nan) / np.maximum(step, 1.0)
        paused &= ~(covered >= RESTING_M_S)  # the way goes on through a gap: smart recording, or a lap begun
        speed = covered if speed is None else np.where((step > SPEED_HOLDS_S) | np.isnan(speed), covered, speed)
    if run and speed is not None:
        paused |= speed < RESTING_M_S
    return np.where(paused, 0.0, 1.0)


def _moving_time(streams: Streams, told: Told, elapsed_s: float) -> int:
    timer = _within(told.timer_s, 1.0, elapsed_s + 2.0)
    if streams.moving is None:
        return round(min(timer or elapsed_s, elapsed_s))
    moving = float(np.diff(streams.time_s, prepend=0.0)[streams.moving > 0].sum())
    if told.sport not in RUN_SPORTS and timer is not None:
        moving = timer
    return round(min(moving, timer or elapsed_s, elapsed_s)) or round(min(timer or elapsed_s, elapsed_s))


def _distance(stream: FloatArray | None, told: Told) -> float:
    finite = stream[np.isfinite(stream)] if stream is not None else np.empty(0)
    measured = float(finite[-1] - min(finite[0], 0.0)) if finite.size else None
    said = _within(told.distance_m, 0.0, 2e6)
    if said is not None and (measured is None or said > 0 and abs(said - measured) <= 0.5 * max(said, measured)):
        return said
    return measured if measured is not None else said or 0.0


def _heart_rate(heart: FloatArray | None, told: Told) -> tuple[float | None, float | None]:
    average, highest = _within(told.average_heart_rate_bpm, 30, 240), _within(told.max_heart_rate_bpm, 30, 250)
    if heart is not None:
        average = average if average is not None else float(np.nanmean(heart))
        highest = highest if highest is not None else float(np.nanmax(heart))
    return average, highest


def _ascent(streams: Streams, told: Told) -> float | None:
    said, altitude = _within(told.ascent_m, 0.0, 20_000.0), streams.altitude_m
    if said is not None or altitude is None:
        return said
    climbed, low = 0.0, math.inf
    for height in altitude[np.isfinite(altitude)].tolist():
        if height >= low + CLIMB_M:
            climbed, low = climbed + height - low, height
        low = min(low, height)
    return climbed if climbed <= STEEPEST * _distance(streams.distance_m, told) else None


def _temperature(stream: FloatArray | None, told: Told) -> float | None:
    said = _within(told.average_temperature_c, -60.0, 80.0)
    return said if said is not None or stream is None else float(np.nanmean(stream))


def _within(value: float | None, low: float, high: float) -> float | None:
    return value if value is not None and math.isfinite(value) and low <= value <= high else None
