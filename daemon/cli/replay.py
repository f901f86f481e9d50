"""`pullback replay`: the stored history judged day by day, and what would have been sent. Sends and records nothing."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon import wording
from daemon.cli import show
from daemon.cli.session import Session, known_athlete
from daemon.errors import ConfigError

if TYPE_CHECKING:
    from daemon.config import Config
    from daemon.store import Store

Alert = dict[str, Any]
SAME_ALERT = timedelta(days=14)
HALF_A_YEAR = 182


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
            parts = replayed(document, rated)
        else:
            settings = trying.settings(changes)
            document = documents.comparison_document(document, _walk(session, store, tried, span)[0], settings)
            parts = comparison(document, {key: trying.current(config, key) for key in settings}, rated)
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
    days, rated, usable = replayed.days, replayed.rated_days, replayed.usable_runs_per_week
    document = documents.replay_document(days, replayed.intensity, told, usable, rated)
    return document | {"recordings_to_fetch": replayed.to_fetch}, rated


def _tried(session: Session, changes: list[str]) -> "Config":
    try:
        return session.changed_config(changes)
    except ConfigError as error:
        raise typer.BadParameter("\n  ".join(["", *error.problems]), param_hint="--set") from None


def replayed(document: dict[str, Any], rated_days: int) -> list[show.Part]:
    """`pullback replay` for a reader: stretches of one verdict, when intensity came, and what would have been sent.

    Over fewer than half a year of `rated_days` the number of alerts is said alone: what it makes a year says nothing.
    """
    days = document["days"]
    if not days:
        return [show.Line("No runs to replay.")]
    stretches = [(verdict, list(found)) for verdict, found in groupby(days, key=lambda day: day["verdict"])]
    rows = tuple((run[0]["date"], run[-1]["date"], str(len(run)), show.words(verdict)) for verdict, run in stretches)
    parts: list[show.Part] = [show.Table(("from", "to", "days", "verdict"), rows, frozenset({"days"}))]
    for spell in document["intensity"]:
        start = f"came on {spell['introduced_on']}" if spell["introduced_on"] else "was there from the first run on"
        end = f", ended on {spell['ended_on']}" if spell["ended_on"] else ""
        parts.append(show.Line(f"Intensity {start}{show.change(spell)}{end}"))
    if document["alerts"]:
        told = tuple((alert["date"], show.words(alert["kind"]), alert["title"]) for alert in document["alerts"])
        parts.append(show.Table(("date", "alert", "title"), told))
    usable = document["usable_runs_per_week"]
    count = len(document["alerts"])
    often = (
        f"{document['alerts_per_year']} a year{_rated(len(days), rated_days)}, " if rated_days >= HALF_A_YEAR else ""
    )
    parts.append(
        show.Line(
            f"{count} alert{'' if count == 1 else 's'} from {document['from']} to {document['to']}: "
            f"{often}from {usable if usable is not None else 0} usable runs a week"
        )
    )
    return [*parts, *_unfetched(document)]


def _unfetched(document: dict[str, Any]) -> list[show.Part]:
    missing = wording.unfetched(document.get("recordings_to_fetch", 0))
    return [show.Line(missing)] if missing else []


def _rated(days: int, rated_days: int) -> str:
    """Over what a rate is, where that is less than the days that are shown."""
    return f" over the {rated_days / 365.25:.1f} years with runs" if rated_days < days else ""


def comparison(document: dict[str, Any], now: Mapping[str, Any], rated_days: int) -> list[show.Part]:
    """`pullback replay --set` for a reader: figures and alerts of both walks side by side. `now` is what holds now."""
    if not document["days"]:
        return [show.Line("No runs to replay.")]
    parts: list[show.Part] = []
    for key, value in document["settings"].items():
        parts.append(show.Line(f"Trying {key} = {_setting(value)} (now {_setting(now[key])})", "bold"))
    before, after = document["before"], document
    yearly = str(before["alerts_per_year"]), str(after["alerts_per_year"])
    figures = (
        ("alerts", str(len(before["alerts"])), str(len(after["alerts"]))),
        *(
            [(f"alerts a year{_rated(len(document['days']), rated_days)}", *yearly)]
            if rated_days >= HALF_A_YEAR
            else []
        ),
        ("usable runs a week", str(before["usable_runs_per_week"]), str(after["usable_runs_per_week"])),
    )
    heading = f"{document['from']} to {document['to']}"
    parts.append(show.Table((heading, "before", "after"), figures, frozenset({"before", "after"})))
    told = [(_told(old), _told(new)) for old, new in side_by_side(before["alerts"], after["alerts"])]
    differ, same = tuple(pair for pair in told if pair[0] != pair[1]), [old for old, new in told if old == new]
    if differ:
        parts.append(show.Table(("alerts before", "alerts after"), differ))
    if same:
        parts.append(show.Table(("the same before and after",), tuple((alert,) for alert in same)))
    parts += _unfetched(document)
    parts.append(show.Line("Nothing was recorded or sent. To keep a setting, write it into the configuration."))
    return parts


def side_by_side(before: Sequence[Alert], after: Sequence[Alert]) -> Iterator[tuple[Alert | None, Alert | None]]:
    """Alerts of two walks in order of date; one of the same kind within two weeks is the same one, moved."""
    left, right = list(before), list(after)
    while left or right:
        old, new = (left[0] if left else None), (right[0] if right else None)
        if old and new and not (old["kind"] == new["kind"] and _apart(old, new) <= SAME_ALERT):
            old, new = (old, None) if old["date"] <= new["date"] else (None, new)
        yield (left.pop(0) if old else None), (right.pop(0) if new else None)


def _apart(old: Alert, new: Alert) -> timedelta:
    return abs(date.fromisoformat(old["date"]) - date.fromisoformat(new["date"]))


def _told(alert: Alert | None) -> str:
    return f"{alert['date']} {show.words(alert['kind'])}" if alert else "-"


def _setting(value: Any) -> str:
    """A setting's value as the configuration file writes it."""
    if value is None:
        return "not set"
    return str(value).lower() if isinstance(value, bool) else str(value)
