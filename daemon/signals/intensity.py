"""Notices when hard running was introduced, how often it comes, and whether the week made room for it.

It reads which runs were hard and how much was run; it may not look at heart rate, and it raises no concern itself.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from daemon.signals.history import History, IntArray, RunTable
from daemon.values import Change, FloatArray, Intensity, Signal


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
    before_days: int = 42
    #: days after it that say what the week became
    after_days: int = 35
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
        "rose_on": _iso(history.rose_on),
        "last_hard_on": date.fromordinal(int(_hard_days(history.table)[-1])).isoformat(),
    }
    return Signal("intensity", "ok", score, _summary(now), now.introduced_on, evidence)


def find(history: History, params: Params) -> tuple[Intensity, ...]:
    """Every spell of hard running up to today, the oldest first; the last one may still be going on."""
    first_run = history.first_run_day
    days = _hard_days(history.table)
    if first_run is None or days.size < 2:
        return ()
    today, gaps = history.today.toordinal(), np.diff(days)
    close = np.flatnonzero(gaps <= params.confirm_days)
    ends = np.concatenate((np.flatnonzero(gaps > params.quiet_days) + 1, [days.size])).tolist()
    spells, begin = [], 0
    for end in ends:  # each unbroken group of hard days begins with the first that another follows closely
        first = int(np.searchsorted(close, begin))
        if first < close.size and close[first] < end:
            spells.append(_spell(history.table, days[int(close[first]) : end], first_run, today, params))
        begin = end
    return tuple(spell for spell in spells if spell is not None)


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
    days: IntArray = table.day[table.hard & table.is_run]
    return days[np.diff(days, prepend=-1) > 0]


def _spell(table: RunTable, days: IntArray, first_run: int, today: int, params: Params) -> Intensity | None:
    """The spell made of these hard days, or None where it was over after too few."""
    begin, last = int(days[0]), int(days[-1])
    settled = last + 7  # by then it shows whether the week made room
    if today - last <= params.quiet_days:
        return _spell_of(table, days, first_run, (today, min(today, settled)), params)
    if days.size < params.least_sessions:
        return None
    # In a long history most spells are over, and stay as they are.
    key = ("spell", begin, last, first_run, params)
    if key not in table.worked_out:
        spell = _spell_of(table, days, first_run, (last, settled), params)
        table.worked_out[key] = replace(spell, ended_on=date.fromordinal(last))
    known: Intensity = table.worked_out[key]
    return known


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
    """Added or replaced, from run days, load and easy minutes in the weeks after the introduction against before.

    Each is 1 if the hard sessions were added and 0 if they replaced easy runs. Run days weigh most: simulated, they
    scatter by .2 to .4 about the truth, load and minutes by .4 to 1.2.
    """
    before = max(begin - params.before_days, int(table.day[0]))
    until = min(until, begin + params.after_days - 1)
    weeks_before, weeks_after = (begin - before) / 7, (until - begin + 1) / 7
    if weeks_before < 3 or weeks_after < 2:
        return "unclear"
    a, b, c = table.row(before), table.row(begin), table.row(until + 1)

    def risen(total: FloatArray) -> float:
        return float((total[c] - total[b]) / weeks_after - (total[b] - total[a]) / weeks_before)

    hard = table.hard[b:c] & table.is_run[b:c]
    hard_load = float(table.load[b:c][hard].sum()) / weeks_after
    hard_minutes = float(table.total_hard_minutes[c] - table.total_hard_minutes[b]) / weeks_after
    sessions = float(np.unique(table.day[b:c][hard]).size) / weeks_after
    if hard_load <= 0 or hard_minutes <= 0:
        return "unclear"
    answers = (
        risen(table.total_run_days) / sessions,
        risen(table.total_load) / hard_load,
        1 + risen(table.total_easy_minutes) / hard_minutes,
    )
    added = sum(weight * min(max(answer, -0.5), 1.5) for weight, answer in zip((0.6, 0.2, 0.2), answers, strict=True))
    return "added" if added > 0.55 else "replaced" if added < 0.45 else "unclear"


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


def _summary(spell: Intensity) -> str:
    if spell.ended_on:
        return f"The last spell of hard running ended on {spell.ended_on.day} {spell.ended_on:%B}."
    often = f"{spell.per_week:g} hard session{'' if spell.per_week == 1 else 's'} a week"
    if spell.introduced_on is None:
        return f"Hard running was always there, {often} of late."
    how = {"added": ", added to the week", "replaced": ", in place of easy running", "unclear": ""}[spell.change]
    return f"Intensity came on {spell.introduced_on.day} {spell.introduced_on:%B}, {often}{how}."


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
