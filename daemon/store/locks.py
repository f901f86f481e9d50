"""Who may do a work on a database right now, across processes and threads. Knows files and the kernel's locks only."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from daemon.store.errors import Busy, StoreError, reason


@contextmanager
def only_one(database: Path, work: str, wait_s: float = 0.0) -> Iterator[None]:
    """Holds the right to do `work` on `database` against every other process and thread.

    The kernel lets go of it when a process dies. Raises Busy when another holds it for longer than `wait_s` seconds.
    """
    try:
        handle = os.open(lock_file(database, work), os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise StoreError(f"nothing can be written beside {database} ({reason(error)}); check its folder") from error
    try:
        _lock(handle, work, wait_s)
        yield
    finally:
        os.close(handle)


def lock_file(database: Path, work: str) -> Path:
    return database.with_name(f"{database.name}.{work}.lock")


def _lock(handle: int, work: str, wait_s: float) -> None:
    give_up = monotonic() + wait_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if monotonic() >= give_up:
                raise Busy(f"another pullback is busy with its {work} right now; try again in a minute") from None
            sleep(0.05)
        else:
            return
