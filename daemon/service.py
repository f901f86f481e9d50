"""The daemon: everything it is made of is put together here, started in one place and stopped in reverse."""

import logging
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta, tzinfo
from typing import Any

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from daemon import systemd
from daemon.access import connect
from daemon.clock import Clock
from daemon.config import Config
from daemon.deliver import Send, deliver
from daemon.errors import UserError
from daemon.evaluate import digest_due, evaluate, local_now
from daemon.evaluate.looking import picture_of
from daemon.store import Busy, Store, grants
from daemon.store import activities as rows
from daemon.store.progress import athletes, progress, save_progress
from daemon.sync import pull

log = logging.getLogger(__name__)

STOP_WAIT_S = 4.0
"""How long a stop waits for work under way; what is cut off then is pending, not lost."""
SLOW_PROBE = timedelta(hours=6)
"""How often Strava is asked while it refuses us."""
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
TICK_S = 5.0
"""How often the main thread looks whether the runner has authorised meanwhile, and feeds the watchdog."""


@dataclass(frozen=True)
class Job:
    """One thing the daemon does again and again; `at_start` says whether the first time is at once."""

    name: str
    trigger: BaseTrigger
    run: Callable[[], None]
    at_start: bool = True


class Daemon:
    """The daemon's work, each job a method that returns when it is done; knows no scheduler and no signals."""

    def __init__(self, store: Store, config: Config, clock: Clock, send: Send) -> None:
        self.store = store
        self.config = config
        self.clock = clock
        self.send = send
        self.digested: date | None = None
        self.stopping = threading.Event()
        self.status: Callable[[str], None] = lambda text: None

    def jobs(self) -> list[Job]:
        """What is done when, by the config as it is now."""
        poll_s = self.config.schedule.poll.total_seconds()
        return [
            Job("poll", IntervalTrigger(seconds=round(poll_s), jitter=round(poll_s / 10)), self.poll),
            Job("imported", IntervalTrigger(hours=1), self.judge_imported, at_start=False),
            Job("deliver", IntervalTrigger(minutes=1), self.deliver),
            Job("retention", IntervalTrigger(hours=6), self.retain),
        ]

    def poll(self) -> None:
        """One pull, judged and told. Raises UserError for what the runner or the machine has to mend."""
        missing = self.config.strava.missing()
        strava = None if missing is not None else connect(self.store, self.config, self.clock)
        if strava is None:
            self.status(self.waiting(missing))
            return
        athlete_id = strava.tokens.athlete_id
        try:
            if self._is_time(athlete_id):
                outcome = pull(
                    self.store,
                    strava,
                    athlete_id,
                    self.clock,
                    backfill=self.config.strava.backfill,
                    raw_retention=timedelta(days=self.config.privacy.raw_retention_days),
                    stop=self.stopping.is_set,
                )
                if outcome.problem is not None:
                    log.warning("pull: %s", outcome.problem)
                elif outcome.new or outcome.changed or outcome.gone or outcome.fetched:
                    log.info(
                        "pull: %d new, %d changed, %d deleted, %d recordings, %d pending",
                        outcome.new,
                        outcome.changed,
                        outcome.gone,
                        outcome.fetched,
                        outcome.pending,
                    )
        finally:
            strava.close()
        if self.stopping.is_set():
            return
        self._judge(athlete_id)
        self.deliver()

    def deliver(self) -> None:
        """Sends what waits, unless the runner wants quiet now. The weekly digest is told when its minute comes."""
        zone = local_now(self.store, self.config, self.clock.now()).tzinfo or UTC
        try:
            # Whoever holds a lock is at it already: what is left is done in a minute.
            with suppress(Busy):
                self._digest(zone)
        finally:  # what waits needs no digest
            with suppress(Busy):
                deliver(
                    self.store,
                    self.config.alerts,
                    self.send,
                    self.clock,
                    zone,
                    stop=self.stopping.is_set,
                    picture=lambda alert: picture_of(self.store, alert.athlete_id, self.config, alert),
                )

    def retain(self) -> None:
        """Deletes raw answers whose time is over."""
        with self.store.write() as session:
            gone = rows.expire(session, self.clock.now())
        if gone:
            log.info("retention: %d raw answers deleted", gone)

    def waits_for_grant(self) -> bool:
        """Whether everything but the runner's consent is there."""
        with self.store.read() as session:
            return self.config.strava.missing() is None and grants.grant(session) is None

    def reconfigure(self, config: Config) -> None:
        """Takes over a new config; an access problem may be mended by it, so Strava is asked again at once."""
        if config.database != self.config.database:
            log.warning("the new database.url takes effect when the service is restarted")
        with self.store.write() as session:
            for athlete_id in athletes(session):
                state = progress(session, athlete_id)
                if state.access == "client":
                    save_progress(session, athlete_id, replace(state, last_pull_at=None))
        self.config = config

    @staticmethod
    def waiting(missing: str | None) -> str:
        """What has to come before Strava can be asked; `missing` is a key of the configuration."""
        if missing is not None:
            return f"waiting: {missing} is not set; add it to the config and reload"
        return "waiting: not authorised; run `pullback auth`"

    def judge_imported(self) -> None:
        """Judges what was imported, and tells it, where no poll does because there is no access to Strava."""
        with self.store.read() as session:
            athlete_id = grants.athlete(session)
            polled = self.config.strava.missing() is None and grants.grant(session) is not None
        if athlete_id is not None and not polled:
            evaluate(self.store, athlete_id, self.config, self.clock.now())
            self.deliver()

    def _digest(self, zone: tzinfo) -> None:
        day = digest_due(self.config.schedule.digest, self.clock.now(), zone)
        if day is None or day == self.digested:
            return
        with self.store.read() as session:
            athlete_id = grants.athlete(session)
        if athlete_id is not None:
            evaluate(self.store, athlete_id, self.config, self.clock.now())
        self.digested = day

    def _is_time(self, athlete_id: int) -> bool:
        with self.store.read() as session:
            state = progress(session, athlete_id)
        if state.access is None or state.last_pull_at is None:
            return True
        return abs(self.clock.now() - state.last_pull_at) >= SLOW_PROBE

    def _judge(self, athlete_id: int) -> None:
        evaluated = evaluate(self.store, athlete_id, self.config, self.clock.now())
        with self.store.read() as session:
            state = progress(session, athlete_id)
        judged = "no runs yet" if evaluated.verdict is None else evaluated.verdict.state.replace("_", " ")
        parts = [
            judged,
            "no sync yet" if state.last_success_at is None else f"synced {state.last_success_at:%H:%M} UTC",
        ]
        if state.problem is not None:
            parts.append(state.problem)
        elif state.waiting_until is not None:
            parts.append(f"rate limit until {state.waiting_until:%H:%M} UTC")
        self.status("; ".join(parts))


