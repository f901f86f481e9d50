"""Takes out of the copies of a database what may not stay in them: raw answers, and tokens once access has ended.

Never touches the database itself, nor a file that isn't pullback's own.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from daemon.store.backup import PATIENCE_S
from daemon.store.erasing import traces
from daemon.store.errors import StoreError, reason
from daemon.store.locks import only_one
from daemon.store.restored import MAGIC


def drop_raw(database: Path) -> None:
    """Deletes raw answers from every copy beside `database`; one that is damaged stays as it is. Raises StoreError.

    A copy that this version makes has none; one of an earlier version has, and so has what a restore set aside.
    """
    with only_one(database, "backup", PATIENCE_S):
        for copy in _copies(database):
            _emptied(copy, ("raw",))


def end_access(database: Path) -> None:
    """Deletes tokens and raw answers from every copy beside `database`, and a copy that can't be cleaned as a whole.

    Raises StoreError for a file that can't even be deleted.
    """
    with only_one(database, "backup", PATIENCE_S):
        for copy in _copies(database):
            # Of a damaged one nobody knows what still lies in it.
            if not (_emptied(copy, ("raw", "token")) and _is_whole(copy)):
                _delete(copy)
        for file in traces(database):
            if file.parent != database.parent and file.name.endswith(("-wal", "-journal")):
                _delete(file)


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
        stat = copy.stat()
        with closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)) as held:
            held.execute("PRAGMA secure_delete=ON")
            known = {name for (name,) in held.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            full = [
                t for t in tables if t in known and held.execute(f"SELECT EXISTS (SELECT 1 FROM {t})").fetchone()[0]
            ]
            for table in full:
                held.execute(f"DELETE FROM {table}")
        if full:
            # It is as old as what it holds.
            os.utime(copy, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    except (sqlite3.Error, OSError):
        return False
    return True


def _is_whole(copy: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=rw", uri=True)) as held:
            return bool(held.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",))
    except sqlite3.Error:
        return False
