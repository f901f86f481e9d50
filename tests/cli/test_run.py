"""`pullback run` as systemd sees it: ready, patient without an app, deaf to a broken reload, gone when told."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal

ROOT = Path(__file__).parents[2]


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(60)
        yield listening


def start(terminal: Terminal, systemd: socket.socket) -> subprocess.Popen[str]:
    environ = {"PATH": os.environ["PATH"], "HOME": str(terminal.home), "NOTIFY_SOCKET": systemd.getsockname()}
    environ["STATE_DIRECTORY"] = str(terminal.database.parent)
    command = [sys.executable, "-m", "daemon", "--config", str(terminal.config), "run"]
    return subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True)


def told(systemd: socket.socket, sign: str) -> str:
    """The first message from now on that holds `sign`."""
    while True:
        message = systemd.recv(4096).decode()
        if sign in message:
            return message


def test_it_waits_for_the_app_survives_a_broken_reload_and_stops_when_told(
    terminal: Terminal, systemd: socket.socket
) -> None:
    terminal.write_config(client_id="")
    with start(terminal, systemd) as process:
        assert "[strava] client_id is not set" in told(systemd, "READY=1")
        terminal.config.write_text("[schedul]")
        process.send_signal(signal.SIGHUP)
        told(systemd, "RELOADING=1")
        assert "refused" in told(systemd, "STATUS=new config")
        told(systemd, "READY=1")
        process.send_signal(signal.SIGTERM)
        told(systemd, "STOPPING=1")
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "did you mean schedule?" in err


def test_a_config_that_cannot_be_used_is_exit_code_2_which_systemd_does_not_restart(
    terminal: Terminal, systemd: socket.socket
) -> None:
    terminal.config.write_text("[schedul]\n[web]\nlisten = 1")
    with start(terminal, systemd) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert len(err.splitlines()) == 3


def test_without_a_configuration_it_stays_down_too(terminal: Terminal, systemd: socket.socket) -> None:
    terminal.config.unlink()
    with start(terminal, systemd) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "there is no configuration" in err and "init" in err and err.count("\n") == 1
