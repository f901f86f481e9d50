"""`make man`: the man page, from the same help that `--help` prints. Prints it, and does nothing else."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from inspect import cleandoc
from textwrap import wrap
from typing import Any

import typer

import daemon
from daemon import cli

FILES = (
    ("/etc/pullback/config.toml, ~/.config/pullback/config.toml", "The configuration of the service, and yours."),
    ("/var/lib/pullback/pullback.db, ~/.local/share/pullback/pullback.db", "The database of the service, and yours."),
)
ENVIRONMENT = (
    ("PULLBACK_CONFIG", "The configuration file to use, where --config names none."),
    ("PULLBACK_STRAVA_CLIENT_SECRET", "The client secret of your Strava app, instead of in the configuration."),
    ("NO_COLOR", "When set, nothing is coloured."),
)
EXITS = (
    ("0", "Done; also when the rest waits for Strava's rate limit."),
    ("1", "An expected problem, said in a sentence with what to do."),
    ("2", "Wrong usage, or a configuration that can't be used."),
    ("3", "A bug, with a pointer to the details."),
    ("130", "Interrupted."),
)
Entries = Iterable[tuple[str, str]]


def manual(day: date) -> str:
    """The page in roff's man macros, as of `day`."""
    group: Any = typer.main.get_command(cli.app)
    context = group.make_context("pullback", ["status"])
    about, *more = _paragraphs(group.help)
    lines = [
        f'.TH PULLBACK 1 {day} "pullback {daemon.__version__}" "User commands"',
        *(".SH NAME", *_lines(f"pullback - {about[0].lower()}{about[1:].rstrip('.')}")),
        *(".SH SYNOPSIS", r".B pullback", r"[OPTIONS] COMMAND [ARGS]..."),
        *(".SH DESCRIPTION", *_prose([about, *more])),
        *(".SH OPTIONS", *_entries(cli.explained(group, context)["Options"])),
        ".SH COMMANDS",
    ]
    for name in cli.COMMANDS:
        lines += _command(name, group.get_command(context, name), context)
    for title, entries in (("FILES", FILES), ("ENVIRONMENT", ENVIRONMENT), ("EXIT STATUS", EXITS)):
        lines += [f".SH {title}", *_entries(entries)]
    lines += [".SH SEE ALSO", *_prose(["The README, which says how a verdict comes about."])]
    return "\n".join(lines) + "\n"


def _command(name: str, command: Any, group_context: Any) -> Iterator[str]:
    context = command.context_class(command, info_name=name, parent=group_context)
    usage = " ".join(command.collect_usage_pieces(context))
    yield f".SS {_text(f'pullback {name} {usage}')}"
    yield from _prose(_paragraphs(command.help))
    for records in cli.explained(command, context).values():
        yield from _entries(record for record in records if not record[0].endswith("--help"))


def _entries(records: Entries) -> Iterator[str]:
    for name, text in records:
        yield from (".TP", f".B {_text(name)}", *_lines(text))


def _prose(paragraphs: Sequence[str]) -> Iterator[str]:
    for n, paragraph in enumerate(paragraphs):
        if n:
            yield ".PP"
        yield from _lines(paragraph)


def _paragraphs(text: str | None) -> list[str]:
    return [" ".join(part.split()) for part in cleandoc(text or "").split("\n\n")]


def _lines(text: str) -> list[str]:
    """A paragraph in lines as short as those who check such pages want them."""
    lines = wrap(_text(text), 78, break_long_words=False, break_on_hyphens=False)
    return [rf"\&{line}" if line.startswith((".", "'")) else line for line in lines]


def _text(text: str) -> str:
    """Text that roff takes as text: no escapes, no quotes to lose, and hyphens that can be copied."""
    return text.replace("\\", r"\e").replace("-", r"\-").replace('"', r"\(dq").replace("…", "...")


if __name__ == "__main__":
    sys.stdout.write(manual(date.today()))
