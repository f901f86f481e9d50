"""Real recordings with strain put into their streams: does easy heart rate raise a new alert, and only then?

Six-week windows after twenty weeks of history. The recordings lie beside the repository and are never part of it;
where they are absent there is nothing to print.
"""

import gzip
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path

import numpy as np

from daemon.metrics import AthleteSettings, RunMetrics, judge_runs, make_series, measure
from daemon.signals import History, RunTable, SignalParams, read
from daemon.strava.convert import read_activity, read_streams
from daemon.values import Activity, FloatArray, Run, Streams
from tests.benchmarks.figures import Figure, figure
from tests.benchmarks.floors import verdict

FOLDER = Path(__file__).parents[2] / "../shared/data"
NAMES = ("runner_a", "runner_b")

HISTORY, WINDOW = timedelta(weeks=20), timedelta(weeks=6)
EVERY = timedelta(weeks=2)
RAMP_DAYS = 10
FROM_S = 300.0
SLOPE = 28.0
"""What lost pace is worth: 5 bpm are 5/28 m/s."""

LEAST_EASY_RUNS = 4
"""A window with fewer easy runs can't show anything."""

SIGNAL = "easy_heart_rate"
Recording = tuple[Activity, Streams]
Inject = Callable[["Recorded", Recording, float], Recording]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One real runner: recordings, what they measure, and the two heart rates between which strain fades (bpm)."""

    recordings: list[Recording]
    measured: list[tuple[Activity, RunMetrics]]
    runs: list[Run]
    easy_bpm: float
    maximum_bpm: float


def load(name: str) -> Recorded:
    with gzip.open(FOLDER / f"{name}.json.gz") as file:
        items = json.load(file)["activities"]
    recordings = []
    for item in items:
        activity = read_activity(item["summary"], 1)
        streams = read_streams({key: {"data": data} for key, data in item["streams"].items()})
        if activity is not None and streams is not None:
            recordings.append((activity, streams))
    recordings.sort(key=lambda recording: recording[0].start)
    measured = [_measured(recording) for recording in recordings]
    runs = judge_runs(measured, AthleteSettings())
    easy = [run.easy.bpm for run in runs if run.easy]
    tops = [np.nanquantile(s.heart_rate_bpm, 0.99) for _, s in recordings if s.heart_rate_bpm is not None]
    return Recorded(recordings, measured, runs, float(np.median(easy)), float(np.quantile(tops, 0.98)))


def _measured(recording: Recording) -> tuple[Activity, RunMetrics]:
    activity, streams = recording
    return activity, measure(activity, make_series(streams))


def _share_of_ramp(day: date, begin: date) -> float:
    return float(np.clip(((day - begin).days + 1) / RAMP_DAYS, 0.0, 1.0))


def _strain(bpm: float) -> Inject:
    """`bpm` more on easy effort: from minute 5 of a run, fading to nothing at maximum heart rate."""

    def inject(runner: Recorded, recording: Recording, share: float) -> Recording:
        activity, streams = recording
        if streams.heart_rate_bpm is None:
            return recording
        heart = streams.heart_rate_bpm
        room = np.clip((runner.maximum_bpm - heart) / (runner.maximum_bpm - runner.easy_bpm), 0.0, 1.0)
        late = np.asarray(streams.time_s) >= FROM_S
        return _with_heart_rate(activity, streams, np.round(heart + bpm * share * room * late))

    return inject


def _lost_pace(bpm: float) -> Inject:
    """The same strain at an unchanged heart rate: speed and distance scaled down by what `bpm` are worth."""

    def inject(runner: Recorded, recording: Recording, share: float) -> Recording:
        activity, streams = recording
        mean = activity.distance_m / max(1, activity.moving_time_s)
        if mean <= 0.0 or streams.heart_rate_bpm is None:
            return recording
        factor = 1.0 - share * bpm / SLOPE / mean
        slower = replace(
            streams, distance_m=_times(streams.distance_m, factor), speed_m_s=_times(streams.speed_m_s, factor)
        )
        return replace(activity, distance_m=activity.distance_m * factor), slower

    return inject


def _new_device(bpm: float) -> Inject:
    """Another watch that reads `bpm` more, everywhere and at once."""

    def inject(runner: Recorded, recording: Recording, share: float) -> Recording:
        activity, streams = recording
        renamed = replace(activity, device="Another watch")
        if streams.heart_rate_bpm is None:
            return renamed, streams
        return _with_heart_rate(renamed, streams, streams.heart_rate_bpm + bpm)

    return inject


def _with_heart_rate(activity: Activity, streams: Streams, heart: FloatArray) -> Recording:
    more = float(np.nanmean(heart) - np.nanmean(streams.heart_rate_bpm)) if streams.heart_rate_bpm is not None else 0.0
    average = activity.average_heart_rate_bpm
    return (
        replace(activity, average_heart_rate_bpm=None if average is None else average + more),
        replace(streams, heart_rate_bpm=heart),
    )


def _times(values: FloatArray | None, factor: float) -> FloatArray | None:
    return None if values is None else values * factor


INJECTIONS: dict[str, Inject] = {
    "+5 bpm": _strain(5.0),
    "+8 bpm": _strain(8.0),
    "5 bpm as lost pace": _lost_pace(5.0),
    "+5 bpm, new device": _new_device(5.0),
}


def windows(runner: Recorded, every: timedelta = EVERY) -> list[date]:
    """The first days of the windows in which there is something to see."""
    days = [run.day for run in runner.runs]
    easy = np.array([run.day.toordinal() for run in runner.runs if run.easy])
    found, begin = [], days[0] + HISTORY
    while begin + WINDOW <= days[-1]:
        first = begin.toordinal()
        if np.count_nonzero((easy >= first) & (easy < first + WINDOW.days)) >= LEAST_EASY_RUNS:
            found.append(begin)
        begin += every
    return found


def alerts(runs: Sequence[Run], begin: date, params: SignalParams) -> list[bool] | None:
    """Whether easy heart rate is at alert on the day before the window and on each of its days; None: never judged."""
    end = begin + WINDOW
    table = RunTable.of([run for run in runs if run.day < end])
    levels = []
    for n in range(-1, WINDOW.days):
        day = begin + timedelta(days=n)
        signal = read(History.at(table, day, datetime.combine(day, time.max, UTC)), params).signal(SIGNAL)
        levels.append(None if signal is None else signal.level)
    return None if all(level is None for level in levels) else [level == "alert" for level in levels]


def injected(runner: Recorded, begin: date, inject: Inject) -> list[Run]:
    """The judged runs with the injection in the window's own."""
    measured = []
    for recording, known in zip(runner.recordings, runner.measured, strict=True):
        day = recording[0].day
        if day >= begin + WINDOW:
            break
        share = _share_of_ramp(day, begin)
        measured.append(_measured(inject(runner, recording, share)) if day >= begin else known)
    return judge_runs(measured, AthleteSettings())


