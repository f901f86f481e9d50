"""The athlete's grant: tokens and scope. Written before it is used, never shown."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col, select

from daemon.store.tables import TokenRow


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
