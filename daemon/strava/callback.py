"""The way back from Strava's consent page: a pasted address, or one request to a listener on the loopback.

Knows nothing of tokens and shows nothing of what it was sent.
"""

import hmac
import queue
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from daemon.errors import UserError

DEFAULT_PORT = 8721

_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>pullback</title>'
    '<body style="font-family: sans-serif; max-width: 32em; margin: 4em auto">'
    "<h1>pullback</h1><p>{text}</p></body></html>"
)
_GRANTED = "Strava has answered. You can close this page: the terminal says how it went."
_REFUSED = "Strava says that access was refused. You can close this page; run <code>pullback auth</code> to try again."
_NOT_THIS_ONE = "This is not the answer pullback is waiting for. Use the address it printed last."


@dataclass(frozen=True, slots=True)
class Callback:
    """What came back from the consent page. `error` is Strava's word ("access_denied") or None."""

    code: str | None = field(repr=False)
    state: str | None = field(repr=False)
    scope: frozenset[str]
    error: str | None


def callback_from(url: str) -> Callback:
    """What the redirected URL (or only its query) says; the caller compares `state`. Raises UserError on others."""
    text = url.strip().strip("<>\"'")
    try:
        query = urlsplit(text).query if "?" in text else text
        fields = parse_qs(query, keep_blank_values=True)
    except ValueError:
        fields = {}
    found = {name: values[-1] for name, values in fields.items()}
    code, error = found.get("code") or None, found.get("error") or None
    if code is None and error is None:
        raise UserError(
            "That isn't the address Strava sent the browser to: copy the whole line from the browser's address bar "
            "(it starts with http://localhost and contains code=) and run `pullback auth --paste` again"
        )
    scope = frozenset(found.get("scope", "").replace(",", " ").split())
    return Callback(code=code, state=found.get("state") or None, scope=scope, error=error)


def wait_for_callback(
    port: int, state: str, timeout_s: float = 300.0, ready: Callable[[str], None] = lambda _redirect_uri: None
) -> Callback:
    """Listens on 127.0.0.1 until Strava sends the browser back with this `state`, and answers it with a page.

    `ready` is called with the redirect URI (`http://localhost:PORT/`) once the port is open; port 0 takes a free one.
    A refused consent is a Callback with `error`. Anything else that comes by is told so, and waiting goes on.
    Raises UserError where the port is taken or nobody came within `timeout_s`.
    """
    answers: queue.Queue[Callback] = queue.Queue()
    try:
        server = _Server(("127.0.0.1", port), _handler(state, answers))
    except (OSError, OverflowError):
        raise UserError(
            f"Port {port} on this machine can't be used: name another with `pullback auth --port`, "
            "or run `pullback auth --paste`"
        ) from None
    # In threads, because browsers open connections ahead of time and say nothing on them.
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        ready(f"http://localhost:{server.server_address[1]}/")
        return answers.get(timeout=timeout_s)
    except queue.Empty:
        raise UserError(
            "Nobody came back from Strava in time: run `pullback auth` again, "
            "or `pullback auth --paste` where the browser is on another machine"
        ) from None
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    # A second listener on the port would get the runner's code half of the time: a taken port must fail.
    allow_reuse_port = False
    # Those who connect and say nothing mustn't fill the queue: who then knocks is let in seconds later only.
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up in the middle is no news; anything else is a bug and keeps its traceback."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _is_ours(address: str) -> bool:
    """Whether a request is for the one page there is; not each text after GET is an address."""
    try:
        return urlsplit(address).path == "/"
    except ValueError:
        return False


def _handler(state: str, answers: "queue.Queue[Callback]") -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5.0

        def do_GET(self) -> None:
            if not _is_ours(self.path):
                self.send_error(404)
                return
            try:
                callback = callback_from(self.path)
            except UserError:
                callback = None
            ours = callback is not None and hmac.compare_digest((callback.state or "").encode(), state.encode())
            if callback is None or not ours:
                self._page(_NOT_THIS_ONE)
                return
            try:
                self._page(_REFUSED if callback.error else _GRANTED)
            finally:  # the answer counts, even if nobody stayed to read the page
                answers.put(callback)

        def _page(self, text: str) -> None:
            body = _PAGE.format(text=text).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent: the request line holds the code."""

    return Handler
