"""Strava's read limits as pure decisions: what the headers said, and from when on a call may be made.

Nothing is hardcoded but the windows (quarters of an hour, days, both UTC), and nothing here sleeps or reads a clock.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal

Purpose = Literal["new", "backfill"]

_QUARTER = timedelta(minutes=15)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Budget:
    """Strava's read limits and usage, in calls, as seen at `seen_at` (aware, UTC).

    `not_before` is what a Retry-After header asked for, never later than the end of that day.
    """

    short_limit: int
    short_used: int
    day_limit: int
    day_used: int
    seen_at: datetime
    not_before: datetime | None = None


def parse_headers(headers: Mapping[str, str], now: datetime) -> Budget | None:
    """The budget an answer's headers tell, or None where they tell nothing that can be used.

    `X-ReadRateLimit-*` counts; `X-RateLimit-*` (reads and writes together) stands in where it is missing.
    """
    lower = {str(key).casefold(): str(value) for key, value in headers.items()}
    for name in ("x-readratelimit", "x-ratelimit"):
        limits = _pair(lower.get(f"{name}-limit"))
        used = _pair(lower.get(f"{name}-usage"))
        if limits and used and min(limits) > 0:
            return Budget(limits[0], used[0], limits[1], used[1], now.astimezone(UTC))
    return None


def resume_at(budget: Budget | None, now: datetime, purpose: Purpose = "new") -> datetime | None:
    """None if a call may be made now, else the window boundary from which it may.

    A window that isn't the one the budget was seen in counts as unused, whichever way the clock moved: so a clock
    that jumps can cost one window, never more. A backfill leaves a tenth of each window for new runs.
    """
    if budget is None:
        return None
    now, seen = now.astimezone(UTC), budget.seen_at.astimezone(UTC)
    if now.date() != seen.date():
        return None
    if budget.day_used >= _allowed(budget.day_limit, purpose):
        return _next_day(now)
    waits = []
    if _quarter(now) == _quarter(seen) and budget.short_used >= _allowed(budget.short_limit, purpose):
        waits.append(_quarter(now) + _QUARTER)
    if budget.not_before is not None and budget.not_before > now:
        waits.append(min(_quarter(budget.not_before - timedelta(microseconds=1)) + _QUARTER, _next_day(now)))
    return max(waits, default=None)


def calls_left(budget: Budget, now: datetime) -> tuple[int, int]:
    """Calls left in this quarter of an hour and in this day; a window that isn't the one seen is unused."""
    now, seen = now.astimezone(UTC), budget.seen_at.astimezone(UTC)
    short_used = budget.short_used if _quarter(now) == _quarter(seen) else 0
    day_used = budget.day_used if now.date() == seen.date() else 0
    return max(0, budget.short_limit - short_used), max(0, budget.day_limit - day_used)


def full(budget: Budget | None, now: datetime, retry_after: str | None = None) -> Budget:
    """The budget after a 429: used up, for the day where the headers said so, else for this quarter of an hour.

    `retry_after` is the header as it came (seconds or a date); it can only lengthen the wait, up to the day's end.
    Without any known limits the smallest that still allow a try in each later window stand in.
    """
    now = now.astimezone(UTC)
    if budget is None:
        budget = Budget(short_limit=1, short_used=1, day_limit=1, day_used=0, seen_at=now)
    # Usage of an older window says nothing about this one, or yesterday's full day would close today.
    day_used = budget.day_used if budget.seen_at.astimezone(UTC).date() == now.date() else 0
    return replace(
        budget,
        short_used=max(budget.short_used, budget.short_limit),
        day_used=day_used,
        seen_at=now,
        not_before=_retry_moment(retry_after, now),
    )


def to_json(budget: Budget) -> dict[str, Any]:
    """JSON-ready; `from_json` reads it back."""
    not_before = budget.not_before.isoformat() if budget.not_before else None
    return asdict(budget) | {"seen_at": budget.seen_at.isoformat(), "not_before": not_before}


def from_json(value: Any) -> Budget | None:
    """What `to_json` wrote, or None where it isn't that: an unknown budget only means that Strava is asked."""
    try:
        short = int(value["short_limit"]), int(value["short_used"])
        day = int(value["day_limit"]), int(value["day_used"])
        seen_at = datetime.fromisoformat(value["seen_at"]).astimezone(UTC)
        not_before = datetime.fromisoformat(value["not_before"]).astimezone(UTC) if value.get("not_before") else None
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    usable = min(short[0], day[0]) > 0 and min(short[1], day[1]) >= 0
    return Budget(*short, *day, seen_at, not_before) if usable else None


def _allowed(limit: int, purpose: Purpose) -> int:
    return limit if purpose == "new" else max(1, limit * 9 // 10)


def _quarter(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)


def _next_day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY


def _pair(text: str | None) -> tuple[int, int] | None:
    try:
        short, day = (int(part) for part in (text or "").split(",")[:2])
    except ValueError:
        return None
    return (short, day) if min(short, day) >= 0 else None


def _retry_moment(text: str | None, now: datetime) -> datetime | None:
    if not text:
        return None
    try:
        moment = now + timedelta(seconds=min(int(text), 86_400))
    except ValueError:
        try:
            moment = parsedate_to_datetime(text).astimezone(UTC)
        except (TypeError, ValueError, OverflowError):
            return None
    return min(moment, _next_day(now)) if moment > now else None
