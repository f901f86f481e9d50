"""Strava's JSON as values, whatever is in it: pure, and forgiving, because one odd run must not hold up the others."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from daemon.values import Activity, FloatArray, Lap, Streams

STREAM_KEYS = ("time", "distance", "altitude", "velocity_smooth", "heartrate", "cadence", "temp", "moving")

_LONGEST_S = 14 * 86_400
_LARGEST_OFFSET_S = 18 * 3600
_YEARS = range(1980, 2200)
_ZONE = re.compile(r"^(?:\((?:GMT|UTC)[^)]*\)\s*)?(?P<name>[A-Za-z][\w+\-/]*)$")


def read_activity(raw: Any, athlete_id: int) -> Activity | None:
    """A summary or a detail as an Activity of that athlete; None only where it has no usable id or start.

    What is missing or of a wrong type takes the value's default, so that an unknown kind of activity is kept.
    """
    if not isinstance(raw, dict):
        return None
    number, started = read_id(raw.get("id")), _start(raw)
    if number is None or started is None:
        return None
    start, offset_s = started
    moving_s, elapsed_s = _durations(raw)
    average, highest = _positive(raw.get("average_heartrate")), _positive(raw.get("max_heartrate"))
    exertion = _positive(raw.get("perceived_exertion"))
    return Activity(
        id=number,
        athlete_id=athlete_id,
        name=_text(raw.get("name")) or "",
        sport=_text(raw.get("sport_type")) or _text(raw.get("type")) or "Unknown",
        start=start,
        utc_offset_s=offset_s,
        distance_m=_distance(raw.get("distance")),
        moving_time_s=moving_s,
        elapsed_time_s=elapsed_s,
        timezone=zone_name(raw.get("timezone")),
        start_obscured=_is_obscured(raw, start, offset_s),
        elevation_gain_m=_finite(raw.get("total_elevation_gain")),
        has_heart_rate=raw.get("has_heartrate") is True or average is not None,
        average_heart_rate_bpm=average,
        max_heart_rate_bpm=highest,
        average_temperature_c=_finite(raw.get("average_temp")),
        trainer=raw.get("trainer") is True,
        manual=raw.get("manual") is True,
        private=raw.get("private") is True or raw.get("visibility") == "only_me",
        workout_type=_small(raw.get("workout_type")),
        device=_text(raw.get("device_name")),
        athlete_count=max(1, _small(raw.get("athlete_count")) or 1),
        perceived_exertion=exertion if exertion is not None and exertion <= 10 else None,
        laps=_laps(raw.get("laps")),
    )


def read_streams(raw: Any) -> Streams | None:
    """Strava's streams, keyed by type, as arrays of one length; None where there is no recording in them.

    Time rules: other streams are cut or padded with NaN to its length, and rows whose time is missing or falls are
    dropped. A value of a wrong type is NaN; a stream without any value is None.
    """
    data = _by_type(raw)
    time_s = _array(data.get("time"))
    keep = _rising(time_s)
    if np.count_nonzero(keep) < 2:
        return None
    whole = bool(keep.all())

    def stream(key: str) -> FloatArray | None:
        values = _array(data.get(key))[: len(time_s)]
        if np.isnan(values).all():
            return None
        if whole and len(values) == len(time_s):
            return values
        padded = np.full(len(time_s), np.nan)
        padded[: len(values)] = values
        return padded[keep]

    moving = stream("moving")
    return Streams(
        time_s=time_s[keep],
        distance_m=stream("distance"),
        altitude_m=stream("altitude"),
        speed_m_s=stream("velocity_smooth"),
        heart_rate_bpm=stream("heartrate"),
        cadence_rpm=stream("cadence"),
        temperature_c=stream("temp"),
        moving=None if moving is None else np.where(np.isnan(moving), np.nan, (moving != 0).astype(np.float64)),
    )


def says_something(raw: Any) -> bool:
    """Whether there is anything in an answer about streams, readable or not, beyond empty streams."""
    return any(not isinstance(data, list) or bool(data) for data in _by_type(raw).values()) or (
        isinstance(raw, list) and bool(raw) and not _by_type(raw)
    )


def _rising(time_s: FloatArray) -> NDArray[np.bool_]:
    """The rows to keep so that time never falls.

    A row either lies below what came before (the watch went back) or above what comes after (one wild value, which
    would take the rest of the run with it): whichever view loses fewer rows is taken.
    """
    seconds = np.nan_to_num(time_s, nan=-1.0)
    usable = (seconds >= 0) & (seconds <= _LONGEST_S)
    if not usable.any():
        return usable
    not_fallen = usable & (seconds >= np.maximum.accumulate(np.where(usable, seconds, -np.inf)))
    if not_fallen.all():
        return not_fallen
    not_wild = usable & (seconds <= np.minimum.accumulate(np.where(usable, seconds, np.inf)[::-1])[::-1])
    return not_fallen if np.count_nonzero(not_fallen) >= np.count_nonzero(not_wild) else not_wild


@lru_cache(maxsize=256)
def _known_zone(name: str) -> str | None:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return None
    return name


def zone_name(value: Any) -> str | None:
    """The IANA name in Strava's "(GMT+08:00) Etc/GMT-8"; None where there is none that this machine knows."""
    match = _ZONE.match(value.strip()) if isinstance(value, str) else None
    return _known_zone(match["name"]) if match else None


