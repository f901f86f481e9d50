"""Takes out of the copies of a database what may not stay in them: raw answers, and tokens once access has ended.

Never touches the database itself, nor a file that isn't pullback's own.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from daemon.store.backup import PATIENCE_S
from daemon.store.erasing import traces
from daemon.store.errors import DAMAGED, StoreError, reason
from daemon.store.locks import only_one
from daemon.store.restored import MAGIC


def drop_raw(database: Path, keep: timedelta, now: datetime) -> list[Path]:
    """Deletes raw answers from every copy beside `database`, and a damaged copy as a whole once no answer in it can be
    younger than `keep`; returns what of these it deleted. Raises StoreError.

    A copy that this version makes has none; one of an earlier version has, and so has what a restore set aside.
    """
    gone: list[Path] = []
    with only_one(database, "backup", PATIENCE_S):
        for copy in _copies(database):
            over, emptied = _over(copy, keep, now), _emptied(copy, ("raw",))
            # Where pages are damaged an answer may lie in one that belongs to no table any more.
            if over and (not emptied or copy.name == database.name) and _look(copy) == "damaged":
                gone += over
        for file in _left_alone(database):
            gone += _over(file, keep, now)
        for file in gone:
            _delete(file)
    for folder in {file.parent for file in gone} - {database.parent}:
        with suppress(OSError):  # something else is in it
            folder.rmdir()
    return gone


def end_access(database: Path) -> None:
    """Deletes tokens and raw answers from every copy beside `database`, and a copy that can't be cleaned as a whole.

    Raises StoreError for a file that can't even be deleted.
    """
    with only_one(database, "backup", PATIENCE_S):
        for copy in _copies(database):
            # Of a damaged one nobody knows what still lies in it.
            if not (_emptied(copy, ("raw", "token")) and _look(copy) == "whole"):
                _delete(copy)
        for file in _changes(database):
            _delete(file)


def _changes(database: Path) -> list[Path]:
    """What was to go into a copy, and never did."""
    return [f for f in traces(database) if f.parent != database.parent and f.name.endswith(("-wal", "-journal"))]


def _left_alone(database: Path) -> list[Path]:
    return [file for file in _changes(database) if not file.with_name(file.name.rpartition("-")[0]).exists()]


def _over(copy: Path, keep: timedelta, now: datetime) -> list[Path]:
    """A copy and what belongs to it, where all of it was last written longer ago than `keep`; else nothing."""
    files = [copy.with_name(copy.name + end) for end in ("", "-wal", "-shm", "-journal")]
    files = [file for file in files if file.is_file()]
    written = max((file.stat().st_mtime for file in files), default=0.0)
    if written > now.timestamp():  # by a clock that was ahead: its time begins now
        for file in files:
            os.utime(file, (now.timestamp(), now.timestamp()))
        written = now.timestamp()
    return files if now.timestamp() - written >= keep.total_seconds() else []


def _delete(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            f"{file} may hold Strava's tokens and can't be deleted ({reason(error)}); delete it by hand"
        ) from error


def _copies(database: Path) -> list[Path]:
    """Whole databases, and what was set aside under the database's own name, whatever has become of it."""
    # To open one of these and close it again lets go of the locks that SQLite holds on it for this process: the next
    # command takes the -shm for a dead process's and cuts it off under the daemon (sqlite.org/howtocorrupt.html, 2.2).
    in_use = {database.with_name(database.name + end) for end in ("", "-wal", "-shm", "-journal")}
    found = (file for file in traces(database) if file not in in_use)
    return [file for file in found if file.name == database.name or _begins_like_one(file)]


def _begins_like_one(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return opened.read(len(MAGIC)) == MAGIC
    except OSError:
        return True


def _emptied(copy: Path, tables: tuple[str, ...]) -> bool:
    """Whether these tables, where there are such, are now empty, and what was in them is off the disk."""
    try:
        with (
            _as_old_as_before(copy),
            closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)) as held,
        ):
            held.execute("PRAGMA secure_delete=ON")
            known = {name for (name,) in held.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            for table in (t for t in tables if t in known):
                if held.execute(f"SELECT EXISTS (SELECT 1 FROM {table})").fetchone()[0]:
                    held.execute(f"DELETE FROM {table}")
    except (sqlite3.Error, OSError):
        return False
    return True


def _look(copy: Path) -> Literal["whole", "damaged", "unknown"]:
    """What SQLite finds when it examines all of it; unknown where it may not, or not now."""
    try:
        with (
            _as_old_as_before(copy),
            closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=rw", uri=True)) as held,
        ):
            return "whole" if held.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",) else "damaged"
    except (sqlite3.Error, OSError) as error:
        return "damaged" if any(sign in str(error) for sign in DAMAGED) else "unknown"


@contextmanager
def _as_old_as_before(copy: Path) -> Iterator[None]:
    """It is as old as what it holds: to clean it, and even to look at one that has a -wal, writes to it."""
    stat = copy.stat()
    try:
        yield
    finally:
        os.utime(copy, ns=(stat.st_atime_ns, stat.st_mtime_ns))
