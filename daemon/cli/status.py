"""`pullback status`: the verdict, what it rests on, and what is open. Reads the record; asks nobody."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon import wording
from daemon.cli import runner, show, sparks
from daemon.cli.session import Session, athlete

if TYPE_CHECKING:
    from daemon.config import Config

LOUDEST_FIRST = ("alert", "watch")
SCREEN = 24
"""Lines of a terminal of 25, less the one of its prompt; what is longer is in `pullback report`, or in a pipe."""
MOST_SIGNS = 3
"""So many signs are told in full; of more the names are enough."""
PLENTY = 3
"""So much advice stays however little room there is; it comes in the order of its weight."""
DETAIL, RUNNER, SIGNS, WEEKS, NAMES, BASIS, MORE = 7, 6, 5, 4, 3, 2, 1
"""What goes where a screen is too small for all, the largest first."""


def command(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print the document as JSON.")] = False
) -> None:
    """Show the verdict and what to do, the last twelve weeks, the signs that are up, the last sync and open alerts.

    On a terminal at most 25 lines; in a pipe all of it.
    """
    from daemon.evaluate import whole_status
    from daemon.evaluate.looking import lately

    session: Session = context.obj
    config, now = session.config(), session.clock.now()
    with session.store() as store:
        document = whole_status(store, config, now)
        if as_json:
            show.as_json(document)
            return
        zone, units = session.zone(store), session.units(store)
        drawn = lately(store, athlete(store), config)
    charts = sparks.rows(drawn, sparks.can_draw(sys.stdout.encoding, session.environ)) if drawn else []
    show.out(standing(document, zone, units, _named(config), charts=charts, now=now), at_most=SCREEN)


def _named(config: "Config") -> dict[str, str]:
    """What channels are called, by what the store knows them by."""
    from daemon.store.outbox import channel_id

    numbered = config.alerts.numbered().items()
    return {channel_id(url): f"channel {number} ({scheme})" for url, (number, scheme) in numbered}


def standing(
    document: dict[str, Any],
    zone: tzinfo,
    units: str,
    channels: Mapping[str, str] = MappingProxyType({}),
    *,
    charts: Sequence[show.Line] = (),
    now: datetime | None = None,
) -> list[show.Part]:
    """The document for a reader: the verdict and what to do, why, who the runner is, what it rests on.

    `charts` stand between the two; `now` tells how long ago the last sync was.
    """
    parts = [*_verdict(document), *_in_the_way(document, zone, channels), show.Line("", spare=BASIS)]
    parts += [replace(line, spare=WEEKS) for line in charts]
    parts += [*_signals(document["signals"], document["verdict"]), _intensity(document)]
    if document["athlete"] is not None:
        first, *more = runner.athlete(document["athlete"], units)
        parts.append(show.Line(f"You: {first}", hang=2, spare=RUNNER))
        parts += [show.Line(line, indent=2, hang=2, spare=DETAIL) for line in more]
    parts += [*_answers(document["answers"], document["data"]["last"]), *_data(document, zone, now)]
    for alert in document["alerts_open"]:
        told = alert.get("title") or show.words(alert["kind"])
        parts.append(show.Line(f"Open alert {alert['id']} of {alert['opened']}: {told}"))
        if alert["kind"] not in ("access", "stale"):
            answer = f"To answer: pullback ack {alert['id']} --reason ill (or heat, travel, sensor, fine)"
            parts.append(show.Line(answer, indent=2, spare=MORE))
    return parts


def _verdict(document: dict[str, Any]) -> list[show.Part]:
    """What it is, since when, and what to do."""
    since = f" since {document['since']}" if document["since"] else ""
    verdict = document["verdict"]
    return [
        show.Line(f"{show.words(verdict)}{since}", show.STYLES.get(verdict, "bold")),
        show.Line(document["headline"], hang=2),
        *(
            show.Line(f"- {advice}", indent=2, hang=2, spare=MORE if n >= PLENTY else 0)
            for n, advice in enumerate(document["advice"])
        ),
    ]


def _in_the_way(document: dict[str, Any], zone: tzinfo, channels: Mapping[str, str]) -> list[show.Part]:
    """Why runs or warnings don't come."""
    parts: list[show.Part] = []
    if document.get("trouble"):
        parts.append(show.Line(document["trouble"], "red"))
    if document.get("waiting_until"):
        until = show.moment(document["waiting_until"], zone)
        parts.append(show.Line(f"Waiting for Strava's rate limit until {until}", spare=MORE))
    if document.get("snoozed_until"):
        until = show.moment(document["snoozed_until"], zone)
        parts.append(show.Line(f"Snoozed: nothing is sent until {until}; `pullback resume` ends it", "yellow"))
    for n, found in enumerate(document.get("undelivered", ())):
        parts.append(show.Line(_undelivered(found, channels), "red", spare=BASIS if n else 0))
    return parts


def _undelivered(found: dict[str, Any], channels: Mapping[str, str]) -> str:
    channel = channels.get(found["channel"], "a channel that is no longer in the config")
    now = "given up" if found["given_up"] else "tried again"
    return f"Alert {found['alert']} of {found['opened']} didn't reach {channel}: {found['error']}; {now}"


