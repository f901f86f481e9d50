"""Opens the SQLite file: permissions, pragmas, transactions and locks between processes. Knows no table."""

import errno
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError
from sqlmodel import Session

from daemon.store import locks
from daemon.store.backup import newest
from daemon.store.errors import DAMAGED, Full, StoreError, Unusable, damaged, reason
from daemon.store.restored import take_in

BUSY_TIMEOUT_MS = 5_000
INSIST_TRIES, INSIST_EACH_S = 6, 5.0
"""Together half a minute; a try that waited for a lock has waited as long already [ENG]."""
NO_FILE = (0, 0)
"""No file has this identity; that of one that is closed may be given to the next."""
ROOM_BYTES = 2**18
"""Kept back on the disk for what must not be lost: ten times what such a commit adds to the -wal [ENG]."""


class Store:
    """An open database. Sessions are short; whoever writes takes the write lock at BEGIN, so no upgrade can fail."""

    def __init__(self, path: Path, engine: Engine, file: tuple[int, int] | None) -> None:
        self.path = path
        self._file = file
        self._engine = engine
        self._writer = engine.execution_options(immediate=True)
        self._counting = threading.Lock()
        self._users = 0

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Around work of one thread that goes from session to session with what it has read.

        The file under it may be deleted meanwhile, which ends the work; no other is put in its place before it is over.
        """
        with self._counting:
            self._users += 1
        try:
            yield
        finally:
            with self._counting:
                self._users -= 1

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one consistent state. Raises StoreError."""
        self._insist_on_its_file()
        with _translated(self.path), Session(self._engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session in one BEGIN IMMEDIATE transaction: committed at the end, rolled back on error."""
        self._insist_on_its_file()
        with _translated(self.path), Session(self._writer) as session:
            yield session
            session.commit()

    def keep_room(self) -> None:
        """Keeps back room for what `insist` will have to write. Raises StoreError where the disk has none left.

        Asked before anything is begun whose end must be written down: a message that is sent, tokens that are renewed.
        """
        try:
            handle = os.open(self._room, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(handle, 0, ROOM_BYTES)
            finally:
                os.close(handle)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            what, advice = ("there is no", "free some space") if full else ("it can't keep", "check its folder")
            raise StoreError(f"{what} room beside {self.path} ({reason(error)}); {advice}") from error

    def insist(self, work: Callable[[Session], None]) -> None:
        """Writes what must not be lost (it was already said or used): for half a minute, where the disk is full with
        the room kept back.

        Raises StoreError when even that isn't enough.
        """
        for left in reversed(range(INSIST_TRIES)):
            began = monotonic()
            try:
                with self.write() as session:
                    work(session)
                return
            except StoreError as error:
                if left == 0 or isinstance(error, Unusable) or self.replaced():
                    raise
                if not (isinstance(error, Full) and self._use_room()):
                    sleep(max(0.0, INSIST_EACH_S - (monotonic() - began)))

    def _use_room(self) -> bool:
        """Gives the room that was kept back to whoever writes next; False where there is none."""
        try:
            self._room.unlink()
        except OSError:
            return False
        return True

    @contextmanager
    def only_one(self, work: str, wait_s: float = 0.0) -> Iterator[None]:
        """Holds the right to do `work` ("pull", "delivery", "judgement") against every other process and thread.

        The kernel lets go of it when a process dies, so work found half-done under it was left by a crash.
        Raises Busy when another holds it for longer than `wait_s` seconds.
        """
        with locks.only_one(self.path, work, wait_s):
            yield

    def settle(self) -> None:
        """Brings all changes from the -wal into the file, and empties it: what was deleted leaves the disk now.

        Where others go on reading or writing it is left for the next time. Raises StoreError.
        """
        self._insist_on_its_file()
        with _translated(self.path):
            connection = self._engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as error:
            raise StoreError(f"the database {self.path} {_advice(str(error))}") from error
        finally:
            connection.close()

    def mark(self) -> tuple[tuple[int, int, int], ...]:
        """Another one whenever anybody has written; costs no query."""
        found = []
        for name in (self.path.name, f"{self.path.name}-wal"):
            with suppress(OSError):
                stat = os.stat(self.path.with_name(name))
                found.append((stat.st_ino, stat.st_mtime_ns, stat.st_size))
        return tuple(found)

    @property
    def file(self) -> object:
        """Another one once a file that was put in the place of this one is gone on with."""
        return self._file

    def replaced(self) -> bool:
        """Whether the file that was opened is no longer the one at `path`: deleted, or another put in its place."""
        return _identity(self.path) != self._file

    def let_go(self) -> bool:
        """Closes a file that was replaced. Nothing is read or written until `go_on_with` says where.

        False, and nothing is done, while it is in use. Whoever begins after it was let go has read nothing from it.
        """
        with self._counting:
            if self._users and self._file != NO_FILE:
                return False
            self._file = NO_FILE
        # SQLite leaves the -wal beside `path` alone when the file it closes is no longer there.
        self._engine.dispose()
        return True

    def go_on_with(self, other: "Store") -> None:
        """From now on this is `other`, which nobody else may use: whoever holds this one reads and writes there."""
        self._engine, self._writer, self._file = other._engine, other._writer, other._file

    def close(self) -> None:
        self._engine.dispose()

    def _insist_on_its_file(self) -> None:
        # What is written to a deleted file is lost, and what is read from it should be gone.
        if self.replaced():
            raise _gone(self.path)

    @property
    def _room(self) -> Path:
        return self.path.with_name(f"{self.path.name}-room")

    @property
    def engine(self) -> Engine:
        """For migrations and the backup only."""
        return self._engine


def create(path: Path) -> None:
    """Sees to it that there is a file at `path`, readable by its owner only, and nothing else's -wal beside it.

    Raises StoreError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Created before SQLite sees it: the -wal and -shm files take their mode from it.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(
            f"the database {path} can't be opened ({reason(error)}); check its folder, or database.url"
        ) from error
    take_in(path)


def connect(path: Path) -> Store:
    """Opens or creates the file at `path`. Raises StoreError."""
    path = Path(os.path.realpath(path))  # two names of one file are one database, with one lock for each work
    create(path)
    # Tokens are parameters: without this a traceback of the driver's, or its log, would quote them.
    engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False}, hide_parameters=True)
    file = _identity(path)

    def connected(connection: sqlite3.Connection, _record: Any) -> None:
        if _identity(path) != file:  # replaced since its session began
            connection.close()
            raise _gone(path)
        _configure(connection)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", _begin)
    return Store(path, engine, file)


