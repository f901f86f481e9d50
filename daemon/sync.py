"""Strava to store: one pull. What to do is decided by pure functions that return values; applying them is thin.

May not judge: it leaves a note of the earliest day whose facts changed.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal

from daemon.clock import Clock
from daemon.errors import UserError
from daemon.metrics import encode_series, make_series
from daemon.store import Store
from daemon.store import activities as rows
from daemon.store.activities import Known, Recording
from daemon.store.progress import Progress, note_change, progress, save_progress
from daemon.strava import limits
from daemon.strava.client import Listed, Strava
from daemon.strava.errors import AccessLost, NotFound, RateLimited, StravaUnreachable
from daemon.values import Activity

log = logging.getLogger(__name__)

WINDOW = timedelta(days=14)
"""What every poll lists again: late uploads, edits and deletions are seen within it."""
SWEEP_EVERY = timedelta(days=7)
"""How often the whole kept span is listed, for edits and bulk uploads older than the window."""
READY_SPAN = timedelta(weeks=26)
"""The newest part of the history that must be in before anything is judged."""
RETRIES = (timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=45))
"""After these, hourly until a day after the run was first asked for; then it counts with its summary alone."""
LONGEST_RETRY = timedelta(hours=1)
RETRY_DAY = 26
"""Attempts that the schedule above makes in a day."""
FAILURES_END_A_PULL = 5
ASKED_BY_ID = 3
"""How many runs missing from a list are asked for one by one in a pull; only a 404 makes one count as deleted."""
PER_PAGE = 200

Purpose = Literal["new", "backfill"]


@dataclass(frozen=True, slots=True)
class Save:
    """Take over one listed activity. `judge_from` is the earliest local day it touches."""

    activity: Activity
    recording: Recording
    detail_wanted: bool
    judge_from: date


@dataclass(frozen=True, slots=True)
class Plan:
    """What one list answer asks for: activities to save, and known ones that it should have held and didn't."""

    saves: tuple[Save, ...]
    missing: tuple[int, ...]


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
    stopped: bool = False


def plan(listed: Sequence[Activity], known: Mapping[int, Known], *, detail_for_new: bool) -> Plan:
    """Compares one list answer with what is `known` of the same span."""
    saves = []
    for activity in listed:
        before = known.get(activity.id)
        if before is None:
            recording: Recording = "wanted" if _has_streams(activity) else "none"
            wants_detail = detail_for_new and recording == "wanted"
            saves.append(Save(activity, recording, wants_detail, activity.day))
        elif before.deleted or before.content_hash != rows.content_hash(activity):
            saves.append(Save(activity, _after_edit(activity, before), False, min(before.day, activity.day)))
    present = {activity.id for activity in listed}
    missing = tuple(k.id for k in known.values() if not k.deleted and k.source == "strava" and k.id not in present)
    return Plan(tuple(saves), missing)


def next_attempt(attempts: int, now: datetime, *, fresh: bool) -> datetime | None:
    """When to ask again for streams that weren't there, after `attempts` earlier ones; None gives up.

    Only a `fresh` run may still be processing at Strava; an old one without streams will never have them.
    """
    if not fresh or attempts >= RETRY_DAY:
        return None
    return now + (RETRIES[attempts] if attempts < len(RETRIES) else LONGEST_RETRY)


def _has_streams(activity: Activity) -> bool:
    # Other sports count with their summary; a manual entry has nothing to fetch.
    return activity.is_run and not activity.manual


