"""GPX, element by element: tracks of a file that follow each other are one activity, with pauses between them.

Tracks and segments of another time of the day, or of other days, are activities of their own: services write years
into one file.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from daemon.recordings.errors import Unreadable
from daemon.recordings.made import recorded, with_lost
from daemon.recordings.one_line import one_line
from daemon.recordings.points import NEW_RUN_S, Points, number_of
from daemon.recordings.sports import sport_word
from daemon.recordings.track import Told
from daemon.values import Recorded

_VALUES = {
    "ele": "altitude_m",
    "speed": "speed_m_s",
    "hr": "heart_rate_bpm",
    "heartrate": "heart_rate_bpm",
    "cad": "cadence_rpm",
    "cadence": "cadence_rpm",
    "atemp": "temperature_c",
    "temp": "temperature_c",
    "distance": "distance_m",
}
"""Local names inside a point, extensions of all makers alike: Garmin's TrackPointExtension, Cluetrust's, Strava's."""

MOST_TRACKS = 10_000
"""In one file: ten years of runs are 3,000 [ENG]."""

_NO_DEVICES = frozenset({"Garmin Connect", "StravaGPX", "strava.com"})
"""Creators that name the service a file came through, and not the watch."""


@dataclass(slots=True)
class _Tracks:
    """One track, a part of it, or those of one activity that follow each other."""

    points: Points = field(default_factory=Points)
    name: str = ""
    kind: str = ""


class GpxReader:
    """Takes in a GPX file. Routes and waypoints are passed over: only a track point has been run."""

    def __init__(self, stem: str, attributes: dict[str, str]) -> None:
        self._stem = stem
        self._creator = one_line(attributes.get("creator", ""))
        self._tracks: list[_Tracks] = []
        self._point: dict[str, float] | None = None
        self._time = ""
        self._track_depth = 0

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if self._track_depth or name == "trk":
            self._track_depth += 1
        if name == "trk" and self._track_depth == 1:
            if len(self._tracks) >= MOST_TRACKS:
                raise Unreadable("more tracks than a recording has")
            self._tracks.append(_Tracks())
        if name == "trkpt" and self._track_depth:
            self._time = ""
            self._point = {
                "latitude": number_of(attributes.get("lat", "")),
                "longitude": number_of(attributes.get("lon", "")),
            }

    def end(self, name: str, text: str) -> None:
        if self._point is not None:
            self._end_in_point(name, text)
        elif name in {"trkseg", "trk"}:
            if self._track_depth:
                self._tracks[-1].points.break_off()
        elif self._track_depth == 2 and name == "name":
            self._tracks[-1].name = self._tracks[-1].name or one_line(text)
        elif self._track_depth == 2 and name == "type":
            self._tracks[-1].kind = self._tracks[-1].kind or one_line(text)
        if self._track_depth:
            self._track_depth -= 1

    def _end_in_point(self, name: str, text: str) -> None:
        assert self._point is not None
        if name == "trkpt":
            self._tracks[-1].points.add(self._time, self._point)
            self._point = None
        elif name == "time":
            self._time = self._time or text
        elif name in _VALUES:
            self._point.setdefault(_VALUES[name], number_of(text))

    def activities(self) -> list[Recorded]:
        """The activities of the file; Unreadable where no track of it can be used."""
        found: list[Recorded] = []
        why = ["no times in it" for each in self._tracks if each.points.undated and not len(each.points)]
        runs = _joined(self._parts())
        for before, run in reversed(list(pairwise(runs))):
            run.points.count_anew(before.points)
        for run in runs:
            try:
                found.append(self._recorded(run))
            except Unreadable as reason:
                why.append(str(reason))
        if not found:
            raise Unreadable(why[0] if why else "no times in it")
        return with_lost(found, why, "track", "tracks")

    def _parts(self) -> list[_Tracks]:
        """The tracks that have times, those of several days cut where a segment begins long after the last."""
        parts: list[_Tracks] = []
        for track in self._tracks:
            for points in track.points.cut(track.points.breaks) if len(track.points) else ():
                if len(parts) >= MOST_TRACKS:
                    raise Unreadable("more tracks than a recording has")
                parts.append(_Tracks(points, track.name, track.kind))
        return parts

    def _recorded(self, run: _Tracks) -> Recorded:
        if len(run.points) < 2:
            raise Unreadable("nothing recorded in it")
        track = run.points.track()
        sport, trainer = sport_word(run.kind)
        device = self._creator if self._creator and self._creator not in _NO_DEVICES else None
        told = Told(
            source="gpx",
            identity=f"gpx|{track.unix_s[0]:.0f}|{track.unix_s[-1]:.0f}|{len(run.points)}|{run.kind}",
            name=run.name or self._stem,
            sport=sport,
            trainer=trainer,
            utc_offset_s=run.points.offset_s,
            device=device,
        )
        return recorded(track, told)


def _joined(tracks: Iterable[_Tracks]) -> list[_Tracks]:
    """The tracks by start, those of one kind that follow each other as one; each whose clock was not set by itself."""
    runs: list[_Tracks] = []
    alone: list[_Tracks] = []
    end = -math.inf
    spans = [(track.points.span, track) for track in tracks]
    for span, track in sorted(spans, key=lambda pair: pair[0] or (0.0, 0.0)):
        if span is None:
            alone.append(track)
            continue
        begin, last = span
        if begin - end > NEW_RUN_S or runs[-1].kind and track.kind not in ("", runs[-1].kind):
            runs.append(track)
        else:
            runs[-1].points.join(track.points)
            runs[-1].name, runs[-1].kind = runs[-1].name or track.name, runs[-1].kind or track.kind
        end = max(end, last)
    return runs + alone
