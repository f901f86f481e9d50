"""Sockets and a thread for the page: uvicorn, bounded in connections and in the time that each may take."""

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from daemon.clock import Clock
from daemon.config import Config, WebConfig
from daemon.errors import UserError
from daemon.store import Store
from daemon.web.app import Door, routes
from daemon.web.pages import Pages

log = logging.getLogger(__name__)

CONNECTIONS = 32
"""More at once are answered 503."""
LIFETIME_S = 60.0
"""So long a connection may last: one that says nothing, or reads nothing, is cut off."""


class Connection(H11Protocol):
    """uvicorn's connection, with an end: uvicorn itself waits for ever for a request, and for an answer to be read."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._end = self.loop.call_later(LIFETIME_S, transport.abort)

    def send_400_response(self, msg: str) -> None:
        """A request that turns into rubbish half-way: its own answer, begun or about to begin, would be a second one.

        uvicorn sends both, and leaves a traceback that any stranger can cause.
        """
        if self.cycle is not None:
            self.cycle.disconnected = True
        try:
            super().send_400_response(msg)
        except h11.LocalProtocolError:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end.cancel()
        super().connection_lost(exc)


class Server:
    """The page behind one address. Raises UserError where it can't be listened on."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        config: Callable[[], Config],
        failures: Callable[[], Mapping[str, int]],
        web: WebConfig,
    ) -> None:
        assert web.listen is not None
        self._socket = _listen(*web.listen)
        pages = Pages(store, clock, config, failures)
        settings: dict[str, Any] = {"lifespan": "off", "ws": "none", "loop": "asyncio", "http": Connection}
        # Requests are logged nowhere: their address may hold the token. Bugs are logged at the door.
        settings |= {"log_config": None, "log_level": "critical", "access_log": False}
        settings |= {"server_header": False, "proxy_headers": False, "limit_concurrency": CONNECTIONS}
        self._uvicorn = uvicorn.Server(uvicorn.Config(Door(routes(pages), web), **settings))
        self._thread = threading.Thread(target=self._serve, name="web", daemon=True)
        self._thread.start()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self, wait_s: float) -> bool:
        """Cuts everybody off; False when the thread is still busy after `wait_s` seconds."""
        self._uvicorn.should_exit = self._uvicorn.force_exit = True
        self._thread.join(wait_s)
        return not self._thread.is_alive()

    def _serve(self) -> None:
        try:
            asyncio.run(self._uvicorn.serve(sockets=[self._socket]))
        except Exception:
            log.exception("the page stopped, this is a bug; it is started again")
        finally:
            self._socket.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=CONNECTIONS)
    except OSError as error:
        # Python adds the address to the system's own word.
        number = error.errno or 0
        why = (os.strerror(number) if number > 0 else str(error.strerror or error)).lower()
        raise UserError(f"no page: {host}:{port} can't be listened on ({why}); change [web] listen") from None
