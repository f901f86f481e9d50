"""`pullback check`: the doctor's findings, all at once, each with the next step. Mends nothing."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.cli import show
from daemon.cli.session import Session
from daemon.errors import ConfigError, UserError
from daemon.redaction import redact

if TYPE_CHECKING:
    from daemon.doctor import Finding


def command(
    context: typer.Context,
    send: Annotated[
        bool, typer.Option("--send", help="Really send a test to each channel, and ping the dead man's switch.")
    ] = False,
) -> None:
    """Check config, permissions, clock, disk, database, access to Strava, quota, channels, page and service.

    Says of each problem what to do; the exit code is 1 when there is any.
    """
    session: Session = context.obj
    findings = list(_look(session, send))
    rows = tuple((f.about, f.result, redact(f.text, session.secrets())) for f in findings)
    show.out([show.Table(("check", "result", "what was found"), rows)])
    if any(finding.result == "problem" for finding in findings):
        raise typer.Exit(1)


def _look(session: Session, send: bool) -> "Iterator[Finding]":
    from daemon.doctor import Finding, look

    try:
        config = session.config()
    except ConfigError as error:
        yield from (Finding("config", "problem", problem) for problem in error.problems)
        return
    except UserError as error:
        yield Finding("config", "problem", str(error))
        return
    try_channel = _sender(session) if send else None
    yield from look(config, session.config_path(), session.environ, session.clock, try_channel)


def _sender(session: Session) -> "Callable[[str], str | None]":
    from daemon import notify, wording

    title, text = wording.rehearsal("test", session.clock.now().date())
    message = notify.Message(title, text)

    def send(url: str) -> str | None:
        failure = notify.send(url, message)
        return None if failure is None else failure.text

    return send
