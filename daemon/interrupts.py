"""Signals as bytes on a socket, so that whoever waits for them does so in one place and at a time of its own."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextmanager
def inbox() -> Iterator[socket.socket]:
    """A socket on which each signal arrives as a byte.

    The interpreter itself writes it: a handler of ours would run in the main thread at any point, also while that
    thread holds a lock the handler needs.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    before: dict[int, Any] = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}
    fd = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(fd)
        for number, handler in before.items():
            signal.signal(number, handler)
        reader.close()
        writer.close()
