"""TOML text to a frozen `Config`, with every problem reported at once.

It reads the one file and the secrets that file points to; it opens nothing else and changes nothing.
"""

import difflib
import os
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from daemon.config import values
from daemon.config.model import TABLES, AlertsConfig, AthleteConfig, Channel, Config, StravaConfig, WebConfig
from daemon.config.places import exists
from daemon.config.trying import lay_over
from daemon.config.values import Wrong, shown
from daemon.errors import ConfigError, UserError

_SECRET_BYTES = 65_536


def load(
    path: Path,
    *,
    environ: Mapping[str, str],
    check_url: Callable[[str], str | None],
    signal_tables: Mapping[str, type],
    parts_of: Callable[[str], Sequence[str]] = lambda url: (),
    changes: Sequence[str] = (),
) -> Config:
    """Read and parse the file at `path`; as `parse`, and UserError where it can't be read."""
    try:
        text = path.read_bytes().decode("utf-8")
    except PermissionError:
        raise UserError(f"{path} may not be read by you; try again with sudo") from None
    except UnicodeDecodeError as error:
        raise ConfigError((f"not UTF-8 text (byte {error.start})",), str(path)) from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} can't be read ({_reason(error)}); name another with --config") from None
    return parse(
        text,
        environ=environ,
        where=str(path),
        check_url=check_url,
        signal_tables=signal_tables,
        parts_of=parts_of,
        changes=changes,
    )


def parse(
    text: str,
    *,
    environ: Mapping[str, str],
    where: str,
    check_url: Callable[[str], str | None],
    signal_tables: Mapping[str, type],
    parts_of: Callable[[str], Sequence[str]] = lambda url: (),
    changes: Sequence[str] = (),
) -> Config:
    """TOML text to a Config; raises ConfigError with every problem, each "[table] key: what is wrong".

    `check_url` says what is wrong with an apprise URL, or None; `parts_of` the addresses of its targets, if several.
    `signal_tables` maps each detector's name to its frozen Params dataclass. `environ` gives secrets
    (`PULLBACK_STRAVA_CLIENT_SECRET`, `CREDENTIALS_DIRECTORY`).
    `changes` are "key=value" texts to try instead of what the text says (see `trying`).
    """
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError((f"not valid TOML: {str(error)[:200]}",), where) from None
    problems: list[str] = lay_over(raw, changes, signal_tables)
    problems += _unknown_tables(raw)
    tables = {name: _read_table(name, TABLES[name], raw.get(name, {}), problems) for name in TABLES}
    signals = _read_signals(raw.get("signals", {}), signal_tables, problems)
    tables["strava"] = _with_secret(tables["strava"], environ, problems)
    alerts = _with_channels(tables["alerts"], environ, check_url, problems)
    tables["alerts"] = replace(alerts, urls=tuple(replace(c, parts=tuple(parts_of(c.url))) for c in alerts.urls))
    problems += _heart_rate_order(tables["athlete"])
    problems += _open_to_others(tables["web"])
    if problems:
        raise ConfigError(tuple(problems), where)
    return Config(signals=signals, **tables)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The suggestion that follows an unknown word: the nearest known one, else all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"


def _unknown_tables(raw: Mapping[str, Any]) -> list[str]:
    known = [*TABLES, "signals"]
    problems = []
    for key, content in raw.items():
        if key in known:
            continue
        name = values.bare(key)
        if isinstance(content, dict):
            problems.append(f"[{name}]: unknown table, {did_you_mean(key, known)}")
        else:
            problems.append(f"{name}: stands outside any table, {_home_of(key) or 'put it below its [table] line'}")
    return problems


def _home_of(key: str) -> str | None:
    homes = [name for name, table in TABLES.items() if key in {f.name for f in fields(table)}]
    return f"it belongs in [{homes[0]}]" if homes else None


def _read_table(name: str, table: type, raw: Any, problems: list[str]) -> Any:
    """One table's dataclass; what is wrong goes to `problems`, and the default stands in for it."""
    if not isinstance(raw, dict):
        problems.append(f"[{name}]: must be a table, write [{name}] on a line of its own and its keys below")
        return table()
    hints = get_type_hints(table)
    known = {f.name: f.metadata.get("read") or values.of_type(hints[f.name]) for f in fields(table)}
    given: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
            hint = None if near else _home_of(key)
            problems.append(f"[{name}] {values.bare(key)}: unknown key, {hint or did_you_mean(key, known)}")
            continue
        try:
            given[key] = known[key](value)
        except Wrong as wrong:
            problems.append(f"[{name}] {key}: {wrong}")
    try:
        return table(**given)
    except ValueError as error:  # a Params that checks its own values against each other
        problems.append(f"[{name}]: {error}")
        return table()


def _read_signals(raw: Any, known: Mapping[str, type], problems: list[str]) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        problems.append("[signals]: must hold tables, such as " + ", ".join(f"[signals.{name}]" for name in known))
        raw = {}
    for name in raw:
        if name not in known:
            problems.append(f"[signals.{values.bare(name)}]: unknown signal, {did_you_mean(name, known)}")
    return {name: _read_table(f"signals.{name}", table, raw.get(name, {}), problems) for name, table in known.items()}


def _open_to_others(web: WebConfig) -> list[str]:
    """A page that other machines can reach asks for a token."""
    if web.listen is None or web.token is not None or values.is_loopback(web.listen[0]):
        return []
    return [
        f"[web] listen: other machines can reach {web.listen[0]}; set a token beside it, "
        f'or listen on "127.0.0.1:{web.listen[1]}"'
    ]


