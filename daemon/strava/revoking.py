"""Takes pullback off the runner's list of applications at Strava: `oauth/revoke`, which stravalib doesn't know.

May not store or show anything; tokens are spent here, never kept.
"""

import json
import ssl
import time
from typing import TYPE_CHECKING

from daemon.strava.errors import AccessLost, StravaUnreachable, explain_token, refusal
from daemon.strava.wire import Timeouts

if TYPE_CHECKING:
    import httpx

SETTINGS = "https://www.strava.com/settings/apps"
"""Where a runner withdraws access by hand."""

_ENOUGH_BYTES = 65_536


def revoke(
    token: str, *, client_id: int | str, client_secret: str, base_url: str, timeouts: Timeouts | None = None
) -> None:
    """Withdraws the grant behind `token`, access or refresh. A token Strava doesn't know any more is fine.

    Raises AccessLost ("client", "inactive"), StravaUnreachable.
    """
    import httpx  # a third of a second that no other call to Strava needs

    waits = timeouts or Timeouts()
    try:
        # Plain http is for loopback alone, so it must not wander off to a proxy.
        with (
            httpx.Client(
                timeout=httpx.Timeout(waits.read_s, connect=waits.connect_s), trust_env=base_url.startswith("https://")
            ) as client,
            client.stream(
                "POST",
                f"{base_url.rstrip('/')}/oauth/revoke",
                data={"token": token},
                auth=(str(client_id), client_secret),
            ) as answer,
        ):
            _judge(answer, _body(answer, time.monotonic() + waits.overall_s))
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise StravaUnreachable(_reason(error)) from None


def _body(answer: "httpx.Response", deadline: float) -> bytes:
    """The answer's beginning: of one that is long or takes its time, no more is needed to tell what it is."""
    body = b""
    for piece in answer.iter_bytes():
        body += piece
        if time.monotonic() > deadline:
            raise StravaUnreachable("it took too long")
        if len(body) > _ENOUGH_BYTES:
            break
    return body


def _judge(answer: "httpx.Response", body: bytes) -> None:
    if answer.is_redirect or answer.is_informational:
        raise StravaUnreachable(f"it redirects, HTTP {answer.status_code}")
    if answer.is_success:
        # A proxy's or a maintenance page is no word of Strava's.
        if "html" in answer.headers.get("Content-Type", "") or body.lstrip().startswith(b"<"):
            raise StravaUnreachable("its answer could not be read")
        return
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    lost = explain_token(refusal(answer.status_code, said, answer.headers.get("Retry-After")))
    if not (isinstance(lost, AccessLost) and lost.reason == "revoked"):
        raise lost


def _reason(error: Exception) -> str:
    import httpx

    if isinstance(error, httpx.TimeoutException):
        return "it took too long"
    # httpcore wraps the socket's error and says it again in its text.
    if isinstance(error.__context__, ssl.SSLError) or "SSL" in str(error):
        return "its certificate could not be verified; is the clock right?"
    return "no connection" if isinstance(error, httpx.ConnectError | httpx.NetworkError) else "its answer broke off"
