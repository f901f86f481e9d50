"""Takes days the runner has explained out of what the detectors compare. Pure; it notices nothing by itself."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from daemon.values import Answer, Reason, Run

WORDS: dict[Reason, str] = {
    "ill": "ill",
    "race": "race",
    "heat": "heat",
    "altitude": "altitude",
    "travel": "travel",
    "sensor": "bad sensor",
    "medication": "medication",
    "company": "other company",
    "cycle": "cycle",
    "life": "life",
}
"""What takes a day out, in a word or two. "fine" and "new-normal" take none out."""


def leave_out(runs: Iterable[Run], answers: Sequence[Answer]) -> list[Run]:
    """`runs` with those on days an answer explains taken out of every comparison; they keep their load.

    The latest answer names the reason. How such a run felt says nothing about training either. A bad sensor is
    another matter: it explains a heart rate, and neither a pace nor a feeling.
    """
    taking = [answer for answer in answers if answer.reason in WORDS]
    return [_left_out(run, taking) for run in runs]


def _left_out(run: Run, taking: Sequence[Answer]) -> Run:
    said = next((a for a in reversed(taking) if run.is_run and a.first <= run.day <= a.last), None)
    if said is None:
        return run
    why = f"{WORDS[said.reason]}, as you said"
    if said.reason == "sensor":
        control = replace(run.control, decoupling=None) if run.control else None
        work = replace(run.work, bpm=None) if run.work else None
        return replace(run, easy=None, control=control, work=work, left_out=why)
    return replace(run, easy=None, control=None, work=None, left_out=why, feel=None, perceived_exertion=None)
