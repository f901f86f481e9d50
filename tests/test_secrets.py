"""No secret in anything that is printed, logged, told to systemd, left by a crash or seen in the process list.

Every one is planted, everything is run, also what fails, with each library talking as much as it can.
"""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from daemon.simulator.faults import Fault
from tests.cli.terminal import Browser
from tests.test_service import PATIENCE_S, Machine, machine  # noqa: F401 - a fixture
from tests.web.test_web import free_port

LOUD = """
import logging, os
import daemon.logs
start = daemon.logs.start
def loud(*args, **options):
    start(*args, **options)
    logging.getLogger().setLevel(logging.DEBUG)
    for name in "urllib3 httpx httpcore apscheduler apscheduler.executors stravalib sqlalchemy.engine".split():
        logging.Logger.setLevel(logging.getLogger(name), logging.DEBUG)
        logging.getLogger(name).propagate = True
daemon.logs.start = loud
import daemon.notify as n
quiet = n._apprise
def talking():
    made = quiet()
    logging.getLogger("apprise").propagate = True
    logging.getLogger("apprise").setLevel(logging.DEBUG)
    return made
n._apprise = talking
for name in ("httpx", "httpcore"):
    logging.getLogger(name).setLevel = lambda level: None
    logging.Logger.setLevel(logging.getLogger(name), logging.DEBUG)
"""
SAYS_DUMPABLE = """
import atexit, ctypes
atexit.register(lambda: print(f"{ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)=}", flush=True))  # PR_GET_DUMPABLE
"""
PASSWORD = "pass 5ecret/ü"
WEB, APP = "web-5ecret", "app-5ecret"


@pytest.fixture
def guarded(machine: Machine, tmp_path: Path) -> Iterator[Machine]:  # noqa: F811
    """A machine with every secret there can be; the app's lies in a credential."""
    machine.world.tokens.clients["1"] = APP
    port = machine.phone.url.rsplit(":", 1)[1].strip("/")
    address = f"json://runner-5ecret:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/topic-5ecret/?+X-Key=header-5ecret"
    machine.terminal.more_config = (
        f'[alerts]\nurls = ["{address}"]\n[heartbeat]\nurl = "{machine.switchboard.url}/beat-5ecret"\n'
        f'[web]\ntoken = "{WEB}"\nlisten = "127.0.0.1:{free_port()}"'
    )
    machine.terminal.write_config(client_secret="")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "strava_client_secret").write_text(APP + "\n")
    yield machine


def planted(machine: Machine) -> set[str]:  # noqa: F811
    return machine.secrets() | {"5ecret", PASSWORD, quote(PASSWORD, safe="")}


