"""Where the configuration and the database are. It looks whether files are there, and opens none."""

import os
from collections.abc import Mapping
from pathlib import Path

from daemon.config.model import Config
from daemon.config.values import sqlite_path
from daemon.errors import UserError

SYSTEM_CONFIG = Path("/etc/pullback/config.toml")


def find(explicit: Path | None, environ: Mapping[str, str]) -> Path:
    """The configuration file in use: `explicit`, else $PULLBACK_CONFIG, else the system's, else the runner's own.

    Raises UserError when there is none. A file that is there but may not be read counts as found.
    """
    named = str(explicit) if explicit else environ.get("PULLBACK_CONFIG")
    if named:
        if not exists(Path(named)):
            raise UserError(f"there is no configuration at {named}; write one with `pullback --config {named} init`")
        return Path(named)
    for path in (SYSTEM_CONFIG, user_config(environ)):
        if exists(path):
            return path
    raise UserError("there is no configuration yet; write one with `pullback init`")


def user_config(environ: Mapping[str, str]) -> Path:
    """The runner's own configuration file, whether it is there or not."""
    home = environ.get("HOME")
    return (Path(home) if home else Path.home()) / ".config" / "pullback" / "config.toml"


def database_path(config: Config, environ: Mapping[str, str]) -> Path:
    """Where the database file is: `[database] url`, else $STATE_DIRECTORY, else the platform's user data folder.

    Links are followed: what lies beside the database (backups, locks) lies beside the file itself.
    """
    return Path(os.path.realpath(_named(config, environ)))


def _named(config: Config, environ: Mapping[str, str]) -> Path:
    if config.database.url:
        return sqlite_path(config.database.url)
    state = environ.get("STATE_DIRECTORY", "").split(":")[0]
    if state:
        return Path(state) / "pullback.db"
    from platformdirs import user_data_path  # only needed by hand-run commands, not by the service

    return user_data_path("pullback", appauthor=False) / "pullback.db"


def exists(path: Path) -> bool:
    """Whether something is at `path`, as far as we may see."""
    try:
        path.stat()
    except PermissionError:
        return True  # it may be there: better to say "may not be read" than to look elsewhere
    except (OSError, ValueError):
        return False
    return True
