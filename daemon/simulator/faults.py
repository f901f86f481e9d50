"""What can go wrong on the way to Strava, as values. The stand-in acts them out; nothing here does I/O."""

import re
from dataclasses import dataclass
from typing import Any, Literal

FaultKind = Literal[
    "status",
    "day",
    "scope",
    "inactive",
    "html",
    "truncated",
    "wrong_types",
    "huge_numbers",
    "empty",
    "reset",
    "lost",
    "hang",
    "drip",
    "redirect",
    "tls",
]

# These damage an answer that was computed, so the request has had its effect (a refresh has rotated the tokens).
DAMAGING = frozenset({"truncated", "wrong_types", "huge_numbers", "empty", "lost", "drip"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail.

    status: answer `status` (with Retry-After: `retry_after`) and a JSON error body. day: 429 with the day's limit used
    up in its headers. scope: 403, a permission is missing. inactive: 403, lapsed subscription. html: 200 with a
    maintenance page. truncated, wrong_types, huge_numbers, empty: the true answer, damaged. reset: connection reset
    before anything happens. lost: the request takes effect, then the connection is reset. hang: no answer for
    `seconds`, then a reset. drip: the true answer, spread over `seconds`. redirect: 302 to `location`. tls: what comes
    instead of an answer isn't encrypted, as when a box on the way breaks in (where the stand-in speaks TLS).
    """

    kind: FaultKind
    status: int = 200
    retry_after: int | None = None
    seconds: float = 30.0
    location: str = "https://www.strava.invalid/"

    @property
    def takes_effect(self) -> bool:
        return self.kind in DAMAGING


@dataclass
class PlannedFault:
    """A fault waiting for requests whose path matches; `left` is None while it lasts until healed."""

    pattern: re.Pattern[str]
    fault: Fault
    left: int | None


def as_fault(fault: Fault | FaultKind | int) -> Fault:
    """A fault from its short form: a status code or a kind."""
    if isinstance(fault, Fault):
        return fault
    return Fault("status", status=fault) if isinstance(fault, int) else Fault(fault)


def huge_numbers(value: Any) -> Any:
    """The same JSON with every number beyond what anything can hold."""
    if isinstance(value, dict):
        return {key: huge_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [huge_numbers(item) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return 10**40 if isinstance(value, int) else 1e300


def wrong_types(value: Any) -> Any:
    """The same JSON with every leaf of another type than promised."""
    if isinstance(value, dict):
        return {key: wrong_types(item) for key, item in value.items()}
    if isinstance(value, list):
        return [wrong_types(item) for item in value]
    if isinstance(value, str):
        return 7
    return None if isinstance(value, bool) else "wrong"
