"""The weekly digest: the verdict, the week against the usual one, the line about easy heart rate, what is next.

Pure.
"""

from datetime import date
from math import isfinite

from daemon.clock import day_text
from daemon.measures import counted, duration
from daemon.values import Verdict, Week
from daemon.wording.evidence import low, raised
from daemon.wording.sentences import NO_RUNS, below, recently, response
from daemon.wording.words import Sentence, compared, text_of

LENGTH = 700

STATES = {
    "learning": "still learning",
    "stable": "stable",
    "absorbing": "absorbing",
    "watch": "watch",
    "pull_back": "pull back",
    "recovering": "recovering",
}


def digest(verdict: Verdict, week: Week, units: str = "metric") -> tuple[str, str]:
    """The week that ended, in one screen."""
    title = f"Your week: {STATES[verdict.state]}, {counted(week.runs, 'run')}, {duration(week.minutes)}"
    advice = verdict.advice[:2] or ("Nothing asks for a change.",)
    following: list[Sentence] = [(0, f"Next: {advice[0][:1].lower()}{advice[0][1:]}"), *((3, a) for a in advice[1:])]
    return title, text_of(
        [[(0, verdict.headline)], _numbers(week, verdict.day), _heart(verdict, units), following], LENGTH
    )


def _numbers(week: Week, today: date) -> list[Sentence]:
    first = day_text(week.first, today)
    days = f" on {counted(week.run_days, 'day')}" if week.run_days != week.runs else ""
    minutes, load = compared(week.minutes, week.usual_minutes), compared(week.load, week.usual_load)
    usual_hard = week.usual_hard_days
    usual = f"{round(usual_hard, 1):g}" if usual_hard >= 0.05 else "none"
    hard = f", usually {usual}" if isfinite(usual_hard) else ""
    ran = f"{counted(week.runs, 'run')}{days}, {duration(week.minutes)}{f', {minutes}' if minutes else ''}."
    return [
        (
            0,
            f"Since {first}: {ran}" if week.runs else f"No run since {first}.",
        ),
        (1, f"The load was {load}." if load else ""),
        (1, f"{counted(week.hard_days, 'hard day')}{hard}; {counted(week.rest_days, 'rest day')}."),
    ]


def _heart(verdict: Verdict, units: str) -> list[Sentence]:
    """The line about easy heart rate."""
    heart, slow = raised(verdict), low(verdict)
    if heart is not None:
        return response(heart, verdict.day, units, NO_RUNS)[:1]
    if slow is not None:
        return [(0, below(slow, verdict.day, units))]
    return [(0, recently(verdict, units) or "Easy heart rate can't be judged at the moment.")]
