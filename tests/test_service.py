"""The daemon as systemd runs it: a process of its own, told by signals, telling by its notify socket.

Every wait is a blocking read of that socket, or of the stand-in's list of requests, with a time-out.
"""

import os
import queue
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from daemon import access
from daemon.clock import SystemClock
from daemon.simulator.faults import Fault
from daemon.simulator.standin import StandIn
from daemon.simulator.tokens import Grant
from daemon.simulator.world import StravaWorld
from daemon.store import activities as rows
from daemon.store import open_store, outbox
from daemon.strava.auth import SCOPES, read_tokens
from tests.cli.terminal import Terminal
from tests.house import House, Phone, plain_run

ROOT = Path(__file__).parents[1]
SECRET = "f00dfeedf00dfeed"
PATIENCE_S = 30.0
"""For a busy machine; each wait takes a second or two."""


class WatchedWorld(StravaWorld):
    """A Strava that says at once when it is asked."""

    def __init__(self) -> None:
        super().__init__(SystemClock().now, client_secret=SECRET)
        self.requests: queue.Queue[str] = queue.Queue()

    def note(self, method: str, path: str, query: dict[str, str], status: int) -> None:
        super().note(method, path, query, status)
        self.requests.put(path)

    def wait_for(self, path_end: str) -> None:
        while not self.requests.get(timeout=PATIENCE_S).endswith(path_end):
            continue


