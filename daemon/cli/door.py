"""The one door errors leave through: a sentence and an exit code for the expected, a logged traceback for the rest."""

import os
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from daemon import harmless
from daemon.cli import show
from daemon.cli.session import Session
from daemon.errors import ConfigError, UserError
from daemon.redaction import redact

BUG, INTERRUPTED = 3, 130


def run(command: Callable[[], object], session: Session) -> int:
    """Run a command; returns its exit code and prints what went wrong, once, to standard error."""
    try:
        code = _exit_code(command)
        sys.stdout.flush()
    except ConfigError as error:
        _say(session, f"the configuration{f' {error.where}' if error.where else ''} can't be used:", *error.problems)
        return error.exit_code
    except UserError as error:
        _say(session, redact(str(error), session.secrets()))
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return 0
    except Exception:
        _say(session, f"this is a bug; {_record(traceback.format_exc(), session)}")
        return BUG
    return code


def _exit_code(command: Callable[[], object]) -> int:
    """What a command answers, or leaves through SystemExit with: nothing is success."""
    try:
        code = command()
    except SystemExit as leaving:
        code = leaving.code
    return code if isinstance(code, int) else 0


def _say(session: Session, first: str, *more: str) -> None:
    # The journal sorts by it; see sd-daemon(3).
    priority = "<3>" if session.failing_loudly and _stderr_is_the_journal(session) else ""
    lines = [f"pullback: {first}", *(f"  {line}" for line in more)]
    show.say("\n".join(priority + line for line in lines), sys.stderr)


def _forget_output() -> None:
    """The reader has gone (`pullback runs | head`): nothing may be flushed at exit any more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _record(details: str, session: Session) -> str:
    """Keeps the traceback; returns where it is."""
    details = harmless.lines(redact(details, session.secrets()))
    if not session.failing_loudly and not _stderr_is_the_journal(session):
        try:
            return f"details in {_append(details, session.clock.now(), log_path(session))}"
        except OSError:
            pass  # nowhere to write: better on the terminal than lost
    print(details, file=sys.stderr)
    return "details above"


def _stderr_is_the_journal(session: Session) -> bool:
    try:
        stderr = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return session.environ.get("JOURNAL_STREAM") == f"{stderr.st_dev}:{stderr.st_ino}"


def log_path(session: Session) -> Path:
    """Where tracebacks are kept."""
    return _state_folder(session) / "error.log"


def _state_folder(session: Session) -> Path:
    if state := session.environ.get("STATE_DIRECTORY", "").split(":")[0]:
        return Path(state)
    from platformdirs import user_state_path  # only when something went wrong

    return user_state_path("pullback", appauthor=False)


def _append(details: str, now: datetime, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    with open(handle, "a", encoding="utf-8") as log:
        log.write(f"{now.isoformat()} pullback {' '.join(sys.argv[1:2])}\n{details}\n")
    return path
