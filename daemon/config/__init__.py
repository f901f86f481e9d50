"""The configuration: one TOML file in, one frozen `Config` out. Knows no other room."""

from daemon.config.model import FOR_WATCHERS, AlertsConfig, AthleteConfig, Channel, Config, StravaConfig, WebConfig
from daemon.config.places import SYSTEM_CONFIG, database_path, find, user_config
from daemon.config.reading import load, parse
from daemon.config.values import Digest, QuietHours, format_duration, parse_duration

__all__ = [
    "FOR_WATCHERS",
    "SYSTEM_CONFIG",
    "AlertsConfig",
    "AthleteConfig",
    "Channel",
    "Config",
    "Digest",
    "QuietHours",
    "StravaConfig",
    "WebConfig",
    "database_path",
    "find",
    "format_duration",
    "load",
    "parse",
    "parse_duration",
    "user_config",
]
