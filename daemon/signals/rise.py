"""How clearly a runner's easy heart rate rises above a local norm, and which readings are compared with which.

It looks at easy readings, at what else moves them, and at the day intensity came; never at load. A rise is weighed
against how far this runner's level strays by itself (`wander`), so that what is usual for him raises nothing. What
counts as too much is for `easy_heart_rate` to say.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from daemon.signals import factors, wander
from daemon.signals.history import History, IntArray, RunTable
from daemon.signals.wander import Factor, Norm, Readings, Wander, middle_of
from daemon.values import FloatArray

SCORE_PER_ERROR: Final = 6.0
"""The score is so many times the standard errors by which a rise stands out. With 10 as the alert, 13 to 16 % of two
real runners' untouched six weeks had a new one [measured]; where a level strays as the model says, noise alone passes
10 two to five times a year [SIM], so a pull-back asks for more than that."""

DATED_TO_DAYS: Final = 4
COMES_WITHIN_DAYS: Final = 21
"""What intensity costs begins to show within three weeks of it, a later rise has another reason [ENG]; and the day
it came is known to within a few days only. Wider windows caught no more at equal false alarms [SIM]."""

HELD_ON_DAYS: Final = 182
"""A rise that stands is held against the norm of before intensity for so many days at most [ENG]."""

RECENT_RUNS: Final = 3
"""The last few runs of the rule that lifts a pull-back."""

LATEST_RUNS: Final = 8
"""So many are the latest runs: where nothing stands out and no intensity came, they are compared with those before."""

LEAST_NORM_RUNS: Final = 4
LEAST_RUNS: Final = 12
"""Readings that make a norm at least, and that are needed at least before anything is said."""

MOST_WINDOWS: Final = 2
"""While a norm is held, at most so many times `window_runs` readings are looked at together."""

NEARLY: Final = 0.9
"""From this part of the watch's score on a rise names its own first day, and goes on standing [ENG]."""

FASTER: Final = 1.04
"""Where the compared runs, or the latest ones, are faster than the norm's by this factor, the rise rests on the pace
correction, which is nearly straight only near the usual pace: it is watched, and no alarm. Of simulated runners whose
easy runs became 10 % faster 11 of 100 had an alarm in eight weeks, with 1.05 and without the latest runs 18 [SIM]."""

LEARN_EVERY: Final = 6
"""The wander is learned again after so many more readings."""

NORM_RUNS: Final = 12
"""The readings before a rise that are named as its norm; older ones count less and less."""


@dataclass(frozen=True, slots=True)
class Params:
    """What counts as a rise. Heart rate in bpm, days as such."""

    enabled: bool = True
    #: score that counts as strong: alert. Six times the standard errors of the rise; noise alone reaches 10 a few
    #: times a year, so a pull-back needs intensity that came, and a little more
    h: float = 10.0
    #: score that counts as moderate: watch
    h_watch: float = 9.0
    #: and the readings since it began must lie so far above the norm, bpm: a mean of 3 is worth a word (the smallest
    #: worthwhile change is 1.5, the typical error of one run 4: Buchheit 2014)
    least_bpm: float = 3.0
    #: easy runs since a rise began, before it is believed
    least_runs: int = 3
    #: a rise is complete after so many days
    rise_days: float = 10.0
    #: a rise may have begun so many days ago, or when intensity came if that was earlier
    look_days: int = 56
    #: days for which the norm of before intensity is held
    hold_days: int = 70
    #: easy runs that are looked at together
    window_runs: int = 64
    #: easy runs with heart rate before anything is said
    min_runs: int = 12
    #: and so many of them from the sensor now worn
    min_sensor_runs: int = 6
    #: the score is halved for each such stretch without a usable run, days
    halve_after_days: int = 14
    #: older usable runs than this say nothing about today, days
    stale_days: int = 28


