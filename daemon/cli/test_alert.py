"""`pullback test-alert`: a real rendering through the real channels, to see that it arrives. Stores nothing."""

from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Annotated

import typer

from daemon.cli import show
from daemon.cli.session import Session, athlete
from daemon.errors import UserError
from daemon.wording import KINDS


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise typer.BadParameter(f"{kind!r} is not one of {', '.join(KINDS)}")
    return kind


def command(
    context: typer.Context,
    kind: Annotated[
        str,
        typer.Option(
            metavar="KIND", callback=_known, autocompletion=lambda: list(KINDS), help=f"One of {', '.join(KINDS)}."
        ),
    ] = "pull_back",
) -> None:
    """Send an invented alert of a kind through every channel, and say which of them took it.

    The picture that comes with some kinds shows your own runs, where there are any.
    """
    from daemon import notify, wording
    from daemon.deliver import PICTURED

    session: Session = context.obj
    config = session.config()
    if not config.alerts.urls:
        raise UserError(f"no channel is configured; add one to [alerts] urls in {session.config_path()}")
    title, text = wording.rehearsal(kind, session.clock.now().date(), _units(session))
    show.out([show.Line(title, "bold"), show.Line(text), show.Line("")])
    drawn = cache(lambda: _picture(session, title) if kind in PICTURED else None)
    failed, channels = 0, config.alerts.numbered()
    for url, (number, scheme) in channels.items():
        problem = notify.send(url, notify.Message(title, text, picture=drawn))
        failed += problem is not None
        said = problem.text if problem else "sent"
        show.out([show.Line(f"channel {number} ({scheme}): {said}", "red" if problem else "green")])
    if drawn.cache_info().currsize and drawn() is not None:
        show.out([show.Line("Channels that take pictures got one, with your own runs.")])
    if failed:
        raise UserError(f"{failed} of {len(channels)} channels failed; compare [alerts] urls with their service")


def _units(session: Session) -> str:
    """The runner's units; channels can be tried before there is a database, and where it is damaged."""
    from daemon.evaluate.history import units_of
    from daemon.store import StoreError
    from daemon.store.progress import Progress

    if session.database().exists():
        with suppress(StoreError), session.store() as store:  # `pullback check` says what is wrong with it
            return session.units(store)
    return units_of(Progress(), session.config())


def _picture(session: Session, title: str) -> bytes | None:
    """What an alert of today would show; None where nothing was judged yet, or where it can't be drawn."""
    from daemon.evaluate.looking import lately
    from daemon.report.picture import picture
    from daemon.store import StoreError

    if not session.database().exists():
        return None
    try:
        with session.store() as store:
            data = lately(store, athlete(store), session.config())
    except StoreError:  # `pullback check` says what is wrong with it; this is about the channels
        return None
    return None if data is None else picture(replace(data, title=title))
