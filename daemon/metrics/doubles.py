"""Which recordings are of one and the same activity, and which of them counts. Pure, whatever the order of arrival.

A runner runs once at a time, so the clock decides; where clocks can't be trusted, only the recorded values do.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from daemon.metrics.run_metrics import ROW_S, RunMetrics
from daemon.metrics.usual import is_treadmill
from daemon.values import UNKNOWN_SPORTS, Activity, FloatArray

Measured = tuple[Activity, RunMetrics]
Value = TypeVar("Value")
IntArray = NDArray[np.int64]

AT_STRAVA = frozenset({"strava", "export"})
"""Where the runner can have corrected the sport that a watch was set to."""

SAME_START, SAME_LENGTH_S = timedelta(seconds=5), 5
"""Of one recording, Strava and the file say the same to the second (285 of 285 activities of other sports in an export)
[measured]; some seconds are left for those who cut differently [ENG]."""

SHARED = 0.8
"""Share of the shorter one's clock span that lies within the other's when both are of one run [ENG]."""

SHARED_ALIKE = 0.5
LEAST_SHARED_S = 300
"""Clocks some minutes apart: half is enough where length and distance are the same, and at least five minutes [ENG]."""

PAUSED = 0.5
"""Of an activity that moved for less than this share of its clock's span the span says little: there is room for
another run within a pause of hours, and then what was recorded in the same seconds decides [ENG]."""

ALIKE = 0.05
ALIKE_S = 30
"""Durations and distances are the same within so much: two devices are started and stopped by hand [ENG]."""

SPEEDS_APART = 1.5
"""Mean speeds further apart than this factor aren't those of one run, whatever a clock says (a watch that lost its
battery gives every run the same date) [ENG]."""

COVERED, COVERED_DISTANCE = 0.6, 0.8
"""A recording is spared for better ones that hold so much of its time, or of its distance [ENG]: a phone left on in the
car is, a run whose watch gave up after ten minutes isn't."""

FURTHEST_OFF = timedelta(hours=24)
"""How far clocks may be apart (a time zone, a hidden start) before recordings aren't even compared."""

LEAST_ROWS = 600 // ROW_S
SAME_BPM, SAME_CORRELATION = 1.0, 0.97
LEAST_SD_BPM, LEAST_SD_M_S = 3.0, 0.1
"""Recordings show that they are copies over ten minutes at least: heart rate within a beat in the median and rising and
falling together; speed together where one lacks heart rate. Values too even to tell anything tell nothing [ENG]."""

SLIDE_ROWS = 6
"""So many rows a start may have been cut off differently (1 min)."""

LEAST_HEART_S, HEART_STEP_S = 60, 300
"""What counts as heart rate at all; and recordings of one heart rate differ by seconds, which decide nothing [ENG]."""


def groups(activities: Iterable[Activity]) -> list[list[Activity]]:
    """Activities that could be of one run by clock, length and distance, as groups of two and more."""
    ordered = sorted(activities, key=lambda a: (a.start, a.id))
    leader = {a.id: a.id for a in ordered}

    def head(number: int) -> int:
        while leader[number] != number:
            number = leader[number]
        return number

    for first, second in _near(ordered):
        one, other = sorted((head(first.id), head(second.id)))
        leader[other] = one
    found: dict[int, list[Activity]] = {}
    for activity in ordered:
        found.setdefault(head(activity.id), []).append(activity)
    return [group for group in found.values() if len(group) > 1]


def doubles(group: Iterable[Measured]) -> dict[int, int]:
    """Within one of the `groups`: the id of each recording that doesn't count, and of the one that counts for it.

    The best goes first: with heart rate, then with distance, then with a recording at all, then with more of heart
    rate, then from Strava, then the lower id. But where better ones hold only a part of a run, the whole one counts,
    and where Strava calls the same recording another sport, Strava's counts whatever the file holds.
    """
    kept: list[Measured] = []
    of: dict[int, int] = {}
    ordered = sorted(group, key=_rank)
    corrected = _corrected([activity for activity, _ in ordered])
    for pair in (pair for pair in ordered if pair[0].id not in corrected):
        shared = [(_shared_s(other, pair), other) for other in kept]
        mates = [(seconds, other) for seconds, other in shared if seconds > 0.0]
        if mates and _covered(pair[0], mates):
            _seconds, best = max(mates, key=lambda mate: mate[0])  # the first, better one where they share the same
            of[pair[0].id] = best[0].id
            continue
        for _seconds, part in mates:
            kept.remove(part)
            of = {number: pair[0].id if better == part[0].id else better for number, better in of.items()}
            of[part[0].id] = pair[0].id
        kept.append(pair)
    return of | {number: of.get(better, better) for number, better in corrected.items()}


def _corrected(activities: Sequence[Activity]) -> dict[int, int]:
    """The id of each file's recording that has another sport at Strava, and Strava's id of it."""
    found: dict[int, int] = {}
    for theirs in activities:
        for ours in activities:
            if theirs.source in AT_STRAVA and _of_two_sports(theirs, ours) and _is_strava_s_copy(theirs, ours):
                found.setdefault(ours.id, theirs.id)
    return found


