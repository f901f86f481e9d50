"""One daemon for one database: held for the life of `pullback run`, and whether the one before was cut off."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daemon.store.backup import broken, newest
from daemon.store.errors import Busy, StoreError, damaged, reason


@contextmanager
def held(database: Path) -> Iterator[None]:
    """Holds the database against every other daemon, and looks at it first where the one before was cut off.

    The lock goes with the process, however that ends; its file then still names the process, which is how the next
    one knows. Raises Busy while another daemon runs, StoreError for a damaged database or a folder that can't be used.
    """
    database = database.resolve()  # two names of one file are one database
    path = database.with_name(f"{database.name}.run.lock")
    try:
        database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise StoreError(
            f"nothing can be written beside {database} ({reason(error)}); check its folder, or database.url"
        ) from error
    try:
        _lock(handle, database)
        if os.pread(handle, 32, 0).strip() and database.exists() and (problem := broken(database)) is not None:
            raise damaged(database, newest(database), problem)
        _write(handle, f"{os.getpid()}\n")
        try:
            yield
        finally:
            _write(handle, "")
    finally:
        os.close(handle)


def _lock(handle: int, database: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        other = os.pread(handle, 32, 0).decode(errors="replace").strip()
        raise Busy(
            f"another pullback run{f' (process {other})' if other.isdigit() else ''} already works on {database}; "
            "stop it first: `systemctl stop pullback`, or Ctrl-C where it runs in a terminal"
        ) from None


def _write(handle: int, text: str) -> None:
    """Best effort: on a full disk the lock itself still holds, and all that is lost is a check after a cut."""
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, text.encode(), 0)
    except OSError:
        return
