"""`pullback replay`: the stored history judged day by day, and what would have been sent. Sends and records nothing."""

from typing import Annotated

import typer

from daemon.cli import show
from daemon.cli.session import Session, known_athlete


def command(
    context: typer.Context,
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help="Show from this day on.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Show up to this day.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the document as JSON.")] = False,
) -> None:
    """Walk the stored history day by day: the verdicts, and the alerts that would have been sent."""
    from daemon import documents, evaluate

    session: Session = context.obj
    begin, end = show.day(first), show.day(last)
    if begin and end and begin > end:
        raise typer.BadParameter(f"--from {first} lies after --to {last}")
    with session.store() as store:
        replayed = evaluate.replay(
            store, known_athlete(store), session.config(), session.clock.now(), first=begin, last=end
        )
    alerts = [{"date": told.day.isoformat(), "kind": told.kind, "title": told.title} for told in replayed.alerts]
    document = documents.replay_document(replayed.verdicts, alerts, replayed.usable_runs_per_week)
    if as_json:
        show.as_json(document)
    else:
        show.out(show.replay(document))
