"""Every file that a whole life of pullback leaves is its owner's alone, whatever the umask it was started with."""

import os
import subprocess
import sys
from datetime import timedelta

from daemon.simulator.stories import strained
from tests.exported import fit_file
from tests.house import plain_run
from tests.test_service import ROOT, SECRET, Machine, machine  # noqa: F401 - a fixture
from tests.web.test_web import free_port


def test_whatever_it_writes_others_may_not_open(machine: Machine) -> None:  # noqa: F811
    life = Life(machine)
    machine.world.add_all(strained(machine.world.now().date()).activities[-20:])
    machine.terminal.more_config += f'\n[web]\nlisten = "127.0.0.1:{free_port()}"'
    machine.terminal.write_config(client_secret=f'"{SECRET}"')
    machine.authorise()
    process = machine.start()
    machine.told("synced")
    running = life.closed()
    assert {"pullback.db", "pullback.db-wal", "pullback.db-shm", "pullback.db.run.lock"} <= running
    life.does("report", "-o", "page.html")
    life.does("backup", "mine.db")
    life.does("test-alert", "--kind", "pull_back")
    (machine.folder / "given.fit").write_bytes(fit_file(plain_run(77, machine.world.now() - timedelta(days=1))))
    life.does("import", "given.fit")
    process.kill()
    process.wait()
    machine.sql("UPDATE token SET expires_at = 'never'")
    life.does("sync", code=3)
    left = life.closed()
    assert {"page.html", "mine.db", "error.log"} <= left
    assert [name for name in left if name.startswith("pullback-20")], "the night's backup"


class Life:
    """The machine's folder, what the test itself put there, and commands from a shell that hides nothing (umask 0)."""

    def __init__(self, machine: Machine) -> None:  # noqa: F811
        self.machine = machine
        self.temporary = machine.folder / "tmp"
        self.temporary.mkdir(mode=0o700)
        self.mine = {"config.toml", "notify", "log", "given.fit"}

    def does(self, *arguments: str, code: int = 0) -> None:
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.machine.folder),
            "STATE_DIRECTORY": str(self.machine.terminal.database.parent),
            "TMPDIR": str(self.temporary),
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "daemon", "--config", str(self.machine.terminal.config), *arguments]
        done = subprocess.run(
            command, cwd=self.machine.folder, env=environ, umask=0, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr

    def closed(self) -> set[str]:
        """The names of all that was written, none of which group or others may read, write or enter."""
        written = [path for path in self.machine.folder.rglob("*") if path.name not in self.mine]
        assert [str(path) for path in written if path.lstat().st_mode & 0o077] == []
        assert all(path.lstat().st_uid == os.geteuid() for path in written)
        return {path.name for path in written}
