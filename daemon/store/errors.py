"""What can go wrong with the database file, said to the runner."""

from daemon.errors import UserError


class StoreError(UserError):
    """The database can't be opened, read or written."""


class Busy(StoreError):
    """Another pullback process is doing the same work right now."""
