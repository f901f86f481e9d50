"""Deletes a database and all that pullback has laid beside it. Knows files by their names, backups by their tables.

Never touches a file that isn't pullback's own.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from daemon.store.backup import FOLDER, PATIENCE_S
from daemon.store.errors import StoreError
from daemon.store.locks import lock_file, only_one

KEPT = (".run.lock", ".backup.lock")
"""Without its lock a daemon that runs would no longer keep out a second one, nor a deletion a backup."""


def traces(path: Path) -> list[Path]:
    """Every file that holds, or held, something of the database at `path`: itself comes last."""
    return [*sorted({*_beside(path), *_backups(path)} - {path}), *([path] if path.is_file() else [])]


def erase(path: Path) -> list[Path]:
    """Deletes all of `traces`, and the backups' folder once it is empty; returns them. Raises StoreError.

    The database goes last: a service that finds it missing may at once create another with files of its own. A copy
    that is being made is waited for.
    """
    if not traces(path):
        return []
    with only_one(path, "backup", PATIENCE_S):
        gone = traces(path)
        _delete(gone, path)
        lock_file(path, "backup").unlink(missing_ok=True)
    return gone


def _delete(gone: list[Path], path: Path) -> None:
    for file in gone:
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{file} can't be deleted ({error.strerror}); delete it by hand") from error
    for folder in {path.parent / FOLDER, *(file.parent for file in gone)} - {path.parent}:
        with suppress(OSError):  # not there, or something of the runner's own is in it
            folder.rmdir()


def _beside(path: Path) -> Iterator[Path]:
    name = _literal(path.name)
    for pattern in ("-wal", "-shm", "-journal", "-room", ".before-*", ".*.lock", ".part"):
        found = (file for file in path.parent.glob(f"{name}{pattern}") if not file.name.endswith(KEPT))
        yield from (file for file in found if file.is_file())
    # What a restore set aside, as systemd/README.md has it.
    yield from (file for file in path.parent.glob(f"old-*/{name}*") if file.is_file())


def _backups(path: Path) -> Iterator[Path]:
    for file in (path.parent / FOLDER).glob("*"):
        named = file.name.startswith((path.name, f"{path.stem}-"))
        if file.is_file() and not file.is_symlink() and (named or _is_ours(file)):
            yield file


def _is_ours(file: Path) -> bool:
    """Whether it is a database with our tables, whatever it is called."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as held:
            names = {name for (name,) in held.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except (sqlite3.Error, OSError):
        return False
    return {"activity", "token", "sync_state"} <= names


def _literal(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
