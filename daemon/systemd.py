"""Tells systemd how the service is doing (sd_notify), where there is one to tell."""

import os
import socket
from collections.abc import Mapping
from time import monotonic_ns


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
