"""What is usual for a runner at a moment: learned from the runs before it, never from later ones."""

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest

from daemon.metrics.run_metrics import RunMetrics
from daemon.values import Activity

HANDFUL = 6
"""The first runs have no past: they are judged by the usual of the first `HANDFUL` teaching runs together."""

SPAN = timedelta(weeks=12)
LAST = 16
"""At most this many runs of the last `SPAN`, and the last `HANDFUL` however old."""

LONG_SPAN = timedelta(weeks=6)
WEEK = timedelta(days=6, hours=12)
BEST_SPAN = timedelta(weeks=26)
RIEGEL = 0.06
"""Speed held falls with duration to this power (Riegel 1981)."""

MAD_TO_SD = 1.4826
TRAIL = "TrailRun"
WINDOWS_S = (30, 60, 120, 300, 600, 1200)
NO_WANDER = (1.0,) * len(WINDOWS_S)


@dataclass(frozen=True, slots=True)
class AthleteSettings:
    """What the runner told us; None is learned or done without."""

    max_heart_rate: float | None = None
    resting_heart_rate: float | None = None
    threshold_heart_rate: float | None = None
    sex: str | None = None


@dataclass(frozen=True, slots=True)
class Usual:
    """The runner's own usual: easy grade-adjusted speed (m/s), heart rate there (bpm), a run's moving time (s).

    `hour_m_s` is the best recent effort brought to one hour (m/s), 0 while none is known. `wander` says how far speed
    strays in an ordinary run by itself: its best over each of `WINDOWS_S` against its own slow speed. `spread` is how
    far easy speed differs from run to run (a share of it, like a standard deviation). `trail` is true for a runner who
    mostly runs trails. `week_longest_s` is the moving time of the longest run of the week before (s).
    """

    speed_m_s: float
    heart_rate_bpm: float | None
    moving_s: float
    altitude_m: float | None = None
    hour_m_s: float = 0.0
    wander: tuple[float, ...] = NO_WANDER
    spread: float = 0.0
    trail: bool = False
    week_longest_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one run teaches about the usual."""

    start: datetime
    speed_m_s: float
    heart_rate_bpm: float | None
    moving_s: float
    altitude_m: float | None
    hour_m_s: float
    contrast: tuple[float, ...]
    trail: bool


def lesson(activity: Activity, metrics: RunMetrics) -> Lesson | None:
    """What a run teaches: runs on the ground with a known speed; treadmills, other sports and hikes teach nothing."""
    if not activity.is_run or is_treadmill(activity) or activity.manual or metrics.relaxed_m_s is None:
        return None
    if metrics.relaxed_m_s < 1.4 or metrics.moving_s < 300:
        return None
    heart = metrics.relaxed_bpm if metrics.trust == "streams" else metrics.mean_bpm
    efforts = (speed * (length / 3600.0) ** RIEGEL for length, speed, _ in metrics.best if length >= 600)
    return Lesson(
        start=activity.start,
        speed_m_s=metrics.relaxed_m_s,
        heart_rate_bpm=heart,
        moving_s=metrics.moving_s,
        altitude_m=metrics.altitude_m,
        hour_m_s=max(efforts, default=0.0),
        contrast=_contrast(metrics),
        trail=activity.sport == TRAIL,
    )


def _contrast(metrics: RunMetrics) -> tuple[float, ...]:
    """Best speed over each of `WINDOWS_S` against the run's own slow speed, as far as the run is long enough."""
    if not metrics.slow_m_s:
        return ()
    return tuple(speed / metrics.slow_m_s for length, speed, _ in metrics.best if length in WINDOWS_S)


def is_treadmill(activity: Activity) -> bool:
    """A belt or a game: pace isn't ground pace there."""
    return activity.trainer or activity.sport == "VirtualRun"


def median(values: Sequence[float]) -> float:
    """The middle value, mean of the two middle ones; `values` isn't empty."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2.0


def usual_of(lessons: Sequence[Lesson], now: datetime, hour_m_s: float) -> Usual:
    """The usual over `lessons` (not empty): medians; duration over the last `LONG_SPAN` where that holds four runs."""
    hearts = [item.heart_rate_bpm for item in lessons if item.heart_rate_bpm is not None]
    heights = [item.altitude_m for item in lessons if item.altitude_m is not None]
    recent = [item.moving_s for item in lessons if item.start >= now - LONG_SPAN]
    speed = median([item.speed_m_s for item in lessons])
    return Usual(
        speed_m_s=speed,
        heart_rate_bpm=median(hearts) if hearts else None,
        moving_s=median(recent if len(recent) >= 4 else [item.moving_s for item in lessons]),
        altitude_m=median(heights) if heights else None,
        hour_m_s=hour_m_s,
        wander=_wander(lessons),
        spread=MAD_TO_SD * median([abs(item.speed_m_s / speed - 1.0) for item in lessons]),
        week_longest_s=max((i.moving_s for i in lessons if now - WEEK <= i.start < now), default=0.0),
        trail=2 * sum(item.trail for item in lessons) > len(lessons),
    )


def _wander(lessons: Sequence[Lesson]) -> tuple[float, ...]:
    """For each of `WINDOWS_S` the contrast a quarter of the way up, 1.0 where no run was long enough.

    Sessions stray on purpose and are no measure of the rest. Runs that are too short for a window sort behind it.
    """
    found = []
    for column in zip_longest(*(item.contrast for item in lessons), fillvalue=math.inf):
        long_enough = len(column) - column.count(math.inf)
        found.append(max(sorted(column)[long_enough // 4], 1.0))
    return (*found, *NO_WANDER[len(found) :])


class Past:
    """The trailing window of lessons as the fold walks forward; each step costs the window, not the history."""

    def __init__(self, first: Sequence[Lesson]) -> None:
        """`first`: the first `HANDFUL` lessons of the whole list, the only look ahead there is."""
        self._first = first
        self._lessons: list[Lesson] = []
        self._starts: list[datetime] = []
        self._efforts: deque[tuple[datetime, float]] = deque()

    def usual(self, now: datetime) -> Usual | None:
        """What was usual just before `now`; None where no run ever taught anything."""
        while self._efforts and self._efforts[0][0] < now - BEST_SPAN:
            self._efforts.popleft()
        hour = self._efforts[0][1] if self._efforts else 0.0
        if len(self._lessons) < HANDFUL:
            return usual_of(self._first, now, hour) if self._first else None
        begin = min(bisect_left(self._starts, now - SPAN), len(self._lessons) - HANDFUL)
        return usual_of(self._lessons[max(begin, len(self._lessons) - LAST) :], now, hour)

    def learn(self, item: Lesson) -> None:
        """Adds a run, in order of time. Efforts that a later one beats can never be the best again and go."""
        self._lessons.append(item)
        self._starts.append(item.start)
        while self._efforts and self._efforts[-1][1] <= item.hour_m_s:
            self._efforts.pop()
        if item.hour_m_s > 0.0:
            self._efforts.append((item.start, item.hour_m_s))
