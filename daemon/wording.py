"""What is said to the runner: an alert's title and text, from the numbers in its verdict.

Pure. It finds words for what was decided and decides nothing itself; it names no conditions and no risks.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Literal

from daemon.values import Intensity, Signal, Verdict

Units = Literal["metric", "imperial"]

TITLE_LENGTH = 60
KM_PER_MILE = 1.609344
MOST_SIGNS = 4
"""A phone's screen holds no more."""

_ACCESS = {
    "inactive": (
        "Strava access paused: subscription lapsed",
        "Strava answers that your API application is inactive: it works only while its owner has a Strava "
        "subscription.\n\nSubscribe again, then reactivate the application at https://www.strava.com/settings/api. "
        "pullback looks again by itself; until then no new runs arrive.",
    ),
    "revoked": (
        "Strava access was withdrawn",
        "Strava no longer accepts pullback's access to your account, so no new runs arrive.\n\n"
        "Run `pullback auth` to allow it again. Nothing that was judged so far is lost.",
    ),
    "scope": (
        "Strava access is too narrow",
        "Strava allows pullback less than it needs to read your runs, so some or all of them are missing.\n\n"
        "Run `pullback auth` and leave the boxes for viewing activities ticked, private ones included.",
    ),
    "client": (
        "Strava refuses the client secret",
        "Strava does not know this client id and secret, so no new runs arrive.\n\n"
        "Compare `client_id` and `client_secret` in the config with https://www.strava.com/settings/api.",
    ),
    "unreachable": (
        "Strava cannot be reached",
        "Strava has not answered for some time, so no new runs arrive.\n\n"
        "pullback keeps trying and loses nothing; if your network is fine, look at https://status.strava.com.",
    ),
}


def alert(kind: str, verdict: Verdict, units: str = "metric") -> tuple[str, str]:
    """Title (at most 60 characters) and plain text of an alert about `verdict`.

    `kind` is "pull_back", "watch", "all_clear" or "test"; `units` is "metric" or "imperial". Where a piece of evidence
    is absent, its sentence is left out.
    """
    title, paragraphs = {"pull_back": _pull_back, "watch": _watch, "all_clear": _all_clear, "test": _test}[kind](
        verdict, units
    )
    return title[:TITLE_LENGTH], "\n\n".join(part for part in paragraphs if part) or verdict.headline


def access(reason: str) -> tuple[str, str]:
    """Title and text about lost access: "inactive", "revoked", "scope", "client" or "unreachable"."""
    unknown = ("Strava access has a problem", f"Strava refuses access ({reason}). Run `pullback check` to see why.")
    return _ACCESS.get(reason, unknown)


def rehearsal(kind: str, today: date, units: str = "metric") -> tuple[str, str]:
    """A rendering to try the channels with: an invented verdict in real words, or for "access" a real access text."""
    title, text = access("inactive") if kind == "access" else alert(kind, _invented(kind, today), units)
    return f"Test: {title}"[:TITLE_LENGTH], "This is a test; the numbers are invented.\n\n" + text


def _pull_back(verdict: Verdict, units: str) -> tuple[str, list[str]]:
    heart = _raised(verdict)
    tightened = _tightened(verdict)
    if heart is not None:
        title = f"Time to pull back: easy runs cost {heart.evidence['delta_bpm']:.0f} bpm more"
    elif tightened:
        title = "Time to pull back: the week has become too tight"
    else:
        title = "Time to pull back: strain has not cleared yet"
    return title, [
        _response(heart, units) if heart else _no_response(verdict) if tightened else "",
        _came(verdict),
        tightened,
        "This week: " + " ".join(verdict.advice) if verdict.advice else "",
        _clears(heart),
        _else(heart),
    ]


def _watch(verdict: Verdict, units: str) -> tuple[str, list[str]]:
    heart = _raised(verdict)
    title = "Watch: the week is getting tighter"
    if heart:
        title = f"Watch: easy runs cost {heart.evidence['delta_bpm']:.0f} bpm more"
    first = _response(heart, units) if heart else ""
    advice = " ".join(verdict.advice)
    return title, [first, _came(verdict), _tightened(verdict), advice, _else(heart) if heart else ""]


def _all_clear(verdict: Verdict, units: str) -> tuple[str, list[str]]:
    heart = verdict_signal(verdict, "easy_heart_rate")
    recent = heart.evidence.get("recent_delta_bpm") if heart else None
    now = "The week is no longer tight, and nothing else is up."
    if heart is not None and recent is not None and recent <= 1.5:
        low = "at" if abs(recent) < 0.5 else f"{abs(recent):.0f} bpm {'above' if recent > 0 else 'below'}"
        now = f"Your last easy runs were {low} your norm{_at_pace(heart, units)}, and the week is no longer tight."
    back = (
        "Hard running may come back at about 70 % of its minutes, in place of an easy run, tempo before intervals, "
        "with 48 hours between hard sessions."
    )
    return "All clear: easy running is back to normal", [now, back]


def _test(verdict: Verdict, units: str) -> tuple[str, list[str]]:
    return "pullback can reach you here", ["This channel works: warnings about your running will arrive here."]


