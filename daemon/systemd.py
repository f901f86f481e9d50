"""Tells systemd how the service is doing (sd_notify), where there is one to tell, and what that rests on."""

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from time import monotonic_ns

STUCK_AFTER_S = 600.0
"""Work that shows no sign of life for so long is stuck: one answer of Strava or of a channel takes a minute at most,
judging years of history again a few on a slow machine."""


class Signs:
    """Who is at work, and when each last showed that it gets on (seconds of the monotonic clock, which sleeps when the
    machine does)."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._workers: dict[int, tuple[str, float]] = {}

    def began(self, work: str) -> None:
        """The calling thread has begun `work`."""
        with self._lock:
            self._workers[threading.get_ident()] = work, self._monotonic()

    def seen(self) -> None:
        """The calling thread gets on with what it has begun."""
        with self._lock:
            if found := self._workers.get(threading.get_ident()):
                self._workers[threading.get_ident()] = found[0], self._monotonic()

    def ended(self) -> None:
        with self._lock:
            self._workers.pop(threading.get_ident(), None)

    def stuck(self) -> tuple[str, ...]:
        """What hasn't got on for longer than busy work ever takes."""
        now = self._monotonic()
        with self._lock:
            return tuple(work for work, seen in self._workers.values() if now - seen > STUCK_AFTER_S)


class Stopping(threading.Event):
    """Set when the daemon is to stop. Whoever works on asks it between two steps, and shows by that that it gets on."""

    def __init__(self, signs: Signs) -> None:
        super().__init__()
        self._signs = signs

    def is_set(self) -> bool:
        self._signs.seen()
        return super().is_set()


def notify(message: str, environ: Mapping[str, str] = os.environ) -> None:
    """Sends one sd_notify message ("READY=1", "STATUS=…"); does nothing outside systemd.

    Best effort by design: a supervisor that can't be reached must not stop the work.
    """
    address = environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.connect(address)
            sock.sendall(message.encode())
        except OSError:
            return


def reloading() -> str:
    """The message that begins a reload; READY=1 must follow, also when the new config is refused."""
    return f"RELOADING=1\nMONOTONIC_USEC={monotonic_ns() // 1000}"


def watchdog_interval_s(environ: Mapping[str, str] = os.environ) -> float | None:
    """How often to send WATCHDOG=1 (half of what systemd allows), None when it doesn't ask for it."""
    usec = environ.get("WATCHDOG_USEC", "")
    mine = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(usec) / 2_000_000 if usec.isdigit() and mine else None
