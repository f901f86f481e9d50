"""What a machine that watches the daemon reads: whether it is well, and figures for Prometheus. Pure; names nobody."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import get_args

import daemon
from daemon.strava.limits import Budget, calls_left
from daemon.values import State

PREFIX = "pullback_"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the store holds about the daemon's work. `deliveries` counts by their state; `imported` says that there are
    runs, but nobody was ever authorised at Strava.
    """

    authorised: bool = False
    imported: bool = False
    synced_at: datetime | None = None
    problem: str | None = None
    budget: Budget | None = None
    verdict: str | None = None
    deliveries: Mapping[str, int] = field(default_factory=dict)


def trouble(seen: Seen, now: datetime, missing: str | None, stale_after: timedelta) -> str | None:
    """Why new runs aren't seen, and what to do; None while they are. `missing` is the key Strava can't do without."""
    if missing is not None:
        # Who only imports files needs no app of Strava's.
        return None if seen.imported else f"{missing} is not set; add it to the config and reload"
    if not seen.authorised:
        return "not authorised; run `pullback auth`"
    if seen.problem is not None:
        return seen.problem
    if seen.synced_at is None:
        return "nothing was fetched from Strava yet; wait a minute, then look at the log"
    if now - seen.synced_at > stale_after:
        return f"last synced {(now - seen.synced_at).days} days ago; run `pullback check`"
    return None


def figures(seen: Seen, now: datetime, failures: Mapping[str, int]) -> str:
    """Prometheus' text format. What isn't known has no line."""
    return "".join(f"{line}\n" for line in _lines(seen, now, failures))


def _lines(seen: Seen, now: datetime, failures: Mapping[str, int]) -> Iterator[str]:
    yield from _family("info", "gauge", "The program's version.", {f'{{version="{daemon.__version__}"}}': 1})
    if seen.synced_at is not None:
        age_s = max(0, round((now - seen.synced_at).total_seconds()))
        yield from _family("last_sync_age_seconds", "gauge", "Seconds since the last complete sync.", {"": age_s})
    if seen.verdict is not None:
        states = {f'{{state="{state}"}}': int(state == seen.verdict) for state in get_args(State)}
        yield from _family("verdict", "gauge", "1 for today's verdict, 0 for the others.", states)
    if seen.budget is not None:
        short, day = calls_left(seen.budget, now)
        left = {'{window="15m"}': short, '{window="day"}': day}
        yield from _family("api_calls_left", "gauge", "Calls that Strava still allows.", left)
    waiting = seen.deliveries.get("pending", 0) + seen.deliveries.get("claimed", 0)
    yield from _family("outbox_depth", "gauge", "Deliveries that wait to be sent.", {"": waiting})
    given_up = seen.deliveries.get("given_up", 0)
    yield from _family("deliveries_given_up_total", "counter", "Deliveries given up after three days.", {"": given_up})
    failed = {f'{{job="{name}"}}': count for name, count in sorted(failures.items())}
    yield from _family("errors_total", "counter", "Jobs that failed since the start.", failed)


def _family(name: str, kind: str, what: str, values: Mapping[str, int]) -> Iterator[str]:
    yield f"# HELP {PREFIX}{name} {what}"
    yield f"# TYPE {PREFIX}{name} {kind}"
    yield from (f"{PREFIX}{name}{labels} {value}" for labels, value in values.items())
