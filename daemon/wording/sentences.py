"""Sentences that several messages share: what heart rate does, how intensity came, what to do, how to answer.

Pure. Where a piece of evidence is absent, its sentence is "" or does without it.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

from daemon.clock import day_text
from daemon.harmless import one_line
from daemon.measures import about, counted, pace
from daemon.values import Intensity, Run, Signal, Verdict
from daemon.wording.evidence import STILL_BPM, day_in, signal_of, signs
from daemon.wording.words import Sentence, a_week, every, listed

FEW_RUNS = 5
"""What rests on so few runs is said to do so [ENG]."""

NO_RUNS: Mapping[int, Run] = MappingProxyType({})
"""Where the runs aren't at hand: none is named."""

SELDOM = 0.1
"""What happens less often a year than this isn't put into years."""

NAME_LENGTH = 24
_STOPS = re.compile(r"\.{2,}")
_GIVEN = re.compile("(Morning|Lunch|Afternoon|Evening|Night) (Trail )?Run")
"""How Strava names a run that nobody named."""

MOST_RUNS = 3
MOST_ADVICE = 4

ANSWER = "To answer: `pullback ack --reason ill` (or heat, travel, sensor, fine), or `pullback feel last heavy`."


def response(heart: Signal, today: date, units: str, runs: Mapping[int, Run], named: int = MOST_RUNS) -> list[Sentence]:
    """How far above the norm, since when, over which runs, and how often that happens by itself."""
    e = heart.evidence
    compared = e.get("runs", ())
    return [
        (0, _above(heart, today, units)),
        (2, "These are few runs so far." if 0 < len(compared) <= FEW_RUNS else ""),
        (3, which(compared, today, units, runs, named)),
        (1, by_chance(e["own_past"]) if "own_past" in e else ""),
    ]


def _above(heart: Signal, today: date, units: str) -> str:
    e = heart.evidence
    since, bpm = day_in(heart, "since"), round(e["delta_bpm"])
    text = f"Since {day_text(since, today)} your easy runs cost" if since else "Your easy runs cost"
    return f"{text} {bpm} bpm more{_levels(e, bpm, units)}{_over(e)}."


def below(heart: Signal, today: date, units: str) -> str:
    """How far below the norm; for a heart rate that is unusually low."""
    e, since = heart.evidence, day_in(heart, "since")
    bpm = round(e.get("suppressed", {}).get("delta_bpm", 0.0))
    when = f"Since {day_text(since, today)} your" if since else "Your"
    if bpm >= 0:
        return f"{when} easy heart rate is below your norm."
    return f"{when} easy runs cost {-bpm} bpm less{_levels(e, bpm, units)}{_over(e)}."


def _levels(evidence: dict[str, Any], bpm: int, units: str) -> str:
    """ ": about 148 instead of 143 at 5:40/km"."""
    at = f"at {pace(evidence['at_pace_s_per_km'], units)}" if "at_pace_s_per_km" in evidence else "at the same pace"
    if "norm_bpm" not in evidence:
        return f" {at}"
    norm = round(evidence["norm_bpm"])
    return f": about {norm + bpm} instead of {norm} {at}"


def _over(evidence: dict[str, Any]) -> str:
    """ ", over 8 runs against 12 before"."""
    if not evidence.get("runs"):
        return ""
    before = f" against {len(evidence['norm_runs'])} before" if evidence.get("norm_runs") else ""
    return f", over {counted(len(evidence['runs']), 'run')}{before}"


def which(
    ids: Sequence[int],
    today: date,
    units: str,
    runs: Mapping[int, Run],
    most: int = MOST_RUNS,
    what: str = "The latest:",
) -> str:
    """The last of these runs, newest first; "" where none is known."""
    known = sorted((runs[i] for i in set(ids) if i in runs), key=lambda run: run.start)[-most:]
    days: dict[str, list[str]] = {}
    for run in reversed(known):
        days.setdefault(_named(run, units), []).append(day_text(run.day, today))
    # Of several of one name the days are a list of their own, and lists side by side need a stronger stop.
    told = [f"{name} on {listed(on)}" for name, on in days.items()]
    return f"{what} {'; '.join(told) if len(told) < len(known) else listed(told)}." if known else ""


def _named(run: Run, units: str) -> str:
    """“Round the lake”; its distance where the name is the one it got by itself."""
    # Full stops in a row, a call to everyone or a command in a name would be read as ours.
    shown = _STOPS.sub("…", run.name).replace("@", "＠").replace("`", "'")
    name = one_line(shown, NAME_LENGTH).strip('"“” ')
    return about(run.distance_m, units) if not name or _GIVEN.fullmatch(name) else f"“{name}”"


