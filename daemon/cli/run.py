"""`pullback run`: the daemon in the foreground, as systemd or a terminal starts it."""

import logging
import os
import sys

import typer

from daemon.cli import door
from daemon.cli.session import Session


def command(context: typer.Context) -> None:
    """Run the daemon: poll Strava, judge and warn until it is stopped."""
    from daemon import notify
    from daemon.service import Daemon, Service

    session: Session = context.obj
    session.failing_loudly = True
    config = session.config()
    _log_to_stderr(session)
    with session.store() as store:
        finished = Service(
            Daemon(store, config, session.clock, notify.send), session.read_config, session.environ
        ).run()
        if not finished:
            # A read that hangs would hold the process until its time-out; nothing it could still bring is lost.
            sys.stderr.flush()
            os._exit(0)


class _Redacted(logging.Formatter):
    """Log lines without secrets, also those that a reload brought in."""

    def __init__(self, layout: str, session: Session) -> None:
        super().__init__(layout)
        self._session = session

    def format(self, record: logging.LogRecord) -> str:
        return door.redact(super().format(record), self._session.secrets())


def _log_to_stderr(session: Session) -> None:
    """Journald adds the time by itself; a terminal or a container doesn't."""
    when = "" if "JOURNAL_STREAM" in session.environ else "%(asctime)s "
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacted(f"{when}%(levelname)s %(name)s: %(message)s", session))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
