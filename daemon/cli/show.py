"""How documents look: JSON for programs, tables on a terminal, plain lines in a pipe. Pure but for the last functions.

It turns JSON-ready documents into parts and prints them; it looks nothing up.
"""

import json
import shutil
import sys
import textwrap
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
    "warning": "yellow",
    "problem": "bold red",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph; `style` only shows on a terminal. `indent` is in columns, `hang` how much more later lines have.

    A `spare` one is left out where a screen would be too small for all.
    """

    text: str
    style: str = ""
    indent: int = 0
    hang: int = 0
    spare: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under headings. A cell whose text is in STYLES gets that colour on a terminal."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[str] = frozenset()


Part = Line | Table
Alert = dict[str, Any]
EFFORTS = (
    ("maximum heart rate", "maximum_heart_rate_bpm"),
    ("threshold heart rate", "threshold_heart_rate_bpm"),
    ("threshold pace", "threshold_pace_s_per_km"),
)
SOURCES = {"config": "from your configuration"}
SAME_ALERT = timedelta(days=14)
HALF_A_YEAR = 182
Advance = Callable[[int, int], None]
"""Told of (done, total)."""


def runs(documents: Sequence[dict[str, Any]], zone: tzinfo, units: str) -> list[Part]:
    """`pullback runs` for a reader: one row a run, newest last."""
    if not documents:
        return [Line("No runs.")]
    unit = "mi" if units == "imperial" else "km"
    rows = tuple(_run(document, zone, units) for document in documents)
    headings = ("date", "id", "kind", unit, "load", f"bpm @ /{unit}", "left out because")
    counted = sum(document["easy_heart_rate"] is not None for document in documents)
    says = "says" if counted == 1 else "say"
    summary = f"{len(documents)} runs (* hard), {counted} of them {says} something about easy heart rate"
    if len(documents) == 1:
        summary = f"1 run (* hard), which says {'something' if counted else 'nothing'} about easy heart rate"
    return [Table(headings, rows, frozenset({"id", unit, "load"})), Line(summary)]


def replay(document: dict[str, Any], rated_days: int) -> list[Part]:
    """`pullback replay` for a reader: stretches of one verdict, when intensity came, and what would have been sent.

    Over fewer than half a year of `rated_days` the number of alerts is said alone: what it makes a year says nothing.
    """
    days = document["days"]
    if not days:
        return [Line("No runs to replay.")]
    stretches = [(verdict, list(found)) for verdict, found in groupby(days, key=lambda day: day["verdict"])]
    rows = tuple((run[0]["date"], run[-1]["date"], str(len(run)), words(verdict)) for verdict, run in stretches)
    parts: list[Part] = [Table(("from", "to", "days", "verdict"), rows, frozenset({"days"}))]
    for spell in document["intensity"]:
        start = f"came on {spell['introduced_on']}" if spell["introduced_on"] else "was there from the first run on"
        end = f", ended on {spell['ended_on']}" if spell["ended_on"] else ""
        parts.append(Line(f"Intensity {start}{change(spell)}{end}"))
    if document["alerts"]:
        told = tuple((alert["date"], words(alert["kind"]), alert["title"]) for alert in document["alerts"])
        parts.append(Table(("date", "alert", "title"), told))
    usable = document["usable_runs_per_week"]
    count = len(document["alerts"])
    often = f"{document['alerts_per_year']} a year, " if rated_days >= HALF_A_YEAR else ""
    parts.append(
        Line(
            f"{count} alert{'' if count == 1 else 's'} from {document['from']} to {document['to']}: "
            f"{often}from {usable if usable is not None else 0} usable runs a week"
        )
    )
    return parts


def comparison(document: dict[str, Any], now: Mapping[str, Any], rated_days: int) -> list[Part]:
    """`pullback replay --set` for a reader: figures and alerts of both walks side by side. `now` is what holds now."""
    if not document["days"]:
        return [Line("No runs to replay.")]
    parts: list[Part] = []
    for key, value in document["settings"].items():
        parts.append(Line(f"Trying {key} = {_setting(value)} (now {_setting(now[key])})", "bold"))
    before, after = document["before"], document
    yearly = str(before["alerts_per_year"]), str(after["alerts_per_year"])
    figures = (
        ("alerts", str(len(before["alerts"])), str(len(after["alerts"]))),
        *([("alerts a year", *yearly)] if rated_days >= HALF_A_YEAR else []),
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
    return f"{alert['date']} {words(alert['kind'])}" if alert else "-"


def _setting(value: Any) -> str:
    """A setting's value as the configuration file writes it."""
    if value is None:
        return "not set"
    return str(value).lower() if isinstance(value, bool) else str(value)


