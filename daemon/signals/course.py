"""One number day by day, what was usual for this runner, and how far today is beyond the own past; pure.

It knows no detector. What concerns days that are over is worked out once for all days of a table.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Any

import numpy as np

from daemon.signals.days import Days, days_of
from daemon.signals.history import BoolArray, History, IntArray
from daemon.signals.wander import poisson_range
from daemon.values import FloatArray, Level, Signal

USUAL_DAYS = 56  # the usual is the median of so many days
HALF_YEAR = 182  # and of so many, where that is nearer to today: who comes back to what he did adds nothing
USUAL_LEAST = 14  # of which at least so many must be known
YEAR = 364  # the own past that a number is held against, days
PAST_LAG = 42  # which ends so many days ago: what goes on now must not become its own measure
OLDEST = 728  # and how far it may lie back where lay-offs interrupt it
BLOCK = 7  # the usual is made anew so many days apart
PRIOR_DAYS = 50  # weight of the first guess at the own scatter, in days
ONCE_A_YEAR = (2.2, 3.4)  # the limit lies between so many times what one day in ten of the own past exceeds
HOLD_DAYS = 70  # for so long the usual of before intensity is held
LEAVE = 0.8  # what is up stays up until its score is below this
ALERT = 1.5  # the score of an alert: half as much again as noise passes once a year
LOOK_BACK = 84  # days in which an excursion is followed back
LOOKED_BACK_YEARS = 3  # the own past that is told of goes so far back


@dataclass(frozen=True, slots=True)
class Ruler:
    """How one number is held against the usual, and what counts as a change.

    `ratio`: the excess is ln(value / usual), else value − usual; `less`: falling is what concerns. `base` is the least
    usual; `half_year` takes the median of half a year for usual where that is nearer to today. `lag_days` lie between
    the usual and today. `prior` is the excess that one day in ten passes where the own history says nothing yet;
    `both_sides` takes the own scatter from days that fell as well, for what falls and rises with fitness.

    `floor` is the least excess that counts, and `lasting` on how many days it must have been beyond. In the weeks after
    intensity came, `after` is another (floor, times what one day in ten exceeds): such weeks are few, and a change of
    the week is likely in them, so that noise may pass there more often than once a year.
    """

    floor: float
    prior: float
    ratio: bool = False
    less: bool = False
    base: float = -np.inf
    half_year: bool = False
    both_sides: bool = False
    lag_days: int = 14
    after: tuple[float, float] | None = None
    lasting: int = 3

    def excess(self, value: FloatArray, usual: FloatArray) -> FloatArray:
        """How far each value lies on the bad side of its usual."""
        usual = np.maximum(usual, self.base)
        with np.errstate(divide="ignore", invalid="ignore"):
            out: FloatArray = np.log(value / usual) if self.ratio else value - usual
        return -out if self.less else out

    def excess_of(self, value: float, usual: float) -> float:
        return float(self.excess(np.array([value]), np.array([usual]))[0])

    def value_at(self, excess: float, usual: float) -> float:
        """The value that has this excess."""
        excess = -excess if self.less else excess
        usual = max(usual, self.base)
        return usual * float(np.exp(excess)) if self.ratio else usual + excess


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """The last days up to today: the `score` of each (the excess over its limit; 0.0 where unknown), and today's
    numbers. `held` is true where the usual is that of before intensity.
    """

    first: int
    score: FloatArray
    value: float
    usual: float
    limit: float
    held: bool

    @property
    def known(self) -> bool:
        return isfinite(self.value) and isfinite(self.usual)

    @property
    def now(self) -> float:
        """Today's score."""
        return float(self.score[-1])

    def day(self, position: int | None) -> date | None:
        return None if position is None else date.fromordinal(self.first + position)


@dataclass(frozen=True, slots=True)
class Stand:
    """Where today stands; `threshold` is the value at which the score is 1.0, `past` see `how_often`."""

    value: float
    usual: float
    threshold: float
    score: float
    level: Level
    since: date | None
    held: bool
    past: dict[str, Any] | None = None

    def signal(self, name: str, family: str, summary: str, runs: Sequence[int], **more: Any) -> Signal:
        """The signal of this stand; `runs` are the ids of the runs behind it, `more` goes into the evidence."""
        numbers = {"value": round(self.value, 3), "usual": round(self.usual, 3), "threshold": round(self.threshold, 3)}
        evidence = numbers | {"norm_held": self.held, "runs": list(runs)} | more
        if self.level != "ok":
            evidence["own_past"] = self.past
        return Signal(name, self.level, self.score, summary, self.since, evidence, family)


