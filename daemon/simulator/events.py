"""What happens in a simulated runner's life. Each event changes a day; they are applied in the order they are given."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Protocol

from daemon.simulator.sensor import SensorFaults
from daemon.simulator.sessions import Session
from daemon.values import Kind


@dataclass
class Today:
    """One day while it is being planned. Events change it; the runner then runs it."""

    day: date
    sessions: list[Session]
    device: str
    luck: float = 1.0
    """Uniform in 0 to 1, the day's own: what a runner who doesn't keep every plan goes by."""
    strain_bpm: float = 0.0
    offset_bpm: float = 0.0
    sensor_bpm: float = 0.0
    slower_m_s: float = 0.0
    warmer_c: float = 0.0
    steeper: float = 0.0
    hours_moved: float = 0.0
    faults: SensorFaults | None = None
    uploaded_twice: bool = False
    exertion: float = 0.0

    def drop_easy(self) -> None:
        """The day's easy running doesn't take place; a long run does."""
        self.sessions = [s for s in self.sessions if s.kind != "easy"]


class Event(Protocol):
    """Something that changes days."""

    def touch(self, today: Today) -> None: ...


def _during(day: date, begin: date, until: date | None) -> bool:
    return begin <= day and (until is None or day < until)


def _ramp(day: date, begin: date, days: int) -> float:
    """0 before `begin`, rising to 1 over `days`."""
    return min(1.0, max(0.0, ((day - begin).days + 1) / max(1, days)))


@dataclass(frozen=True, slots=True)
class SpeedWork:
    """A weekly hard session from `begin` on (and before `until`), on `weekday` (0 is Monday).

    `instead_of` names the weekday whose easy run makes room for it; None: it comes on top of the week. A share
    `missed` of the sessions doesn't take place.
    """

    begin: date
    kind: Kind = "intervals"
    weekday: int = 1
    minutes: float = 50.0
    instead_of: int | None = None
    until: date | None = None
    missed: float = 0.0

    def touch(self, today: Today) -> None:
        if not _during(today.day, self.begin, self.until):
            return
        if today.day.weekday() == self.instead_of:
            today.drop_easy()
        if today.day.weekday() == self.weekday and today.luck >= self.missed:
            hour = 18.0 if today.sessions else 7.0
            today.sessions.append(Session(self.kind, self.minutes, hour))


@dataclass(frozen=True, slots=True)
class OneSession:
    """A single session on `day`; with `alone` it takes the place of whatever was planned. Races too."""

    day: date
    kind: Kind = "race"
    minutes: float = 45.0
    alone: bool = True

    def touch(self, today: Today) -> None:
        if today.day == self.day:
            kept = [] if self.alone else today.sessions
            today.sessions = [*kept, Session(self.kind, self.minutes, 10.0 if self.alone else 17.0)]


@dataclass(frozen=True, slots=True)
class Strain:
    """Easy running costs more: up to `bpm` over `days` from `begin`, fading to nothing at maximum effort.

    `as_pace` (0 to 1) is the share that shows as lost pace at an unchanged heart rate; `slope_bpm_per_m_s` turns it.
    """

    begin: date
    bpm: float = 5.0
    days: int = 10
    until: date | None = None
    as_pace: float = 0.0
    slope_bpm_per_m_s: float = 28.0

    def touch(self, today: Today) -> None:
        if _during(today.day, self.begin, self.until):
            now = self.bpm * _ramp(today.day, self.begin, self.days)
            today.strain_bpm += now
            today.slower_m_s += self.as_pace * now / self.slope_bpm_per_m_s
            today.exertion += now / 4


@dataclass(frozen=True, slots=True)
class Offset:
    """The whole body runs higher or lower for `days`: illness, altitude, a medicine. Not the fault of training."""

    begin: date
    days: int
    bpm: float

    def touch(self, today: Today) -> None:
        if _during(today.day, self.begin, self.begin + timedelta(self.days)):
            today.offset_bpm += self.bpm


@dataclass(frozen=True, slots=True)
class LutealPhase:
    """A cycle of 28 days from `begin` on whose second half costs `bpm` more."""

    begin: date
    bpm: float = 3.0

    def touch(self, today: Today) -> None:
        if self.begin <= today.day and (today.day - self.begin).days % 28 >= 14:
            today.offset_bpm += self.bpm


@dataclass(frozen=True, slots=True)
class HeatWave:
    begin: date
    days: int = 10
    warmer_c: float = 12.0

    def touch(self, today: Today) -> None:
        if _during(today.day, self.begin, self.begin + timedelta(self.days)):
            today.warmer_c += self.warmer_c


@dataclass(frozen=True, slots=True)
class Warming:
    """The season turns: `warmer_c` more over `days` from `begin` on, and it stays so."""

    begin: date
    days: int = 56
    warmer_c: float = 14.0

    def touch(self, today: Today) -> None:
        today.warmer_c += self.warmer_c * _ramp(today.day, self.begin, self.days)


@dataclass(frozen=True, slots=True)
class LayOff:
    """No running for `days`; the first weeks back cost `bpm` more, falling to nothing over `comeback` days."""

    begin: date
    days: int = 14
    bpm: float = 6.0
    comeback: int = 28

    def touch(self, today: Today) -> None:
        back = self.begin + timedelta(self.days)
        if _during(today.day, self.begin, back):
            today.sessions = []
        elif today.day >= back:
            today.offset_bpm += self.bpm * (1 - _ramp(today.day, back, self.comeback))


@dataclass(frozen=True, slots=True)
class NewDevice:
    """Another watch from `begin` on, which reads `bpm` more everywhere."""

    begin: date
    name: str = "COROS PACE 3"
    bpm: float = 0.0

    def touch(self, today: Today) -> None:
        if today.day >= self.begin:
            today.device = self.name
            today.sensor_bpm += self.bpm


@dataclass(frozen=True, slots=True)
class FaultySensor:
    begin: date
    days: int = 21
    faults: SensorFaults = field(default_factory=lambda: SensorFaults(0.3, 0.3, 0.3, 0.2))

    def touch(self, today: Today) -> None:
        if _during(today.day, self.begin, self.begin + timedelta(self.days)):
            today.faults = self.faults


@dataclass(frozen=True, slots=True)
class FasterEasy:
    """Easy and long runs are run `m_s` faster, reached over `days`; heart rate follows the pace and nothing else."""

    begin: date
    m_s: float = 0.2
    days: int = 7
    until: date | None = None

    def touch(self, today: Today) -> None:
        if _during(today.day, self.begin, self.until):
            faster = self.m_s * _ramp(today.day, self.begin, self.days)
            today.sessions = [
                s if s.hard or s.sport == "Ride" else replace(s, faster_m_s=s.faster_m_s + faster)
                for s in today.sessions
            ]


@dataclass(frozen=True, slots=True)
class Volume:
    """Sessions last `share` times as long."""

    begin: date
    share: float = 1.2
    until: date | None = None

    def touch(self, today: Today) -> None:
        if _during(today.day, self.begin, self.until):
            today.sessions = [replace(s, minutes=s.minutes * self.share) for s in today.sessions]


@dataclass(frozen=True, slots=True)
class RunDay:
    """One more run a week, on `weekday`."""

    begin: date
    weekday: int = 0
    minutes: float = 45.0
    kind: Kind = "easy"
    until: date | None = None

    def touch(self, today: Today) -> None:
        if _during(today.day, self.begin, self.until) and today.day.weekday() == self.weekday:
            today.sessions.append(Session(self.kind, self.minutes, 18.0 if today.sessions else 7.0))


@dataclass(frozen=True, slots=True)
class HardBikeWeeks:
    """Hard rides on `weekdays` beside the running."""

    begin: date
    days: int = 28
    weekdays: tuple[int, ...] = (0, 4)
    minutes: float = 75.0

    def touch(self, today: Today) -> None:
        if _during(today.day, self.begin, self.begin + timedelta(self.days)) and today.day.weekday() in self.weekdays:
            today.sessions.append(Session("tempo", self.minutes, 17.0, sport="Ride"))


@dataclass(frozen=True, slots=True)
class Hills:
    """Other ground for `days`: `grade_sd` (a fraction) more relief."""

    begin: date
    days: int = 21
    grade_sd: float = 0.025

    def touch(self, today: Today) -> None:
        if _during(today.day, self.begin, self.begin + timedelta(self.days)):
            today.steeper += self.grade_sd


@dataclass(frozen=True, slots=True)
class OtherHours:
    """Runs begin `hours` later (or earlier) than before."""

    begin: date
    hours: float = 11.0

    def touch(self, today: Today) -> None:
        if today.day >= self.begin:
            today.hours_moved += self.hours


@dataclass(frozen=True, slots=True)
class TwoUploads:
    """Watch and phone both upload what was run on `day`."""

    day: date

    def touch(self, today: Today) -> None:
        today.uploaded_twice |= today.day == self.day


@dataclass(frozen=True, slots=True)
class Treadmill:
    """For `days` everything is run indoors."""

    begin: date
    days: int = 21

    def touch(self, today: Today) -> None:
        if _during(today.day, self.begin, self.begin + timedelta(self.days)):
            today.sessions = [replace(s, treadmill=True) for s in today.sessions]
