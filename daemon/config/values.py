"""How single values of the configuration are read: durations, clock times, time zones, addresses, numbers.

Each reader takes a TOML value and returns what the program uses, or raises Wrong with what would be right. Pure.
"""

import difflib
import re
from collections.abc import Callable
from datetime import time, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, available_timezones

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ALERT_KINDS = ("pull_back", "watch", "all_clear", "absorbing", "ready", "digest", "access", "stale")
_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", re.ASCII)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Wrong(ValueError):
    """A value that can't be used; says what would be right."""


class QuietHours(NamedTuple):
    """A daily stretch of local clock time, `start` included, `end` not; it may span midnight."""

    start: time
    end: time


class Digest(NamedTuple):
    """A weekly local time; `weekday` counts from Monday = 0."""

    weekday: int
    at: time


def shown(value: Any) -> str:
    """A value as a problem may quote it: short, on one line. Never for secrets."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to print integers of thousands of digits
        return "this number"
    return text if len(text) <= 60 else text[:57] + "…"


def bare(key: str) -> str:
    """A key as it is written in the file, or quoted where its letters or its length would break the line."""
    return key if key and key.isprintable() and len(key) <= 60 else shown(key)


def anything(value: Any) -> Any:
    """Taken as it is; the caller checks it."""
    return value


def text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Wrong(f"{shown(value)} must be text in quotes")
    return value.strip()


def secret(value: Any) -> str:
    """One word; what was given is never quoted."""
    if not isinstance(value, str) or not value or value.split() != [value]:
        raise Wrong("must be one word in quotes, without spaces")
    return value


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"{shown(value)} must be true or false")
    return value


def whole(low: int, high: int) -> Callable[[Any], int]:
    """A reader of whole numbers from `low` to `high`."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Wrong(f"{shown(value)} must be a whole number from {low} to {high}")
        return value

    return read


def number(value: Any) -> float:
    """A detector's number; none of them means anything at zero or below."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1e-6 <= value <= 1e12:
        raise Wrong(f"{shown(value)} must be a number above 0")
    return float(value)


def choice(*allowed: str) -> Callable[[Any], str]:
    """A reader of one of a few words."""
    words = " or ".join(f'"{word}"' for word in allowed)

    def read(value: Any) -> str:
        if value not in allowed or not isinstance(value, str):
            raise Wrong(f"{shown(value)} must be {words}")
        return value

    return read


def optional(reader: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """As `reader`, and "off" or false for None."""

    def read(value: Any) -> Any:
        if value is False or (isinstance(value, str) and value.strip().lower() == "off"):
            return None
        return reader(value)

    return read


def parse_duration(value: Any) -> timedelta:
    """ "20m", "7d", "1h30m" or "52w" as a timedelta."""
    match = _DURATION.fullmatch(value.strip().replace(" ", "")) if isinstance(value, str) else None
    if match is None or not any(match.groups()):
        raise Wrong(f'{shown(value)} must be a duration such as "20m", "1h30m", "7d" or "52w"')
    counts = zip(match.groups(), _UNITS.values(), strict=True)
    return timedelta(seconds=sum(int(count or 0) * unit for count, unit in counts))


def format_duration(value: timedelta) -> str:
    """The shortest text that `parse_duration` reads as `value` (whole seconds, not negative)."""
    rest, parts = int(value.total_seconds()), []
    for letter, unit in _UNITS.items():
        count = rest // unit
        # "52w" and "7d" read better than "364d" and "1w": weeks only from two whole ones on
        if count and not (letter == "w" and (count < 2 or rest % unit)):
            parts.append(f"{count}{letter}")
            rest -= count * unit
    return "".join(parts) or "0s"


def duration(*, at_least: str, at_most: str) -> Callable[[Any], timedelta]:
    """A reader of durations within bounds."""
    low, high = parse_duration(at_least), parse_duration(at_most)

    def read(value: Any) -> timedelta:
        found = parse_duration(value)
        if not low <= found <= high:
            raise Wrong(f"{shown(value)} must be between {at_least} and {at_most}")
        return found

    return read


def _clock(value: str) -> time | None:
    match = _CLOCK.fullmatch(value.strip())
    return time(int(match[1]), int(match[2])) if match else None


def quiet_hours(value: Any) -> QuietHours:
    ends = [_clock(part) for part in value.split("-")] if isinstance(value, str) else []
    match ends:
        case [time() as start, time() as end] if start != end:
            return QuietHours(start, end)
    raise Wrong(f'{shown(value)} must be two different times of day, such as "22:00-07:00"')


def digest(value: Any) -> Digest:
    words = value.lower().split() if isinstance(value, str) else []
    if len(words) == 2 and words[0] in WEEKDAYS and (at := _clock(words[1])) is not None:
        return Digest(WEEKDAYS.index(words[0]), at)
    raise Wrong(f'{shown(value)} must be a weekday and a time, such as "sunday 18:00"')


def zone(value: Any) -> ZoneInfo:
    try:
        return ZoneInfo(text(value))
    except (KeyError, OSError, ValueError) as error:  # unknown, a folder of the database, or not a name at all
        near = difflib.get_close_matches(str(value), available_timezones(), n=1, cutoff=0.6)
        hint = f"did you mean {near[0]}?" if near else 'it must be one such as "Europe/Berlin"'
        raise Wrong(f"{shown(value)} is not a known time zone, {hint}") from error


def client_id(value: Any) -> int:
    """Strava's app id: a number, or one in quotes."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 10**18:
        raise Wrong("must be the number of your Strava app (https://www.strava.com/settings/api)")
    return value


