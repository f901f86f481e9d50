"""`pullback init`: writes the commented example as a new configuration. Overwrites nothing."""

import os
from pathlib import Path

import typer

from daemon.cli import show
from daemon.cli.session import Session
from daemon.config import user_config
from daemon.errors import UserError

NAME = "config.example.toml"


def command(context: typer.Context) -> None:
    """Write a commented configuration, readable by you only; an existing one is left alone.

    It goes to --config PATH, else to $PULLBACK_CONFIG, else to ~/.config/pullback/config.toml.
    """
    path = _destination(context.obj)
    write_new(path, example().read_text("utf-8"))
    show.say(
        f"Wrote {path}\n"
        "Next: create your Strava app (callback domain: localhost) at\n"
        "  https://www.strava.com/settings/api\n"
        "Put its client_id and client_secret into that file, and run `pullback auth`.\n"
        "Without an app: `pullback import` with the archive that Strava sends you, or with your watch's files; "
        "set timezone under [athlete] before, as not every file tells where you live."
    )


def _destination(session: Session) -> Path:
    named = session.config_option or session.environ.get("PULLBACK_CONFIG")
    return Path(named) if named else user_config(session.environ)


def write_new(path: Path, text: str) -> None:
    """Write `text` to a file only its owner may read; raises UserError where there is one already."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise UserError(f"{path} is there already and stays as it is; edit it, or name another with --config") from None
    except OSError as error:
        reason = (error.strerror or "it failed").lower()
        raise UserError(f"{path} can't be written ({reason}); name another with --config") from None
    with open(handle, "w", encoding="utf-8") as file:
        file.write(text)


def example() -> Path:
    """The commented example: inside the package where it is installed, beside it in the source tree."""
    package = Path(__file__).parents[1]
    installed = package / NAME
    return installed if installed.is_file() else package.parent / NAME
