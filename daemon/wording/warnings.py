"""The two warnings: time to pull back, and a watch. What changed, why, what to do, what clears it, how to answer.

Pure. A pull-back that stands though nothing is up today claims no sign.
"""

from collections.abc import Mapping

from daemon.clock import day_text
from daemon.values import Run, Verdict
from daemon.wording.evidence import began, cause, day_in, heavy, low, raised, signal_of, signs, up
from daemon.wording.sentences import (
    ANSWER,
    back_at_norm,
    below,
    came,
    in_one,
    recently,
    response,
    sign_paragraphs,
    to_do,
    unclear,
    which,
)
from daemon.wording.words import Sentence, listed, text_of

PULL_BACK_LENGTH, WATCH_LENGTH = 950, 750

LEAST_DAYS, BLIND_DAYS = 7, 14
"""A pull-back lasts so many days at least, the second where heart rate can't say that it is over (as the verdict)."""

TOLD_LATE_DAYS = 3
"""A warning told so much later than it began says when that was: after a first fetch it may be old."""

MOST_SIGNS = 4
"""A phone's screen holds no more."""

TIGHT = "The week has tightened."
WATCHES = {
    TIGHT: "Watch: the week is getting tighter",
    "Runs are losing control.": "Watch: runs are losing control",
    "Running feels heavier.": "Watch: running feels heavier",
}
LIKELY = "The likely reason is the speed work; it could also be heat, illness or a new sensor."
OTHERWISE = "It could also be heat, illness or a new sensor: you know best."
DATED_TO_DAYS = 7
"""The day a rise began is known to about a week."""


def pull_back(verdict: Verdict, units: str, runs: Mapping[int, Run]) -> tuple[str, str]:
    """The title has "pull back" in it; the text at most 950 characters."""
    title, what = _reason(verdict, units, runs)
    heart = cause(verdict) in ("heart_rate", "both")
    return f"Time to pull back: {title}", text_of(
        [what, _why(verdict, heart), [*to_do(verdict), *clears(verdict, heart)], [(0, ANSWER)]],
        PULL_BACK_LENGTH,
    )


def _reason(verdict: Verdict, units: str, runs: Mapping[int, Run]) -> tuple[str, list[Sentence]]:
    """What is the matter today: the end of the title, and the first paragraph."""
    heart, signs_up = signal_of(verdict, "easy_heart_rate"), {signal.family for signal in up(verdict)}
    match cause(verdict):
        case "heart_rate" | "both" as why if heart is not None:
            bpm = f"{heart.evidence['delta_bpm']:.0f} bpm more"
            tighter = why == "both" and signs_up & {"load", "spacing"}
            title = f"{bpm}, and a tighter week" if tighter else f"easy runs cost {bpm}"
            first, *rest = response(heart, verdict.day, units, runs, 2)
            return title, [first, (1, _late(verdict)), *rest]
        case "suppressed" if heart is not None:
            title = f"low heart rate, {'hard sessions fade' if 'fade' in heavy(verdict) else 'heavy running'}"
            together = f"That is unusually low, and {heavy(verdict)}: together they can mean strain."
            return title, [(0, below(heart, verdict.day, units)), (0, together), (1, _late(verdict))]
        case "tight_week":
            tight = bool(signs_up & {"load", "spacing"})
            title = "the week has become too tight" if tight else "several signs of strain at once"
            what = "your week was too tight" if tight else "several signs of strain were up"
            days = str(verdict.memory.get("tight", ""))
            begin = f"On {days.count('1')} of the last {len(days)} days {what}."
            week = [words for opening, words in signs(verdict, MOST_SIGNS) if opening == TIGHT]
            told: list[Sentence] = [
                (0 if n == 0 else 2 if n == 1 else 4, one) for n, one in enumerate(week[0] if week else [])
            ]
            return title, [(0, begin), (1, _late(verdict)), *told, (3, _hard_runs(verdict, units, runs))]
    return "strain has not cleared yet", [
        (0, f"The pull-back of {day_text(began(verdict), verdict.day)} has not cleared yet."),
        (1, recently(verdict, units)),
        (2, "" if signs_up else "Nothing is up today; it ends by the rule below."),
    ]


def _late(verdict: Verdict) -> str:
    late = (verdict.day - began(verdict)).days >= TOLD_LATE_DAYS
    return f"This pull-back began on {day_text(began(verdict), verdict.day)}." if late else ""


