"""`pullback` and `python -m daemon`: closes the process to others, then hands the command line to the cli room."""

import os
import resource
import sys
from io import TextIOWrapper


def main() -> None:
    _keep_to_itself()
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # no letter that is pasted or shown may end a command
    from daemon.cli import main as command_line  # here, so that importing this module costs nothing

    sys.exit(command_line(sys.argv[1:]))


def _keep_to_itself() -> None:
    """Nothing a command writes is for others: no file, whatever the shell's umask, and no image of its memory."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


if __name__ == "__main__":
    main()