def _start(raw: Mapping[str, Any]) -> tuple[datetime, int] | None:
    """The start in UTC and the offset to the runner's wall clock, from whichever of the four fields are there."""
    start, local = _moment(raw.get("start_date")), _moment(raw.get("start_date_local"))
    zone, told = zone_name(raw.get("timezone")), _finite(raw.get("utc_offset"))
    offset = round(told) if told is not None and abs(told) <= _LARGEST_OFFSET_S else None
    if start is None:
        if local is None:
            return None
        if offset is None:
            offset = _zone_offset(zone, local.replace(tzinfo=None)) or 0
        return local - timedelta(seconds=offset), offset
    if offset is None and local is not None and not _is_hidden(local):
        apart = round((local - start).total_seconds())
        offset = apart if abs(apart) <= _LARGEST_OFFSET_S else None
    if offset is None:
        offset = _zone_offset(zone, start) or 0
    return start, offset


def _moment(value: Any) -> datetime | None:
    """An ISO time as aware UTC (what names no zone is taken as UTC); None beyond the years runners live in."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year in _YEARS else None


def _zone_offset(zone: str | None, moment: datetime) -> int | None:
    if zone is None:
        return None
    info = ZoneInfo(zone)
    there = moment.replace(tzinfo=info) if moment.tzinfo is None else moment.astimezone(info)
    offset = there.utcoffset()
    return None if offset is None else round(offset.total_seconds())


def _is_obscured(raw: Mapping[str, Any], start: datetime, offset_s: int) -> bool:
    """Strava hides a start by setting the wall clock to one second past midnight."""
    local = _moment(raw.get("start_date_local"))
    return _is_hidden(local if local is not None else start + timedelta(seconds=offset_s))


def _is_hidden(local: datetime) -> bool:
    return (local.hour, local.minute, local.second) == (0, 0, 1)


def _durations(raw: Mapping[str, Any]) -> tuple[int, int]:
    """Moving and elapsed seconds: each stands in for the other where that is missing, zero or absurd."""
    moving, elapsed = _seconds(raw.get("moving_time")), _seconds(raw.get("elapsed_time"))
    elapsed = elapsed or moving
    return min(moving or elapsed, elapsed), elapsed


def _seconds(value: Any) -> int:
    number = _finite(value)
    return round(number) if number is not None and 0 < number <= _LONGEST_S else 0


def _laps(raw: Any) -> tuple[Lap, ...]:
    return tuple(_lap(lap) for lap in raw if isinstance(lap, dict)) if isinstance(raw, list) else ()


def _lap(raw: Mapping[str, Any]) -> Lap:
    moving_s, elapsed_s = _durations(raw)
    return Lap(elapsed_s, moving_s, _distance(raw.get("distance")), _positive(raw.get("average_heartrate")))


def _distance(value: Any) -> float:
    number = _finite(value)
    return number if number is not None and 0 <= number <= 1e7 else 0.0


def read_id(value: Any) -> int | None:
    """A positive integer that a database can hold."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63 else None


def _small(value: Any) -> int | None:
    number = _finite(value)
    return int(number) if number is not None and abs(number) < 2**31 else None


def _finite(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _positive(value: Any) -> float | None:
    number = _finite(value)
    return number if number is not None and number > 0 else None


def _text(value: Any) -> str | None:
    """Text a database can hold: half of a surrogate pair, which JSON allows, can't be stored as UTF-8."""
    if not isinstance(value, str):
        return None
    return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8").strip()[:500] or None


def _by_type(raw: Any) -> dict[str, Any]:
    """{type: values}, also from the list of streams that Strava sends when `key_by_type` is lost on the way."""
    if isinstance(raw, list):
        raw = {entry["type"]: entry for entry in raw if isinstance(entry, dict) and isinstance(entry.get("type"), str)}
    if not isinstance(raw, dict):
        return {}
    return {key: value.get("data") if isinstance(value, dict) else value for key, value in raw.items()}


def _array(values: Any) -> FloatArray:
    """Values as floats, NaN for whatever isn't a finite number."""
    if not isinstance(values, list):
        return np.empty(0)
    try:
        array: NDArray[np.float64] = np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        array = np.empty((0, 0))
    if array.ndim != 1:
        array = np.array([_number(value) for value in values], dtype=np.float64)
    array[~np.isfinite(array)] = np.nan
    return array


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
