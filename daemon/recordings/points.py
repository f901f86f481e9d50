"""Track points as TCX and GPX give them, gathered one by one into columns. For those two alone."""

import math
from array import array
from datetime import UTC, datetime

import numpy as np

from daemon.recordings.errors import Unreadable
from daemon.recordings.track import COLUMNS, POSITION, Track

MOST_POINTS = 1_000_000
"""Eleven days at 1 Hz [ENG]."""


class Points:
    """Points in the file's order. `offset_s` is the offset to UTC that their times name, None where they name none."""

    def __init__(self) -> None:
        self.offset_s: int | None = None
        self._times = array("d")
        self._columns = {name: array("d") for name in (*COLUMNS, *POSITION)}
        self._stopped: list[tuple[float, float]] = []
        self._broken = False

    def __len__(self) -> int:
        return len(self._times)

    def add(self, time: str, values: dict[str, float]) -> None:
        """One point; without a readable time it is passed over. Unreadable beyond what a recording has."""
        moment = moment_of(time)
        if moment is None:
            return
        if len(self._times) >= MOST_POINTS:
            raise Unreadable("more points than a recording has")
        unix_s, offset_s = moment
        if offset_s and self.offset_s is None:
            self.offset_s = offset_s
        if self._broken and self._times and unix_s > self._times[-1]:
            self._stopped.append((self._times[-1], unix_s))
        self._broken = False
        self._times.append(unix_s)
        for name, column in self._columns.items():
            column.append(values.get(name, math.nan))

    def break_off(self) -> None:
        """A track or a segment ends: whatever lies before the next point is a pause."""
        self._broken = True

    @property
    def span(self) -> tuple[float, float]:
        """The earliest and the latest time in it, unix seconds; for points that are there."""
        return min(self._times), max(self._times)

    def join(self, later: "Points") -> None:
        """Takes in what was recorded after it; between the two lies a pause."""
        if later._times[0] > self._times[-1]:
            self._stopped.append((self._times[-1], later._times[0]))
        self.offset_s = later.offset_s if self.offset_s is None else self.offset_s
        self._stopped += later._stopped
        self._times += later._times
        for name, column in self._columns.items():
            column.extend(later._columns[name])

    def track(self) -> Track:
        """All of it as columns; those without a value left out. Unreadable where no point had a time."""
        if not self._times:
            raise Unreadable("no times in it")
        columns = {name: np.array(values) for name, values in self._columns.items()}
        return Track(
            np.array(self._times),
            {name: values for name, values in columns.items() if np.isfinite(values).any()},
            tuple(self._stopped),
        )


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
