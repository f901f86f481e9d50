"""What follows a message: a reminder that it still stands, or that it is taken back; and several waiting made one.

Pure.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal

from daemon.clock import day_text
from daemon.measures import counted
from daemon.values import Run, Signal, Verdict
from daemon.wording.evidence import cause, raised
from daemon.wording.sentences import ANSWER, NO_RUNS, in_one, recently, response, sign_paragraphs, to_do
from daemon.wording.warnings import clears
from daemon.wording.words import TITLE_LENGTH, Sentence, text_of

LENGTH, MERGED_LENGTH = 750, 1800

Withdrawn = Literal["deleted", "edited", "recorded", "answered", "judged"]

NAMES = {
    "pull_back": "pull back",
    "watch": "watch",
    "all_clear": "all clear",
    "absorbing": "absorbing",
    "ready": "ready",
}
_LEFT = {"watch": ("watch", "remains"), "pull_back": ("pull_back", "remains"), "recovering": ("pull_back", "is easing")}
"""What a verdict means for who hears that another warning was taken back."""

_BECAUSE: dict[Withdrawn, str] = {
    "deleted": "A run it rested on was deleted on Strava.",
    "edited": "A run it rested on was edited on Strava.",
    "recorded": "Runs of those days arrived later and change the picture.",
    "answered": "With your answer about those days taken in, the reasons are gone.",
    "judged": "A newer version or other settings judge those days differently.",
}


def reminder(
    kind: str, verdict: Verdict, opened: date, units: str = "metric", runs: Mapping[int, Run] = NO_RUNS
) -> tuple[str, str]:
    """A warning that was told on `opened` still stands: how it is today, and what to do."""
    days, heart = (verdict.day - opened).days, raised(verdict)
    if kind == "pull_back" and cause(verdict) not in ("heart_rate", "both"):
        heart = None
    name, told = NAMES.get(kind, "message"), NAMES.get(kind, "message").replace(" ", "-")
    easing = verdict.state == "recovering"
    began = day_text(opened, verdict.day)
    still = f"The {told} of {began} {'is easing' if easing else 'still stands'}, {counted(days, 'day')} on."
    title = f"{'Still time to pull back' if kind == 'pull_back' else 'Still a watch'}: {_still(verdict, heart)}"
    now: list[Sentence] = response(heart, verdict.day, units, runs)[:1] if heart else []
    return f"Easing after the {name} of {began}" if easing else title, text_of(
        [
            [(0, still), *now, (2, recently(verdict, units))],
            in_one(sign_paragraphs(verdict, 2)),
            [
                *to_do(verdict, 3),
                *(clears(verdict, heart is not None)[:1] if kind == "pull_back" and not easing else []),
            ],
            [(0, ANSWER)],
        ],
        LENGTH,
    )


def _still(verdict: Verdict, heart: Signal | None) -> str:
    """What is still so today, in a few words."""
    if heart is not None:
        return f"easy runs cost {heart.evidence['delta_bpm']:.0f} bpm more"
    if cause(verdict) == "suppressed":
        return "low heart rate, heavy running"
    return "the week is tight" if cause(verdict) == "tight_week" else "it has not cleared yet"


def retraction(kind: str, opened: date, reason: Withdrawn, verdict: Verdict) -> tuple[str, str]:
    """What was told on `opened` no longer holds, because the facts have changed; and what stands by today's verdict."""
    name, began = NAMES.get(kind, "message"), day_text(opened, verdict.day)
    left = _left(kind, verdict)
    # Who answered knows better than we do what the days ahead can hold; and of a short history nobody does.
    planned = kind in ("pull_back", "watch") and reason != "answered" and verdict.state != "learning"
    on = "Go on as you had planned, if running feels right to you." if planned and not left else ""
    return f"Taken back: {name} of {began}", text_of(
        [
            [(0, f"The {name.replace(' ', '-')} of {began} no longer holds. {_BECAUSE[reason]}")],
            [(0, left or verdict.headline)],
            to_do(verdict, 2) if left else [],
            [(0, on), (0, "`pullback status` shows where you stand today.")],
        ],
        LENGTH,
    )


def _left(taken_back: str, verdict: Verdict) -> str:
    """The warning that stands today though another was taken back; "" where none does."""
    if verdict.state not in _LEFT:
        return ""
    kind, remains = _LEFT[verdict.state]
    one = "Another" if kind == taken_back else "A"
    return f"{one} {NAMES[kind].replace(' ', '-')} {remains}: {verdict.headline.partition(': ')[2]}"


def merged(messages: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Several messages (title, text) that waited, as one; the first gives the title, a lapsed subscription a word.

    Where they are long together, the others keep their first paragraph only.
    """
    if len(messages) == 1:
        return messages[0]
    title, others = messages[0][0], [title for title, _ in messages[1:]]
    more = " + subscription" if any("subscription" in other for other in others) else f" + {len(others)} more"
    whole = sum(len(text) for _, text in messages) <= MERGED_LENGTH
    texts = [text if whole or n == 0 else text.split("\n\n")[0] for n, (_, text) in enumerate(messages)]
    parts = [
        f"{n} of {len(messages)}: {head}.\n\n{text}"
        for n, ((head, _), text) in enumerate(zip(messages, texts, strict=True), 1)
    ]
    return cut(title, TITLE_LENGTH - len(more)) + more, "\n\n".join(parts)


def cut(title: str, at_most: int) -> str:
    """A title that fits in so many characters: less its last part, or cut at a word."""
    for mark in (", ", ": "):
        if len(title) > at_most and len(shorter := title.rsplit(mark, 1)[0]) <= at_most:
            return shorter
    return title if len(title) <= at_most else title[: at_most - 1].rsplit(" ", 1)[0] + "…"
