"""Strangers at the door of `pullback auth`: nothing they say ends the waiting, is believed, or is shown."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daemon.errors import UserError
from daemon.strava.callback import Callback, wait_for_callback
from tests.fuzzing import tries

STATE = "the-state-of-this-attempt"


@dataclass
class Door:
    """The listener, waiting in a thread of its own; `let_in` is whom it believed."""

    port: int = 0
    let_in: list[Callback] = field(default_factory=list)
    opened: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> None:
        self.let_in.append(wait_for_callback(0, STATE, 3600, self.open))

    def open(self, redirect_uri: str) -> None:
        self.port = int(redirect_uri.rsplit(":", 1)[1].strip("/"))
        self.opened.set()

    def say(self, *pieces: bytes, hang_up: bool = False) -> bytes:
        """What is answered to these pieces; whoever hangs up hears nothing."""
        heard = b""
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=20)) as visitor, suppress(OSError):
            for piece in pieces:
                visitor.sendall(piece)
            if hang_up:
                # With an RST, as a browser that is closed does.
                visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                return b""
            visitor.shutdown(socket.SHUT_WR)
            while piece := visitor.recv(65536):
                heard += piece
        return heard


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    door = Door()
    waiting = threading.Thread(target=door.wait, daemon=True)
    waiting.start()
    assert door.opened.wait(20)
    yield door
    # It still waits, and for this one alone.
    assert b"has answered" in door.say(f"GET /?state={STATE}&code=good HTTP/1.1\r\n\r\n".encode())
    waiting.join(20)
    assert [callback.code for callback in door.let_in] == ["good"]


SOME_STATE = st.one_of(
    st.sampled_from([STATE[:-1], STATE + "x", STATE.upper(), f" {STATE}", f"{STATE}\0", "", "…", "%", "\ud800"]),
    st.text(max_size=20),
)
FIELDS = st.lists(
    st.one_of(
        st.tuples(st.just("state"), SOME_STATE),
        st.tuples(st.sampled_from(["code", "error", "scope", "State", "state[]", "stat"]), st.text(max_size=20)),
    ),
    max_size=6,
).map(lambda fields: urlencode(fields, errors="replace"))
QUERIES = st.one_of(
    FIELDS,
    st.sampled_from(["", "%", "&&&=&=", f"state={STATE}", f"state={STATE}&code=", "code=1", "state=%ff&code=1"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
WHERE = st.sampled_from(
    ["/", "//", "", "*", "/favicon.ico", "//[", "http://[::1/", "http://localhost:1/", "http://evil/", "/\\", "\0",
     "/../", f"/{STATE}", "localhost:80", "http://[v1.x]/", "//\u2100/", "http://a\u2100b/"]
)  # fmt: skip
HEADERS = st.lists(
    st.sampled_from(
        ["Host: localhost", "Host: [", "Content-Length: -1", "Content-Length: 99999999999",
         "Transfer-Encoding: chunked", "Expect: 100-continue", "Connection: keep-alive", ": ",
         "X" * 70_000, "no colon", "\tfolded", "\xff: \xff", f"Cookie: state={STATE}; code=1",
         f"Referer: http://localhost/?state={STATE}&code=1"]
    ),
    max_size=4,
)  # fmt: skip


def request(method: str, where: str, query: str, version: str, headers: list[str]) -> bytes:
    target = f"{where}?{query}" if query else where
    return "\r\n".join([f"{method} {target} {version}", *headers, "", ""]).encode("latin-1", "replace")


REQUESTS = st.one_of(
    st.builds(
        request,
        st.sampled_from(["GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "CONNECT", "get", "\x16\x03\x01", ""]),
        WHERE,
        QUERIES,
        st.sampled_from(["HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/9.9", "HTTP/1.1.1", "", "HTTP/x", "ICY"]),
        HEADERS,
    ),
    st.binary(max_size=60),
    st.sampled_from([b"\n" * 50, b"GET /" + b"a" * 70_000, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 150 + b"\r\n"]),
)


@tries(120)
@given(st.lists(REQUESTS, min_size=1, max_size=4), st.booleans())
@example([request("GET", "http://[::1/", "", "HTTP/1.1", [])], False)
@example([request("GET", "/", "state=x&code=1", "HTTP/1.1", [])] * 4, True)
def test_nobody_without_the_state_is_believed(
    door: Door, capfd: pytest.CaptureFixture[str], pieces: list[bytes], hang_up: bool
) -> None:
    heard = door.say(*pieces, hang_up=hang_up)
    # A request line without a version is answered without a status line (HTTP/0.9).
    assert not heard or heard[:9] in (b"HTTP/1.0 ", b"<!DOCTYPE", b"<!doctype")
    assert b"has answered" not in heard and b"was refused" not in heard
    assert b"Traceback" not in heard
    assert door.let_in == []
    said = capfd.readouterr()
    assert said.err == "" and said.out == ""


def test_those_who_say_nothing_and_one_who_never_ends_hold_up_neither_the_answer_nor_the_end() -> None:
    with ExitStack() as visitors:

        def crowd(redirect_uri: str) -> None:
            port = int(redirect_uri.rsplit(":", 1)[1].strip("/"))
            for _ in range(30):
                silent = visitors.enter_context(closing(socket.create_connection(("127.0.0.1", port), timeout=20)))
                silent.sendall(b"GET /?state=")

        def browser(redirect_uri: str) -> None:
            crowd(redirect_uri)
            threading.Thread(
                target=lambda: httpx.get(f"{redirect_uri}?state={STATE}&code=good".replace("localhost", "127.0.0.1")),
                daemon=True,
            ).start()

        assert wait_for_callback(0, STATE, 30, browser).code == "good"
        began = time.monotonic()
        with pytest.raises(UserError, match="in time"):
            wait_for_callback(0, STATE, 0.1, crowd)
        assert time.monotonic() - began < 5
