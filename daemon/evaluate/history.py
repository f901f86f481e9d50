"""What is known of the runner's history: activities as classified and measured runs, and what the runner said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from daemon import metrics
from daemon.config import Config
from daemon.errors import UserError
from daemon.measures import Units
from daemon.metrics import AthleteSettings, RunMetrics
from daemon.signals import SignalParams
from daemon.signals.answered import leave_out
from daemon.store import Store, grants
from daemon.store import activities as rows
from daemon.store.answers import answers, feels
from daemon.store.progress import Progress, progress, save_progress
from daemon.values import RUN_SPORTS, Activity, Answer, Feel, Run

LARGEST_ID = 2**63
"""What a database column holds; no id of Strava's comes near it."""


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


def units_of(state: Progress, config: Config) -> Units:
    """The units of every text: those of the config, else the runner's at Strava, else metric."""
    chosen = state.units if config.athlete.units == "auto" else config.athlete.units
    return "imperial" if chosen == "imperial" else "metric"


def units(store: Store, athlete_id: int | None, config: Config) -> Units:
    """As `units_of`, for whoever's runs are stored. Raises StoreError."""
    with store.read() as session:
        return units_of(Progress() if athlete_id is None else progress(session, athlete_id), config)


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
        twice = rows.doubles(session, athlete_id)
        others = rows.by_id(session, athlete_id, twice)
    # Of one run recorded twice the runner may have named either recording.
    felt_by_run: dict[int, Feel] = {twice.get(number, number): feel for number, feel in felt.items()}
    judged = metrics.judge_runs(_completed(stored, twice, others), athlete_settings(config))
    told = (replace(run, feel=felt_by_run[run.id]) if run.id in felt_by_run else run for run in judged)
    return Facts(leave_out(told, said), said)


def recordings(store: Store, athlete_id: int) -> list[tuple[Activity, RunMetrics]]:
    """Every living activity with its numbers, oldest first, without doubles. Raises StoreError.

    Raises ValueError where the numbers are those of another version of the program, until `measure_new` was there.
    """
    with store.read() as session:
        stored = rows.measured(session, athlete_id)
        twice = rows.doubles(session, athlete_id)
        others = rows.by_id(session, athlete_id, twice)
    return _completed(stored, twice, others)


def _completed(
    stored: Sequence[tuple[Activity, str]], twice: Mapping[int, int], others: Mapping[int, Activity]
) -> list[tuple[Activity, RunMetrics]]:
    """What is stored, each activity with what only its doubles say of it."""
    of: dict[int, list[Activity]] = {}
    for number, counts in twice.items():
        of.setdefault(counts, []).append(others[number])
    return [(metrics.completed(known, of.get(known.id, ())), metrics.from_json(data)) for known, data in stored]


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
        living = [k for k in rows.known(session, athlete_id).values() if not k.deleted and k.double_of is None]
        held = [k for k in living if k.sport in RUN_SPORTS]
        newest = max(held, key=lambda k: (k.start, k.id), default=None)
        found = None if newest is None else rows.activity(session, athlete_id, newest.id)
    if found is None:
        raise UserError("there is no run yet; fetch yours with `pullback sync`, or `pullback import` them")
    return found


def counts_instead(store: Store, athlete_id: int, number: int) -> Activity | None:
    """The recording that counts where activity `number` is the poorer one of two of the same run, else None."""
    with store.read() as session:
        better = rows.doubles(session, athlete_id).get(number)
        return None if better is None else rows.activity(session, athlete_id, better)


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
        athlete_id = grants.athlete(session)
        newest = None if athlete_id is None else rows.newest(session, athlete_id)
    return now.astimezone(home_zone(config, newest))


def measure_new(store: Store, athlete_id: int) -> None:
    """Makes the metrics of every activity that has none of this version, and says which recordings are doubles.

    To be called under the right to judge. Whoever changes a fact notes it (`note_change`), so that none is overlooked.
    """
    with store.read() as session:
        due = rows.outdated(session, athlete_id, metrics.VERSION)
        state = progress(session, athlete_id)
    for start in range(0, len(due), 50):
        batch = due[start : start + 50]
        measured = [
            metrics.to_json(metrics.measure(d.activity, None if d.series is None else metrics.decode_series(d.series)))
            for d in batch
        ]
        with store.write() as session:
            # What a pull has changed since it was read is measured the next time.
            current = rows.current(session, athlete_id, batch)
            made = ((item.activity.id, numbers) for item, numbers in zip(batch, measured, strict=True))
            kept = {number: numbers for number, numbers in made if number in current}
            rows.save_metrics(session, athlete_id, kept, metrics.VERSION)
    if due or (state.changes and state.paired_at != state.changes):
        _pair(store, athlete_id)


def _pair(store: Store, athlete_id: int) -> None:
    """Records which recordings are doubles; days on which that changed are to be judged again."""
    with store.read() as session:
        seen = progress(session, athlete_id).changes
        measured = {activity.id: activity for activity in rows.measured_facts(session, athlete_id)}
        before = rows.doubles(session, athlete_id)
        found: dict[int, int] = {}
        for group in metrics.groups(measured.values()):
            numbers = rows.metrics_of(session, athlete_id, [activity.id for activity in group])
            found |= metrics.doubles((a, metrics.from_json(numbers[a.id])) for a in group)
    changed = {n: found.get(n) for n in found.keys() | before.keys() if found.get(n) != before.get(n)}
    touched = {*changed, *(found[n] for n in changed if n in found), *(before[n] for n in changed if n in before)}
    days = [measured[n].day for n in touched if n in measured]
    with store.write() as session:
        rows.save_doubles(session, athlete_id, changed)
        state = progress(session, athlete_id)
        # No new change of facts, so not counted as one: the judgement under way takes it up.
        first = min((day for day in (*days, state.judge_from) if day is not None), default=None)
        save_progress(session, athlete_id, replace(state, judge_from=first, paired_at=seen))
