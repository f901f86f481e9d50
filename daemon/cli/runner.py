"""Who the runner is, in lines for a terminal: for `status` and `explain`. Pure."""

from collections.abc import Sequence
from typing import Any

from daemon.harmless import one_line
from daemon.measures import pace

EFFORTS = (
    ("maximum heart rate", "maximum_heart_rate_bpm"),
    ("threshold heart rate", "threshold_heart_rate_bpm"),
    ("threshold pace", "threshold_pace_s_per_km"),
)
DEVICE_LENGTH = 40
SOURCES = {"config": "from your configuration"}


def athlete(document: dict[str, Any], units: str) -> list[str]:
    """Who the runner is, a line each: easy running, the usual week, then what hard efforts have shown."""
    there, heart = document["easy_pace_s_per_km"], document["easy_heart_rate_bpm"]
    if there["value"] is None:
        return [f"easy pace is {there['source']}", *_week(document["week"]), *_efforts(document, units)]
    at = (
        f" at {heart['value']:.0f} bpm as recorded" if heart["value"] is not None else f", heart rate {heart['source']}"
    )
    device = f", by {one_line(document['device'], DEVICE_LENGTH)}" if document["device"] else ""
    _, _, then = there["source"].partition(", as of ")
    told = f"as of {then} easy running was" if then else "easy running is"
    lines = [f"{told} {pace(there['value'], units)}{at}{device}"]
    if document["sensor"] in ("B", "C"):
        lines.append("the sensor loses heart rate now and then; what can't be believed isn't used")
    return [*lines, *_week(document["week"]), *_efforts(document, units)]


def _listed(names: Sequence[str]) -> str:
    return "maximum and threshold" if len(names) == len(EFFORTS) else " and ".join(names)


def _week(week: dict[str, Any] | None) -> list[str]:
    if week is None:
        return []
    if not week["minutes"]:
        return [f"usual week: without running ({week['source']})"]
    _, _, then = week["source"].partition(", as of ")
    told = f"usual week as of {then}" if then else "usual week"
    runs = (
        f"{told}: about {_many(week['runs'], 'run')}, {week['minutes']} minutes, the longest {week['long_run_minutes']}"
    )
    return [f"{runs}; {_many(week['rest_days'], 'day')} without sport, {_many(week['hard_days'], 'hard day')}"]


def _efforts(document: dict[str, Any], units: str) -> list[str]:
    """Maximum and threshold with their sources; what isn't known for one reason shares a line."""
    unknown: dict[str, list[str]] = {}
    lines = []
    for name, key in EFFORTS:
        value, source = document[key]["value"], document[key]["source"]
        if value is None:
            unknown.setdefault(source, []).append(name)
        else:
            shown = pace(value, units) if "pace" in key else f"{value:.0f}"
            lines.append(f"{name} {shown} ({SOURCES.get(source, source.removeprefix('learned from '))})")
    return lines + [f"{_listed(names)} {source}" for source, names in unknown.items()]


def _many(count: float, noun: str) -> str:
    """1 run, 1.5 runs, no hard days."""
    return f"{count:g} {noun}{'' if count == 1 else 's'}" if count else f"no {noun}s"
