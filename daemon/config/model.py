"""What can be configured: one frozen dataclass per table, each key with its reader and its default. Decides nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from daemon.config import values
from daemon.config.values import Digest, QuietHours


def _key(read: Callable[[Any], Any], default: Any = None, *, secret: bool = False) -> Any:
    """A key of a table: how its TOML value is read, and what holds when it is absent."""
    return field(default=default, repr=not secret, metadata={"read": read})


@dataclass(frozen=True, slots=True)
class StravaConfig:
    """The runner's own Strava app, and how far back to fetch (`backfill`)."""

    client_id: int | None = _key(values.client_id)
    client_secret: str | None = _key(values.secret, secret=True)
    client_secret_file: Path | None = _key(values.secret_file)
    base_url: str = _key(values.safe_url, "https://www.strava.com")
    api_url: str = _key(values.safe_url, "https://www.strava.com/api/v3")
    backfill: timedelta = _key(values.duration(at_least="1d", at_most="2600w"), timedelta(weeks=52))

    def missing(self) -> str | None:
        """The path of the first key without which Strava can't be asked, or None."""
        if self.client_id is None:
            return "[strava] client_id"
        return "[strava] client_secret" if self.client_secret is None else None


@dataclass(frozen=True, slots=True)
class AthleteConfig:
    """What the runner knows about themselves; whatever is None is learned ("auto": from Strava). Heart rates in bpm."""

    max_heart_rate: int | None = _key(values.whole(100, 240))
    resting_heart_rate: int | None = _key(values.whole(25, 110))
    threshold_heart_rate: int | None = _key(values.whole(80, 230))
    sex: str | None = _key(values.choice("female", "male"))
    timezone: ZoneInfo | None = _key(values.zone)
    units: str = _key(values.choice("auto", "metric", "imperial"), "auto")


@dataclass(frozen=True, slots=True)
class DatabaseConfig:
    """Where the database is; None means the state directory (see `database_path`)."""

    url: str | None = _key(values.sqlite_url)


@dataclass(frozen=True, slots=True)
class ScheduleConfig:
    """How often Strava is asked, and when a weekly digest goes out (None: never)."""

    poll: timedelta = _key(values.duration(at_least="1m", at_most="7d"), timedelta(minutes=20))
    digest: Digest | None = _key(values.optional(values.digest))


FOR_WATCHERS = ("watch", "absorbing", "ready")
"""Less than a pull-back, and good news that follows none: for those who asked for "watch" or name the kind."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One apprise URL, with its own least level and alert kinds where they differ from `[alerts]`.

    `parts` are the addresses it stands for where it names several targets: each is told, and answers, by itself.
    """

    url: str = field(repr=False)
    minimum: str | None = None
    kinds: tuple[str, ...] | None = None
    parts: tuple[str, ...] = field(default=(), repr=False)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where its alerts are sent."""
        return self.parts or (self.url,)


@dataclass(frozen=True, slots=True)
class AlertsConfig:
    """What is told, where, and when not."""

    urls: tuple[Channel, ...] = _key(values.anything, (), secret=True)
    urls_file: Path | None = _key(values.secret_file)
    quiet_hours: QuietHours | None = _key(values.optional(values.quiet_hours))
    minimum: str = _key(values.choice("pull_back", "watch"), "pull_back")
    remind_after: timedelta | None = _key(values.optional(values.duration(at_least="1d", at_most="52w")))
    all_clear: bool = _key(values.boolean, True)
    stale_after: timedelta = _key(values.duration(at_least="1h", at_most="52w"), timedelta(days=7))

    def numbered(self) -> dict[str, tuple[str, str]]:
        """Each address with its number and its scheme: so a channel is called wherever it is named.

        Numbers begin with 1; of a URL with several targets they are 1.1, 1.2 and so on.
        """
        numbered: dict[str, tuple[str, str]] = {}
        for number, channel in enumerate(self.urls, 1):
            for part, address in enumerate(channel.addresses, 1):
                name = f"{number}.{part}" if channel.parts else str(number)
                numbered.setdefault(address, (name, address.split("://", 1)[0].lower()))
        return numbered

    def hears(self, channel: Channel, kind: str) -> bool:
        """Whether a channel wants alerts of a kind: one of those it names, else what its least level lets through."""
        if channel.kinds is not None:
            return kind in channel.kinds
        return kind not in FOR_WATCHERS or (channel.minimum or self.minimum) == "watch"


@dataclass(frozen=True, slots=True)
class PrivacyConfig:
    """How many days raw streams from the API are kept."""

    raw_retention_days: int = _key(values.whole(0, 3650), 7)


@dataclass(frozen=True, slots=True)
class HeartbeatConfig:
    """A Healthchecks or Uptime Kuma address that hears start, success and fail; the address is its own secret."""

    url: str | None = _key(values.optional(values.safe_url), secret=True)


@dataclass(frozen=True, slots=True)
class BackupConfig:
    """How many backups are kept."""

    keep: int = _key(values.whole(1, 1000), 7)


@dataclass(frozen=True, slots=True)
class WebConfig:
    """The optional web page: `listen` is (host, port), or None for off."""

    listen: tuple[str, int] | None = _key(values.optional(values.listen))
    token: str | None = _key(values.secret, secret=True)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that is configured. `signals` holds each detector's Params under its name."""

    strava: StravaConfig = field(default_factory=StravaConfig)
    athlete: AthleteConfig = field(default_factory=AthleteConfig)
    database: DatabaseConfig = field(default_factory=DatabaseConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    signals: Mapping[str, Any] = field(default_factory=dict)
    alerts: AlertsConfig = field(default_factory=AlertsConfig)
    privacy: PrivacyConfig = field(default_factory=PrivacyConfig)
    heartbeat: HeartbeatConfig = field(default_factory=HeartbeatConfig)
    backup: BackupConfig = field(default_factory=BackupConfig)
    web: WebConfig = field(default_factory=WebConfig)

    def secrets(self) -> tuple[str, ...]:
        """Every configured text that may appear in no log: secrets, tokens and addresses that hold one."""
        addresses = (address for c in self.alerts.urls for address in (c.url, *c.parts))
        held = (self.strava.client_secret, self.heartbeat.url, self.web.token, *addresses)
        return tuple(text for text in held if text)


TABLES: dict[str, type] = {
    "strava": StravaConfig,
    "athlete": AthleteConfig,
    "database": DatabaseConfig,
    "schedule": ScheduleConfig,
    "alerts": AlertsConfig,
    "privacy": PrivacyConfig,
    "heartbeat": HeartbeatConfig,
    "backup": BackupConfig,
    "web": WebConfig,
}
