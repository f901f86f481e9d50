"""Activities and their recordings: facts, raw answers, series and metrics. Takes an open session; decides nothing."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import CursorResult, Delete, Text, Update, delete, func, type_coerce, update
from sqlmodel import Session, SQLModel, col, select

from daemon.store.facts import DETAIL, NOT_LISTED, content_hash, facts_of, from_facts, from_text
from daemon.store.statements import FORGET_METRICS, FORGET_SERIES, RECORDED, REPLACE, THERE
from daemon.store.tables import ActivityRow, MetricsRow, RawRow, SeriesRow
from daemon.values import RUN_SPORTS, UNKNOWN_SPORTS, Activity

Recording = Literal["wanted", "waiting", "have", "none"]

_FACTS = type_coerce(col(ActivityRow.facts), Text)
"""The facts as the text that is stored."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the store holds of one activity, as far as a sync needs it."""

    id: int
    start: datetime
    day: date
    sport: str
    source: str
    distance_m: float
    elapsed_time_s: int
    content_hash: str
    deleted: bool
    recording: Recording
    attempts: int
    next_attempt_at: datetime | None
    failures: int
    detail_wanted: bool
    double_of: int | None


def known(session: Session, athlete_id: int, after: datetime | None = None) -> dict[int, Known]:
    """Every activity, deleted ones too, that started after `after` (None: all), by id."""
    query = select(ActivityRow).where(ActivityRow.athlete_id == athlete_id)
    if after is not None:
        query = query.where(col(ActivityRow.start) > after)
    return {row.id: _known(row) for row in session.exec(query)}


def known_by_id(session: Session, athlete_id: int, ids: Iterable[int]) -> dict[int, Known]:
    """The same for these ids alone, wherever their start lies."""
    query = select(ActivityRow).where(ActivityRow.athlete_id == athlete_id, col(ActivityRow.id).in_(list(ids)))
    return {row.id: _known(row) for row in session.exec(query)}


def oldest_start(session: Session, athlete_id: int) -> datetime | None:
    """When the oldest activity that came from Strava started."""
    query = select(col(ActivityRow.start)).where(ActivityRow.athlete_id == athlete_id, ActivityRow.source == "strava")
    return session.exec(query.order_by(col(ActivityRow.start)).limit(1)).first()


def to_fetch(session: Session, athlete_id: int) -> list[Known]:
    """Runs whose streams or detail are still to be had, due or not: newest first, what keeps failing last."""
    query = (
        select(ActivityRow)
        .where(*_living(athlete_id))
        .where(col(ActivityRow.recording).in_(("wanted", "waiting")) | col(ActivityRow.detail_wanted))
        .order_by(col(ActivityRow.failures), col(ActivityRow.start).desc())
    )
    return [_known(row) for row in session.exec(query)]


def wanted_since(
    session: Session, athlete_id: int, since: datetime | None = None, *, patience: int | None = None
) -> int:
    """How many runs since `since` wait for their streams; those that failed `patience` times or more don't count."""
    query = select(func.count()).select_from(ActivityRow)
    query = query.where(col(ActivityRow.athlete_id) == athlete_id, col(ActivityRow.deleted_at).is_(None))
    query = query.where(col(ActivityRow.recording) == "wanted")
    if since is not None:
        query = query.where(col(ActivityRow.start) > since)
    if patience is not None:
        query = query.where(col(ActivityRow.failures) < patience)
    return session.exec(query).one()


def save_activity(
    session: Session,
    activity: Activity,
    now: datetime,
    *,
    recording: Recording,
    detail_wanted: bool = False,
) -> None:
    """Adds an activity, or takes over what a list answer says of a known one (which is then alive again)."""
    key = {"athlete": activity.athlete_id, "activity": activity.id}
    if session.connection().execute(THERE, key).first() is None:
        _put(session, ActivityRow, _fresh(activity, now, recording, detail_wanted))
        return
    row = session.get_one(ActivityRow, (activity.athlete_id, activity.id))
    values = _values(activity, recording)
    # What only the detail or an import says survives a new list answer.
    facts = values["facts"]
    values["facts"] = {**facts, **{key: row.facts.get(key) for key in NOT_LISTED if facts[key] in (None, [])}}
    values["detail_wanted"] = row.detail_wanted or detail_wanted
    if recording == "wanted":
        values |= {"attempts": 0, "next_attempt_at": None, "failures": 0}
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row)
    if recording == "none":
        # Retyped, or entered by hand: what was recorded as a run no longer counts.
        _do(session, FORGET_SERIES, athlete=activity.athlete_id, activity=activity.id)


