"""Which files were imported, by the digest of their content. Takes an open session; decides nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from daemon.store.tables import ActivityRow, ImportedRow


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """What one file came to: the activities it holds, or why it can't be read."""

    activities: tuple[int, ...]
    problem: str | None = None


def imported(session: Session, athlete_id: int, version: int) -> dict[str, ImportedFile]:
    """The files read by this version of the readers whose activities are all still there, by digest."""
    living = set(
        session.exec(
            select(ActivityRow.id).where(ActivityRow.athlete_id == athlete_id, col(ActivityRow.deleted_at).is_(None))
        )
    )
    query = select(ImportedRow).where(ImportedRow.athlete_id == athlete_id, ImportedRow.version == version)
    return {
        row.digest: ImportedFile(tuple(row.activities), row.problem)
        for row in session.exec(query)
        if living.issuperset(row.activities)
    }


def save_imported(
    session: Session,
    athlete_id: int,
    digest: str,
    version: int,
    activities: Iterable[int],
    problem: str | None,
    now: datetime,
) -> None:
    """Notes that a file was read."""
    session.merge(
        ImportedRow(
            athlete_id=athlete_id,
            digest=digest,
            version=version,
            activities=list(activities),
            problem=problem,
            imported_at=now,
        )
    )
