"""The one place that reads the clock, and how a day is said. Everything else takes `now` as an argument."""

from datetime import UTC, date, datetime, tzinfo
from typing import Protocol

YEAR_FROM_DAYS = 300
"""A day further away than this is said with its year."""


class Clock(Protocol):
    """Where the edges of the program get the time from; tests hand in one they move themselves."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def local_day(moment: datetime, zone: tzinfo) -> date:
    """The calendar day of `moment` (aware) in `zone`."""
    return moment.astimezone(zone).date()


def moment_text(moment: datetime, zone: tzinfo) -> str:
    """2026-11-23 07:15 CET: a moment (aware) on the runner's clock, which every text goes by."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def day_text(day: date, today: date) -> str:
    """5 October; 5 October 2021 where that is long before or after `today`, the day on which it is said."""
    return f"{day.day} {day:%B}" + (f" {day.year}" if abs((today - day).days) > YEAR_FROM_DAYS else "")
