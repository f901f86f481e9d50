"""The verdict in one sentence, with the reason in it. Finds words for what was decided, decides nothing."""

from typing import Any

from daemon.clock import day_text
from daemon.values import Reading, State
from daemon.verdict.evidence import Facts

SIGNS = {
    "load": "the week carries more than usual",
    "spacing": "there is less room to recover",
    "control": "runs are losing control",
    "felt": "running feels heavier",
}
"""What a family of signals says, in the words of the program's idea."""

MORE_DAYS = "the week has more run days than usual"
"""Instead, where of all that load can be only that has become more."""


def headline_of(state: State, reading: Reading, facts: Facts, memory: dict[str, Any]) -> str:
    came = _came(reading, facts)
    match state:
        case "learning":
            return f"Still learning: {reading.missing}."
        case "pull_back":
            return f"Pull back: {_why(reading, facts, memory, came)}."
        case "recovering":
            normal = "easy running is back to normal" if facts.recent_bpm is not None else "the week has room again"
            return f"Recovering: {normal}, hard running may return with care."
        case "watch":
            return f"Watch: {_why(reading, facts, memory, came)}."
        case "absorbing" | "stable" if memory.get("excused"):
            return f"{state.capitalize()}, as you said: what was up then is left aside until it has gone."
        case "absorbing":
            now = reading.intensity[-1]
            on = day_text(now.introduced_on, reading.day) if now.introduced_on else "an earlier day"
            left = _left(reading, facts)
            return f"Absorbing: {_signs(reading, left)} since intensity came on {on}.{f' {left}' if left else ''}"
        case "stable":
            return _stable(reading, facts)


def _came(reading: Reading, facts: Facts) -> str:
    """Since when, to end a sentence with: intensity came, or was stepped up; "" where neither was lately."""
    if facts.rose_on is None:
        return ""
    now = reading.intensity[-1] if reading.intensity else None
    first = now is not None and now.introduced_on is not None and facts.rose_on <= now.introduced_on
    return f" since intensity {'came' if first else 'was stepped up'} on {day_text(facts.rose_on, reading.day)}"


def _why(reading: Reading, facts: Facts, memory: dict[str, Any], came: str) -> str:
    """The reasons in a few words, from whichever signals are up, and since when; a sign that stands alone in full."""
    heart = reading.signal("easy_heart_rate")
    reasons = []
    if (facts.response or facts.strong) and heart and heart.evidence.get("delta_bpm", 0) > 0:
        reasons.append(f"easy runs cost {heart.evidence['delta_bpm']:.0f} bpm more at the same pace")
    if facts.suppressed:
        reasons.append("easy heart rate is unusually low while running gets harder")
    told = {"felt"} if facts.suppressed else set()
    load = [signal.name for signal in facts.tightened if signal.family == "load"]
    signs = SIGNS | ({"load": MORE_DAYS} if load == ["run_day_added"] else {})
    reasons += [words for family, words in signs.items() if family in facts.families - told]
    if len(facts.tightened) == 1 and len(reasons) == 1 and not facts.suppressed:
        return _begun(facts.tightened[0].summary).rstrip(".")
    if reasons:
        return _listed(reasons) + came
    return "signs of strain are fading" if "episode" not in memory else "strain has not cleared yet"


def _stable(reading: Reading, facts: Facts) -> str:
    left = _left(reading, facts)
    return f"Stable: {_begun(left)} Nothing else is up." if left else "Stable: easy running and the week are as usual."


def _left(reading: Reading, facts: Facts) -> str:
    """What is up and too little to warn of, in its own words; "" where nothing is."""
    heart = reading.signal("easy_heart_rate")
    return next((s.summary for s in (*facts.tightened, *([heart] if heart and facts.response else []))), "")


def _begun(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _signs(reading: Reading, left: str) -> str:
    heart = reading.signal("easy_heart_rate")
    runs = heart.evidence.get("runs_since_intensity") if heart else None
    seen = "hardly a sign of strain" if left else "no sign of strain"
    return f"{seen} in {runs} easy run{'' if runs == 1 else 's'}" if runs else seen


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
