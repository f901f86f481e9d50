"""The daemon: everything it is made of is put together here, started in one place and stopped in reverse."""

import logging
import select
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    JobEvent,
    JobExecutionEvent,
)
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from daemon import interrupts, systemd
from daemon.care import Pulse
from daemon.config import Config
from daemon.errors import UserError
from daemon.heartbeat import Heartbeat, State
from daemon.jobs import Daemon, Job
from daemon.store import renew
from daemon.web import Web

log = logging.getLogger(__name__)

STOP_WAIT_S = 4.0
"""How long a stop waits for work under way; what is cut off then is pending, not lost."""
TICK_S = 5.0
"""How often the main thread looks whether the runner has authorised meanwhile."""
SET_BACK_S = 60.0
"""A clock set back by more than this would let the scheduler wait for times that have been."""


def trigger(job: Job) -> IntervalTrigger:
    """When the scheduler runs a job."""
    return IntervalTrigger(seconds=job.every.total_seconds(), jitter=round(job.jitter.total_seconds()) or None)


class Service:
    """The daemon under its scheduler, its signals and systemd."""

    def __init__(self, daemon: Daemon, load_config: Callable[[], Config], environ: Mapping[str, str]) -> None:
        self._daemon = daemon
        self._load_config = load_config
        self._environ = environ
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            # A laptop that slept, or a clock that jumped, makes a job late, never skipped, and never twice.
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._heartbeat = Heartbeat()
        self._pulse = Pulse(self._beat, daemon.trouble)
        self._running: set[str] = set()
        self._complained: dict[str, str] = {}
        self._again: set[str] = set()
        self._refused = ""
        self._said = "starting"
        self._failures: Counter[str] = Counter()
        self._web = Web(daemon.store, daemon.clock, lambda: daemon.config, lambda: dict(self._failures))
        self._idle = threading.Condition()

    def run(self) -> bool:
        """Starts everything, waits for signals, stops in reverse. False when work had to be left behind unfinished."""
        self._daemon.status = self._tell_status
        self._scheduler.add_listener(self._note_failure, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
        self._scheduler.add_listener(self._catch_up, EVENT_JOB_MAX_INSTANCES | EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
        with interrupts.inbox() as inbox:
            try:
                # What Strava refused before this start may be mended in the config by now; if not noted, it is late.
                with suppress(UserError):
                    self._daemon.reconfigure(self._daemon.config)
                self._schedule()
                new = self._daemon.has_new_grant()
                self._scheduler.start()
                self._tell(f"READY=1\nSTATUS={self._first_status()}")
                log.info('ready status="%s"', self._first_status())
                self._wait(inbox, new)
            finally:
                self._tell("STOPPING=1\nSTATUS=stopping")
                finished = self._shut_down()
        return finished

    def _wait(self, inbox: socket.socket, new: bool) -> None:
        """Until told to stop: reloads on SIGHUP, looks at the clock, and for a `new` grant, which is used at once."""
        signs, offset = self._daemon.signs, self._clock_offset_s()
        signs.began("the main thread")
        while True:
            if self._web.keep():
                self._tell_status(self._said)
            ready, _, _ = select.select([inbox], [], [], TICK_S)
            signs.seen()
            came = inbox.recv(64) if ready else b""
            if signal.SIGTERM in came or signal.SIGINT in came:
                return
            if signal.SIGHUP in came:
                self._reload_config()
            offset, before = self._clock_offset_s(), offset
            if before - offset > SET_BACK_S:
                log.warning("clock set back, everything is scheduled anew seconds=%d", before - offset)
                self._schedule()
            try:
                if renew(self._daemon.store):
                    log.warning("the database was deleted or replaced: going on with what is there now")
                    self._daemon.begin_anew()
                    self._tell_status(self._first_status())
                new, before_that = self._daemon.has_new_grant(), new
            except UserError as error:
                self._complain("database", error)
                self._tell_status(str(error))
                continue
            self._complained.pop("database", None)
            if new and not before_that:
                self._scheduler.modify_job("poll", next_run_time=self._daemon.clock.now())

    def _clock_offset_s(self) -> float:
        return self._daemon.clock.now().timestamp() - time.monotonic()

    def _schedule(self) -> None:
        interval_s = systemd.watchdog_interval_s(self._environ)
        watchdog = [Job("watchdog", timedelta(seconds=interval_s), self._feed)] if interval_s else []
        for job in [*self._daemon.jobs(), *watchdog]:
            options: dict[str, Any] = {"next_run_time": self._daemon.clock.now()} if job.at_start else {}
            self._scheduler.add_job(
                self._guarded, trigger(job), args=[job.name, job.run], id=job.name, replace_existing=True, **options
            )

    def _guarded(self, name: str, run: Callable[[], None]) -> None:
        """Runs one job; what the runner can mend is a line in the log, a bug goes on to the listener."""
        with self._idle:
            self._running.add(name)
        self._daemon.signs.began(name)
        try:
            with self._daemon.store.in_use(), self._pulse.around(name):
                run()
            self._complained.pop(name, None)
        except UserError as error:
            self._failures[name] += 1
            self._complain(name, error)
            self._tell_status(str(error))
        finally:
            self._daemon.signs.ended()
            with self._idle:
                self._running.discard(name)
                self._idle.notify_all()

    def _complain(self, job: str, error: UserError) -> None:
        """Once: a full disk would fill the journal, too."""
        news = self._complained.get(job) != str(error)
        log.log(logging.WARNING if news else logging.DEBUG, 'job failed job=%s problem="%s"', job, error)
        self._complained[job] = str(error)

    def _catch_up(self, event: JobEvent) -> None:
        """A job that was due while it still ran is done once more when it has ended: a reload mustn't wait for it."""
        if event.code == EVENT_JOB_MAX_INSTANCES:
            self._again.add(event.job_id)
        if event.job_id in self._again and event.job_id not in self._running and self._scheduler.running:
            self._again.discard(event.job_id)
            self._scheduler.modify_job(event.job_id, next_run_time=self._daemon.clock.now())

    def _feed(self) -> None:
        """Feeds the watchdog, as a job like any other: a scheduler that stands still or stuck work starves it."""
        stuck = self._daemon.signs.stuck()
        if not stuck:
            self._tell("WATCHDOG=1")
        for work in stuck:
            self._pulse.failed(work, "stuck")
            self._tell_status(f"{work} is stuck")
            log.error("stuck, the watchdog is not fed work=%s", work)

    def _beat(self, state: State, text: str) -> None:
        url = self._daemon.config.heartbeat.url
        if url is not None:
            self._heartbeat.tell(url, state, text)

    def _note_failure(self, event: JobExecutionEvent) -> None:
        if event.exception is not None:
            self._failures[event.job_id] += 1
            log.error("job failed, this is a bug job=%s", event.job_id, exc_info=event.exception)
            self._tell_status(f"{event.job_id} failed: see the log")
        else:
            log.warning("job missed job=%s", event.job_id)

    def _reload_config(self) -> None:
        self._tell(systemd.reloading())
        try:
            config = self._load_config()
        except UserError as error:
            log.error('new config refused, the old one stays in force problem="%s"', error)
            # It stays in the status until it is mended: the next poll would hide it.
            self._refused = f"new config refused: {' '.join(str(error).split())[:200]}"
            self._tell_status("the old one stays in force")
        else:
            self._refused = ""
            try:
                self._daemon.reconfigure(config)
            except UserError as error:
                self._complain("reload", error)
            self._schedule()
            log.info("config reloaded")
        finally:
            self._tell("READY=1")

    def _shut_down(self) -> bool:
        self._daemon.stopping.set()
        unread = not self._web.close()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        with self._idle:
            return self._idle.wait_for(lambda: not self._running, timeout=STOP_WAIT_S) and not unread

    def _first_status(self) -> str:
        missing = self._daemon.config.strava.missing()
        if missing is not None or self._daemon.waits_for_grant():
            return self._daemon.waiting(missing)
        return "starting"

    def _tell_status(self, text: str) -> None:
        self._said = " ".join(text.split())
        line = "; ".join(part for part in (self._refused, self._web.problem, self._said) if part)
        self._tell(f"STATUS={line[:500]}")

    def _tell(self, message: str) -> None:
        systemd.notify(message, self._environ)
