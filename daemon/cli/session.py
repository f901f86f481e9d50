"""What a command needs from the outside: configuration, database path, clock. Opens each thing when first asked.

As root it first becomes the service's user; nothing else here decides anything.
"""

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_type_hints

from daemon.cli import identity
from daemon.clock import Clock
from daemon.config import Config, database_path, find, load


@dataclass
class Session:
    """One call of the command line. `failing_loudly` sends a bug's traceback to standard error (the service)."""

    environ: MutableMapping[str, str]
    clock: Clock
    config_option: Path | None = None
    failing_loudly: bool = False
    _config: Config | None = field(default=None, repr=False)

    def config_path(self) -> Path:
        """The configuration file in use. Raises UserError when there is none."""
        return find(self.config_option, self.environ)

    def config(self) -> Config:
        """The configuration in use. Raises UserError, ConfigError."""
        if self._config is None:
            path = self.config_path()
            identity.step_down(path, self.environ)
            self._config = self.read_config()
        return self._config

    def read_config(self) -> Config:
        """The configuration as it is in the file now, for a reload too."""
        from daemon import notify, signals  # numpy and apprise: not for --help

        return load(
            self.config_path(),
            environ=self.environ,
            check_url=notify.problem_with,
            signal_tables=get_type_hints(signals.SignalParams),
        )

    def database(self) -> Path:
        """Where the database file of this configuration is."""
        return database_path(self.config(), self.environ)

    def secrets(self) -> tuple[str, ...]:
        """Configured texts no log may hold."""
        return self._config.secrets() if self._config else ()
