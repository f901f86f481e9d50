"""The man page, and what a shell completes: both come from the commands themselves."""

import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from daemon import cli
from daemon.cli.manual import _lines, manual

ROOT = Path(__file__).parents[2]
DAY = date(2026, 11, 24)


def options(name: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The options and arguments that a command's own help lists."""
    assert cli.main([name, "--help"] if name else ["--help"]) == 0
    told = capsys.readouterr().out
    listed = told.partition("Options:")[2].partition("Commands:")[0].splitlines()
    return [word.strip(",") for line in listed if line.startswith("  -") for word in line.split() if word[:1] == "-"]


@pytest.mark.parametrize("name", ["", *cli.COMMANDS])
def test_every_command_and_option_is_in_the_man_page(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    page = manual(DAY).replace(r"\-", "-")
    heading = f".SS pullback {name} [OPTIONS]" if name else ".SH OPTIONS"
    assert heading in page
    section = page.partition(heading)[2].split("\n.S")[0]
    for option in options(name, capsys):
        assert option in section or (name and option in ("-h", "--help"))


@pytest.mark.parametrize(
    "reader", [["groff", "-man", "-Tutf8", "-ww", "-z"], ["mandoc", "-Tlint", "-Wstyle"]], ids=lambda words: words[0]
)
def test_those_who_read_man_pages_have_nothing_to_say(reader: list[str], tmp_path: Path) -> None:
    if shutil.which(reader[0]) is None:
        pytest.skip(f"{reader[0]} is not installed")
    page = tmp_path / "pullback.1"
    page.write_text(manual(DAY))
    done = subprocess.run([*reader, str(page)], capture_output=True, text=True, check=False)
    assert (done.stdout + done.stderr, done.returncode) == ("", 0)


def test_text_stays_text_in_roff() -> None:
    assert _lines(r"'.so /etc/passwd' \fB --x") == [r"\&'.so /etc/passwd' \efB \-\-x"]


COMPLETED = [
    ("pullback te", "test-alert"),
    ("pullback test-alert --ki", "--kind"),
    ("pullback test-alert --kind all", "all_clear"),
    ("pullback ack --reason al", "altitude"),
    ("pullback feel he", "heavy"),
]


@pytest.fixture
def shell_home(tmp_path: Path) -> dict[str, str]:
    """A home with the program on the path, as an installation puts it there."""
    program = tmp_path / "bin" / "pullback"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m daemon "$@"\n')
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(tmp_path), "LANG": "C.UTF-8"}


ASKED = {
    "bash": """
        eval "$(pullback --show-completion bash)"
        COMP_WORDS=({line}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); _pullback_completion pullback
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """,
    "zsh": """
        compdef() {{ :; }}; _arguments() {{ print -r -- "$@"; }}; compadd() {{ print -r -- "$@"; }}
        eval "$(pullback --show-completion zsh)"
        words=({line}); CURRENT=${{#words}}; _pullback_completion
    """,
    "fish": 'pullback --show-completion fish | source; complete --do-complete "{line}"',
}


@pytest.mark.parametrize("shell", ASKED)
def test_a_shell_completes_commands_options_kinds_reasons_and_feelings(shell: str, shell_home: dict[str, str]) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    for line, wanted in COMPLETED:
        script = ASKED[shell].format(line=line)
        done = subprocess.run([shell, "-c", script], env=shell_home, capture_output=True, text=True, check=False)
        assert wanted in done.stdout, (line, done.stdout, done.stderr)
        assert wanted != "all_clear" or "pull_back" not in done.stdout


def test_completion_installs_itself_for_the_shell_one_is_in(shell_home: dict[str, str]) -> None:
    done = subprocess.run(
        ["bash", "-c", "pullback --install-completion; true"],
        env=shell_home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "bash completion installed" in done.stdout, done.stderr
    assert "pullback" in (Path(shell_home["HOME"]) / ".bashrc").read_text()