def _hard_runs(verdict: Verdict, units: str, runs: Mapping[int, Run]) -> str:
    ids = (i for signal in up(verdict) for i in signal.evidence.get("runs", ()))
    return which([i for i in ids if i in runs and runs[i].hard], verdict.day, units, runs, what="The latest hard runs:")


def _why(verdict: Verdict, heart: bool) -> list[Sentence]:
    """Why it is likely the speed work, what else it could be, and what speaks for it besides heart rate."""
    reason = (LIKELY if _followed(verdict) else OTHERWISE) if heart else ""
    why = cause(verdict)
    alone = _week_alone(verdict) if why == "tight_week" else ""
    intensity = [(0, came(verdict)), (5, unclear(verdict)), (1, reason)]
    if heart or why == "suppressed":
        said = f"{heavy(verdict).capitalize()}." if why == "suppressed" else ""
        return [*intensity, *in_one(sign_paragraphs(verdict, 2, said))]
    beside = sign_paragraphs(verdict, MOST_SIGNS)
    if why == "tight_week":  # whose first paragraph has the signs of the week
        beside = [p for p in beside if p[0][1] != TIGHT]
    return [*in_one(beside), *intensity, (1, alone)]


def _followed(verdict: Verdict) -> bool:
    """Whether heart rate rose when intensity did or after it, as far as that can be dated."""
    since = day_in(signal_of(verdict, "easy_heart_rate"), "since")
    rose = day_in(signal_of(verdict, "intensity"), "rose_on")
    return since is not None and rose is not None and (rose - since).days <= DATED_TO_DAYS


def _week_alone(verdict: Verdict) -> str:
    heart = signal_of(verdict, "easy_heart_rate")
    if heart is None:
        return "Easy heart rate can't be judged at the moment; this is about the week alone."
    if heart.level != "ok":
        return "This is about the week alone."
    return "Easy heart rate has not risen beyond what is usual for you; this is about the week alone."


def clears(verdict: Verdict, heart: bool) -> list[Sentence]:
    """What lifts a pull-back: where heart rate can't say that it is over, it takes longer."""
    at_norm = back_at_norm(verdict)
    days = BLIND_DAYS if at_norm is None else LEAST_DAYS
    when = f" in {'two weeks' if at_norm is None else 'a week'} at the earliest, with"
    if (verdict.day - verdict.since).days >= days:
        when = " with"
    needs = ["at most one sign of a tight week"]
    if heart or at_norm is False:
        needs.insert(0, "your last three easy runs within 1.5 bpm of your norm")
    needs.append("running that goes on" if at_norm is None else "two days without hard running")
    return [(0, f"It clears{when} {listed(needs)}."), (9, "Pulling back protects your progress.")]


def watch(verdict: Verdict, units: str, runs: Mapping[int, Run]) -> tuple[str, str]:
    """Something is up, and not enough for a pull-back; the text at most 750 characters."""
    heart, opened = raised(verdict), [opening for opening, _ in signs(verdict, 3)]
    what: list[Sentence] = []
    if heart is not None:
        title = f"Watch: easy runs cost {heart.evidence['delta_bpm']:.0f} bpm more"
        what = response(heart, verdict.day, units, runs)
    elif (slow := low(verdict)) is not None and heavy(verdict):
        title, both = "Watch: low heart rate, heavy running", f"That is unusually low, and {heavy(verdict)}."
        what = [(0, below(slow, verdict.day, units)), (0, both), (1, "Together they can mean strain.")]
    elif opened:
        title = WATCHES[opened[0]]
    else:
        title = "Watch: what was up is fading"
        what = [(0, "Nothing is up today. The watch ends after five quiet days."), (1, recently(verdict, units))]
    asks = any("heat" in words for words in verdict.advice)
    ends: list[Sentence] = [(3, "A watch ends by itself once nothing has been up for five days.")]
    why: list[Sentence] = [(1, came(verdict)), (5, unclear(verdict)), (2, "" if asks or heart is None else OTHERWISE)]
    beside = sign_paragraphs(verdict, 3 if heart is None else 2, opened[0] if opened and not what else "")
    if not what and beside:
        what = beside.pop(0)
    return title, text_of(
        [
            what,
            [*in_one(beside), *why],
            [*to_do(verdict, 3), *(ends if heart is not None or opened else [])],
            [(0, ANSWER)],
        ],
        WATCH_LENGTH,
    )
