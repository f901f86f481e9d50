"""Track points as TCX and GPX give them, gathered one by one into columns, and what cuts them into runs.

For those two alone.
"""

import math
from array import array
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import numpy as np

from daemon.recordings.errors import Unreadable
from daemon.recordings.tidy import believed_span
from daemon.recordings.track import COLUMNS, POSITION, Track
from daemon.values import FloatArray

MOST_POINTS = 1_000_000
"""Eleven days at 1 Hz [ENG]."""

NEW_RUN_S = 3 * 3600.0
"""What begins so long after the last point is another run [ENG]: what cuts one run into tracks, segments or laps (a
lost signal, a watch turned off at a café) is over sooner, and the second run of a day comes later."""


class Points:
    """Points in the file's order. `breaks` holds the index of each before which something ended, `undated` how many
    were passed over because they had no time."""

    def __init__(self) -> None:
        self.breaks: list[int] = []
        self.undated = 0
        self._times = array("d")
        self._offsets = array("d")
        self._columns = {name: array("d") for name in (*COLUMNS, *POSITION)}
        self._broken = False

    def __len__(self) -> int:
        return len(self._times)

    def add(self, time: str, values: dict[str, float]) -> None:
        """One point; without a readable time it is passed over. Unreadable beyond what a recording has."""
        moment = moment_of(time)
        if moment is None:
            self.undated += 1
            return
        if len(self._times) >= MOST_POINTS:
            raise Unreadable("more points than a recording has")
        unix_s, offset_s = moment
        if self._broken and self._times:
            self.breaks.append(len(self._times))
        self._broken = False
        self._times.append(unix_s)
        self._offsets.append(offset_s or 0)
        for name, column in self._columns.items():
            column.append(values.get(name, math.nan))

    def break_off(self) -> None:
        """A track or a segment ends: whatever lies before the next point is a pause."""
        self._broken = True

    @property
    def offset_s(self) -> int | None:
        """The first offset to UTC that their times name, None where they name none."""
        return next((round(offset) for offset in self._offsets if offset), None)

    @property
    def span(self) -> tuple[float, float] | None:
        """The first and the last time that can be believed, unix seconds; None where there is none."""
        return believed_span(np.array(self._times))

    def cut(self, among: Iterable[int]) -> "Iterator[Points]":
        """Its parts: those of the indices `among`, in their order, where time leaps by more than NEW_RUN_S."""
        begin = 0
        for at in among:
            if begin < at < len(self) and abs(self._times[at] - self._times[at - 1]) > NEW_RUN_S:
                yield self._part(begin, at)
                begin = at
        yield self._part(begin, len(self)) if begin else self

    def _part(self, begin: int, end: int) -> "Points":
        part = Points()
        part.breaks = [at - begin for at in self.breaks if begin < at < end]
        part._times, part._offsets = self._times[begin:end], self._offsets[begin:end]
        part._columns = {name: column[begin:end] for name, column in self._columns.items()}
        return part

    def join(self, later: "Points") -> None:
        """Takes in what was recorded after it; between the two lies a pause."""
        self.breaks += [len(self), *(at + len(self) for at in later.breaks)]
        self._times += later._times
        self._offsets += later._offsets
        for name, column in self._columns.items():
            column.extend(later._columns[name])

    def count_anew(self, before: "Points") -> None:
        """Takes off the distance that its counter had at the end of the run before, where it went on from there."""
        distance = self._columns["distance_m"]
        already_m = next(filter(math.isfinite, reversed(before._columns["distance_m"])), math.nan)
        if next(filter(math.isfinite, distance), math.nan) >= already_m:
            self._columns["distance_m"] = array("d", (metres - already_m for metres in distance))

    def track(self) -> Track:
        """All of it as columns; those without a value left out. Unreadable where no point had a time."""
        if not self._times:
            raise Unreadable("no times in it")
        columns = {name: np.array(values) for name, values in self._columns.items()}
        unix_s = np.array(self._times)
        return Track(
            unix_s,
            {name: values for name, values in columns.items() if np.isfinite(values).any()},
            self._stopped(unix_s),
        )

    def _stopped(self, unix_s: FloatArray) -> tuple[tuple[float, float], ...]:
        """From the last point before a break to the first after it, where nothing was recorded between the two."""
        at = np.array(self.breaks, dtype=np.intp)
        begin, end, ordered = unix_s[at - 1], unix_s[at], np.sort(unix_s)
        empty = np.searchsorted(ordered, begin, side="right") == np.searchsorted(ordered, end, side="left")
        return tuple(zip(begin[empty & (begin < end)].tolist(), end[empty & (begin < end)].tolist(), strict=True))


def moment_of(text: str) -> tuple[float, int | None] | None:
    """An ISO time as unix seconds, with its offset to UTC (None where it is Z or not told: UTC is meant then)."""
    try:
        moment = datetime.fromisoformat(text.strip())
        offset = moment.utcoffset()
        unix_s = (moment.replace(tzinfo=UTC) if offset is None else moment).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    seconds = 0 if offset is None else round(offset.total_seconds())
    return unix_s, seconds or None


def number_of(text: str) -> float:
    """A number in XML, NaN where it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
