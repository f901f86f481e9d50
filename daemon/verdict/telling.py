"""Which verdicts are told, once each, and how what was told ends. Knows what was told before; chooses no words."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from daemon.values import Verdict
from daemon.verdict.advice import READY

SAME_EPISODE_DAYS = 14
"""Episodes that begin closer than this are one: the past may be judged again."""

ABSORBED_DAYS = 28
"""So long after intensity came "no sign of strain" is news: before that there is hardly anything to see."""

ALL_CLEAR_DAYS = 56
"""Longer after a pull-back was lifted its all-clear is no news: nobody waits for it any more."""

SAME_BASE_DAYS = 84
"""A base that paused for a few days is no other one: that it is ready is said once in twelve weeks at most."""

WARNINGS = ("watch", "pull_back")


class Episode(NamedTuple):
    """One stretch of a warning in the record: "watch" or "pull_back", and the ISO date it began."""

    kind: str
    began: str


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert already told: its kind, the ISO date its episode began, and whether it is still open."""

    kind: str
    episode: str
    open: bool = False
    id: int = 0


@dataclass(frozen=True, slots=True)
class Say:
    """An alert to tell today. `closes` is true where it ends its episode."""

    kind: str
    episode: str
    closes: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """An open warning that is over. `unfounded`: the record, judged again, has no such episode any more."""

    alert: OpenAlert
    unfounded: bool


def episode_of(verdict: Verdict) -> Episode | None:
    """The warning a verdict belongs to; while recovering it is still the pull-back."""
    if verdict.state in ("pull_back", "recovering") and "episode" in verdict.memory:
        return Episode("pull_back", str(verdict.memory["episode"]))
    if verdict.state == "watch" and "watch" in verdict.memory:
        return Episode("watch", str(verdict.memory["watch"]))
    return None


def what_to_say(verdict: Verdict, told: Sequence[OpenAlert], kinds: Collection[str]) -> tuple[Say, ...]:
    """What to tell today, at most one thing, from today's verdict and what was `told` before (of any episode).

    A pull-back is told once per episode, and so are a watch, intensity that was absorbed (per spell) and a base that is
    ready, where they are among the `kinds` anybody wants to hear. An all-clear follows a pull-back that was told, once.
    """
    now = episode_of(verdict)
    if verdict.state in WARNINGS:
        wanted = now is not None and (verdict.state == "pull_back" or "watch" in kinds)
        return (Say(*now),) if now is not None and wanted and told_of(verdict, told) is None else ()
    return _all_clear(verdict, told) or tuple(say for say in _good_news(verdict, told) if say.kind in kinds)


def told_of(verdict: Verdict, told: Sequence[OpenAlert]) -> OpenAlert | None:
    """The alert that told of the warning a verdict belongs to; judged again that may begin some days off.

    What began before the runner called it `fine` is over: the next one is another.
    """
    now, fine = episode_of(verdict), str(verdict.memory.get("fine", ""))
    if now is None:
        return None
    standing = (a for a in told if a.kind == now.kind and (a.episode > fine or now.began <= fine))
    return next((a for a in reversed(list(standing)) if near(a.episode, now.began)), None)


def as_recorded(verdict: Verdict, told: Sequence[OpenAlert], record: Collection[Episode]) -> tuple[OpenAlert, ...]:
    """`told`, with an open warning dated as today's episode where that is what has become of it.

    Judged again, an episode can begin weeks later than it did when it was told. As long as nothing else has been told
    of it, and the record has nothing left where it was, the open warning is the one that goes on.
    """
    now = episode_of(verdict)
    if now is None or told_of(verdict, told) is not None:
        return tuple(told)
    fine = str(verdict.memory.get("fine", ""))
    return tuple(
        replace(a, episode=now.began)
        if a.open and a.kind == now.kind and a.episode > fine and not _in_record(a, record)
        else a
        for a in told
    )


def endings(verdict: Verdict, told: Sequence[OpenAlert], record: Collection[Episode]) -> tuple[Ending, ...]:
    """Which open warnings are over today. `told` is as in the record (see `as_recorded`).

    A watch that became a pull-back isn't unfounded, nor is what the runner called fine. Of what begins later than today
    (the clock was put back) nothing is known yet.
    """
    now, goes_on, fine = episode_of(verdict), told_of(verdict, told), str(verdict.memory.get("fine", ""))
    begun = [a for a in told if a.open and a.kind in WARNINGS and a.episode <= verdict.day.isoformat()]
    over = [a for a in begun if a != goes_on]
    escalated = now is not None and now.kind == "pull_back"
    return tuple(
        Ending(
            a,
            unfounded=not _in_record(a, record) and not (a.kind == "watch" and escalated) and a.episode > fine,
        )
        for a in over
    )


def reminder_is_due(said_at: Iterable[datetime], every: timedelta, now: datetime) -> bool:
    """Whether a warning that was told at these moments is to be told again; a clock put back by so much counts, too."""
    return min((abs(now - moment) for moment in said_at), default=timedelta(0)) >= every


def good_news(verdict: Verdict) -> Episode | None:
    """What a quiet day may be told for: a spell of intensity that was absorbed, or a base that is ready."""
    spell = verdict.intensity[-1] if verdict.intensity else None
    if verdict.state == "absorbing" and spell is not None and spell.introduced_on is not None:
        if (verdict.day - spell.introduced_on).days >= ABSORBED_DAYS:
            return Episode("absorbing", spell.introduced_on.isoformat())
    elif verdict.state == "stable" and any(line.startswith(READY) for line in verdict.advice):
        return Episode("ready", verdict.since.isoformat())
    return None


def _good_news(verdict: Verdict, told: Sequence[OpenAlert]) -> tuple[Say, ...]:
    news = good_news(verdict)
    if news is None:
        return ()
    apart = SAME_BASE_DAYS if news.kind == "ready" else SAME_EPISODE_DAYS
    known = any(a.kind == news.kind and near(a.episode, news.began, apart) for a in told)
    return () if known else (Say(news.kind, news.began),)


def _all_clear(verdict: Verdict, told: Sequence[OpenAlert]) -> tuple[Say, ...]:
    fine = str(verdict.memory.get("fine", ""))
    last = str(verdict.memory.get("pulled_back", ""))
    if verdict.state not in ("stable", "absorbing") or not last:
        return ()
    # One that the record has lost is nothing that has cleared: the runner said something, or the clock was put back.
    in_record = (a.episode for a in told if a.kind == "pull_back" and (a.episode <= last or near(a.episode, last)))
    pulled_back = max(in_record, default=None)
    if pulled_back is None or fine >= pulled_back:  # the runner ended it
        return ()
    # One that is closed is no longer true: the pull-back went on after all.
    if any(a.kind == "all_clear" and a.open and a.episode >= pulled_back for a in told):
        return ()
    if (verdict.day - date.fromisoformat(last)).days > ALL_CLEAR_DAYS:
        return ()
    return (Say("all_clear", pulled_back, closes=True),)


def _in_record(alert: OpenAlert, record: Collection[Episode]) -> bool:
    """Whether the record has a warning that began about when this one did, and that is no less than it."""
    return any(e.kind in (alert.kind, "pull_back") and near(alert.episode, e.began) for e in record)


def near(one: str, other: str, days: int = SAME_EPISODE_DAYS) -> bool:
    """Whether two ISO dates lie so close that what began on them is one episode."""
    return abs(date.fromisoformat(one) - date.fromisoformat(other)) < timedelta(days=days)
