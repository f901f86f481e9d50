"""How a heart-rate sensor goes wrong, applied to a true heart rate at 1 Hz. Pure."""

from dataclasses import dataclass

import numpy as np

from daemon.values import FloatArray


@dataclass(frozen=True, slots=True)
class SensorFaults:
    """Chance per run of each fault.

    dropout: half a minute to three of zeros or of one held value. cadence_lock: 5-20 min of steps instead of beats.
    cold_start: minutes of a rate far too high before skin and sensor are warm. spikes: single samples of 30, 220 or
    255. missing: no heart rate at all.
    """

    dropout: float = 0.0
    cadence_lock: float = 0.0
    cold_start: float = 0.0
    spikes: float = 0.0
    missing: float = 0.0


def misread(
    beats: FloatArray, cadence: FloatArray, faults: SensorFaults, rng: np.random.Generator
) -> FloatArray | None:
    """`beats` as a faulty sensor shows them, or None where it shows nothing. Draws the same number whatever happens."""
    missing, dropout, lock, cold, spikes = rng.random(5) < [
        faults.missing,
        faults.dropout,
        faults.cadence_lock,
        faults.cold_start,
        faults.spikes,
    ]
    if missing:
        return None
    shown = beats.copy()
    if cold:
        _cold_start(shown, rng)
    if lock:
        _cadence_lock(shown, cadence, rng)
    if dropout:
        _dropout(shown, rng)
    if spikes:
        where = rng.integers(0, len(shown), rng.integers(3, 12))
        shown[where] = rng.choice([30.0, 220.0, 255.0], len(where))
    return shown


def _stretch(n: int, shortest: int, longest: int, rng: np.random.Generator) -> slice:
    length = int(rng.integers(shortest, longest))
    begin = int(rng.integers(0, max(1, n - length)))
    return slice(begin, begin + length)


def _dropout(shown: FloatArray, rng: np.random.Generator) -> None:
    for _ in range(rng.integers(1, 4)):
        gap = _stretch(len(shown), 30, 180, rng)
        shown[gap] = 0.0 if rng.random() < 0.5 else shown[gap.start]


def _cadence_lock(shown: FloatArray, cadence: FloatArray, rng: np.random.Generator) -> None:
    locked = _stretch(len(shown), 300, 1200, rng)
    steps = 2 * cadence[locked]
    shown[locked] = np.where(steps > 100, steps + np.round(rng.normal(0, 0.7, len(steps))), shown[locked])


def _cold_start(shown: FloatArray, rng: np.random.Generator) -> None:
    minutes = min(len(shown), int(rng.integers(120, 480)))
    shown[:minutes] = np.round(rng.uniform(165, 182) + rng.normal(0, 2.0, minutes))
