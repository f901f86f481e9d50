"""From one day's evidence to a state with memory: one episode at a time, lifted by rules, not by one quiet day."""

from datetime import date
from typing import Any

from daemon.values import Reading, State, Verdict
from daemon.verdict.advice import advice_of
from daemon.verdict.evidence import RESUME_BPM, TIGHT_OF, Cause, Facts, cause_of, facts_of
from daemon.verdict.headline import headline_of

LEAST_PULL_BACK_DAYS = 7
"""A week without hard running."""

BLIND_PULL_BACK_DAYS = 14
"""The same where heart rate can't say that it is over."""

SILENT_DAYS = 28
"""So long without a run, and a pull-back is neither on nor cleared: it ends without a word."""

RECOVERING_DAYS = 10
"""How long "recovering" lasts before the verdict is an ordinary one again."""

CALM_DAYS = 5
"""A watch ends when nothing was up for so long."""

BASE_DAYS = 28
"""So many days before intensity came say whether it came on a stable base."""

ABSORBING_DAYS = 84
"""After so long, intensity is part of the usual."""

LASTING_SIGNS = 1
"""So many signs of a tight week may be left when a pull-back is lifted."""


def decide(reading: Reading, previous: Verdict | None) -> Verdict:
    """Today's verdict. `previous` is the verdict of the day before, None on the first day."""
    memory = dict(previous.memory) if previous else {}
    closed = _close(reading, memory)
    facts = facts_of(reading, frozenset(memory.get("excused", ())))
    memory["tight"] = (str(memory.get("tight", "")) + str(int(facts.tight)))[-TIGHT_OF:]
    _note_base(reading, facts, memory)
    cause = cause_of(facts, memory["tight"])
    state = _next_state(reading, facts, cause, None if closed else previous, memory)
    since = previous.since if previous and previous.state == state else reading.day
    memory = _remember(memory, state, cause, reading.day)
    headline = headline_of(state, reading, facts, memory)
    advice = advice_of(state, reading, facts, since, memory)
    return Verdict(reading.day, state, since, headline, advice, reading.signals, reading.intensity, memory)


def _note_base(reading: Reading, facts: Facts, memory: dict[str, Any]) -> None:
    """How calm the weeks before intensity were: `memory["base"]` has a "1" for each calm day and a "0" for the others.

    It stands still while intensity is new, so that it goes on telling of the weeks before.
    """
    if facts.rose_on is None and reading.missing is None:
        memory["base"] = (str(memory.get("base", "")) + str(int(not facts.up)))[-BASE_DAYS:]


def _close(reading: Reading, memory: dict[str, Any]) -> bool:
    """Whether the runner's "fine" closes what is open today.

    What is up then, or made the episode, is excused until it has been gone for `CALM_DAYS`: `memory["excused"]` counts
    the days it has been gone.
    """
    up = {signal.name for signal in reading.signals if signal.family and signal.level != "ok"}
    fine = reading.fine_on.isoformat() if reading.fine_on else None
    closed = fine is not None and fine != memory.get("fine")
    if closed:
        behind = {"easy_heart_rate"} if memory.get("cause") in ("heart_rate", "both", "suppressed") else set()
        memory["fine"], memory["excused"], memory["tight"] = fine, dict.fromkeys(sorted(up | behind), 0), ""
        for key in ("episode", "cause", "watch"):
            memory.pop(key, None)
        memory["calm"] = CALM_DAYS
    elif "excused" in memory:
        gone = {name: 0 if name in up else days + 1 for name, days in memory["excused"].items()}
        memory["excused"] = {name: days for name, days in gone.items() if days < CALM_DAYS}
    return closed


def _next_state(
    reading: Reading, facts: Facts, cause: Cause | None, previous: Verdict | None, memory: dict[str, Any]
) -> State:
    state = previous.state if previous else "learning"
    days = (reading.day - previous.since).days if previous else 0
    if reading.idle_days > SILENT_DAYS:
        # What made the episode has gone with the runs: nothing cleared, so nothing of it is left to tell.
        memory.pop("pulled_back", None)
        return _ordinary(reading, facts, memory)
    if state == "pull_back":
        return "recovering" if cause is None and _may_resume(facts, days, reading.idle_days) else "pull_back"
    if cause:
        return "pull_back"
    if state == "recovering" and days < RECOVERING_DAYS:
        return "recovering"
    return _ordinary(reading, facts, memory)


def _may_resume(facts: Facts, days: int, idle_days: int) -> bool:
    """Whether runs have shown, in `days` of pull-back, that it is over: rest alone shows nothing of running."""
    calm = len(facts.tightened) <= LASTING_SIGNS
    least = BLIND_PULL_BACK_DAYS if facts.recent_bpm is None else LEAST_PULL_BACK_DAYS
    if days < least or idle_days >= least or not calm:
        return False
    if facts.recent_bpm is None:
        return True
    rested = facts.rested or days >= BLIND_PULL_BACK_DAYS  # who runs hard every other day never rests that long
    return facts.recent_bpm <= RESUME_BPM and rested


def _ordinary(reading: Reading, facts: Facts, memory: dict[str, Any]) -> State:
    """The state outside a pull-back. `memory["calm"]` counts the days on which nothing was up."""
    memory["calm"] = 0 if facts.up else int(memory.get("calm", CALM_DAYS)) + 1
    if facts.up or (memory["calm"] < CALM_DAYS and "watch" in memory):
        return "watch"
    if reading.missing:
        return "learning"
    return "absorbing" if _absorbing(reading, memory) else "stable"


def _absorbing(reading: Reading, memory: dict[str, Any]) -> bool:
    now = reading.intensity[-1] if reading.intensity else None
    if now is None or now.ended_on or now.introduced_on is None:
        return False
    if str(memory.get("pulled_back", "")) >= now.introduced_on.isoformat():
        return False  # there was strain in this spell: what follows isn't "no sign of strain"
    return (reading.day - now.introduced_on).days < ABSORBING_DAYS


def _remember(memory: dict[str, Any], state: State, cause: Cause | None, day: date) -> dict[str, Any]:
    """What tomorrow must know: when the episode or the watch began and why, what is excused, counters."""
    kept: dict[str, Any] = {
        key: memory[key] for key in ("tight", "base", "calm", "fine", "pulled_back") if key in memory
    }
    if memory.get("excused"):
        kept["excused"] = memory["excused"]
    if state == "pull_back":
        kept["episode"] = memory.get("episode", day.isoformat())
        kept["pulled_back"] = day.isoformat()
        kept["cause"] = cause or memory.get("cause")
    elif state == "recovering":
        kept |= {key: memory[key] for key in ("episode", "cause") if key in memory}
    elif state == "watch":
        kept["watch"] = memory.get("watch", day.isoformat())
    return kept