def secret_file(value: Any) -> Path:
    """Where a secret lies. What was given isn't quoted: it may be the secret itself."""
    path = Path(value.strip()) if isinstance(value, str) else Path()
    if not path.is_absolute() or "\0" in str(path):
        raise Wrong('must be the whole path of a file in quotes, starting with "/"')
    return path


def alert_kinds(value: Any) -> tuple[str, ...]:
    kinds = value if isinstance(value, list) else []
    if not kinds or not all(isinstance(kind, str) and kind in ALERT_KINDS for kind in kinds):
        raise Wrong(f"kinds: {shown(value)} must be a list of some of {', '.join(ALERT_KINDS)}")
    return tuple(dict.fromkeys(kinds))


def any_url(value: Any) -> str:
    """An http or https address; a trailing slash is dropped. What was given isn't quoted: it may hold a secret."""
    address = value.strip() if isinstance(value, str) else ""
    try:
        parts = urlsplit(address)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        sound = False
    if not sound or not address.isprintable() or " " in address:
        raise Wrong('must be an address such as "https://example.org/path"')
    return address.rstrip("/")


def safe_url(value: Any) -> str:
    """As `any_url`, and plain http only for this machine: tokens travel on it."""
    address = any_url(value)
    parts = urlsplit(address)
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise Wrong("must begin with https:// (plain http only for localhost)")
    return address


def verified(address: str) -> None:
    """Raises Wrong for a channel's address that would accept any certificate."""
    if re.search(r"(?i)[?&]verify=(?!y|t|1|on|enable|allow)", address):
        raise Wrong("takes any certificate: remove verify=no (for an authority of your own, set REQUESTS_CA_BUNDLE)")


def sqlite_url(value: Any) -> str:
    address = text(value)
    path = sqlite_path(address) if address.startswith("sqlite:///") else Path()
    if not path.is_absolute() or path.name == "" or "?" in address or "\0" in unquote(address):
        raise Wrong(
            f'{shown(value)} must be "sqlite:///" and a whole path, such as "sqlite:////var/lib/pullback/pullback.db"'
        )
    return address


def sqlite_path(address: str) -> Path:
    """The file a sqlite:/// URL names."""
    return Path(unquote(address.removeprefix("sqlite:///")))


def listen(value: Any) -> tuple[str, int]:
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    host = host.strip("[] ")
    if not host or not port.isascii() or not port.isdigit() or len(port) > 5 or not 0 < int(port) < 65_536:
        raise Wrong(f'{shown(value)} must be a host and a port, such as "127.0.0.1:8080"')
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on `host`."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def of_type(hint: Any) -> Callable[[Any], Any]:
    """The reader for a detector's parameter, from the type its Params declares."""
    simple: dict[Any, Callable[[Any], Any]] = {
        bool: boolean,
        int: whole(1, 10**6),  # a count or a stretch of days: nothing of none means anything
        float: number,
        str: text,
        timedelta: parse_duration,
    }
    if get_origin(hint) is Literal:
        return choice(*get_args(hint))
    if get_origin(hint) in (Union, UnionType):
        inner = [arg for arg in get_args(hint) if arg is not NoneType]
        if len(inner) == 1:
            return optional(of_type(inner[0]))
    if hint not in simple:
        raise TypeError(f"no way to read {hint} from a configuration")
    return simple[hint]
