"""How each kind of error leaves the command line: one sentence, the right exit code, no secret."""

import io
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from daemon import cli
from daemon.cli import door, show
from daemon.cli.session import Session
from daemon.errors import ConfigError, UserError
from daemon.redaction import redact


class Noon:
    """A clock that stands still."""

    def now(self) -> datetime:
        return datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(environ={"STATE_DIRECTORY": str(tmp_path / "state")}, clock=Noon())


def raising(error: BaseException) -> Callable[[], None]:
    def command() -> None:
        raise error

    return command


def test_an_expected_problem_is_one_sentence_and_exit_code_1(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    assert door.run(raising(UserError("not authorised yet; run `pullback auth`")), session) == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", "pullback: not authorised yet; run `pullback auth`\n")


def test_every_problem_of_a_configuration_has_its_own_line_and_exit_code_2(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    error = ConfigError(("[schedule] poll: is wrong", "[web] listen: is wrong"), "/etc/pullback/config.toml")
    assert door.run(raising(error), session) == 2
    first, *rest = capsys.readouterr().err.splitlines()
    assert "/etc/pullback/config.toml" in first
    assert rest == ["  [schedule] poll: is wrong", "  [web] listen: is wrong"]


def test_an_interrupted_command_says_nothing_and_leaves_with_130(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    assert door.run(raising(KeyboardInterrupt()), session) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("left", "code"), [(0, 0), (None, 0), (2, 2)])
def test_the_exit_code_a_command_chose_is_kept(session: Session, left: int | None, code: int) -> None:
    assert door.run(raising(SystemExit(left)), session) == code


def test_a_bug_is_logged_for_its_owner_only_and_pointed_to(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert door.run(raising(ZeroDivisionError("no runs")), session) == 3
    log = tmp_path / "state" / "error.log"
    assert capsys.readouterr().err == f"pullback: this is a bug; details in {log}\n"
    assert log.stat().st_mode & 0o777 == 0o600
    assert "ZeroDivisionError: no runs" in log.read_text()
    assert "2026-11-23T12:00" in log.read_text()


def test_the_service_prints_a_bug_where_the_journal_sees_it(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session.failing_loudly = True
    assert door.run(raising(ZeroDivisionError("no runs")), session) == 3
    assert "ZeroDivisionError: no runs" in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


def test_what_stops_the_service_is_an_error_to_the_journal(session: Session, capfd: pytest.CaptureFixture[str]) -> None:
    stderr = os.fstat(sys.stderr.fileno())
    session.environ["JOURNAL_STREAM"] = f"{stderr.st_dev}:{stderr.st_ino}"
    session.failing_loudly = True
    assert door.run(raising(ConfigError(("[web] listen: is wrong",), "config.toml")), session) == 2
    assert [line[:3] for line in capfd.readouterr().err.splitlines()] == ["<3>", "<3>"]


def test_a_bug_is_told_even_where_no_log_can_be_written(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    assert door.run(raising(ZeroDivisionError("no runs")), session) == 3
    assert "ZeroDivisionError: no runs" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "POST https://www.strava.com/oauth/token?client_id=1&client_secret=hush123&code=hush456",
        "{'access_token': 'hush123', 'refresh_token': \"hush456\"}",
        "Authorization: Bearer hush123",
        "mailtos://me:hush123@example.org",
        "the channel ntfys://very/hush789 failed",
    ],
)
def test_no_log_holds_a_secret(text: str) -> None:
    assert "hush" not in redact(text, ["ntfys://very/hush789"])


def test_the_words_of_an_address_are_no_secrets() -> None:
    line = 'ready status="waiting" format=markdown'
    assert redact(line, ["https://kuma.example.org/api/push/hush789?status=up&msg=OK&ping="]) == line


def test_what_is_no_secret_is_kept() -> None:
    line = 'File "/opt/pullback/daemon/sync.py", line 7: ValueError: status code: 500, 42 runs'
    assert redact(line, []) == line


@pytest.mark.parametrize("letters", [1, 100_000], ids=["at the end", "in the middle"])
def test_a_reader_who_leaves_early_is_no_error(session: Session, tmp_path: Path, letters: int) -> None:
    """`pullback runs | head`: seen from outside, because the interpreter flushes once more at exit."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    child = os.fork()
    if child == 0:
        os.dup2(write_end, 1)
        err = os.open(tmp_path / "err", os.O_CREAT | os.O_WRONLY, 0o600)
        os.dup2(err, 2)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        code = door.run(lambda: print("x" * letters), session)
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            os._exit(9)
        os._exit(code)
    os.close(write_end)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (tmp_path / "err").read_text() == ""


class Narrow(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def test_a_message_breaks_at_blanks_on_a_terminal_and_an_address_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    screen, address = Narrow(), f"https://www.strava.com/{'settings/' * 6}api"
    show.say(f"Next: create your Strava app with the callback domain localhost at\n{address}", screen)
    assert screen.getvalue().splitlines() == [
        "Next: create your Strava app with the",
        "callback domain localhost at",
        address,
    ]
    pipe = io.StringIO()
    show.say("word " * 20 + "end", pipe)
    assert pipe.getvalue() == "word " * 20 + "end\n"


@pytest.mark.parametrize(
    "typed",
    ["status --nonsense", "feel x", "ack --reason meditation", "report --ope", "runs --since tomorrow", "nosuch"],
)
def test_what_is_said_to_a_slip_breaks_at_blanks(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    said, narrow = io.StringIO(), Narrow()
    for screen in (said, narrow):
        monkeypatch.setenv("COLUMNS", "40" if screen is narrow else "80")
        monkeypatch.setattr(sys, "stderr", screen)
        assert cli.main(typed.split()) == 2
    assert "pullback" in said.getvalue()
    assert narrow.getvalue().split() == said.getvalue().split(), "no word is broken"
    assert max(len(line) for line in narrow.getvalue().splitlines()) <= 40