def seen(name: str, every: timedelta = EVERY, params: SignalParams | None = None) -> dict[str, list[bool]]:
    """By injection, and for "untouched", whether each window that can be judged had a new alert."""
    runner, settings = load(name), params or SignalParams()
    found: dict[str, list[bool]] = {"untouched": []} | {kind: [] for kind in INJECTIONS}
    for begin in windows(runner, every):
        plain = alerts(runner.runs, begin, settings)
        if plain is None:
            continue
        found["untouched"].append(any(now and not before for before, now in zip(plain, plain[1:], strict=False)))
        for kind, inject in INJECTIONS.items():
            changed = alerts(injected(runner, begin, inject), begin, settings) or [False] * len(plain)
            found[kind].append(any(now and not then for now, then in zip(changed[1:], plain[1:], strict=True)))
    return found


def figures(*, every: timedelta = EVERY, processes: int = 1) -> dict[str, dict[str, Figure]]:
    """By runner and "both", the share of windows with a new alert; empty where there are no recordings."""
    names = [name for name in NAMES if (FOLDER / f"{name}.json.gz").exists()]
    if processes == 1:
        each = [seen(name, every) for name in names]
    else:
        with ProcessPoolExecutor(processes) as pool:
            each = list(pool.map(partial(seen, every=every), names))
    out = {name: _counted([found], every) for name, found in zip(names, each, strict=True)}
    return out | {"both": _counted(each, every)} if len(names) > 1 else out


FLOORS = {
    "untouched": (True, 0.15),
    "+5 bpm": (False, 0.45),
    "+8 bpm": (False, 0.65),
    "5 bpm as lost pace": (False, 0.35),
    "+5 bpm, new device": (True, 0.20),
}
"""By injection, whether the bound is the most or the least, and the bound: of both runners together (issue 3)."""


def show(found: dict[str, dict[str, Figure]]) -> None:
    """The share of windows with a new alert, by injection and runner, and whether the floors hold."""
    print("\nDoes it hold on real recordings? (six-week windows with a new alert, easy heart rate)")
    if not found:
        print(f"  skipped: no recordings at {FOLDER}")
        return
    print(f"  {'':24}" + "".join(f"{name:28}" for name in found) + "floor")
    together = list(found.values())[-1]
    for kind, (most, bound) in FLOORS.items():
        cells = "".join(f"{f'{by[kind].text()} of {by[kind].of:.0f}':28}" for by in found.values())
        said = verdict(together[kind], bound, most=most)
        print(f"  {kind:24}{cells}{'≤' if most else '≥'} {100 * bound:.0f} %  {said}")


def _counted(each: Sequence[dict[str, list[bool]]], every: timedelta) -> dict[str, Figure]:
    """Windows overlap: those within one window's length count as one independent draw."""
    per_block = max(1, WINDOW // every)
    return {
        kind: figure(
            (1000 * who + n // per_block, float(hit), 1.0)
            for who, found in enumerate(each)
            for n, hit in enumerate(found[kind])
        )
        for kind in ("untouched", *INJECTIONS)
    }
