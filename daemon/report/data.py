"""What the picture and the page show, as frozen values. Whoever has the store gathers them; nothing is decided here."""

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal

from daemon.measures import Units
from daemon.values import Kind, Level, Signal, State, Verdict

DayKind = Literal["rest", "easy", "long", "hard", "other"]


@dataclass(frozen=True, slots=True)
class EasyRun:
    """One easy run's heart rate (bpm) at the norm's pace and conditions; `compared` with the norm, or not."""

    day: date
    bpm: float
    compared: bool


@dataclass(frozen=True, slots=True)
class EasyHeart:
    """Easy heart rate run by run, oldest first, against its norm: `norm_bpm` ± `spread_bpm` at that pace (s/km).

    `delta_bpm` is how far the compared runs lie above the norm as the signal says it, None where it says nothing;
    `raised` whether it says that this is more than usual.
    """

    runs: tuple[EasyRun, ...]
    norm_bpm: float
    spread_bpm: float
    at_pace_s_per_km: float
    delta_bpm: float | None
    raised: bool


@dataclass(frozen=True, slots=True)
class Week:
    """One calendar week from Monday on: minutes of running by how hard they were, and what its days were.

    `days` holds Monday to Sunday, the last week only as far as it has come. A day with another sport is no rest.
    """

    monday: date
    easy_minutes: float
    hard_minutes: float
    load: float
    days: tuple[DayKind, ...]

    @property
    def minutes(self) -> float:
        return self.easy_minutes + self.hard_minutes

    @property
    def rest_days(self) -> int:
        return self.days.count("rest")

    @property
    def hard_days(self) -> int:
        return self.days.count("hard")


@dataclass(frozen=True, slots=True)
class PictureData:
    """What the picture of one alert shows, as it was on `today`.

    `came_on` is the day intensity came, or was stepped up (`stepped_up`); None where it did not, or it is over.
    `usual_minutes` is the running of a usual week.
    """

    title: str
    today: date
    easy: EasyHeart | None
    came_on: date | None
    stepped_up: bool
    weeks: tuple[Week, ...]
    hard_days: tuple[date, ...]
    usual_minutes: float | None
    units: Units

    def as_json(self) -> str:
        return json.dumps(asdict(self), default=date.isoformat)

    @classmethod
    def from_json(cls, text: str) -> "PictureData":
        """What `as_json` wrote."""
        held = json.loads(text)
        return cls(
            **held
            | {
                "today": _day(held["today"]),
                "came_on": held["came_on"] and _day(held["came_on"]),
                "easy": held["easy"] and _easy(held["easy"]),
                "weeks": tuple(_week(week) for week in held["weeks"]),
                "hard_days": tuple(_day(day) for day in held["hard_days"]),
            }
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What one signal said on one day."""

    day: date
    score: float
    level: Level


@dataclass(frozen=True, slots=True)
class Course:
    """A signal's readings day by day, oldest first; it is up from the score `line` on (None: it never is)."""

    name: str
    readings: tuple[Reading, ...]
    line: float | None


@dataclass(frozen=True, slots=True)
class HardSession:
    """One hard run: `hours` from the end of the one before to its start (None: the first, or an hour is hidden)."""

    day: date
    kind: Kind
    hours: float | None


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run: what it was and what it contributed. `above_bpm` is how far it lies above today's norm, where it is
    one of the runs looked at now."""

    id: int
    day: date
    name: str
    kind: Kind
    hard: bool
    distance_m: float
    moving_s: float
    load: float
    bpm: float | None
    at_pace_s_per_km: float | None
    above_bpm: float | None
    left_out: str | None
    feel: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """One alert; `closed_on` is None while it is open."""

    day: date
    kind: str
    title: str
    text: str
    closed_on: date | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days in a row with one verdict."""

    first: date
    last: date
    state: State


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of the configuration in force, in words; `changed` where it isn't the default."""

    key: str
    value: str
    changed: bool


@dataclass(frozen=True, slots=True)
class PageData:
    """Everything the page shows, as it was at `made_at` (aware, on the runner's wall clock).

    Less than `close_hours` between two hard sessions are too few. `above_norm` is how far the last three easy runs lay
    above the norm on each day, its score in bpm. `usual_load` is that of a usual week. The weeks and what is shown
    beside them end on the day `until`: that of the verdict, or long before it where nothing has come since. `signals`
    are those of that day. `to_fetch` recordings aren't there yet.
    """

    made_at: datetime
    until: date
    version: str
    verdict: Verdict
    signals: tuple[Signal, ...]
    easy: EasyHeart | None
    came_on: date | None
    stepped_up: bool
    weeks: tuple[Week, ...]
    usual_load: float | None
    sessions: tuple[HardSession, ...]
    close_hours: float
    courses: tuple[Course, ...]
    above_norm: tuple[Reading, ...]
    runs: tuple[RunRow, ...]
    told: tuple[Told, ...]
    stretches: tuple[Stretch, ...]
    settings: tuple[Setting, ...]
    units: Units
    to_fetch: int


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _easy(held: dict[str, Any]) -> EasyHeart:
    runs = tuple(EasyRun(**run | {"day": _day(run["day"])}) for run in held["runs"])
    return EasyHeart(**held | {"runs": runs})


def _week(held: dict[str, Any]) -> Week:
    return Week(**held | {"monday": _day(held["monday"]), "days": tuple(held["days"])})