def _heart_rate_order(athlete: AthleteConfig) -> list[str]:
    """Resting below threshold below maximum, as far as they are given."""
    order = ("resting_heart_rate", "threshold_heart_rate", "max_heart_rate")
    given = [(name, bpm) for name in order if (bpm := getattr(athlete, name)) is not None]
    return [
        f"[athlete] {low}: {low_bpm} bpm must be below {high} ({high_bpm} bpm)"
        for (low, low_bpm), (high, high_bpm) in zip(given, given[1:], strict=False)
        if low_bpm >= high_bpm
    ]


def _with_secret(strava: StravaConfig, environ: Mapping[str, str], problems: list[str]) -> StravaConfig:
    """Strava's client secret from its one source; two sources at once are a problem."""
    sources: dict[str, Callable[[], str]] = {}
    if (inline := strava.client_secret) is not None:
        sources["client_secret"] = lambda: inline
    if (path := strava.client_secret_file) is not None:
        sources["client_secret_file"] = lambda: values.secret(_read_secret(path).strip())
    if from_environment := environ.get("PULLBACK_STRAVA_CLIENT_SECRET"):
        sources["PULLBACK_STRAVA_CLIENT_SECRET"] = lambda: values.secret(from_environment)
    if credential := _credential("strava_client_secret", environ):
        sources["the credential strava_client_secret"] = lambda: values.secret(_read_secret(credential).strip())
    found = _only_source("[strava] client_secret", sources, problems)
    return replace(strava, client_secret=found)


def _with_channels(
    alerts: AlertsConfig, environ: Mapping[str, str], check_url: Callable[[str], str | None], problems: list[str]
) -> AlertsConfig:
    """The channels from their one source, each with its URL checked."""
    sources: dict[str, Callable[[], Any]] = {}
    if (inline := alerts.urls) not in ((), []):
        sources["urls"] = lambda: inline
    if (path := alerts.urls_file) is not None:
        sources["urls_file"] = lambda: _lines(_read_secret(path))
    if credential := _credential("alert_urls", environ):
        sources["the credential alert_urls"] = lambda: _lines(_read_secret(credential))
    entries = _only_source("[alerts] urls", sources, problems)
    if entries is not None and not isinstance(entries, list):
        problems.append('[alerts] urls: must be a list, such as urls = ["ntfys://my-topic"]')
        entries = None
    channels: list[Channel] = []
    for number, entry in enumerate(entries or (), 1):
        try:
            channels.append(_channel(entry, check_url))
        except Wrong as wrong:
            problems.append(f"[alerts] urls, channel {number}: {wrong}")
    return replace(alerts, urls=tuple(channels))


def _channel(entry: Any, check_url: Callable[[str], str | None]) -> Channel:
    """One entry of `urls`: a string, or a table {url, minimum, kinds}. No message may repeat the URL."""
    table = {"url": entry} if isinstance(entry, str) else entry
    if not isinstance(table, dict) or not isinstance(table.get("url"), str):
        raise Wrong('must be an apprise URL in quotes, or {url = "…", minimum = "…", kinds = ["…"]}')
    known = {f.name for f in fields(Channel)} - {"parts"}
    for key in table:
        if key not in known:
            raise Wrong(f"unknown key {shown(key)}, {did_you_mean(key, known)}")
    wrong_url = check_url(table["url"])
    if wrong_url is not None:
        raise Wrong(wrong_url.replace(table["url"], "…") if table["url"] else wrong_url)
    values.verified(table["url"])
    minimum, kinds = table.get("minimum"), table.get("kinds")
    return Channel(
        url=table["url"],
        minimum=None if minimum is None else values.choice("pull_back", "watch")(minimum),
        kinds=None if kinds is None else values.alert_kinds(kinds),
    )


def _only_source(key: str, sources: Mapping[str, Callable[[], Any]], problems: list[str]) -> Any:
    """The value of the only source; None where there is none, or where it is a problem."""
    if len(sources) > 1:
        problems.append(f"{key}: given twice, by {' and by '.join(sources)}; keep one of them")
        return None
    for name, read in sources.items():
        try:
            return read()
        except Wrong as wrong:
            problems.append(f"{key}: {name} {wrong}")
    return None


def _credential(name: str, environ: Mapping[str, str]) -> Path | None:
    """The file of a systemd credential, where the service was given it."""
    directory = environ.get("CREDENTIALS_DIRECTORY")
    path = Path(directory) / name if directory else None
    return path if path and exists(path) else None


def _read_secret(path: Path) -> str:
    try:
        if not path.is_file():
            raise Wrong(f"{path} is not there, or not a file; write the secret into it, readable by you only")
        with path.open("rb") as handle:
            return handle.read(_SECRET_BYTES).decode("utf-8")
    except UnicodeDecodeError:
        raise Wrong(f"{path} is not UTF-8 text") from None
    except OSError as error:
        raise Wrong(f"{path} can't be read ({_reason(error)})") from None


def _lines(text: str) -> list[str]:
    """The URLs of a file: one a line, blank lines and # comments left out."""
    return [line for raw in text.splitlines() if (line := raw.strip()) and not line.startswith("#")]


def _reason(error: OSError | ValueError) -> str:
    return (os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)).lower()
