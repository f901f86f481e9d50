"""The one error of this room. It tells why one file is skipped and stops nothing else."""


class Unreadable(Exception):
    """Why one file is skipped, in one short line."""
