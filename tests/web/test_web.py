"""The live page as a browser, a monitor and a stranger meet it: over real sockets, against a real store."""

import http.client
import json
import logging
import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from daemon import metrics
from daemon.config import WebConfig, parse
from daemon.errors import ConfigError
from daemon.report.page import policy
from daemon.store import outbox, renew
from daemon.store.erasing import erase
from daemon.store.progress import athletes, progress, save_progress
from daemon.strava.limits import Budget, to_json
from daemon.web import Web, pages, server
from daemon.web.figures import Seen, trouble
from tests.cli.terminal import Terminal
from tests.house import MONDAY, House, plain_run
from tests.strained import strained_house

TOKEN = "s3sam-öffne-dich"
PATHS = ("/", "/healthz", "/metrics", "/status.json")


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port: int = taken.getsockname()[1]
    return port


class Site:
    """The page of one house, and whoever asks for it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.failures: dict[str, int] = {}
        self.web = Web(house.store, house.clock, lambda: house.config, lambda: self.failures)

    def open(self, token: str | None = None, port: int | None = None) -> None:
        self.port = port or free_port()
        self.house.set_config("web", listen=("127.0.0.1", self.port), token=token)
        self.web.keep()

    def ask(
        self, path: str, method: str = "GET", headers: dict[str, str] | None = None, port: int | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=20)
        with closing(connection):
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()

    def slow(self, request: bytes) -> socket.socket:
        """Somebody who asks and then reads nothing."""
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        reader.settimeout(20)
        reader.connect(("127.0.0.1", self.port))
        reader.sendall(request)
        return reader


@contextmanager
def opened(house: House, token: str | None = None) -> Iterator[Site]:
    site = Site(house)
    site.open(token)
    try:
        assert site.web.problem == ""
        yield site
    finally:
        assert site.web.close()


@pytest.fixture(scope="module")
def warned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with strained_house(tmp_path_factory.mktemp("warned")) as house:
        yield house


@pytest.fixture
def site(warned: House) -> Iterator[Site]:
    with opened(warned) as site:
        yield site


def test_a_browser_gets_the_page_and_nothing_but_itself_may_use_it(site: Site) -> None:
    status, headers, body = site.ask("/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    text = body.decode()
    assert text.startswith("<!doctype html>") and text.rstrip().endswith("</html>")
    assert policy() in text.replace("&#39;", "'")
    assert headers["content-security-policy"] == f"{policy()}; frame-ancestors 'none'"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in headers and "server" not in headers
    head = site.ask("/", "HEAD")
    assert (head[0], head[1]["content-length"], head[2]) == (200, str(len(body)), b"")


def test_the_page_is_made_anew_when_something_was_stored_and_not_before(site: Site) -> None:
    first = site.ask("/")[2]
    site.house.clock.advance(hours=1)
    assert site.ask("/")[2] == first
    with closing(sqlite3.connect(site.house.path)) as somebody, somebody:
        somebody.execute("UPDATE alert SET title = 'Lauf & Ruhe'")
    assert b"Lauf &amp; Ruhe" in site.ask("/")[2]
    site.house.set_config("athlete", units="imperial")
    assert b"/mi" in site.ask("/")[2]
    site.house.set_config("athlete", units=None)


def test_while_somebody_judges_the_page_of_before_is_shown(warned: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "BUSY_WAIT_S", 0.1)
    with opened(warned) as site:
        with warned.store.only_one("judgement"):
            status, headers, body = site.ask("/")
            assert (status, headers["retry-after"]) == (503, "60")
            assert b"another pullback is busy with its judgement" in body
        first = site.ask("/")[2]
        with warned.store.only_one("judgement"):
            warned.set_config("athlete", units="imperial")
            assert site.ask("/")[2] == first
        warned.set_config("athlete", units=None)
        copy = warned.path.with_name("another.db")
        with closing(sqlite3.connect(warned.path)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        copy.replace(warned.path)
        assert renew(warned.store)
        with warned.store.only_one("judgement"):
            assert site.ask("/")[0] == 503, "what was made of the database of before may be another runner's"


def test_a_page_that_is_being_made_while_all_is_forgotten_leaves_nothing_of_it_behind(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=1), minutes=10))
    house.pull()
    measure = metrics.measure

    def meanwhile(*known: Any) -> metrics.RunMetrics:
        erase(house.path)
        assert not renew(house.store), "the main thread waits for the page"
        return measure(*known)

    monkeypatch.setattr(metrics, "measure", meanwhile)
    with opened(house) as site:
        status, _, body = site.ask("/")
    assert status == 503 and b"deleted or replaced" in body
    assert renew(house.store)
    with house.store.read() as session:
        assert athletes(session) == []


def test_status_json_is_what_the_command_prints(site: Site, tmp_path: Path) -> None:
    status, headers, body = site.ask("/status.json")
    assert (status, headers["content-type"]) == (200, "application/json")
    terminal = Terminal(tmp_path, site.house.world, site.house.standin)
    terminal.write_config()
    terminal.database.parent.mkdir()
    with closing(sqlite3.connect(site.house.path)) as source, closing(sqlite3.connect(terminal.database)) as copy:
        source.backup(copy)
    assert body.decode() == terminal.pullback("status", "--json").out
    assert json.loads(body)["verdict"] == "pull_back"


def figures(site: Site) -> dict[str, float]:
    status, headers, body = site.ask("/metrics")
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4")
    found: dict[str, float] = {}
    for line in body.decode().splitlines():
        if not line.startswith("#"):
            matched = re.fullmatch(r'(pullback_[a-z_]+(?:\{[a-z]+="[\w.]*"(?:,[a-z]+="[\w.]*")*\})?) (-?[\d.]+)', line)
            assert matched is not None, line
            found[matched[1]] = float(matched[2])
    return found


def test_prometheus_reads_how_the_daemon_is_and_nothing_of_who_runs(site: Site) -> None:
    house = site.house
    synced, now = house.clock.now() - timedelta(minutes=5), house.clock.now()
    with house.store.write() as session:
        state = progress(session, house.athlete_id)
        budget = to_json(Budget(100, 40, 1000, 250, now))
        save_progress(session, house.athlete_id, replace(state, last_success_at=synced, budget=budget))
        (waiting,) = outbox.unsettled(session)
    site.failures = {"poll": 3}
    read = figures(site)
    assert read["pullback_last_sync_age_seconds"] == 300
    assert read['pullback_verdict{state="pull_back"}'] == 1
    assert read['pullback_verdict{state="stable"}'] == 0
    assert read['pullback_api_calls_left{window="15m"}'] == 60
    assert read['pullback_api_calls_left{window="day"}'] == 750
    assert read["pullback_outbox_depth"] == 1
    assert read["pullback_deliveries_given_up_total"] == 0
    assert read['pullback_errors_total{job="poll"}'] == 3
    with house.store.write() as session:
        outbox.failed(session, waiting.id, "refused", None)
    house.clock.advance(days=1)
    read = figures(site)
    assert (read["pullback_outbox_depth"], read["pullback_deliveries_given_up_total"]) == (0, 1)
    assert read['pullback_api_calls_left{window="15m"}'] == 100


def test_a_monitor_learns_the_reason_when_new_runs_are_not_seen(house: House) -> None:
    with opened(house) as site:
        assert site.ask("/healthz")[::2] == (
            503,
            b"nothing was fetched from Strava yet; wait a minute, then look at the log\n",
        )
        status, headers, body = site.ask("/")
        assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert b"There are no runs to show. Nothing was fetched from Strava yet; wait a minute" in body
        assert headers["content-security-policy"] == f"{policy()}; frame-ancestors 'none'"
        house.pull()
        assert site.ask("/healthz")[::2] == (200, b"ok\n")
        with house.store.write() as session:
            save_progress(session, house.athlete_id, replace(progress(session, house.athlete_id), problem="revoked"))
        assert site.ask("/healthz")[::2] == (503, b"revoked\n")
        with house.store.write() as session:
            save_progress(session, house.athlete_id, replace(progress(session, house.athlete_id), problem=None))
        house.clock.advance(days=8)
        assert site.ask("/healthz")[::2] == (503, b"last synced 8 days ago; run `pullback check`\n")
        house.set_config("strava", client_id=None)
        assert site.ask("/healthz")[2].startswith(b"[strava] client_id is not set")


def test_who_only_imports_files_is_well_without_strava() -> None:
    assert trouble(Seen(imported=True), MONDAY, "[strava] client_id", timedelta(days=7)) is None
    assert trouble(Seen(imported=True), MONDAY, None, timedelta(days=7)) == "not authorised; run `pullback auth`"


def test_a_name_that_leads_here_from_elsewhere_is_refused(site: Site) -> None:
    for host in ("rebound.example", "rebound.example:8787", "127.0.0.1.example", "localhost.example", "", "["):
        assert site.ask("/status.json", headers={"Host": host})[0] == 421, host
    for host in ("localhost", f"LOCALHOST:{site.port}", "127.0.0.1", "[::1]:80", "[::1]"):
        assert site.ask("/healthz", headers={"Host": host})[0] in (200, 503), host


def test_with_a_token_nothing_is_said_without_it(warned: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with opened(warned, TOKEN) as site:
        for path in (*PATHS, "/nowhere"):
            status, headers, body = site.ask(path)
            assert (status, headers["www-authenticate"]) == (401, "Bearer")
            assert b"token" in body and len(body) < 120
        wrong = (TOKEN[:-1], TOKEN + "x", "", TOKEN.upper())
        for word in wrong:
            assert site.ask(f"/?token={quote(word)}")[0] == 401
            assert site.ask("/", headers={"Authorization": "Bearer " + word.encode().decode("latin-1")})[0] == 401
        bearer = TOKEN.encode().decode("latin-1")
        assert site.ask("/", headers={"Authorization": f"Bearer {bearer}"})[0] == 200
        assert site.ask("/", headers={"Authorization": f"bearer {bearer}", "Host": "runs.example"})[0] == 200
        assert site.ask("/", headers={"Authorization": f"Basic {bearer}"})[0] == 401
        assert site.ask(f"/?units=x&token={quote(TOKEN)}")[0] == 200
        assert site.ask(f"/?token={quote(TOKEN)}", "POST")[0] == 405
    assert "s3sam" not in caplog.text and quote(TOKEN) not in caplog.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_it_can_only_be_read(site: Site, method: str) -> None:
    status, headers, _ = site.ask("/", method)
    assert (status, headers["allow"]) == (405, "GET, HEAD")
    assert headers["x-content-type-options"] == "nosniff"


def test_those_who_read_slowly_or_say_nothing_hold_nobody_up_and_are_cut_off(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site.house.store.write() as session:
        for number in range(150):  # more than the system keeps for a reader
            outbox.open_alert(
                session,
                site.house.athlete_id,
                kind="watch",
                episode=f"{number}",
                title="Watch",
                text="x" * 40_000,
                channels=[],
                now=site.house.clock.now(),
            )
    assert len(site.ask("/")[2]) > 6_000_000
    monkeypatch.setattr(server, "LIFETIME_S", 1.5)
    asked = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
    slow = [site.slow(asked + b"\r\n"), site.slow(asked + b"\r\n"), site.slow(asked), site.slow(b"")]
    assert site.ask("/")[0] == 200
    assert site.ask("/healthz")[0] in (200, 503)
    with site.house.store.only_one("judgement"), site.house.store.write():
        assert site.ask("/status.json")[0] == 200
    for reader in reversed(slow):  # whoever came last is cut off last, and says nothing to wait for
        with closing(reader):
            came = 0
            with suppress(ConnectionResetError):
                while piece := reader.recv(65536):
                    came += len(piece)
            assert came < 6_000_000
    with site.house.store.write() as session:
        session.connection().exec_driver_sql("DELETE FROM alert WHERE kind = 'watch'")


def test_more_than_it_can_serve_are_told_so(site: Site) -> None:
    idle = [site.slow(b"") for _ in range(server.CONNECTIONS)]
    assert site.ask("/healthz")[0] == 503
    for reader in idle:
        reader.close()
    while site.ask("/status.json")[0] == 503:
        continue


def test_a_new_address_or_token_holds_at_once_and_a_taken_port_is_said_not_raised(
    warned: House, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(warned) as site:
        before = site.port
        site.open("word")
        with pytest.raises(ConnectionRefusedError):
            site.ask("/healthz", port=before)
        assert site.ask("/healthz")[0] == 401
        with closing(socket.create_server(("127.0.0.1", 0))) as taken:
            port = taken.getsockname()[1]
            site.open(port=port)
            assert site.web.problem == (
                f"no page: 127.0.0.1:{port} can't be listened on (address already in use); change [web] listen"
            )
            assert site.web.problem in caplog.text
            assert not site.web.keep()
        site.open(port=before)
        assert site.web.problem == ""
        assert site.ask("/healthz")[0] in (200, 503)
        warned.set_config("web", listen=None, token=None)
        site.web.keep()
        with pytest.raises(ConnectionRefusedError):
            site.ask("/healthz")


def test_without_the_extra_it_says_what_to_install(warned: House, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for name in [name for name in sys.modules if name.startswith("daemon.web.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    site = Site(warned)
    site.open()
    assert site.web.problem.startswith("no page: uvicorn is not installed; pip install 'pullback[web]'")
    assert site.web.close()


def configured(**web: str) -> WebConfig:
    toml = "\n".join(["[web]", *(f'{key} = "{value}"' for key, value in web.items())])
    return parse(toml, environ={}, where="", check_url=lambda url: None, signal_tables={}).web


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "[::]", "runs.example", "localhost.example"])
def test_what_others_can_reach_needs_a_token(host: str) -> None:
    with pytest.raises(ConfigError) as refused:
        configured(listen=f"{host}:8787")
    (problem,) = refused.value.problems
    assert problem.startswith("[web] listen: other machines can reach")
    assert 'set a token beside it, or listen on "127.0.0.1:8787"' in problem
    assert configured(listen=f"{host}:8787", token="word").token == "word"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "[::1]"])
def test_what_only_this_machine_can_reach_needs_none(host: str) -> None:
    assert configured(listen=f"{host}:8787").listen is not None
