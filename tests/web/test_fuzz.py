"""Whatever bytes come to the page's door: an answer or none, never a page for a stranger, never a bug in the log."""

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzzing import tries
from tests.house import House
from tests.strained import strained_house
from tests.web.test_web import PATHS, Site, opened

TOKEN = "tok-5ecret"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with strained_house(tmp_path_factory.mktemp("fuzzed")) as house:
        yield house


@pytest.fixture(scope="module")
def guarded(house: House) -> Iterator[Site]:
    with opened(house, TOKEN) as site:
        site.ask(f"/?token={TOKEN}")
        yield site


@pytest.fixture(scope="module")
def at_home(house: House) -> Iterator[Site]:
    """The page that only this machine can ask for, and that asks for no token."""
    with opened(house) as site:
        site.ask("/")
        yield site


NAMES = st.sampled_from(
    ["Host", "Authorization", "Connection", "Upgrade", "Range", "Cookie", "Expect", "Content-Length", "Accept",
     "Transfer-Encoding", "If-None-Match", "X-Forwarded-For", "X-Forwarded-Host", "X-Original-URL", "Forwarded",
     "X-HTTP-Method-Override", "HTTP2-Settings", "Te", "Sec-WebSocket-Key"]
)  # fmt: skip
WORDS = st.one_of(
    st.sampled_from(
        ["", "chunked", "close", "keep-alive", "websocket", "h2c", "100-continue", "bytes=0-1", "bytes=9-0,-1", "0",
         "-1", "99999999999", "localhost", "localhost:1", "127.0.0.1", "[::1]:80", "evil.example", "localhost.evil",
         "localhost\x00", "127.0.0.1, evil", f"Bearer {TOKEN[:-1]}",
         f"Bearer {TOKEN}", f"Basic {TOKEN}", "Bearer", "/healthz", "*/*"]
    ),
    st.text("abc=;:\t%\xff ", max_size=12),
)  # fmt: skip
PLACES = ("//", "/../", "/%2e%2e/etc/passwd", "/%00", "/status.json/", "*", "http://a/", "//[")
QUERIES = (
    "",
    "?token=",
    "?token=tok",
    f"?token={TOKEN}",
    f"?token={TOKEN}&token=",
    "?" + "&" * 50,
    "?token=%ff%fe",
    "#",
)
TARGETS = st.one_of(
    st.builds("{}{}".format, st.sampled_from([*PATHS, *PLACES]), st.sampled_from(QUERIES)),
    st.text("/?&=%.\\a:[]\xe9", max_size=20),
)
METHODS = st.sampled_from(
    ["GET", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PRI", "get", "\x00"]
)
FIELDS = st.lists(st.tuples(NAMES, WORDS), max_size=5)


def asked(method: str, target: str, version: str, fields: list[tuple[str, str]], body: bytes) -> bytes:
    lines = [f"{method} {target} {version}", *(f"{name}: {word}" for name, word in fields), "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace") + body


# One that is understood, and one that may not be.
SOUND = st.builds(
    asked,
    METHODS.filter(str.isupper),
    st.sampled_from(PATHS),
    st.just("HTTP/1.1"),
    FIELDS.map(lambda fields: [("Host", "localhost"), *((n, w) for n, w in fields if n != "Host" and w.isprintable())]),
    st.just(b""),
)
VERSIONS = st.sampled_from(["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "", "x"])
ODD = st.builds(asked, METHODS, TARGETS, VERSIONS, FIELDS, st.binary(max_size=20))
ASKED = SOUND | ODD
EACH_METHOD = [
    asked(method, "/", "HTTP/1.1", [("Host", "localhost"), ("Authorization", f"Bearer {TOKEN}")], b"")
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")
]
PIECES = st.lists(
    st.one_of(ASKED, st.binary(max_size=60), st.just(b"GET / HTTP/1.1\r\nA: " + b"a" * 70_000)), max_size=3
)


def answers(site: Site, pieces: list[bytes]) -> bytes:
    heard = b""
    with closing(socket.create_connection(("127.0.0.1", site.port), timeout=20)) as visitor, suppress(OSError):
        for piece in pieces:
            visitor.sendall(piece)
        visitor.shutdown(socket.SHUT_WR)
        while piece := visitor.recv(65536):
            heard += piece
    return heard


@tries(60)
@given(PIECES)
@example([b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"] * 3)
@example(EACH_METHOD)
@example([b"GET /?token=tok-5ecret HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"])
@example([b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n"])  # found so
@example([b"GET /healthz HTTP/1.1\r\n" + b"Authorization: Bearer tok\r\n" * 90 + b"\r\nGET / HTTP/1.1\r\n"])
def test_who_has_not_the_token_reads_nothing_and_nobody_breaks_anything(
    guarded: Site, caplog: pytest.LogCaptureFixture, pieces: list[bytes]
) -> None:
    caplog.clear()
    heard = answers(guarded, pieces)
    if TOKEN.encode() not in b"".join(pieces):
        assert b" 200 OK" not in heard and b"pullback_" not in heard and b"verdict" not in heard
    assert not heard or heard.startswith(b"HTTP/1.1 ")
    assert TOKEN.encode() not in heard and b"Traceback" not in heard
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@tries(60)
@given(PIECES)
@example(EACH_METHOD)
@example([b"HEAD / HTTP/1.0\r\nHost: localhost\r\n\r\n", *[b"GET / HTTP/1.1\r\nA: " + b"a" * 70_000] * 2])  # found so
@example([b"GET /status.json HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nabcdePOST / HTTP/1.1\r\n\r\n"])
def test_at_home_it_only_reads_and_goes_on(
    at_home: Site, caplog: pytest.LogCaptureFixture, pieces: list[bytes]
) -> None:
    caplog.clear()
    mark = at_home.house.store.mark()
    heard = answers(at_home, pieces)
    assert not heard or heard.startswith(b"HTTP/1.1 ")
    assert b" 500 " not in heard and b"Traceback" not in heard
    assert at_home.house.store.mark() == mark
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert at_home.ask("/healthz")[0] in (200, 503)
    assert json.loads(at_home.ask("/status.json")[2])["verdict"]
