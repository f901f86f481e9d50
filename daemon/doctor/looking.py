"""All looks in the order in which things depend on each other."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from pathlib import Path

from daemon.clock import Clock
from daemon.config import Config, database_path
from daemon.doctor import data, files, page, strava, telling, unit
from daemon.doctor.finding import Finding, guarded, ok
from daemon.evaluate import local_now
from daemon.store import open_store


def look(
    config: Config,
    config_path: Path,
    environ: Mapping[str, str],
    clock: Clock,
    try_channel: Callable[[str], str | None] | None,
) -> Iterator[Finding]:
    """Every finding. `try_channel` really sends to an address; with it the dead man's switch is pinged, too."""
    path = database_path(config, environ)
    yield ok("config", str(config_path))
    yield from guarded("permissions", lambda: files.permissions(config_path, config, path))
    yield from guarded("clock", lambda: strava.clock(config, clock))
    yield from guarded("disk", lambda: files.room(path))
    stored = list(guarded("database", lambda: data.database(path, clock.now())))
    yield from stored
    if not any(finding.result == "problem" for finding in stored):
        yield from guarded("Strava", lambda: _access(config, path, clock))
    yield from guarded("channels", lambda: telling.channels(config, try_channel))
    yield from guarded("heartbeat", lambda: telling.dead_mans_switch(config, try_channel is not None))
    yield from guarded("page", lambda: page.page(config.web))
    yield from guarded("systemd", unit.service)


def _access(config: Config, path: Path, clock: Clock) -> Iterator[Finding]:
    """Only with a database that this version can read as it is: looking must not migrate it."""
    if not path.exists():
        yield from strava.unauthorised(config)
    elif data.is_current(path):
        store = open_store(path)
        try:
            yield from data.work(store, local_now(store, config, clock.now()).tzinfo or UTC)
            yield from strava.access(config, store, clock)
        finally:
            store.close()