@dataclass(frozen=True, slots=True, eq=False)
class Assessed:
    """What the readings up to one run say. `rows` are their rows in the table.

    The norm rests on the readings before position `norm_until`; those from `since` on are compared with it. They are
    `comparable` where the sensor now worn, and the norm that now holds, have readings of their own in it.
    """

    rows: IntArray
    readings: Readings
    factors: tuple[Factor, ...]
    wander: Wander
    norm: Norm
    above_bpm: FloatArray
    norm_until: int
    since: int
    errors: float
    errors_after_intensity: float
    rise_bpm: float
    rise_se_bpm: float
    low_errors: float
    held: bool
    comparable: bool

    @property
    def faster(self) -> bool:
        """Whether the compared runs, or the latest ones, were run clearly faster than those of the norm."""
        pace = self.readings.x[:, 0]
        fast = max(middle_of(pace[self.since :]), middle_of(pace[-LATEST_RUNS:]))
        return bool(fast >= FASTER * middle_of(pace[: self.norm_until][-NORM_RUNS:]))


def usable(history: History) -> IntArray:
    """Rows with an easy reading."""
    rows = history.table.of_all(_usable)
    return rows[: np.searchsorted(rows, len(history.table))]


def _usable(table: RunTable) -> IntArray:
    return np.flatnonzero(np.isfinite(table.bpm) & np.isfinite(table.speed_m_s))


def assessed(history: History, rows: IntArray, params: Params) -> Assessed:
    """What the readings say; the same on every day until the next reading."""
    rose = _held_from(history, rows, params)
    return _assessed_at(history, rows, params, rose)


def _assessed_at(history: History, rows: IntArray, params: Params, rose: int | None = None) -> Assessed:
    key = ("easy_heart_rate", int(rows[-1]), rose, history.norm_from, params)
    worked_out = history.table.worked_out
    if key not in worked_out:
        worked_out[key] = _assess(history, rows, rose, params)
    found: Assessed = worked_out[key]
    return found


def _held_from(history: History, rows: IntArray, params: Params) -> int | None:
    """The day from which on a rise is put down to intensity, None where it came too long ago, or never.

    A rise that stands when the time is over is held on, half a year at most: what lasts must not become its own norm.
    """
    if history.rose_on is None:
        return None
    rose, last = history.rose_on.toordinal(), history.table.day[rows[-1]]
    if last - rose < params.hold_days:
        return rose
    if last - rose >= HELD_ON_DAYS:
        return None
    later = range(position(history, rows, rose + params.hold_days), rows.size)
    stands = (_assessed_at(history, rows[:n], params, rose).errors for n in later)
    return rose if all(SCORE_PER_ERROR * errors >= NEARLY * params.h_watch for errors in stands) else None


def _assess(history: History, rows: IntArray, rose: int | None, params: Params) -> Assessed:
    strays = _learned(history, rows, rose, params)
    rows = _window(history, rows, rose, params)
    readings, known = factors.readings(history.table, rows, history.norm_from)
    day = readings.day
    rises = _rises(readings, known, strays, (rose, history.norm_from), params)
    at = int(np.argmax(rises.errors))
    believed = rises.onset[0] <= day[-min(params.least_runs, day.size)]
    errors = float(rises.errors[at]) if believed else 0.0
    norm_until, since = _compared(history, rows, rose, int(np.searchsorted(day, rises.onset[at])))
    if SCORE_PER_ERROR * errors < NEARLY * params.h_watch:
        # Nothing stands out: what came after intensity, or the latest runs, are compared with what was before.
        norm_until, since = _compared(history, rows, rose, None)
    norm = wander.norm(readings.part(slice(0, norm_until)), known, strays, float(day[norm_until]))
    return Assessed(
        rows=rows,
        readings=readings,
        factors=known,
        wander=strays,
        norm=norm,
        above_bpm=readings.bpm - norm.expected(readings.x),
        norm_until=norm_until,
        since=since,
        errors=errors,
        errors_after_intensity=_after(rises, rose) if believed else 0.0,
        rise_bpm=float(rises.bpm[at]),
        rise_se_bpm=float(rises.se_bpm[at]),
        low_errors=float(-rises.errors.min()) if believed else 0.0,
        held=rose is not None,
        comparable=norm_until >= _first_of_now(history, rows) + LEAST_NORM_RUNS,
    )


