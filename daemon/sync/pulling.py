"""One pull from Strava into the store: asks, has `decisions` decide, and writes what comes of it.

May not judge: it leaves a note of the earliest day whose facts changed.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Literal

from daemon.clock import Clock
from daemon.errors import UserError
from daemon.metrics import encode_series, make_series
from daemon.store import Store
from daemon.store import activities as rows
from daemon.store.activities import Known
from daemon.store.progress import Progress, note_change, progress, save_progress
from daemon.strava import limits
from daemon.strava.client import Listed, Strava
from daemon.strava.errors import AccessLost, NotFound, RateLimited, StravaUnreachable, Unreadable
from daemon.sync.decisions import (
    ASKED_BY_ID,
    FAILURES_END_A_PULL,
    PATIENCE,
    PER_PAGE,
    READY_SPAN,
    SWEEP_EVERY,
    WINDOW,
    Save,
    after_failure,
    is_due,
    next_attempt,
    next_sweep,
    plan,
)
from daemon.sync.retention import retain

log = logging.getLogger(__name__)

Purpose = Literal["new", "backfill"]


@dataclass(slots=True)
class Outcome:
    """What one pull did. `waiting_until` is set where the rest waits for Strava's rate limit."""

    new: int = 0
    changed: int = 0
    gone: int = 0
    fetched: int = 0
    pending: int = 0
    unreadable: int = 0
    waiting_until: datetime | None = None
    problem: UserError | None = None


