"""OAuth with Strava: the address to open, the way back, and the exchange for tokens. Stores nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from daemon.strava.callback import DEFAULT_PORT, Callback, callback_from, wait_for_callback
from daemon.strava.convert import read_id
from daemon.strava.errors import Refused, StravaUnreachable, explain, explain_token
from daemon.strava.revoking import revoke
from daemon.strava.wire import Timeouts, Wire

__all__ = [
    "DEFAULT_PORT",
    "SCOPES",
    "Callback",
    "Tokens",
    "authorize_url",
    "callback_from",
    "exchange",
    "missing_scopes",
    "read_tokens",
    "revoke",
    "wait_for_callback",
]

SCOPES = ("read", "activity:read_all", "profile:read_all")

_REFRESH_EARLY = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Tokens:
    """One athlete's key to Strava. `expires_at` is aware UTC; access tokens live six hours."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: datetime
    scope: frozenset[str]
    athlete_id: int

    def stale(self, now: datetime) -> bool:
        """Whether to refresh before the next call: half an hour early, so that no poll starts with a dying token."""
        return self.expires_at - now < _REFRESH_EARLY


def authorize_url(base_url: str, client_id: int | str, redirect_uri: str, state: str) -> str:
    """The consent page. It is always shown, so that a permission unticked last time can be given now."""
    query = {
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "approval_prompt": "force",
        "scope": ",".join(SCOPES),
        "state": state,
    }
    return f"{base_url.rstrip('/')}/oauth/authorize?{urlencode(query)}"


def missing_scopes(granted: frozenset[str]) -> tuple[str, ...]:
    """One sentence per permission that was asked for and not given, saying what will be missing."""
    missing = []
    if "activity:read_all" not in granted:
        if "activity:read" in granted:
            missing.append(
                "Without activity:read_all, private runs and runs with hidden parts are missing and the week looks "
                'emptier than it was: run `pullback auth` and tick "View data about your private activities"'
            )
        else:
            missing.append(
                "Without activity:read_all no run can be read at all: "
                "run `pullback auth` and leave the boxes about activities ticked"
            )
    if "profile:read_all" not in granted:
        missing.append(
            "Without profile:read_all it isn't known whether you think in kilometres or miles: "
            'run `pullback auth` and tick "View your complete Strava profile", or set athlete.units'
        )
    if not granted & {"read", "read_all"}:
        missing.append("Without read your name isn't known: run `pullback auth` to add it, or leave it so")
    return tuple(missing)


def exchange(
    code: str,
    scope: frozenset[str],
    *,
    client_id: int | str,
    client_secret: str,
    base_url: str,
    api_url: str,
    timeouts: Timeouts | None = None,
) -> tuple[Tokens, dict[str, Any]]:
    """The tokens for a consent code, and the athlete they belong to.

    `scope` is what the callback said was granted. Raises AccessLost ("client" for a wrong id or secret, "revoked"
    for a code that is used up or too old), StravaUnreachable.
    """
    wire = Wire(base_url, api_url, timeouts or Timeouts())
    try:
        answer = wire.exchange(client_id, client_secret, code)
        # Strava sends the athlete along with the tokens but doesn't document it: ask where it is missing.
        athlete = answer.get("athlete") or _athlete(wire, str(answer.get("access_token", "")))
    except Refused as error:
        raise explain_token(error.refusal) from None
    finally:
        wire.close()
    athlete_id = read_id(athlete.get("id")) if isinstance(athlete, dict) else None
    if athlete_id is None:
        raise StravaUnreachable("its answer doesn't say whose tokens these are")
    return read_tokens(answer, scope=scope, athlete_id=athlete_id), dict(athlete)


def read_tokens(
    answer: Mapping[str, Any], *, scope: frozenset[str], athlete_id: int, old_refresh: str | None = None
) -> Tokens:
    """Tokens from an answer of the token endpoint; raises StravaUnreachable where it can't be used.

    A refresh that names no new refresh token leaves the old one in force.
    """
    access, refresh = answer.get("access_token"), answer.get("refresh_token") or old_refresh
    try:
        expires_at = datetime.fromtimestamp(int(answer["expires_at"]), UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        expires_at = None
    usable = all(isinstance(token, str) and token.isascii() and token.isprintable() for token in (access, refresh))
    if expires_at is None or not usable or not access:
        raise StravaUnreachable("its answer holds no usable tokens")
    return Tokens(str(access), str(refresh), expires_at, scope, athlete_id)


def _athlete(wire: Wire, access: str) -> Any:
    try:
        return wire.get("/athlete", access, {})
    except Refused as error:
        raise explain(error.refusal, "athlete") from None