def stand(history: History, name: Hashable, values: Callable[[Days], FloatArray], ruler: Ruler) -> Stand | None:
    """Today's place in the course of `values`; None where today's value or its usual isn't known.

    `name` tells one course from another; it must hold whatever `values` depends on.
    """
    days = stretch(history, name, values, ruler)
    if not days.known:
        return None
    begun = excursion(days.score, ruler.lasting)
    level: Level = "ok"
    past = None
    if begun is not None:
        level = "alert" if days.now >= ALERT else "watch"
        now = ruler.excess_of(days.value, days.usual)
        past = how_often(excesses(history, name, values, ruler, days.first + begun), now, ruler.lasting)
    return Stand(
        value=days.value,
        usual=days.usual,
        threshold=ruler.value_at(days.limit, days.usual),
        score=round(max(days.now, 0.0), 2),
        level=level,
        since=days.day(begun),
        held=days.held,
        past=past,
    )


def excesses(
    history: History, name: Hashable, values: Callable[[Days], FloatArray], ruler: Ruler, until: int
) -> FloatArray:
    """How far each day before `until` (ordinal) lay beyond what was usual then; NaN where that isn't known."""
    course = _course(history, name, values, ruler)
    before = slice(max(until - course.first, 0))
    return ruler.excess(course.value[before], course.usual[before])


def how_often(past: FloatArray, now: float, lasting: int) -> dict[str, Any] | None:
    """How often the days of the own `past` went as far as today (`now`), on `lasting` days; None under a year of it.

    `times` counts separate spells in `years`; `per_year` is the range of a Poisson count (95 %) over those years. NaN
    is a day of which nothing is known.
    """
    past = past[-round(365.25 * LOOKED_BACK_YEARS) :]
    years = np.count_nonzero(np.isfinite(past)) / 365.25
    if years < 1.0:
        return None
    edges = np.flatnonzero(np.diff((past >= LEAVE * now).astype(np.int8), prepend=0, append=0))
    spells = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    times = sum(1 for begin, end in spells if np.count_nonzero(past[begin:end] >= now) >= lasting)
    return {"years": round(years, 1), "times": times, "per_year": [round(n / years, 2) for n in poisson_range(times)]}


def stretch(history: History, name: Hashable, values: Callable[[Days], FloatArray], ruler: Ruler) -> Stretch:
    """The last days of the course of `values`, with the usual of before intensity from the day it came."""
    course = _course(history, name, values, ruler)
    today = history.today.toordinal() - course.first
    begin = max(today - LOOK_BACK, 0)
    held = _held(history, course, ruler, today)
    if held is None:
        score, at, limit = course.score[begin : today + 1], today, float(course.limit[today])
    else:
        at, rose = held
        limit, after = _since_intensity(history, (name, ruler), course, ruler, held)
        score = np.concatenate((course.score[begin : max(rose, begin)], after[max(begin - rose, 0) : today - rose + 1]))
    return Stretch(
        first=course.first + begin,
        score=score,
        value=float(course.value[today]),
        usual=float(course.usual[at]),
        limit=limit,
        held=held is not None,
    )


def excursion(score: FloatArray, lasting: int) -> int | None:
    """The position where the excursion of today began (1.0 and beyond, until below `LEAVE`); None: nothing is up.

    What has lasted for `LOOK_BACK` days is no excursion any more, but what is usual now.
    """
    if score[-1] < LEAVE:
        return None
    low = np.flatnonzero(score < LEAVE)
    if low.size == 0 and score.size > LOOK_BACK:
        return None
    begin = int(low[-1]) + 1 if low.size else 0
    beyond = np.flatnonzero(score[begin:] >= 1.0)
    return begin + int(beyond[0]) if beyond.size >= lasting else None


@dataclass(frozen=True, slots=True, eq=False)
class _Course:
    """Per day: the value, its usual, what one day in ten of the past year exceeded, that year's worst; the score."""

    first: int
    value: FloatArray
    usual: FloatArray
    tenth: FloatArray
    worst: FloatArray
    limit: FloatArray
    score: FloatArray


def _held(history: History, course: _Course, ruler: Ruler, today: int) -> tuple[int, int] | None:
    """(the day whose usual is that of before intensity came, the day it came), as positions; None: nothing is held."""
    if history.rose_on is None:
        return None
    rose = history.rose_on.toordinal() - course.first
    # Not later than today: what the runner will say of days to come may not reach back.
    at = min(rose - 1 + ruler.lag_days, today)
    if rose < 0 or today - rose >= HOLD_DAYS or at >= course.usual.size or not isfinite(course.usual[at]):
        return None
    if history.norm_from is not None and history.norm_from - course.first > rose:
        return None
    return at, rose


