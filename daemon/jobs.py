"""The daemon's work: each job returns when it is done. It knows no scheduler, no signals and nothing of systemd's."""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo

from daemon import memory, systemd
from daemon.access import connect
from daemon.care import trouble
from daemon.clock import Clock
from daemon.config import Config
from daemon.deliver import Send, deliver
from daemon.errors import UserError
from daemon.evaluate import Evaluated, digest_due, evaluate, local_now, note_look, withdraw_late
from daemon.evaluate.looking import picture_of
from daemon.evaluate.telling import Ended
from daemon.store import Busy, Store, backup, cleaning, grants, outbox
from daemon.store.progress import athletes, progress, save_progress
from daemon.sync import Outcome, pull, retain

log = logging.getLogger(__name__)

SLOW_PROBE = timedelta(hours=6)
"""How often Strava is asked while it refuses us."""
JUDGED_LATELY = timedelta(hours=1)
"""What was judged so lately goes out without another look [ENG]: far longer than a poll, far shorter than a night."""


@dataclass(frozen=True)
class Job:
    """One thing the daemon does again and again, sooner or later by `jitter`; `at_start`: the first time at once."""

    name: str
    every: timedelta
    run: Callable[[], None]
    at_start: bool = True
    jitter: timedelta = timedelta(0)


