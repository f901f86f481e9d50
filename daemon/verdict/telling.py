"""Which verdicts are told, once each. Knows what was told before; chooses no words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from daemon.values import Verdict

SAME_EPISODE_DAYS = 14
"""Episodes that begin closer than this are one: the past may be judged again."""


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


def what_to_say(verdict: Verdict, told: Sequence[OpenAlert], minimum: str) -> tuple[Say, ...]:
    """What to tell today, at most one thing, from today's verdict and what was `told` before (of any episode).

    `minimum` is "pull_back" or "watch". A pull-back is told once per episode, a watch too; an all-clear follows a
    pull-back that was told, once.
    """
    episode, fine = str(verdict.memory.get("episode", "")), str(verdict.memory.get("fine", ""))
    if verdict.state == "pull_back":
        return () if _was_told("pull_back", episode, fine, told) else (Say("pull_back", episode),)
    if verdict.state in ("stable", "absorbing"):
        pulled_back = max((alert.episode for alert in told if alert.kind == "pull_back"), default=None)
        if pulled_back is None or any(a.kind == "all_clear" and a.episode >= pulled_back for a in told):
            return ()
        if fine >= pulled_back or str(verdict.memory.get("pulled_back", "")) < pulled_back:
            return ()  # the runner ended it, or what he said took the reason away: nothing has cleared
        return (Say("all_clear", pulled_back, closes=True),)
    if verdict.state == "watch" and minimum == "watch":
        watch = str(verdict.memory.get("watch", ""))
        return () if _was_told("watch", watch, fine, told) else (Say("watch", watch),)
    return ()


def _was_told(kind: str, episode: str, fine: str, told: Sequence[OpenAlert]) -> bool:
    """Whether this episode was told; judged again from changed facts it may begin some days earlier or later.

    What began before the runner called it `fine` (ISO date, "" for never) is over: the next one is another.
    """
    begun = date.fromisoformat(episode)
    near = timedelta(days=SAME_EPISODE_DAYS)
    standing = (a.episode for a in told if a.kind == kind and (a.episode > fine or episode <= fine))
    return any(abs(date.fromisoformat(told_on) - begun) < near for told_on in standing)
