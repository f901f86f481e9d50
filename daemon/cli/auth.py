"""`pullback auth`: the runner's consent at Strava, from the printed address to the stored grant; and its end."""

import hmac
import os
import secrets
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon.cli import show
from daemon.cli.session import Session
from daemon.errors import UserError
from daemon.harmless import one_line

if TYPE_CHECKING:
    from daemon.config import Config
    from daemon.strava.auth import Callback, Tokens

PORT = 8721
WITHDRAWN = "Strava was told, and no longer lets pullback read your runs."


def command(
    context: typer.Context,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the address; a browser on this machine must open it.")
    ] = False,
    paste: Annotated[
        bool, typer.Option("--paste", help="For a browser on another machine: you paste the address it ends at.")
    ] = False,
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65_535, help="Where Strava's answer is awaited.")
    ] = PORT,
    end: Annotated[
        bool, typer.Option("--revoke", help="Withdraw access: tell Strava, and delete the tokens and raw answers here.")
    ] = False,
) -> None:
    """Let pullback read your runs from Strava: open the printed address and agree."""
    from daemon.access import authorise
    from daemon.strava import auth

    session: Session = context.obj
    if end:
        _revoke(session)
        return
    config = session.app_config()
    with session.store() as store:
        state = secrets.token_urlsafe(24)
        answer = _pasted(config, port, state) if paste else _awaited(config, port, state, session, no_browser)
        tokens, athlete = _exchanged(config, answer)
        missing = auth.missing_scopes(tokens.scope)
        if not tokens.scope & {"activity:read", "activity:read_all"}:
            raise UserError(missing[0])
        authorise(store, tokens)
    name = one_line(str(athlete.get("firstname") or f"athlete {tokens.athlete_id}"), 40)
    show.say(f"Strava lets pullback read the runs of {name}.")
    for sentence in missing:
        show.say(f"pullback: {sentence}", sys.stderr)
    show.say("Next: `pullback sync`, or leave it to the service (`pullback run`).")


def _exchanged(config: "Config", answer: "Callback") -> "tuple[Tokens, dict[str, Any]]":
    """The tokens for what the runner agreed to, and whose they are. Raises UserError where it was refused."""
    from daemon.strava import auth

    if answer.error is not None or answer.code is None:
        raise UserError("access was refused on Strava's page; run `pullback auth` again and agree")
    assert config.strava.client_id is not None
    assert config.strava.client_secret is not None
    return auth.exchange(
        answer.code,
        answer.scope,
        client_id=config.strava.client_id,
        client_secret=config.strava.client_secret,
        base_url=config.strava.base_url,
        api_url=config.strava.api_url,
    )


def _revoke(session: Session) -> None:
    from daemon.access import withdraw
    from daemon.store import grants

    config = session.config()
    with session.store() as store:
        with store.read() as reading:
            held = grants.grant(reading)
        problem = withdraw(store, config, session.clock)
    if held is None:
        show.say("pullback isn't authorised at Strava: there is nothing to withdraw.")
        return
    show.say("The tokens and Strava's raw answers are deleted, here and in the backups beside the database.")
    show.say(
        "Runs and verdicts stay (pullback forget deletes all). A copy made by hand has its tokens still: delete it."
    )
    if problem is not None:
        raise UserError(untold(problem))
    show.say(WITHDRAWN)


def untold(problem: UserError) -> str:
    """What is left to do where Strava couldn't be told."""
    from daemon.strava.errors import StravaUnreachable
    from daemon.strava.revoking import SETTINGS

    reason = problem.reason if isinstance(problem, StravaUnreachable) else str(problem)
    return f"Strava couldn't be told ({reason}): withdraw pullback's access yourself at {SETTINGS}"


def _address(config: "Config", redirect_uri: str, state: str) -> str:
    from daemon.strava import auth

    assert config.strava.client_id is not None
    return auth.authorize_url(config.strava.base_url, config.strava.client_id, redirect_uri, state)


def _pasted(config: "Config", port: int, state: str) -> "Callback":
    """The browser is elsewhere: its last address, which leads nowhere there, is read from standard input."""
    from daemon.strava import auth

    show.say("Open this address in any browser and agree:")
    print(_address(config, f"http://localhost:{port or PORT}/", state), flush=True)
    show.say("Your browser then shows an error page at http://localhost…: paste its whole address here.")
    answer = auth.callback_from(sys.stdin.readline())
    if not hmac.compare_digest((answer.state or "").encode(), state.encode()):
        raise UserError("that address is from another attempt; run `pullback auth --paste` again and paste the new one")
    return answer


def _awaited(config: "Config", port: int, state: str, session: Session, no_browser: bool) -> "Callback":
    from daemon.strava import auth

    def ready(redirect_uri: str) -> None:
        address = _address(config, redirect_uri, state)
        show.say("Open this address in a browser on this machine and agree (elsewhere: pullback auth --paste):")
        print(address, flush=True)
        if not no_browser and has_display(session.environ):
            import webbrowser

            webbrowser.open(address)

    return auth.wait_for_callback(port, state, ready=ready)


def has_display(environ: Mapping[str, str]) -> bool:
    """Whether a browser would open in a window; on a bare terminal `webbrowser` would start a text browser in it."""
    return sys.platform == "darwin" or bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")) or os.name == "nt"
