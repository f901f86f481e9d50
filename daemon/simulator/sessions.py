"""What a session consists of: its kind and length turned into segments. Pure; pace is relative to easy speed."""

from dataclasses import dataclass
from typing import Literal

from daemon.simulator.physiology import Segment
from daemon.values import Kind

Sport = Literal["Run", "TrailRun", "VirtualRun", "Ride"]

TEMPO = 1.24  # threshold speed; easy is about .8 of it
RACE = 1.29
INTERVAL = 1.36
JOG = 0.85
STRIDE = 1.55
WARM_UP_S, COOL_DOWN_S = 720.0, 480.0

HARD_KINDS = frozenset({"tempo", "intervals", "hills", "race"})


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a plan. `hour` is local; `faster_m_s` shifts the whole session."""

    kind: Kind
    minutes: float
    hour: float = 7.0
    sport: Sport = "Run"
    treadmill: bool = False
    faster_m_s: float = 0.0

    @property
    def hard(self) -> bool:
        return self.kind in HARD_KINDS


def segments(session: Session, easy_m_s: float) -> list[Segment]:
    """The segments of a session for a runner whose easy speed today is `easy_m_s`; about `session.minutes` in all."""
    easy = easy_m_s + session.faster_m_s
    seconds = session.minutes * 60
    match session.kind:
        case "tempo":
            work = min(1800.0, max(900.0, seconds - WARM_UP_S - COOL_DOWN_S))
            return _framed(easy, seconds, [Segment(work, TEMPO * easy, work=True)])
        case "intervals":
            return _framed(easy, seconds, _repetitions(easy, seconds))
        case "hills":
            climb = [Segment(60, 1.06 * easy, True, 0.06), Segment(90, JOG * easy, grade=-0.04)]
            return _framed(easy, seconds, climb * max(6, round((seconds - WARM_UP_S - COOL_DOWN_S) / 150)))
        case "race":
            return [Segment(seconds, RACE * easy, work=True)]
        case "strides":
            stride = [Segment(20, STRIDE * easy, work=True), Segment(60, JOG * easy)]
            return [Segment(seconds - 480, easy), *(stride * 6)]
        case "long":
            return [Segment(seconds, 0.98 * easy)]
        case _:
            slow_start = min(300.0, seconds / 4)
            return [Segment(slow_start, 0.97 * easy), Segment(seconds - slow_start, easy)]


def _repetitions(easy: float, seconds: float) -> list[Segment]:
    pair = [Segment(180, INTERVAL * easy, work=True), Segment(120, JOG * easy)]
    return pair * max(4, round((seconds - WARM_UP_S - COOL_DOWN_S) / 300))


def _framed(easy: float, seconds: float, core: list[Segment]) -> list[Segment]:
    """Warm-up and cool-down around the core, stretched to fill the session."""
    spare = max(600.0, seconds - sum(s.seconds for s in core))
    return [Segment(0.6 * spare, 0.97 * easy), *core, Segment(0.4 * spare, 0.95 * easy)]


@dataclass(frozen=True, slots=True)
class Repeats:
    """Repetitions: how many, how long (s) and how fast (x easy speed) each is, and the jog after it. `grade` climbs."""

    count: int
    work_s: float
    speed: float
    rest_s: float
    rest: float = JOG
    grade: float | None = None

    def segments(self, easy: float) -> list[Segment]:
        down = None if self.grade is None else -0.6 * self.grade
        pair = [
            Segment(self.work_s, self.speed * easy, True, self.grade),
            Segment(self.rest_s, self.rest * easy, grade=down),
        ]
        return pair * self.count


DESIGNS: dict[str, Repeats] = {
    "5 x 1000 m": Repeats(5, 270, 1.32, 120),
    "6 x 800 m": Repeats(6, 200, 1.36, 120),
    "10 x 400 m": Repeats(10, 95, 1.42, 75),
    "12 x 200 m": Repeats(12, 45, 1.5, 60),
    "16 x 30/30": Repeats(16, 30, 1.38, 30),
    "15 x 1 min": Repeats(15, 60, 1.27, 60, rest=0.93),
    "4 x 5 min": Repeats(4, 300, 1.24, 90),
    "3 x 10 min": Repeats(3, 600, 1.16, 120),
    "20 min tempo": Repeats(1, 1200, 1.16, 60),
    "40 min tempo": Repeats(1, 2400, 1.15, 60),
    "10 x 60 s uphill": Repeats(10, 60, 1.04, 95, grade=0.06),
    "6 x 3 min uphill": Repeats(6, 180, 1.0, 210, rest=0.9, grade=0.06),
}
"""Sessions as coaches write them, beside the one of each kind above. The tempos are slow ones: 0.93 of threshold."""


def designed(name: str, easy_m_s: float) -> list[Segment]:
    """A session of `DESIGNS` with warm-up and cool-down."""
    return [
        Segment(WARM_UP_S, 0.97 * easy_m_s),
        *DESIGNS[name].segments(easy_m_s),
        Segment(COOL_DOWN_S, 0.95 * easy_m_s),
    ]


EASY_DESIGNS: dict[str, tuple[tuple[float, float, bool], ...]] = {
    "even": ((2700, 1.0, False),),
    "slow first": ((600, 0.95, False), (3000, 1.01, False)),
    "recovery": ((2100, 0.9, False),),
    "kick at the end": ((2400, 1.0, False), (120, 1.3, True)),
    "two surges": ((1200, 1.0, False), (60, 1.25, True), (900, 1.0, False), (45, 1.3, True), (600, 1.0, False)),
    "walk breaks": ((480, 1.0, False), (60, 0.5, False)) * 5,
    "strides": ((2100, 1.0, False), *((20, STRIDE, True), (60, JOG, False)) * 6),
}
"""Runs that are no session whatever they look like: seconds, speed (x easy speed) and effort of each part."""


def designed_easy(name: str, easy_m_s: float) -> list[Segment]:
    """A run of `EASY_DESIGNS`."""
    return [Segment(seconds, speed * easy_m_s, work) for seconds, speed, work in EASY_DESIGNS[name]]
