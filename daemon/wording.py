"""What is said to the runner: an alert's title and text, from the numbers in its verdict.

Pure. It finds words for what was decided and decides nothing itself; it names no conditions and no risks.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from daemon.values import Intensity, Signal, Verdict

TITLE_LENGTH = 60
KM_PER_MILE = 1.609344
MOST_SIGNS = 4
"""A phone's screen holds no more."""

MOST_ADVICE = 5
"""The advice comes most important first; `status` has all of it, and some phones cut what is longer."""

STILL_BPM = 1.5
"""The last few easy runs above the norm by no more than this are back at it, as the verdict has it."""

FEW_RUNS = 5
"""What rests on so few runs is said to do so [ENG]."""

OPENINGS = {
    "load": "The week has tightened.",
    "spacing": "The week has tightened.",
    "control": "Runs are losing control.",
    "felt": "Running feels heavier.",
}
"""How the sentences of a family of signals are introduced; load and spacing are one to the runner."""

WATCHES = {
    "The week has tightened.": "Watch: the week is getting tighter",
    "Runs are losing control.": "Watch: runs are losing control",
    "Running feels heavier.": "Watch: running feels heavier",
}

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
    "lost": (
        "Strava access got lost on the way",
        "Strava's answer with a new key was lost, on the network or because this machine stopped just then, and the "
        "old key is dead, so no new runs arrive.\n\nRun `pullback auth` to get another. Nothing that was judged so "
        "far is lost.",
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
    """Title and text about lost access: "inactive", "revoked", "lost", "scope", "client" or "unreachable"."""
    unknown = ("Strava access has a problem", f"Strava refuses access ({reason}). Run `pullback check` to see why.")
    return _ACCESS.get(reason, unknown)


def rehearsal(kind: str, today: date, units: str = "metric") -> tuple[str, str]:
    """A rendering to try the channels with: an invented verdict in real words, or for "access" a real access text."""
    title, text = access("inactive") if kind == "access" else alert(kind, _invented(kind, today), units)
    return f"Test: {title}"[:TITLE_LENGTH], "This is a test; the numbers are invented.\n\n" + text


def _pull_back(verdict: Verdict, units: str) -> tuple[str, list[str]]:
    cause, judged = verdict.memory.get("cause"), verdict_signal(verdict, "easy_heart_rate")
    # Where the week alone is the reason, nothing is said of a heart rate that has risen less than it takes.
    heart = None if cause in ("tight_week", "suppressed") else _raised(verdict)
    signs = _signs(verdict)
    if heart is not None:
        title, first = f"easy runs cost {heart.evidence['delta_bpm']:.0f} bpm more", _response(heart, units)
    elif cause == "suppressed" and judged is not None:
        title, first = "low heart rate, heavy running", _suppressed(judged, verdict, units)
    else:
        title = "the week has become too tight" if signs else "strain has not cleared yet"
        first = _no_response(judged) if signs else ""
    return f"Time to pull back: {title}", [
        first,
        _came(verdict),
        *signs,
        "This week: " + " ".join(verdict.advice[:MOST_ADVICE]) if verdict.advice else "",
        _clears(judged, heart),
        _else(heart),
    ]


def _watch(verdict: Verdict, units: str) -> tuple[str, list[str]]:
    heart, judged = _raised(verdict), verdict_signal(verdict, "easy_heart_rate")
    advice, signs = " ".join(verdict.advice[:MOST_ADVICE]), _signs(verdict)
    if heart is not None:
        title, first = f"Watch: easy runs cost {heart.evidence['delta_bpm']:.0f} bpm more", _response(heart, units)
    elif judged is not None and _low(judged) and _heavy(verdict):
        title, first = "Watch: low heart rate, heavy running", _suppressed(judged, verdict, units)
    else:
        opening = next((opening for opening in WATCHES if any(opening in sign for sign in signs)), None)
        title, first = WATCHES[opening] if opening else "Watch: something is up", ""
    # Where no intensity came, the advice asks by itself what else it could be.
    return title, [first, _came(verdict), *signs, advice, "" if "heat" in advice else _else(heart)]


def _all_clear(verdict: Verdict, units: str) -> tuple[str, list[str]]:
    heart = verdict_signal(verdict, "easy_heart_rate")
    recent = heart.evidence.get("recent_delta_bpm") if heart else None
    now = "The week is no longer tight, and nothing else is up."
    if heart is not None and recent is not None and recent <= STILL_BPM:
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
    """The heart-rate signal where it is part of the reason: raised, and still so in the last few runs.

    Of easy runs that became faster, the pace is the news.
    """
    heart = verdict_signal(verdict, "easy_heart_rate")
    if heart is None or heart.level == "ok" or heart.evidence.get("faster"):
        return None
    delta = heart.evidence.get("delta_bpm", 0.0)
    return heart if delta >= 0.5 and heart.evidence.get("recent_delta_bpm", delta) > STILL_BPM else None


def _response(heart: Signal, units: str) -> str:
    """How far above the norm, over how many runs, and how often that happens by itself."""
    e = heart.evidence
    sentences = [_compared(heart, "above", e["delta_bpm"], units)]
    if 0 < len(e.get("runs", ())) <= FEW_RUNS:
        sentences.append("These are few runs; the next ones will say more.")
    if "own_past" in e:
        sentences.append(_own_past(e["own_past"]))
    return " ".join(sentences)


def _compared(heart: Signal, side: str, bpm: float, units: str) -> str:
    e = heart.evidence
    begin = f"At {_pace(e['at_pace_s_per_km'], units)} your" if "at_pace_s_per_km" in e else "Your"
    text = f"{begin} easy heart rate is {abs(bpm):.0f} bpm {side} your norm"
    if "norm_bpm" in e:
        text += f" of {e['norm_bpm']:.0f}"
    if e.get("runs"):
        text += f", over the last {_count(len(e['runs']), 'easy run')}"
        if e.get("norm_runs"):
            text += f" compared with {len(e['norm_runs'])} before"
    return text + "."


def _own_past(past: dict[str, Any] | None) -> str:
    """How often noise alone did as much; a frequency needs a year of the runner's own history."""
    if past is None:
        return "How often noise alone does this to you is not known yet."
    low, high = (f"{round(n, 1):g}" for n in past["per_year"])
    often = {0: "never did this", 1: "did this once", 2: "did this twice"}
    times = often.get(past["times"], f"did this {past['times']} times")
    return f"In your own last {past['years']:g} years, noise alone {times} ({low} to {high} a year)."


def _low(heart: Signal) -> bool:
    """Whether heart rate lies as far below the norm as an alarm lies above it."""
    return bool(heart.evidence.get("suppressed", {}).get("score", 0.0) >= heart.evidence.get("threshold", float("inf")))


def _heavy(verdict: Verdict) -> str:
    """What makes a low heart rate a warning, "" where nothing does."""
    up = {signal.name for signal in verdict.signals if signal.level != "ok"}
    return "running feels heavier" if "felt" in up else "hard sessions fade" if "fading" in up else ""


def _suppressed(heart: Signal, verdict: Verdict, units: str) -> str:
    low = heart.evidence.get("suppressed", {}).get("delta_bpm", 0.0)
    begin = _compared(heart, "below", low, units) if low < 0 else "Your easy heart rate is below your norm."
    return (
        f"{begin} That is unusually low, and {_heavy(verdict) or 'running gets harder'}: together they can mean "
        "strain, as a high heart rate can."
    )


def _no_response(heart: Signal | None) -> str:
    if heart is None:
        return "Easy heart rate can't be judged at the moment; this is about the week alone."
    if heart.level != "ok":
        return "This is about the week alone."
    return "Easy heart rate has not risen beyond what is usual for you; this is about the week alone."


def _came(verdict: Verdict) -> str:
    now = verdict.intensity[-1] if verdict.intensity else None
    if now is None or now.ended_on:
        return ""
    rose = _iso_day(verdict_signal(verdict, "intensity"), "rose_on")
    often = f"{now.per_week:g} hard session{'' if now.per_week == 1 else 's'} a week of late"
    if now.introduced_on is None or (rose is not None and rose > now.introduced_on):
        stepped = f" and was stepped up on {_day(rose)}" if rose else ""
        since = (
            "Hard running was always there"
            if now.introduced_on is None
            else f"Intensity came on {_day(now.introduced_on)}"
        )
        return f"{since}{stepped}: {often}."
    so_far = f"{_count(now.sessions, 'hard session')} so far, {now.per_week:g} a week of late"
    return f"Intensity came on {_day(now.introduced_on)}: {so_far}{_how(now)}."


def _how(now: Intensity) -> str:
    return {
        "added": ", added to the week instead of replacing an easy run",
        "replaced": ", in place of easy running",
        "unclear": "; whether it was added or replaced an easy run is not clear yet",
    }[now.change]


def _signs(verdict: Verdict) -> list[str]:
    """What is up besides heart rate, in paragraphs: the strongest of each family first, then the next strongest."""
    up = [s for s in verdict.signals if s.family in OPENINGS and s.level != "ok"]
    # New stresses sum up what the others say one by one.
    up.sort(key=lambda signal: (signal.name == "new_stresses", signal.level != "alert", -signal.score))
    first_of = {family: next(s for s in up if s.family == family) for family in dict.fromkeys(s.family for s in up)}
    chosen = [*first_of.values(), *(s for s in up if s is not first_of[s.family])][:MOST_SIGNS]
    told: dict[str, list[str]] = {}
    for signal in (s for s in up if s in chosen):
        told.setdefault(OPENINGS[signal.family], []).append(signal.summary)
    return [" ".join([opening, *told[opening]]) for opening in WATCHES if opening in told]


def _clears(judged: Signal | None, raised: Signal | None) -> str:
    """What lifts a pull-back; `judged` is None where heart rate can't say that it is over."""
    if judged is None:
        return "It clears after two weeks at the earliest, with no more than one sign of a tight week left."
    back = "your last three easy runs within 1.5 bpm of your norm, " if raised else ""
    return (
        f"It clears after a week at the earliest, with {back}no more than one sign of a tight week left, and two days "
        "since the last hard session."
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
    evidence |= {"own_past": {"years": 2.1, "times": 2, "per_year": [0.12, 3.44]}}
    heart = Signal("easy_heart_rate", "alert" if kind == "pull_back" else "watch", 10.2, "", today, evidence)
    more = "Load of the last two weeks is 124 % of your usual."
    load = Signal("load_added", "watch", 1.2, more, today, {}, "load")
    often = "You ran on 5.0 days a week in the last three weeks, usually on 4.0."
    days = Signal("run_day_added", "watch", 1.1, often, today, {}, "load")
    added = Intensity(came, False, 5, 1.0, "added")
    advice = (
        "Run everything easy for 7 days: hard running goes first, intervals and a second session before a tempo.",
        f"Bring volume back to what it was before {_day(came)}, and keep the number of runs.",
    )
    verdict = Verdict(today, "pull_back", today, "", advice, (heart, load, days), (added,))
    if kind == "watch":
        return replace(verdict, advice=("Make the next hard session an easy run, and add nothing this week.",))
    return verdict
