"""What the signals of one day come to together: how strongly the body answers, and in how many ways the week tightened.

It knows families, levels, scores and evidence; no detector's method. Heart rate counts only as response, so one sensor
can't speak twice.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from daemon.values import Reading, Signal

Cause = Literal["heart_rate", "both", "tight_week", "suppressed"]

RISE_DAYS = 70
"""For so long a change is put down to the intensity that came before it."""

STRONG = 1.08
"""A rise that began when intensity came is strong from this multiple of the alert's threshold on: with it 6 of 100
simulated runners in quiet weeks and 14 of 100 in irregular ones were pulled back without strain within eight weeks."""

MODERATE = 0.9
"""And moderate from this one, which needs a week that tightened as well."""

RESUME_BPM = 1.5
"""The last easy runs may lie so far above the norm when a pull-back is lifted."""

REST_DAYS = 2
"""And so many days must have passed since the last hard session."""

TIGHT_SIGNALS, NOT_LOAD = 3, 2
"""So many signals make a tight day, so many of them of another kind than load (more hard days count as another): an
added session alone is more load, more run days and a new stress, three names of one fact."""

TIGHT_DAYS, TIGHT_OF = 10, 14
"""Without a response, so many of the last days must have been tight."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the signals of one day come to.

    `response` is 0 none, 1 moderate, 2 strong after intensity rose; `strong` is an alarm of heart rate whenever it
    began; `recent_bpm` is how far the last few easy runs lie above the norm, None
    where heart rate can't be judged. `low` is a heart rate far below the norm, `suppressed` a low one while running
    feels heavy or hard sessions fade: tired, not fitter. `tightened` are the signals that are up, without heart rate.
    """

    response: int
    strong: bool
    recent_bpm: float | None
    low: bool
    suppressed: bool
    tightened: tuple[Signal, ...]
    rose_on: date | None
    rested: bool

    @property
    def families(self) -> frozenset[str]:
        return frozenset(signal.family for signal in self.tightened)

    @property
    def tight(self) -> bool:
        other = sum(signal.family != "load" or signal.name == "hard_days" for signal in self.tightened)
        return len(self.tightened) >= TIGHT_SIGNALS and other >= NOT_LOAD and len(self.families) >= 2

    @property
    def up(self) -> bool:
        """Whether anything is worth watching: a strong answer of the body, two signs, or one that stands alone."""
        alone = any(s.level == "alert" or s.name == "easy_pace" or s.family == "felt" for s in self.tightened)
        signs = len(self.tightened) + (self.response > 0)
        return self.strong or self.suppressed or signs >= 2 or alone


def facts_of(reading: Reading, excused: frozenset[str]) -> Facts:
    """The facts of a day. Signals the runner has called fine are `excused` until they have gone once."""
    heart, intensity = reading.signal("easy_heart_rate"), reading.signal("intensity")
    rose_on = _day(intensity, "rose_on")
    if rose_on and (reading.day - rose_on).days > RISE_DAYS:
        rose_on = None
    last_hard = _day(intensity, "last_hard_on")
    raising = (s for s in reading.signals if s.family and s.level != "ok" and s.name not in excused)
    tightened = tuple(s for s in raising if s.family != "response")
    low = _low(heart)
    return Facts(
        response=0 if "easy_heart_rate" in excused else response_of(heart, rose_on),
        strong=heart is not None and heart.level == "alert" and "easy_heart_rate" not in excused and _still(heart),
        recent_bpm=heart.evidence.get("recent_delta_bpm") if heart else None,
        low=low,
        suppressed=low and any(s.family == "felt" or s.name == "fading" for s in tightened),
        tightened=tightened,
        rose_on=rose_on,
        rested=last_hard is None or (reading.day - last_hard).days >= REST_DAYS,
    )


def response_of(heart: Signal | None, rose_on: date | None) -> int:
    """How strongly heart rate answers; it must also still do so, whatever earlier runs left behind.

    Where intensity rose, only a rise that began with it counts.
    """
    if heart is None or heart.level == "ok" or not _still(heart) or heart.evidence.get("faster"):
        return 0  # of easy runs that became faster, the pace is the news
    if rose_on is None:
        return 1
    after, threshold = heart.evidence.get("after_intensity", 0.0), heart.evidence.get("threshold", 0.0)
    return 2 if after >= STRONG * threshold else 1 if after >= MODERATE * threshold else 0


def _still(heart: Signal) -> bool:
    recent = heart.evidence.get("recent_delta_bpm")
    return recent is not None and recent > RESUME_BPM


def cause_of(facts: Facts, tight_days: str) -> Cause | None:
    """Why to pull back today, None where there is no reason. `tight_days` has a "1" for each tight one of the last.

    Hard running that has just come is itself the change of training: a strong response needs nothing more.
    """
    if facts.rose_on is None:
        return None
    if facts.response == 2:
        return "heart_rate"
    if facts.response == 1 and len(facts.families) >= 2:
        return "both"
    if facts.suppressed:
        return "suppressed"
    if facts.tight and tight_days.count("1") >= TIGHT_DAYS:
        return "tight_week"
    return None


def _low(heart: Signal | None) -> bool:
    """Whether heart rate lies as clearly below the norm as an alarm lies above it."""
    if heart is None:
        return False
    suppressed = heart.evidence.get("suppressed", {})
    return bool(suppressed.get("score", 0.0) >= heart.evidence.get("threshold", float("inf")))


def _day(signal: Signal | None, key: str) -> date | None:
    text = signal.evidence.get(key) if signal else None
    return date.fromisoformat(text) if text else None
