"""Processes that read files side by side. A file that kills its reader costs that file; memory stays bounded."""

import logging
import os
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import daemon
from daemon.importer.work import Answer, Settled, Task

log = logging.getLogger(__name__)

PROCESSES = 2
ENOUGH_FOR_TWO = 30
"""Fewer files are read before a second process has started [ENG]."""
AHEAD = 4
"""Files handed to a reader at a time, so that it needn't wait for the next; their answers are all that is in memory."""
LONGEST_S = 120.0
"""No recording takes a second; one that takes so long never ends [ENG]."""

CRASHED = "the reader crashed on it"
ENDLESS = f"not read after {LONGEST_S:.0f} seconds"


def answers(tasks: Sequence[Task], settled: Settled) -> Generator[tuple[Task, Answer], None, None]:
    """Each task with its answer, in the order in which they are ready. Stops its readers when closed."""
    todo = deque(tasks)
    readers: list[_Reader] = []
    said: set[str] = set()
    try:
        for _ in range(PROCESSES if len(tasks) >= ENOUGH_FOR_TWO else min(1, len(tasks))):
            readers.append(_Reader(said))
        for reader in readers:
            reader.greet(settled)
            while todo and len(reader.busy) < AHEAD:  # the first needn't wait for the second
                reader.hand(todo.popleft())
        while todo or any(reader.busy for reader in readers):
            for reader in readers:
                while todo and len(reader.busy) < AHEAD:
                    reader.hand(todo.popleft())
            ready = wait([reader.connection for reader in readers if reader.busy], timeout=1.0)
            for i, reader in enumerate(readers):
                if not reader.busy or (reader.connection not in ready and not reader.is_endless):
                    continue
                task = reader.busy[0]
                found = reader.take() if reader.connection in ready else None
                yield task, found or Answer(problem=CRASHED if reader.connection in ready else ENDLESS)
                if found is None:
                    # Whatever else it was handed, another reads.
                    todo.extendleft(reversed(list(reader.busy)[1:]))
                    reader.stop()
                    readers[i] = _Reader(said)
                    readers[i].greet(settled)
                else:
                    reader.busy.popleft()
                    reader.since = time.monotonic()
    finally:
        for reader in readers:
            reader.stop()


class _Reader:
    """One process, and the files it was handed and hasn't answered, oldest first."""

    def __init__(self, said: set[str]) -> None:
        self._said = said
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                # Without the current folder, in which anything may lie.
                [sys.executable, "-P", "-m", "daemon.importer.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # A decoder that crashes says so here, in words that help nobody.
                stderr=subprocess.DEVNULL,
                # Ctrl-C is for the program to answer, not for its readers.
                start_new_session=True,
                env=_environment(),
            )
        self.connection = Connection(ours.detach())
        self.busy: deque[Task] = deque()
        self.since = time.monotonic()

    def greet(self, settled: Settled) -> None:
        """Waits until it has started, and tells it what is known."""
        try:
            self.connection.recv()
            self.connection.send(settled)
        except (EOFError, OSError) as error:
            self.stop()
            raise RuntimeError(f"a reader doesn't start (exit code {self._process.returncode})") from error

    @property
    def is_endless(self) -> bool:
        return time.monotonic() - self.since > LONGEST_S

    def hand(self, task: Task) -> None:
        if not self.busy:
            self.since = time.monotonic()
        self.busy.append(task)
        with suppress(OSError):  # it has crashed: found out by whoever takes its answers
            self.connection.send(task)

    def take(self) -> Answer | None:
        """The next answer; None where there is none because the process is gone."""
        try:
            given: Any = self.connection.recv()
        except (EOFError, OSError):
            return None
        found, notes = given
        for note in sorted(set(notes) - self._said):
            self._said.add(note)
            log.warning("%s", note)
        assert isinstance(found, Answer)
        return found

    def stop(self) -> None:
        self.connection.close()
        self._process.kill()
        self._process.wait()


def _environment() -> dict[str, str]:
    """The reader's: this program importable wherever it lies, and no threads of a numeric library beside its one."""
    here = str(Path(daemon.__file__).resolve().parents[1])
    path = os.pathsep.join(part for part in (here, os.environ.get("PYTHONPATH")) if part)
    return {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}