class Daemon:
    """The store, the config and what goes on in them; each job is a method of it."""

    def __init__(self, store: Store, config: Config, clock: Clock, send: Send) -> None:
        self.store = store
        self.config = config
        self.clock = clock
        self.send = send
        self.digested: date | None = None
        self.judged_at: datetime | None = None
        self.signs = systemd.Signs()
        self.stopping = systemd.Stopping(self.signs)
        self.status: Callable[[str], None] = lambda text: None
        self.problem: str | None = None

    def jobs(self) -> list[Job]:
        """What is done when, by the config as it is now."""
        poll = self.config.schedule.poll
        return [
            Job("poll", poll, self.poll, jitter=poll / 10),
            Job("imported", timedelta(hours=1), self.judge_imported, at_start=False),
            Job("deliver", timedelta(minutes=1), self.deliver),
            Job("retention", timedelta(hours=6), self.retain),
            # Asked every hour, made once a night: a machine that slept at three has its backup when it wakes.
            Job("backup", timedelta(hours=1), self.back_up),
        ]

    def poll(self) -> None:
        """One pull, judged and told. Raises UserError for what the runner or the machine has to mend."""
        missing = self.config.strava.missing()
        strava = None if missing is not None else connect(self.store, self.config, self.clock)
        if strava is None:
            self.status(self.waiting(missing))
            return
        athlete_id = strava.tokens.athlete_id
        with self._noting_bugs(athlete_id), closing(strava):
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
            if not self.stopping.is_set():
                self._judge(athlete_id)
                self.deliver()

    def deliver(self) -> None:
        """Sends what waits, unless the runner wants quiet now. The weekly digest is told when its minute comes.

        After a start or a sleep of the machine what waits may be true no longer: it is judged first.
        """
        zone, judged = self._local_now().tzinfo or UTC, True
        try:
            judged = self._judge_first(zone)
        finally:  # a bug in judging holds no warning back
            if judged:
                self._send(zone)

    def retain(self) -> None:
        """Deletes raw answers whose time is over, off the disk as well, and those in copies of an earlier version."""
        keep, now = timedelta(days=self.config.privacy.raw_retention_days), self.clock.now()
        gone = retain(self.store, keep, now)
        if gone:
            log.info("retention deleted raw_answers=%d", gone)
        self.store.settle()
        for file in cleaning.drop_raw(self.store.path, keep, now):
            log.warning('retention deleted what nobody can take raw answers out of file="%s"', file)

    def back_up(self) -> None:
        """The night's backup, where it isn't made yet. Raises UserError for a damaged database or a full disk."""
        made = backup.nightly(self.store.path, self._local_now(), self.config.backup.keep)
        if made is not None:
            log.info('backup made and examined file="%s" bytes=%d', made, made.stat().st_size)

    def trouble(self) -> str | None:
        """What the dead man's switch should hear after a poll: None where all is well."""
        with self.store.read() as session:
            held = grants.grant(session)
            if held is not None:
                return trouble(progress(session, held.athlete_id), self._local_now())
            # Runs that were imported need no Strava.
            return None if athletes(session) else "Strava isn't set up yet; run `pullback auth`"

    def waits_for_grant(self) -> bool:
        """Whether everything but the runner's consent is there."""
        with self.store.read() as session:
            return self.config.strava.missing() is None and grants.grant(session) is None

    def has_new_grant(self) -> bool:
        """Whether the runner has given consent, or given it anew, and no pull has come to its end since."""
        with self.store.read() as session:
            held = grants.grant(session)
            unused = held is not None and progress(session, held.athlete_id).last_pull_at is None
        return self.config.strava.missing() is None and unused

    def reconfigure(self, config: Config) -> None:
        """Takes over a new config; an access problem may be mended by it, so Strava is asked again at once.

        Raises StoreError where that can't be noted: it is in force all the same.
        """
        if config.database != self.config.database:
            log.warning("the new database.url takes effect when the service is restarted")
        self.config = config
        with self.store.write() as session:
            for athlete_id in athletes(session):
                state = progress(session, athlete_id)
                if state.access is not None:
                    save_progress(session, athlete_id, replace(state, last_pull_at=None))

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
            with self._noting_bugs(athlete_id):
                self._evaluate(athlete_id)
                self.deliver()

    @contextmanager
    def _noting_bugs(self, athlete_id: int) -> Iterator[None]:
        """Around each look at the runs: a bug is kept where `status` and `check` see it, and told when it lasts."""
        try:
            yield
        except Busy:
            raise  # somebody else is at work: nothing was looked at
        except Exception as error:
            with suppress(UserError):
                self._note_look(athlete_id, "problem" if isinstance(error, UserError) else "bug")
            raise
        if not self.stopping.is_set():
            self._note_look(athlete_id, "well")

    def begin_anew(self) -> None:
        """Goes on with another database: nothing of it was judged yet."""
        self.judged_at = self.digested = None

    def _note_look(self, athlete_id: int, ended: Ended) -> None:
        note_look(self.store, athlete_id, self.config, self.clock.now(), ended)

    def _judge_first(self, zone: tzinfo) -> bool:
        """Judges where what waits wasn't judged lately, or a digest is due; False where another is at it right now."""
        now = self.clock.now()
        with self.store.read() as session:
            athlete_id, waits = grants.athlete(session), bool(outbox.unsettled(session))
        day = digest_due(self.config.schedule.digest, now, zone)
        stale = waits and not (self.judged_at and timedelta(0) <= now - self.judged_at < JUDGED_LATELY)
        if athlete_id is None or not (stale or day not in (None, self.digested)):
            return True
        before = self.judged_at, self.digested
        self.judged_at, self.digested = now, day  # before, so that a bug isn't met again each minute
        try:
            evaluate(self.store, athlete_id, self.config, now, wait_s=2.0)
        except Busy:
            self.judged_at, self.digested = before
            return not stale
        return True

    def _send(self, zone: tzinfo) -> None:
        withdraw_late(self.store, self.config, self.clock.now(), zone)
        with suppress(Busy):  # whoever sends at this moment: what is left is done in a minute
            deliver(
                self.store,
                self.config.alerts,
                self.send,
                self.clock,
                zone,
                stop=self.stopping.is_set,
                picture=lambda alert: picture_of(self.store, alert.athlete_id, self.config, alert),
            )

    def _evaluate(self, athlete_id: int) -> Evaluated:
        evaluated = evaluate(self.store, athlete_id, self.config, self.clock.now())
        self.judged_at = self.clock.now()
        # Judging, and the pages looked at since, leave holes between what stays: they would stay until the next time.
        memory.give_back()
        return evaluated

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

    def _local_now(self) -> datetime:
        """On the runner's clock."""
        return local_now(self.store, self.config, self.clock.now())

    def _is_time(self, athlete_id: int) -> bool:
        with self.store.read() as session:
            state = progress(session, athlete_id)
        if state.access is None or state.last_pull_at is None:
            return True
        return abs(self.clock.now() - state.last_pull_at) >= SLOW_PROBE

    def _judge(self, athlete_id: int) -> None:
        evaluated, zone = self._evaluate(athlete_id), self._local_now().tzinfo
        with self.store.read() as session:
            state = progress(session, athlete_id)
        judged = "no runs yet" if evaluated.verdict is None else evaluated.verdict.state.replace("_", " ")
        parts = [
            judged,
            "no sync yet"
            if state.last_success_at is None
            else f"synced {state.last_success_at.astimezone(zone):%H:%M %Z}",
        ]
        if state.problem is not None:
            parts.append(state.problem)
        elif state.waiting_until is not None:
            parts.append(f"rate limit until {state.waiting_until.astimezone(zone):%H:%M %Z}")
        self.status("; ".join(parts))
