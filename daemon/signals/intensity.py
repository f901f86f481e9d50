"""Notices when hard running was introduced, how often it comes, and whether the week made room for it.

It reads which runs were hard and how much was run; it may not look at heart rate, and it raises no concern itself.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from daemon.clock import day_text
from daemon.signals.history import BoolArray, History, IntArray, RunTable
from daemon.values import Change, FloatArray, Intensity, Signal

FULL_SESSION_MIN = 12.0
"""So many hard minutes make a whole session; fewer count in part: a surge on an easy run may look like one [ENG]."""

LEAST_WEIGHT = 0.3
LOOK_WEEKS = 10
"""A change in how often hard runs come is looked for in so many weeks before and after it."""

NEWLY = 2.0
"""Log-likelihood ratio from which on hard running is called new rather than always there: odds of 7 to 1 [ENG]."""

LEAST_WEEKLY = 0.35
"""Fewer whole sessions a week than this are stray races and misread runs, and no spell [ENG]."""

SLOT = 1.5
"""How much at most the weekday counts for added or replaced, in log-odds [ENG]."""


@dataclass(frozen=True, slots=True)
class Params:
    """When hard sessions make a spell of intensity. All defaults are engineering choices, none from literature."""

    enabled: bool = True
    #: days without a hard run after which a spell is over, and before which a new one can't begin
    quiet_days: int = 28
    #: a spell begins with a hard run that another follows within so many days; one race alone is no introduction
    confirm_days: int = 14
    #: a finished spell of fewer sessions than this was none
    least_sessions: int = 3
    #: hard running that was there within so many days of the first run is called established
    established_days: int = 28
    #: days before the introduction that say what the week was
    before_days: int = 84
    #: days after it that say what the week became
    after_days: int = 56
    #: hard runs a week by which the last three weeks must exceed the eight before to be called stepped up
    step_per_week: float = 0.75


def detect(history: History, params: Params) -> Signal | None:
    """Today's intensity. The score is hard runs a week over the last four weeks; the level is always ok."""
    spells = history.spells
    if not spells:
        return None
    now = spells[-1]
    score = 0.0 if now.ended_on else now.per_week
    evidence = {
        "introduced_on": _iso(now.introduced_on),
        "ended_on": _iso(now.ended_on),
        "established": now.established,
        "sessions": now.sessions,
        "per_week": now.per_week,
        "change": now.change,
        "first_kind": _first_kind(history.table, now),
        "rose_on": _iso(history.rose_on),
        "last_hard_on": date.fromordinal(int(_hard_days(history.table)[-1])).isoformat(),
    }
    return Signal("intensity", "ok", score, _summary(now, history.today), now.introduced_on, evidence)


def find(history: History, params: Params) -> tuple[Intensity, ...]:
    """Every spell of hard running up to today, the oldest first; the last one may still be going on."""
    first_run = history.first_run_day
    days = _hard_days(history.table)
    if first_run is None or days.size < 2:
        return ()
    today = history.today.toordinal()
    begin = _last_group(days, today, params)
    over = _over(history.table, days[:begin], first_run, params)
    return over + _found(history.table, days, begin, (first_run, today), params)


def _last_group(days: IntArray, until: int, params: Params) -> int:
    """Position of the first hard day after the last quiet time up to day `until`: `days.size` where it goes on."""
    quiet = np.flatnonzero(np.diff(days, append=until) > params.quiet_days)
    return int(quiet[-1]) + 1 if quiet.size else 0


def _over(table: RunTable, days: IntArray, first_run: int, params: Params) -> tuple[Intensity, ...]:
    """The spells in the first hard days of a table, after which quiet time followed: they stay as they are."""
    if days.size == 0:
        return ()
    key = ("spells", days.size, first_run, params)
    if key not in table.worked_out:
        last = int(days[-1])
        begin = _last_group(days, last, params)
        now = _found(table, days, begin, (first_run, last + params.quiet_days + 1), params)
        table.worked_out[key] = _over(table, days[:begin], first_run, params) + now
    known: tuple[Intensity, ...] = table.worked_out[key]
    return known


def _found(
    table: RunTable, days: IntArray, begin: int, limits: tuple[int, int], params: Params
) -> tuple[Intensity, ...]:
    """The spell in the unbroken group of hard days from position `begin` on: one at most.

    `limits`: the days of the first run and of the judgement.
    """
    if begin == days.size:
        return ()
    first_run, today = limits
    since = int(days[begin - 1]) + 1 if begin else first_run
    days, weight = days[begin:], _weights(table)[begin : days.size]
    at = _begin(days, weight, since, first_run, today, params)
    spell = None if at is None else _spell(table, days[at:], first_run, today, params)
    return () if spell is None else (spell,)