def _gone(path: Path) -> StoreError:
    return StoreError(
        f"the database {path} was deleted or replaced while it was in use; run the command again "
        "(a running service goes on with what is there now)"
    )


def _configure(connection: sqlite3.Connection) -> None:
    # The driver must not open transactions by itself: `_begin` says which kind.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        # Half a MB of pages for each connection instead of two: the system keeps them as well, and for all.
        "cache_size=-512",
        # Tokens and streams that are deleted don't live on in the file's free pages.
        "secure_delete=ON",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Any) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (IntegrityError, ProgrammingError, DataError):
        raise  # ours to mend, not the runner's
    except DatabaseError as error:
        if any(sign in str(error.orig) for sign in DAMAGED):
            raise damaged(path, newest(path), str(error.orig)) from error
        problem = str(error.orig)
        # A full disk shows as either: SQLite maps a file that it couldn't lengthen.
        kind = Full if "disk is full" in problem or "disk I/O" in problem else StoreError
        raise kind(f"the database {path} {_advice(problem)}") from error


def _advice(problem: str) -> str:
    for sign, advice in (
        ("locked", "is locked by another program; try again when that is done"),
        ("disk is full", "can't grow because the disk is full; free some space"),
        ("readonly", "is read-only for this user; check its owner and mode"),
        ("unable to open", "can't be opened; check its folder's owner and mode"),
        ("disk I/O", "can't be read or written (disk I/O error); look whether the disk is full or failing"),
    ):
        if sign in problem:
            return advice
    return f"can't be used ({problem}); run `pullback check`"
