"""A track's points brought into order: clock believed or not, sorted, merged, pauses cut, values no runner has gone.

Numbers in, numbers out; knows nothing of file formats.
"""

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.errors import Unreadable
from daemon.recordings.track import Track
from daemon.values import FloatArray

EARLIEST_UNIX_S = 1_041_379_200
"""1 January 2003: watches wrote no files before; a clock that was never set says 1989, 2000 or so [ENG]."""

LATEST_UNIX_S = 4_102_444_800
"""1 January 2100. That a start lies after today is for the caller to see, who knows today."""

LONGEST_S = 7 * 86_400
"""Points further than this from the middle one have a wrong clock; the longest races last six days [ENG]."""

LONELY_S, LONELY_POINTS = 6 * 3600, 5
"""At most so many points, so far from all others, are a flipped bit in the clock and no part of the run [ENG]."""

EARTH_M = 6_371_008.8
FASTEST_M_S = 60.0
"""A position that needs more than this from the one before is a jump of the receiver: no distance is added [ENG]."""

LONGEST_PAUSE_WITH_POINTS_S = 60.0
"""A stop that is followed by more than this of recording, and by no start, was no stop."""

BOUNDS = {
    "distance_m": (0.0, 2e6),
    "altitude_m": (-500.0, 9000.0),
    "speed_m_s": (0.0, 60.0),
    "heart_rate_bpm": (1.0, 250.0),
    "cadence_rpm": (0.0, 254.0),
    "temperature_c": (-60.0, 80.0),
    "latitude": (-90.0, 90.0),
    "longitude": (-180.0, 180.0),
}
"""Values outside are no readings (the loosest bounds that catch invalid markers and flipped bits) [ENG]."""


def tidied(track: Track, start_unix_s: float | None) -> Track:
    """The track in order of time, one point a second at most, without pauses' points, without values no runner has.

    Where the points' clock was never set, they are moved so that the first lies at `start_unix_s`.
    Unreadable where that isn't known either, or where there is no point with a time.
    """
    columns = {name: _bounded(name, values) for name, values in track.columns.items()}
    unix_s, stopped = np.asarray(track.unix_s, dtype=np.float64), track.stopped
    columns = {name: values[np.isfinite(unix_s)] for name, values in columns.items()}
    unix_s = unix_s[np.isfinite(unix_s)]
    if unix_s.size == 0:
        raise Unreadable("no times in it")
    shift = _clock_shift(unix_s, start_unix_s)
    unix_s, stopped = unix_s + shift, tuple((a + shift, b + shift) for a, b in stopped)
    keep = _one_recording(unix_s)
    if not keep.any():
        raise Unreadable("its clock was not set")
    columns = {name: values[keep] for name, values in columns.items()}
    unix_s, columns = _sorted(unix_s[keep], columns)
    unix_s, columns = _merged(unix_s, columns)
    running = ~_inside(unix_s, stopped)
    unix_s = unix_s[running]
    columns = {name: values[running] for name, values in columns.items()}
    columns = {name: values for name, values in columns.items() if np.isfinite(values).any()}
    return Track(unix_s, columns, stopped, strays=int(np.count_nonzero(~keep)))


def _bounded(name: str, values: FloatArray) -> FloatArray:
    low, high = BOUNDS[name]
    with np.errstate(invalid="ignore"):
        return np.where((values >= low) & (values <= high), values, np.nan)


def _clock_shift(unix_s: FloatArray, start_unix_s: float | None) -> float:
    """Seconds to add to every time: 0 where most of the points have a clock that was set."""
    sane = (unix_s >= EARLIEST_UNIX_S) & (unix_s < LATEST_UNIX_S)
    if 2 * np.count_nonzero(sane) >= unix_s.size:
        return 0.0
    if start_unix_s is None or not EARLIEST_UNIX_S <= start_unix_s < LATEST_UNIX_S:
        raise Unreadable("its clock was not set")
    return float(start_unix_s - unix_s[~sane].min())


def _one_recording(unix_s: FloatArray) -> NDArray[np.bool_]:
    """The points that belong together: near the middle one in time, and no lonely few far before or after the rest."""
    sane = (unix_s >= EARLIEST_UNIX_S) & (unix_s < LATEST_UNIX_S)
    keep = sane & (np.abs(unix_s - np.median(unix_s[sane] if sane.any() else 0.0)) <= LONGEST_S)
    ordered = np.sort(unix_s[keep])
    far = np.flatnonzero(np.diff(ordered) > LONELY_S)
    low, high = -np.inf, np.inf
    for at in far:
        if at + 1 <= LONELY_POINTS < ordered.size - at - 1:
            low = ordered[at + 1]
        if ordered.size - at - 1 <= LONELY_POINTS < at + 1:
            high = min(high, ordered[at])
    return keep & (unix_s >= low) & (unix_s <= high)


