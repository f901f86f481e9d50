"""`pullback run`: the daemon in the foreground, as systemd or a terminal starts it."""

import ctypes
import faulthandler
import logging
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.cli.session import Session
from daemon.errors import ConfigError, UserError

if TYPE_CHECKING:
    from daemon.config import Config

log = logging.getLogger("daemon.run")

PR_SET_DUMPABLE = 4
"""prctl(2)."""


def command(
    context: typer.Context,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log each poll, too.")] = False,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log one JSON object a line.")] = False,
) -> None:
    """Run the daemon: poll Strava, judge and warn until it is stopped."""
    from daemon import logs, memory, notify
    from daemon.jobs import Daemon
    from daemon.redaction import redact
    from daemon.service import Service
    from daemon.store import Unusable, held

    session: Session = context.obj
    session.failing_loudly = True
    _undumpable()
    faulthandler.enable()  # the watchdog's abort shows where it stood
    config = _usable(session)
    memory.one_heap()
    # Asked for each line: a reload brings new secrets.
    logs.start(
        sys.stderr, session.environ, lambda text: redact(text, session.secrets()), verbose=verbose, as_json=log_json
    )
    _look_at_permissions(session)
    try:
        with held(session.database()), session.store() as store:
            finished = Service(
                Daemon(store, config, session.clock, notify.send), session.read_config, session.environ
            ).run()
            if not finished:
                # A read that hangs would hold the process until its time-out; nothing it could still bring is lost.
                sys.stderr.flush()
                os._exit(0)
    except Unusable as error:
        _stay_down(session, error)
        raise


def _usable(session: Session) -> "Config":
    """The configuration. Raises UserError with the exit code after which systemd doesn't start it again."""
    try:
        return session.config()
    except UserError as error:
        # None is there, or it may not be read: starting again mends that as little as a key that is wrong.
        error.exit_code = ConfigError.exit_code
        raise


def _stay_down(session: Session, error: UserError) -> None:
    """Starting again mends nothing: says so once wherever somebody may look, and leaves as systemd lets it lie."""
    from daemon import heartbeat, systemd

    error.exit_code = ConfigError.exit_code
    systemd.notify(f"STATUS={error}", session.environ)
    if (url := session.config().heartbeat.url) is not None:
        heartbeat.send(url, "fail", str(error))


def _undumpable() -> None:
    """A daemon holds tokens for months: none but root may look into its memory, and no collector of crashes gets it.

    A limit on core files is not enough: what is piped to a collector isn't held to it (core(5)). Linux alone has this.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def _look_at_permissions(session: Session) -> None:
    from daemon.doctor import permissions

    for finding in permissions(session.config_path(), session.config(), session.database()):
        if finding.result != "ok":
            log.warning('permissions problem="%s"', finding.text)
