"""The one place that reads the clock. Everything else takes `now` as an argument."""

from datetime import UTC, date, datetime, tzinfo
from typing import Protocol


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
