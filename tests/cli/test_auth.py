"""A runner lets pullback in: in the browser beside the terminal, or in one that is elsewhere."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.terminal import Browser, Terminal


def test_the_runner_opens_the_address_and_agrees(terminal: Terminal) -> None:
    browser = Browser()
    result = terminal.pullback("auth", "--no-browser", "--port", "0", browser=browser)
    assert (result.code, result.err) == (0, "")
    assert "pullback sync" in result.out
    assert stat.S_IMODE(terminal.database.stat().st_mode) == 0o600


def test_a_browser_elsewhere_is_pasted(terminal: Terminal) -> None:
    result = terminal.pullback("auth", "--paste", browser=Browser(follow=False))
    assert (result.code, result.err) == (0, "")
    assert "lets pullback read" in result.out


def test_the_address_stands_alone_on_its_line(terminal: Terminal) -> None:
    result = terminal.pullback("auth", "--paste", browser=Browser(follow=False))
    (address,) = [line for line in result.out.splitlines() if line.startswith("http")]
    assert len(address) > 80
    assert " " not in address


def test_whoever_says_no_gets_one_sentence(terminal: Terminal) -> None:
    terminal.world.deny = True
    result = terminal.pullback("auth", "--no-browser", "--port", "0")
    assert result.code == 1
    assert result.err == "pullback: access was refused on Strava's page; run `pullback auth` again and agree\n"


def test_a_box_left_unticked_says_which_runs_will_be_missing(terminal: Terminal) -> None:
    terminal.world.unticked = {"activity:read_all"}
    result = terminal.pullback("auth", "--no-browser", "--port", "0")
    assert result.code == 1
    assert "activity:read_all" in result.err and "Next" not in result.out
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("pasted", "hint"),
    [
        ("hello\n", "isn't the address"),
        ("\n", "isn't the address"),
        ("http://localhost:8721/?code=abc&scope=read&state=old\n", "another attempt"),
    ],
)
def test_what_isnt_the_address_is_refused(terminal: Terminal, pasted: str, hint: str) -> None:
    result = terminal.pullback("auth", "--paste", browser=Browser(follow=False), typed=pasted)
    assert result.code == 1
    assert hint in result.err
    assert result.err.count("\n") == 1


def test_what_is_pasted_in_no_alphabet_is_refused_in_a_sentence_too(terminal: Terminal) -> None:
    for language in ("C", "C.UTF-8"):
        done = subprocess.run(
            [sys.executable, "-m", "daemon", "--config", str(terminal.config), "auth", "--paste"],
            input=b"http://localhost:8721/?code=1&state=\xff\n",
            env={"HOME": str(terminal.home), "LANG": language, "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            check=False,
        )
        assert (done.returncode, b"another attempt" in done.stderr) == (1, True), done.stderr


def test_a_second_athlete_is_refused_and_the_first_kept(terminal: Terminal) -> None:
    first = terminal.world.runner
    terminal.authorise()
    terminal.world.athletes.clear()
    terminal.world.add_athlete(first + 1)
    result = terminal.pullback("auth", "--no-browser", "--port", "0")
    assert result.code == 1
    assert f"already watches athlete {first}" in result.err


def test_a_wrong_secret_is_named_and_not_shown(terminal: Terminal) -> None:
    terminal.write_config(client_secret='"not-the-secret"')
    result = terminal.pullback("auth", "--paste", browser=Browser(follow=False))
    assert result.code == 1
    assert "strava.client_id" in result.err
    assert "not-the-secret" not in result.out + result.err


def test_without_an_app_the_missing_key_is_named(terminal: Terminal) -> None:
    terminal.write_config(client_id="")
    result = terminal.pullback("auth")
    assert result.code == 1
    assert "[strava] client_id is not set" in result.err
    assert "`pullback import`" in terminal.pullback("sync").err, "who has files only needs no app"