@dataclass
class Machine:
    """A machine with systemd's end of the notify socket, a Strava and a phone."""

    folder: Path
    world: WatchedWorld
    terminal: Terminal
    phone: Phone
    inbox: socket.socket
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    @property
    def channel(self) -> str:
        return f"{self.phone.url}topic-5ecret"

    def start(self, **environ: str) -> subprocess.Popen[bytes]:
        environ |= {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "NOTIFY_SOCKET": self.inbox.getsockname(),
            "STATE_DIRECTORY": str(self.terminal.database.parent),
        }
        command = [sys.executable, "-m", "daemon", "--config", str(self.terminal.config), "run"]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def told(self, *signs: str) -> str:
        """Waits until each of `signs` was in a message, in whatever order they came; gives the last of these."""
        missing = set(signs)
        while True:
            message = self.inbox.recv(4096).decode()
            self.messages.append(message)
            missing -= {sign for sign in missing if sign in message}
            if not missing:
                return message

    def authorise(self) -> None:
        """As `pullback auth` does once Strava has answered."""
        issued = self.world.tokens.issue(Grant("1", self.world.runner, frozenset(SCOPES)), self.world.now())
        tokens = read_tokens(issued, scope=frozenset(SCOPES), athlete_id=self.world.runner)
        with closing(open_store(self.terminal.database)) as store:
            access.authorise(store, tokens)

    def runs(self, count: int) -> list[int]:
        now = self.world.now().replace(microsecond=0)
        return [self.world.add(plain_run(n, now - timedelta(days=n), minutes=10)) for n in range(1, count + 1)]

    def alert(self) -> None:
        with closing(open_store(self.terminal.database)) as store, store.write() as session:
            outbox.open_alert(
                session,
                self.world.runner,
                kind="pull_back",
                episode="today",
                title="Time to pull back",
                text="Easy runs cost more.",
                channels=[outbox.channel_id(self.channel)],
                now=self.world.now(),
            )

    def stop(self, process: subprocess.Popen[bytes]) -> float:
        """SIGTERM; how many seconds it took."""
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
        return time.monotonic() - asked

    def sql(self, statement: str) -> list[Any]:
        with closing(sqlite3.connect(self.terminal.database)) as connection, connection:
            return connection.execute(statement).fetchall()

    def secrets(self) -> set[str]:
        tokens = self.world.tokens
        return {SECRET, "topic-5ecret", *tokens._access, *tokens._refresh}  # noqa: SLF001 - all that were ever issued


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine whose config is complete; whatever a test does there, its log and messages hold no secret."""
    with ExitStack() as stack:
        world, phone = WatchedWorld(), Phone()
        stack.callback(phone.hang_up)
        standin = stack.enter_context(StandIn(world))
        inbox = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        inbox.bind(str(tmp_path / "notify"))
        inbox.settimeout(PATIENCE_S)
        machine = Machine(tmp_path, world, Terminal(tmp_path, world, standin), phone, inbox)
        machine.terminal.more_config = f'[alerts]\nurls = ["{machine.channel}"]'
        machine.terminal.write_config(client_secret=f'"{SECRET}"')
        yield machine
        for process in machine.processes:
            process.kill()
            process.wait()
        said = machine.log.read_text() + "\n".join(machine.messages)
        assert not [secret for secret in machine.secrets() if secret in said]


def test_it_waits_for_app_and_runner_refuses_a_broken_config_and_needs_no_restart(machine: Machine) -> None:
    machine.runs(2)
    complete = machine.terminal.config.read_text()
    machine.terminal.write_config(client_id="", client_secret=f'"{SECRET}"')
    began = time.monotonic()
    process = machine.start()
    assert "[strava] client_id is not set" in machine.told("READY=1")
    assert time.monotonic() - began < 10

    machine.terminal.config.write_text(complete)
    process.send_signal(signal.SIGHUP)
    assert "MONOTONIC_USEC=" in machine.told("RELOADING=1")
    machine.told("READY=1", "not authorised; run `pullback auth`")

    machine.terminal.config.write_text('[strava]\nclient_id = 2\napi_url = "https://elsewhere.invalid"\n[schedul]\n')
    process.send_signal(signal.SIGHUP)
    machine.told("RELOADING=1")
    machine.told("STATUS=new config refused")
    machine.told("READY=1")

    machine.authorise()
    authorised = time.monotonic()
    machine.told("synced")  # with the app and the address of the config before
    assert time.monotonic() - authorised < 15
    machine.stop(process)
    machine.told("STOPPING=1")
    assert "did you mean schedule?" in machine.log.read_text()


def test_a_read_that_hangs_does_not_hold_up_a_stop(machine: Machine) -> None:
    machine.runs(3)
    machine.authorise()
    machine.world.fail("streams", Fault("hang", seconds=60), times=None)
    process = machine.start()
    machine.world.wait_for("/streams")
    assert machine.stop(process) < 5


def test_a_process_killed_in_the_middle_of_a_pull_goes_on_where_it_was(machine: Machine) -> None:
    ids = machine.runs(6)
    machine.authorise()
    machine.world.fail("activities/4/streams", Fault("hang", seconds=60))
    process = machine.start()
    machine.world.wait_for("/activities/4/streams")
    process.kill()
    process.wait()
    restarted = machine.start()
    machine.told("synced")
    machine.stop(restarted)
    assert machine.sql("PRAGMA integrity_check") == [("ok",)]
    with closing(open_store(machine.terminal.database)) as store, store.read() as session:
        known = rows.known(session, machine.world.runner)
    assert {number: run.recording for number, run in known.items()} == dict.fromkeys(ids, "have")
    asked = [call.path.split("/")[-2] for call in machine.world.api_calls("streams")]
    assert sorted(asked) == ["1", "2", "3", "4", "4", "5", "6"]


def test_it_feeds_the_watchdog_and_survives_a_bug_in_a_job_and_a_phone_that_is_off(machine: Machine) -> None:
    machine.runs(2)
    machine.authorise()
    machine.phone.status = 500
    machine.alert()
    process = machine.start(WATCHDOG_USEC="1000000")
    machine.told("synced")
    machine.told("WATCHDOG=1")
    machine.sql("DELETE FROM verdict")
    machine.sql("UPDATE metrics SET data = '{'")  # no version of ours writes this, so reading it is a bug
    process.send_signal(signal.SIGHUP)
    machine.told("poll failed: see the log")
    machine.told("WATCHDOG=1")
    machine.sql("DELETE FROM metrics")
    process.send_signal(signal.SIGHUP)
    machine.told("synced")
    machine.stop(process)
    log = machine.log.read_text()
    assert "job poll failed, this is a bug" in log
    assert "Traceback" in log
    assert f"not sent on channel {outbox.channel_id(machine.channel)}" in log
    assert machine.sql("SELECT state FROM delivery") == [("pending",)]


def test_a_crash_between_stravas_new_tokens_and_their_commit_is_known_for_what_it_was(machine: Machine) -> None:
    machine.runs(1)
    machine.authorise()
    machine.world.tokens.kill_access()
    machine.world.fail("/oauth/token", Fault("drip", seconds=60))
    process = machine.start()
    machine.world.wait_for("/oauth/token")
    process.kill()
    process.wait()
    restarted = machine.start()
    machine.told("an answer with a new one was lost on the way: run `pullback auth`")
    machine.stop(restarted)
    assert machine.sql("SELECT title FROM alert") == [("Strava access got lost on the way",)]
    machine.authorise()
    assert machine.terminal.pullback("sync").code == 0
    assert machine.sql("SELECT count(*) FROM alert WHERE kind = 'access' AND closed_at IS NULL") == [(0,)]


def test_forgetting_beside_it_leaves_it_with_nothing_and_it_starts_again(machine: Machine) -> None:
    machine.runs(2)
    machine.authorise()
    process = machine.start()
    machine.told("synced")
    held = machine.terminal.database.stat().st_ino
    assert machine.terminal.pullback("forget", "--yes").code == 0
    machine.told("not authorised; run `pullback auth`")
    assert machine.terminal.database.stat().st_ino != held or machine.sql("SELECT count(*) FROM activity") == [(0,)]
    assert machine.sql("SELECT count(*) FROM token") == [(0,)]
    machine.stop(process)
    assert "the database was deleted or replaced" in machine.log.read_text()


def test_a_poll_that_meets_a_slow_delivery_leaves_it_to_the_next_minute(house: House) -> None:
    with house.store.only_one("delivery"):
        house.daemon().deliver()
