"""`pullback test-alert`: a real rendering through the real channels, to see that it arrives. Stores nothing."""

from typing import Annotated

import typer

from daemon.cli import show
from daemon.cli.session import Session
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
    """Send an invented alert of a kind through every channel, and say which of them took it."""
    from daemon import notify, wording

    session: Session = context.obj
    config = session.config()
    if not config.alerts.urls:
        raise UserError(f"no channel is configured; add one to [alerts] urls in {session.config_path()}")
    with session.store() as store:
        units = session.units(store)
    title, text = wording.rehearsal(kind, session.clock.now().date(), units)
    show.out([show.Line(title, "bold"), show.Line(text), show.Line("")])
    failed = 0
    for number, channel in enumerate(config.alerts.urls, 1):
        problem = notify.send(channel.url, notify.Message(title, text))
        failed += problem is not None
        scheme = channel.url.split("://", 1)[0]
        show.out(
            [
                show.Line(
                    f"channel {number} ({scheme}): {problem.text if problem else 'sent'}", "red" if problem else "green"
                )
            ]
        )
    if failed:
        raise UserError(
            f"{failed} of {len(config.alerts.urls)} channels failed; compare [alerts] urls with their service"
        )
