"""The numbers of one run that don't depend on who ran it, and their text form in the store. Judges nothing."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Trust = Literal["streams", "summary"]
Ints = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RunMetrics:
    """One run, measured without knowing the runner.

    Columns of integers keep the text small and exact; -1 is "not known" in every column but grades.

    `rows_*`: one entry per 10 s of elapsed time: grade-adjusted speed (cm/s), heart rate (bpm), grade (‰).
    `minute_*`: one entry per minute with at least 30 s of settled running: minute of the run, lagged grade-adjusted
    speed (mm/s), heart rate (0.1 bpm, -1 where a sensor fault ate it), mean absolute grade (‰).
    `mean_cubed` is the mean of grade-adjusted speed³ while moving (m³/s³). `relaxed_m_s` is the 40th percentile
    of the minutes' speeds: warm-up and recovery pace of a session, the pace itself of an even run. `relaxed_bpm` is
    mean heart rate of the minutes near it. `wobble` is how far speed wanders by itself: the 90th over the 40th
    percentile of 30-second speeds. `best` holds (seconds, grade-adjusted m/s, bpm or None).
    `faults` holds (words, share of the moving time whose heart rate it took). `sensor` is A, B or C by the share of
    moving time with a believable heart rate, "" without any.
    """

    trust: Trust
    elapsed_s: float
    moving_s: float
    distance_m: float
    mean_m_s: float | None = None
    mean_cubed: float | None = None
    mean_bpm: float | None = None
    max_bpm: float | None = None
    relaxed_m_s: float | None = None
    relaxed_bpm: float | None = None
    wobble: float | None = None
    altitude_m: float | None = None
    temperature_c: float | None = None
    heart_share: float = 0.0
    sensor: str = ""
    faults: tuple[tuple[str, float], ...] = ()
    best: tuple[tuple[int, float, float | None], ...] = ()
    minute_at: Ints = ()
    minute_mm_s: Ints = ()
    minute_decibeats: Ints = ()
    minute_grade: Ints = ()
    rows_cm_s: Ints = ()
    rows_bpm: Ints = ()
    rows_grade: Ints = ()

    def best_speed(self, seconds: int) -> float:
        """Best grade-adjusted speed held for `seconds` (m/s), 0.0 where the run is shorter."""
        return next((speed for length, speed, _ in self.best if length == seconds), 0.0)


_NAMES = frozenset(f.name for f in fields(RunMetrics))


def to_json(metrics: RunMetrics) -> str:
    """`metrics` as compact JSON, about 5 kB per hour; what equals its default is left out."""
    defaults = {f.name: f.default for f in fields(RunMetrics)}
    facts = {name: value for name, value in asdict(metrics).items() if value != defaults[name]}
    return json.dumps(facts, separators=(",", ":"))


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
