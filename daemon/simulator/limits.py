"""How Strava counts calls: two quotas (overall and read), each per quarter of an hour and per UTC day. Counts only."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

REFUSED_STATUS = 429


@dataclass
class Quota:
    """One pair of limits with its usage. A refused call still counts against the day, as Strava says it does."""

    name: str
    short_limit: int
    long_limit: int
    short_usage: int = 0
    long_usage: int = 0

    def exhausted(self) -> bool:
        return self.short_usage >= self.short_limit or self.long_usage >= self.long_limit

    def headers(self) -> dict[str, str]:
        return {
            f"{self.name}-Limit": f"{self.short_limit},{self.long_limit}",
            f"{self.name}-Usage": f"{self.short_usage},{self.long_usage}",
        }


@dataclass
class Limits:
    """The quotas of one app, in windows that begin at :00 :15 :30 :45 and at midnight UTC.

    Defaults are those of a new Standard-tier app: 200 and 2,000 overall, 100 and 1,000 for reads.
    """

    overall: Quota = field(default_factory=lambda: Quota("X-RateLimit", 200, 2000))
    read: Quota = field(default_factory=lambda: Quota("X-ReadRateLimit", 100, 1000))
    _quarter: int = -1
    _day: int = -1

    def roll(self, now: datetime) -> None:
        """Begin new windows where `now` (aware) lies in other ones than the last call did."""
        seconds = int(now.astimezone(UTC).timestamp())
        if seconds // 900 != self._quarter:
            self._quarter = seconds // 900
            self.overall.short_usage = self.read.short_usage = 0
        if seconds // 86400 != self._day:
            self._day = seconds // 86400
            self.overall.long_usage = self.read.long_usage = 0

    def count(self, now: datetime, *, reading: bool) -> bool:
        """Count one call; false when it must be refused."""
        self.roll(now)
        quotas = [self.overall, self.read] if reading else [self.overall]
        refused = any(quota.exhausted() for quota in quotas)
        for quota in quotas:
            quota.long_usage += 1
            quota.short_usage += not refused
        return not refused

    def headers(self) -> dict[str, str]:
        return self.overall.headers() | self.read.headers()
