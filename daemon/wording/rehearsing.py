"""Messages to try the channels with: invented numbers in real words. Pure."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from daemon.clock import day_text
from daemon.values import Intensity, Signal, Verdict, Week
from daemon.wording.alerts import alert
from daemon.wording.following import cut, reminder, retraction
from daemon.wording.trouble import access, stale
from daemon.wording.weekly import digest
from daemon.wording.words import TITLE_LENGTH

KINDS = (
    "pull_back",
    "watch",
    "all_clear",
    "absorbing",
    "ready",
    "digest",
    "access",
    "stale",
    "reminder",
    "retraction",
    "test",
)


def rehearsal(kind: str, today: date, units: str = "metric") -> tuple[str, str]:
    """One of `KINDS` to try the channels with: an invented verdict in real words."""
    title, text = _words(kind, today, units)
    return f"Test: {cut(title, TITLE_LENGTH - 6)}", "This is a test; the numbers are invented.\n\n" + text


def _words(kind: str, today: date, units: str) -> tuple[str, str]:
    match kind:
        case "access":
            return access("inactive")
        case "stale":
            now = datetime.combine(today, time(12), UTC)
            return stale(now - timedelta(days=8), now)
        case "digest":
            week = Week(today - timedelta(days=6), 4, 4, 215, 230, 240, 235, 1, 1, 3)
            return digest(_invented("absorbing", today), week, units)
        case "reminder":
            return reminder("pull_back", _invented("pull_back", today), today - timedelta(days=7), units)
        case "retraction":
            return retraction("pull_back", today - timedelta(days=7), "edited", _invented("absorbing", today))
    return alert(kind, _invented(kind, today), units)


def _invented(kind: str, today: date) -> Verdict:
    """A verdict such as a runner would see some weeks after adding intervals."""
    rose, warned = today - timedelta(days=35), kind in ("pull_back", "watch")
    came = Signal("intensity", "ok", 1.0, "", rose, {"rose_on": rose.isoformat()})
    signals: tuple[Signal, ...] = (_heart("alert" if kind == "pull_back" else "watch" if warned else "ok", today), came)
    if warned:
        signals += _week(today)
    advice: dict[str, tuple[str, ...]] = {
        "pull_back": (
            "Run everything easy for 7 days, no intervals, no tempo.",
            f"Bring volume back to what it was before {day_text(rose, today)}: the number of runs, too.",
        ),
        "watch": ("Make the next hard session an easy run, and add nothing this week.",),
        "absorbing": ("Keep the week as it is; change one thing at a time, three to four weeks apart.",),
    }
    verdict = Verdict(
        day=today,
        state="pull_back" if kind == "pull_back" else "watch" if kind == "watch" else "absorbing",
        since=today,
        headline=f"Absorbing: no sign of strain in 14 easy runs since intensity came on {day_text(rose, today)}.",
        advice=advice.get(kind, ()),
        signals=signals,
        intensity=(Intensity(rose, False, 5, 1.0, "added" if warned else "replaced"),),
        memory={"cause": "both"} if kind == "pull_back" else {},
    )
    return (
        verdict if kind != "ready" else replace(verdict, state="stable", since=today - timedelta(days=42), intensity=())
    )


def _heart(level: Any, today: date) -> Signal:
    evidence: dict[str, Any] = {"at_pace_s_per_km": 340, "norm_bpm": 143.0, "runs_since_intensity": 14}
    evidence |= {
        "runs": list(range(9)),
        "norm_runs": list(range(12)),
        "since": (today - timedelta(days=12)).isoformat(),
    }
    evidence |= {"own_past": {"years": 2.1, "times": 2, "per_year": [0.12, 3.44]}}
    evidence |= (
        {"delta_bpm": 0.3, "recent_delta_bpm": 0.3} if level == "ok" else {"delta_bpm": 5.0, "recent_delta_bpm": 4.6}
    )
    return Signal("easy_heart_rate", level, 10.2, "", today, evidence, "response")


def _week(today: date) -> tuple[Signal, ...]:
    more = "The last two weeks carried 134 % of your usual load."
    often = "You ran on 5 days a week in the last three weeks, usually on 4."
    return (
        Signal("load_added", "watch", 1.2, more, today, {}, "load"),
        Signal("run_day_added", "watch", 1.1, often, today, {}, "load"),
    )