def add_recorded(session: Session, recorded: Iterable[tuple[Activity, bytes | None]], now: datetime) -> None:
    """Adds activities that aren't known yet, each with its series where it has one: an import has thousands."""
    pairs = list(recorded)
    _put(session, ActivityRow, *(_fresh(a, now, "none" if data is None else "have", False) for a, data in pairs))
    held = ({"athlete_id": a.athlete_id, "activity_id": a.id, "data": data} for a, data in pairs if data is not None)
    _put(session, SeriesRow, *held)


def save_detail(session: Session, activity: Activity) -> None:
    """Adds what only the detail answer says: laps, perceived exertion, device."""
    row = session.get_one(ActivityRow, (activity.athlete_id, activity.id))
    # What it doesn't say an import may have said.
    row.facts = {**row.facts, **{k: v for k, v in facts_of(activity).items() if k in DETAIL and v}}
    row.detail_wanted = False
    session.add(row)


def add_facts(session: Session, activity: Activity) -> None:
    """Keeps what an import added to an activity: the next list answer of Strava's finds it unchanged."""
    row = session.get_one(ActivityRow, (activity.athlete_id, activity.id))
    row.facts, row.day = facts_of(activity), activity.day
    session.add(row)


def drop_detail(session: Session, athlete_id: int, activity_id: int) -> None:
    """Gives up asking for a detail that isn't to be had."""
    session.get_one(ActivityRow, (athlete_id, activity_id)).detail_wanted = False


def save_raw(
    session: Session, athlete_id: int, activity_id: int, *, kind: str, answer: bytes, expires_at: datetime
) -> None:
    """Keeps one answer as it came until `expires_at`."""
    # Level 1: these live for days only, and the runner's small machine compresses hundreds in a backfill.
    packed = zlib.compress(answer, 1)
    key = {"athlete_id": athlete_id, "activity_id": activity_id, "kind": kind}
    _put(session, RawRow, key | {"data": packed, "expires_at": expires_at})


def raw(session: Session, athlete_id: int, activity_id: int, kind: str) -> bytes | None:
    """The answer as it came, None when it was never kept or has expired."""
    row = session.get(RawRow, (athlete_id, activity_id, kind))
    return None if row is None else zlib.decompress(row.data)


def save_recording(session: Session, athlete_id: int, activity_id: int, series: bytes | None) -> None:
    """Records that the streams came; `series` is None where nothing in them could be used."""
    found = "none" if series is None else "have"
    _do(session, RECORDED, athlete=athlete_id, activity=activity_id, found=found)
    if series is None:
        _do(session, FORGET_SERIES, athlete=athlete_id, activity=activity_id)
    else:
        _put(session, SeriesRow, {"athlete_id": athlete_id, "activity_id": activity_id, "data": series})


def series(session: Session, athlete_id: int, activity_id: int) -> bytes | None:
    """The stored recording of an activity, as the metrics room encodes it."""
    row = session.get(SeriesRow, (athlete_id, activity_id))
    return None if row is None else row.data


def save_missing(session: Session, athlete_id: int, activity_id: int, again_at: datetime | None) -> None:
    """Records that Strava had no streams: asked again at `again_at`, or never (None)."""
    row = session.get_one(ActivityRow, (athlete_id, activity_id))
    row.attempts += 1
    row.recording, row.next_attempt_at = ("none", None) if again_at is None else ("waiting", again_at)
    session.add(row)


def save_failure(session: Session, athlete_id: int, activity_id: int, again_at: datetime | None) -> None:
    """Counts a failure of Strava's to give a run; asked again at `again_at`, or with the next pull (None)."""
    row = session.get_one(ActivityRow, (athlete_id, activity_id))
    row.failures, row.next_attempt_at = row.failures + 1, again_at
    session.add(row)


def save_metrics(session: Session, athlete_id: int, measured: Mapping[int, str], version: int) -> None:
    """Keeps the metrics of activities, by id, that this `version` of the program measured."""
    key = {"athlete_id": athlete_id, "version": version}
    _put(session, MetricsRow, *({**key, "activity_id": number, "data": data} for number, data in measured.items()))


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """One activity to be measured, as it was when it was read."""

    activity: Activity
    series: bytes | None
    recording: str


