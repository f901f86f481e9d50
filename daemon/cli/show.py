"""How documents look: JSON for programs, tables on a terminal, plain lines in a pipe. Pure but for the last functions.

It turns JSON-ready documents into parts and prints them; it looks nothing up.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import groupby
from typing import Any, TextIO

KM_PER_MILE = 1.609344
STYLES = {
    "pull_back": "bold red",
    "watch": "bold yellow",
    "recovering": "yellow",
    "absorbing": "cyan",
    "stable": "bold green",
    "alert": "red",
    "ok": "green",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph; `style` only shows on a terminal, `indent` is in columns."""

    text: str
    style: str = ""
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under headings. A cell whose text is in STYLES gets that colour on a terminal."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[str] = frozenset()


Part = Line | Table
Alert = dict[str, Any]
LOUDEST_FIRST = ("alert", "watch", "ok")
SAME_ALERT = timedelta(days=14)
Advance = Callable[[int, int], None]
"""Told of (done, total)."""


def status(document: dict[str, Any], zone: tzinfo) -> list[Part]:
    """`pullback status` for a reader."""
    since = f" since {document['since']}" if document["since"] else ""
    parts: list[Part] = [
        Line(f"{_words(document['verdict'])}{since}", STYLES.get(document["verdict"], "bold")),
        Line(document["headline"]),
        *(Line(f"- {advice}", indent=2) for advice in document["advice"]),
    ]
    if document.get("trouble"):
        parts.append(Line(document["trouble"], "red"))
    if document.get("waiting_until"):
        parts.append(Line(f"Waiting for Strava's rate limit until {_moment(document['waiting_until'], zone)}"))
    parts += [Line(""), *_signals(document["signals"]), Line(_intensity(document["intensity"]))]
    parts += [*_answers(document["answers"], document["data"]["last"]), *_data(document["data"], zone)]
    for alert in document["alerts_open"]:
        told = alert.get("title") or _words(alert["kind"])
        parts.append(Line(f"Open alert {alert['id']} since {alert['opened']}: {told}"))
        if alert["kind"] != "access":
            parts.append(Line(f"If you know why, answer it: pullback ack {alert['id']} --reason REASON", indent=2))
    return parts


def runs(documents: Sequence[dict[str, Any]], zone: tzinfo, units: str) -> list[Part]:
    """`pullback runs` for a reader: one row a run, newest last."""
    if not documents:
        return [Line("No runs.")]
    unit = "mi" if units == "imperial" else "km"
    rows = tuple(_run(document, zone, units) for document in documents)
    headings = ("date", "id", "kind", unit, "load", f"bpm @ /{unit}", "left out because")
    counted = sum(document["easy_heart_rate"] is not None for document in documents)
    summary = f"{len(documents)} runs (* hard), {counted} of them say something about easy heart rate"
    return [Table(headings, rows, frozenset({"id", unit, "load"})), Line(summary)]


def replay(document: dict[str, Any]) -> list[Part]:
    """`pullback replay` for a reader: stretches of one verdict, when intensity came, and what would have been sent."""
    days = document["days"]
    if not days:
        return [Line("No runs to replay.")]
    stretches = [(verdict, list(found)) for verdict, found in groupby(days, key=lambda day: day["verdict"])]
    rows = tuple((run[0]["date"], run[-1]["date"], str(len(run)), verdict) for verdict, run in stretches)
    parts: list[Part] = [Table(("from", "to", "days", "verdict"), rows, frozenset({"days"}))]
    for spell in document["intensity"]:
        start = f"introduced on {spell['introduced_on']}" if spell["introduced_on"] else "there from the first run on"
        end = f", ended on {spell['ended_on']}" if spell["ended_on"] else ""
        parts.append(Line(f"Intensity {start} ({spell['change']}){end}"))
    if document["alerts"]:
        told = tuple((alert["date"], alert["kind"], alert["title"]) for alert in document["alerts"])
        parts.append(Table(("date", "alert", "title"), told))
    usable = document["usable_runs_per_week"]
    count = len(document["alerts"])
    parts.append(
        Line(
            f"{count} alert{'' if count == 1 else 's'} from {document['from']} to {document['to']}: "
            f"{document['alerts_per_year']} a year, from {usable if usable is not None else 0} usable runs a week"
        )
    )
    return parts


