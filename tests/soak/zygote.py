"""The program, loaded once, from which one process of the runner's machine after the other is forked and killed.

A life is a real process that runs the real command line; what this adds from outside is the machine's clock, set
forward, and a count of what the process does (SQL statements, calls to Strava, mails, files) by Python's audit hooks,
so that it can be killed at, or shortly after, any of it. Run with a life as its argument, it is that one life, from a
cold start. It tells nothing to the program and changes nothing in it.
"""

import ctypes
import json
import mmap
import os
import resource
import select
import signal
import sqlite3
import sys
import time
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

KINDS = ("read", "begin", "write", "commit", "file", "strava", "channel")
FILES = ("os.rename", "os.link", "os.remove", "os.mkdir", "os.chmod", "os.truncate", "subprocess.Popen")
IDLE_S = 0.25
"""A daemon that has done nothing for so long has done what there was to do."""
LONGEST_S = 60.0

_connect = sqlite3.connect
_channels: set[int] = set()


class SetForward(datetime):
    """The machine's clock, as this life has it."""

    offset = timedelta(0)

    @classmethod
    def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + cls.offset


def load() -> None:
    """Loads all that a daemon ends up with, and sets its clocks. APScheduler reads the time by itself."""
    from daemon import clock

    clock.datetime = SetForward  # type: ignore[attr-defined]
    import alembic.command  # noqa: F401
    import apprise
    import apscheduler.executors.base
    import apscheduler.schedulers.base
    import httpx  # noqa: F401
    import stravalib  # noqa: F401

    import daemon.cli.import_
    import daemon.cli.run
    import daemon.cli.sync
    import daemon.service
    import daemon.store.schema  # noqa: F401

    apprise.Apprise().add("json://localhost")
    apprise.Apprise().add("mailto://localhost/?from=a@b.org&to=c@d.org")
    apscheduler.executors.base.datetime = apscheduler.schedulers.base.datetime = SetForward


def live(life: dict[str, Any], counts: Any, fired: int) -> None:
    """This process is now that life; a byte to `fired` says that its moment has come."""
    SetForward.offset = timedelta(seconds=life["offset_s"])
    _channels.update(life["channels"])
    os.setsid()
    log = os.open(life["log"], os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.clear()
    os.environ.update(life["environ"])
    if life.get("largest_file"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (life["largest_file"], resource.RLIM_INFINITY))
    if life.get("trace"):
        # The shim was loaded with this process, and wakes up now.
        ctypes.CDLL(None).soak_arm(life["trace"].encode(), life["folder"].encode(), ctypes.c_long(life["cut_after"]))
    sys.argv = ["pullback", *life["arguments"]]
    counter = _Counter(counts, KINDS.index(life["kind"]), life["number"], fired)
    sys.addaudithook(counter)
    vars(sqlite3)["connect"] = vars(sqlite3.dbapi2)["connect"] = counter.connect
    from daemon.cli import main

    code = main(life["arguments"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class _Counter:
    """Counts what a process does, and says when it has come to the moment at which it is to die."""

    def __init__(self, counts: Any, kind: int, number: int, fired: int) -> None:
        self._counts, self._kind, self._number, self._fired = counts, kind, number, fired

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_CREAT | os.O_WRONLY)
        if writes or event in FILES:
            self._count("file")
        elif event == "smtplib.send":
            self._count("channel")
        elif event == "http.client.send":
            self._count("channel" if arguments[0].port in _channels else "strava")

    def connect(self, *arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = _connect(*arguments, **options)
        connection.set_trace_callback(self._statement)
        return connection

    def _statement(self, statement: str) -> None:
        word = statement.split(None, 1)[0].upper() if statement.strip() else ""
        kinds = {"BEGIN": "begin", "COMMIT": "commit", "SELECT": "read", "PRAGMA": "read"}
        self._count(kinds.get(word, "write"))

    def _count(self, kind: str) -> None:
        index = KINDS.index(kind)
        self._counts[index] += 1
        if index == self._kind and self._counts[index] == self._number:
            os.write(self._fired, b"!")


def watch(pid: int, life: dict[str, Any], counts: Any, fired: int) -> dict[str, Any]:
    """Waits for the moment, or for a daemon's idleness, and kills; what came of it."""
    began, last, seen = time.monotonic(), time.monotonic(), 0
    process = os.pidfd_open(pid)
    how = "ended"
    while True:
        ready, _, _ = select.select([process, fired], [], [], 0.02)
        if process in ready:
            break
        now, total = time.monotonic(), sum(counts)
        last, seen = (now, total) if total != seen else (last, seen)
        if fired in ready:
            time.sleep(life["delay_s"])
            how = "killed"
        elif life["daemon"] and now - last > IDLE_S:
            how = "idle"
        elif now - began > LONGEST_S:
            how = "endless"
        else:
            continue
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        break
    os.close(process)
    _, status = os.waitpid(pid, 0)
    if not os.WIFSIGNALED(status):
        how = "ended"
    return {"how": how, "code": os.waitstatus_to_exitcode(status), "counts": list(counts), "left": left_behind(pid)}


def left_behind(pid: int) -> int:
    """How many processes that it had started outlive it by more than a few seconds."""
    give_up = time.monotonic() + 5
    while found := [other for other in os.listdir("/proc") if other.isdigit() and _is_reader_of(other, pid)]:
        if time.monotonic() > give_up:
            return len(found)
        time.sleep(0.01)
    return 0


def _is_reader_of(other: str, pid: int) -> bool:
    # A reader of an import has a session of its own, so it is known by its environment.
    try:
        with open(f"/proc/{other}/environ", "rb") as file:
            return f"SOAK_LIFE={pid}".encode() in file.read().split(b"\0")
    except OSError:
        return False


def main() -> None:
    """One life a line on standard input; one answer a line on standard output."""
    load()
    memory = mmap.mmap(-1, 4 * len(KINDS))
    counts = memoryview(memory).cast("I")
    for line in sys.stdin:
        life = json.loads(line)
        for index in range(len(KINDS)):
            counts[index] = 0
        fired, fire = os.pipe()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            os.close(fired)
            life["environ"]["SOAK_LIFE"] = str(os.getpid())
            live(life, counts, fire)
        os.close(fire)
        answer = watch(pid, life, counts, fired)
        os.close(fired)
        print(json.dumps(answer), flush=True)


def cold() -> None:
    """The life given as an argument."""
    load()
    live(json.loads(sys.argv[1]), [0] * len(KINDS), -1)


if __name__ == "__main__":
    cold() if len(sys.argv) > 1 else main()
