"""The heavy half of the wire: requests' session and stravalib's protocol, each with its traps closed.

Imported on the first call only (see `Wire`), because stravalib is slow to load.
"""

import http.client
import io
import json
import logging
import socket
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Retry
from urllib3.connection import HTTPConnection, HTTPSConnection

from daemon import __version__
from daemon.strava.errors import Refusal, refusal
from daemon.strava.wire import Timeouts

_MAX_BODY_BYTES = 32 * 2**20
_RETRIES = Retry(
    total=1,
    connect=1,
    read=False,
    redirect=False,
    status=0,
    other=0,
    backoff_factor=0.3,
    respect_retry_after_header=False,
)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Undoes what stravalib does to the whole process when imported: warning filters and captured warnings."""
    before = warnings.showwarning
    with warnings.catch_warnings():
        yield
        if warnings.showwarning is not before:
            logging.captureWarnings(False)


with _undisturbed():
    from stravalib.protocol import ApiV3


class Unusable(requests.RequestException):
    """An answer that is refused before anybody reads it; the text is ours and holds nothing of the answer."""


class Api(ApiV3):
    """stravalib's protocol with our addresses, and deaf to the environment."""

    def __init__(
        self,
        base_url: str,
        api_url: str,
        session: requests.Session,
        on_headers: Callable[[Mapping[str, str]], None],
    ) -> None:
        self._base_url = base_url
        self._api_url = api_url
        # stravalib calls its limiter after the answer and before looking at it, so all it may do is take notes.
        super().__init__(requests_session=session, rate_limiter=lambda headers, _method: on_headers(headers))
        # With these two set, stravalib refreshes by itself and loses the new tokens.
        self.client_id = self.client_secret = None
        # It takes this class's name for its logger and notes every call at INFO, as if we had.
        self.log = logging.getLogger("stravalib")
        # One line per call would drown the journal of an idle daemon.
        self.log.setLevel(logging.WARNING)

    def _check_credentials(self) -> None:
        """Neither reads STRAVA_CLIENT_ID and its kin from the environment nor complains about their absence."""

    def resolve_url(self, url: str) -> str:
        """Our addresses in the place of the two that stravalib has built in."""
        path = urlsplit(url).path if url.startswith("http") else "/" + url.strip("/")
        return (self._base_url if path.startswith("/oauth/") else self._api_url) + path


class Session(requests.Session):
    """One session with bounded everything: time, size, retries, redirects."""

    def __init__(self, timeouts: Timeouts) -> None:
        super().__init__()
        self.last_body = b""
        self._timeouts = timeouts
        self.headers["User-Agent"] = f"pullback/{__version__}"
        # Without an `auth` of our own, requests would put a ~/.netrc entry in the place of the bearer token.
        self.auth = _as_it_is
        adapter = _Adapter(timeouts.overall_s)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        self.last_body = b""
        kwargs |= {
            "timeout": (self._timeouts.connect_s, self._timeouts.read_s),
            "allow_redirects": False,
            "stream": True,
        }
        # Plain http is for loopback alone, so it must not wander off to a proxy either.
        self.trust_env = not str(url).startswith("http://")
        with super().request(method, url, *args, **kwargs) as response:
            if 300 <= response.status_code < 400:
                raise Unusable(f"it redirects, HTTP {response.status_code}")
            self.last_body = _read(response)
        return _decoded_once(response, self.last_body)


def reason_for(error: Exception) -> str:
    """A few words of ours for what a library raised."""
    if isinstance(error, Unusable):
        return str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate could not be verified; is the clock right?"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return "it took too long"
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return "its answer broke off"
    if isinstance(error, OSError) and not isinstance(error, ValueError):
        return "no connection"
    return "its answer could not be read"


def refusal_of(error: Exception) -> Refusal | None:
    """What Strava refused, or None where no answer was had."""
    response = error.response if isinstance(error, requests.HTTPError) else None
    if response is None:
        return None
    try:
        body = response.json()
    except ValueError:
        body = None
    return refusal(response.status_code, body, response.headers.get("Retry-After"))


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _read(response: requests.Response) -> bytes:
    pieces, size = [], 0
    for piece in response.iter_content(65_536):
        pieces.append(piece)
        size += len(piece)
        if size > _MAX_BODY_BYTES:
            raise Unusable("its answer is too large")
    return b"".join(pieces)


def _decoded_once(response: requests.Response, body: bytes) -> requests.Response:
    """stravalib asks for the JSON twice, once to look for an error: the second time costs nothing."""
    decoded: list[Any] = []

    def decode(**_kwargs: Any) -> Any:
        if not decoded:
            try:
                decoded.append(json.loads(body))
            except RecursionError:
                raise ValueError("nested too deeply") from None
        return decoded[0]

    response.json = decode  # type: ignore[method-assign]
    return response


class _Adapter(HTTPAdapter):
    """Connections whose whole answer, headers and body, must have come within `overall_s` seconds."""

    def __init__(self, overall_s: float) -> None:
        self._pools = _bounded_pools(overall_s)
        super().__init__(max_retries=_RETRIES)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _bounded_pools(overall_s: float) -> dict[str, Any]:
    """urllib3's pools with one difference: each answer has a deadline. Its read time-out starts anew at every byte."""

    class Answer(http.client.HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
            super().__init__(sock, *args, **kwargs)
            self.fp = io.BufferedReader(_Deadline(self.fp.detach(), sock, time.monotonic() + overall_s))

    class Plain(HTTPConnection):
        response_class = Answer

    class Secure(HTTPSConnection):
        response_class = Answer

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


class _Deadline(io.RawIOBase):
    """A socket's reading end that shortens its time-out as the deadline (of the monotonic clock) comes near."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float) -> None:
        self._raw, self._sock, self._deadline = raw, sock, deadline
        self._timeout = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left if self._timeout is None else min(left, self._timeout))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