def _window(history: History, rows: IntArray, rose: int | None, params: Params) -> IntArray:
    """The readings looked at together: the last ones, and enough from before intensity that its norm can be held."""
    count = params.window_runs
    if rose is not None:
        since = rows.size - position(history, rows, rose)
        count = min(max(count, since + params.window_runs // 2), MOST_WINDOWS * params.window_runs)
    return rows[-max(count, LEAST_RUNS) :]


def _compared(history: History, rows: IntArray, rose: int | None, onset: int | None) -> tuple[int, int]:
    """The position before which readings make the norm, and that from which on they are compared with it.

    `onset` is the position of a rise, None for none. The norm of before intensity is held; but a sensor, or a norm
    the runner called new, must have some readings of its own in it.
    """
    size = rows.size
    least = _first_of_now(history, rows) + LEAST_NORM_RUNS
    came = size if rose is None else position(history, rows, rose)
    if onset is None:
        onset = came if rose is not None else size - LATEST_RUNS
    since = min(max(onset, least), size - RECENT_RUNS)
    return min(max(min(since, came), least), since), since


def _first_of_now(history: History, rows: IntArray) -> int:
    """The position of the first reading by the sensor now worn, in the norm that now holds."""
    device = factors.sensors(history.table, rows)
    now = device == device[-1]
    if history.norm_from is not None and history.table.day[rows[-1]] >= history.norm_from:
        now &= history.table.day[rows] >= history.norm_from
    return int(np.argmax(now))


def _rises(
    readings: Readings, known: tuple[Factor, ...], strays: Wander, since: tuple[int | None, int | None], params: Params
) -> wander.Rises:
    """A rise from each day that enough readings have followed; from the last day alone where there is none.

    `since`: the day intensity rose and the day another norm began, None for neither.
    """
    (rose, norm_from), day = since, readings.day
    first = min(day[-1] - params.look_days, day[-1] if rose is None else rose)
    first = first if norm_from is None else max(first, norm_from - 1)
    possible = np.unique(day[(day > first) & (np.arange(day.size) >= LEAST_NORM_RUNS)])
    believed = possible[possible <= day[-min(params.least_runs, day.size)]]
    return wander.rises(readings, known, strays, believed if believed.size else day[-1:], params.rise_days)


def _after(rises: wander.Rises, rose: int | None) -> float:
    """The clearest rise that began when intensity came or within three weeks, in standard errors; 0 where none did."""
    if rose is None:
        return 0.0
    during = (rises.onset >= rose - DATED_TO_DAYS) & (rises.onset <= rose + COMES_WITHIN_DAYS)
    return max(float(rises.errors[during].max()), 0.0) if during.any() else 0.0


def clearest(history: History, rows: IntArray, strays: Wander, params: Params) -> float:
    """The clearest rise on the day of the last of these readings, in standard errors."""
    day = history.table.day[rows[-1]]
    norm_from = history.norm_from if history.norm_from is not None and history.norm_from <= day else None
    readings, known = factors.readings(history.table, rows[-params.window_runs :], norm_from)
    return float(_rises(readings, known, strays, (None, norm_from), params).errors.max())


def older(history: History, rows: IntArray, rose: int | None, params: Params) -> int:
    """How many of the readings are older than any rise that is looked for."""
    last = int(history.table.day[rows[-1]])
    return position(history, rows, min(last - params.look_days, last if rose is None else rose))


def position(history: History, rows: IntArray, ordinal: int) -> int:
    """The position of the first of these readings on or after that day."""
    return int(np.searchsorted(rows, history.table.row(ordinal)))


def _learned(history: History, rows: IntArray, rose: int | None, params: Params) -> Wander:
    """The wander, from readings older than any rise that is looked for: what is in question must not explain itself."""
    count = older(history, rows, rose, params) // LEARN_EVERY * LEARN_EVERY
    rows = rows[max(count - params.window_runs, 0) : count]
    key = ("wander", int(rows[-1]) if count else -1, history.norm_from, params.window_runs)
    worked_out = history.table.worked_out
    if key not in worked_out:
        worked_out[key] = wander.learn(*factors.readings(history.table, rows, history.norm_from))
    found: Wander = worked_out[key]
    return found