def by_chance(past: dict[str, Any] | None) -> str:
    """How often chance alone does as much, and how that is known: by the rises as clear as this in the runner's own
    past, each taken for chance. It needs a year of it, and a frequency has its range."""
    if past is None:
        return "How often chance alone does that to you isn't known yet: it takes a year of your runs."
    times, (low, high) = past["times"], past["per_year"]
    if times == 0:
        return f"No earlier rise in {_span(past)} was as clear: chance makes at most one in {every(high)}."
    rarest, most = every(low) if low >= SELDOM else "", every(high)
    # "Between 3 and 22 months" rather than "between 3 months and 22 months".
    lowest = most.split()[0] if rarest.split()[1:] == most.split()[1:] else most
    within = f"between {lowest} and {rarest}" if rarest else f"at most once in {most}"
    about = f"about once in {every(times / past['years'])} ({within})" if times > 1 else within
    return f"In your last {_span(past)} a rise as clear came {_times(times)}: if by chance, {about}."


def happened(past: dict[str, Any] | None) -> str:
    """How often the runner's own past went as far: of what a week carries, which is the runner's doing, not chance."""
    if past is None:
        return "How often that happens in your weeks isn't known yet."
    if past["times"] == 0:
        return f"That never happened in your last {_span(past)}."
    return f"The same happened {_times(past['times'])} in your last {_span(past)}."


def _span(past: dict[str, Any]) -> str:
    years = past["years"]
    return f"{years:.0f} years" if years >= 1.75 else f"{12 * years:.0f} months"


def _times(times: int) -> str:
    return {1: "once", 2: "twice"}.get(times, f"{times} times")


def recently(verdict: Verdict, units: str) -> str:
    """Where the last few easy runs lie; "" where heart rate can't be judged."""
    heart = signal_of(verdict, "easy_heart_rate")
    recent = heart.evidence.get("recent_delta_bpm") if heart else None
    if heart is None or recent is None:
        return ""
    bpm = round(recent)
    at = f" at {pace(heart.evidence['at_pace_s_per_km'], units)}" if "at_pace_s_per_km" in heart.evidence else ""
    where = "at" if bpm == 0 else f"{abs(bpm)} bpm {'above' if bpm > 0 else 'below'}"
    return f"Your last easy runs were {where} your norm{at}."


def back_at_norm(verdict: Verdict) -> bool | None:
    """Whether the last few easy runs are at the norm again, None where heart rate can't be judged."""
    heart = signal_of(verdict, "easy_heart_rate")
    recent = heart.evidence.get("recent_delta_bpm") if heart else None
    return None if recent is None else bool(recent <= STILL_BPM)


def came(verdict: Verdict) -> str:
    """How intensity came; "" where it didn't."""
    now = verdict.intensity[-1] if verdict.intensity else None
    if now is None:
        return ""
    begin = (
        f"Intensity came on {day_text(now.introduced_on, verdict.day)}"
        if now.introduced_on
        else "Hard running was always there"
    )
    if now.ended_on:
        return f"{begin}; the last hard session was on {day_text(now.ended_on, verdict.day)}."
    rose = day_in(signal_of(verdict, "intensity"), "rose_on")
    if now.introduced_on is None or (rose is not None and rose > now.introduced_on):
        stepped = f" and was stepped up on {day_text(rose, verdict.day)}" if rose else ""
        return f"{begin}{stepped}; of late it is {a_week(now.per_week)}."
    return f"{begin}: {so_far(now)}."


def so_far(now: Intensity) -> str:
    """How much of it, and whether the week made room where that is known."""
    how = {"added": ", on top of your easy runs", "replaced": ", in place of easy runs", "unclear": ""}[now.change]
    return f"{counted(now.sessions, 'hard session')} so far, {a_week(now.per_week)}{how}"


def unclear(verdict: Verdict) -> str:
    """That it isn't known yet whether the week made room."""
    now = verdict.intensity[-1] if verdict.intensity else None
    if now is None or now.change != "unclear" or now.introduced_on is None or now.ended_on:
        return ""
    return "Whether they came on top of easy runs or in place of them isn't clear yet."


def sign_paragraphs(verdict: Verdict, most: int, said: str = "") -> list[list[Sentence]]:
    """What is up besides heart rate, a paragraph for each kind, under its opening where that is not `said` already."""
    told, count = [], 0
    for opening, summaries in signs(verdict, most):
        paragraph: list[Sentence] = [(3, "" if opening == said else opening)]
        for summary in summaries:
            paragraph.append((0 if count == 0 else 3 + min(count, 3), summary))
            count += 1
        told.append(paragraph)
    return told


def in_one(paragraphs: Sequence[Sequence[Sentence]]) -> list[Sentence]:
    """Several paragraphs as one: a phone shows three short ones at a glance."""
    return [sentence for paragraph in paragraphs for sentence in paragraph]


def to_do(verdict: Verdict, most: int = MOST_ADVICE) -> list[Sentence]:
    """The advice that matters most, the first two in any case."""
    advice = verdict.advice[:most]
    if not advice:
        return []
    first = f"What to do: {advice[0][:1].lower()}{advice[0][1:]}"
    return [(0, first), *((0 if n == 1 else 4 + n, words) for n, words in enumerate(advice[1:], 1))]