def comparison(document: dict[str, Any], now: Mapping[str, Any]) -> list[Part]:
    """`pullback replay --set` for a reader: figures and alerts of both walks side by side. `now` is what holds now."""
    if not document["days"]:
        return [Line("No runs to replay.")]
    parts: list[Part] = []
    for key, value in document["settings"].items():
        parts.append(Line(f"Trying {key} = {_setting(value)} (now {_setting(now[key])})", "bold"))
    before, after = document["before"], document
    figures = (
        ("alerts", str(len(before["alerts"])), str(len(after["alerts"]))),
        ("alerts a year", str(before["alerts_per_year"]), str(after["alerts_per_year"])),
        ("usable runs a week", str(before["usable_runs_per_week"]), str(after["usable_runs_per_week"])),
    )
    heading = f"{document['from']} to {document['to']}"
    parts.append(Table((heading, "before", "after"), figures, frozenset({"before", "after"})))
    told = tuple((_told(old), _told(new)) for old, new in side_by_side(before["alerts"], after["alerts"]))
    if told:
        parts.append(Table(("alerts before", "alerts after"), told))
    parts.append(Line("Nothing was recorded or sent. To keep a setting, write it into the configuration."))
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
    return f"{alert['date']} {_words(alert['kind'])}" if alert else "-"


def _setting(value: Any) -> str:
    """A setting's value as the configuration file writes it."""
    if value is None:
        return "not set"
    return str(value).lower() if isinstance(value, bool) else str(value)


def days(first: date, last: date, this_year: int | None = None) -> str:
    """14 to 20 November; 28 November to 3 December; the year is said unless it is `this_year` throughout."""
    end = f"{last.day} {last:%B}" + ("" if first.year == last.year == this_year else f" {last.year}")
    if first == last:
        return end
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {end}"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first.day} {first:%B}{year} to {end}"


def pace(seconds_per_km: float, units: str) -> str:
    """Minutes and seconds per km or mile: "5:41"."""
    seconds = round(seconds_per_km * (KM_PER_MILE if units == "imperial" else 1))
    return f"{seconds // 60}:{seconds % 60:02d}"


def pace_unit(seconds_per_km: float, units: str) -> str:
    """A pace with its unit: "5:41/km"."""
    return f"{pace(seconds_per_km, units)}/{'mi' if units == 'imperial' else 'km'}"


def distance(km: float, units: str) -> str:
    """A distance with its unit: "10.2 km"."""
    return f"{km / KM_PER_MILE:.1f} mi" if units == "imperial" else f"{km:.1f} km"


def _run(document: dict[str, Any], zone: tzinfo, units: str) -> tuple[str, ...]:
    easy, km = document["easy_heart_rate"], document["distance_m"] / 1000
    return (
        datetime.fromisoformat(document["start"]).astimezone(zone).date().isoformat(),
        str(document["id"]),
        document["kind"] + (" *" if document["hard"] else ""),
        f"{km / KM_PER_MILE if units == 'imperial' else km:.1f}",
        f"{document['load']:.0f}",
        f"{easy['bpm']:.0f} @ {pace(easy['at_pace_s_per_km'], units)}" if easy else "",
        document["left_out"] or "",
    )


def _signals(signals: Sequence[dict[str, Any]]) -> list[Part]:
    """What is up, each with its summary, then the quiet ones in one line."""
    parts: list[Part] = []
    for signal in sorted(signals, key=lambda signal: LOUDEST_FIRST.index(signal["level"])):
        if signal["level"] != "ok":
            since = f" since {signal['since']}" if signal["since"] else ""
            parts.append(Line(f"{signal['level']}: {_words(signal['name'])}{since}", STYLES[signal["level"]]))
            parts.append(Line(signal["summary"], indent=2))
    quiet = [_words(signal["name"]) for signal in signals if signal["level"] == "ok"]
    return [*parts, Line(f"ok: {', '.join(quiet)}", STYLES["ok"])] if quiet else parts


