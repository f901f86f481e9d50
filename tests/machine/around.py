"""Around the sync machine: how Strava fails and counts, how a process dies, and an empty database to begin with."""

import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

from daemon.simulator.faults import Fault
from daemon.simulator.limits import Limits
from daemon.store import open_store
from daemon.strava.wire import Timeouts

PATHS = ("athlete/activities", "streams", r"activities/\d+$", "/oauth/token", "")
FAULTS = (
    *(Fault("status", status=status) for status in (401, 403, 429, 500, 503)),
    Fault("status", status=429, retry_after=1200),
    *(
        Fault(kind)
        for kind in ("day", "scope", "inactive", "html", "truncated", "wrong_types", "huge_numbers", "empty")
    ),
    *(Fault(kind) for kind in ("reset", "lost", "redirect")),
    Fault("hang", seconds=0.05),
    Fault("drip", seconds=0.05),
)
PATIENT = Timeouts(connect_s=5.0, read_s=10.0, overall_s=20.0)
SPORTS = ("Run", "TrailRun", "Ride", "UnderwaterRugby")


class Died(BaseException):
    """The process is gone; nothing of ours may catch it."""


@dataclass
class Counted(Limits):
    """Strava's limits, with a tally of the calls that were made although they were used up."""

    overruns: int = field(default=0)

    def count(self, now: datetime, *, reading: bool) -> bool:
        allowed = super().count(now, reading=reading)
        self.overruns += not allowed
        return allowed


@cache
def migrated() -> Path:
    """An empty database of today's schema: migrating one per story would be most of the time."""
    path = Path(tempfile.mkdtemp()) / "pullback.db"
    open_store(path).close()
    return path
