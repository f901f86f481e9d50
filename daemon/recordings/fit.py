"""FIT files as activities: sessions, laps, pauses and facts out of the messages. Which decoder read them is all one.

Heart rate that a swimmer's strap hands over afterwards (`hr` messages) is left out: no run depends on it.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.errors import DAMAGED, Unreadable
from daemon.recordings.fit_messages import Message, Messages, number, text
from daemon.recordings.fit_structure import Part, parts
from daemon.recordings.fit_words import TRANSITION, device_words, sport_word
from daemon.recordings.made import recorded, summarised
from daemon.recordings.tidy import EARLIEST_UNIX_S, LATEST_UNIX_S
from daemon.recordings.track import Told, Track
from daemon.values import FloatArray, Lap, Recorded

LEAST_BEFORE_DAMAGE_S = 60
COURSE = 6
"""A file of this type is a route to follow: its times were made up."""

_TIMER, _START, _STOPS = 0, 0, frozenset({1, 4, 8, 9})
_LARGEST_OFFSET_S = 14 * 3600
_QUARTER_S = 900

_HEART_RATE_NAMES = frozenset({"heartrate", "hr"})
"""Developer fields (and only those: the profile's own is `heart_rate`) in which apps put heart rate."""

_log = logging.getLogger(__name__)


def read_fit(data: bytes, stem: str) -> tuple[Recorded, ...]:
    """The activities of a FIT file or of several in a chain, oldest first. Raises Unreadable only."""
    decode = _decoder()
    found: dict[int, Recorded] = {}
    why: list[str] = []
    for part in parts(data):
        try:
            each = _activities(decode(part), stem)
        except Unreadable as reason:
            why.append(_truncated(part) if part.damaged and not part.has_records else str(reason))
            continue
        if part.damaged:
            each = [one for one in each if _is_enough(one)]
            each = [replace(one, lost=DAMAGED) for one in each]
            if not each:
                why.append(_truncated(part))
        found.update((one.activity.id, one) for one in each)
    if not found:
        raise Unreadable(why[0] if why else "truncated: no activity in it")
    return tuple(sorted(found.values(), key=lambda one: one.activity.start))


@cache
def _decoder() -> Callable[[Part], Messages]:
    """fitfast where this machine has it, else Garmin's SDK. Imported on first use: neither stays in the daemon."""
    try:
        from daemon.recordings.fit_fast import decode as fast
    except ImportError:
        from daemon.recordings.fit_official import decode as official

        _log.warning("fitfast is not available here: FIT files are read by Garmin's SDK, about 40 times slower")
        return official
    return fast


def _is_enough(one: Recorded) -> bool:
    return one.streams is not None and one.activity.elapsed_time_s >= LEAST_BEFORE_DAMAGE_S


def _truncated(part: Part) -> str:
    return "truncated: less than a minute in it" if part.has_records else "truncated: no activity in it"


def _activities(messages: Messages, stem: str) -> list[Recorded]:
    head = (messages.all("file_id") or [{}])[0]
    if number(head, "type") == COURSE:
        raise Unreadable("a course to follow, not a recording")
    unix_s = messages.records.get("timestamp", np.empty(0))
    sessions = _sessions(messages)
    if not unix_s.size and not any(sessions):
        raise Unreadable("a FIT file without an activity in it")
    begins = np.array([_start(session, -math.inf) for session in sessions])
    owner = np.clip(np.searchsorted(begins, unix_s, side="right") - 1, 0, None)
    found: list[Recorded] = []
    why: list[str] = []
    for index, session in enumerate(sessions):
        if number(session, "sport") == TRANSITION:
            continue
        mine = owner == index
        end = float(begins[index + 1]) if index + 1 < len(sessions) else math.inf
        told = _told(messages, session, index, unix_s[mine], (float(begins[index]), end), stem)
        try:
            found.append(_recorded(messages, mine, told))
        except Unreadable as reason:
            why.append(str(reason))
    if not found:
        raise Unreadable(why[0] if why else "a FIT file without an activity in it")
    return found


def _recorded(messages: Messages, mine: NDArray[np.bool_], told: Told) -> Recorded:
    if np.count_nonzero(mine) < 2:
        return summarised(told)
    columns = {name: values[mine] for name, values in _columns(messages.records).items()}
    if not mine[0] and "distance_m" in columns:  # a later sport of several: some watches count distance on
        columns["distance_m"] = columns["distance_m"] - np.fmin.reduce(columns["distance_m"])
    return recorded(Track(messages.records["timestamp"][mine], columns, _stops(messages.all("event"))), told)


def _sessions(messages: Messages) -> list[Message]:
    """The sessions by start, one for each: some devices write it again with every save, the last is the whole one.

    Where there is none (a watch that died), what the file says of the sport at its head.
    """
    by_start = {_start(session, -math.inf): session for session in messages.all("session")}
    sessions = [by_start[start] for start in sorted(by_start)]
    return sessions or [*messages.all("sport"), {}][:1]


def _start(session: Message, default: float) -> float:
    start = number(session, "start_time")
    if start is not None:
        return start
    end, elapsed = number(session, "timestamp"), number(session, "total_elapsed_time", "total_timer_time")
    return end - elapsed if end is not None and elapsed is not None else default


def _columns(records: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """The records' fields under our names: the enhanced field where there is one, and its plain one for the gaps."""
    chosen = {
        "distance_m": _first_of(records, "distance"),
        "altitude_m": _first_of(records, "enhanced_altitude", "altitude"),
        "speed_m_s": _first_of(records, "enhanced_speed", "speed"),
        "heart_rate_bpm": _heart_rate(records),
        "cadence_rpm": _cadence(records),
        "temperature_c": _first_of(records, "temperature"),
        "latitude": _first_of(records, "position_lat"),
        "longitude": _first_of(records, "position_long"),
    }
    return {name: values for name, values in chosen.items() if values is not None}


def _first_of(records: dict[str, FloatArray], *names: str) -> FloatArray | None:
    there = [records[name] for name in names if name in records]
    if not there:
        return None
    return there[0] if len(there) == 1 else np.where(np.isfinite(there[0]), there[0], there[1])


def _heart_rate(records: dict[str, FloatArray]) -> FloatArray | None:
    own = records.get("heart_rate")
    if own is not None and (own > 0).any():
        return own
    for name, values in records.items():
        if "".join(c for c in name.casefold() if c.isalnum()) in _HEART_RATE_NAMES and name != "heart_rate":
            return values
    return own


def _cadence(records: dict[str, FloatArray]) -> FloatArray | None:
    whole, part = records.get("cadence"), records.get("fractional_cadence")
    return whole if whole is None or part is None else whole + np.nan_to_num(part)


def _stops(events: list[Message]) -> tuple[tuple[float, float], ...]:
    """The spans in which the timer stood: from a stop to the next start, without end where none follows."""
    timer = [(number(e, "timestamp"), number(e, "event_type")) for e in events if number(e, "event") == _TIMER]
    spans: list[tuple[float, float]] = []
    since: float | None = None
    # In one and the same second as the file has them: a watch stopped and started again at once goes on.
    for moment, what in sorted(((m, w) for m, w in timer if m is not None and w is not None), key=lambda each: each[0]):
        if what in _STOPS and since is None:
            since = moment
        elif what == _START and since is not None:
            spans.append((since, moment))
            since = None
    if since is not None:
        spans.append((since, math.inf))
    return tuple(spans)


def _told(
    messages: Messages, session: Message, index: int, unix_s: FloatArray, window: tuple[float, float], stem: str
) -> Told:
    head = (messages.all("file_id") or [{}])[0]
    sport, sub_sport = _enum(session, "sport"), _enum(session, "sub_sport")
    word, on_the_spot = sport_word(sport, sub_sport)
    offset, start = _clock(messages, session, head)
    workout = messages.all("workout")
    first = float(np.nanmin(unix_s)) if np.isfinite(unix_s).any() else _start(session, 0.0)
    effort = number(session, "workout_rpe")
    return Told(
        source="fit",
        identity=_identity(head, first, index),
        name=(text(workout[0], "wkt_name") if workout else None) or stem,
        sport=word,
        trainer=on_the_spot,
        start_unix_s=start,
        utc_offset_s=offset,
        distance_m=number(session, "total_distance"),
        timer_s=number(session, "total_timer_time"),
        elapsed_s=number(session, "total_elapsed_time"),
        ascent_m=number(session, "total_ascent"),
        average_heart_rate_bpm=number(session, "avg_heart_rate"),
        max_heart_rate_bpm=number(session, "max_heart_rate"),
        average_temperature_c=number(session, "avg_temperature"),
        device=_device(messages, head),
        perceived_exertion=effort / 10.0 if effort is not None and 0 < effort <= 100 else None,
        laps=_laps(messages.all("lap"), window),
    )


def _identity(head: Message, first_unix_s: float, index: int) -> str:
    """The watch's serial number, when it made the file, its first second and which sport of several it is.

    Not the sport: a truncated file, which has lost it, is the same recording. A serial number of 0 is none.
    """
    made = f"{_enum(head, 'serial_number') or None}|{_enum(head, 'time_created')}"
    return f"fit|{made}|{first_unix_s:.0f}|{index}"


def _enum(message: Message, name: str) -> int | None:
    value = number(message, name)
    return int(value) if value is not None and math.isfinite(value) else None


def _clock(messages: Messages, session: Message, head: Message) -> tuple[int | None, float | None]:
    """The offset to the wall clock, and when it began by the messages beside the records: whichever clock was set.

    An offset of exactly 0 is taken as not told: apps and bike computers write UTC into the local time.
    """
    activity = (messages.all("activity") or [{}])[-1]
    utc, local = number(activity, "timestamp"), number(activity, "local_timestamp")
    elapsed = number(session, "total_elapsed_time", "total_timer_time") or 0.0
    offset = None
    if utc is not None and local is not None and _sane(utc) and _sane(local):
        apart = _QUARTER_S * round((local - utc) / _QUARTER_S)
        offset = apart if 0 < abs(apart) <= _LARGEST_OFFSET_S else None
    ends = [time - elapsed for time in (utc, local) if time is not None]
    candidates = [_start(session, 0.0), number(head, "time_created") or 0.0, *ends]
    return offset, next((time for time in candidates if _sane(time)), None)


def _sane(unix_s: float) -> bool:
    return EARLIEST_UNIX_S <= unix_s < LATEST_UNIX_S


def _device(messages: Messages, head: Message) -> str | None:
    creator = next((d for d in messages.all("device_info") if number(d, "device_index") == 0), {})
    name = text(head, "product_name") or text(creator, "product_name")
    maker = _enum(head, "manufacturer") or _enum(creator, "manufacturer")
    return device_words(maker, _enum(head, "product") or _enum(creator, "product"), name)


def _laps(laps: list[Message], window: tuple[float, float]) -> tuple[Lap, ...]:
    out = []
    for lap in laps:
        elapsed = number(lap, "total_elapsed_time", "total_timer_time") or 0.0
        moving = min(number(lap, "total_timer_time") or elapsed, elapsed)
        distance, heart = number(lap, "total_distance") or 0.0, number(lap, "avg_heart_rate")
        if window[0] <= _start(lap, window[0]) < window[1] and 0 < elapsed < 7 * 86_400 and 0 <= distance < 2e6:
            out.append(Lap(elapsed, moving, distance, heart if heart and heart > 0 else None))
    return tuple(out)
