"""Whose database it is, and the athlete's grant: tokens and scope. Written before it is used, never shown."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, func, text, update
from sqlmodel import Session, SQLModel, col, select

from daemon.store.tables import ActivityRow, SyncRow, TokenRow

RUNNER = 0
"""The athlete id of the runner of this database until Strava has told theirs."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What Strava granted; `scope` as Strava writes it, comma separated."""

    athlete_id: int
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: datetime
    scope: str


def grant(session: Session) -> Grant | None:
    """The grant of the one athlete, None before `pullback auth`."""
    row = session.exec(select(TokenRow)).first()
    if row is None:
        return None
    return Grant(row.athlete_id, row.access, row.refresh, row.expires_at, row.scope)


def athlete(session: Session) -> int | None:
    """Whose runs are stored: the athlete who authorised, else the runner whose files were imported, else None."""
    held = grant(session)
    return held.athlete_id if held is not None else session.exec(select(SyncRow.athlete_id)).first()


def whose(session: Session, athlete_id: int) -> int:
    """Whose runs are now what was `athlete_id`'s when it was asked: RUNNER's become those of who authorises."""
    held = grant(session) if athlete_id == RUNNER else None
    return athlete_id if held is None else held.athlete_id


def adopt(session: Session, athlete_id: int) -> None:
    """Makes everything that was imported before anybody authorised this athlete's."""
    # The rows and those that refer to them change their key one after the other.
    session.connection().execute(text("PRAGMA defer_foreign_keys=ON"))
    for table in SQLModel.metadata.sorted_tables:
        if "athlete_id" in table.c and table.name != TokenRow.__tablename__:
            session.connection().execute(
                update(table).where(table.c.athlete_id == RUNNER).values(athlete_id=athlete_id)
            )
    facts = func.json_set(col(ActivityRow.facts), "$.athlete_id", athlete_id)
    session.connection().execute(
        update(SQLModel.metadata.tables["activity"])
        .where(func.json_extract(col(ActivityRow.facts), "$.athlete_id") == RUNNER)
        .values(facts=facts)
    )


def drop_grant(session: Session, athlete_id: int) -> None:
    """Forgets the tokens; what was fetched with them stays."""
    session.exec(delete(TokenRow).where(col(TokenRow.athlete_id) == athlete_id))


def save_grant(session: Session, new: Grant) -> None:
    session.merge(
        TokenRow(
            athlete_id=new.athlete_id,
            access=new.access,
            refresh=new.refresh,
            expires_at=new.expires_at,
            scope=new.scope,
        )
    )