def outdated(session: Session, athlete_id: int, version: int) -> list[Unmeasured]:
    """Every activity that has no metrics of this `version` yet, with its series."""
    query = (
        select(ActivityRow, SeriesRow.data)
        .join(MetricsRow, _joins(MetricsRow), isouter=True)
        .join(SeriesRow, _joins(SeriesRow), isouter=True)
        .where(*_living(athlete_id))
        .where(col(MetricsRow.version).is_(None) | (col(MetricsRow.version) != version))
    )
    return [Unmeasured(_activity(row), data, row.recording) for row, data in session.exec(query)]


def current(session: Session, athlete_id: int, items: Iterable[Unmeasured]) -> set[int]:
    """The ids of those about which nothing has changed since they were read."""
    read = {item.activity.id: item for item in items}
    query = select(ActivityRow).where(ActivityRow.athlete_id == athlete_id, col(ActivityRow.id).in_(list(read)))
    rows = session.exec(query).all()
    return {r.id for r in rows if r.recording == read[r.id].recording and _activity(r) == read[r.id].activity}


def measured(session: Session, athlete_id: int) -> list[tuple[Activity, str]]:
    """Every living activity that counts (no double of another) with its metrics, oldest first."""
    query = (
        select(_FACTS, MetricsRow.data)
        .join(MetricsRow, _joins(MetricsRow))
        .where(*_living(athlete_id), col(ActivityRow.double_of).is_(None))
        .order_by(col(ActivityRow.start), col(ActivityRow.id))
    )
    return [(from_text(facts), data) for facts, data in session.exec(query)]


def doubles(session: Session, athlete_id: int) -> dict[int, int]:
    """The living activities that don't count, each with the one that does."""
    query = select(ActivityRow.id, ActivityRow.double_of).where(*_living(athlete_id))
    return {number: of for number, of in session.exec(query) if of is not None}


def by_id(session: Session, athlete_id: int, ids: Iterable[int]) -> dict[int, Activity]:
    """The activities of these ids, deleted ones too."""
    query = select(ActivityRow).where(ActivityRow.athlete_id == athlete_id, col(ActivityRow.id).in_(list(ids)))
    return {row.id: _activity(row) for row in session.exec(query)}


def measured_facts(session: Session, athlete_id: int) -> list[Activity]:
    """Every living activity that has metrics, doubles too."""
    query = select(_FACTS).join(MetricsRow, _joins(MetricsRow)).where(*_living(athlete_id))
    return [from_text(facts) for facts in session.exec(query)]


def metrics_of(session: Session, athlete_id: int, ids: Iterable[int]) -> dict[int, str]:
    """The metrics of these activities, by id."""
    query = select(MetricsRow.activity_id, MetricsRow.data).where(MetricsRow.athlete_id == athlete_id)
    return dict(session.exec(query.where(col(MetricsRow.activity_id).in_(list(ids)))).all())


def save_doubles(session: Session, athlete_id: int, changes: Mapping[int, int | None]) -> None:
    """Records which activity counts instead of each of these; None where it counts itself."""
    for number, of in changes.items():
        this = (col(ActivityRow.athlete_id) == athlete_id, col(ActivityRow.id) == number)
        _do(session, update(ActivityRow).where(*this).values(double_of=of))


def activity(session: Session, athlete_id: int, activity_id: int) -> Activity | None:
    row = session.get(ActivityRow, (athlete_id, activity_id))
    return None if row is None else _activity(row)


def forget_metrics(session: Session, athlete_id: int, activity_id: int) -> None:
    """Makes the next evaluation measure this run again."""
    _do(session, FORGET_METRICS, athlete=athlete_id, activity=activity_id)


def tombstone(session: Session, athlete_id: int, ids: Iterable[int], now: datetime) -> None:
    """Marks activities as gone from Strava and drops what was derived from them."""
    gone = list(ids)
    alive = (col(ActivityRow.athlete_id) == athlete_id, col(ActivityRow.id).in_(gone))
    _do(session, update(ActivityRow).where(*alive).values(deleted_at=now, detail_wanted=False, double_of=None))
    for table in (RawRow, SeriesRow, MetricsRow):
        _do(session, delete(table).where(col(table.athlete_id) == athlete_id, col(table.activity_id).in_(gone)))


def remove(session: Session, athlete_id: int, ids: Iterable[int]) -> None:
    """Takes out activities that never were, and all that hangs on them; their doubles count again."""
    gone = list(ids)
    mine = col(ActivityRow.athlete_id) == athlete_id
    _do(session, update(ActivityRow).where(mine, col(ActivityRow.double_of).in_(gone)).values(double_of=None))
    _do(session, delete(ActivityRow).where(mine, col(ActivityRow.id).in_(gone)))


