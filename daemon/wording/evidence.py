"""What a verdict holds that can be said: which signals are up, how far heart rate has moved, why it is a pull-back.

Pure. Nothing is said that isn't in the verdict; what the runner has called fine isn't said again.
"""

from datetime import date

from daemon.values import Signal, Verdict

STILL_BPM = 1.5
"""The last few easy runs above the norm by no more than this are back at it, as the verdict has it."""

OPENINGS = {
    "load": "The week has tightened.",
    "spacing": "The week has tightened.",
    "control": "Runs are losing control.",
    "felt": "Running feels heavier.",
}
"""How the sentences of a family of signals are introduced; load and spacing are one to the runner."""


def signal_of(verdict: Verdict, name: str) -> Signal | None:
    """The signal of that name, None where the detector was silent."""
    return next((signal for signal in verdict.signals if signal.name == name), None)


def up(verdict: Verdict) -> list[Signal]:
    """The signs besides heart rate, the weightiest first; none that the runner has called fine."""
    excused = verdict.memory.get("excused", ())
    found = [s for s in verdict.signals if s.family in OPENINGS and s.level != "ok" and s.name not in excused]
    return sorted(found, key=lambda signal: (signal.level != "alert", -signal.score))


def signs(verdict: Verdict, most: int) -> list[tuple[str, list[str]]]:
    """At most so many signs, under the words that open them: the strongest of each family, then the next strongest."""
    found = up(verdict)
    if any(signal.name != "new_stresses" and signal.family == "load" for signal in found):
        found = [signal for signal in found if signal.name != "new_stresses"]  # which sums up what the others say
    first = {s.family: s for s in reversed(found)}
    chosen = sorted(found, key=lambda s: first[s.family] is not s)[:most]
    told: dict[str, list[str]] = {}
    for signal in (s for s in found if s in chosen):
        told.setdefault(OPENINGS[signal.family], []).append(signal.summary)
    return [(opening, told[opening]) for opening in dict.fromkeys(OPENINGS.values()) if opening in told]


def raised(verdict: Verdict) -> Signal | None:
    """The heart-rate signal where it is part of the reason: raised, and still so in the last few runs.

    Of easy runs that became faster, the pace is the news.
    """
    heart = signal_of(verdict, "easy_heart_rate")
    if heart is None or heart.level == "ok" or heart.evidence.get("faster"):
        return None
    if "easy_heart_rate" in verdict.memory.get("excused", ()):
        return None
    delta = heart.evidence.get("delta_bpm", 0.0)
    recent = heart.evidence.get("recent_delta_bpm", delta)
    return heart if delta >= 0.5 and recent is not None and recent > STILL_BPM else None


def low(verdict: Verdict) -> Signal | None:
    """The heart-rate signal where it lies as far below the norm as an alarm lies above it."""
    heart = signal_of(verdict, "easy_heart_rate")
    if heart is None:
        return None
    score = heart.evidence.get("suppressed", {}).get("score", 0.0)
    return heart if score >= heart.evidence.get("threshold", float("inf")) else None


def heavy(verdict: Verdict) -> str:
    """What makes a low heart rate a warning, "" where nothing does."""
    found = up(verdict)
    if any(signal.family == "felt" for signal in found):
        return "running feels heavier"
    return "hard sessions fade" if any(signal.name == "fading" for signal in found) else ""


def cause(verdict: Verdict) -> str | None:
    """Why it is a pull-back, where that is still so today: "heart_rate", "both", "suppressed" or "tight_week"."""
    why = verdict.memory.get("cause")
    stands = {
        "heart_rate": raised(verdict) is not None,
        "both": raised(verdict) is not None,
        "suppressed": low(verdict) is not None and heavy(verdict) != "",
        "tight_week": str(verdict.memory.get("tight", "")).endswith("1") and bool(up(verdict)),
    }
    return why if isinstance(why, str) and stands.get(why) else None


def began(verdict: Verdict) -> date:
    """The day the episode or the watch began."""
    text = verdict.memory.get("episode") or verdict.memory.get("watch")
    return date.fromisoformat(text) if text else verdict.since


def day_in(signal: Signal | None, key: str) -> date | None:
    """A date of a signal's evidence."""
    text = signal.evidence.get(key) if signal else None
    return date.fromisoformat(text) if text else None
