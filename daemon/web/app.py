"""The door of the page: who may read what, and with which headers it leaves. Knows no store.

Only GET and HEAD, no cookies, and nothing a browser could be made to do here from elsewhere.
"""

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from daemon.config import WebConfig
from daemon.config.values import is_loopback
from daemon.report.page import policy
from daemon.store import StoreError
from daemon.web.pages import Answer, Pages

log = logging.getLogger(__name__)

PIECE = 65_536
"""Bytes of an answer that wait for a slow reader at most; the rest is shared by all who read."""
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
ELSEWHERE = "This page answers to localhost only. Behind a proxy with another name, set a token under [web].\n"
NO_TOKEN = "A token is needed: add ?token=… to the address, or send it as Authorization: Bearer.\n"
ONLY_READ = "This page can only be read: GET or HEAD.\n"


def routes(pages: Pages) -> Starlette:
    """The addresses there are."""
    making = asyncio.Lock()  # the page takes a second or two: one at a time, and nothing else waits for it
    looking = asyncio.Lock()
    app = Starlette(
        routes=[
            _route("/", pages.report, making),
            _route("/healthz", pages.health, looking),
            _route("/metrics", pages.figures, looking),
            _route("/status.json", pages.status, looking),
        ]
    )
    app.router.redirect_slashes = False
    return app


def _route(path: str, make: Callable[[], Answer], turn: asyncio.Lock) -> Route:
    async def endpoint(_: Request) -> Response:
        try:
            async with turn:
                answer = await asyncio.to_thread(make)
        except StoreError as error:
            return PlainTextResponse(f"{error}\n", 503, {"Retry-After": "60"})
        headers = {"Content-Type": answer.media_type, "Content-Length": str(len(answer.body))}
        if answer.media_type.startswith("text/html"):
            headers["Content-Security-Policy"] = f"{policy()}; frame-ancestors 'none'"
        return StreamingResponse(_pieces(answer.body), answer.status, headers)

    return Route(path, endpoint, methods=["GET"])


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), PIECE):
        yield body[start : start + PIECE]


class Door:
    """Refuses what may not come in, gives every answer its headers, and writes a bug to the log."""

    def __init__(self, app: ASGIApp, web: WebConfig) -> None:
        self._app = app
        self._token = None if web.token is None else web.token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def dressed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await (self._refusal(scope) or self._app)(scope, receive, dressed)
        except Exception:
            # The path is one of a few, or refused; the query may hold the token and isn't written down.
            log.exception('page not shown, this is a bug path="%s"', scope["path"])
            if not started:
                await PlainTextResponse("This is a bug; the log has it.\n", 500)(scope, receive, dressed)

    def _refusal(self, scope: Scope) -> Response | None:
        if self._token is None:
            # Only this machine can ask then, and a name of somebody else's that leads here would let their page read
            # ours (DNS rebinding). With a token, whoever doesn't know it reads nothing under any name.
            if not _names_this_machine(Headers(scope=scope).get("host", "")):
                return PlainTextResponse(ELSEWHERE, HTTPStatus.MISDIRECTED_REQUEST)
        elif not any([hmac.compare_digest(given, self._token) for given in _tokens(scope)]):
            return PlainTextResponse(NO_TOKEN, 401, {"WWW-Authenticate": "Bearer"})
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse(ONLY_READ, 405, {"Allow": "GET, HEAD"})
        return None


def _names_this_machine(host: str) -> bool:
    """Whether a Host header, with its port or without, is a loopback address or localhost."""
    name, _, port = host.rpartition(":")
    return is_loopback((name if name and port.isdigit() else host).lower().removeprefix("[").removesuffix("]"))


def _tokens(scope: Scope) -> list[bytes]:
    """What a request says the token is."""
    found = []
    for name, value in scope["headers"]:
        scheme, _, word = value.partition(b" ")
        if name == b"authorization" and scheme.lower() == b"bearer":
            found.append(word.strip())
    try:
        query = parse_qsl(scope["query_string"].decode("latin-1"), max_num_fields=20)
    except ValueError:
        query = []
    return found + [value.encode(errors="replace") for name, value in query if name == "token"]