def believed_span(unix_s: FloatArray) -> tuple[float, float] | None:
    """The first and the last time (unix s) that belong together; None where most have a clock that was not set."""
    sane = (unix_s >= EARLIEST_UNIX_S) & (unix_s < LATEST_UNIX_S)
    kept = unix_s[_one_recording(unix_s)]
    return (float(kept.min()), float(kept.max())) if kept.size and 2 * np.count_nonzero(sane) >= unix_s.size else None


def _sorted(unix_s: FloatArray, columns: dict[str, FloatArray]) -> tuple[FloatArray, dict[str, FloatArray]]:
    if not (np.diff(unix_s) < 0).any():
        return unix_s, columns
    order = np.argsort(unix_s, kind="stable")
    return unix_s[order], {name: values[order] for name, values in columns.items()}


def _merged(unix_s: FloatArray, columns: dict[str, FloatArray]) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Points of one and the same time as one: of each value the last that is there.

    Some watches write a second in two records, one with the position and one with the heart rate.
    """
    again = np.concatenate((np.diff(unix_s) <= 0.0, [False]))
    if not again.any():
        return unix_s, columns
    first = np.concatenate(([True], ~again[:-1]))
    group = np.cumsum(first) - 1
    merged = {}
    for name, values in columns.items():
        out = np.full(int(group[-1]) + 1, np.nan)
        there = np.isfinite(values)
        out[group[there]] = values[there]
        merged[name] = out
    return unix_s[first], merged


def _inside(unix_s: FloatArray, stopped: tuple[tuple[float, float], ...]) -> NDArray[np.bool_]:
    """Points strictly inside a stop of the timer: the second of the stop and that of the start stay.

    Strava's streams have both and nothing between. A stop without a start, with recording going on, is passed over.
    """
    inside = np.zeros(unix_s.size, dtype=bool)
    for begin, end in stopped:
        if np.isinf(end) and unix_s.size and unix_s[-1] - begin > LONGEST_PAUSE_WITH_POINTS_S:
            continue
        first, last = np.searchsorted(unix_s, begin, side="right"), np.searchsorted(unix_s, end, side="left")
        inside[first:last] = True
    return inside if not inside.all() else np.zeros(unix_s.size, dtype=bool)


def measured_distance(track: Track) -> FloatArray | None:
    """Cumulative metres: the file's own where it has them (made to rise throughout), else from positions, else None."""
    distance = track.columns.get("distance_m")
    if distance is not None and np.count_nonzero(np.isfinite(distance)) > 1:
        return _rising(distance)
    if all(name in track.columns for name in ("latitude", "longitude")):
        return _from_positions(track)
    return None


def _rising(distance_m: FloatArray) -> FloatArray:
    """Distance that never falls: counters that begin again at 0 go on from where they were, wild values are gone."""
    out = distance_m.copy()
    at = np.flatnonzero(np.isfinite(out))
    values = out[at]
    falls = np.flatnonzero(np.diff(values) < 0)
    for fall in falls[:1000]:
        after = values[fall + 1 :]
        begins_again = after.size > 10 and after[0] < 100.0 and values[fall] > 2.0 * after[:10].max()
        if begins_again and fall >= 10 and values[fall - 10] > after[0]:
            values[fall + 1 :] += values[fall]
    below = values >= np.maximum.accumulate(values)
    above = values <= np.minimum.accumulate(values[::-1])[::-1]
    good = below if np.count_nonzero(below) >= np.count_nonzero(above) else above
    out[at] = np.where(good, values, np.nan)
    return out


def _from_positions(track: Track) -> FloatArray | None:
    """Metres along the positions (haversine); jumps that nobody could run or ride add nothing."""
    latitude, longitude = track.columns["latitude"], track.columns["longitude"]
    at = np.flatnonzero(np.isfinite(latitude) & np.isfinite(longitude))
    if at.size < 2:
        return None
    lat, lon, seconds = np.radians(latitude[at]), np.radians(longitude[at]), np.diff(track.unix_s[at])
    half = np.sin(np.diff(lat) / 2) ** 2 + np.cos(lat[:-1]) * np.cos(lat[1:]) * np.sin(np.diff(lon) / 2) ** 2
    steps = 2 * EARTH_M * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))
    steps[steps > FASTEST_M_S * seconds] = 0.0
    out = np.full(latitude.size, np.nan)
    out[at] = np.concatenate(([0.0], np.cumsum(steps)))
    return out