def _begin(days: IntArray, weight: FloatArray, since: int, first_run: int, today: int, params: Params) -> int | None:
    """Position of the hard day with which the spell began: where hard runs came more often most clearly."""
    follows = np.flatnonzero(np.diff(days) <= params.confirm_days)
    if follows.size == 0:
        return None
    total = np.concatenate(([0.0], np.cumsum(weight)))
    span = 7 * LOOK_WEEKS
    first = np.maximum(days[follows] - span, since)
    last = np.minimum(days[follows] + span, min(today, int(days[-1]) + 7))
    weeks_before, weeks_after = (days[follows] - first) / 7.0, np.maximum((last - days[follows] + 1) / 7.0, 2.0)
    before = total[follows] - total[np.searchsorted(days, first)]
    after = total[np.searchsorted(days, last, "right")] - total[follows]
    rate = after / weeks_after
    newly = _log_likelihood_ratio(before, weeks_before, after, weeks_after)
    often = rate >= LEAST_WEEKLY
    if not often.any():
        return None
    best = int(np.argmax(np.where(often, newly, -np.inf)))
    always = int(follows[np.argmax(often)])
    if days[always] - first_run < params.established_days and newly[best] < NEWLY:
        return always
    return int(follows[best])


def _log_likelihood_ratio(
    before: FloatArray, weeks_before: FloatArray, after: FloatArray, weeks_after: FloatArray
) -> FloatArray:
    """Of two Poisson rates against one, 0 where they fell; a quarter of a session is added to each count."""
    b, a = before + 0.25, after + 0.25
    rate_before, rate_after = b / np.maximum(weeks_before, 0.5), a / weeks_after
    one = (a + b) / (np.maximum(weeks_before, 0.5) + weeks_after)
    ratio = a * np.log(rate_after / one) + b * np.log(rate_before / one)
    return np.where(rate_after > rate_before, ratio, 0.0)


def rose_on(history: History, spells: tuple[Intensity, ...], params: Params) -> date | None:
    """The day intensity last came or was stepped up; None where it never did, or the spell is over."""
    if not spells or spells[-1].ended_on:
        return None
    stepped = _stepped_up_on(_hard_days(history.table), history.today.toordinal(), params)
    came = spells[-1].introduced_on
    if came is None or (stepped is not None and stepped > came + timedelta(days=params.before_days)):
        return stepped
    return came


def _hard_days(table: RunTable) -> IntArray:
    days, _ = table.of_all(_hard_running)
    return days[: int(np.searchsorted(days, table.day[-1], "right"))] if len(table) else days[:0]


def _weights(table: RunTable) -> FloatArray:
    """How much of a session each hard day was, as `_hard_days` orders them."""
    return table.of_all(_hard_running)[1][: _hard_days(table).size]


def _hard_running(table: RunTable) -> tuple[IntArray, FloatArray]:
    """The days with a hard run, and how much of a session each was."""
    rows = table.hard & table.is_run
    days, at = np.unique(table.day[rows], return_inverse=True)
    return days, np.clip(np.bincount(at, table.hard_minutes[rows]) / FULL_SESSION_MIN, LEAST_WEIGHT, 1.0)


def _spell(table: RunTable, days: IntArray, first_run: int, today: int, params: Params) -> Intensity | None:
    """The spell made of these hard days, or None where it was over after too few."""
    last = int(days[-1])
    settled = last + 7  # by then it shows whether the week made room
    if today - last <= params.quiet_days:
        return _spell_of(table, days, first_run, (today, min(today, settled)), params)
    if days.size < params.least_sessions:
        return None
    return replace(_spell_of(table, days, first_run, (last, settled), params), ended_on=date.fromordinal(last))


def _spell_of(table: RunTable, days: IntArray, first_run: int, ends: tuple[int, int], params: Params) -> Intensity:
    """The spell of these hard days; `ends` are the last days that count for how often and for added or replaced."""
    begin = int(days[0])
    established = begin - first_run < params.established_days
    return Intensity(
        introduced_on=None if established else date.fromordinal(begin),
        established=established,
        sessions=int(days.size),
        per_week=_per_week(days, ends[0]),
        change="unclear" if established else _change(table, begin, ends[1], params),
    )


