"""How far the pull has come for one athlete, and what stands in its way. One small document per athlete."""

from dataclasses import dataclass, fields, replace
from datetime import date, datetime, tzinfo
from typing import Any

from sqlmodel import Session, select

from daemon.clock import moment_text
from daemon.measures import Units
from daemon.store.statements import PROGRESS, REPLACE
from daemon.store.tables import SyncRow
from daemon.values import Cause


@dataclass(frozen=True, slots=True)
class Progress:
    """`last_pull_at`: when a pull came to its end, whatever came of it (None: since access was last given, none did).
    `listed_back_to`: everything younger was listed once; `backfill_done`: the whole span was.

    `judge_from`: the earliest local day whose facts changed since it was judged; `changes` counts such notes, so that
    one made during a judgement isn't lost, and `paired_at` is that number when doubles were looked for; `because` says
    what changed, of several the most telling. `judged_with` names the code and settings of the record.
    `exported_athlete` is whose export was imported, `exported` the newest one, as the importer sorts them.
    `failing_since`: the first of the pulls in a row that read nothing from Strava, for whatever reason.
    `broken_since`: the first of the looks at the runs in a row, from Strava or from files, that ended in a bug of ours,
    and `broken_looks` how many these are.
    `access` is the reason Strava refuses us (None: it doesn't) since `access_since`.
    `budget` is the last rate-limit reading as the strava room writes it. `refresh_begun_at`: new tokens were asked for
    then, and no answer was kept since. Raw answers were given `raw_kept_s` seconds.
    `units` are those the runner has chosen at Strava (None: not asked yet).
    """

    last_pull_at: datetime | None = None
    last_success_at: datetime | None = None
    failing_since: datetime | None = None
    broken_since: datetime | None = None
    broken_looks: int = 0
    swept_at: datetime | None = None
    listed_back_to: datetime | None = None
    backfill_done: bool = False
    history_ready: bool = False
    judge_from: date | None = None
    changes: int = 0
    paired_at: int = -1
    because: Cause | None = None
    judged_with: str | None = None
    exported_athlete: int | None = None
    exported: str | None = None
    access: str | None = None
    access_since: datetime | None = None
    problem: str | None = None
    waiting_until: datetime | None = None
    budget: dict[str, Any] | None = None
    refresh_begun_at: datetime | None = None
    raw_kept_s: float | None = None
    units: Units | None = None


_TELLING: tuple[Cause, ...] = ("answered", "deleted", "edited", "recorded", "judged")
"""Of several causes the runner knows the first of these best."""

_NAMES = tuple(f.name for f in fields(Progress))
_MOMENTS = (
    "last_pull_at",
    "last_success_at",
    "failing_since",
    "broken_since",
    "swept_at",
    "listed_back_to",
    "access_since",
    "waiting_until",
    "refresh_begun_at",
)


def progress(session: Session, athlete_id: int) -> Progress:
    """The athlete's progress; a fresh one when nothing was pulled yet."""
    stored = session.connection().execute(PROGRESS, {"athlete": athlete_id}).scalar()
    if stored is None:
        return Progress()
    data = {k: v for k, v in stored.items() if k in _NAMES}
    for name in _MOMENTS:
        data[name] = None if data.get(name) is None else datetime.fromisoformat(data[name])
    if data.get("judge_from") is not None:
        data["judge_from"] = date.fromisoformat(data["judge_from"])
    return Progress(**data)


def save_progress(session: Session, athlete_id: int, state: Progress) -> None:
    data = {name: getattr(state, name) for name in _NAMES}
    for name in (*_MOMENTS, "judge_from"):
        data[name] = None if data[name] is None else data[name].isoformat()
    session.connection().execute(REPLACE[SyncRow], {"athlete_id": athlete_id, "data": data})


def silent_since(state: Progress, now: datetime) -> datetime | None:
    """When Strava was last read; where it never was, or by a clock that was ahead: since when it is asked in vain.

    None where it was never asked.
    """
    read = state.last_success_at
    return read if read is not None and (read <= now or state.failing_since is None) else state.failing_since


def in_the_way(state: Progress, zone: tzinfo) -> str | None:
    """Why new runs aren't seen or judged, and what to do: what Strava's last answer was, and a bug of ours.

    `zone` is the runner's."""
    return "; and ".join(text for text in (state.problem, bug(state, zone)) if text) or None


def bug(state: Progress, zone: tzinfo) -> str | None:
    """What is known of a bug of ours that no look has gone well since. `zone` is the runner's."""
    if state.broken_since is None:
        return None
    return (
        f"a bug: since {moment_text(state.broken_since, zone)} every look at your runs has failed in pullback itself, "
        "and no warning can come; upgrade pullback, or report what its log says (journalctl -u pullback)"
    )


def note_change(session: Session, athlete_id: int, day: date, because: Cause = "recorded") -> None:
    """Facts about `day` changed: it and the days after it are to be judged again."""
    state = progress(session, athlete_id)
    earliest = day if state.judge_from is None else min(day, state.judge_from)
    told = min((c for c in (because, state.because) if c is not None), key=_TELLING.index)
    save_progress(session, athlete_id, replace(state, judge_from=earliest, changes=state.changes + 1, because=told))


def athletes(session: Session) -> list[int]:
    """Ids of all athletes something is stored for."""
    return list(session.exec(select(SyncRow.athlete_id)))
