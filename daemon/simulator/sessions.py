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