def pull(
    store: Store,
    strava: Strava,
    athlete_id: int,
    clock: Clock,
    *,
    backfill: timedelta,
    raw_retention: timedelta,
    insist: bool = False,
    stop: Callable[[], bool] = lambda: False,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> Outcome:
    """One pull: the recent window, what is left of the backfill, a sweep when due, then streams and details.

    `insist` makes the list call whatever the stored rate-limit reading says. `stop` is asked between calls;
    `advance(done, total)` is told of every fetched run. Never raises for what Strava answers: see `Outcome.problem`.
    Raises StoreError, and Busy when another process is pulling.
    """
    with store.only_one("pull", wait_s=2.0):
        work = _Pull(store, strava, athlete_id, clock, backfill, raw_retention, stop, advance)
        # Here too, for the runner who syncs by hand; before anything is kept by what may be a new setting.
        retain(store, raw_retention, clock.now())
        if insist:
            strava.budget = None
        try:
            work.list_recent()
            # What is new is fetched before older pages are looked at: their trouble must not hold it up.
            work.fetch(recent=True)
            work.ask_units()
            work.list_backwards()
            work.fetch(recent=False)
        except RateLimited as error:
            work.outcome.waiting_until = error.resume_at
        except (AccessLost, StravaUnreachable) as error:
            work.outcome.problem = error
        work.finish()
        return work.outcome


def _of_one_run(error: UserError) -> bool:
    """Whether an error may be about one run alone: the list was answered, so a permission isn't lacking for all."""
    return isinstance(error, StravaUnreachable) or (isinstance(error, AccessLost) and error.reason == "scope")


@contextmanager
def _one_run_alone() -> Iterator[None]:
    try:
        yield
    except (StravaUnreachable, AccessLost) as error:
        if not _of_one_run(error):
            raise


@dataclass
class _Pull:
    """One pull under way: the things every step needs, so that they aren't handed down one by one."""

    store: Store
    strava: Strava
    athlete_id: int
    clock: Clock
    backfill: timedelta
    raw_retention: timedelta
    stop: Callable[[], bool]
    advance: Callable[[int, int], None]
    outcome: Outcome = field(default_factory=Outcome)
    answered: bool = False
    read: bool = False
    swept: bool = False
    next_sweep: timedelta = SWEEP_EVERY
    failures: int = 0

    def list_recent(self) -> None:
        """Lists the last two weeks, or the whole kept span where its weekly turn has come."""
        state = self._state()
        now = self.clock.now()
        since = now - WINDOW
        if state.last_success_at is not None:
            # After a long silence the window reaches back to what was last seen.
            since = min(since, state.last_success_at - timedelta(days=1))
        first = state.listed_back_to is None
        # Either way: a sweep noted by a clock that was ahead must not put off the next one.
        sweep = state.backfill_done and (state.swept_at is None or abs(now - state.swept_at) >= SWEEP_EVERY)
        if sweep:
            kept = self._kept_since(state, now)
            readable = self._compare(kept, kept, to_the_end=True)
        else:
            readable = self._compare(since, None if first else since)
        self.answered, self.read = True, readable
        changes: dict[str, object] = {"last_success_at": now} if readable else {}
        if first:
            changes["listed_back_to"] = since
        if sweep and readable:
            changes["swept_at"] = now - SWEEP_EVERY + self.next_sweep
            self.swept = True
        self._note(**changes)

    def ask_units(self) -> None:
        """The units the runner has chosen at Strava; asked once, and again with each weekly sweep.

        Trouble with it holds nothing up. Who hasn't let us see the whole profile isn't asked: their units aren't in it.
        """
        state = self._state()
        if (state.units is None or self.swept) and "profile:read_all" in self.strava.tokens.scope:
            with suppress(UserError):
                self._note(units=self.strava.units())

    def _kept_since(self, state: Progress, now: datetime) -> datetime:
        """When the kept span begins: where the backfill came to, or with the oldest run if that is older."""
        with self.store.read() as session:
            oldest = rows.oldest_start(session, self.athlete_id)
        return min(state.listed_back_to or now, (oldest or now) - timedelta(seconds=1))

    def _compare(self, since: datetime, detail_after: datetime | None, *, to_the_end: bool = False) -> bool:
        """Lists everything after `since` and takes over what differs; false where none of it could be read.

        Strava may send short pages before the last, so a list that must be whole ends with an empty one; two weeks
        of one runner fit on one page.
        """
        listed: dict[int, Listed] = {}
        page = 1
        while True:
            answer = self.strava.list_activities(after=since, page=page, per_page=PER_PAGE)
            self.outcome.unreadable += answer.unreadable
            listed.update({item.activity.id: item for item in answer.items})
            if answer.empty or (not to_the_end and len(answer.items) + answer.unreadable < PER_PAGE):
                break
            page += 1
        with self.store.read() as session:
            # By id as well: an edited start may have moved a run into the listed span.
            known = rows.known(session, self.athlete_id, since) | rows.known_by_id(session, self.athlete_id, listed)
        decided = plan([item.activity for item in listed.values()], known, detail_after=detail_after)
        self._save(decided.saves, listed, known)
        if not answer.unreadable:
            self._ask_by_id(decided.missing, known)
        return bool(listed) or not self.outcome.unreadable

    def _save(self, saves: Sequence[Save], listed: Mapping[int, Listed], known: Mapping[int, Known]) -> None:
        if not saves:
            return
        now = self.clock.now()
        with self.store.write() as session:
            for save in saves:
                activity = save.activity
                rows.save_activity(session, activity, now, recording=save.recording, detail_wanted=save.detail_wanted)
                self._keep_raw(session, activity.id, "activity", json.dumps(listed[activity.id].raw).encode())
                if activity.id in known:
                    rows.forget_metrics(session, self.athlete_id, activity.id)
            edited = [save.judge_from for save in saves if save.activity.id in known]
            recorded = [save.judge_from for save in saves if save.activity.id not in known]
            if edited:
                note_change(session, self.athlete_id, min(edited), "edited")
            if recorded:
                note_change(session, self.athlete_id, min(recorded), "recorded")
        self.outcome.new += len(recorded)
        self.outcome.changed += len(edited)

    def _ask_by_id(self, missing: Sequence[int], known: Mapping[int, Known]) -> None:
        """A list can be short by mistake, so a run is taken for deleted only when Strava says so by its id.

        Of many it asks for a few, others each time: some may never be listed and yet be there.
        """
        turn, gone_before = Random(self.clock.now().isoformat()), self.outcome.gone
        for activity_id in turn.sample(missing, min(ASKED_BY_ID, len(missing))):
            with _one_run_alone():
                try:
                    found = self.strava.activity(activity_id)
                except NotFound:
                    with self.store.write() as session:
                        rows.tombstone(session, self.athlete_id, [activity_id], self.clock.now())
                        note_change(session, self.athlete_id, known[activity_id].day, "deleted")
                    self.outcome.gone += 1
                else:
                    # It may have been moved out of the listed span: what is known of it then is no longer true.
                    moved = plan([found.activity], {activity_id: known[activity_id]})
                    self._save(moved.saves, {activity_id: found}, known)
        self.next_sweep = next_sweep(len(missing), self.outcome.gone - gone_before)
        if len(missing) > ASKED_BY_ID:
            log.warning("the list lacks known runs missing=%d asked_by_id=%d", len(missing), ASKED_BY_ID)

    def list_backwards(self) -> None:
        """Lists older pages, newest first, until the backfill span is covered; goes on where it was stopped."""
        now = self.clock.now()
        oldest = now - self.backfill
        while not self.stop():
            state = self._state()
            cursor = state.listed_back_to
            assert cursor is not None
            # A span made longer since is listed as well.
            if state.backfill_done and cursor <= oldest + SWEEP_EVERY:
                return
            # A second more: of two that started in one second, a page may have held only one.
            before = cursor + timedelta(seconds=1)
            page = self.strava.list_activities(before=before, after=None, page=1, per_page=PER_PAGE, purpose="backfill")
            self.outcome.unreadable += page.unreadable
            listed = {item.activity.id: item for item in page.items if item.activity.start > oldest}
            with self.store.read() as session:
                known = rows.known_by_id(session, self.athlete_id, listed)
            decided = plan([item.activity for item in listed.values()], known)
            self._save(decided.saves, listed, known)
            # Where nothing on a page can be read there is no going on from it: the next pull's sweep tries it again.
            reached = min((i.activity.start for i in page.items), default=cursor if page.unreadable else oldest)
            done = reached <= oldest or page.empty or reached >= cursor
            whole = done and (not page.unreadable or bool(page.items))
            reached = oldest if done and not page.unreadable else max(reached, oldest)
            self._note(listed_back_to=reached, backfill_done=done, swept_at=now if whole else None)
            if done:
                return

    def fetch(self, *, recent: bool) -> None:
        """Asks for the streams and details that are due, of recent runs or of older ones."""
        with self.store.read() as session:
            waiting = rows.to_fetch(session, self.athlete_id)
        now = self.clock.now()
        queue = [item for item in waiting if (item.start > now - WINDOW) == recent and is_due(item, now)]
        for done, item in enumerate(queue):
            if self.stop():
                return
            self.advance(done, len(queue))
            try:
                self._fetch(item)
            except (StravaUnreachable, AccessLost) as error:
                if not _of_one_run(error):
                    raise
                # Once a run: what keeps failing is asked for hourly.
                level = logging.DEBUG if item.failures else logging.WARNING
                log.log(level, 'run stays pending run=%d problem="%s"', item.id, error)
                with self.store.write() as session:
                    again = after_failure(item.failures + 1, self.clock.now())
                    rows.save_failure(session, self.athlete_id, item.id, again)
                self.failures += 1
                if self.failures == FAILURES_END_A_PULL:
                    raise
        self.advance(len(queue), len(queue))

    def _fetch(self, item: Known) -> None:
        fresh = item.detail_wanted or item.attempts > 0 or self.clock.now() - item.start < WINDOW
        purpose: Purpose = "new" if self.clock.now() - item.start < WINDOW else "backfill"
        if item.recording in ("wanted", "waiting") and is_due(replace(item, detail_wanted=False), self.clock.now()):
            self._fetch_streams(item, purpose, fresh=fresh)
        if item.detail_wanted:
            self._fetch_detail(item, purpose)

    def _fetch_streams(self, item: Known, purpose: Purpose, *, fresh: bool) -> None:
        answer = None
        try:
            answer = self.strava.streams(item.id, purpose=purpose)
        except Unreadable as error:
            # Some recordings never make sense, so this ends, too; but one bad answer must not cost the run.
            level = logging.DEBUG if item.attempts else logging.WARNING
            log.log(level, 'recording makes no sense, asked for again run=%d problem="%s"', item.id, error.reason)
            fresh = True
        now = self.clock.now()
        if answer is None:
            with self.store.write() as session:
                rows.save_missing(session, self.athlete_id, item.id, next_attempt(item.attempts, now, fresh=fresh))
            return
        streams, raw = answer
        series = make_series(streams)
        with self.store.write() as session:
            self._keep_raw(session, item.id, "streams", raw)
            rows.save_recording(session, self.athlete_id, item.id, None if series is None else encode_series(series))
            rows.forget_metrics(session, self.athlete_id, item.id)
            note_change(session, self.athlete_id, item.day)
        self.outcome.fetched += 1

    def _fetch_detail(self, item: Known, purpose: Purpose) -> None:
        try:
            detail = self.strava.activity(item.id, purpose=purpose).activity
        except NotFound:
            with self.store.write() as session:
                rows.drop_detail(session, self.athlete_id, item.id)
            return
        with self.store.write() as session:
            rows.save_detail(session, replace(detail, id=item.id, athlete_id=self.athlete_id))
            rows.forget_metrics(session, self.athlete_id, item.id)
            note_change(session, self.athlete_id, item.day)

    def finish(self) -> None:
        """Records how far it came, what stands in the way, and whether there is enough history to judge."""
        now = self.clock.now()
        problem = self.outcome.problem
        with self.store.write() as session:
            self.outcome.pending = rows.wanted_since(session, self.athlete_id)
            state = progress(session, self.athlete_id)
            listed = (state.backfill_done and state.swept_at is not None) or (
                state.listed_back_to is not None and state.listed_back_to <= now - READY_SPAN
            )
            ready = listed and rows.wanted_since(session, self.athlete_id, now - READY_SPAN, patience=PATIENCE) == 0
            if ready and not state.history_ready:
                # Judged as "learning" so far, on purpose: all of it is due now.
                note_change(session, self.athlete_id, date.min, "judged")
                state = progress(session, self.athlete_id)
            # Only an answer shows that a refusal is over: the rate limit and a failing network say nothing of it.
            access = problem.reason if isinstance(problem, AccessLost) else None if self.answered else state.access
            since = state.access_since if access is not None and access == state.access else now
            save_progress(
                session,
                self.athlete_id,
                replace(
                    state,
                    last_pull_at=now,
                    failing_since=None if self.read else min(state.failing_since or now, now),
                    history_ready=state.history_ready or ready,
                    access=access,
                    access_since=None if access is None else since,
                    problem=None if problem is None else str(problem),
                    waiting_until=self.outcome.waiting_until,
                    budget=None if self.strava.budget is None else limits.to_json(self.strava.budget),
                ),
            )

    def _keep_raw(self, session: Any, activity_id: int, kind: str, answer: bytes) -> None:
        if self.raw_retention:
            rows.save_raw(
                session,
                self.athlete_id,
                activity_id,
                kind=kind,
                answer=answer,
                expires_at=self.clock.now() + self.raw_retention,
            )

    def _state(self) -> Progress:
        with self.store.read() as session:
            return progress(session, self.athlete_id)

    def _note(self, **changes: object) -> None:
        with self.store.write() as session:
            state = progress(session, self.athlete_id)
            save_progress(session, self.athlete_id, replace(state, **changes))  # type: ignore[arg-type]
