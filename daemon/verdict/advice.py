"""What to do this week, from the verdict and what is up: intensity goes first, volume returns, frequency stays.

Chooses sentences; decides no state. It names no conditions and no risks.
"""

from datetime import date
from typing import Any

from daemon.clock import day_text
from daemon.values import Intensity, Reading, State
from daemon.verdict.evidence import Facts

STUBBORN_DAYS = 14
"""A pull-back that lasts longer asks for less volume than before intensity, not for the same."""

READY = "Ready: "
"""How the advice begins that a base has room for a tempo."""

READY_DAYS, READY_RUNS, READY_PER_WEEK = 28, 8, 2.0
"""A base this long stable, on so many usable runs and so many a week, has room for a tempo."""

BACK = (
    "Bring hard running back at about 70 % of its minutes, in place of an easy run, tempo before intervals.",
    "Leave at least 48 hours between hard sessions.",
)
CALM_SHARE, LEAST_BASE_DAYS = 0.75, 14
"""A base was stable where so much of the weeks before intensity was calm, of so many days at least."""

EARLY_DAYS, OFTEN = 42, 1.6
"""In its first weeks one hard session a week is enough; from so many on it is said."""

MENDS = {
    "load_added": "Let the hard session take the place of an easy run, so that the week carries no more than before.",
    "run_day_added": "Take the added run day out again.",
    "hard_days": "Go back to the number of hard days you had before; the newest session goes first.",
    "longest_run": "Keep the next long run within a tenth of what you did in the month before.",
    "new_stresses": "Keep one new thing, leave the others for three to four weeks.",
    "monotony": "Make easy days easier and one day a rest day, so that the days differ again.",
    "hard_spacing": "Leave at least 48 hours between hard sessions.",
    "beside_long": "Keep the days before and after the long run easy.",
    "rest": "Give the week its rest days back.",
    "recovery": "Keep the day after a hard session easy, or take it off.",
    "easy_pace": "Run easy runs at the pace they had before.",
    "decoupling": "Run easy runs a little shorter or slower until heart rate holds steady again.",
    "even_pace": "Let easy runs be even: no surges, no chasing.",
    "fading": "Stop hard sessions while the last repetition is still as good as the first.",
    "felt": "Let how it feels set the pace this week.",
}
"""What mends each sign, in the order in which it is advised."""


def advice_of(state: State, reading: Reading, facts: Facts, since: date, memory: dict[str, Any]) -> tuple[str, ...]:
    """What to do on this day, most important first; nothing where nothing is to be done."""
    now = reading.intensity[-1] if reading.intensity else None
    match state:
        case "pull_back":
            return (*_pull_back(now, facts, since, reading.day), *_start(reading, now, memory))
        case "recovering":
            return BACK
        case "watch":
            return (*_watch(now, facts), *_start(reading, now, memory))
        case "absorbing":
            keep = "Keep the week as it is; change one thing at a time, three to four weeks apart."
            return (keep, *_start(reading, now, memory)[:1], *_ask(reading, facts))
        case "stable" if _ready(reading, facts, since, now):
            weeks = (reading.day - since).days // 7
            ready = f"{READY}your base has been stable for {weeks} weeks, enough to replace one easy run by a tempo."
            return (ready, *_ask(reading, facts))
    return (*_excused(memory), *_ask(reading, facts))


def _pull_back(now: Intensity | None, facts: Facts, since: date, day: date) -> tuple[str, ...]:
    came = now.introduced_on if now else None
    before = f"before {day_text(came, day)}" if came else "before it was stepped up"
    up = {signal.name for signal in facts.tightened}
    added = "run_day_added" in up
    runs = ": the number of runs, too." if added else ", and keep the number of runs."
    advice = [
        "Run everything easy for 7 days, no intervals, no tempo.",
        f"Bring volume back to what it was {before}{runs}",
    ]
    if (day - since).days >= STUBBORN_DAYS:
        # Also true where it is the first word of it: the record may begin long before the first message.
        days = f"on as many days as {before}" if added else "as often"
        weeks = (day - since).days // 7
        less = f"{days}, but 30 to 40 % less than {'then' if added else before}"
        advice = ["Run everything easy.", f"It has lasted {weeks} weeks: run {less}; if it goes on, see a doctor."]
    if (now and now.change == "added") or "load_added" in up:
        advice.append("When you come back, replace an easy run instead of adding a session.")
    advice += [MENDS[name] for name in ("beside_long", "hard_spacing") if name in up]
    return tuple(advice)


def _watch(now: Intensity | None, facts: Facts) -> tuple[str, ...]:
    mends = [words for name, words in MENDS.items() if name in {signal.name for signal in facts.tightened}][:2]
    if now and not now.ended_on:
        return ("Make the next hard session an easy run, and add nothing this week.", *mends)
    ask = "Add nothing this week, and ask what else it could be: heat, illness, a new sensor, other company."
    return (ask, *mends) if facts.response or not mends else tuple(mends)


def _start(reading: Reading, now: Intensity | None, memory: dict[str, Any]) -> tuple[str, ...]:
    """What the way intensity came asks for: fewer sessions, a tempo first, a stable base; while it is new."""
    if now is None or now.ended_on or now.introduced_on is None:
        return ()
    intensity, advice = reading.signal("intensity"), []
    if now.per_week >= OFTEN and (reading.day - now.introduced_on).days <= EARLY_DAYS:
        advice.append("One hard session a week is enough to begin with.")
    if intensity is not None and intensity.evidence.get("first_kind") in ("intervals", "hills"):
        advice.append("It began with intervals: a tempo asks less, and comes first.")
    base = str(memory.get("base", ""))
    if len(base) >= LEAST_BASE_DAYS and base.count("1") < CALM_SHARE * len(base):
        advice.append("It came on weeks that were not settled: let four calm weeks pass before the next step.")
    return tuple(advice)


def _ask(reading: Reading, facts: Facts) -> tuple[str, ...]:
    """A low heart rate means two opposite things; which, only the runner can say."""
    heart = reading.signal("easy_heart_rate")
    if not facts.low or facts.suppressed or heart is None:
        return ()
    lower = f"Easy heart rate is {-heart.evidence['suppressed']['delta_bpm']:.0f} bpm lower than usual."
    if facts.rested and not facts.tightened:
        return (
            f"{lower} Where running feels easy that is fitness; where it feels heavy, tell: pullback feel last heavy.",
        )
    return (f"{lower} That can be fitness or tiredness: how does it feel? Tell: pullback feel last normal, or heavy.",)


def _ready(reading: Reading, facts: Facts, since: date, now: Intensity | None) -> bool:
    """A stable base, judged on enough runs, with nothing open that could explain it away."""
    heart = reading.signal("easy_heart_rate")
    enough = heart is not None and heart.level == "ok" and len(heart.evidence.get("norm_runs", ())) >= READY_RUNS
    enough = enough and heart is not None and heart.evidence.get("per_week", 0.0) >= READY_PER_WEEK
    calm = not facts.tightened and reading.missing is None
    return enough and calm and (now is None or now.ended_on is not None) and (reading.day - since).days >= READY_DAYS


def _excused(memory: dict[str, Any]) -> tuple[str, ...]:
    if not memory.get("excused"):
        return ()
    return ("You called this fine: what was up then counts again once it has gone and come back.",)
