"""What a file says of one activity, in the file's own order and not yet believed. Values only."""

from dataclasses import dataclass, field
from typing import Literal

from daemon.values import FloatArray, Lap

Source = Literal["fit", "tcx", "gpx"]

COLUMNS = ("distance_m", "altitude_m", "speed_m_s", "heart_rate_bpm", "cadence_rpm", "temperature_c")
"""The streams that a track may have, in the units of `daemon.values.Streams`."""

POSITION = ("latitude", "longitude")
"""Degrees: read to measure distance where the file has none, and then forgotten."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """The points of one activity: `unix_s` in UTC, a column of the same length for each of COLUMNS and POSITION it has.

    `stopped` holds the spans (unix seconds) in which the watch's timer stood still. `strays` counts points that were
    left out because their clock lies hours or days off the others.
    """

    unix_s: FloatArray
    columns: dict[str, FloatArray]
    stopped: tuple[tuple[float, float], ...] = ()
    strays: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What the file says of the activity beside its points. None wherever it says nothing.

    `identity` is what tells this recording from every other in the world; the id is made of it. `start_unix_s` is
    used where the points have no usable clock. `timer_s` is time with the timer running.
    """

    source: Source
    identity: str
    name: str
    sport: str
    trainer: bool = False
    start_unix_s: float | None = None
    utc_offset_s: int | None = None
    distance_m: float | None = None
    timer_s: float | None = None
    elapsed_s: float | None = None
    ascent_m: float | None = None
    average_heart_rate_bpm: float | None = None
    max_heart_rate_bpm: float | None = None
    average_temperature_c: float | None = None
    device: str | None = None
    perceived_exertion: float | None = None
    laps: tuple[Lap, ...] = field(default=())
