"""The daemon on a clock that is set on by its own jobs: each is run when its trigger says so, one after the other.

A process of its own, so that its memory and handles can be looked at. It is told on standard input until when to go on,
and answers with how it is then. What it does beside stepping (config, log, store, jobs and what surrounds them) is the
service's own; not part of it are the scheduler's threads and the main thread's look at signals and clock.
"""

import json
import logging
import mmap
import os
import resource
import struct
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from daemon import logs, notify
from daemon.cli.session import Session
from daemon.jobs import Daemon, Job
from daemon.redaction import redact
from daemon.service import Service, trigger


class Moved:
    """A clock in a shared file: this process sets it, Strava and the test read it."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 8)

    def now(self) -> datetime:
        return datetime.fromtimestamp(struct.unpack("d", self._shared[:8])[0], UTC)

    def set(self, moment: datetime) -> None:
        self._shared[:8] = struct.pack("d", moment.timestamp())


@dataclass
class Due:
    """One job, when it is due next, and how punctual it has been."""

    job: Job
    next: datetime
    runs: int = 0
    worst_late_s: float = 0.0
    longest_s: float = 0.0


@dataclass
class Stepper:
    """Runs what is due. Work takes its time on the moved clock, too, so one job's slowness makes another late."""

    service: Service
    clock: Moved
    jobs: list[Due] = field(default_factory=list)
    bugs: Counter[str] = field(default_factory=Counter)

    def begin(self, jobs: list[Job]) -> None:
        now = self.clock.now()
        self.jobs = [Due(job, now if job.at_start else trigger(job).get_next_fire_time(None, now)) for job in jobs]

    def until(self, moment: datetime) -> None:
        while (due := min(self.jobs, key=lambda each: each.next)).next <= moment:
            if due.next > self.clock.now():
                self.clock.set(due.next)
            self._run(due)
        self.clock.set(max(moment, self.clock.now()))

    def sleep(self, moment: datetime) -> None:
        """The machine sleeps: what was due meanwhile is due when it wakes, once."""
        self.clock.set(moment)
        for due in self.jobs:
            due.next = max(due.next, moment)

    def _run(self, due: Due) -> None:
        began, began_s = self.clock.now(), time.monotonic()
        try:
            self.service._guarded(due.job.name, due.job.run)  # noqa: SLF001 - what the scheduler runs
        except Exception:
            logging.getLogger("daemon").exception("job %s failed, this is a bug", due.job.name)
            self.bugs[due.job.name] += 1
        took_s = time.monotonic() - began_s
        due.runs += 1
        due.longest_s = max(due.longest_s, took_s)
        due.worst_late_s = max(due.worst_late_s, (began - due.next).total_seconds())
        self.clock.set(max(self.clock.now(), began + timedelta(seconds=took_s)))
        due.next = trigger(due.job).get_next_fire_time(due.next, self.clock.now())

    def how_it_is(self) -> dict[str, Any]:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return {
            "rss_mb": pages * resource.getpagesize() / 2**20,
            "handles": len(os.listdir("/proc/self/fd")),
            "threads": len(os.listdir("/proc/self/task")),
            "bugs": self.bugs,
            "jobs": {
                due.job.name: (due.runs, due.worst_late_s, due.longest_s, trigger(due.job).interval.total_seconds())
                for due in self.jobs
            },
        }


def main(config: str, clock_file: str) -> None:
    clock = Moved(Path(clock_file))
    session = Session(os.environ, clock, Path(config), failing_loudly=True)
    loaded = session.config()
    logs.start(sys.stderr, session.environ, lambda text: redact(text, session.secrets()))
    with session.store() as store:
        daemon = Daemon(store, loaded, clock, notify.send)
        stepper = Stepper(Service(daemon, session.read_config, session.environ), clock)
        stepper.begin(daemon.jobs())
        for line in sys.stdin:
            what, moment = json.loads(line)
            getattr(stepper, what)(datetime.fromisoformat(moment))
            print(json.dumps(stepper.how_it_is()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