def _of_two_sports(first: Activity, second: Activity) -> bool:
    known = {a.sport for a in (first, second)} - UNKNOWN_SPORTS
    return len(known) == 2 and not (first.is_run and second.is_run)


def _is_strava_s_copy(first: Activity, second: Activity) -> bool:
    """Whether one is Strava's and the other the very recording it was made from, whatever sport either names."""
    if (first.source in AT_STRAVA) == (second.source in AT_STRAVA) or first.start_obscured or second.start_obscured:
        return False
    longer = abs(first.elapsed_time_s - second.elapsed_time_s)
    return abs(first.start - second.start) <= SAME_START and longer <= SAME_LENGTH_S


def completed(activity: Activity, others: Iterable[Activity]) -> Activity:
    """`activity` with what only its doubles say: Strava's first, as the runner named and rated the run there."""
    ordered = sorted(others, key=lambda a: (a.source != "strava", a.id))
    if not ordered:
        return activity
    naming = [activity, *ordered] if activity.source == "strava" else [*ordered, activity]
    every = [activity, *ordered]

    def first(values: Iterable[Value | None]) -> Value | None:
        return next((value for value in values if value is not None), None)

    return replace(
        activity,
        name=next((a.name for a in naming if a.name), ""),
        sport=next((a.sport for a in every if a.sport not in UNKNOWN_SPORTS), activity.sport),
        workout_type=next((a.workout_type for a in every if a.workout_type), activity.workout_type),
        perceived_exertion=first(a.perceived_exertion for a in every),
        laps=next((a.laps for a in every if a.laps), ()),
        weather_temperature_c=first(a.weather_temperature_c for a in every),
        dew_point_c=first(a.dew_point_c for a in every),
        timezone=first(a.timezone for a in every),
    )


def same_clock(first: Activity, second: Activity) -> bool:
    """Whether two activities are of one run by their clocks, sport and speed alone."""
    if not _may_be_one(first, second) or _clock_shared_s(first, second) <= 0.0:
        return False
    return not (_long_paused(first) or _long_paused(second)) or _as_far(first, second)


def _near(ordered: Sequence[Activity]) -> Iterator[tuple[Activity, Activity]]:
    """Pairs worth a closer look: overlapping, or of the same length and distance within a day."""
    for i, first in enumerate(ordered):
        reach = max(first.end, first.start + FURTHEST_OFF)
        for second in ordered[i + 1 :]:
            if second.start > reach:
                break
            if _may_be_one(first, second) and (_clock_shared_s(first, second) > 0.0 or _alike(first, second)):
                yield first, second


def _may_be_one(first: Activity, second: Activity) -> bool:
    """Whether sports and mean speeds allow two activities to be one."""
    if min(first.elapsed_time_s, second.elapsed_time_s) <= 0:
        return False
    if _of_two_sports(first, second):
        return _is_strava_s_copy(first, second)
    if min(first.distance_m, second.distance_m) <= 0.0:
        return not (_holds_more(first, second) or _holds_more(second, first))
    speeds = sorted(a.distance_m / a.elapsed_time_s for a in (first, second))
    moving = sorted(a.distance_m / (a.moving_time_s or a.elapsed_time_s) for a in (first, second))
    return speeds[1] <= SPEEDS_APART * speeds[0] or moving[1] <= SPEEDS_APART * moving[0]


def _holds_more(workout: Activity, run: Activity) -> bool:
    """Whether a session of any sport, without distance and much longer than a run, had the run in it: it is no run."""
    whatever = workout.sport in UNKNOWN_SPORTS and run.sport not in UNKNOWN_SPORTS and workout.distance_m <= 0.0
    return whatever and run.elapsed_time_s < (1.0 - ALIKE) * workout.elapsed_time_s - ALIKE_S


def _alike(first: Activity, second: Activity) -> bool:
    """The same length, and the same distance where both have one."""
    elapsed = sorted((first.elapsed_time_s, second.elapsed_time_s))
    if elapsed[1] - elapsed[0] > ALIKE_S + ALIKE * elapsed[0]:
        return False
    distances = sorted((first.distance_m, second.distance_m))
    return distances[0] <= 0.0 or distances[1] <= (1.0 + ALIKE) * distances[0]


def _clock_shared_s(first: Activity, second: Activity) -> float:
    """Seconds that both spans cover where that is enough to be one run, else 0. Hidden starts say nothing."""
    if first.start_obscured or second.start_obscured:
        return 0.0
    shared = (min(first.end, second.end) - max(first.start, second.start)).total_seconds()
    part = shared / min(first.elapsed_time_s, second.elapsed_time_s)
    clearly = part >= SHARED or (part >= SHARED_ALIKE and shared >= LEAST_SHARED_S and _alike(first, second))
    return max(0.0, shared) if clearly else 0.0


