"""Whatever a run, a watch or a file is called: no command lets it move the cursor, hide, run on, or become markup."""

import json
import re
import sqlite3
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import closing, redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from daemon import cli, evaluate
from daemon.store.backup import backup
from tests.cli.terminal import Terminal
from tests.exported import fit_file
from tests.house import House, plain_run
from tests.strained import strained_house

HOSTILE = (
    "<script>alert('ran')</script>",
    "{{ 7 * 7 }}{% raw %}[bold red]\n.\n",
    "\u202efdp.nur\u202c \u2066x\u2069",
    "\x1b]0;owned\x07\x1b[2J\x9b2J\x08\x7f\r",
    "x" * 10_000,
    "=cmd()|' /C calc'!A0",
    "**bold** _it_ [a](http://x) `rm -rf`",
    "\U000e0041\u2028\u2029\ufeff",
)
MARKS = re.compile(r"\x1b\[([0-9;]*m|\?25[lh]|2K|1A)")
"""Our own colours and progress bar: of what a name may hold, nothing but a colour is taken out with them."""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[int]]]:
    """The runner who was warned, whose runs and watch are called such things, and who was warned in those words."""
    with strained_house(tmp_path_factory.mktemp("hostile")) as house:
        _rename(house)
        house.evaluate()
        ids = [run.id for run in evaluate.runs(house.store, house.athlete_id, house.config)[-len(HOSTILE) :]]
        copy = house.path.with_name("copy.db")
        backup(house.path, copy)
        yield copy, ids


def _rename(house: House) -> None:
    with house.store.write() as session:
        raw = session.connection()
        raw.exec_driver_sql("DELETE FROM delivery")
        raw.exec_driver_sql("DELETE FROM alert")
        raw.exec_driver_sql("UPDATE sync_state SET data = json_remove(data, '$.judged_with')")
        ids = [row[0] for row in raw.exec_driver_sql("SELECT id FROM activity ORDER BY start")]
        for n, number in enumerate(ids):
            name = HOSTILE[n % len(HOSTILE)]
            facts = "json_set(facts, '$.name', ?, '$.device', ?)"
            raw.exec_driver_sql(
                f"UPDATE activity SET name = ?, facts = {facts} WHERE id = ?", (name, name, name, number)
            )


@pytest.fixture
def called(terminal: Terminal, database: tuple[Path, list[int]]) -> Terminal:
    terminal.database.parent.mkdir(parents=True, exist_ok=True)
    backup(database[0], terminal.database)
    return terminal


class Glass(StringIO):
    """Standard output that is a terminal."""

    def isatty(self) -> bool:
        return True


def on_glass(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    for name, value in {"COLUMNS": "80", "STATE_DIRECTORY": str(terminal.database.parent)}.items():
        monkeypatch.setenv(name, value)
    screen = Glass()
    with redirect_stdout(screen), redirect_stderr(screen):
        cli.main(["--config", str(terminal.config), *arguments])
    return MARKS.sub("", re.sub(r"\r(?=\x1b)", "\n", screen.getvalue()))


def harmless(text: str, longest: int) -> None:
    text.encode()
    bad = {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn")}
    assert not bad
    assert [line[:300] for line in text.splitlines() if len(line) > longest] == []


SHOWN: list[tuple[str, ...]] = [
    ("status",),
    ("runs",),
    ("explain", "ID"),
    ("replay",),
    ("check",),
    ("sync", "--dry-run"),
    ("feel", "ID", "heavy"),
    ("ack", "--reason", "ill"),
    ("snooze", "1d"),
    ("report", "-o", "report.html"),
    ("import", "FILES"),
]


@pytest.mark.parametrize("arguments", SHOWN, ids=" ".join)
def test_what_a_command_prints_is_harmless(
    called: Terminal, database: tuple[Path, list[int]], arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(called.home)
    called.authorise()
    now = called.world.now().replace(microsecond=0)
    for n, name in enumerate(HOSTILE):
        called.world.add(plain_run(9_000 + n, now - timedelta(days=n + 1), name=name, minutes=3))
    ids = database[1] if "ID" in arguments else [0]
    for number in ids:
        told = [{"ID": str(number), "FILES": str(_export(called.home))}.get(a, a) for a in arguments]
        piped = called.pullback(*told)
        assert piped.code in (0, 1) and "this is a bug" not in piped.err
        harmless(piped.out + piped.err, 450)
        harmless(on_glass(called, monkeypatch, *told), 80 if arguments[0] != "check" else 200)


def _export(home: Path) -> Path:
    """Files that are named like that, in an archive that is one, too: a good one, one of nothing, one cut short."""
    path = home / "export_77.zip"
    whole = fit_file(plain_run(1, datetime(2026, 11, 1, 6, tzinfo=UTC), minutes=3))
    with zipfile.ZipFile(path, "w") as archive:
        for n, name in enumerate(HOSTILE):
            content = (whole, b"", whole[:-300])[n % 3]
            archive.writestr(f"activities/{n}{name.replace('/', '_')}.fit", content)
    return path


@pytest.mark.parametrize("command", ["status", "runs", "explain", "replay"])
def test_json_keeps_every_name_and_controls_no_terminal(
    called: Terminal, database: tuple[Path, list[int]], command: str
) -> None:
    for number, name in zip(database[1], _names(database), strict=True):
        told = called.pullback(command, *([str(number)] if command == "explain" else []), "--json")
        harmless(told.out, 100_000)
        document: Any = json.loads(told.out)
        if command != "explain":
            break
        assert document["run"]["name"] == name


def _names(database: tuple[Path, list[int]]) -> list[str]:
    with closing(sqlite3.connect(database[0])) as raw:
        return [
            json.loads(raw.execute("SELECT facts FROM activity WHERE id = ?", (number,)).fetchone()[0])["name"]
            for number in database[1]
        ]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attributes: object) -> None:
        self.found.add(tag)


def test_the_report_and_the_alert_in_it_have_no_markup_but_ours(called: Terminal) -> None:
    html = called.pullback("report", "-o", "-").out
    tags = Tags()
    tags.feed(html)
    assert "script" not in tags.found and "Time to pull back" in html
    assert "{{ 7 * 7 }}" in html and "<bdi>49" not in html
    harmless(html, 100_000)
    assert "x" * 200 not in html
