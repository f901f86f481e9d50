"""`pullback` and `python -m daemon`: hands the command line to the cli room, and nothing else."""

import sys


def main() -> None:
    from daemon.cli import main as command_line  # here, so that importing this module costs nothing

    sys.exit(command_line(sys.argv[1:]))


if __name__ == "__main__":
    main()
