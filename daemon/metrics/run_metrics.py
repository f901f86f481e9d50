"""The numbers of one run that don't depend on who ran it, and their text form in the store. Judges nothing."""

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from daemon.values import FloatArray

Trust = Literal["streams", "summary"]
Table = NDArray[np.int16]

UNKNOWN: Final = -1
ROW_S: Final = 10


@dataclass(frozen=True, slots=True)
class RunMetrics:
    """One run, measured without knowing the runner. Speeds are grade-adjusted.

    `relaxed_m_s` is the 40th percentile of the minutes' speeds: warm-up and recovery pace of a session, the pace
    itself of an even run; `relaxed_bpm` is mean heart rate of the first minutes near it. `slow_m_s` is the 10th
    percentile, what faster stretches stand out from. `mean_cubed` is the mean of speed³ while moving (m³/s³).
    `low_bpm` is the 20th percentile of heart rate from the fourth minute on. `best` holds (seconds, m/s, bpm or None):
    the fastest so many seconds; `best_bpm` (seconds, bpm): those of the highest heart rate. `faults` holds (words,
    share of the moving time whose heart rate it took). `sensor` is A, B or C by the share of moving time with a
    believable heart rate, "" without any.

    `rows` and `minutes` are packed tables of integers, `UNKNOWN` where not known; see `row_table`, `minute_table`.
    """

    trust: Trust
    elapsed_s: float
    moving_s: float
    distance_m: float
    mean_m_s: float | None = None
    mean_cubed: float | None = None
    mean_bpm: float | None = None
    low_bpm: float | None = None
    relaxed_m_s: float | None = None
    slow_m_s: float | None = None
    relaxed_bpm: float | None = None
    altitude_m: float | None = None
    temperature_c: float | None = None
    heart_share: float = 0.0
    sensor: str = ""
    faults: tuple[tuple[str, float], ...] = ()
    best: tuple[tuple[int, float, float | None], ...] = ()
    best_bpm: tuple[tuple[int, float], ...] = ()
    rows: str = ""
    minutes: str = ""

    def best_speed(self, seconds: int) -> float:
        """Best speed held for `seconds` (m/s), 0.0 where the run is shorter."""
        return next((speed for length, speed, _ in self.best if length == seconds), 0.0)

    def highest_bpm(self, seconds: int) -> float | None:
        """Highest mean heart rate over `seconds` (bpm), None where it isn't known for so long."""
        return next((bpm for length, bpm in self.best_bpm if length == seconds), None)

    def row_table(self) -> Table:
        """One column per `ROW_S` of elapsed time, shape (3, n): speed (cm/s), heart rate (bpm), grade (‰)."""
        return unpack(self.rows, 3)

    def minute_table(self) -> Table:
        """One column per minute with at least 30 s of settled running, shape (4, n).

        Minute of the run, lagged speed (mm/s), heart rate (0.1 bpm), mean absolute grade (‰).
        """
        return unpack(self.minutes, 4)


_NAMES = frozenset(f.name for f in fields(RunMetrics))
_DEFAULTS = {f.name: f.default for f in fields(RunMetrics)}


def pack(columns: Sequence[FloatArray]) -> str:
    """Columns of one length as text: little-endian int16, base64; NaN becomes `UNKNOWN`."""
    table = np.stack([np.where(np.isfinite(column), np.rint(column), UNKNOWN) for column in columns])
    return pack_table(np.clip(table, -32768, 32767).astype(np.int16))


def pack_table(table: Table) -> str:
    """A table as text, as `pack` makes it."""
    return b64encode(table.astype("<i2").tobytes()).decode("ascii")


# One run's tables are asked for several times in a row; they can't be written to.
@lru_cache(maxsize=8)
def unpack(text: str, rows: int) -> Table:
    """The table `pack` was given, shape (rows, n)."""
    return np.frombuffer(b64decode(text), dtype="<i2").reshape(rows, -1)


def to_json(metrics: RunMetrics) -> str:
    """`metrics` as compact JSON, about 4 kB per hour; what equals its default is left out."""
    facts = {name: getattr(metrics, name) for name in _DEFAULTS}
    return json.dumps({k: v for k, v in facts.items() if v != _DEFAULTS[k]}, separators=(",", ":"))


# The daemon reads the same texts at every evaluation; one more than this holds, and it would read all of them anew.
@lru_cache(maxsize=4096)
def from_json(text: str) -> RunMetrics:
    """The metrics `to_json` was given. Raises ValueError on anything else."""
    facts = json.loads(text)
    if not isinstance(facts, dict) or not facts.keys() <= _NAMES:
        raise ValueError("not the metrics of a run")
    try:
        return RunMetrics(**{name: _frozen(value) for name, value in facts.items()})
    except TypeError as error:
        raise ValueError("not the metrics of a run") from error


def _frozen(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return tuple(tuple(item) if isinstance(item, list) else item for item in value)
