"""Recordings that are parts of one session: repetitions logged one by one, a run cut in two. Joins; judges nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from daemon.metrics.measure import BEST_S, relaxed_part, sensor_grade
from daemon.metrics.run_metrics import ROW_S, UNKNOWN, RunMetrics, Table, pack_table
from daemon.metrics.usual import is_treadmill
from daemon.values import Activity, FloatArray

Measured = tuple[Activity, RunMetrics]

PART_GAP_S = 45 * 60
"""A run that begins within so many seconds of the end of another, on the same day, goes on with it [ENG]."""

REST_S = 120
"""A break counts as at most so many seconds of the joined run (s): the body doesn't cool down within the gap above."""

SETTLING_MIN = 3
"""Minutes after a break of more than `REST_S` in which heart rate still climbs."""


def sessions(ordered: Iterable[Measured]) -> list[list[Measured]]:
    """`ordered` (by start) as sessions of one or more parts, by the start of the first part.

    Only runs on the ground are joined, on one local day, none of them entered by hand.
    """
    out: list[list[Measured]] = []
    open_run: list[Measured] | None = None
    for pair in ordered:
        if not _on_the_ground(pair[0]):
            out.append([pair])
        elif open_run is not None and _goes_on(open_run[-1][0], pair[0]):
            open_run.append(pair)
        else:
            open_run = [pair]
            out.append(open_run)
    return out


def _on_the_ground(activity: Activity) -> bool:
    return activity.is_run and not is_treadmill(activity) and not activity.manual


def _goes_on(before: Activity, after: Activity) -> bool:
    gap = (after.start - before.end).total_seconds()
    return -60 <= gap <= PART_GAP_S and before.day == after.day and not before.start_obscured


def offsets(parts: Sequence[Measured]) -> list[int]:
    """Where each part begins on the joined run's clock (s): whole minutes, breaks shortened to `REST_S` at most."""
    out = [0]
    for (before, metrics), (after, _) in pairwise(parts):
        length = max(metrics.row_table().shape[1] * ROW_S, int(metrics.elapsed_s))
        gap = min(max((after.start - before.end).total_seconds(), 0.0), REST_S)
        out.append(out[-1] + 60 * -int(-(length + gap) // 60))
    return out


def joined(parts: Sequence[Measured]) -> Measured:
    """The parts as one activity and its metrics; a single part as it is."""
    if len(parts) == 1:
        return parts[0]
    first, every = parts[0][0], [metrics for _, metrics in parts]
    starts = offsets(parts)
    rows = _joined_rows(every, starts)
    minutes = _joined_minutes(every, starts)
    relaxed, slow, relaxed_bpm = relaxed_part(minutes)
    share = _mean([m.heart_share for m in every], every) or 0.0
    whole = replace(
        every[0],
        trust="streams" if any(m.trust == "streams" for m in every) else "summary",
        elapsed_s=starts[-1] + every[-1].elapsed_s,
        moving_s=sum(m.moving_s for m in every),
        distance_m=sum(m.distance_m for m in every),
        mean_m_s=_mean([m.mean_m_s for m in every], every),
        mean_cubed=_mean([m.mean_cubed for m in every], every),
        mean_bpm=_mean([m.mean_bpm for m in every], every),
        low_bpm=_mean([m.low_bpm for m in every], every),
        relaxed_m_s=relaxed or _mean([m.relaxed_m_s for m in every], every),
        slow_m_s=slow,
        relaxed_bpm=relaxed_bpm,
        heart_share=share,
        sensor=sensor_grade(share),
        faults=_joined_faults(every),
        best=_bests(rows),
        best_bpm=_highest(every),
        rows=pack_table(rows) if rows.size else "",
        minutes=pack_table(minutes),
    )
    return _joined_activity(first, [activity for activity, _ in parts]), whole


def _joined_activity(first: Activity, every: Sequence[Activity]) -> Activity:
    """One activity that says what any of its parts says."""
    return replace(
        first,
        name=" ".join(dict.fromkeys(activity.name for activity in every)),
        distance_m=sum(activity.distance_m for activity in every),
        moving_time_s=sum(activity.moving_time_s for activity in every),
        elapsed_time_s=int((every[-1].end - first.start).total_seconds()),
        workout_type=next((a.workout_type for a in every if a.workout_type), None),
        laps=tuple(lap for activity in every for lap in activity.laps),
    )


def _mean(values: Sequence[float | None], every: Sequence[RunMetrics]) -> float | None:
    """The mean of what is known, weighted by moving time."""
    known = [(v, m.moving_s) for v, m in zip(values, every, strict=True) if v is not None and m.moving_s > 0]
    total = sum(weight for _, weight in known)
    return round(sum(v * weight for v, weight in known) / total, 4) if total else None


def _joined_rows(every: Sequence[RunMetrics], starts: Sequence[int]) -> Table:
    if not any(m.rows for m in every):
        return np.zeros((3, 0), dtype=np.int16)
    size = max(start // ROW_S + m.row_table().shape[1] for m, start in zip(every, starts, strict=True))
    out = np.full((3, size), UNKNOWN, dtype=np.int16)
    out[2] = 0
    for m, start in zip(every, starts, strict=True):
        table = m.row_table()
        out[:, start // ROW_S : start // ROW_S + table.shape[1]] = table
    return out


def _joined_minutes(every: Sequence[RunMetrics], starts: Sequence[int]) -> Table:
    tables = []
    for m, start in zip(every, starts, strict=True):
        table = m.minute_table().copy()
        if start:
            table = table[:, table[0] >= SETTLING_MIN]
        table[0] += start // 60
        tables.append(table)
    return np.concatenate(tables, axis=1)


def _joined_faults(every: Sequence[RunMetrics]) -> tuple[tuple[str, float], ...]:
    words = dict.fromkeys(word for m in every for word, _ in m.faults)
    shares = [(word, _mean([dict(m.faults).get(word, 0.0) for m in every], every) or 0.0) for word in words]
    return tuple(sorted(shares, key=lambda fault: -fault[1]))


def _bests(rows: Table) -> tuple[tuple[int, float, float | None], ...]:
    """Best speeds as `measure` makes them, from rows of ten seconds."""
    speed = np.maximum(rows[0], 0) / 100.0
    known = rows[1] > 0
    total, beats, count = (_totals(column) for column in (speed, rows[1] * known, known))
    out: list[tuple[int, float, float | None]] = []
    for seconds in BEST_S:
        width = seconds // ROW_S
        if width > speed.size:
            break
        sums = total[width:] - total[:-width]
        k = int(np.argmax(sums))
        n = float(count[k + width] - count[k])
        bpm = round(float(beats[k + width] - beats[k]) / n, 4) if 2 * n >= width else None
        out.append((seconds, round(float(sums[k]) / width, 4), bpm))
    return tuple(out)


def _totals(values: FloatArray) -> FloatArray:
    return np.concatenate(([0.0], np.cumsum(values)))


def _highest(every: Sequence[RunMetrics]) -> tuple[tuple[int, float], ...]:
    highest: dict[int, float] = {}
    for m in every:
        for seconds, bpm in m.best_bpm:
            highest[seconds] = max(bpm, highest.get(seconds, 0.0))
    return tuple(sorted(highest.items()))
