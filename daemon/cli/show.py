"""How documents look: JSON for programs, tables on a terminal, plain lines in a pipe. Pure but for the last functions.

It turns JSON-ready documents into parts and prints them; it looks nothing up.
"""

import json
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, TextIO

from daemon import harmless
from daemon.clock import moment_text

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
    "off": "dim",
    "untried": "dim",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph; `style` only shows on a terminal. `indent` is in columns, `hang` how much more later lines have.

    Where a screen is too small for all, those go whose `spare` is largest, the last of them first; 0 stays.
    """

    text: str
    style: str = ""
    indent: int = 0
    hang: int = 0
    spare: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under headings. A cell whose text is in STYLES gets that colour on a terminal."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[str] = frozenset()


Part = Line | Table
NAME_LENGTH = 56
Advance = Callable[[int, int], None]
"""Told of (done, total)."""


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


def moment(text: str, zone: tzinfo) -> str:
    """2026-11-23 07:15 CET."""
    return moment_text(datetime.fromisoformat(text), zone)


def ago(age: timedelta) -> str:
    """5 minutes ago, 3 hours ago, 2 days ago; a moment ahead is now."""
    minutes = max(0, int(age.total_seconds() // 60))
    for unit, length in (("day", 1440), ("hour", 60), ("minute", 1)):
        if minutes >= 2 * length or (minutes >= length and unit == "minute"):
            return f"{minutes // length} {unit}{'' if minutes < 2 * length else 's'} ago"
    return "just now"


def named(name: str) -> str:
    """What a run is called, cut to leave room for more on a line of a terminal."""
    return harmless.one_line(name, NAME_LENGTH) or "Run"


def words(name: str) -> str:
    """A verdict's or a signal's name as one says it."""
    return name.replace("_", " ")


def as_json(document: Any) -> None:
    """The document to standard output, and nothing else there."""
    print(harmless.escaped(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)))


def out(parts: Iterable[Part], stream: TextIO | None = None, at_most: int | None = None) -> None:
    """The parts to standard output: coloured and fitted to a terminal, or plain lines, one row a line, in a pipe.

    Where they are longer than `at_most` lines of a terminal, those that can be spared are left out there.
    """
    stream, parts = stream or sys.stdout, [_harmless(part) for part in parts]
    if stream.isatty():
        _on_terminal(parts, stream, at_most)
        return
    for part in parts:
        for line in plain(part):
            print(line, file=stream)


def _harmless(part: Part) -> Part:
    """The same without what controls a terminal: a run or a file may be called anything."""
    if isinstance(part, Line):
        return replace(part, text=harmless.lines(part.text))
    return replace(part, rows=tuple(tuple(map(harmless.lines, row)) for row in part.rows))


def say(text: str, stream: TextIO | None = None) -> None:
    """A message, at once: wrapped at blanks on a terminal, as it is in a pipe. Words and addresses stay whole."""
    stream, text = stream or sys.stdout, harmless.lines(text)
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
    """The parts without as many spare ones as it takes to have `at_most` lines."""
    lines = {n: part for n, part in enumerate(parts) if isinstance(part, Line)}
    over = sum(map(height, lines.values())) - at_most
    gone = set()
    for n, part in sorted(lines.items(), key=lambda item: (-item[1].spare, -item[0])):
        if over > 0 and part.spare:
            over -= height(part)
            gone.add(n)
    return [part for n, part in enumerate(parts) if n not in gone]


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
