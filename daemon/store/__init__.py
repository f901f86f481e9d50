"""The only room that knows SQL. `open_store` gives a migrated database; the modules beside it read and write it."""

from pathlib import Path

from daemon.store.database import Store, connect
from daemon.store.errors import Busy, StoreError, Unusable
from daemon.store.holding import held
from daemon.store.schema import migrate


def open_store(path: Path) -> Store:
    """Opens the database at `path`, creating and migrating it as needed. Raises StoreError."""
    store = connect(path)
    try:
        migrate(store)
    except BaseException:
        store.close()
        raise
    return store


def renew(store: Store) -> bool:
    """Where its file was deleted (`pullback forget`) or replaced (a backup put back): goes on with what is there now.

    Returns whether it does: not yet while the store is `in_use`. Raises StoreError, and then nothing is read from
    what is there or written to it.
    """
    if not store.replaced() or not store.let_go():
        return False
    # Others at work find it replaced until this one is known to be for this version.
    store.go_on_with(open_store(store.path))
    return True


__all__ = ["Busy", "Store", "StoreError", "Unusable", "connect", "held", "open_store", "renew"]
