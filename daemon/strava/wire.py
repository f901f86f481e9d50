"""stravalib made safe: our own session (time-outs, bounds, addresses), no environment, no global side effects.

Knows how to ask, not when: limits, refreshes and retries after a 401 are the client's business.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daemon.strava.errors import Refused, StravaUnreachable

if TYPE_CHECKING:
    from daemon.strava.session import Api, Session


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, between two pieces of an answer, and for the whole answer (so that a drip ends, too)."""

    connect_s: float = 5.0
    read_s: float = 15.0
    overall_s: float = 60.0


class Wire:
    """One connection to Strava, for one thread at a time. Opens nothing before the first call.

    `on_headers` gets every API answer's headers, errors included.
    """

    def __init__(
        self,
        base_url: str,
        api_url: str,
        timeouts: Timeouts,
        on_headers: Callable[[Mapping[str, str]], None] = lambda _headers: None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._api_url = api_url.rstrip("/")
        self._timeouts = timeouts
        self._on_headers = on_headers
        self._open: tuple[Api, Session] | None = None

    def get(self, path: str, access: str, params: Mapping[str, Any]) -> Any:
        """The decoded JSON of one GET below the API's address. Raises Refused, StravaUnreachable."""
        api, _ = self._connected()
        api.access_token = access
        return self._guarded(lambda: api.get(path, **params))

    def last_body(self) -> bytes:
        """The last answer's body as it came."""
        return self._open[1].last_body if self._open else b""

    def refresh(self, client_id: int | str, client_secret: str, refresh_token: str) -> dict[str, Any]:
        """The token endpoint's answer to a refresh. Raises Refused, StravaUnreachable."""
        return self._token(client_id, client_secret, {"grant_type": "refresh_token", "refresh_token": refresh_token})

    def exchange(self, client_id: int | str, client_secret: str, code: str) -> dict[str, Any]:
        """The token endpoint's answer to a consent code. Raises Refused, StravaUnreachable."""
        return self._token(client_id, client_secret, {"grant_type": "authorization_code", "code": code})

    def close(self) -> None:
        """Closes the connections; the next call opens new ones."""
        if self._open:
            self._open[1].close()
            self._open = None

    def _token(self, client_id: int | str, client_secret: str, grant: dict[str, str]) -> dict[str, Any]:
        api, _ = self._connected()
        # In the form, never in the address: addresses are logged.
        form = {"client_id": str(client_id), "client_secret": client_secret, **grant}
        answer = self._guarded(lambda: api.post("/oauth/token", data=form))
        if not isinstance(answer, dict):
            raise StravaUnreachable("its answer could not be read")
        return answer

    def _connected(self) -> "tuple[Api, Session]":
        if self._open is None:
            # stravalib brings pydantic, pint and arrow: 1.4 s and 20 MB that the daemon can only afford once it has
            # told systemd that it is ready, and that a command which asks Strava nothing should never pay.
            from daemon.strava.session import Api, Session

            session = Session(self._timeouts)
            self._open = Api(self._base_url, self._api_url, session, self._on_headers), session
        return self._open

    def _guarded(self, call: Callable[[], Any]) -> Any:
        """Turns whatever the libraries raise into this room's errors; their texts may quote what must stay secret."""
        from daemon.strava.session import reason_for, refusal_of

        try:
            return call()
        except (OSError, ValueError) as error:  # all that requests and stravalib raise for an answer
            refusal = refusal_of(error)
            if refusal is None:
                raise StravaUnreachable(reason_for(error)) from None
        raise Refused(refusal)
