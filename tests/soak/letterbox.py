"""Receivers on real sockets that count what arrives, one for web hooks and one for mail, and can be waited for."""

import json
import threading
import time
from collections.abc import Callable
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler
from socket import create_connection
from socketserver import BaseRequestHandler, StreamRequestHandler, ThreadingTCPServer
from typing import Any

SETTLED_S = 20.0


class Letterbox(ThreadingTCPServer):
    """`letters` are what it took, title and text, each on one line. It refuses where `refuses()` says so."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, handler: type[BaseRequestHandler], address: str) -> None:
        self.letters: list[str] = []
        self.refuses: Callable[[], bool] = lambda: False
        self._lock = threading.Lock()
        self._open: set[Any] = set()
        self._last: Any = None
        super().__init__(("127.0.0.1", 0), handler)
        self.url = address.format(port=self.server_address[1])
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def take(self, text: str) -> None:
        with self._lock:
            self.letters.append(one_line(text))

    def settle(self) -> None:
        """Returns when all that was sent before is taken, or cut short: connections are let in one after the other."""
        give_up = time.monotonic() + SETTLED_S
        with create_connection(("127.0.0.1", self.server_address[1])) as mine:
            me = mine.getsockname()
            while self._last != me:
                assert time.monotonic() < give_up, "nobody is let in"
                time.sleep(0.001)
        while self._open:
            assert time.monotonic() < give_up, "a connection stays open"
            time.sleep(0.001)

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
            self._last = client_address
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._lock:
            self._open.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that is killed is what this is about."""


def phone() -> Letterbox:
    """A web hook that takes JSON."""
    return Letterbox(_Hook, "json://127.0.0.1:{port}/")


def mailbox() -> Letterbox:
    """An SMTP server."""
    return Letterbox(_Mail, "mailto://127.0.0.1:{port}/?from=pullback@example.org&to=ada@example.org&mode=insecure")


def pulse() -> Letterbox:
    """A dead man's switch: its letters are "start", "fail", or "" for all is well."""
    return Letterbox(_Pulse, "http://127.0.0.1:{port}/ping")


def one_line(text: str) -> str:
    return " ".join(text.split())


class _Hook(BaseHTTPRequestHandler):
    server: Letterbox

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            return
        refused = self.server.refuses()
        if not refused:
            said = json.loads(body)
            self.server.take(f"{said['title']}. {said['message']}")
        self.send_response(500 if refused else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        return


class _Pulse(_Hook):
    """A ping without a body is a GET."""

    def do_GET(self) -> None:
        self._ping()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self._ping()

    def _ping(self) -> None:
        self.server.take(self.path.removeprefix("/ping").removeprefix("/"))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


class _Mail(StreamRequestHandler):
    """As much of RFC 5321 as a sender needs."""

    server: Letterbox

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self._say("354 go on")
                self._take()
            else:
                self._say("221 bye" if verb == b"QUIT" else "250 ok")
            if verb == b"QUIT":
                return

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if self.server.refuses():
            self._say("451 try later")
            return
        letter: Any = message_from_bytes(b"".join(lines), policy=policy.default)
        self.server.take(f"{letter['subject']}. {letter.get_body(('plain',)).get_content()}")
        self._say("250 taken")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