def _signals(signals: Sequence[dict[str, Any]], verdict: str) -> list[show.Part]:
    """What is up, each with its summary; easy heart rate, whatever it is; then how many are fine."""
    parts: list[show.Part] = []
    up = [signal for level in LOUDEST_FIRST for signal in signals if signal["level"] == level]
    for n, signal in enumerate(up[:MOST_SIGNS]):
        level = signal["level"]
        since = f", began {signal['since']}" if signal["since"] else ""
        told = f"{show.words(signal['name'])} ({level}{since}): {signal['summary']}{_lately(signal['evidence'])}"
        parts.append(show.Line(told, show.STYLES[level], hang=2, spare=SIGNS if n else MORE))
    if len(up) > MOST_SIGNS:
        parts.append(show.Line(f"also up: {_names(up[MOST_SIGNS:])}", hang=2, spare=NAMES))
    heart = next((signal for signal in signals if signal["name"] == "easy_heart_rate"), None)
    if heart is not None and heart not in up:
        parts.append(show.Line(heart["summary"], hang=2, spare=BASIS))
    elif heart is None and signals and verdict != "learning":
        parts.append(show.Line("Easy heart rate can't be judged at the moment."))
    # What belongs to no family, as intensity, raises no concern: it has a line of its own.
    quiet = [s for s in signals if s["level"] == "ok" and s.get("family") and s is not heart]
    if not quiet or verdict == "learning":  # while something is lacking, silence says nothing
        return parts
    return [*parts, show.Line(f"{len(quiet)} other sign{' is' if len(quiet) == 1 else 's are'} fine", spare=DETAIL)]


def _lately(evidence: dict[str, Any]) -> str:
    """Where the last few runs stand: a rise that is over stays up until those that made it are old."""
    bpm = evidence.get("recent_delta_bpm")
    if bpm is None:
        return ""
    where = "at it" if abs(bpm) < 0.5 else f"{abs(bpm):.0f} bpm {'above' if bpm > 0 else 'below'} it"
    faster = " Easy runs have become clearly faster." if evidence.get("faster") else ""
    return f" The last three were {where}.{faster}"


def _names(signals: Sequence[dict[str, Any]]) -> str:
    return ", ".join(show.words(signal["name"]) for signal in signals)


def _intensity(document: dict[str, Any]) -> show.Line:
    spell = document["intensity"]
    if spell is not None:
        start = "there from the first run on" if spell["established"] else f"since {spell['introduced_on']}"
        sessions = "1 session" if spell["sessions"] == 1 else f"{spell['sessions']} sessions"
        often = f"{sessions}, {spell['per_week']:.1f} a week of late"
        return show.Line(f"Intensity: {start}, {often}{show.change(spell)}", hang=2, spare=BASIS)
    found = next((signal for signal in document["signals"] if signal["name"] == "intensity"), None)
    ended = found["evidence"].get("ended_on") if found else None
    told = f"none now, the last spell ended on {ended}" if ended else "none yet"
    if not document["signals"]:
        told = "not known yet"
    return show.Line(f"Intensity: {told}", spare=BASIS)


def _answers(answers: Sequence[dict[str, Any]], last_day: str | None) -> list[show.Part]:
    """What the runner said of the last weeks; what a later answer covers isn't repeated."""
    recent = date.fromisoformat(last_day) - timedelta(weeks=8) if last_day else date.min
    told: dict[str, tuple[str, str, str]] = {}
    for answer in answers:
        new = answer["reason"], answer["first"], answer["last"]
        told = {text: old for text, old in told.items() if old[0] != new[0] or old[1] < new[1] or old[2] > new[2]}
        first, last = date.fromisoformat(new[1]), date.fromisoformat(new[2])
        if last >= recent:
            told[f"{new[0]}, {show.days(first, last)}"] = new
    return [show.Line(f"You said: {'; '.join(told)}", hang=2, spare=RUNNER)] if told else []


def _data(document: dict[str, Any], zone: tzinfo, now: datetime | None) -> list[show.Part]:
    data, waiting = document["data"], document.get("deliveries_waiting")
    unsent = f"; {waiting} message{' waits' if waiting == 1 else 's wait'} to be sent" if waiting else ""
    # Who has files only never syncs.
    imports = data["last_sync"] is None and data.get("last_import") is not None
    came, at = "never", data["last_import"] if imports else data["last_sync"]
    if at:
        age = "" if now is None else f" ({show.ago(now - datetime.fromisoformat(at))})"
        came = f"{show.moment(at, zone)}{age}"
    runs = "none"
    if data["runs"]:
        runs = f"{data['runs']} ({data['with_heart_rate']} with heart rate), {data['first']} to {data['last']}"
    missing = wording.unfetched(data.get("recordings_to_fetch", 0))
    return [
        show.Line(f"Runs: {runs}", spare=BASIS),
        *([show.Line(missing, hang=2)] if missing else []),
        show.Line(f"Last {'import' if imports else 'sync'}: {came}{unsent}"),
    ]
