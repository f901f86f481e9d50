"""What can go wrong with the database file, said to the runner."""

import errno
from pathlib import Path

from daemon.errors import UserError

DAMAGED = ("malformed", "not a database")
"""What SQLite says of a file that isn't, or is no longer, a database."""

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ENOENT: "no such folder",
    errno.ENOTDIR: "no such folder",
}


class StoreError(UserError):
    """The database can't be opened, read or written."""


class Full(StoreError):
    """The disk has no room for it, or may have none."""


class Unusable(StoreError):
    """The file is damaged, or from a newer version: trying again doesn't help, somebody has to mend it."""


class Busy(StoreError):
    """Another pullback process is doing the same work right now."""


def reason(error: Exception) -> str:
    """What happened, in a few words."""
    if isinstance(error, OSError):
        return _REASONS.get(error.errno or 0, error.strerror or "it failed")
    return str(error)


def damaged(path: Path, newest: Path | None, problem: str) -> Unusable:
    """SQLite finds `problem` with the file; `newest` is the backup to go back to."""
    copy = f"the newest backup ({newest})" if newest else "a backup"
    put = f"put {copy} in its place as systemd/README.md says"
    if "not a database" in problem:
        return Unusable(f"the file {path} is not a database; check database.url, or {put}")
    return Unusable(f"the database {path} is damaged; stop pullback, keep the file elsewhere and {put}")
