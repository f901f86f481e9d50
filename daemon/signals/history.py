"""The runs a detector may look at: one table built once, and a cheap view of it for each day that is judged.

It arranges facts and decides nothing. A view of a day holds only runs that had ended by that day.
"""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from daemon.values import Answer, FloatArray, Intensity, Run

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
T = TypeVar("T")


SHORTEST_LAY_OFF_DAYS, LAY_OFF_DAYS, LAY_OFF_FADES_DAYS = 8, 14, 28
"""Days without a run that begin to count, that count in full, and days of running after which nothing is left: of the
shapes tried, the one that two real runners' easy heart rate answered to most (5 to 8 bpm on the first day back)."""


@dataclass(frozen=True, slots=True, eq=False)
class RunTable:
    """Runs in the order they ended, as columns of one length.

    `day` is the proleptic ordinal of the local day a run counts on (it never falls: who flies west keeps the later
    day). `bpm`, `speed_m_s`, `se_bpm` and `temperature_c` are NaN where a run has no easy heart rate, `hour` (local, h)
    where the start is hidden, `air_c` (the air as it felt) where the weather isn't known. `minutes` is moving time,
    also of other sports, `hard_minutes` the hard part of it.
    `since_hard_h` is hours from the end of the last hard session of any sport to the start (infinite before the first).
    `lay_off` is 1 on the first day back from `LAY_OFF_DAYS` or more without a run, less after a shorter gap, 0 again
    `LAY_OFF_FADES_DAYS` later. `device` numbers the device names in order of appearance, −1 where none is known. `long`
    and `race` mark long runs and races. `easy_speed_m_s`, `unevenness` and `decoupling` are those of `Control`,
    `exertion` is how hard an easy run (no long one) was rated, `heavy` is 1 for the answers "heavy" and "forced" and 0
    for others, hard sessions left aside; NaN where not known. The `total_*` columns have one row more than there are
    runs and hold running totals, so that any window costs two look-ups.
    """

    runs: Sequence[Run]
    day: IntArray
    start_s: FloatArray
    end_s: FloatArray
    hour: FloatArray
    is_run: BoolArray
    hard: BoolArray
    long: BoolArray
    race: BoolArray
    minutes: FloatArray
    hard_minutes: FloatArray
    load: FloatArray
    bpm: FloatArray
    speed_m_s: FloatArray
    se_bpm: FloatArray
    temperature_c: FloatArray
    air_c: FloatArray
    since_hard_h: FloatArray
    lay_off: FloatArray
    easy_speed_m_s: FloatArray
    unevenness: FloatArray
    decoupling: FloatArray
    exertion: FloatArray
    heavy: FloatArray
    device: IntArray
    total_load: FloatArray
    total_easy_minutes: FloatArray
    total_hard_minutes: FloatArray
    total_run_days: FloatArray
    whole: "RunTable | None" = None
    """The table this one is a view of. Only for what is worked out once for all days, and then cut to today."""
    worked_out: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    """Answers about days that are over, shared by all views of one table: the next day asks for them again."""

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Self:
        """Build the table from `runs` in any order; O(n log n), once per replay or evaluation."""
        rows = tuple(sorted(runs, key=lambda run: (run.end, run.id)))
        day = _never_falling(rows)
        is_run = np.array([run.is_run for run in rows], dtype=bool)
        hard = np.array([run.hard for run in rows], dtype=bool)
        minutes = np.array([run.moving_s / 60 for run in rows], dtype=float)
        easy = [run.easy if run.is_run else None for run in rows]
        control = [run.control if run.is_run else None for run in rows]
        return cls(
            runs=rows,
            day=day,
            start_s=np.array([run.start.timestamp() for run in rows], dtype=float),
            end_s=np.array([run.end.timestamp() for run in rows], dtype=float),
            hour=_column(run.hour for run in rows),
            is_run=is_run,
            hard=hard,
            long=np.array([run.kind == "long" and run.is_run for run in rows], dtype=bool),
            race=np.array([run.kind == "race" for run in rows], dtype=bool),
            minutes=minutes,
            hard_minutes=np.array([run.hard_minutes for run in rows], dtype=float),
            load=_column(run.load for run in rows),
            bpm=_column(e.bpm if e else None for e in easy),
            speed_m_s=_column(e.speed_m_s if e else None for e in easy),
            se_bpm=_column(e.se_bpm if e else None for e in easy),
            temperature_c=_column(e.temperature_c if e else None for e in easy),
            air_c=_column(run.air_c for run in rows),
            since_hard_h=_since_hard_h(rows),
            lay_off=_lay_off(day, is_run),
            easy_speed_m_s=_column(c.speed_m_s if c else None for c in control),
            unevenness=_column(c.unevenness if c else None for c in control),
            decoupling=_column(c.decoupling if c else None for c in control),
            exertion=_column(run.perceived_exertion if _plainly_easy(run) else None for run in rows),
            heavy=_column(None if run.feel is None or run.hard else run.feel in ("heavy", "forced") for run in rows),
            device=_device_codes(rows),
            total_load=_totals(_column(run.load for run in rows)),
            total_easy_minutes=_totals(minutes * (is_run & ~hard)),
            total_hard_minutes=_totals(minutes * (is_run & hard)),
            total_run_days=_totals(_first_of_day(day, is_run).astype(float)),
        )

    def __len__(self) -> int:
        return int(self.day.size)

    def until(self, day: date) -> "RunTable":
        """The part that had ended by the end of `day`: views, nothing copied."""
        n = int(np.searchsorted(self.day, day.toordinal(), side="right"))
        cut = {f.name: getattr(self, f.name) for f in fields(self)} | {"whole": self.whole or self}
        for name, column in cut.items():
            if isinstance(column, np.ndarray):
                cut[name] = column[: n + 1] if name.startswith("total_") else column[:n]
        return RunTable(**cut)

    def of_all(self, make: Callable[["RunTable"], T]) -> T:
        """What `make` finds in the whole table, worked out once; whoever asks cuts it to what this view holds."""
        table = self.whole or self
        if (make,) not in table.worked_out:
            table.worked_out[make,] = make(table)
        found: T = table.worked_out[make,]
        return found

    def row(self, ordinal: int) -> int:
        """The first row on or after day `ordinal`."""
        return int(self.day.searchsorted(ordinal))


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What may be known on the day `today`, at the moment `now` (aware).

    Detectors judge by `today`, so that a verdict doesn't depend on the hour it is computed. `spells` and `rose_on`
    are what the intensity detector found, for the detectors that compare before with after: `rose_on` is the day
    intensity last came or was stepped up, None where it never did. `answers` speak of days up to today; `said` are
    all there are, only for what is worked out once for all days.
    """

    today: date
    now: datetime
    table: RunTable
    spells: tuple[Intensity, ...] = ()
    rose_on: date | None = None
    answers: tuple[Answer, ...] = ()
    said: tuple[Answer, ...] = ()

    @classmethod
    def at(cls, table: RunTable, day: date, now: datetime, answers: Sequence[Answer] = ()) -> Self:
        """The view of `day`; of `answers` only those that speak of days up to it."""
        heard = tuple(answer for answer in answers if answer.first <= day)
        return cls(today=day, now=now, table=table.until(day), answers=heard, said=tuple(answers))

    @property
    def norm_from(self) -> int | None:
        """The ordinal of the day on which the runner last said "new-normal": no norm looks further back."""
        days = [answer.first.toordinal() for answer in self.answers if answer.reason == "new-normal"]
        return max(days, default=None)

    @property
    def first_run_day(self) -> int | None:
        """The ordinal of the first run's day, None where there is no run."""
        first = self.table.of_all(_first_run_day)
        return first if first is not None and first <= self.today.toordinal() else None

    @property
    def idle_days(self) -> int:
        """Days since that of the last run; 0 where there is no run."""
        rows = np.flatnonzero(self.table.is_run)
        return self.today.toordinal() - int(self.table.day[rows[-1]]) if rows.size else 0


