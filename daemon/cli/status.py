"""`pullback status`: the verdict, what it rests on, and what is open. Reads the record; asks nobody."""

from typing import Annotated

import typer

from daemon.cli import show
from daemon.cli.session import Session, athlete


def command(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print the document as JSON.")] = False
) -> None:
    """Show the verdict, the signals, intensity, the last sync and open alerts."""
    from daemon.evaluate import status_document

    session: Session = context.obj
    with session.store() as store:
        zone = session.zone(store)
        document = status_document(store, athlete(store), zone)
    if as_json:
        show.as_json(document)
    else:
        show.out(show.status(document, zone))
