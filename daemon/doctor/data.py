"""The database as it lies there: whole, of the right schema, backed up. Opens it without migrating or making it."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from daemon.doctor.finding import Finding, ok, problem, warning
from daemon.store import Store, backup, connect, grants, schema
from daemon.store.errors import damaged
from daemon.store.progress import bug, progress

OLD_BACKUP = timedelta(days=3)
AHEAD = timedelta(hours=1)
"""Clocks of two file systems may differ; one that is further off was wrong."""


def database(path: Path, now: datetime) -> Iterator[Finding]:
    """Integrity, schema, backups."""
    if not path.exists():
        yield warning("database", f"{path} isn't there yet; `pullback auth` or `pullback import` makes it")
        return
    broken = backup.broken(path)
    if broken is not None:
        yield problem("database", str(damaged(path, backup.newest(path), broken)))
        return
    yield ok("database", f"{path} is whole")
    yield _schema(path)
    yield _backups(path, now)


def work(store: Store, zone: tzinfo) -> Iterator[Finding]:
    """Nothing, unless what the daemon does with the runs ends in a bug. `zone` is the runner's."""
    with store.read() as session:
        athlete_id = grants.athlete(session)
        found = None if athlete_id is None else bug(progress(session, athlete_id), zone)
    if found is not None:
        yield problem("work", found)


def is_current(path: Path) -> bool:
    """Whether a database that is whole can be read by this version as it is."""
    return _revision(path) == schema.HEAD


def _revision(path: Path) -> str | None:
    store = connect(path)
    try:
        return schema.revision(store)
    finally:
        store.close()


def _schema(path: Path) -> Finding:
    found = _revision(path)
    if found == schema.HEAD:
        return ok("schema", f"{found}, this version's")
    if found is not None and found > schema.HEAD:
        return problem(
            "schema", f"{found} is a newer pullback's, this one knows {schema.HEAD}: upgrade, or put a backup back"
        )
    return warning("schema", f"{found or 'none'}, the next start brings it to {schema.HEAD} (and backs it up first)")


def _backups(path: Path, now: datetime) -> Finding:
    newest = backup.newest(path)
    if newest is None:
        return warning("backups", "none yet; the daemon makes one each night, `pullback backup FILE` makes one now")
    age = now.timestamp() - os.stat(newest).st_mtime
    text = f"{len(backup.made(path))} in {newest.parent}, the newest is {newest.name}"
    if age > OLD_BACKUP.total_seconds():
        return warning("backups", f"{text}: older than three days; does the daemon run, what does its log say?")
    if age < -AHEAD.total_seconds():
        return warning("backups", f"{text}: made later than now; the clock is wrong, or was: look at the date")
    return ok("backups", text)
