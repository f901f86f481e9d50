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
from daemon.wording.sentences import ANSWER, NO_RUNS, recently, response, sign_paragraphs, to_do
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
            *sign_paragraphs(verdict, 2),
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


def retraction(kind: str, opened: date, reason: Withdrawn, today: date) -> tuple[str, str]:
    """What was told on `opened` no longer holds, because the facts have changed."""
    name, began = NAMES.get(kind, "message"), day_text(opened, today)
    # Who answered knows better than we do what the days ahead can hold.
    planned = kind in ("pull_back", "watch") and reason != "answered"
    on = "Go on as you had planned, if running feels right to you." if planned else ""
    return f"Taken back: {name} of {began}", text_of(
        [
            [(0, f"The {name.replace(' ', '-')} of {began} no longer holds. {_BECAUSE[reason]}")],
            [(0, on), (0, "`pullback status` shows where you stand today.")],
        ],
        LENGTH,
    )


def merged(messages: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Several messages (title, text) that waited, as one: the weightiest first, the others in their order.

    Where they are long together, the others keep their first paragraph only.
    """
    if len(messages) == 1:
        return messages[0]
    ordered = sorted(messages, key=lambda message: -_weight(message[0]))
    title, others = ordered[0][0], [title for title, _ in ordered[1:]]
    more = " + subscription" if any("subscription" in other for other in others) else f" + {len(others)} more"
    whole = sum(len(text) for _, text in messages) <= MERGED_LENGTH
    texts = [text if whole or n == 0 else text.split("\n\n")[0] for n, (_, text) in enumerate(ordered)]
    parts = [
        f"{n} of {len(ordered)}: {head}.\n\n{text}"
        for n, (head, text) in enumerate(((head, text) for (head, _), text in zip(ordered, texts, strict=True)), 1)
    ]
    return cut(title, TITLE_LENGTH - len(more)) + more, "\n\n".join(parts)


def _weight(title: str) -> int:
    taken_back = title.startswith("Taken back")
    return 2 * ("pull back" in title and not taken_back) + ("subscription" in title)


def cut(title: str, at_most: int) -> str:
    """A title that fits in so many characters: less its last part, or cut at a word."""
    for mark in (", ", ": "):
        if len(title) > at_most and len(shorter := title.rsplit(mark, 1)[0]) <= at_most:
            return shorter
    return title if len(title) <= at_most else title[: at_most - 1].rsplit(" ", 1)[0] + "…"
