"""A channel that answers a byte a second: given up in time, said, and nothing waits for it at the end.

Each command is a process of its own, measured from its start to its end. The time a channel has is cut to a second.
"""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from daemon import notify
from daemon.notify import Failure, Message
from daemon.store import open_store, outbox
from tests.cli.terminal import Terminal
from tests.house import Phone
from tests.test_service import HASTE, Machine, machine  # noqa: F401 - a fixture

ROOT = Path(__file__).parents[2]
IMPATIENT = "import daemon.notify as n; n.WHOLE_S = 1.0"
DRIPS_S = 300
SOON_S = 90.0
"""A second, and the start of a process on a busy machine; far less than the drip lasts."""


@contextmanager
def dripping() -> Iterator[str]:
    """The address of a server that takes any message and answers with a header, a byte a second."""
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Drip: ")
            for _ in range(DRIPS_S):
                if over.wait(1.0):
                    return
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=drip, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"json://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            over.set()
            listening.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def phone() -> Iterator[Phone]:
    opened = Phone()
    yield opened
    opened.hang_up()


def timed(terminal: Terminal, *arguments: str) -> tuple[subprocess.CompletedProcess[str], float]:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", f"{IMPATIENT}\nfrom daemon.__main__ import main\nmain()"]
        + ["--config", str(terminal.config), *arguments],
        cwd=ROOT,
        env={"HOME": str(terminal.home), "STATE_DIRECTORY": str(terminal.database.parent)},
        capture_output=True,
        text=True,
        timeout=DRIPS_S,
        check=False,
    )
    return done, time.monotonic() - began


def test_a_test_alert_says_that_no_answer_came_and_ends(terminal: Terminal) -> None:
    with dripping() as url:
        terminal.more_config = f'[alerts]\nurls = ["{url}"]'
        terminal.write_config()
        done, seconds = timed(terminal, "test-alert")
    assert seconds < SOON_S
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "channel 1 (json): no answer in time")
    assert "1 of 1 channels failed" in done.stderr


def test_a_sync_stores_what_it_fetched_and_the_doubt_and_ends(terminal: Terminal) -> None:
    with dripping() as url:
        terminal.more_config = f'[alerts]\nurls = ["{url}"]'
        terminal.write_config()
        terminal.authorise()
        with closing(open_store(terminal.database)) as store, store.write() as session:
            outbox.open_alert(
                session,
                terminal.world.runner,
                kind="pull_back",
                episode="2026-11-02",
                title="Time to pull back",
                text="Easy runs cost more.",
                channels=[outbox.channel_id(url)],
                now=terminal.world.now(),
            )
        done, seconds = timed(terminal, "sync")
    assert seconds < SOON_S
    assert done.returncode == 0
    assert "0 sent, 1 failed" in done.stdout
    with closing(open_store(terminal.database)) as store, store.read() as session:
        (delivery,) = outbox.deliveries(session)
    assert (delivery.state, delivery.doubtful) == ("pending", True)


def test_the_service_stops_though_a_channel_it_gave_up_still_drips(machine: Machine) -> None:  # noqa: F811
    with dripping() as url:
        machine.terminal.more_config = f'[alerts]\nurls = ["{url}"]'
        machine.terminal.write_config()
        machine.authorise()
        machine.alert(url)
        process = machine.start(before=f"{HASTE}\n{IMPATIENT}", WATCHDOG_USEC="1000000")
        while machine.sql("SELECT state FROM delivery WHERE error IS NOT NULL") != [("pending",)]:
            machine.told("WATCHDOG=1")
        assert machine.stop(process) < SOON_S


def test_a_channel_that_drips_takes_no_other_its_turn(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "WHOLE_S", 0.05)
    with dripping() as url:
        failures = {notify.send(url, Message("Time to pull back", "Easy runs cost more.")) for _ in range(20)}
        monkeypatch.undo()
        began = time.monotonic()
        assert notify.send(phone.url, Message("Time to pull back", "Easy runs cost more.")) is None
    assert failures == {Failure("no answer in time", doubtful=True)}
    assert time.monotonic() - began < SOON_S