def change(spell: dict[str, Any]) -> str:
    """Whether intensity was added or took the place of easy running, to end a sentence with; "" where no one knows."""
    if spell["introduced_on"] is None:
        return ""
    return {
        "added": ", added to the week",
        "replaced": ", in place of easy running",
        "unclear": ", added or replaced isn't clear",
    }[spell["change"]]


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


def athlete(document: dict[str, Any], units: str) -> list[str]:
    """Who the runner is, a line each: easy running, the usual week, then what hard efforts have shown."""
    there, heart = document["easy_pace_s_per_km"], document["easy_heart_rate_bpm"]
    if there["value"] is None:
        return [f"easy pace is {there['source']}", *_week(document["week"]), *_efforts(document, units)]
    at = f" at {heart['value']:.0f} bpm" if heart["value"] is not None else f", heart rate {heart['source']}"
    device = f", by {document['device']}" if document["device"] else ""
    _, _, then = there["source"].partition(", as of ")
    told = f"as of {then} easy running was" if then else "easy running is"
    lines = [f"{told} {pace_unit(there['value'], units)}{at}{device}"]
    if document["sensor"] in ("B", "C"):
        lines.append("the sensor loses heart rate now and then; what can't be believed isn't used")
    return [*lines, *_week(document["week"]), *_efforts(document, units)]


def _listed(names: Sequence[str]) -> str:
    return "maximum and threshold" if len(names) == len(EFFORTS) else " and ".join(names)


def _week(week: dict[str, Any] | None) -> list[str]:
    if week is None:
        return []
    if not week["minutes"]:
        return [f"usual week: without running ({week['source']})"]
    _, _, then = week["source"].partition(", as of ")
    told = f"usual week as of {then}" if then else "usual week"
    runs = f"{told}: {_many(week['runs'], 'run')}, {week['minutes']} minutes, the longest {week['long_run_minutes']}"
    return [f"{runs}; {_many(week['rest_days'], 'rest day')}, {_many(week['hard_days'], 'hard day')}"]


def _efforts(document: dict[str, Any], units: str) -> list[str]:
    """Maximum and threshold with their sources; what isn't known for one reason shares a line."""
    unknown: dict[str, list[str]] = {}
    lines = []
    for name, key in EFFORTS:
        value, source = document[key]["value"], document[key]["source"]
        if value is None:
            unknown.setdefault(source, []).append(name)
        else:
            shown = pace_unit(value, units) if "pace" in key else f"{value:.0f}"
            lines.append(f"{name} {shown} ({SOURCES.get(source, source.removeprefix('learned from '))})")
    return lines + [f"{_listed(names)} {source}" for source, names in unknown.items()]


def _many(count: float, noun: str) -> str:
    """1 run, 1.5 runs, no hard days."""
    return f"{count:g} {noun}{'' if count == 1 else 's'}" if count else f"no {noun}s"


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


def moment(text: str, zone: tzinfo) -> str:
    return datetime.fromisoformat(text).astimezone(zone).strftime("%Y-%m-%d %H:%M")


