"""Copies of the database: made with SQLite's backup API, proved whole, rotated. Changes nothing in the original.

A copy holds all but Strava's raw answers: it may lie about for longer than those may be kept.
"""

import os
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import date, datetime, timedelta
from pathlib import Path

from daemon.store.errors import DAMAGED, StoreError, damaged, reason
from daemon.store.locks import only_one
from daemon.store.restored import take_in

FOLDER = "backups"
NIGHT = timedelta(hours=3)
"""A night's backup is made from three in the morning on, local time."""
PATIENCE_S = 30.0
"""How long a copy waits for a program that has locked the whole database."""

_NIGHTLY = re.compile(r"pullback-(\d{4}-\d{2}-\d{2})\.db")
_WAITING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def backup(source: Path, target: Path, *, replace: bool = False) -> None:
    """Copies the live database `source` to `target` (0600), proves it whole, and only then gives it its name.

    An existing file stays unless `replace`. Raises StoreError, and nothing is left half-written.
    """
    if not source.exists():
        raise _nothing_at(source)
    # Who deletes the copies, or the tokens in them, waits until this one can be seen.
    with only_one(source, "backup", PATIENCE_S):
        _make(source, target, replace)


def _make(source: Path, target: Path, replace: bool) -> None:
    part = target.with_name(target.name + ".part")
    if not source.exists():
        raise _nothing_at(source)
    if not replace and target.exists():
        raise _taken(target)
    try:
        _new_file(part)
        _copy(source, part)
        _name(part, target, replace)
    except FileExistsError:
        raise _taken(target) from None
    except (OSError, sqlite3.Error) as error:
        if any(sign in str(error) for sign in DAMAGED):
            raise damaged(source, newest(source), str(error)) from error
        why = reason(error)
        raise StoreError(
            f"no backup could be written to {target} ({why}); check that its folder exists and has room"
        ) from (error)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def nightly(source: Path, local_now: datetime, keep: int) -> Path | None:
    """The night's backup in `backups/` beside the database, where it isn't there yet; older than `keep` ones go.

    None where there was nothing to do. Raises StoreError; then no older one was deleted.
    """
    target = folder(source) / f"pullback-{night(local_now)}.db"
    if target.exists():
        return None
    try:
        target.parent.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{target.parent} can't be made ({error.strerror}); check the folder above it") from error
    backup(source, target)
    # Nights that have not come were named by a clock that was ahead: they are older than tonight's.
    by_age = sorted(made(source), key=lambda path: (path.name <= target.name, path.name), reverse=True)
    for old in by_age[keep:]:
        with suppress(OSError):
            old.unlink()
    return target


def night(local_now: datetime) -> date:
    """The local day whose night's backup is the latest that can be there."""
    return (local_now - NIGHT).date()


def folder(database: Path) -> Path:
    return database.parent / FOLDER


def made(database: Path) -> list[Path]:
    """The nightly backups, oldest first."""
    try:
        return sorted(path for path in folder(database).iterdir() if _NIGHTLY.fullmatch(path.name))
    except OSError:
        return []


def newest(database: Path) -> Path | None:
    """The newest nightly backup; one of a night that hasn't come only where there is no other."""
    # The machine's own clock, as for any file's age; the runner's may be half a day further.
    tomorrow = f"pullback-{date.today() + timedelta(days=1)}.db"
    return max(made(database), key=lambda path: (path.name <= tomorrow, path.name), default=None)


def copies(database: Path) -> list[Path]:
    """Every file near the database that holds a copy of it: nightly, before a migration, set aside or unfinished."""
    here = [path for path in database.parent.glob(f"{database.name}.*") if not path.name.endswith(".lock")]
    elsewhere = [*folder(database).glob("pullback-*.db*"), *database.parent.glob(f"old-*/{database.name}*")]
    return sorted(path for path in (*here, *elsewhere) if path.is_file())


def broken(database: Path) -> str | None:
    """What SQLite's integrity check finds wrong with the file, in its words; None for nothing. Raises StoreError.

    To be called before this process opens the database.
    """
    take_in(database)
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(1)")]
    except sqlite3.DatabaseError as error:
        if any(sign in str(error) for sign in DAMAGED):
            return str(error)
        raise StoreError(f"the database {database} can't be examined ({error}); check its folder") from error
    return None if found == ["ok"] else " ".join(found)[:200]


def _copy(source: Path, part: Path) -> None:
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(part)) as copy:
        live.backup(copy, progress=_patience())
        # One file that needs none beside it: a copy that is moved on its own must be whole.
        copy.execute("PRAGMA journal_mode=DELETE")
        _drop_raw(copy)
        found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(f"malformed: {found}")
    _to_disk(part)


def _drop_raw(copy: sqlite3.Connection) -> None:
    if copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'raw'").fetchone():
        # No journal on the disk: half of this copy is none, and is deleted.
        for pragma in ("journal_mode=MEMORY", "secure_delete=ON"):
            copy.execute(f"PRAGMA {pragma}")
        copy.execute("DELETE FROM raw")
        copy.commit()


def _patience() -> Callable[[int, int, int], None]:
    """Python's backup waits for a lock for ever; this ends it."""
    give_up = time.monotonic() + PATIENCE_S

    def progress(status: int, _remaining: int, _total: int) -> None:
        if status in _WAITING and time.monotonic() > give_up:
            raise sqlite3.OperationalError("the database is locked by another program")

    return progress


def _new_file(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
    path.chmod(0o600)


def _name(part: Path, target: Path, replace: bool) -> None:
    if replace:
        os.replace(part, target)
    else:
        try:
            os.link(part, target)  # unlike a rename, it never overwrites
        except FileExistsError:
            raise
        except OSError:  # a stick or a share that knows no links
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            os.replace(part, target)
    _to_disk(target.parent)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _nothing_at(source: Path) -> StoreError:
    return StoreError(f"there is no database at {source} yet; run `pullback auth`")


def _taken(target: Path) -> StoreError:
    return StoreError(f"{target} is there already and stays as it is; name another file")
