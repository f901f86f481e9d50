"""Who a command runs as: root becomes the service's user, so that no file ends up owned by root. Opens nothing for
writing, and reads no more of the configuration than where the database is."""

import os
import pwd
import tomllib
from collections.abc import MutableMapping
from pathlib import Path

from daemon.config import SYSTEM_CONFIG
from daemon.config.values import Wrong, sqlite_path, sqlite_url

SERVICE_USER = "pullback"


def step_down(config: Path, environ: MutableMapping[str, str]) -> None:
    """As root, become the user this configuration belongs to; anybody else stays who they are."""
    if os.geteuid() != 0:
        return
    user = service_user(config)
    if user is not None and user.pw_uid != 0:
        _become(user, environ)


def service_user(config: Path) -> pwd.struct_passwd | None:
    """The service's own user for the system's configuration; otherwise who owns the database, or the configuration.

    None where that can't be told.
    """
    if config == SYSTEM_CONFIG:
        try:
            return pwd.getpwnam(SERVICE_USER)
        except KeyError:
            pass
    for path in (*_database_places(config), config):
        try:
            return pwd.getpwuid(path.stat().st_uid)
        except (OSError, KeyError):
            continue
    return None


def _database_places(config: Path) -> tuple[Path, ...]:
    """The database file the configuration names, and its folder; empty where it names none."""
    try:
        raw = tomllib.loads(config.read_text("utf-8"))
        path = sqlite_path(sqlite_url(raw["database"]["url"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, Wrong):
        return ()
    return path, path.parent


def _become(user: pwd.struct_passwd, environ: MutableMapping[str, str]) -> None:
    os.initgroups(user.pw_name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.umask(0o077)
    environ.update(HOME=user.pw_dir, USER=user.pw_name, LOGNAME=user.pw_name)
    # Root's own folders: the data and state folders must follow the user.
    for name in [name for name in environ if name.startswith("XDG_")]:
        del environ[name]
