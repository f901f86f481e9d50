"""What the runner said: how a run felt, and what was up with some days. Takes an open session; decides nothing."""

from datetime import date, datetime

from sqlmodel import Session, col, select

from daemon.store.tables import AnswerRow, FeelRow
from daemon.values import Answer, Feel, Reason


def save_feel(session: Session, athlete_id: int, activity_id: int, feel: Feel, now: datetime) -> None:
    """Keeps how a stored run felt; a later answer replaces the earlier one."""
    session.merge(FeelRow(athlete_id=athlete_id, activity_id=activity_id, feel=feel, given_at=now))


def feels(session: Session, athlete_id: int) -> dict[int, Feel]:
    """How each run felt that the runner spoke of, by its id, in the order in which it was said."""
    query = select(FeelRow).where(FeelRow.athlete_id == athlete_id).order_by(col(FeelRow.given_at))
    return {row.activity_id: row.feel for row in session.exec(query)}  # type: ignore[misc]


def add_answer(session: Session, athlete_id: int, reason: Reason, first: date, last: date, now: datetime) -> Answer:
    """Keeps what the runner says of the days `first` to `last`, both included."""
    row = AnswerRow(athlete_id=athlete_id, reason=reason, first=first, last=last, given_at=now)
    session.add(row)
    session.flush()
    return _answer(row)


def remove_answer(session: Session, athlete_id: int, answer_id: int) -> None:
    """Takes an answer back."""
    row = session.get(AnswerRow, answer_id)
    if row is not None and row.athlete_id == athlete_id:
        session.delete(row)


def answers(session: Session, athlete_id: int) -> tuple[Answer, ...]:
    """All answers about days, in the order in which they were given."""
    query = select(AnswerRow).where(AnswerRow.athlete_id == athlete_id).order_by(col(AnswerRow.id))
    return tuple(_answer(row) for row in session.exec(query))


def _answer(row: AnswerRow) -> Answer:
    assert row.id is not None
    return Answer(row.id, row.reason, row.first, row.last, row.given_at)  # type: ignore[arg-type]
