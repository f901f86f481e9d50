"""GPX, element by element: all tracks of a file are one activity, with pauses between them."""

from daemon.recordings.errors import Unreadable
from daemon.recordings.made import recorded
from daemon.recordings.one_line import one_line
from daemon.recordings.points import Points, number_of
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

_NO_DEVICES = frozenset({"Garmin Connect", "StravaGPX", "strava.com"})
"""Creators that name the service a file came through, and not the watch."""


class GpxReader:
    """Takes in a GPX file. Routes and waypoints are passed over: only a track point has been run."""

    def __init__(self, stem: str, attributes: dict[str, str]) -> None:
        self._stem = stem
        self._creator = one_line(attributes.get("creator", ""))
        self._points = Points()
        self._point: dict[str, float] | None = None
        self._time = ""
        self._track_depth = 0
        self._name = self._type = ""

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if self._track_depth or name == "trk":
            self._track_depth += 1
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
            self._points.break_off()
        elif self._track_depth == 2 and name == "name":
            self._name = self._name or one_line(text)
        elif self._track_depth == 2 and name == "type":
            self._type = self._type or one_line(text)
        if self._track_depth:
            self._track_depth -= 1

    def _end_in_point(self, name: str, text: str) -> None:
        assert self._point is not None
        if name == "trkpt":
            self._points.add(self._time, self._point)
            self._point = None
        elif name == "time":
            self._time = self._time or text
        elif name in _VALUES:
            self._point.setdefault(_VALUES[name], number_of(text))

    def activities(self) -> list[Recorded]:
        """The one activity of the file; Unreadable where no track point has a time."""
        track = self._points.track()
        if len(self._points) < 2:
            raise Unreadable("nothing recorded in it")
        sport, trainer = sport_word(self._type)
        device = self._creator if self._creator and self._creator not in _NO_DEVICES else None
        told = Told(
            source="gpx",
            identity=f"gpx|{track.unix_s[0]:.0f}|{track.unix_s[-1]:.0f}|{len(self._points)}|{self._type}",
            name=self._name or self._stem,
            sport=sport,
            trainer=trainer,
            utc_offset_s=self._points.offset_s,
            device=device,
        )
        return [recorded(track, told)]
