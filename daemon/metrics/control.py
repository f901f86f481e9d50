"""How an easy run was held together, and what the hard part of a session was: numbers for detectors. Judges nothing."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from daemon.metrics.bouts import STANDING, Bout
from daemon.metrics.grid import MAX_ELAPSED_S
from daemon.metrics.run_metrics import ROW_S, UNKNOWN, RunMetrics
from daemon.metrics.usual import Usual
from daemon.values import Control, FloatArray, Work

BoolArray = NDArray[np.bool_]

PER_MIN = 60 // ROW_S
FROM_MIN, LEAST_MIN = 5, 12
"""Minutes of running counted from, and needed."""

RUNNING = 0.6
"""Multiples of the run's median speed below this are stops and walks."""

LEAST_ROWS = 4
"""Rows (10 s) of running that make a minute."""

STEEP = 0.04
GRADE_PRIOR = 5 * 0.02**2
"""Weight of the prior "speed doesn't depend on grade", in minutes on ground of 2 %."""

CLIP_MAD = 2.5
FIRST_MIN, DECOUPLING_MIN, DECOUPLING_USED = 10, 40, 30
"""Aerobic decoupling drops ten minutes and needs forty after them [SCIENCE section 7], thirty of them usable [ENG]."""

FAR_FROM_USUAL = 0.2
ALIKE = 1.6
"""Repetitions whose lengths differ by more than this factor can't be compared with each other."""

FADE_LEAST_S = 480
"""Sustained work must last this long for its thirds to say something (s)."""


def around(bouts: Sequence[Bout], minutes: int = MAX_ELAPSED_S // 60 + 1) -> BoolArray:
    """Minutes of the run touched by one of `bouts`, and the minute after each."""
    out = np.zeros(minutes, dtype=np.bool_)
    for bout in bouts:
        out[bout.start_s // 60 : (bout.start_s + bout.seconds) // 60 + 2] = True
    return out


def control_of(metrics: RunMetrics, strides: Sequence[Bout]) -> Control | None:
    """Speed, unevenness and decoupling of a run that wasn't hard; None with less than `LEAST_MIN` minutes of running.

    Minutes touched by one of `strides` don't count.
    """
    speed, grade = _minutes(metrics, around(strides))
    if speed.size < LEAST_MIN:
        return None
    level = speed[np.abs(grade) <= STEEP]
    return Control(
        speed_m_s=round(float((level if level.size >= LEAST_MIN else speed).mean()), 4),
        unevenness=round(_unevenness(speed, grade), 4),
        decoupling=_decoupling(metrics, strides),
    )


def _minutes(metrics: RunMetrics, without: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Mean grade-adjusted speed (m/s) and grade (rise over run) of each minute of running from `FROM_MIN` on."""
    table = metrics.row_table()
    count = table.shape[1] // PER_MIN
    speed, grade = (table[k, : count * PER_MIN].reshape(count, PER_MIN) for k in (0, 2))
    if not (speed > 0).any():
        return np.empty(0), np.empty(0)
    running = speed >= RUNNING * np.median(speed[speed > 0])
    rows = running.sum(axis=1)
    used = (rows >= LEAST_ROWS) & ~without[:count]
    used[:FROM_MIN] = False
    total, rise = (np.where(running, column, 0).sum(axis=1)[used] / rows[used] for column in (speed, grade))
    return total / 100.0, rise / 1000.0


def _unevenness(speed: FloatArray, grade: FloatArray) -> float:
    """Coefficient of variation of the minutes' speed (a share), without what goes with the grade, outliers pulled in.

    Of 25 ways tried on simulated runners this one told 2 % more wander best from noise, and was moved least by hills
    (d' 0.1) and stops (0.2); halves of a minute are too noisy, longer means too few [measured].
    """
    share, centred = speed / speed.mean() - 1.0, grade - grade.mean()
    rest = share - float(centred @ share) / (float(centred @ centred) + GRADE_PRIOR) * centred
    reach = CLIP_MAD * 1.4826 * float(np.median(np.abs(rest)))
    return float(np.sqrt(np.mean(np.clip(rest, -reach, reach) ** 2)))


def _decoupling(metrics: RunMetrics, strides: Sequence[Bout]) -> float | None:
    """Efficiency factor (speed over heart rate) of the first half over that of the second, less one, in percent."""
    at, speed, heart, grade = metrics.minute_table()
    used = (at >= FIRST_MIN) & (heart != UNKNOWN) & (grade <= 1000.0 * STEEP) & ~around(strides)[at]
    if used.sum() < DECOUPLING_USED or at[used][-1] + 1 - FIRST_MIN < DECOUPLING_MIN:
        return None
    used &= np.abs(speed / np.median(speed[used]) - 1.0) <= FAR_FROM_USUAL
    early = used & (at < (FIRST_MIN + at[used][-1] + 1) / 2.0)
    late = used & ~early
    if min(early.sum(), late.sum()) < DECOUPLING_USED // 2:
        return None
    first, second = (float(speed[part].mean()) / float(heart[part].mean()) for part in (early, late))
    return round(100.0 * (first / second - 1.0), 2)


def work_of(metrics: RunMetrics, work: Sequence[Bout], usual: Usual) -> Work | None:
    """The hard part of a session: the bouts that counted, the whole run where it was hard from end to end."""
    if not metrics.rows:
        return None
    table = metrics.row_table()
    inside = np.ones(table.shape[1], dtype=np.bool_)
    if work:
        inside[:] = False
        for bout in work:
            inside[bout.start_s // ROW_S : (bout.start_s + bout.seconds) // ROW_S] = True
    speed, heart = table[0][inside] / 100.0, table[1][inside]
    running, known = speed >= STANDING * usual.speed_m_s, heart > 0
    if not running.any():
        return None
    seconds = float(running.sum()) * ROW_S
    return Work(
        seconds=seconds,
        speed_m_s=round(float(speed[running].mean()), 4),
        bpm=round(float(heart[known].mean()), 2) if known.sum() * 2 >= heart.size else None,
        fade=_fade(work, speed[running]),
    )


def _fade(work: Sequence[Bout], speed: FloatArray) -> float | None:
    """Speed of the last third against the first third, less one: of like repetitions, or of sustained work."""
    if len(work) >= 3:
        lengths = [bout.seconds for bout in work]
        if max(lengths) > ALIKE * min(lengths):
            return None
        third = len(work) // 3
        first, last = (float(np.mean([b.speed for b in part])) for part in (work[:third], work[-third:]))
        return round(last / first - 1.0, 4)
    if speed.size * ROW_S < FADE_LEAST_S:
        return None
    third = speed.size // 3
    return round(float(speed[-third:].mean() / speed[:third].mean()) - 1.0, 4)
