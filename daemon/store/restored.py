"""A copy that was put in the database's place: what the file before left beside it is kept out of it."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from daemon.store.errors import StoreError, reason
from daemon.store.locks import only_one

MAGIC = b"SQLite format 3\x00"
"""How every SQLite file begins."""
_ONE_FILE = b"\x01\x01"
"""Bytes 18 and 19 of a copy: it has no -wal. A database in use has 2 there (sqlite.org/fileformat2.html, 1.3.3)."""
WAIT_S = 10.0


def take_in(path: Path) -> None:
    """Where a copy lies at `path`: deletes a -wal and -shm of the file before, and makes it a database in use.

    SQLite would read them into it: after a kill or a power cut they are still there. To be called before this process
    opens the database: reading its header lets go of locks that SQLite holds on it. Raises StoreError.
    """
    if not _is_one_file(path):
        return
    with only_one(path, "opening", WAIT_S):
        # Whoever was first has made it one with a -wal of its own, which must stay.
        if not _is_one_file(path):
            return
        try:
            for end in ("-wal", "-shm"):
                path.with_name(path.name + end).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(
                f"what was left beside {path} of the database before can't be deleted ({reason(error)}); delete "
                f"{path.name}-wal and {path.name}-shm"
            ) from error
        # What is wrong with the file itself is said by whoever reads it.
        with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as copy:
            copy.execute("PRAGMA journal_mode=WAL")


def _is_one_file(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            header = file.read(20)
    except OSError:
        return False
    return header.startswith(MAGIC) and header[18:20] == _ONE_FILE
