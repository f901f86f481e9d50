"""What hard efforts have shown of a runner: maximum heart rate, confirmed or unknown. Pure; nothing depends on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from daemon.metrics.run_metrics import RunMetrics

SPAN = timedelta(days=365)
CONFIRMED_BPM = 3.0
MAXIMUM_S = 30
SENSORS = ("A", "B")


@dataclass(frozen=True, slots=True)
class Effort:
    """The highest heart rate over 30 s (bpm) of one hard run, and its local day."""

    day: date
    bpm: float


def effort_of(day: date, metrics: RunMetrics) -> Effort | None:
    """What a hard run shows of the maximum, None without a sensor to be trusted."""
    highest = metrics.highest_bpm(MAXIMUM_S)
    return Effort(day, highest) if highest is not None and metrics.sensor in SENSORS else None


def maximum(efforts: Sequence[Effort], today: date) -> tuple[Effort, Effort] | None:
    """The highest effort of the last twelve months that a second one confirms within 3 bpm, and that second one."""
    recent = sorted((e for e in efforts if today - SPAN <= e.day <= today), key=lambda e: -e.bpm)
    for first, second in zip(recent, recent[1:], strict=False):
        if first.bpm - second.bpm <= CONFIRMED_BPM:
            return first, second
    return None
