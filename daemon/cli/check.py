"""`pullback check`: whatever must be right before a warning can come, all problems at once. Mends nothing."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from daemon.cli import show
from daemon.cli.session import Session
from daemon.errors import ConfigError, UserError

if TYPE_CHECKING:
    from daemon.config import Config
    from daemon.store import Store
    from daemon.strava.limits import Budget

CLOCK_MAY_DIFFER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: fine, or a problem that says what to do."""

    about: str
    fine: bool
    text: str


def command(context: typer.Context) -> None:
    """Check config, permissions, clock, database, token and granted scope, quota and channels."""
    findings = list(look(context.obj))
    rows = tuple((f.about, "ok" if f.fine else "PROBLEM", f.text) for f in findings)
    show.out([show.Table(("check", "result", "what was found"), rows)])
    if not all(finding.fine for finding in findings):
        raise typer.Exit(1)


def look(session: Session) -> Iterator[Finding]:
    """Every finding, in the order in which things depend on each other."""
    try:
        config = session.config()
    except ConfigError as error:
        yield from (Finding("config", False, problem) for problem in error.problems)
        return
    except UserError as error:
        yield Finding("config", False, str(error))
        return
    path = session.config_path()
    yield Finding("config", True, str(path))
    yield from _permissions(config, path)
    yield from _guarded("clock", lambda: _clock(config, session.clock.now))
    yield from _guarded("database", lambda: _stored(session, config))
    yield from _channels(config)


def _guarded(about: str, looked: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What can't even be looked at is a finding too, and the next check still comes."""
    try:
        yield from looked()
    except UserError as error:
        yield Finding(about, False, str(error))


def too_open(mode: int, group: int, own_group: int) -> str | None:
    """What is wrong with a secret file's mode: others have no access, and only the service's group may read."""
    if mode & 0o007:
        return "others may open it: chmod o= "
    if mode & 0o030:
        return "its group may change it: chmod g-wx "
    if mode & 0o040 and group != own_group:
        return "a group that isn't the service's may read it: chmod g= "
    return None


def _permissions(config: "Config", path: Path) -> Iterator[Finding]:
    for file in (path, config.strava.client_secret_file, config.alerts.urls_file):
        if file is None:
            continue
        found = file.stat()
        problem = too_open(stat.S_IMODE(found.st_mode), found.st_gid, os.getegid())
        text = f"{problem}{file}" if problem else f"{file} is {stat.S_IMODE(found.st_mode):04o}"
        yield Finding("permissions", problem is None, text)


def _clock(config: "Config", now: Callable[[], datetime]) -> Iterator[Finding]:
    """This machine's clock against Strava's."""
    import httpx  # a third of a second that no other command needs

    try:
        answer = httpx.head(config.strava.base_url, timeout=10)
        theirs = parsedate_to_datetime(answer.headers["date"])
    except (httpx.HTTPError, KeyError, ValueError) as error:
        yield Finding("clock", False, f"can't be compared with {config.strava.base_url} ({type(error).__name__})")
        return
    off = now() - theirs
    fine = abs(off) <= CLOCK_MAY_DIFFER
    text = "agrees with Strava's" if fine else f"differs from Strava's by {off}: set it (timedatectl set-ntp true)"
    yield Finding("clock", fine, text)


def _stored(session: Session, config: "Config") -> Iterator[Finding]:
    path = session.database()
    with session.store() as store:
        mode, owner = stat.S_IMODE(path.stat().st_mode), path.stat().st_uid
        if mode & 0o077:
            yield Finding("database", False, f"others may open it: chmod 600 {path}")
        elif owner != os.geteuid():
            yield Finding("database", False, f"{path} belongs to another user: chown it, or run this as that user")
        else:
            yield Finding("database", True, str(path))
        yield from _guarded("Strava", lambda: _strava(session, config, store))


def _strava(session: Session, config: "Config", store: "Store") -> Iterator[Finding]:
    """Asks Strava who we are and for one run: two calls, which show token, scope and quota."""
    from daemon.access import connect
    from daemon.strava.auth import missing_scopes

    if missing := config.strava.missing():
        yield Finding("Strava", False, f"{missing} is not set; take it from https://www.strava.com/settings/api")
        return
    strava = connect(store, config, session.clock)
    if strava is None:
        yield Finding("token", False, "pullback isn't authorised at Strava yet; run `pullback auth`")
        return
    try:
        strava.budget = None
        strava.athlete()
        strava.list_activities(None, per_page=1)  # a permission that was withdrawn shows only here
        yield Finding("token", True, f"accepted for athlete {strava.tokens.athlete_id}")
    finally:
        strava.close()
    unmet = missing_scopes(strava.tokens.scope)
    yield from (Finding("scope", False, sentence) for sentence in unmet)
    if not unmet:
        yield Finding("scope", True, ", ".join(sorted(strava.tokens.scope)))
    yield _quota(strava.budget)


def _quota(budget: "Budget | None") -> Finding:
    if budget is None:
        return Finding("quota", True, "Strava didn't say")
    fine = budget.short_used < budget.short_limit and budget.day_used < budget.day_limit
    used = (
        f"{budget.short_used} of {budget.short_limit} calls in this quarter of an hour, "
        f"{budget.day_used} of {budget.day_limit} today (UTC)"
    )
    return Finding("quota", fine, used)


def _channels(config: "Config") -> Iterator[Finding]:
    count = len(config.alerts.urls)
    if count:
        yield Finding("channels", True, f"{count} configured; `pullback test-alert` sends to each")
    else:
        yield Finding("channels", False, "no alert can reach you: add one to [alerts] urls")
