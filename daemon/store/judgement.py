"""Daily verdicts as the daemon recorded them."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, func, insert
from sqlmodel import Session, col, select

from daemon.store.tables import VerdictRow


def verdict(session: Session, athlete_id: int, day: date) -> dict[str, Any] | None:
    """The recorded verdict of one day (JSON-ready), or None."""
    row = session.get(VerdictRow, (athlete_id, day))
    return None if row is None else row.data


def last_day(session: Session, athlete_id: int) -> date | None:
    """The latest day that was judged."""
    return session.exec(select(func.max(VerdictRow.day)).where(VerdictRow.athlete_id == athlete_id)).one()


def verdicts(session: Session, athlete_id: int) -> Iterator[dict[str, Any]]:
    """All recorded verdicts, oldest day first. Read bit by bit: all at once they take 30 kB a day."""
    query = select(col(VerdictRow.data)).where(VerdictRow.athlete_id == athlete_id).order_by(col(VerdictRow.day))
    yield from session.exec(query.execution_options(yield_per=50))


def memories(session: Session, athlete_id: int, since: date) -> list[tuple[str, dict[str, Any]]]:
    """State and memory of each recorded day from `since` on, oldest first: a small part of the record."""
    data = col(VerdictRow.data)
    query = select(data["state"].as_string(), data["memory"]).where(
        VerdictRow.athlete_id == athlete_id, col(VerdictRow.day) >= since
    )
    return [(str(state), dict(memory)) for state, memory in session.exec(query.order_by(col(VerdictRow.day)))]


def save_verdicts(session: Session, athlete_id: int, days: Sequence[tuple[date, dict[str, Any]]], since: date) -> None:
    """Replaces the record from `since` on, which is not later than the first of `days`."""
    session.exec(delete(VerdictRow).where(col(VerdictRow.athlete_id) == athlete_id, col(VerdictRow.day) >= since))
    record = [{"athlete_id": athlete_id, "day": day, "data": data} for day, data in days]
    if record:
        session.connection().execute(insert(VerdictRow), record)