def _after_edit(activity: Activity, before: Known) -> Recording:
    if not _has_streams(activity):
        return "none"
    same_clock = (
        activity.start == before.start
        and activity.elapsed_time_s == before.elapsed_time_s
        and activity.distance_m == before.distance_m
    )
    return before.recording if same_clock and not before.deleted and before.recording != "none" else "wanted"


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
        if insist:
            strava.budget = None
        try:
            work.list_all()
            work.fetch_all()
        except RateLimited as error:
            work.outcome.waiting_until = error.resume_at
        except (AccessLost, StravaUnreachable) as error:
            work.outcome.problem = error
        work.finish()
        return work.outcome


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

    def list_all(self) -> None:
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
            readable = self._compare(self._kept_since(now), detail_for_new=True, to_the_end=True)
        else:
            readable = self._compare(since, detail_for_new=not first)
        self.answered = True
        changes: dict[str, object] = {"last_success_at": now} if readable else {}
        if first:
            changes["listed_back_to"] = since
        if sweep and readable:
            changes["swept_at"] = now
        self._note(**changes)
        self._list_backwards(now)

    def _kept_since(self, now: datetime) -> datetime:
        with self.store.read() as session:
            oldest = rows.oldest_start(session, self.athlete_id)
        return min(now - self.backfill, (oldest or now) - timedelta(seconds=1))

    def _compare(self, since: datetime, *, detail_for_new: bool, to_the_end: bool = False) -> bool:
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
        decided = plan([item.activity for item in listed.values()], known, detail_for_new=detail_for_new)
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
                rows.forget_metrics(session, self.athlete_id, activity.id)
                note_change(session, self.athlete_id, save.judge_from)
        new = sum(save.activity.id not in known for save in saves)
        self.outcome.new += new
        self.outcome.changed += len(saves) - new

    def _ask_by_id(self, missing: Sequence[int], known: Mapping[int, Known]) -> None:
        """A list can be short by mistake, so a run is taken for deleted only when Strava says so by its id."""
        for activity_id in missing[:ASKED_BY_ID]:
            with suppress(StravaUnreachable):
                try:
                    self.strava.activity(activity_id)
                except NotFound:
                    with self.store.write() as session:
                        rows.tombstone(session, self.athlete_id, [activity_id], self.clock.now())
                        note_change(session, self.athlete_id, known[activity_id].day)
                    self.outcome.gone += 1
        if len(missing) > ASKED_BY_ID:
            log.warning("list lacks %d known runs, asked for %d by id", len(missing), ASKED_BY_ID)

    def _list_backwards(self, now: datetime) -> None:
        """Lists older pages, newest first, until the backfill span is covered; goes on where it was stopped."""
        oldest = now - self.backfill
        while not (state := self._state()).backfill_done and not self.stop():
            cursor = state.listed_back_to
            assert cursor is not None
            page = self.strava.list_activities(before=cursor, after=None, page=1, per_page=PER_PAGE, purpose="backfill")
            self.outcome.unreadable += page.unreadable
            listed = {item.activity.id: item for item in page.items if item.activity.start > oldest}
            with self.store.read() as session:
                known = rows.known_by_id(session, self.athlete_id, listed)
            decided = plan([item.activity for item in listed.values()], known, detail_for_new=False)
            self._save(decided.saves, listed, known)
            # Where nothing on a page can be read there is no going on from it: the next pull's sweep tries it again.
            reached = min((i.activity.start for i in page.items), default=cursor if page.unreadable else oldest)
            done = reached <= oldest or page.empty or reached >= cursor
            whole = done and (not page.unreadable or bool(page.items))
            self._note(listed_back_to=max(reached, oldest), backfill_done=done, swept_at=now if whole else None)

    def fetch_all(self) -> None:
        with self.store.read() as session:
            waiting = rows.to_fetch(session, self.athlete_id)
        queue = [item for item in waiting if item.detail_wanted or _due(item, self.clock.now())]
        failures = 0
        for done, item in enumerate(queue):
            if self.stop():
                self.outcome.stopped = True
                return
            self.advance(done, len(queue))
            try:
                self._fetch(item)
            except StravaUnreachable as error:
                log.warning("run %d stays pending: %s", item.id, error)
                failures += 1
                if failures == FAILURES_END_A_PULL:
                    raise
        self.advance(len(queue), len(queue))

    def _fetch(self, item: Known) -> None:
        fresh = item.detail_wanted or item.attempts > 0 or self.clock.now() - item.start < WINDOW
        purpose: Purpose = "new" if fresh else "backfill"
        if item.recording in ("wanted", "waiting") and _due(item, self.clock.now()):
            self._fetch_streams(item, purpose, fresh=fresh)
        if item.detail_wanted:
            self._fetch_detail(item)

    def _fetch_streams(self, item: Known, purpose: Purpose, *, fresh: bool) -> None:
        answer = self.strava.streams(item.id, purpose=purpose)
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

    def _fetch_detail(self, item: Known) -> None:
        try:
            detail = self.strava.activity(item.id).activity
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
            state = progress(session, self.athlete_id)
            self.outcome.pending = rows.wanted_since(session, self.athlete_id)
            # Here too, for the runner who syncs by hand and never runs the daemon.
            rows.expire(session, now)
            listed = (state.backfill_done and state.swept_at is not None) or (
                state.listed_back_to is not None and state.listed_back_to <= now - READY_SPAN
            )
            ready = listed and rows.wanted_since(session, self.athlete_id, now - READY_SPAN) == 0
            if ready and not state.history_ready:
                # Judged as "learning" so far, on purpose: all of it is due now.
                note_change(session, self.athlete_id, date.min)
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


def _due(item: Known, now: datetime) -> bool:
    # Further off than any retry: set by a clock that was ahead.
    return item.next_attempt_at is None or not now < item.next_attempt_at <= now + LONGEST_RETRY