def test_nothing_that_is_said_holds_a_secret(guarded: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    credentials = str(tmp_path / "credentials")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", credentials)
    said = [*commands(guarded), daemon(guarded, credentials)]
    errors = guarded.terminal.database.parent / "error.log"
    assert "Traceback" in errors.read_text(), "the bug left its traceback"
    said.append(errors.read_text())
    text = "\n".join(said)
    leaked = {secret for secret in planted(guarded) if secret in text}
    assert not leaked, [line for line in text.splitlines() if any(secret in line for secret in leaked)][:5]


def commands(machine: Machine) -> list[str]:  # noqa: F811
    """Everything a runner would type, while it works and while it doesn't."""
    machine.runs(2)
    terminal, world = machine.terminal, machine.world
    said: list[str] = []

    def run(*arguments: str, code: int, typed: str = "") -> None:
        result = terminal.pullback(*arguments, typed=typed, browser=Browser(follow=False))
        said.append(result.out.replace(_printed_address(result.out), "") + result.err)
        assert result.code == code, result

    terminal.authorise()
    run("check", code=0)
    run("status", code=0)
    run("status", "--json", code=0)
    run("sync", code=0)
    run("report", "-o", "-", code=0)
    run("runs", "--json", code=0)
    run("explain", "1", "--json", code=0)
    run("replay", "--json", code=0)
    (machine.folder / "given.fit").write_bytes(b"no recording")
    run("import", str(machine.folder / "given.fit"), code=1)
    machine.phone.status = 500
    run("test-alert", code=1)
    machine.switchboard.status = 500
    run("check", "--send", code=1)
    for fault in ("html", "truncated", "reset", "inactive", "redirect"):
        world.fail("athlete", Fault(fault), times=None)  # type: ignore[arg-type]
        run("sync", code=1)
        run("check", code=1)
        world.heal()
    world.tokens.kill_access()
    world.fail("oauth/token", 400, times=None)
    run("sync", code=1)
    world.heal()
    run("auth", "--paste", code=1, typed="http://localhost:8721/?code=code-5ecret&state=other-5ecret\n")
    with closing(sqlite3.connect(terminal.database)) as raw, raw:
        raw.execute("UPDATE token SET expires_at = 'never', access = 'x' || access")
    run("sync", code=3)
    with closing(sqlite3.connect(terminal.database)) as raw, raw:
        raw.execute("UPDATE token SET expires_at = '2026-01-01T00:00:00+00:00', access = substr(access, 2)")
    return said


def _printed_address(out: str) -> str:
    """The consent page holds the state, which is for the runner's eyes."""
    return next((line for line in out.splitlines() if line.startswith("http")), "\0")


def daemon(machine: Machine, credentials: str) -> str:  # noqa: F811
    """The service with every library talking, through failures, a broken reload and its death."""
    machine.alert()
    with closing(sqlite3.connect(machine.terminal.database)) as raw, raw:
        raw.execute("UPDATE sync_state SET data = json_set(data, '$.access', NULL)")
    machine.switchboard.heard()
    process = machine.start("--verbose", before=LOUD, CREDENTIALS_DIRECTORY=credentials)
    machine.told("READY=1")
    command_line = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode(errors="replace")
    machine.told("synced")
    while machine.switchboard.hears()[1].endswith("/start"):
        continue  # until the poll has ended, and with it the delivery
    pages = "".join(asked(machine, path) for path in ("/", "/status.json", "/metrics", "/healthz"))
    for status in (503, 401):
        machine.world.fail("athlete/activities", status, times=None)
        process.send_signal(signal.SIGHUP)
        machine.world.wait_for("/activities")
        machine.world.heal()
    config = machine.terminal.config
    good = config.read_text()
    config.write_text(good.replace("[web]", "[wbe]").replace("json://", "jsno://"))
    process.send_signal(signal.SIGHUP)
    machine.told("STATUS=new config refused")
    config.write_text(good)
    process.send_signal(signal.SIGABRT)
    assert process.wait(PATIENCE_S) == -signal.SIGABRT
    log = machine.log.read_text()
    assert "Fatal Python error: Aborted" in log, "the watchdog's abort shows where the process stood"
    assert "urllib3" in log and "httpcore" in log and "POST" in log, "the libraries were talking"
    assert not list(Path(os.getcwd()).glob("core*"))
    return log + pages + command_line + "\n".join(machine.messages)


def asked(machine: Machine, path: str) -> str:  # noqa: F811
    """The page as whoever knows the token sees it, and what a stranger is told."""
    host = machine.terminal.more_config.rsplit('listen = "')[1].strip('"')
    address = f"http://{host}{path}"
    known = httpx.get(address, params={"token": WEB}, timeout=30)
    assert known.status_code in (200, 503)
    return known.text + str(known.headers) + httpx.get(address, params={"token": "x" + WEB[:-1]}).text


def test_no_other_process_may_look_into_the_daemons_memory(machine: Machine) -> None:  # noqa: F811
    process = machine.start(before=SAYS_DUMPABLE)
    machine.told("READY=1")
    limits = Path(f"/proc/{process.pid}/limits").read_text()
    machine.stop(process)
    assert "=0\n" in machine.log.read_text()
    assert next(line for line in limits.splitlines() if line.startswith("Max core file size")).split()[4] == "0"
