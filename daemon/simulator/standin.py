"""A Strava to talk to over real HTTP on the loopback: OAuth, lists, details, streams, quotas, error bodies, faults.

    with StandIn(world) as strava:
        ...  # strava.base_url, strava.api_url

It answers from a `StravaWorld` and decides nothing itself. Never reachable from outside this machine.
"""

import argparse
import json
import os
import socket
import ssl
import struct
import sys
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from daemon.clock import SystemClock
from daemon.simulator.answers import Answer, Request, answer
from daemon.simulator.faults import Fault, huge_numbers, wrong_types
from daemon.simulator.limits import REFUSED_STATUS
from daemon.simulator.world import StravaWorld

MAINTENANCE = b"<!DOCTYPE html><html><head><title>Strava</title></head><body>Down for maintenance</body></html>"


class StandIn:
    """The server: a context manager, or `start` and `stop`. Binds 127.0.0.1; port 0 takes a free one.

    `stop` cuts open connections, so that afterwards Strava can't be reached; `start` brings it back on the same port.
    With `tls` (a server's context) it speaks https.
    """

    def __init__(self, world: StravaWorld, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.world = world
        self.port = port
        self.tls = tls
        self._server: _Server | None = None

    @property
    def base_url(self) -> str:
        """For `strava.base_url`: where OAuth lives."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        """For `strava.api_url`."""
        return f"{self.base_url}/api/v3"

    def start(self) -> "StandIn":
        self._server = _Server(self.world, self.port, self.tls)
        self.port = self._server.server_address[1]
        Thread(target=self._server.serve_forever, args=(0.02,), name="strava-stand-in", daemon=True).start()
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.close_everything()
            self._server = None

    def __enter__(self) -> "StandIn":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, world: StravaWorld, port: int, tls: ssl.SSLContext | None) -> None:
        self.world = world
        self._tls = tls
        self.stopping = Event()
        self._open: set[socket.socket] = set()
        self._open_lock = Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        request, address = super().get_request()
        if self._tls is not None:
            # The handshake waits for the first read, in the connection's own thread.
            request = self._tls.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
        return request, address

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away in the middle is no news; our own mistakes are."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def close_everything(self) -> None:
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._open_lock:
            for connection in self._open:
                _quietly_shut(connection)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "Strava-stand-in"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 65536  # head and body leave together: two writes would wait for each other's ACK

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date header tells the world's time."""
        return super().date_time_string(self.server.world.now().timestamp() if timestamp is None else timestamp)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: `world.asked` is the log."""

    def _serve(self) -> None:
        world, request = self.server.world, self._request()
        fault = world.take_fault(request.path)
        if fault is None or fault.takes_effect:
            reply = answer(world, request)
        else:
            reply = _failure(world, request.path, fault)
        cut = fault is not None and fault.kind in {"reset", "lost", "hang", "tls"}
        world.note(request.method, request.path, request.query, 0 if cut else reply.status)
        if fault is None:
            self._send(reply)
        else:
            self._act_out(fault, reply)

    def _request(self) -> Request:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
        return Request(
            self.command,
            parts.path,
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            dict(parse_qsl(body, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
        )

    def _send(self, reply: Answer) -> None:
        self._head(reply)
        self.wfile.write(reply.body)
        self.wfile.flush()

    def _head(self, reply: Answer) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()

    def _act_out(self, fault: Fault, reply: Answer) -> None:
        if fault.kind in {"reset", "lost"}:
            self._reset()
        elif fault.kind == "hang":
            self.server.stopping.wait(fault.seconds)
            self._reset()
        elif fault.kind == "tls":
            os.write(self.connection.fileno(), b"HTTP/1.1 200 OK\r\n\r\n")
            self._reset()
        elif fault.kind == "drip":
            self._drip(fault, reply)
        else:
            self._send(_damaged(fault, reply))

    def _drip(self, fault: Fault, reply: Answer) -> None:
        # At least one each 50 ms, so that only a bound on the whole answer ends it; blanks before JSON mean nothing.
        pieces = max(20, round(fault.seconds / 0.05))
        body = reply.body.rjust(pieces)
        self._head(replace(reply, body=body))
        size = -(-len(body) // pieces)
        for begin in range(0, len(body), size):
            self.wfile.write(body[begin : begin + size])
            self.wfile.flush()
            if self.server.stopping.wait(fault.seconds / pieces):
                return

    def _reset(self) -> None:
        """Close with RST: linger zero, and the descriptor goes at once, whatever files still refer to it."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        descriptor = self.connection.detach()
        if descriptor >= 0:
            os.close(descriptor)


def _failure(world: StravaWorld, path: str, fault: Fault) -> Answer:
    """The answer of a fault that keeps the request from having any effect; it is counted like any other call."""
    with world.lock:
        headers = {}
        if path.startswith("/api/"):
            world.limits.count(world.now(), reading=True)
            headers = world.limits.headers()
    if fault.kind == "html":
        return Answer(200, MAINTENANCE, headers | {"Content-Type": "text/html; charset=utf-8"})
    if fault.kind == "redirect":
        return Answer(302, b"", headers | {"Location": fault.location})
    if fault.kind == "inactive":
        return Answer.inactive(headers)
    if fault.kind == "scope":
        return Answer.error(HTTPStatus.FORBIDDEN, "AccessToken", "activity:read_permission", "missing").plus(headers)
    if fault.kind == "day":
        short, day = 100, 1000
        headers |= {"X-ReadRateLimit-Limit": f"{short},{day}", "X-ReadRateLimit-Usage": f"1,{day}"}
        return Answer.trouble(REFUSED_STATUS, headers)
    if fault.retry_after is not None:
        headers["Retry-After"] = str(fault.retry_after)
    return Answer.trouble(fault.status, headers)


def _damaged(fault: Fault, reply: Answer) -> Answer:
    if fault.kind == "truncated":
        return Answer(reply.status, reply.body[: len(reply.body) // 2], reply.headers)
    if fault.kind == "empty":
        return Answer(reply.status, b"", reply.headers)
    if fault.kind in {"wrong_types", "huge_numbers"} and reply.body:
        spoil = wrong_types if fault.kind == "wrong_types" else huge_numbers
        return Answer(reply.status, json.dumps(spoil(json.loads(reply.body))).encode(), reply.headers)
    return reply


def _quietly_shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted; prints the address on one line. Client id 1, secret "secret"."""
    parser = argparse.ArgumentParser(prog="python -m daemon.simulator.standin", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--recordings", help="a file of recordings in Strava's shapes, plain or gzipped")
    parser.add_argument("--runner", choices=["absorbed", "strained"])
    options = parser.parse_args(arguments)
    now = SystemClock().now
    world = StravaWorld(now)
    if options.recordings:
        world.add_recordings(options.recordings)
    if options.runner:
        from daemon.simulator.stories import STORIES  # the server alone needs no simulated runner

        world.add_all(STORIES[options.runner](now().date()).activities, as_they_happen=True)
    with StandIn(world, options.port) as strava:
        print(strava.base_url, flush=True)
        try:
            Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
