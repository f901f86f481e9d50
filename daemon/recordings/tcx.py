"""TCX, element by element: every Activity is one, with its laps; between two tracks the watch was stopped.

A lap that begins hours after the last one, or on another day, begins an activity of its own.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise
from operator import itemgetter

from daemon.recordings.errors import Unreadable
from daemon.recordings.made import recorded, summarised, with_lost
from daemon.recordings.one_line import one_line
from daemon.recordings.points import NEW_RUN_S, Points, moment_of, number_of
from daemon.recordings.sports import sport_word
from daemon.recordings.track import Told
from daemon.values import Lap, Recorded

_VALUES = {
    "AltitudeMeters": "altitude_m",
    "DistanceMeters": "distance_m",
    "Speed": "speed_m_s",
    "RunCadence": "cadence_rpm",
    "Cadence": "cadence_rpm",
    "LatitudeDegrees": "latitude",
    "LongitudeDegrees": "longitude",
    "Temperature": "temperature_c",
}
"""Local names inside a track point. RunCadence and Cadence both count one leg."""

_LAP_VALUES = frozenset({"TotalTimeSeconds", "DistanceMeters"})
MOST_ACTIVITIES, MOST_LAPS = 100, 10_000
"""In one file [ENG]."""

_HEART_RATE = "HeartRateBpm"
_AVERAGE, _HIGHEST = "AverageHeartRateBpm", "MaximumHeartRateBpm"


class _Activity:
    """What has been read of one activity."""

    def __init__(self, sport: str) -> None:
        self.sport, self.device = sport, ""
        self.points = Points()
        self.begins: list[tuple[int, str]] = []  # of each lap: the index of its first point, and its time
        self.laps: list[dict[str, float]] = []

    @property
    def begun(self) -> str:
        return next((time for _, time in self.begins if time), "")

    def runs(self) -> "Iterator[_Activity]":
        """It, or its runs where its laps are of several."""
        parts: list[Points] = []
        end = math.inf
        for points in self.points.cut(at for at, _ in self.begins):
            begin, last = points.span or (-math.inf, -math.inf)
            if parts and begin - end <= NEW_RUN_S:
                parts[-1].join(points)
                end = max(end, last)
            else:
                parts.append(points)
                end = last
        for before, after in reversed(list(pairwise(parts))):
            after.count_anew(before)
        first = 0
        for points in parts:
            past = bisect_left(self.begins, first + len(points), key=itemgetter(0)) if points is not parts[-1] else None
            own = slice(bisect_left(self.begins, first, key=itemgetter(0)), past)
            run = _Activity(self.sport)
            run.device, run.points, run.begins, run.laps = self.device, points, self.begins[own], self.laps[own]
            yield run
            first += len(points)


class TcxReader:
    """Takes in a TCX file."""

    def __init__(self, stem: str, attributes: dict[str, str]) -> None:
        self._stem = stem
        self._found: list[_Activity] = []
        self._activity: _Activity | None = None
        self._lap: dict[str, float] | None = None
        self._point: dict[str, float] | None = None
        self._time = ""
        self._path: list[str] = []
        self._course = False

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if name == "Activity":
            if len(self._found) >= MOST_ACTIVITIES:
                raise Unreadable("more activities than a recording has")
            self._activity = _Activity(one_line(attributes.get("Sport", "")))
            self._found.append(self._activity)
        elif name == "Course":
            self._course = True
        elif self._activity is None:
            return
        elif name == "Lap":
            self._lap = {}
            self._activity.begins.append((len(self._activity.points), attributes.get("StartTime", "")))
        elif name == "Trackpoint":
            self._point, self._time = {}, ""

    def end(self, name: str, text: str) -> None:
        if self._path:
            self._path.pop()
        activity = self._activity
        if activity is None:
            return
        if self._point is not None:
            self._end_in_point(activity, self._point, name, text)
        elif name == "Track":
            activity.points.break_off()
        elif name == "Activity":
            self._activity = None
        elif self._lap is not None:
            self._end_in_lap(activity, self._lap, name, text)
        elif name == "Name" and self._path[-1:] == ["Creator"]:
            activity.device = one_line(text)

    def _end_in_point(self, activity: _Activity, point: dict[str, float], name: str, text: str) -> None:
        if name == "Trackpoint":
            activity.points.add(self._time, point)
            self._point = None
        elif name == "Time":
            self._time = self._time or text
        elif name == "RunCadence":
            point["cadence_rpm"] = number_of(text)
        elif name in _VALUES:
            point.setdefault(_VALUES[name], number_of(text))
        elif name == "Value" and self._path[-1:] == [_HEART_RATE]:
            point["heart_rate_bpm"] = number_of(text)

    def _end_in_lap(self, activity: _Activity, lap: dict[str, float], name: str, text: str) -> None:
        if name == "Lap":
            if len(activity.laps) >= MOST_LAPS:
                raise Unreadable("more laps than a recording has")
            activity.laps.append(lap)
            self._lap = None
        elif name in _LAP_VALUES and self._path[-1:] == ["Lap"]:
            lap[name] = number_of(text)
        elif name == "Value" and self._path[-1:] in ([_AVERAGE], [_HIGHEST]):
            lap[self._path[-1]] = number_of(text)

    def activities(self) -> list[Recorded]:
        """All activities of the file that can be read; Unreadable where none can."""
        found: list[Recorded] = []
        why: list[str] = []
        for index, run in ((index, run) for index, activity in enumerate(self._found) for run in activity.runs()):
            try:
                found.append(self._recorded(run, index))
            except Unreadable as reason:
                why.append(str(reason))
        if not found:
            course = "a course to follow, not a recording"
            raise Unreadable(why[0] if why else course if self._course else "no activity in it")
        return with_lost(found, why, "activity", "activities")

    def _recorded(self, activity: _Activity, index: int) -> Recorded:
        sport, trainer = sport_word(activity.sport)
        begun = moment_of(activity.begun)
        laps = tuple(lap for lap in map(_lap, activity.laps) if lap is not None)
        points = activity.points
        track = points.track() if len(points) > 1 or begun is None else None
        first = begun[0] if track is None and begun else float(track.unix_s[0]) if track else 0.0
        told = Told(
            source="tcx",
            identity=f"tcx|{first:.0f}|{len(points)}|{len(activity.laps)}|{activity.sport}|{index}",
            name=self._stem,
            sport=sport,
            trainer=trainer,
            start_unix_s=begun[0] if begun else None,
            utc_offset_s=points.offset_s or (begun[1] if begun else None),
            distance_m=sum(lap.distance_m for lap in laps) or None,
            timer_s=sum(lap.moving_s for lap in laps) or None,
            max_heart_rate_bpm=max((lap.get(_HIGHEST, 0.0) for lap in activity.laps), default=None),
            device=activity.device or None,
            laps=laps,
        )
        return summarised(told) if track is None else recorded(track, told)


def _lap(raw: dict[str, float]) -> Lap | None:
    seconds, distance = raw.get("TotalTimeSeconds", math.nan), raw.get("DistanceMeters", 0.0)
    if not (0 < seconds < 7 * 86_400 and 0 <= distance < 2e6):
        return None
    heart = raw.get(_AVERAGE, 0.0)
    return Lap(seconds, seconds, distance, heart if 30 <= heart <= 240 else None)
