"""The dead man's switch hears what Healthchecks and Uptime Kuma expect, and never holds up the work."""

import queue
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from daemon import heartbeat
from daemon.care import Pulse, trouble
from daemon.errors import UserError
from daemon.heartbeat import Heartbeat, Ping, ping_for, send
from daemon.store import Busy
from daemon.store.progress import Progress
from tests.house import MONDAY, House


class Switchboard:
    """A dead man's switch: `calls` is what it was asked, `status` what it answers, `silent` whether not at all."""

    def __init__(self) -> None:
        self.calls: queue.Queue[tuple[str, str, str]] = queue.Queue()
        self.status = 200
        self.silent = threading.Event()
        self.location: str | None = None
        self.date: str | None = None
        board = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                board.calls.put((self.command, self.path, body.decode()))
                if board.silent.is_set():
                    board.ended.wait(60)
                self.send_response(board.status)
                if board.location:
                    self.send_header("Location", board.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_HEAD = do_GET

            def date_time_string(self, timestamp: float | None = None) -> str:
                return super().date_time_string(timestamp) if board.date is None else board.date

            def log_message(self, *args: Any) -> None:
                return

        self.ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def heard(self) -> list[tuple[str, str, str]]:
        """Everything up to now."""
        found = []
        while not self.calls.empty():
            found.append(self.calls.get())
        return found

    def hears(self) -> tuple[str, str, str]:
        """The next call, which may take a moment."""
        return self.calls.get(timeout=30)

    def speak_tls(self, certificate: Path, key: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._server.handle_error = lambda *args: None  # type: ignore[method-assign]

    def hang_up(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()


def certificate(folder: Path) -> tuple[Path, Path]:
    """One for this machine that nobody vouches for, and its key."""
    key, made = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", made],
        check=True,
        capture_output=True,
    )
    return made, key


@pytest.fixture
def board() -> Iterator[Switchboard]:
    opened = Switchboard()
    yield opened
    opened.hang_up()


HC, KUMA = "https://hc-ping.com/uuid", "https://kuma.example.org/api/push/key?status=up&msg=OK&ping="


@pytest.mark.parametrize(
    ("url", "state", "ping"),
    [
        (HC, "start", Ping(f"{HC}/start")),
        (HC, "success", Ping(HC)),
        (HC, "fail", Ping(f"{HC}/fail", "disk full")),
        (f"{HC}/", "fail", Ping(f"{HC}/fail", "disk full")),
        ("https://hc-ping.com/key/run?create=1", "start", Ping("https://hc-ping.com/key/run/start?create=1")),
        (KUMA, "start", None),
        (KUMA, "success", Ping("https://kuma.example.org/api/push/key?status=up&msg=OK")),
        (KUMA, "fail", Ping("https://kuma.example.org/api/push/key?status=down&msg=disk+full")),
        ("https://k.org/sub/api/push/key", "success", Ping("https://k.org/sub/api/push/key?status=up&msg=OK")),
    ],
)
def test_each_service_hears_its_own_words(url: str, state: heartbeat.State, ping: Ping | None) -> None:
    assert ping_for(url, state, "disk\nfull" if state == "fail" else "") == ping


def test_a_redirect_is_not_followed_wherever_it_leads(board: Switchboard) -> None:
    board.status, board.location = 302, f"{board.url}/elsewhere"
    assert send(f"{board.url}/uuid", "success") == "refused, HTTP 302"
    assert board.heard() == [("GET", "/uuid", "")]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_a_certificate_nobody_vouches_for_is_refused_before_anything_is_said(
    board: Switchboard, tmp_path: Path
) -> None:
    board.speak_tls(*certificate(tmp_path))
    said = send(f"{board.url.replace('http:', 'https:')}/uuid", "success")
    assert said is not None and said.startswith("not reached")
    assert board.heard() == []


def test_nobody_there_is_a_few_words_without_the_address(board: Switchboard) -> None:
    board.hang_up()
    said = send(f"{board.url}/uuid-5ecret", "fail", "x")
    assert said is not None and "5ecret" not in said


def test_no_proxy_comes_between_it_and_this_machine(board: Switchboard, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # where nobody listens
    assert send(f"{board.url}/uuid", "success") is None
    assert board.heard() == [("GET", "/uuid", "")]


def test_a_service_that_hangs_costs_the_work_nothing(board: Switchboard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "TIMEOUT_S", 1.5)
    board.silent.set()
    beat = Heartbeat()
    for _ in range(100):  # more than wait for a slow service, and nobody answers one of them before the last is told
        beat.tell(f"{board.url}/uuid", "start")
    assert len(board.heard()) <= 1
    board.hears()
    board.silent.clear()
    assert board.hears()[1] == "/uuid/start"


def test_an_answer_that_drips_in_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "LONGEST_S", 0.3)
    ended = threading.Event()

    def drip() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            with suppress(OSError):
                for _ in range(1200):  # a minute
                    if ended.wait(0.05):
                        return
                    connection.sendall(b"a")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=drip, daemon=True).start()
        assert send(f"http://127.0.0.1:{listening.getsockname()[1]}/uuid", "fail", "x") == "no answer in time"
        for thread in threading.enumerate():
            if thread.name == "ping":
                thread.join(10)
                assert not thread.is_alive(), "nothing is left that goes on reading"
        ended.set()


STATES = {
    "all is well": (Progress(last_success_at=MONDAY), False),
    "access lost": (Progress(last_success_at=MONDAY, access="revoked", problem="run `pullback auth`"), True),
    "an hour offline": (Progress(last_success_at=MONDAY - timedelta(hours=1), problem="no connection"), False),
    "half a day offline": (Progress(last_success_at=MONDAY - timedelta(hours=12), problem="no connection"), True),
    "rate limit for the day": (
        Progress(last_success_at=MONDAY - timedelta(hours=20), waiting_until=MONDAY + timedelta(hours=3)),
        False,
    ),
    "rate limit for ever": (
        Progress(last_success_at=MONDAY - timedelta(hours=30), waiting_until=MONDAY + timedelta(hours=3)),
        True,
    ),
    "never reached": (Progress(problem="no connection"), True),
    "waiting since the first call": (Progress(waiting_until=MONDAY + timedelta(hours=3)), False),
    "an hour of first lists that say nothing": (Progress(failing_since=MONDAY - timedelta(hours=1)), False),
    "half a day of first lists that say nothing": (Progress(failing_since=MONDAY - timedelta(hours=12)), True),
    "offline since a clock was ahead": (
        Progress(last_success_at=MONDAY + timedelta(days=300), failing_since=MONDAY - timedelta(hours=12)),
        True,
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_waiting_is_no_failure_and_lost_access_is(name: str) -> None:
    state, failed = STATES[name]
    assert (trouble(state, MONDAY) is not None) is failed


class Ear(list[str]):
    """What a dead man's switch hears, as words."""

    def hear(self, state: str, text: str) -> None:
        self.append(f"{state} {text}".strip())


def test_a_job_in_trouble_stands_until_it_has_gone_well_again() -> None:
    ear = Ear()
    pulse = Pulse(ear.hear, lambda: None)

    def run(job: str, error: Exception | None = None) -> None:
        try:
            with pulse.around(job):
                if error is not None:
                    raise error
        except (UserError, ZeroDivisionError):
            return

    run("poll")
    run("backup", UserError("the disk is full"))
    run("backup", UserError("the disk is full"))
    run("poll")
    run("backup")
    run("poll", ZeroDivisionError())
    run("poll", Busy("another pullback is at it"))
    assert ear == [
        *("start", "success"),
        "fail backup: the disk is full",
        *("start", "fail backup: the disk is full"),
        *("start", "fail poll: a bug: see the log"),
        *("start", "success"),
    ]


def test_before_strava_is_set_up_a_poll_is_no_success(house: House) -> None:
    with house.store.write() as session:
        for table in ("token", "sync_state"):
            session.connection().exec_driver_sql(f"DELETE FROM {table}")
    assert "pullback auth" in str(house.daemon().trouble())