def _first_run_day(table: RunTable) -> int | None:
    return int(table.day[int(table.is_run.argmax())]) if table.is_run.any() else None


def _plainly_easy(run: Run) -> bool:
    return run.is_run and run.kind in ("easy", "strides")


def _never_falling(rows: Sequence[Run]) -> IntArray:
    days = np.array([run.day.toordinal() for run in rows], dtype=np.int64)
    return np.maximum.accumulate(days) if days.size else days


def _device_codes(rows: Sequence[Run]) -> IntArray:
    codes: dict[str, int] = {}
    names = (_same_device(run.device) if run.device else "" for run in rows)
    return np.array([codes.setdefault(name, len(codes)) if name else -1 for name in names], dtype=np.int64)


@lru_cache
def _same_device(name: str) -> str:
    """A device's name without what a watch's file and Strava write differently: accents, case, spaces, marks."""
    letters = unicodedata.normalize("NFD", name).casefold()
    return "".join(letter for letter in letters if letter.isalnum())


def _column(values: Iterable[float | None]) -> FloatArray:
    """NaN for None."""
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def _since_hard_h(rows: Sequence[Run]) -> FloatArray:
    hours, last = np.full(len(rows), np.inf), None
    for at, run in enumerate(rows):
        if last is not None:
            hours[at] = (run.start - last).total_seconds() / 3600
        last = run.end if run.hard else last
    return hours


def _lay_off(day: IntArray, is_run: BoolArray) -> FloatArray:
    out = np.zeros(day.size)
    run_days = np.unique(day[is_run])
    gap = np.diff(run_days)
    for back, length in zip(run_days[1:][gap >= SHORTEST_LAY_OFF_DAYS], gap[gap >= SHORTEST_LAY_OFF_DAYS], strict=True):
        low, high = np.searchsorted(day, (back, back + LAY_OFF_FADES_DAYS))
        left = min(length / LAY_OFF_DAYS, 1.0) * (1 - (day[low:high] - back) / LAY_OFF_FADES_DAYS)
        out[low:high] = np.maximum(out[low:high], left)
    return out


def _totals(values: FloatArray) -> FloatArray:
    return np.concatenate(([0.0], np.cumsum(values)))


def _first_of_day(day: IntArray, is_run: BoolArray) -> BoolArray:
    """True on the first run of each day that has one."""
    first = np.zeros(day.size, dtype=bool)
    rows = np.flatnonzero(is_run)
    if rows.size:
        first[rows] = np.diff(day[rows], prepend=-1) > 0
    return first
