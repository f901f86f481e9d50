"""`pullback report` at the terminal: where the page goes, and what is said when there is none."""

import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.house import plain_run

ROOT = Path(__file__).parents[2]


@pytest.fixture
def runner(terminal: Terminal) -> Terminal:
    """Has run three times, once under a name that is markup."""
    terminal.authorise()
    now = datetime.now(UTC)
    for n in range(1, 4):
        terminal.world.add(plain_run(n, now - timedelta(days=n), minutes=3, name=f"<i>Run {n}</i>"))
    assert terminal.pullback("sync").code == 0
    return terminal


def test_the_page_lies_in_the_current_folder_and_a_newer_one_takes_its_place(
    runner: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "pullback-report.html"
    page.write_text("last week's")
    result = runner.pullback("report")
    assert (result.code, result.err) == (0, "")
    assert str(page) in result.out
    assert "&lt;i&gt;Run 3&lt;/i&gt;" in page.read_text() and "last week's" not in page.read_text()


def test_a_page_on_standard_output_is_nothing_but_the_page(runner: Terminal) -> None:
    result = runner.pullback("report", "-o", "-")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("<!doctype html>") and result.out.rstrip().endswith("</html>")
    refused = runner.pullback("report", "-o", "-", "--open")
    assert refused.code == 2 and "can't be opened" in refused.err and refused.out == ""


def test_a_page_is_utf_8_whatever_the_terminal_speaks(runner: Terminal, tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "STATE_DIRECTORY": str(runner.database.parent)}
    command = [sys.executable, "-m", "daemon", "--config", str(runner.config), "report", "-o", "-"]
    environ["PYTHONIOENCODING"] = "ascii"
    page = subprocess.run(command, cwd=ROOT, env=environ, check=True, stdout=subprocess.PIPE).stdout
    assert page.decode().rstrip().endswith("</html>")


def test_a_page_that_can_be_put_nowhere_is_one_sentence(runner: Terminal, tmp_path: Path) -> None:
    result = runner.pullback("report", "-o", str(tmp_path / "nowhere" / "page.html"))
    assert result.code == 1 and "no such file or directory; name another file with -o" in result.err
    assert len(result.err.splitlines()) == 1


def test_the_browser_opens_what_was_written(runner: Terminal, tmp_path: Path) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(browser.stat().st_mode | stat.S_IXUSR)
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "STATE_DIRECTORY": str(runner.database.parent)}
    command = [sys.executable, "-m", "daemon", "--config", str(runner.config), "report", "-o", "my page.html", "--open"]
    subprocess.run(command, cwd=tmp_path, env=environ | {"BROWSER": str(browser), "PYTHONPATH": str(ROOT)}, check=True)
    assert opened.read_text().strip() == (tmp_path / "my page.html").as_uri()


def test_before_there_is_anything_it_says_what_to_do(terminal: Terminal) -> None:
    result = terminal.pullback("report")
    assert result.code == 1 and "pullback auth" in result.err
    terminal.authorise()
    result = terminal.pullback("report")
    assert result.code == 1 and "fetch your runs with `pullback sync`" in result.err
    assert not (terminal.home / "pullback-report.html").exists()