def expire(session: Session, athlete_id: int, now: datetime, keep: timedelta, longer: timedelta = timedelta(0)) -> int:
    """Deletes raw answers whose time is over; returns how many.

    None may stay for more than `keep` from now: what a clock that was ahead had put further off is brought forward.
    `longer` is by how much the time to keep them has changed since they were stored (negative: shorter).
    """
    mine = col(RawRow.athlete_id) == athlete_id
    ends = session.exec(select(col(RawRow.expires_at)).where(mine).distinct()).all()
    # In this order none is moved onto one that is still to be moved.
    for end in sorted(ends, reverse=longer > timedelta(0)):
        due = min(end + longer, now + keep)
        if due != end:
            _do(session, update(RawRow).where(mine, col(RawRow.expires_at) == end).values(expires_at=due))
    result = _do(session, delete(RawRow).where(mine, col(RawRow.expires_at) <= now))
    assert isinstance(result, CursorResult)
    return int(result.rowcount)


def counts(session: Session, athlete_id: int) -> dict[str, Any]:
    """`runs`, `with_heart_rate`, `first`, `last` (local days) over living runs, doubles left out."""
    found = session.exec(select(ActivityRow).where(*_living(athlete_id)).order_by(col(ActivityRow.start))).all()
    # A recording whose file names no sport is a run where its double is one; one that Strava calls a ride is none.
    runs = {row.double_of or row.id for row in found if row.sport in RUN_SPORTS}
    counted = [row for row in found if row.double_of is None and row.sport in RUN_SPORTS | UNKNOWN_SPORTS]
    rows = [(row.day, row.facts) for row in counted if row.id in runs]
    return {
        "runs": len(rows),
        "with_heart_rate": sum(bool(facts.get("has_heart_rate")) for _day, facts in rows),
        "first": rows[0][0] if rows else None,
        "last": rows[-1][0] if rows else None,
    }


def newest(session: Session, athlete_id: int) -> Activity | None:
    """The latest living activity: where the runner's time zone is learned from."""
    row = session.exec(
        select(ActivityRow).where(*_living(athlete_id)).order_by(col(ActivityRow.start).desc()).limit(1)
    ).first()
    return None if row is None else _activity(row)


def _put(session: Session, table: type[SQLModel], *found: dict[str, Any]) -> None:
    """Adds rows or replaces those with their key: in a backfill this runs thousands of times, so without the ORM."""
    session.flush()
    if found:
        session.connection().execute(REPLACE[table], list(found))


def _do(session: Session, statement: Update | Delete, **values: Any) -> CursorResult[Any]:
    """The same for rows that change or go; what the session had loaded of them is what it was."""
    session.flush()
    return session.connection().execute(statement, values)


def _fresh(activity: Activity, now: datetime, recording: Recording, detail_wanted: bool) -> dict[str, Any]:
    """The row of an activity that comes for the first time."""
    fresh = {"first_seen_at": now, "detail_wanted": detail_wanted, "attempts": 0, "failures": 0}
    return {"athlete_id": activity.athlete_id, "id": activity.id, **_values(activity, recording), **fresh}


def _values(activity: Activity, recording: Recording) -> dict[str, Any]:
    columns = {name: getattr(activity, name) for name in ("source", "start", "day", "sport", "name")}
    columns |= {"content_hash": content_hash(activity), "facts": facts_of(activity)}
    return {**columns, "recording": recording, "deleted_at": None}


def _living(athlete_id: int) -> tuple[Any, Any]:
    return col(ActivityRow.athlete_id) == athlete_id, col(ActivityRow.deleted_at).is_(None)


def _joins(table: Any) -> Any:
    return (col(table.athlete_id) == ActivityRow.athlete_id) & (col(table.activity_id) == ActivityRow.id)


def _known(row: ActivityRow) -> Known:
    return Known(
        id=row.id,
        start=row.start,
        day=row.day,
        sport=row.sport,
        source=row.source,
        distance_m=row.facts["distance_m"],
        elapsed_time_s=row.facts["elapsed_time_s"],
        content_hash=row.content_hash,
        deleted=row.deleted_at is not None,
        recording=row.recording,  # type: ignore[arg-type]
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        failures=row.failures,
        detail_wanted=row.detail_wanted,
        double_of=row.double_of,
    )


def _activity(row: ActivityRow) -> Activity:
    return from_facts(row.facts)