@contextmanager
def _signals() -> Iterator[socket.socket]:
    """A socket on which each signal arrives as a byte.

    The interpreter itself writes it: a handler of ours would run in the main thread at any point, also while that
    thread holds a lock the handler needs.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    before: dict[int, Any] = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}
    fd = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(fd)
        for number, handler in before.items():
            signal.signal(number, handler)
        reader.close()
        writer.close()


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
        self._running: set[str] = set()
        self._refused = ""
        self._idle = threading.Condition()

    def run(self) -> bool:
        """Starts everything, waits for signals, stops in reverse. False when work had to be left behind unfinished."""
        self._daemon.status = self._tell_status
        self._scheduler.add_listener(self._note_failure, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
        with _signals() as inbox:
            try:
                self._schedule()
                self._scheduler.start()
                self._tell(f"READY=1\nSTATUS={self._first_status()}")
                log.info("ready: %s", self._first_status())
                self._wait(inbox)
            finally:
                self._tell("STOPPING=1\nSTATUS=stopping")
                finished = self._shut_down()
        return finished

    def _wait(self, inbox: socket.socket) -> None:
        """Until told to stop: reloads on SIGHUP, feeds the watchdog, and looks for a grant while there is none."""
        interval = systemd.watchdog_interval_s(self._environ)
        waiting = True
        while True:
            ready, _, _ = select.select([inbox], [], [], min(TICK_S, interval or TICK_S))
            came = inbox.recv(64) if ready else b""
            if signal.SIGTERM in came or signal.SIGINT in came:
                return
            if signal.SIGHUP in came:
                self._reload_config()
            if interval is not None and self._scheduler.running:
                self._tell("WATCHDOG=1")
            try:
                still = self._daemon.waits_for_grant()
            except UserError as error:
                log.warning("%s", error)
                continue
            if waiting and not still:
                self._scheduler.modify_job("poll", next_run_time=self._daemon.clock.now())
            waiting = still

    def _schedule(self) -> None:
        for job in self._daemon.jobs():
            options: dict[str, Any] = {"next_run_time": self._daemon.clock.now()} if job.at_start else {}
            self._scheduler.add_job(
                self._guarded, job.trigger, args=[job.name, job.run], id=job.name, replace_existing=True, **options
            )

    def _guarded(self, name: str, run: Callable[[], None]) -> None:
        """Runs one job; what the runner can mend is a line in the log, a bug goes on to the listener."""
        with self._idle:
            self._running.add(name)
        config = self._daemon.config
        try:
            run()
        except UserError as error:
            log.warning("%s: %s", name, error)
            self._tell_status(str(error))
        finally:
            with self._idle:
                self._running.discard(name)
                self._idle.notify_all()
            if name == "poll" and config is not self._daemon.config and not self._daemon.stopping.is_set():
                # The scheduler skips a job that is running: what a reload brought would wait for the next poll.
                self._scheduler.modify_job(name, next_run_time=self._daemon.clock.now() + timedelta(seconds=1))

    def _note_failure(self, event: JobExecutionEvent) -> None:
        if event.exception is not None:
            log.error("job %s failed, this is a bug", event.job_id, exc_info=event.exception)
            self._tell_status(f"{event.job_id} failed: see the log")
        else:
            log.warning("job %s was missed", event.job_id)

    def _reload_config(self) -> None:
        self._tell(systemd.reloading())
        try:
            self._daemon.reconfigure(self._load_config())
            self._schedule()
            self._refused = ""
            log.info("config reloaded")
        except UserError as error:
            log.error("the new config is refused, the old one stays in force: %s", error)
            # It stays in the status until it is mended: the next poll would hide it.
            self._refused = f"new config refused: {' '.join(str(error).split())[:200]}"
            self._tell_status("the old one stays in force")
        finally:
            self._tell("READY=1")

    def _shut_down(self) -> bool:
        self._daemon.stopping.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        with self._idle:
            return self._idle.wait_for(lambda: not self._running, timeout=STOP_WAIT_S)

    def _first_status(self) -> str:
        missing = self._daemon.config.strava.missing()
        if missing is not None or self._daemon.waits_for_grant():
            return self._daemon.waiting(missing)
        return "starting"

    def _tell_status(self, text: str) -> None:
        line = "; ".join(part for part in (self._refused, " ".join(text.split())) if part)
        self._tell(f"STATUS={line[:500]}")

    def _tell(self, message: str) -> None:
        systemd.notify(message, self._environ)