def verdict_signal(verdict: Verdict, name: str) -> Signal | None:
    """The signal of that name, None where the detector was silent."""
    return next((signal for signal in verdict.signals if signal.name == name), None)


def _raised(verdict: Verdict) -> Signal | None:
    """The heart-rate signal where it is part of the reason."""
    heart = verdict_signal(verdict, "easy_heart_rate")
    if heart is None or heart.level == "ok" or heart.evidence.get("delta_bpm", 0.0) < 0.5:
        return None
    return heart


def _response(heart: Signal, units: str) -> str:
    e = heart.evidence
    begin = f"At {_pace(e['at_pace_s_per_km'], units)} your" if "at_pace_s_per_km" in e else "Your"
    text = f"{begin} easy heart rate is {e['delta_bpm']:.0f} bpm above your norm"
    if "norm_bpm" in e:
        text += f" of {e['norm_bpm']:.0f}"
    if e.get("runs"):
        text += f", over the last {_count(len(e['runs']), 'easy run')}"
        if e.get("norm_runs"):
            text += f" compared with {len(e['norm_runs'])} before"
    return text + "."


def _no_response(verdict: Verdict) -> str:
    if verdict_signal(verdict, "easy_heart_rate") is None:
        return "Easy heart rate can't be judged at the moment; this is about the week alone."
    return "Easy heart rate is not raised; this is about the week alone."


def _came(verdict: Verdict) -> str:
    now = verdict.intensity[-1] if verdict.intensity else None
    if now is None or now.ended_on:
        return ""
    rose = _iso_day(verdict_signal(verdict, "intensity"), "rose_on")
    often = f"{_count(now.sessions, 'hard session')} so far, {now.per_week:g} a week of late"
    if now.introduced_on is None or (rose is not None and rose > now.introduced_on):
        stepped = f" and was stepped up on {_day(rose)}" if rose else ""
        since = "was always there" if now.introduced_on is None else f"came on {_day(now.introduced_on)}"
        return f"Intensity {since}{stepped}: {often}."
    return f"Intensity came on {_day(now.introduced_on)}: {often}{_how(now)}."


def _how(now: Intensity) -> str:
    return {
        "added": ", added to the week rather than replacing an easy run",
        "replaced": ", in place of easy running",
        "unclear": "; whether it was added or replaced an easy run is not clear yet",
    }[now.change]


def _tightened(verdict: Verdict) -> str:
    """The signs of a tighter week, each in its own sentence; the strongest first."""
    up = [s for s in verdict.signals if s.family not in ("", "response") and s.level != "ok"]
    up.sort(key=lambda signal: (signal.level != "alert", -signal.score))
    return "The week has tightened. " + " ".join(signal.summary for signal in up[:MOST_SIGNS]) if up else ""


def _clears(heart: Signal | None) -> str:
    if heart is None:
        return "It clears when no more than one sign of a tight week is left."
    return (
        "It clears when your last three easy runs are within 1.5 bpm of your norm, no more than one sign of a tight "
        "week is left, and two days have passed since the last hard session."
    )


def _else(heart: Signal | None) -> str:
    if heart is None:
        return ""
    return (
        "It could also be heat, an illness on its way, or a new sensor. "
        "If you know that it is one of these, judge for yourself."
    )


def _at_pace(heart: Signal, units: str) -> str:
    pace = heart.evidence.get("at_pace_s_per_km")
    return f" at {_pace(pace, units)}" if pace else ""


def _pace(s_per_km: float, units: str) -> str:
    """5:40/km, or 9:07/mi."""
    seconds = round(s_per_km * KM_PER_MILE if units == "imperial" else s_per_km)
    return f"{seconds // 60}:{seconds % 60:02d}/{'mi' if units == 'imperial' else 'km'}"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _iso_day(signal: Signal | None, key: str) -> date | None:
    text = signal.evidence.get(key) if signal else None
    return date.fromisoformat(text) if text else None


def _day(day: date | None) -> str:
    """5 October."""
    return f"{day.day} {day:%B}" if day else "an earlier day"


def _invented(kind: str, today: date) -> Verdict:
    """A verdict such as a runner would see five weeks after adding intervals."""
    came = today - timedelta(days=35)
    evidence: dict[str, Any] = {"delta_bpm": 5.0, "recent_delta_bpm": 0.4, "at_pace_s_per_km": 340, "norm_bpm": 143.0}
    evidence |= {"runs": list(range(9)), "norm_runs": list(range(12))}
    heart = Signal("easy_heart_rate", "alert" if kind == "pull_back" else "watch", 10.2, "", today, evidence)
    load = Signal("load_added", "watch", 1.2, "Load of two weeks is 124 % of your usual.", today, {}, "load")
    days = Signal("run_day_added", "watch", 1.1, "10 run days in two weeks, usually 8.", today, {}, "load")
    added = Intensity(came, False, 5, 1.0, "added")
    advice = (
        "Run everything easy for 7 days: hard running goes first, intervals and a second session before a tempo.",
        f"Bring volume back to what it was before {_day(came)}, and keep the number of runs.",
    )
    verdict = Verdict(today, "pull_back", today, "", advice, (heart, load, days), (added,))
    if kind == "watch":
        return replace(verdict, advice=("Make the next hard session an easy run, and add nothing this week.",))
    return verdict
