"""What moves easy heart rate besides strain, one column per factor for every easy reading. Measures, judges nothing.

Each factor has a size per unit that is uncertain beforehand; the runner's own readings narrow it down.
"""

from typing import Final

import numpy as np

from daemon.signals.history import IntArray, RunTable
from daemon.signals.wander import Factor, Readings, middle_of
from daemon.values import FloatArray

PACE: Final = Factor("pace", 28.0, 8.0)
"""bpm per m/s of grade-adjusted speed: 17 to 39 on six runners (SCIENCE); ACSM's cost of running gives 9 ± 3 a km/h."""

HEAT: Final = Factor("heat", 0.3, 0.3)
"""bpm per °C above 12 by the watch's own thermometer: 0.7 for air temperature, −0.2 to 0.2 seen from wrist sensors."""

AIR: Final = Factor("heat", 0.7, 0.3)
"""The same by the weather: 0.7 ± 0.5 in SCIENCE, whose upper bound of 1.4 % a degree is less likely on a jog [ENG]."""

HEAT_FROM_C: Final = 12.0
BOTH: Final = 8
"""From so many runs with both on, the watch's thermometer, brought to the air's level, is taken for unknown weather."""

EVENING: Final = Factor("time_of_day", 0.0, 2.0)
"""bpm between 17:00 and the mean of the day [ENG]: small and of either sign on recordings."""

AFTER_HARD: Final = Factor("after_hard", 0.0, 1.5)
"""bpm on runs within `AFTER_HARD_HOURS` of a hard session: below normal in the laboratory, either way on the road."""

AFTER_HARD_HOURS: Final = 36.0
LAY_OFF: Final = Factor("lay_off", 5.0, 3.0)
"""bpm on the first day back from two weeks without running (`RunTable.lay_off`): 4.7 ± 1.3 and 7.8 ± 1.6 on two real
runners, by one model for both."""

SENSOR_SD_BPM: Final = 8.0
"""How far two sensors may differ (SD, bpm): a new one takes its own level, and says nothing until it has one."""

NEW_NORMAL_SD_BPM: Final = 20.0
"""How far the level may have moved where the runner says that another norm began."""


def readings(table: RunTable, rows: IntArray, norm_from: int | None) -> tuple[Readings, tuple[Factor, ...]]:
    """The easy readings in these rows of the table, and the factors whose columns they have.

    A hidden hour and an unknown temperature count as the runner's usual. Heat goes by the weather where most of the
    readings have it (imported from an export), else by the watch. Every sensor but the one used most has a
    factor of its own; a run that names none was made with the one before it. `norm_from` is the day (ordinal) from
    which the runner said that another norm holds.
    """
    warmth, heat = _warmth(table.air_c[rows], table.temperature_c[rows])
    columns = [
        table.speed_m_s[rows],
        _known_or_usual(np.maximum(warmth - HEAT_FROM_C, 0.0)),
        _known_or_usual(np.cos((table.hour[rows] - 17.0) * np.pi / 12.0)),
        (table.since_hard_h[rows] < AFTER_HARD_HOURS).astype(float),
        table.lay_off[rows],
    ]
    device = sensors(table, rows)
    count = np.bincount(device + 1, minlength=1)  # one that isn't known is −1
    count[count.argmax()] = 0
    others = np.flatnonzero(count) - 1
    columns += [(device == code).astype(float) for code in others]
    factors: tuple[Factor, ...] = (PACE, heat, EVENING, AFTER_HARD, LAY_OFF)
    factors += tuple(Factor("sensor", 0.0, SENSOR_SD_BPM) for _ in others)
    if norm_from is not None and (later := table.day[rows] >= norm_from).any():
        columns.append(later.astype(float))
        factors += (Factor("new_normal", 0.0, NEW_NORMAL_SD_BPM),)
    measured = Readings(
        day=table.day[rows].astype(float),
        bpm=table.bpm[rows],
        se_bpm=_known_or_usual(table.se_bpm[rows]),
        x=np.column_stack(columns),
    )
    return measured, factors


def _warmth(air_c: FloatArray, watch_c: FloatArray) -> tuple[FloatArray, Factor]:
    """How warm each run was (°C, NaN where not known), and how that moves heart rate."""
    known = np.isfinite(air_c)
    if 2 * np.count_nonzero(known) <= air_c.size:
        return watch_c, HEAT
    both = known & np.isfinite(watch_c)
    if np.count_nonzero(both) < BOTH:
        return air_c, AIR
    return np.where(known, air_c, watch_c - middle_of(watch_c[both] - air_c[both])), AIR


def sensors(table: RunTable, rows: IntArray) -> IntArray:
    """The device code of each row, an unnamed one taken for the one before (the first named one at the start)."""
    device = table.device[rows]
    named = np.flatnonzero(device >= 0)
    if named.size == 0:
        return device
    before = np.maximum(np.searchsorted(named, np.arange(device.size), side="right") - 1, 0)
    return np.asarray(device[named[before]])


def _known_or_usual(values: FloatArray) -> FloatArray:
    known = np.isfinite(values)
    return np.where(known, values, middle_of(values[known]) if known.any() else 0.0)
