"""Who may read what: configuration, secrets, database and backups; and whether the disk has room for them."""

import os
import shutil
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from daemon.config import Config
from daemon.doctor.finding import Finding, ok, problem, warning
from daemon.measures import counted
from daemon.store import backup

MB = 2**20
LEAST_FREE = 50 * MB
"""Below this nothing is safe: a poll, its journal and the night's backup need room at once."""


def permissions(config_path: Path, config: Config, database: Path) -> Iterator[Finding]:
    """Configuration and files it names: no access for others, none to write for the group. Data: its owner's alone."""
    for path in (config_path, config.strava.client_secret_file, config.alerts.urls_file):
        if path is not None:
            yield _configured(path)
    data = [database, *(database.with_name(database.name + end) for end in ("-wal", "-shm")), *backup.copies(database)]
    wrong = [path for path in data if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077]
    yield from (problem("permissions", f"others may open it: chmod 600 {path}") for path in wrong)
    foreign = [path for path in data if path.exists() and path.stat().st_uid != os.geteuid()]
    for path in foreign:
        yield problem("permissions", f"{path} belongs to another user: chown it, or run this as that user")
    if database.exists() and not wrong and not foreign:
        folders = Counter(str(path.parent) for path in data[3:])
        copies = ", ".join(f"{counted(number, 'file')} in {folder}" for folder, number in sorted(folders.items()))
        too = f"; so are its copies, {copies}" if copies else ""
        yield ok("permissions", f"{database} is readable by the owner only{too}")


def _configured(path: Path) -> Finding:
    try:
        found = path.stat()
    except OSError as error:
        return problem("permissions", f"{path} can't be looked at ({error.strerror}): check its folder")
    mode = stat.S_IMODE(found.st_mode)
    wrong = too_open(mode, found.st_gid, os.getegid())
    return problem("permissions", f"{wrong}{path}") if wrong else ok("permissions", f"{path} is {mode:04o}")


def too_open(mode: int, group: int, own_group: int) -> str | None:
    """What is wrong with a secret file's mode: others have no access, and only the service's group may read."""
    if mode & 0o007:
        return "others may open it: chmod o= "
    if mode & 0o030:
        return "its group may change it: chmod g-wx "
    if mode & 0o040 and group != own_group:
        return "a group that isn't the service's may read it: chmod g= "
    return None


def room(database: Path) -> Iterator[Finding]:
    """Whether the folder can be written to, and holds the database once more."""
    folder = next(path for path in database.parents if path.exists())
    if not os.access(folder, os.W_OK):
        yield problem("disk", f"nothing can be written to {folder}: is it mounted read-only, is its owner right?")
        return
    free = shutil.disk_usage(folder).free
    size = database.stat().st_size if database.exists() else 0
    text = f"{free // MB} MB free, the database takes {size // MB} MB"
    if free < max(LEAST_FREE, 2 * size):
        yield problem("disk", f"{text}: too little for a backup; free some space in {folder}")
    elif free < 4 * LEAST_FREE + 4 * size:
        yield warning("disk", f"{text}: it gets tight in {folder}")
    else:
        yield ok("disk", text)
