"""The joint judgement of one day: signals and yesterday's verdict in, today's verdict and what to say out.

Pure. It knows no detector's method, only levels, scores and evidence. Heart rate that rises after intensity did, or a
week that stays tight after it, is a pull-back; it latches until the runner is back to normal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from daemon.values import Intensity, Reading, Signal, State, Verdict

RISE_DAYS = 70  # for so long a change is put down to the intensity that came before it
TIGHT_DAYS, TIGHT_OF = 10, 14  # without a response, a week must have been tight on so many of the last days
LEAST_PULL_BACK_DAYS = 7  # a week without hard running
BLIND_PULL_BACK_DAYS = 14  # the same where heart rate can't say that it is over
STUBBORN_DAYS = 14  # a pull-back that lasts longer asks for less volume, too
RESUME_BPM = 1.5  # the last easy runs may lie so far above the norm when a pull-back is lifted
REST_DAYS = 2  # and so many days must have passed since the last hard session
RECOVERING_DAYS = 10  # how long "recovering" lasts before the verdict is an ordinary one again
CALM_DAYS = 5  # a watch ends when nothing was up for so long
SAME_EPISODE_DAYS = 14  # episodes that begin closer than this are one (the past may be judged again)
ABSORBING_DAYS = 84  # after so long, intensity is part of the usual
READY_DAYS = 28  # a base this long stable has room for a tempo


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert already told: its kind and the ISO date its episode began."""

    kind: str
    episode: str


@dataclass(frozen=True, slots=True)
class Say:
    """An alert to tell today. `closes` is true where it ends its episode."""

    kind: str
    episode: str
    closes: bool = False


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the signals of one day come to."""

    response: int  # 0 none, 1 moderate, 2 strong
    recent_bpm: float | None  # the last few easy runs above the norm; None where heart rate can't be judged
    flags: int
    families: int
    tight: bool  # enough signs, from more than one family
    rose_on: date | None
    rested: bool


def decide(reading: Reading, previous: Verdict | None) -> Verdict:
    """Today's verdict. `previous` is the verdict of the day before, None on the first day."""
    facts = _facts(reading)
    memory = dict(previous.memory) if previous else {}
    memory["tight"] = (str(memory.get("tight", "")) + str(int(facts.tight)))[-TIGHT_OF:]
    cause = _cause(facts, memory["tight"])
    state = _next_state(reading, facts, cause, previous, memory)
    since = previous.since if previous and previous.state == state else reading.day
    memory = _remember(memory, state, cause, reading.day)
    headline = _headline(state, reading, facts, memory)
    advice = _advice(state, reading, since, memory)
    return Verdict(reading.day, state, since, headline, advice, reading.signals, reading.intensity, memory)


def what_to_say(verdict: Verdict, told: Sequence[OpenAlert], minimum: str) -> tuple[Say, ...]:
    """What to tell today, at most one thing, from today's verdict and what was `told` before (of any episode).

    `minimum` is "pull_back" or "watch". A pull-back is told once per episode, a watch too; an all-clear follows a
    pull-back that was told, once.
    """
    episode = str(verdict.memory.get("episode", ""))
    if verdict.state == "pull_back":
        return () if _was_told("pull_back", episode, told) else (Say("pull_back", episode),)
    if verdict.state in ("stable", "absorbing"):
        pulled_back = max((alert.episode for alert in told if alert.kind == "pull_back"), default=None)
        if pulled_back is None or any(a.kind == "all_clear" and a.episode >= pulled_back for a in told):
            return ()
        return (Say("all_clear", pulled_back, closes=True),)
    if verdict.state == "watch" and minimum == "watch":
        watch = str(verdict.memory.get("watch", ""))
        return () if _was_told("watch", watch, told) else (Say("watch", watch),)
    return ()


def _was_told(kind: str, episode: str, told: Sequence[OpenAlert]) -> bool:
    """Whether this episode was told; judged again from changed facts it may begin some days earlier or later."""
    begun = date.fromisoformat(episode)
    near = timedelta(days=SAME_EPISODE_DAYS)
    return any(a.kind == kind and abs(date.fromisoformat(a.episode) - begun) < near for a in told)