def _per_week(days: IntArray, today: int) -> float:
    """Hard days a week over the last four weeks of the spell, or over its whole length where that is shorter."""
    begin = max(int(days[0]), today - 27)
    weeks = max((today - begin + 1) / 7, 1.0)
    return round(float(np.count_nonzero(days >= begin)) / weeks, 1)


def _change(table: RunTable, begin: int, until: int, params: Params) -> Change:
    """Added or replaced: did the week get one more run day for each session, or did the sessions take easy runs' days?

    Log-odds from run days a week after against before, in the weeks that were run in at all, and from whether the
    weekday of the sessions was a run day before. Load and minutes scatter too much to help: by a third of the log
    volume from week to week on real runners.
    """
    before = max(begin - params.before_days, int(table.day[0]))
    until = min(until, begin + params.after_days - 1)
    if begin - before < 21 or until - begin < 13:
        return "unclear"
    run_days, hard_days = _days_between(table, before, until, table.is_run), _hard_days(table)
    hard_days = hard_days[(hard_days >= begin) & (hard_days <= until)]
    was, now = _weekly(run_days, begin, before), _weekly(run_days, begin, until)
    if was.size < 3 or now.size < 2:
        return "unclear"
    sessions = hard_days.size / ((until - begin + 1) / 7.0)
    spread: float = max(float(np.var(was, ddof=1)), 0.2) * (1.0 / was.size + 1.0 / now.size)
    more = float(now.mean() - was.mean())
    odds: float = sessions * (more - sessions / 2.0) / spread
    weeks = max((begin - before) / 7.0, 1.0)
    same_weekday = (run_days[run_days < begin, None] - hard_days[None, :]) % 7 == 0
    taken = min(float(same_weekday.sum()) / hard_days.size / weeks, 1.0)
    odds += float(np.clip(np.log((1.1 - taken) / (taken + 0.1)), -SLOT, SLOT))
    return "added" if odds > 0.3 else "replaced" if odds < -0.3 else "unclear"


def _days_between(table: RunTable, first: int, last: int, which: BoolArray) -> IntArray:
    """Days from `first` to `last` that have a run of those."""
    rows = slice(table.row(first), table.row(last + 1))
    return np.unique(table.day[rows][which[rows]])


def _weekly(days: IntArray, begin: int, end: int) -> FloatArray:
    """How many of `days` lie in each whole week counted from `begin` towards `end`; weeks without any left out."""
    weeks = np.arange((abs(end - begin) + (end > begin)) // 7)
    starts = begin + 7 * weeks if end > begin else begin - 7 * (weeks + 1)
    counts = np.searchsorted(days, starts + 7) - np.searchsorted(days, starts)
    return counts[counts > 0].astype(float)


def _stepped_up_on(days: IntArray, today: int, params: Params) -> date | None:
    """The first hard day of the last rise in hard runs a week, seen in the last ten weeks."""
    span = 70
    ends = np.arange(today - span, today + 1)
    count = np.searchsorted(days, ends, "right")
    recent = count - np.searchsorted(days, ends - 21, "right")
    earlier = count - recent - np.searchsorted(days, ends - 77, "right")
    up = np.flatnonzero((recent / 3 - earlier / 8 >= params.step_per_week) & (earlier >= 4))
    if up.size == 0:
        return None
    begun = int(ends[up[0]]) - 20
    return date.fromordinal(int(days[np.searchsorted(days, begun)]))


def _first_kind(table: RunTable, spell: Intensity) -> str | None:
    """What the spell began with: tempo, intervals, hills or race; None where it was always there."""
    if spell.introduced_on is None:
        return None
    rows = range(table.row(spell.introduced_on.toordinal()), len(table))
    return next((table.runs[row].kind for row in rows if table.hard[row] and table.is_run[row]), None)


def _summary(spell: Intensity, today: date) -> str:
    if spell.ended_on:
        return f"The last spell of hard running ended on {day_text(spell.ended_on, today)}."
    often = f"{spell.per_week:g} hard session{'' if spell.per_week == 1 else 's'} a week"
    if spell.introduced_on is None:
        return f"Hard running was always there, {often} of late."
    how = {"added": ", added to the week", "replaced": ", in place of easy running", "unclear": ""}[spell.change]
    return f"Intensity came on {day_text(spell.introduced_on, today)}, {often}{how}."


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
