"""What is known of the runner's history: activities as classified and measured runs, and what the runner said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from daemon import metrics
from daemon.config import Config
from daemon.errors import UserError
from daemon.metrics import AthleteSettings, RunMetrics
from daemon.signals import SignalParams
from daemon.signals.answered import leave_out
from daemon.store import Store, grants
from daemon.store import activities as rows
from daemon.store.answers import answers, feels
from daemon.values import RUN_SPORTS, Activity, Answer, Feel, Run

LARGEST_ID = 2**63
"""What a database column holds; no id of Strava's comes near it."""


def doubles(activities: Sequence[Activity]) -> dict[int, int]:
    """Runs that a second device recorded as well: id of the poorer recording to id of the one that counts.

    Two activities are one when they share at least 80 % of the shorter one's time. The richer one has heart rate,
    then comes from a watch rather than by hand, then is longer.
    """
    poorer: dict[int, int] = {}
    runs = sorted((a for a in activities if a.is_run), key=lambda a: a.start)
    for i, second in enumerate(runs):
        for first in reversed(runs[max(0, i - 4) : i]):
            shared = (min(first.end, second.end) - second.start).total_seconds()
            shorter = min(first.elapsed_time_s, second.elapsed_time_s)
            if first.id in poorer or shorter <= 0 or shared < 0.8 * shorter:
                continue
            keep, drop = (first, second) if _richness(first) >= _richness(second) else (second, first)
            poorer[drop.id] = keep.id
            break
    return poorer


def _richness(activity: Activity) -> tuple[bool, bool, int, int]:
    return activity.has_heart_rate, not activity.manual, activity.elapsed_time_s, -activity.id


def params(config: Config) -> SignalParams:
    """The detectors' settings of a config."""
    return SignalParams(**config.signals)


def athlete_settings(config: Config) -> AthleteSettings:
    athlete = config.athlete
    return AthleteSettings(
        max_heart_rate=athlete.max_heart_rate,
        resting_heart_rate=athlete.resting_heart_rate,
        threshold_heart_rate=athlete.threshold_heart_rate,
        sex=athlete.sex,
    )


@dataclass(frozen=True, slots=True)
class Facts:
    """What the days are judged from: the runs, oldest first, without doubles, and what the runner said of days.

    The runs carry how they felt; those on days the runner explained are out of every comparison.
    """

    runs: list[Run]
    answers: tuple[Answer, ...]


def facts(store: Store, athlete_id: int, config: Config) -> Facts:
    """Everything known of the runner at one moment. Raises StoreError."""
    with store.read() as session:
        stored = rows.measured(session, athlete_id)
        felt = feels(session, athlete_id)
        said = answers(session, athlete_id)
    measured, twice = _without_doubles(stored)
    # Of one run recorded twice the runner may have named either recording.
    felt_by_run: dict[int, Feel] = {twice.get(number, number): feel for number, feel in felt.items()}
    judged = metrics.judge_runs(measured, athlete_settings(config))
    return Facts(leave_out((replace(run, feel=felt_by_run.get(run.id)) for run in judged), said), said)


def recordings(store: Store, athlete_id: int) -> list[tuple[Activity, RunMetrics]]:
    """Every living activity with its numbers, oldest first, without doubles. Raises StoreError.

    Raises ValueError where the numbers are those of another version of the program, until `measure_new` was there.
    """
    with store.read() as session:
        stored = rows.measured(session, athlete_id)
    return _without_doubles(stored)[0]


def _without_doubles(
    stored: Sequence[tuple[Activity, str]],
) -> tuple[list[tuple[Activity, RunMetrics]], dict[int, int]]:
    """The recordings that count, and which one counts for each that doesn't."""
    twice = doubles([activity for activity, _ in stored])
    return [(activity, metrics.from_json(data)) for activity, data in stored if activity.id not in twice], twice


def runs(store: Store, athlete_id: int, config: Config) -> list[Run]:
    """Every living activity, classified and measured by this version, oldest first, no doubles. Raises StoreError."""
    with store.only_one("judgement", wait_s=60.0):
        measure_new(store, athlete_id)
    return facts(store, athlete_id, config).runs


def activity(store: Store, athlete_id: int, number: int) -> Activity:
    """The living activity of that id. Raises UserError where there is none."""
    with store.read() as session:
        known = rows.known_by_id(session, athlete_id, [number]) if number < LARGEST_ID else {}
        held, found = known.get(number), rows.activity(session, athlete_id, number) if known else None
    if held is None or found is None:
        raise UserError(f"there is no run {number} here; `pullback runs` lists yours with their ids")
    if held.deleted:
        raise UserError(
            f"run {number} was deleted at Strava, so it counts no more; `pullback runs` lists those that do"
        )
    return found


def newest_run(store: Store, athlete_id: int) -> Activity:
    """The run that started last. Raises UserError where there is none."""
    with store.read() as session:
        held = [k for k in rows.known(session, athlete_id).values() if not k.deleted and k.sport in RUN_SPORTS]
        newest = max(held, key=lambda k: (k.start, k.id), default=None)
        found = None if newest is None else rows.activity(session, athlete_id, newest.id)
    if found is None:
        raise UserError("there is no run yet; fetch yours with `pullback sync`")
    return found


def counts_instead(store: Store, athlete_id: int, number: int) -> Activity | None:
    """The recording that counts where activity `number` is the poorer one of two of the same run, else None."""
    with store.read() as session:
        everything = {known.id: known for known, _ in rows.measured(session, athlete_id)}
    better = doubles(list(everything.values())).get(number)
    return None if better is None else everything[better]


def home_zone(config: Config, newest: Activity | None) -> tzinfo:
    """Where the runner's days begin: the configured zone, else that of the latest activity, else UTC."""
    if config.athlete.timezone is not None:
        return config.athlete.timezone
    if newest is None:
        return UTC
    if newest.timezone is not None:
        return ZoneInfo(newest.timezone)
    return timezone(timedelta(seconds=newest.utc_offset_s))


def local_now(store: Store, config: Config, now: datetime) -> datetime:
    """`now` on the runner's wall clock. Raises StoreError."""
    with store.read() as session:
        held = grants.grant(session)
        newest = None if held is None else rows.newest(session, held.athlete_id)
    return now.astimezone(home_zone(config, newest))


def measure_new(store: Store, athlete_id: int) -> None:
    """Makes the metrics of every activity that has none of this version."""
    with store.read() as session:
        due = rows.outdated(session, athlete_id, metrics.VERSION)
    for start in range(0, len(due), 50):
        batch = due[start : start + 50]
        measured = [
            metrics.to_json(metrics.measure(d.activity, None if d.series is None else metrics.decode_series(d.series)))
            for d in batch
        ]
        with store.write() as session:
            for item, numbers in zip(batch, measured, strict=True):
                # What a pull has changed since it was read is measured the next time.
                if rows.is_current(session, item):
                    rows.save_metrics(session, athlete_id, item.activity.id, metrics.VERSION, numbers)
