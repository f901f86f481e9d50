"""config.example.toml names every key there is, with its true default and a line that says what it does."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

from daemon.config import Config, parse
from daemon.config.model import TABLES
from daemon.notify import problem_with
from daemon.signals import SignalParams

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
SIGNALS = get_type_hints(SignalParams)
KEY = re.compile(r"# (\w+) = (.+)")


def read(text: str) -> Config:
    return parse(text, environ={}, where="", check_url=problem_with, signal_tables=SIGNALS)


def described() -> dict[tuple[str, str], tuple[str, str]]:
    """(table, key) -> (the line that sets it, the comment above it)."""
    found, table, above = {}, "", ""
    for line in EXAMPLE.read_text("utf-8").splitlines():
        if match := re.fullmatch(r"\[([\w.]+)\]", line):
            table = match[1]
        elif match := KEY.fullmatch(line):
            found[table, match[1]] = (line.removeprefix("# "), above)
        above = line
    return found


def every_key() -> set[tuple[str, str]]:
    tables: dict[str, Any] = TABLES | {f"signals.{name}": table for name, table in SIGNALS.items()}
    return {(name, f.name) for name, table in tables.items() for f in fields(table)}


def test_as_it_is_it_changes_nothing() -> None:
    assert read(EXAMPLE.read_text("utf-8")) == read("")


def test_every_key_is_there_and_no_other() -> None:
    assert set(described()) == every_key()


def test_every_key_has_a_line_of_comment_and_its_true_default() -> None:
    untrue = []
    for (table, key), (line, comment) in described().items():
        assert comment.startswith("# "), f"[{table}] {key} has no comment above it"
        assert not KEY.fullmatch(comment), f"[{table}] {key} has no comment of its own"
        text = f"[{table}]\n{line}"
        if "(no default" in comment:
            assert tomllib.loads(text)
            if not key.endswith("_file"):
                assert read(text) != read("")
        elif read(text) != read(""):
            untrue.append(text)
    assert untrue == []
