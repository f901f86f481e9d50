"""The state behind the Strava stand-in: athletes, recordings, faults, quotas, what was asked. Knows no HTTP.

Every method may be called from any thread: the server's handlers and a test work on one world at once.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import Any, Protocol

from daemon.simulator.faults import Fault, FaultKind, PlannedFault, as_fault
from daemon.simulator.limits import Limits
from daemon.simulator.tokens import TokenOffice

Json = dict[str, Any]

DEFAULT_ATHLETE_ID = 1001


class Recording(Protocol):
    """What Strava holds of one activity, in Strava's shapes. A simulated activity is one; so is `Recorded`."""

    @property
    def summary(self) -> Json: ...

    @property
    def laps(self) -> list[Json]: ...

    @property
    def extra(self) -> Json:
        """What the detailed answer has beyond summary and laps."""
        ...

    @property
    def streams(self) -> dict[str, list[Any]]: ...


@dataclass(frozen=True)
class Recorded:
    """A recording held in memory."""

    summary: Json
    streams: dict[str, list[Any]] = field(default_factory=dict)
    laps: list[Json] = field(default_factory=list)
    extra: Json = field(default_factory=dict)


@dataclass
class Entry:
    """One recording as Strava shows it: since when it is there, since when with streams, and what was edited."""

    recording: Recording
    athlete_id: int
    start: float
    visible_from: datetime | None
    streams_from: datetime | None
    edits: Json = field(default_factory=dict)

    @property
    def summary(self) -> Json:
        return {**self.recording.summary, **self.edits}

    @property
    def private(self) -> bool:
        summary = self.summary
        return bool(summary.get("private")) or summary.get("visibility") == "only_me"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that reached the stand-in; status 0 where the connection was cut instead of answered."""

    method: str
    path: str
    query: dict[str, str]
    status: int
    at: datetime


class StravaWorld:
    """A Strava with its own clock. `now` must give aware datetimes.

    Settings to change at any time: `inactive` (lapsed subscription: every call is 403), `deny` and `unticked` (what
    the runner does on the consent page), `most_per_page` (pages come shorter than asked for, as Strava's may),
    `limits`, `tokens`.
    """

    def __init__(self, now: Callable[[], datetime], *, client_id: int = 1, client_secret: str = "secret") -> None:
        self.now = now
        self.lock = RLock()
        self.tokens = TokenOffice({str(client_id): client_secret})
        self.limits = Limits()
        self.inactive = False
        self.deny = False
        self.unticked: set[str] = set()
        self.most_per_page: int | None = None
        self.athletes: dict[int, Json] = {}
        self._entries: dict[int, Entry] = {}
        self._faults: list[PlannedFault] = []
        self._asked: list[Asked] = []

    # -- the runner's side: what is on Strava ---------------------------------------------------------------------

    def add_athlete(self, athlete_id: int = DEFAULT_ATHLETE_ID, **facts: Any) -> int:
        """Someone with an account; the first one added is the one who answers consent pages."""
        with self.lock:
            self.athletes[athlete_id] = _athlete(athlete_id) | facts
            return athlete_id

    @property
    def runner(self) -> int:
        """The athlete who answers consent pages, made up when there is none yet."""
        with self.lock:
            return next(iter(self.athletes), None) or self.add_athlete()

    def add(
        self,
        recording: Recording,
        *,
        athlete_id: int | None = None,
        visible_from: datetime | None = None,
        streams_from: datetime | None = None,
    ) -> int:
        """Upload; by default there at once, streams included. Gives the activity's id."""
        summary = recording.summary
        start = datetime.fromisoformat(summary["start_date"]).timestamp()
        with self.lock:
            owner = self.runner if athlete_id is None else athlete_id
            self._entries[summary["id"]] = Entry(recording, owner, start, visible_from, streams_from)
        return int(summary["id"])

    def add_all(self, recordings: Iterable[Recording], *, as_they_happen: bool = False) -> list[int]:
        """Upload many. With `as_they_happen` each appears on the world's clock when it has ended."""
        return [
            self.add(recording, visible_from=_end(recording.summary) if as_they_happen else None)
            for recording in recordings
        ]

    def add_recordings(self, path: Path | str, *, as_they_happen: bool = False) -> list[int]:
        """Upload a file: {"athlete", "activities": [{"summary", "streams", "laps"}]} in JSON, plain or gzipped."""
        raw = Path(path).read_bytes()
        content = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
        athlete = dict(content["athlete"])
        self.add_athlete(athlete.pop("id"), **athlete)
        recordings = [
            Recorded(item["summary"], item.get("streams") or {}, item.get("laps") or [])
            for item in content["activities"]
        ]
        return self.add_all(recordings, as_they_happen=as_they_happen)

    def edit(self, activity_id: int, **changes: Any) -> None:
        """Change fields of the summary: the runner renamed, retyped or trimmed it."""
        with self.lock:
            self._entries[activity_id].edits.update(changes)

    def delete(self, activity_id: int) -> None:
        with self.lock:
            del self._entries[activity_id]

    def hold_streams(self, activity_id: int, until: datetime | None = None) -> None:
        """Streams aren't ready before `until` (never, when None) on the world's clock."""
        with self.lock:
            self._entries[activity_id].streams_from = until or datetime.max.replace(tzinfo=UTC)

    def release_streams(self, activity_id: int) -> None:
        with self.lock:
            self._entries[activity_id].streams_from = None

    # -- trouble --------------------------------------------------------------------------------------------------

    def fail(self, path_pattern: str, fault: Fault | FaultKind | int, times: int | None = 1) -> None:
        """Let the next `times` requests (None: all until `heal`) whose path matches the regular expression fail."""
        with self.lock:
            self._faults.append(PlannedFault(re.compile(path_pattern), as_fault(fault), times))

    def heal(self) -> None:
        """Drop all faults that are still waiting."""
        with self.lock:
            self._faults.clear()

    def take_fault(self, path: str) -> Fault | None:
        with self.lock:
            for planned in self._faults:
                if planned.pattern.search(path):
                    if planned.left is not None:
                        planned.left -= 1
                        if planned.left <= 0:
                            self._faults.remove(planned)
                    return planned.fault
            return None

    # -- what was asked -------------------------------------------------------------------------------------------

    @property
    def asked(self) -> list[Asked]:
        """Every request so far, oldest first."""
        with self.lock:
            return list(self._asked)

    def api_calls(self, pattern: str = "") -> list[Asked]:
        """The requests so far that count as API calls, those only whose path matches `pattern`."""
        return [a for a in self.asked if a.path.startswith("/api/") and re.search(pattern, a.path)]

    def forget_asked(self) -> None:
        with self.lock:
            self._asked.clear()

    def note(self, method: str, path: str, query: dict[str, str], status: int) -> None:
        with self.lock:
            self._asked.append(Asked(method, path, query, status, self.now()))

    # -- what an authorised reader sees ---------------------------------------------------------------------------

    def visible(self, athlete_id: int, *, private: bool) -> list[Entry]:
        """The athlete's recordings that are there by now, newest first; those for "only me" when `private`."""
        now = self.now()
        with self.lock:
            mine = [e for e in self._entries.values() if e.athlete_id == athlete_id and _reached(e.visible_from, now)]
            return sorted((e for e in mine if private or not e.private), key=lambda e: e.start, reverse=True)

    def find(self, athlete_id: int, activity_id: int, *, private: bool) -> Entry | None:
        with self.lock:
            entry = self._entries.get(activity_id)
            if entry is None or entry.athlete_id != athlete_id or not _reached(entry.visible_from, self.now()):
                return None
            return None if entry.private and not private else entry

    def streams(self, entry: Entry) -> dict[str, list[Any]]:
        """The streams that are ready by now: empty for a manual entry or just after an upload."""
        if entry.summary.get("manual") or not _reached(entry.streams_from, self.now()):
            return {}
        return entry.recording.streams


def detail(entry: Entry) -> Json:
    """The answer of GET /activities/{id}."""
    return {
        **entry.summary,
        "resource_state": 3,
        "calories": 0.0,
        "perceived_exertion": None,
        "prefer_perceived_exertion": None,
        "splits_metric": [],
        "splits_standard": [],
        "hide_from_home": False,
        **entry.recording.extra,
        "laps": entry.recording.laps,
    }


def _reached(moment: datetime | None, now: datetime) -> bool:
    return moment is None or moment <= now


def _end(summary: Json) -> datetime:
    return datetime.fromisoformat(summary["start_date"]) + timedelta(seconds=summary["elapsed_time"])


def _athlete(athlete_id: int) -> Json:
    return {
        "id": athlete_id,
        "resource_state": 3,
        "firstname": "Sim",
        "lastname": "Runner",
        "sex": "F",
        "measurement_preference": "meters",
        "weight": 60.0,
    }