def _shared_s(first: Measured, second: Measured) -> float:
    """Seconds of running that two recordings have in common, 0 where they are of two runs."""
    one, other = first[0], second[0]
    if not _may_be_one(one, other):
        return 0.0
    shared = _clock_shared_s(one, other)
    if shared and (_long_paused(one) or _long_paused(other)):
        return _recorded_together_s(first, second)
    if shared or not _alike(one, other) or abs(one.start - other.start) > FURTHEST_OFF:
        return shared
    return float(min(one.elapsed_time_s, other.elapsed_time_s)) if _copies(first, second) else 0.0


def _long_paused(activity: Activity) -> bool:
    return 0 < activity.moving_time_s < PAUSED * activity.elapsed_time_s


def _as_far(first: Activity, second: Activity) -> bool:
    """The same distance, or the same time in motion where one has none."""
    distances, moving = (sorted(pair) for pair in ((first.distance_m, second.distance_m), _in_motion(first, second)))
    near, far = distances if distances[0] > 0.0 else moving
    return far <= (1.0 + ALIKE) * near


def _in_motion(first: Activity, second: Activity) -> tuple[int, int]:
    return first.moving_time_s or first.elapsed_time_s, second.moving_time_s or second.elapsed_time_s


def _recorded_together_s(first: Measured, second: Measured) -> float:
    """Seconds for which both recordings hold running at the same time, where that is enough to be one run, else 0.

    Where one has no recording, the whole of the shorter one's running if they went as far, else 0.
    """
    one, other = _running(first[1]), _running(second[1])
    if not one.size or not other.size:
        return float(min(_in_motion(first[0], second[0]))) if _as_far(first[0], second[0]) else 0.0
    shared = np.intersect1d(one, other + round((second[0].start - first[0].start).total_seconds() / ROW_S)).size
    return float(shared * ROW_S) if shared >= SHARED_ALIKE * min(one.size, other.size) else 0.0


def _running(metrics: RunMetrics) -> IntArray:
    """The rows of a recording, counted from its start, in which a speed or a heart rate is known."""
    table = metrics.row_table()
    return np.flatnonzero((table[0] > 0) | (table[1] > 0))


def _covered(activity: Activity, mates: Sequence[tuple[float, Measured]]) -> bool:
    """Whether better recordings hold enough of `activity` for it to be left out."""
    if any(_alike(activity, other) for _, (other, _m) in mates):
        return True  # clocks apart, and one of them without a distance
    own = activity.moving_time_s if _long_paused(activity) else activity.elapsed_time_s
    if sum(seconds for seconds, _ in mates) >= COVERED * own:
        return True
    return 0.0 < COVERED_DISTANCE * activity.distance_m <= sum(other.distance_m for _, (other, _m) in mates)


def _copies(first: Measured, second: Measured) -> bool:
    """Whether two recordings hold the same values, whatever their clocks say.

    A treadmill's speeds are those of its programme, the same morning and evening: they tell nothing.
    """
    one, other = first[1].row_table().astype(np.float64), second[1].row_table().astype(np.float64)
    if is_treadmill(first[0]) or is_treadmill(second[0]):
        one[0] = np.nan
    one[one < 0], other[other < 0] = np.nan, np.nan
    return any(_same_values(*_slid(one, other, rows)) for rows in range(-SLIDE_ROWS, SLIDE_ROWS + 1))


def _slid(one: FloatArray, other: FloatArray, rows: int) -> tuple[FloatArray, FloatArray]:
    one, other = one[:, max(0, rows) :], other[:, max(0, -rows) :]
    length = min(one.shape[1], other.shape[1])
    return one[:, :length], other[:, :length]


def _same_values(one: FloatArray, other: FloatArray) -> bool:
    both = np.isfinite(one[1]) & np.isfinite(other[1])
    if both.sum() >= LEAST_ROWS:
        near = np.median(np.abs(one[1, both] - other[1, both])) <= SAME_BPM
        return bool(near) and _together(one[1, both], other[1, both], LEAST_SD_BPM)
    if np.isfinite(one[1]).any() and np.isfinite(other[1]).any():
        return False
    both = np.isfinite(one[0]) & np.isfinite(other[0])
    return bool(both.sum() >= LEAST_ROWS) and _together(one[0, both], other[0, both], 100.0 * LEAST_SD_M_S)


def _together(one: FloatArray, other: FloatArray, least_sd: float) -> bool:
    if min(one.std(), other.std()) < least_sd:
        return False
    return bool(np.corrcoef(one, other)[0, 1] >= SAME_CORRELATION)


def _rank(pair: Measured) -> tuple[bool, bool, bool, int, bool, int]:
    """Sorts the one that counts first."""
    activity, metrics = pair
    recorded = metrics.trust == "streams"
    seconds = metrics.heart_share * metrics.moving_s
    heart = seconds >= LEAST_HEART_S if recorded else metrics.mean_bpm is not None
    minutes = round(seconds / HEART_STEP_S)
    return not heart, activity.distance_m <= 0.0, not recorded, -minutes, activity.source != "strava", activity.id