def _facts(reading: Reading) -> _Facts:
    heart, week, intensity = (reading.signal(name) for name in ("easy_heart_rate", "tight_week", "intensity"))
    rose = intensity.evidence.get("rose_on") if intensity else None
    rose_on = date.fromisoformat(rose) if rose else None
    if rose_on and (reading.day - rose_on).days > RISE_DAYS:
        rose_on = None
    last_hard = intensity.evidence.get("last_hard_on") if intensity else None
    return _Facts(
        response=_response(heart),
        recent_bpm=heart.evidence.get("recent_delta_bpm") if heart else None,
        flags=int(week.score) if week else 0,
        families=int(week.evidence.get("families", 0)) if week else 0,
        tight=week is not None and week.level == "alert",
        rose_on=rose_on,
        rested=last_hard is None or (reading.day - date.fromisoformat(last_hard)).days >= REST_DAYS,
    )


def _response(heart: Signal | None) -> int:
    """How strongly heart rate answers: it must also still do so, whatever sum earlier runs left behind."""
    if heart is None or heart.level == "ok":
        return 0
    if heart.evidence.get("recent_delta_bpm", 0.0) <= RESUME_BPM:
        return 0
    return 2 if heart.level == "alert" else 1


def _cause(facts: _Facts, tight: str) -> str | None:
    """Why to pull back today, None where there is no reason.

    Hard running that has just come is itself the change of training: a strong response needs nothing more.
    """
    if facts.rose_on is None:
        return None
    if facts.response == 2:
        return "heart_rate"
    if facts.response == 1 and facts.families >= 2:
        return "both"
    if facts.tight and tight.count("1") >= TIGHT_DAYS:
        return "tight_week"
    return None


def _next_state(
    reading: Reading, facts: _Facts, cause: str | None, previous: Verdict | None, memory: dict[str, Any]
) -> State:
    state = previous.state if previous else "learning"
    days = (reading.day - previous.since).days if previous else 0
    if state == "pull_back":
        return "recovering" if _may_resume(facts, days) else "pull_back"
    if cause:
        return "pull_back"
    if state == "recovering" and days < RECOVERING_DAYS:
        return "recovering"
    return _ordinary(reading, facts, memory)


def _may_resume(facts: _Facts, days: int) -> bool:
    if facts.recent_bpm is None:
        return days >= BLIND_PULL_BACK_DAYS and facts.flags <= 1
    return days >= LEAST_PULL_BACK_DAYS and facts.recent_bpm <= RESUME_BPM and facts.flags <= 1 and facts.rested


def _ordinary(reading: Reading, facts: _Facts, memory: dict[str, Any]) -> State:
    """The state outside a pull-back. `memory["calm"]` counts the days on which nothing was up."""
    week = reading.signal("tight_week")
    up = facts.response > 0 or (week is not None and week.level != "ok")
    memory["calm"] = 0 if up else int(memory.get("calm", CALM_DAYS)) + 1
    if up or (memory["calm"] < CALM_DAYS and "watch" in memory):
        return "watch"
    if reading.missing:
        return "learning"
    return "absorbing" if _absorbing(reading) else "stable"


def _absorbing(reading: Reading) -> bool:
    now = reading.intensity[-1] if reading.intensity else None
    if now is None or now.ended_on or now.introduced_on is None:
        return False
    return (reading.day - now.introduced_on).days < ABSORBING_DAYS


def _remember(memory: dict[str, Any], state: State, cause: str | None, day: date) -> dict[str, Any]:
    """What tomorrow must know: the day the episode began and why, the day the watch began, counters."""
    kept: dict[str, Any] = {key: memory[key] for key in ("tight", "calm") if key in memory}
    if state == "pull_back":
        kept["episode"] = memory.get("episode", day.isoformat())
        kept["cause"] = cause or memory.get("cause")
    elif state == "recovering":
        kept |= {key: memory[key] for key in ("episode", "cause") if key in memory}
    elif state == "watch":
        kept["watch"] = memory.get("watch", day.isoformat())
    return kept