def _since_intensity(
    history: History, name: Hashable, course: _Course, ruler: Ruler, held: tuple[int, int]
) -> tuple[float, FloatArray]:
    """The limit after intensity came, and the scores of the days from then on for as long as the usual is held."""
    memo, key = days_of(history).table.worked_out, ("held", name, held, course.first + course.value.size)
    found: tuple[_Course, float, FloatArray] | None = memo.get(key)
    if found is None or found[0] is not course:
        at, rose = held
        tenth, worst = course.tenth[at : at + 1], course.worst[at : at + 1]
        limit = np.maximum(tenth * ruler.after[1], ruler.after[0]) if ruler.after else _limit(tenth, worst, ruler)
        value = course.value[rose : rose + HOLD_DAYS]
        after = _score(ruler.excess(value, course.usual[at : at + 1]), limit)
        found = memo[key] = (course, float(limit[0]), after)
    return found[1:]


def _score(excess: FloatArray, limit: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        score = excess / limit
    return np.where(np.isfinite(score), score, 0.0)


def _limit(tenth: FloatArray, worst: FloatArray, ruler: Ruler) -> FloatArray:
    """The excess that noise alone passes about once a year: the worst of the past year within reason, or the floor."""
    low, high = ONCE_A_YEAR
    return np.maximum(np.clip(worst, low * tenth, high * tenth), ruler.floor)


def _course(history: History, name: Hashable, values: Callable[[Days], FloatArray], ruler: Ruler) -> _Course:
    days = days_of(history)
    memo = days.table.worked_out
    found: tuple[Days, _Course] | None = memo.get((name, ruler))
    if found is None or found[0] is not days:
        found = memo[name, ruler] = (days, _made(days, values(days), ruler))
    return found[1]


def _made(days: Days, value: FloatArray, ruler: Ruler) -> _Course:
    known = np.flatnonzero(_count_all(days, ruler.lag_days) & np.isfinite(value))
    # Blocks begin on the same days whatever the first run was.
    starts = np.arange(-(days.first % BLOCK), len(days), BLOCK)
    block = (np.arange(len(days)) + days.first % BLOCK) // BLOCK
    ends = np.searchsorted(known, starts - ruler.lag_days, side="right")
    fresh = days.norm_from[np.maximum(starts, 0)]
    fresh = np.where(fresh > 0, fresh + ruler.lag_days - 1, 0)  # no value may reach back into the norm before
    oldest = np.searchsorted(known, np.maximum(fresh, starts - OLDEST))
    usual = _row_quantile(_last(value[known], ends, oldest, USUAL_DAYS, 1), 0.5, USUAL_LEAST)
    if ruler.half_year:
        longer = _row_quantile(_last(value[known], ends, oldest, HALF_YEAR, 3), 0.5, USUAL_LEAST // 3)
        usual = np.fmin(usual, longer) if ruler.less else np.fmax(usual, longer)
    ends = np.searchsorted(known, starts - max(ruler.lag_days, PAST_LAG), side="right")
    past = _last(ruler.excess(value[known], usual[block[known]]), ends, oldest, YEAR, 2)
    own = _row_quantile(past, 0.9, 1)
    if ruler.both_sides:
        own = (own - _row_quantile(past, 0.1, 1)) / 2
    own = np.nan_to_num(np.maximum(own, 0.0), posinf=0.0)
    n = 2.0 * np.isfinite(past).sum(axis=1)
    tenth = (n * own + PRIOR_DAYS * ruler.prior) / (n + PRIOR_DAYS)
    worst = np.max(np.nan_to_num(past, nan=0.0, neginf=0.0), axis=1)
    limit = _limit(tenth, worst, ruler)[block]
    score = _score(ruler.excess(value, usual[block]), limit)
    return _Course(days.first, value, usual[block], tenth[block], worst[block], limit, score)


def _count_all(days: Days, width: int) -> BoolArray:
    """The days whose last `width` days all count."""
    bad = np.concatenate(([0], np.cumsum(~days.counts)))
    at = np.arange(1, len(days) + 1)
    out: BoolArray = bad[at] == bad[np.maximum(at - width, 0)]
    return out


def _last(values: FloatArray, ends: IntArray, oldest: IntArray, number: int, step: int) -> FloatArray:
    """One row per end: the `number` values before it, every `step`-th of them; NaN where there are none."""
    at = ends[:, None] - 1 - np.arange(0, number, step)[None, :]
    if values.size == 0:
        return np.full(at.shape, np.nan)
    return np.where(at >= oldest[:, None], values[np.maximum(at, 0)], np.nan)


def _row_quantile(rows: FloatArray, q: float, least: int) -> FloatArray:
    """The quantile of each row's finite values; NaN where there are fewer than `least`."""
    ordered = np.sort(rows, axis=1)  # NaN goes last
    count = np.isfinite(rows).sum(axis=1)
    where = q * np.maximum(count - 1, 0)
    low = np.floor(where).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    row = np.arange(rows.shape[0])
    below, above = ordered[row, low], ordered[row, high]
    enough = count >= max(least, 1)
    out = np.full(count.size, np.nan)
    with np.errstate(invalid="ignore"):
        out[enough] = (below + (where - low) * (above - below))[enough]
    return out
