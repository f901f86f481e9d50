"""What a command needs from outside: configuration, database, clock. Opens each when first asked, decides nothing."""

from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, get_type_hints

from daemon.clock import Clock
from daemon.errors import UserError

if TYPE_CHECKING:
    from daemon.config import Config
    from daemon.measures import Units
    from daemon.store import Store

API_SETTINGS = "https://www.strava.com/settings/api"


@dataclass
class Session:
    """One call of the command line. `failing_loudly` sends a bug's traceback to standard error (the service)."""

    environ: MutableMapping[str, str]
    clock: Clock
    config_option: Path | None = None
    failing_loudly: bool = False
    _config: "Config | None" = field(default=None, repr=False)
    _secrets: set[str] = field(default_factory=set, repr=False)

    def config_path(self) -> Path:
        """The configuration file in use. Raises UserError when there is none."""
        from daemon.config import find  # like all imports below: `--help` needs none of it, and must be quick

        return find(self.config_option, self.environ)

    def config(self) -> "Config":
        """The configuration in use. As root, the service's user from here on. Raises UserError, ConfigError."""
        if self._config is None:
            from daemon.cli import identity

            identity.step_down(self.config_path(), self.environ)
            self._config = self.read_config()
        return self._config

    def read_config(self) -> "Config":
        """The configuration as it stands in the file now, for a reload too."""
        self._config = self._load()
        self._secrets.update(self._config.secrets())
        return self._config

    def changed_config(self, changes: Sequence[str]) -> "Config":
        """The configuration in use with "key=value" texts laid over it. Raises UserError, ConfigError."""
        self.config()  # what is wrong in the file isn't blamed on the changes
        return self._load(changes)

    def _load(self, changes: Sequence[str] = ()) -> "Config":
        from daemon import config, notify, signals

        return config.load(
            self.config_path(),
            environ=self.environ,
            check_url=notify.problem_with,
            parts_of=notify.parts,
            signal_tables=get_type_hints(signals.SignalParams),
            changes=changes,
        )

    def app_config(self) -> "Config":
        """The configuration, with everything Strava must be asked with. Raises UserError naming the missing key."""
        config = self.config()
        if missing := config.strava.missing():
            raise UserError(
                f"{missing} is not set in {self.config_path()}; take it from {API_SETTINGS}, "
                "or bring files with `pullback import`, which needs none of it"
            )
        return config

    def database(self) -> Path:
        """Where the database file of this configuration is."""
        from daemon.config import database_path

        return database_path(self.config(), self.environ)

    @contextmanager
    def store(self) -> "Iterator[Store]":
        """The open database, migrated where needed. Raises StoreError."""
        from daemon.store import open_store

        store = open_store(self.database())
        try:
            yield store
        finally:
            store.close()

    def zone(self, store: "Store") -> tzinfo:
        """The runner's time zone, for days and clock times that are shown."""
        from daemon.evaluate import local_now

        return local_now(store, self.config(), self.clock.now()).tzinfo or UTC

    def units(self, store: "Store") -> "Units":
        """The units of every text: the configuration's, else the runner's at Strava."""
        from daemon.evaluate import units

        return units(store, athlete(store), self.config())

    def secrets(self) -> tuple[str, ...]:
        """Configured texts no log may hold, also those of a configuration that a reload has replaced."""
        return tuple(self._secrets)


def athlete(store: "Store") -> int | None:
    """The athlete whose runs are stored, None before `pullback auth` or `pullback import`."""
    from daemon.store import grants

    with store.read() as session:
        return grants.athlete(session)


def known_athlete(store: "Store") -> int:
    """As `athlete`; raises UserError where there is none."""
    found = athlete(store)
    if found is None:
        raise UserError("there are no runs here yet; run `pullback auth` for Strava, or `pullback import` for files")
    return found
