"""`pullback forget`: withdraws access at Strava and deletes everything pullback holds. Keeps only the configuration."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.cli import show
from daemon.cli.auth import WITHDRAWN, untold
from daemon.cli.door import log_path
from daemon.cli.session import Session
from daemon.errors import UserError

if TYPE_CHECKING:
    from daemon.config import Config

WORD = "forget"


def command(
    context: typer.Context, yes: Annotated[bool, typer.Option("--yes", help="Don't ask; there is no way back.")] = False
) -> None:
    """Withdraw access at Strava and delete tokens, runs, verdicts, answers, alerts and backups."""
    from daemon.store.erasing import erase, traces

    session: Session = context.obj
    config, path = session.config(), session.database()
    held = traces(path)
    if not held and not log_path(session).exists():
        show.say(f"There is nothing to forget: no database at {path} and no backup beside it. {_unknown()}")
        return
    if not yes:
        _make_sure(held)
    ended = _access_ended(session, config, path)
    gone = erase(path)
    log_path(session).unlink(missing_ok=True)
    show.say("Deleted, with all tokens, runs, verdicts, answers and alerts:")
    for file in gone:
        print(f"  {file}")
    show.say(
        f"Kept: {session.config_path()} (it may hold your application's secret), and whatever you exported yourself."
    )
    show.say("A running service starts again with nothing; stop it if you don't want it any more.")
    if isinstance(ended, UserError):
        raise UserError(untold(ended))
    show.say(ended)


def _access_ended(session: Session, config: "Config", path: Path) -> UserError | str:
    """What became of access at Strava, in words; why Strava couldn't be told as an error. Raises Busy."""
    from daemon.store import Busy, StoreError
    from daemon.store.backup import copies

    if not path.exists():
        return UserError("the database with the newest tokens is gone already") if copies(path) else _unknown()
    try:
        problem, granted = _withdraw(session, config)
    except Busy:
        raise  # another pullback is pulling, and may be exchanging the tokens; in a minute it won't be
    except StoreError as error:
        return error  # damaged, or of another version: it goes all the same
    return problem or (WITHDRAWN if granted else "pullback had no access at Strava: there was nothing to withdraw.")


def _unknown() -> str:
    """What is to be said of access where no database holds the tokens."""
    from daemon.strava.revoking import SETTINGS

    return f"Without a database Strava can't be told; whether pullback may still read your runs is shown at {SETTINGS}."


def _withdraw(session: Session, config: "Config") -> tuple[UserError | None, bool]:
    """Why Strava couldn't be told, None where it took note; and whether there was anything to tell."""
    from daemon.access import withdraw
    from daemon.store import grants

    with session.store() as store:
        with store.read() as reading:
            granted = grants.grant(reading) is not None
        return withdraw(store, config, session.clock), granted


def _make_sure(held: list[Path]) -> None:
    """The runner types a word. Raises UserError where nobody is there to type, or something else was typed."""
    if not sys.stdin.isatty():
        raise UserError("nothing was deleted: run `pullback forget` in a terminal, or `pullback forget --yes`")
    print("This withdraws access at Strava and deletes, for good:")
    for file in held:
        print(f"  {file}")
    print(f'Type "{WORD}" to go on:', end=" ", flush=True)
    if sys.stdin.readline().strip() != WORD:
        raise UserError(f'nothing was deleted: "{WORD}" wasn\'t typed; run `pullback forget` again to try again')
