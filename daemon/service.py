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
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta, tzinfo
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
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from daemon import interrupts, systemd
from daemon.access import connect
from daemon.care import Pulse, trouble
from daemon.clock import Clock
from daemon.config import Config
from daemon.deliver import Send, deliver
from daemon.errors import UserError
from daemon.evaluate import digest_due, evaluate, local_now
from daemon.evaluate.looking import picture_of
from daemon.heartbeat import Heartbeat, State
from daemon.store import Busy, Store, backup, grants, renew
from daemon.store.progress import athletes, progress, save_progress
from daemon.sync import Outcome, pull, retain
from daemon.web import Web

log = logging.getLogger(__name__)

STOP_WAIT_S = 4.0
"""How long a stop waits for work under way; what is cut off then is pending, not lost."""
SLOW_PROBE = timedelta(hours=6)
"""How often Strava is asked while it refuses us."""
TICK_S = 5.0
"""How often the main thread looks whether the runner has authorised meanwhile."""
SET_BACK_S = 60.0
"""A clock set back by more than this would let the scheduler wait for times that have been."""


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
        self.signs = systemd.Signs()
        self.stopping = systemd.Stopping(self.signs)
        self.status: Callable[[str], None] = lambda text: None
        self.problem: str | None = None

    def jobs(self) -> list[Job]:
        """What is done when, by the config as it is now."""
        poll_s = self.config.schedule.poll.total_seconds()
        return [
            Job("poll", IntervalTrigger(seconds=round(poll_s), jitter=round(poll_s / 10)), self.poll),
            Job("imported", IntervalTrigger(hours=1), self.judge_imported, at_start=False),
            Job("deliver", IntervalTrigger(minutes=1), self.deliver),
            Job("retention", IntervalTrigger(hours=6), self.retain),
            # Asked every hour, made once a night: a machine that slept at three has its backup when it wakes.
            Job("backup", IntervalTrigger(hours=1), self.back_up),
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
                self._log(outcome)
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
        gone = retain(self.store, timedelta(days=self.config.privacy.raw_retention_days), self.clock.now())
        if gone:
            log.info("retention deleted raw_answers=%d", gone)

    def back_up(self) -> None:
        """The night's backup, where it isn't made yet. Raises UserError for a damaged database or a full disk."""
        local = local_now(self.store, self.config, self.clock.now())
        made = backup.nightly(self.store.path, local, self.config.backup.keep)
        if made is not None:
            log.info('backup made and examined file="%s" bytes=%d', made, made.stat().st_size)

    def trouble(self) -> str | None:
        """What the dead man's switch should hear after a poll: None where all is well."""
        with self.store.read() as session:
            held = grants.grant(session)
            if held is not None:
                return trouble(progress(session, held.athlete_id), self.clock.now())
            # Runs that were imported need no Strava.
            return None if athletes(session) else "Strava isn't set up yet; run `pullback auth`"

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

    def _log(self, outcome: Outcome) -> None:
        """A line where something happened. A problem that lasts is said once, and so is its end."""
        problem = None if outcome.problem is None else str(outcome.problem)
        if problem is not None and problem != self.problem:
            log.warning('pull failed problem="%s"', problem)
        elif problem is None and self.problem is not None:
            log.info("pull works again")
        self.problem = problem
        happened = outcome.new or outcome.changed or outcome.gone or outcome.fetched
        log.log(
            logging.INFO if happened else logging.DEBUG,
            "pulled new=%d changed=%d deleted=%d recordings=%d pending=%d",
            outcome.new,
            outcome.changed,
            outcome.gone,
            outcome.fetched,
            outcome.pending,
        )

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
                waiting = self._daemon.waits_for_grant()
                self._scheduler.start()
                self._tell(f"READY=1\nSTATUS={self._first_status()}")
                log.info('ready status="%s"', self._first_status())
                self._wait(inbox, waiting)
            finally:
                self._tell("STOPPING=1\nSTATUS=stopping")
                finished = self._shut_down()
        return finished

    def _wait(self, inbox: socket.socket, waiting: bool) -> None:
        """Until told to stop: reloads on SIGHUP, looks at the clock, and for a grant while there is none."""
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
                log.warning("clock set back seconds=%d: everything is scheduled anew", before - offset)
                self._schedule()
            try:
                if renew(self._daemon.store):
                    log.warning("the database was deleted or replaced: going on with what is there now")
                    self._tell_status(self._first_status())
                still = self._daemon.waits_for_grant()
            except UserError as error:
                log.warning("%s", error)
                continue
            if waiting and not still:
                self._scheduler.modify_job("poll", next_run_time=self._daemon.clock.now())
            waiting = still

    def _clock_offset_s(self) -> float:
        return self._daemon.clock.now().timestamp() - time.monotonic()

    def _schedule(self) -> None:
        interval_s = systemd.watchdog_interval_s(self._environ)
        watchdog = [Job("watchdog", IntervalTrigger(seconds=interval_s), self._feed)] if interval_s else []
        for job in [*self._daemon.jobs(), *watchdog]:
            options: dict[str, Any] = {"next_run_time": self._daemon.clock.now()} if job.at_start else {}
            self._scheduler.add_job(
                self._guarded, job.trigger, args=[job.name, job.run], id=job.name, replace_existing=True, **options
            )

    def _guarded(self, name: str, run: Callable[[], None]) -> None:
        """Runs one job; what the runner can mend is a line in the log, a bug goes on to the listener."""
        with self._idle:
            self._running.add(name)
        self._daemon.signs.began(name)
        try:
            with self._pulse.around(name):
                run()
            self._complained.pop(name, None)
        except UserError as error:
            self._failures[name] += 1
            # Once: a full disk would fill the journal, too.
            news = self._complained.get(name) != str(error)
            log.log(logging.WARNING if news else logging.DEBUG, 'job failed job=%s problem="%s"', name, error)
            self._complained[name] = str(error)
            self._tell_status(str(error))
        finally:
            self._daemon.signs.ended()
            with self._idle:
                self._running.discard(name)
                self._idle.notify_all()

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
            log.error("job %s failed, this is a bug", event.job_id, exc_info=event.exception)
            self._tell_status(f"{event.job_id} failed: see the log")
        else:
            log.warning("job missed job=%s", event.job_id)

    def _reload_config(self) -> None:
        self._tell(systemd.reloading())
        try:
            self._daemon.reconfigure(self._load_config())
            self._schedule()
            self._refused = ""
            log.info("config reloaded")
        except UserError as error:
            log.error('new config refused, the old one stays in force problem="%s"', error)
            # It stays in the status until it is mended: the next poll would hide it.
            self._refused = f"new config refused: {' '.join(str(error).split())[:200]}"
            self._tell_status("the old one stays in force")
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
