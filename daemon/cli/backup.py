"""`pullback backup FILE`: a copy of the database by hand. Overwrites nothing, and needs no Strava."""

from pathlib import Path
from typing import Annotated

import typer

from daemon.cli import show
from daemon.cli.session import Session


def command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes; a file that is there stays.")],
) -> None:
    """Copy the database to FILE, readable by you only, while the daemon goes on."""
    from daemon.store.backup import backup
    from daemon.store.restored import take_in

    session: Session = context.obj
    target = file.absolute()
    if target.is_dir():
        raise typer.BadParameter(f"{file} is a folder; name a file in it", param_hint="FILE")
    take_in(session.database())
    backup(session.database(), target)
    show.say(f"Copied and examined: {target} ({target.stat().st_size / 2**20:.1f} MB). It holds Strava's tokens, too.")
