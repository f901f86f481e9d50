"""What one reader does with one file: bytes in, activities with encoded series out. Knows neither store nor table."""

import hashlib
import traceback
from collections.abc import Mapping
from dataclasses import dataclass

from daemon.metrics import encode_series, make_series
from daemon.recordings.errors import Unreadable
from daemon.recordings.members import Member, read_member
from daemon.recordings.reading import read_recording
from daemon.values import UNKNOWN_SPORTS, Activity, Recorded

Settled = Mapping[str, tuple[tuple[int, ...], str | None]]
"""What is known of files that were read before, by digest: the activities they hold, or why they can't be read."""


@dataclass(frozen=True, slots=True)
class Task:
    """One file to read. `ids` are what an export calls its activities, None where no table speaks of it."""

    number: int
    member: Member
    ids: tuple[int, ...] | None
    is_run: bool


@dataclass(frozen=True, slots=True)
class Found:
    """One activity of a file; `series` is None where nothing in the recording could be used, or it is no run.

    `lost` says what of the file isn't in it.
    """

    activity: Activity
    offset_known: bool
    series: bytes | None
    lost: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a file came to. `known` holds the ids where it needn't be read again; `bug` a traceback for the log."""

    digest: str | None = None
    found: tuple[Found, ...] = ()
    known: tuple[int, ...] | None = None
    problem: str | None = None
    bug: str | None = None


def answer(task: Task, settled: Settled) -> Answer:
    """Reads one file. Never raises: what goes wrong with it is its answer."""
    digest = None
    try:
        data = read_member(task.member)
        digest = hashlib.sha256(data).hexdigest()
        ids, problem = settled.get(digest, (None, None))
        if problem is not None:
            return Answer(digest, known=(), problem=problem)
        if ids is not None and (task.ids is None or set(task.ids) == set(ids)):
            return Answer(digest, known=ids)
        name = task.member.inner or task.member.path.name
        return Answer(digest, tuple(_found(each, task.is_run) for each in read_recording(data, name)))
    except Unreadable as error:
        return Answer(digest, problem=str(error))
    except MemoryError:
        return Answer(digest, problem="it needs too much memory")
    except Exception as error:
        # A file must not hold up the others; what failed is ours to mend.
        return Answer(digest, problem=f"the reader failed ({type(error).__name__}), a bug", bug=traceback.format_exc())


def _found(recorded: Recorded, is_run: bool) -> Found:
    activity, series = recorded.activity, None
    # As from Strava: other sports count with their summary.
    if recorded.streams is not None and (is_run or activity.is_run or activity.sport in UNKNOWN_SPORTS):
        series = make_series(recorded.streams)
    encoded = None if series is None else encode_series(series)
    return Found(activity, recorded.offset_known, encoded, recorded.lost)
