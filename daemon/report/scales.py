"""From days and numbers to places in a chart: across in percent of its width, down in pixels. Pure.

So a chart fills whatever width there is and its type keeps the page's size; lines are drawn by `path` in a box that is
stretched.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

YEARS_FROM_DAYS, WEEKS_TO_DAYS = 420, 45
"""A longer chart is labelled by years, a shorter one by Mondays."""

STEPS = (1, 2, 5, 10, 20, 25, 50, 60, 100, 120, 200, 240, 300, 500, 600, 1000, 2000, 5000, 10000)


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis (percent across, or pixels down) and its words."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Across:
    """Days from `first` to `last`, a day's middle between `left` and `right` percent of the width."""

    first: date
    last: date
    left: float = 2.0
    right: float = 98.0

    def at(self, day: date, part: float = 0.5) -> float:
        """Percent from the left; `part` of the day is over."""
        days = (self.last - self.first).days + 1
        return round(self.left + (self.right - self.left) * ((day - self.first).days + part) / days, 2)

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last

    def ticks(self) -> tuple[Tick, ...]:
        """The first of each month; of each year where there are many; of few weeks their Mondays, or every other."""
        long = (self.last - self.first).days
        days = (self.first + timedelta(days=n) for n in range(long + 1))
        if long < WEEKS_TO_DAYS:
            mondays = [day for day in days if day.weekday() == 0][:: 1 if long < WEEKS_TO_DAYS / 2 else 2]
            return tuple(Tick(self.at(day, 0), f"{day.day} {day:%b}") for day in mondays)
        if long > YEARS_FROM_DAYS:
            return tuple(Tick(self.at(day, 0), str(day.year)) for day in days if (day.month, day.day) == (1, 1))
        return tuple(Tick(self.at(day, 0), f"{day:%b}") for day in days if day.day == 1)


@dataclass(frozen=True, slots=True)
class Down:
    """Numbers from `low` to `high`, `high` at `top` pixels and `low` at `bottom`."""

    low: float
    high: float
    top: float
    bottom: float

    def at(self, value: float) -> float:
        """Pixels from the top; what lies beyond is at the edge."""
        part = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.bottom - part * (self.bottom - self.top), 1)

    def ticks(self, most: int = 4, unit: str = "") -> tuple[Tick, ...]:
        """A few round numbers."""
        step = next((step for step in STEPS if (self.high - self.low) / step <= most), STEPS[-1])
        first = -int(-self.low // step)
        numbers = (n * step for n in range(first, int(self.high // step) + 1))
        return tuple(Tick(self.at(n), f"{n}{unit}".replace("-", "−")) for n in numbers)


def path(points: Iterable[tuple[float, float]]) -> str:
    """A line through (percent, pixels)."""
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def gapless(days: Sequence[date]) -> list[tuple[int, int]]:
    """Where in `days` stretches without a gap begin and end (not included)."""
    cuts = [n for n in range(1, len(days)) if days[n] - days[n - 1] > timedelta(days=1)]
    return list(zip([0, *cuts], [*cuts, len(days)], strict=True)) if days else []
