"""`pullback runs`: every run, what kind it was, and what it says about easy heart rate. Changes nothing."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Annotated, Any

import typer

from daemon import measures
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
        known = evaluate.runs(store, known_athlete(store), session.config())
        zone, units = session.zone(store), session.units(store)
    found = [documents.run_document(run) for run in known if run.is_run and (first is None or run.day >= first)]
    if as_json:
        show.as_json(found)
    else:
        show.out(listed(found, zone, units))


def listed(documents: Sequence[dict[str, Any]], zone: tzinfo, units: str) -> list[show.Part]:
    """`pullback runs` for a reader: one row a run, newest last."""
    if not documents:
        return [show.Line("No runs.")]
    unit = measures.unit(units)
    rows = tuple(_run(document, zone, units) for document in documents)
    headings = ("date", "id", "kind", unit, "load", f"bpm @ /{unit}", "left out because")
    counted = sum(document["easy_heart_rate"] is not None for document in documents)
    says = "says" if counted == 1 else "say"
    summary = f"{len(documents)} runs (* hard), {counted} of them {says} something about easy heart rate"
    if len(documents) == 1:
        summary = f"1 run (* hard), which says {'something' if counted else 'nothing'} about easy heart rate"
    return [show.Table(headings, rows, frozenset({"id", unit, "load"})), show.Line(summary)]


def _run(document: dict[str, Any], zone: tzinfo, units: str) -> tuple[str, ...]:
    easy = document["easy_heart_rate"]
    return (
        datetime.fromisoformat(document["start"]).astimezone(zone).date().isoformat(),
        str(document["id"]),
        document["kind"] + (" *" if document["hard"] else ""),
        f"{measures.length(document['distance_m'], units):.1f}",
        f"{document['load']:.0f}",
        f"{easy['bpm']:.0f} @ {measures.pace_alone(easy['at_pace_s_per_km'], units)}" if easy else "",
        document["left_out"] or "",
    )


def which(word: str) -> int | None:
    """The id in a runner's word for a run, None where that is `last`. Raises BadParameter."""
    if word == "last":
        return None
    if not (word.isascii() and word.isdigit()):
        raise typer.BadParameter(f"{word!r} is neither a run's id nor `last`; `pullback runs` lists the ids")
    return int(word)
