"""Which files were imported, by the digest of their content. Takes an open session; decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert
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


def read_otherwise(session: Session, athlete_id: int, version: int) -> dict[str, tuple[int, ...]]:
    """The activities of files that another version of the readers read, by digest."""
    query = select(ImportedRow).where(ImportedRow.athlete_id == athlete_id, ImportedRow.version != version)
    return {row.digest: tuple(row.activities) for row in session.exec(query)}


def held_by_files(session: Session, athlete_id: int) -> set[int]:
    """The activities that any file has, as it was last read."""
    query = select(ImportedRow.activities).where(ImportedRow.athlete_id == athlete_id)
    return {number for activities in session.exec(query) for number in activities}


def last_import(session: Session, athlete_id: int) -> datetime | None:
    """When a file that was new was last read; None where there was none."""
    return session.exec(select(func.max(ImportedRow.imported_at)).where(ImportedRow.athlete_id == athlete_id)).one()


def save_imported(
    session: Session, athlete_id: int, files: Mapping[str, ImportedFile], version: int, now: datetime
) -> None:
    """Notes that these files, by digest, were read by this version of the readers."""
    values = [
        {
            "athlete_id": athlete_id,
            "digest": digest,
            "version": version,
            "activities": list(file.activities),
            "problem": file.problem,
            "imported_at": now,
        }
        for digest, file in files.items()
    ]
    if values:
        session.connection().execute(insert(ImportedRow).prefix_with("OR REPLACE"), values)