def _answers(answers: Sequence[dict[str, Any]], last_day: str | None) -> list[Part]:
    """What the runner said of the last weeks; what a later answer covers isn't repeated."""
    recent = date.fromisoformat(last_day) - timedelta(weeks=8) if last_day else date.min
    told: dict[str, tuple[str, str, str]] = {}
    for answer in answers:
        new = answer["reason"], answer["first"], answer["last"]
        told = {text: old for text, old in told.items() if old[0] != new[0] or old[1] < new[1] or old[2] > new[2]}
        first, last = date.fromisoformat(new[1]), date.fromisoformat(new[2])
        if last >= recent:
            told[f"{new[0]}, {days(first, last)}"] = new
    return [Line(f"You said: {'; '.join(told)}")] if told else []


def _intensity(spell: dict[str, Any] | None) -> str:
    if spell is None:
        return "Intensity: none was introduced"
    start = "there from the first run on" if spell["established"] else f"since {spell['introduced_on']}"
    change = "" if spell["established"] else f", {spell['change']}"
    return f"Intensity: {start}, {spell['sessions']} sessions, {spell['per_week']:.1f} a week{change}"


def _data(data: dict[str, Any], zone: tzinfo) -> list[Part]:
    synced = _moment(data["last_sync"], zone) if data["last_sync"] else "never"
    runs = "none"
    if data["runs"]:
        runs = f"{data['runs']} ({data['with_heart_rate']} with heart rate), {data['first']} to {data['last']}"
    return [Line(f"Runs: {runs}"), Line(f"Last sync: {synced}")]


def _moment(text: str, zone: tzinfo) -> str:
    return datetime.fromisoformat(text).astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _words(name: str) -> str:
    return name.replace("_", " ")


def as_json(document: Any) -> None:
    """The document to standard output, and nothing else there."""
    print(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


def out(parts: Iterable[Part], stream: TextIO | None = None) -> None:
    """The parts to standard output: coloured and fitted to a terminal, or plain lines, one row a line, in a pipe."""
    stream = stream or sys.stdout
    if stream.isatty():
        _on_terminal(parts, stream)
        return
    for part in parts:
        for line in plain(part):
            print(line, file=stream)


def plain(part: Part) -> list[str]:
    """A part as lines of text; the columns of a table are aligned and two blanks apart."""
    if isinstance(part, Line):
        return [" " * part.indent + part.text]
    table = [part.headings, *part.rows]
    widths = [max(len(row[n]) for row in table) for n in range(len(part.headings))]
    lines = []
    for row in table:
        cells = zip(row, widths, part.headings, strict=True)
        padded = [cell.rjust(width) if name in part.right else cell.ljust(width) for cell, width, name in cells]
        lines.append("  ".join(padded).rstrip())
    return lines


def _on_terminal(parts: Iterable[Part], stream: TextIO) -> None:
    from rich import box, table  # slow to load, and not needed in a pipe
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    for part in parts:
        if isinstance(part, Line):
            console.print(Padding(Text(part.text, part.style), (0, 0, 0, part.indent)))
            continue
        grid = table.Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in part.headings:
            last = name == part.headings[-1]
            grid.add_column(name, justify="right" if name in part.right else "left", no_wrap=not last)
        for row in part.rows:
            grid.add_row(*(Text(cell, STYLES.get(cell, "")) for cell in row))
        console.print(grid)


@contextmanager
def progress(label: str) -> Iterator[Advance]:
    """A bar on a terminal, told of (done, total); nothing in a pipe."""
    if not sys.stdout.isatty():
        yield lambda done, total: None
        return
    from rich.progress import Progress

    with Progress(transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def day(text: str | None) -> date | None:
    """A date option; the error is a usage error, as everywhere in typer."""
    import typer

    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date such as 2026-11-02") from None
