"""Settings to try for one replay: `key=value` texts laid over the tables of the file, before its readers check them.

Only what changes a verdict, or which of them are told, may be tried. Pure.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from daemon.config.model import TABLES, Config
from daemon.config.values import bare

TOLD = frozenset({"minimum", "all_clear"})
"""What of [alerts] says which verdicts are told; the rest says where and when."""


def settings(changes: Sequence[str]) -> dict[str, Any]:
    """Key to value as TOML reads it, or as text where it doesn't; for `changes` that were read without a problem."""
    return {key: _value(value) for key, value in (_parted(change) for change in changes)}


def lay_over(raw: dict[str, Any], changes: Sequence[str], signal_tables: Mapping[str, type]) -> list[str]:
    """Puts `changes` into the tables `raw`; what can't be tried is left out and comes back as problems."""
    problems, seen = [], set()
    for key, value in (_parted(change) for change in changes):
        problem = "given twice" if key in seen else _why_not(key, signal_tables)
        seen.add(key)
        if problem is not None:
            problems.append(f"{bare(key)}: {problem}")
            continue
        *tables, name = key.split(".")
        inner: Any = raw
        for table in tables:
            inner = inner.setdefault(table, {}) if isinstance(inner, dict) else None
        if isinstance(inner, dict):  # else the readers say what the file has in the table's place
            inner[name] = _value(value)
    return problems


def current(config: Config, key: str) -> Any:
    """The value a key has in `config`."""
    *tables, name = key.split(".")
    holder = config.signals[tables[1]] if tables[0] == "signals" else getattr(config, tables[0])
    return getattr(holder, name)


def _parted(change: str) -> tuple[str, str]:
    key, _, value = change.partition("=")
    return key.strip(), value.strip()


def _value(text: str) -> Any:
    """A number, true, false or quoted text as in the file; anything else is taken as text."""
    try:
        found = tomllib.loads(f"v = {text}")
    except (ValueError, RecursionError):
        return text
    value = found.get("v") if found.keys() == {"v"} else text
    return value if isinstance(value, bool | int | float | str) else text


def _why_not(key: str, signal_tables: Mapping[str, type]) -> str | None:
    """Why a key can't be tried; None also for an unknown one, which the file's readers answer."""
    table, *names = key.split(".")
    if not names:
        homes = [f"signals.{name}" for name, params in signal_tables.items() if _has(params, key)]
        homes += [name for name in ("athlete", "alerts") if _has(TABLES[name], key)]
        near = f"did you mean {homes[0]}.{key}?" if homes else "such as signals.easy_heart_rate.h=8"
        return f"must name its table, {near}"
    if len(names) != (2 if table == "signals" else 1) or not all(names):
        return "must be a table and a key, such as signals.easy_heart_rate.h=8 or athlete.threshold_heart_rate=170"
    if table not in TABLES or not _has(TABLES[table], names[0]):
        return None
    tried = (table == "athlete" and names[0] != "units") or (table == "alerts" and names[0] in TOLD)
    return None if tried else "changes no verdict; try a key of [signals.…] or [athlete]"


def _has(table: type, key: str) -> bool:
    return key in {field.name for field in fields(table)}