def _headline(state: State, reading: Reading, facts: _Facts, memory: dict[str, Any]) -> str:
    now = reading.intensity[-1] if reading.intensity else None
    came = f" since intensity rose on {_day_text(facts.rose_on)}" if facts.rose_on else ""
    if state == "learning":
        return f"Still learning: {reading.missing}."
    if state == "pull_back":
        return f"Pull back: {_why(reading, memory)}{came}."
    if state == "recovering":
        return "Recovering: easy running is back to normal, hard running may return with care."
    if state == "watch":
        return f"Watch: {_why(reading, memory)}{came}."
    if state == "absorbing" and now:
        return f"Absorbing: {_no_sign(reading)} since intensity came on {_day_text(now.introduced_on)}."
    return "Stable: easy running and the week are as usual."


def _no_sign(reading: Reading) -> str:
    heart = reading.signal("easy_heart_rate")
    runs = heart.evidence.get("runs_since_intensity") if heart else None
    return f"no sign of strain in {runs} easy runs" if runs else "no sign of strain"


def _why(reading: Reading, memory: dict[str, Any]) -> str:
    """The reason in a few words, from whichever signals are up."""
    heart, week = reading.signal("easy_heart_rate"), reading.signal("tight_week")
    reasons = []
    if heart and heart.level != "ok" and heart.evidence.get("delta_bpm", 0) > 0:
        reasons.append(f"easy runs cost {heart.evidence['delta_bpm']:.0f} bpm more at the same pace")
    if week and week.level != "ok":
        reasons.append("the week has tightened")
    if reasons:
        return " and ".join(reasons)
    return "signs of strain are fading" if "episode" not in memory else "strain has not cleared yet"


def _advice(state: State, reading: Reading, since: date, memory: dict[str, Any]) -> tuple[str, ...]:
    now = reading.intensity[-1] if reading.intensity else None
    if state == "pull_back":
        return _pull_back_advice(now, (reading.day - since).days)
    if state == "recovering":
        return (
            "Bring hard running back at about 70 % of its minutes, in place of an easy run, tempo before intervals.",
            "Leave at least 48 hours between hard sessions.",
        )
    if state == "watch":
        return _watch_advice(now)
    if state == "absorbing":
        return ("Keep the week as it is; change one thing at a time, three to four weeks apart.",)
    if state == "stable" and _ready(reading, since, now):
        weeks = (reading.day - since).days // 7
        return (f"Ready: your base has been stable for {weeks} weeks, enough to replace one easy run by a tempo.",)
    return ()


def _pull_back_advice(now: Intensity | None, days: int) -> tuple[str, ...]:
    came = now.introduced_on if now else None
    before = f"before {_day_text(came)}" if came else "before it rose"
    advice = [
        "Run everything easy for 7 days: hard running goes first, intervals and a second session before a tempo.",
        f"Bring volume back to what it was {before}, and keep the number of runs.",
    ]
    if now and now.change == "added":
        advice.append("When you come back, replace an easy run instead of adding a session.")
    if days >= STUBBORN_DAYS:
        advice.append("It has not cleared in two weeks: run 30 to 40 % less, and if it goes on, see a doctor.")
    return tuple(advice)


def _watch_advice(now: Intensity | None) -> tuple[str, ...]:
    if now and not now.ended_on:
        return ("Make the next hard session an easy run, and add nothing this week.",)
    return ("Add nothing this week, and ask what else it could be: heat, illness, a new sensor, other company.",)


def _ready(reading: Reading, since: date, now: Intensity | None) -> bool:
    heart = reading.signal("easy_heart_rate")
    enough = heart is not None and heart.level == "ok" and len(heart.evidence.get("norm_runs", ())) >= 8
    return enough and (now is None or now.ended_on is not None) and (reading.day - since).days >= READY_DAYS


def _day_text(day: date | None) -> str:
    return f"{day.day} {day:%B}" if day else "an earlier day"
