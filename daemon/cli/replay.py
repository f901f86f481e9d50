"""`pullback replay`: the stored history judged day by day, and what would have been sent. Sends and records nothing."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon.cli import show
from daemon.cli.session import Session, known_athlete
from daemon.errors import ConfigError

if TYPE_CHECKING:
    from daemon.config import Config
    from daemon.store import Store


def command(
    context: typer.Context,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="Show from this day on, such as 2026-11-02.")
    ] = None,
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
    """Walk the stored history day by day: the verdicts, and the alerts that would have been sent. Sends nothing."""
    from daemon import documents
    from daemon.config import trying

    session: Session = context.obj
    span = show.day(first), show.day(last)
    if span[0] and span[1] and span[0] > span[1]:
        raise typer.BadParameter(f"--from {first} lies after --to {last}")
    config = session.config()
    tried = _tried(session, changes) if changes else None
    with session.store() as store:
        document, rated = _walk(session, store, config, span)
        if tried is None or not changes:
            parts = show.replay(document, rated)
        else:
            settings = trying.settings(changes)
            document = documents.comparison_document(document, _walk(session, store, tried, span)[0], settings)
            parts = show.comparison(document, {key: trying.current(config, key) for key in settings}, rated)
    if as_json:
        show.as_json(document)
    else:
        show.out(parts)


def _walk(
    session: Session, store: "Store", config: "Config", span: tuple[date | None, date | None]
) -> tuple[dict[str, Any], int]:
    """The replay's document with these settings, and how many days its rates are over."""
    from daemon import documents, evaluate

    first, last = span
    replayed = evaluate.replay(store, known_athlete(store), config, session.clock.now(), first=first, last=last)
    told = [{"date": t.day.isoformat(), "kind": t.kind, "title": t.title} for t in replayed.alerts]
    rated = replayed.rated_days
    return documents.replay_document(replayed.verdicts, told, replayed.usable_runs_per_week, rated), rated


def _tried(session: Session, changes: list[str]) -> "Config":
    try:
        return session.changed_config(changes)
    except ConfigError as error:
        raise typer.BadParameter("\n  ".join(["", *error.problems]), param_hint="--set") from None
