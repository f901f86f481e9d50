"""Brings the file to the schema of this version: a backup first, then all steps in one transaction."""

import logging
from pathlib import Path
from typing import Any

from sqlalchemy import inspect, text
from sqlalchemy.exc import DatabaseError

from daemon.store.backup import backup
from daemon.store.database import Store
from daemon.store.errors import StoreError, Unusable

HEAD = "0004"
"""The newest revision in `migrations/versions`, kept here so that an up-to-date start needn't load alembic."""


def revision(store: Store) -> str | None:
    """The schema revision of the file, None when it holds no tables yet. Raises StoreError."""
    with store.read() as session:
        connection = session.connection()
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return None if found is None else str(found)


def migrate(store: Store) -> None:
    """Migrates to HEAD; does nothing when already there. Raises StoreError and leaves the file as it was."""
    if revision(store) == HEAD:
        return
    with store.only_one("migration", wait_s=60):
        found = revision(store)
        if found == HEAD:
            return
        if found is not None:
            if found > HEAD:
                raise Unusable(
                    f"the database {store.path} was made by a newer pullback (schema {found}, this one knows {HEAD});"
                    " upgrade pullback or put a backup from this version in its place"
                )
            backup(store.path, store.path.with_name(f"{store.path.name}.before-{HEAD}"), replace=True)
        _upgrade(store)


def _upgrade(store: Store) -> None:
    # Alembic costs time and memory that only a first start or an upgrade should pay.
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it says a line per plug-in while it is imported
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    engine = store.engine
    try:
        with engine.connect() as connection:
            # Off before BEGIN, or a batch change of a parent table cascades its children away.
            raw: Any = connection.connection.driver_connection
            raw.execute("PRAGMA foreign_keys=OFF")
            try:
                with connection.begin():
                    config.attributes["connection"] = connection
                    command.upgrade(config, "head")
                    broken = connection.execute(text("PRAGMA foreign_key_check")).first()
                    if broken is not None:
                        raise StoreError(
                            f"migrating {store.path} would have broken a reference in {broken[0]}; nothing was changed"
                        )
            finally:
                raw.execute("PRAGMA foreign_keys=ON")
    except DatabaseError as error:
        raise StoreError(
            f"the database {store.path} could not be migrated ({error.orig}) and was left as it was; mend that and "
            "start again, or go back to the version before"
        ) from error