def ago(age: timedelta) -> str:
    """5 minutes ago, 3 hours ago, 2 days ago; a moment ahead is now."""
    minutes = max(0, int(age.total_seconds() // 60))
    for unit, length in (("day", 1440), ("hour", 60), ("minute", 1)):
        if minutes >= 2 * length or (minutes >= length and unit == "minute"):
            return f"{minutes // length} {unit}{'' if minutes < 2 * length else 's'} ago"
    return "just now"


def words(name: str) -> str:
    """A verdict's or a signal's name as one says it."""
    return name.replace("_", " ")


def as_json(document: Any) -> None:
    """The document to standard output, and nothing else there."""
    print(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


def out(parts: Iterable[Part], stream: TextIO | None = None, at_most: int | None = None) -> None:
    """The parts to standard output: coloured and fitted to a terminal, or plain lines, one row a line, in a pipe.

    Where they are longer than `at_most` lines of a terminal, those that can be spared are left out there.
    """
    stream = stream or sys.stdout
    if stream.isatty():
        _on_terminal(parts, stream, at_most)
        return
    for part in parts:
        for line in plain(part):
            print(line, file=stream)


def say(text: str, stream: TextIO | None = None) -> None:
    """A message, at once: wrapped at blanks on a terminal, as it is in a pipe. Words and addresses stay whole."""
    stream = stream or sys.stdout
    if stream.isatty():
        width = shutil.get_terminal_size().columns
        text = "\n".join(_filled(line, width) for line in text.split("\n"))
    print(text, file=stream, flush=True)


def _filled(line: str, width: int) -> str:
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.fill(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


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


def _on_terminal(parts: Iterable[Part], stream: TextIO, at_most: int | None) -> None:
    from rich import box, table  # slow to load, and not needed in a pipe
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False, markup=False, emoji=False)

    def lines(part: Line) -> list[tuple[int, str]]:
        return list(_wrapped(part, lambda text, width: Text(text).wrap(console, width), console.width))

    for part in parts if at_most is None else _spared(list(parts), at_most, lambda part: len(lines(part))):
        if isinstance(part, Line):
            for indent, line in lines(part):
                console.print(Text(" " * indent + line, part.style))
            continue
        grid = table.Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        for name in part.headings:
            last = name == part.headings[-1]
            grid.add_column(name, justify="right" if name in part.right else "left", no_wrap=not last)
        for row in part.rows:
            grid.add_row(*(Text(cell, STYLES.get(cell.replace(" ", "_"), "")) for cell in row))
        console.print(grid)


def _spared(parts: list[Part], at_most: int, height: Callable[[Line], int]) -> list[Part]:
    """The parts without as many spare ones, from the end, as it takes to have `at_most` lines."""
    over = sum(height(part) for part in parts if isinstance(part, Line)) - at_most
    for n in range(len(parts) - 1, -1, -1):
        part = parts[n]
        if over > 0 and isinstance(part, Line) and part.spare:
            over -= height(part)
            del parts[n]
    return parts


def _wrapped(part: Line, wrap: Callable[[str, int], Iterable[Any]], width: int) -> Iterator[tuple[int, str]]:
    """The lines of a paragraph that is `width` columns wide, each with its indentation."""
    first, *more = [str(line).rstrip() for line in wrap(part.text, width - part.indent)] or [""]
    yield part.indent, first
    if more and part.hang:
        more = [str(line).rstrip() for line in wrap(part.text[len(first) :].lstrip(), width - part.indent - part.hang)]
    yield from ((part.indent + part.hang, line) for line in more)


@contextmanager
def progress(label: str, unit: str | None = None) -> Iterator[Advance]:
    """A bar on a terminal, told of (done, total), with how many of a `unit` pass a second; nothing in a pipe."""
    if not sys.stdout.isatty():
        yield lambda done, total: None
        return
    from rich.progress import Progress, ProgressColumn, Task
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:.0f} {unit}/s")

    columns = (*Progress.get_default_columns(), *([Speed()] if unit else []))
    with Progress(*columns, transient=True) as bar:
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
