"""The daemon on a clock that is set on by its own jobs: each is run when its trigger says so, one after the other.

A process of its own, so that its memory and handles can be looked at. It is told on standard input until when to go on,
and answers with how it is then. What it does beside stepping (config, log, store, jobs and what surrounds them) is the
service's own, the page included, and its jobs run on as many threads as the scheduler's do; not part of it are the
scheduler itself and the main thread's look at signals and clock.
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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

from daemon import logs, memory, notify
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
    """One job, when its trigger has it due next, and how punctual it has been.

    It is late against its period, whatever the trigger says: counted from its last start, or from when the machine
    woke (`since`).
    """

    job: Job
    next: datetime
    since: datetime
    runs: int = 0
    worst_late_s: float = 0.0
    longest_s: float = 0.0

    def look(self, now: datetime) -> None:
        self.worst_late_s = max(self.worst_late_s, (now - self.since - self.job.every).total_seconds())


@dataclass
class Stepper:
    """Runs what is due. Work takes its time on the moved clock, too, so one job's slowness makes another late."""

    service: Service
    clock: Moved
    jobs: list[Due] = field(default_factory=list)
    bugs: Counter[str] = field(default_factory=Counter)
    born: datetime = field(init=False)
    at: datetime = field(init=False)
    slept: timedelta = timedelta(0)
    threads: ThreadPoolExecutor = field(init=False)

    def begin(self, jobs: list[Job]) -> None:
        now = self.born = self.at = self.clock.now()
        self.jobs = [
            Due(job, now if job.at_start else trigger(job).get_next_fire_time(None, now), since=now) for job in jobs
        ]
        self.threads = threads(sum(job.at_start for job in jobs))

    def until(self, moment: datetime) -> None:
        while (due := min(self.jobs, key=lambda each: each.next)).next <= moment:
            if due.next > self.clock.now():
                self.clock.set(due.next)
            self._run(due)
        self.clock.set(max(moment, self.clock.now()))
        for due in self.jobs:
            due.look(self.clock.now())

    def sleep(self, moment: datetime) -> None:
        """The machine sleeps: what was due meanwhile is due when it wakes, once."""
        self.slept += moment - self.at
        self.clock.set(moment)
        for due in self.jobs:
            due.next = max(due.next, moment)
            due.since = moment - due.job.every

    def _run(self, due: Due) -> None:
        began, began_s = self.clock.now(), time.monotonic()
        due.look(began)
        due.since = began
        self.service._web.keep()  # noqa: SLF001 - what the main thread does
        try:
            # What the scheduler runs.
            self.threads.submit(self.service._guarded, due.job.name, due.job.run).result()  # noqa: SLF001
        except Exception:
            logging.getLogger("daemon").exception("job %s failed, this is a bug", due.job.name)
            self.bugs[due.job.name] += 1
        took_s = time.monotonic() - began_s
        due.runs += 1
        due.longest_s = max(due.longest_s, took_s)
        self.clock.set(max(self.clock.now(), began + timedelta(seconds=took_s)))
        due.next = trigger(due.job).get_next_fire_time(due.next, self.clock.now())

    def how_it_is(self) -> dict[str, Any]:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return {
            "rss_mb": pages * resource.getpagesize() / 2**20,
            "handles": len(os.listdir("/proc/self/fd")),
            "threads": len(os.listdir("/proc/self/task")),
            "bugs": self.bugs,
            "awake_s": (self.clock.now() - self.born - self.slept).total_seconds(),
            "jobs": {
                due.job.name: (due.runs, due.worst_late_s, due.longest_s, due.job.every.total_seconds())
                for due in self.jobs
            },
        }


def threads(number: int) -> ThreadPoolExecutor:
    """The scheduler's threads: what is due at the start gets one each, and later jobs go to them in turn."""
    pool, all_there = ThreadPoolExecutor(10), Barrier(number)
    for _ in range(number):
        pool.submit(all_there.wait)
    return pool


def main(config: str, clock_file: str) -> None:
    memory.one_heap()
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
            stepper.at = clock.now()
            print(json.dumps(stepper.how_it_is()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
