"""`pullback runs`: every run, what kind it was, and what it says about easy heart rate. Changes nothing."""

from typing import Annotated

import typer

from daemon.cli import show
from daemon.cli.session import Session, known_athlete


def command(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print the documents as JSON.")] = False,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only runs from this day on, such as 2026-11-02.")
    ] = None,
) -> None:
    """List every run with its kind and what it contributed, or why it was left out."""
    from daemon import documents, evaluate

    session: Session = context.obj
    first = show.day(since)
    with session.store() as store:
        found = evaluate.runs(store, known_athlete(store), session.config())
        zone = session.zone(store)
    listed = [documents.run_document(run) for run in found if run.is_run and (first is None or run.day >= first)]
    if as_json:
        show.as_json(listed)
    else:
        show.out(show.runs(listed, zone, session.config().athlete.units or "metric"))
