"""What a pull decides: pure functions over values. What comes of it is applied in `pulling`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from daemon.store.activities import Known, Recording
from daemon.store.facts import content_hash
from daemon.values import Activity

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
PATIENCE = 3
"""A run that Strava failed to give so often is asked for hourly, after all others, and no longer waited for."""
ASKED_BY_ID = 3
"""How many runs missing from a list are asked for one by one in a pull; only a 404 makes one count as deleted."""
PER_PAGE = 200


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


def plan(listed: Sequence[Activity], known: Mapping[int, Known], *, detail_after: datetime | None = None) -> Plan:
    """Compares one list answer with what is `known` of the same span.

    Detail is wanted for unknown runs that started after `detail_after` (None: for none).
    """
    saves = []
    for activity in listed:
        before = known.get(activity.id)
        if before is None:
            recording: Recording = "wanted" if _has_streams(activity) else "none"
            wants_detail = recording == "wanted" and detail_after is not None and activity.start > detail_after
            saves.append(Save(activity, recording, wants_detail, activity.day))
        elif before.deleted or before.content_hash != content_hash(activity):
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
    if before.source != "strava" and before.recording == "have" and not before.deleted:
        # Imported: the same run, though a file's own totals are never quite Strava's.
        return "have"
    same_clock = (
        activity.start == before.start
        and activity.elapsed_time_s == before.elapsed_time_s
        and activity.distance_m == before.distance_m
    )
    return before.recording if same_clock and not before.deleted and before.recording != "none" else "wanted"


def after_failure(failures: int, now: datetime) -> datetime | None:
    """When to ask again for a run that Strava failed to give `failures` times: at the next pull (None), then hourly."""
    return None if failures < PATIENCE else now + LONGEST_RETRY


def next_sweep(missing: int, gone: int) -> timedelta:
    """How long after a sweep that lacked `missing` known runs, `gone` of them deleted, the next one comes.

    Of many missing only a few were asked for: it is soon, so that the others don't count for weeks. An hour or a day
    [ENG]: read so often, the pages of ten years (15, and what is asked by id) take half of the smallest day's quota
    while runs are found to be gone, and nearly nothing where they are there and, by whatever mistake, in no list.
    """
    if missing <= ASKED_BY_ID:
        return SWEEP_EVERY
    return timedelta(hours=1) if gone else timedelta(days=1)


def is_due(item: Known, now: datetime) -> bool:
    """Whether to ask now for what is missing of it: streams on their schedule, detail at once unless it keeps failing.

    A time further off than any retry was set by a clock that was ahead.
    """
    if item.detail_wanted and item.failures < PATIENCE:
        return True
    return item.next_attempt_at is None or not now < item.next_attempt_at <= now + LONGEST_RETRY
