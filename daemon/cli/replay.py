"""`pullback replay`: the stored history judged day by day, and what would have been sent. Sends and records nothing."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon.cli import show
from daemon.cli.session import Session, known_athlete
from daemon.errors import ConfigError

if TYPE_CHECKING:
    from daemon.config import Config


def command(
    context: typer.Context,
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help="Show from this day on.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Show up to this day.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Try a setting, such as signals.easy_heart_rate.h=8, and compare; may be given several times.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the document as JSON.")] = False,
) -> None:
    """Walk the stored history day by day: the verdicts, and the alerts that would have been sent."""
    from daemon import documents, evaluate
    from daemon.config import trying

    session: Session = context.obj
    begin, end = show.day(first), show.day(last)
    if begin and end and begin > end:
        raise typer.BadParameter(f"--from {first} lies after --to {last}")
    config = session.config()
    tried = _tried(session, changes) if changes else None
    with session.store() as store:
        athlete_id, now = known_athlete(store), session.clock.now()

        def walk(config: "Config") -> dict[str, Any]:
            replayed = evaluate.replay(store, athlete_id, config, now, first=begin, last=end)
            told = [{"date": t.day.isoformat(), "kind": t.kind, "title": t.title} for t in replayed.alerts]
            return documents.replay_document(replayed.verdicts, told, replayed.usable_runs_per_week)

        document = walk(config)
        parts = show.replay(document)
        if tried is not None and changes:
            settings = trying.settings(changes)
            document = documents.comparison_document(document, walk(tried), settings)
            parts = show.comparison(document, {key: trying.current(config, key) for key in settings})
    if as_json:
        show.as_json(document)
    else:
        show.out(parts)


def _tried(session: Session, changes: list[str]) -> "Config":
    try:
        return session.changed_config(changes)
    except ConfigError as error:
        raise typer.BadParameter("\n  ".join(["", *error.problems]), param_hint="--set") from None
