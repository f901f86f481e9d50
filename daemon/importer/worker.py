"""A process that reads files for `readers`: tasks come over a socket, answers go back. It writes nothing anywhere."""

import logging
import resource
import sys
from multiprocessing.connection import Connection

LARGEST_MEMORY = 2 * 2**30
"""Address space of a reader (bytes): beyond it a hostile file gets a MemoryError, not the machine [ENG]."""


class _Notes(logging.Handler):
    """Keeps what the readers have to say, for whoever talks to the runner."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.notes: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.notes.append(record.getMessage())


def main(handle: int) -> None:
    """Serves until the other end is closed."""
    resource.setrlimit(resource.RLIMIT_AS, (LARGEST_MEMORY, LARGEST_MEMORY))
    notes = _Notes()
    logging.getLogger().addHandler(notes)
    from daemon.importer.work import answer  # after the limit: numpy and the decoders live under it

    with Connection(handle) as parent:
        parent.send("ready")
        settled = parent.recv()
        while True:
            try:
                task = parent.recv()
            except EOFError:
                return
            parent.send((answer(task, settled), notes.notes))
            notes.notes = []


if __name__ == "__main__":
    main(int(sys.argv[1]))
