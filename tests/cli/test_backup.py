"""`pullback backup FILE`: whole, private, and never over something else."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

from tests.cli.terminal import Terminal


def test_a_copy_is_made_while_the_database_is_in_use(terminal: Terminal, tmp_path: Path) -> None:
    terminal.authorise()
    target = tmp_path / "copy.db"
    result = terminal.pullback("backup", str(target))
    assert (result.code, result.err) == (0, "")
    assert str(target) in result.out
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("SELECT count(*) FROM token").fetchone() == (1,)


def test_what_is_there_stays_and_the_sentence_says_what_to_do(terminal: Terminal, tmp_path: Path) -> None:
    terminal.authorise()
    (tmp_path / "mine").write_text("mine")
    result = terminal.pullback("backup", str(tmp_path / "mine"))
    assert (result.code, result.err.count("\n")) == (1, 1)
    assert "name another file" in result.err
    assert (tmp_path / "mine").read_text() == "mine"
    assert terminal.pullback("backup", str(tmp_path)).code == 2


def test_without_a_database_there_is_nothing_to_copy(terminal: Terminal, tmp_path: Path) -> None:
    result = terminal.pullback("backup", str(tmp_path / "copy.db"))
    assert result.code == 1
    assert "no database" in result.err and "pullback auth" in result.err
    assert not terminal.database.exists()


def test_a_folder_nobody_may_write_to_is_said(terminal: Terminal) -> None:
    terminal.authorise()
    result = terminal.pullback("backup", "/proc/nowhere/copy.db")
    assert (result.code, result.err.count("\n")) == (1, 1)
