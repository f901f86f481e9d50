"""The causal fold: every run classified and measured against what was usual before it. Pure, linear, oldest first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from daemon.metrics import by_heart
from daemon.metrics.control import control_of, work_of
from daemon.metrics.easy import Outcome, easy_heart_rate
from daemon.metrics.efforts import Effort, effort_of, maximum
from daemon.metrics.kind import Judged, classify
from daemon.metrics.load import load_of
from daemon.metrics.pieces import Measured, joined, offsets, sessions
from daemon.metrics.run_metrics import RunMetrics
from daemon.metrics.usual import HANDFUL, TRAIL, AthleteSettings, Lesson, Past, Usual, is_treadmill, lesson
from daemon.metrics.weather import air_of
from daemon.values import Activity, Control, EasyHeartRate, Run, Work

NOTE_SHARE = 0.05
"""A sensor fault is noted from this share of the moving time on."""

SLOWEST_RUN_M_S = 1.2
"""Slower on average than this is a walk, whatever the watch was told (m/s)."""


@dataclass(frozen=True, slots=True)
class Session:
    """One session of the fold: its parts, what was usual before it, the maximum heart rate (bpm) where it counts, and
    the runs that came of it, one for each part."""

    parts: tuple[Measured, ...]
    usual: Usual | None
    maximum_bpm: float | None
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class _Told:
    """What a session says that belongs to one of its parts."""

    hard_s: float
    easy: EasyHeartRate | None = None
    left_out: str | None = None
    control: Control | None = None
    work: Work | None = None


def judge_runs(activities: Sequence[Measured], settings: AthleteSettings) -> list[Run]:
    """Every activity as the detectors see it, oldest first (the order of the answer, whatever the order given).

    A run is judged by the usual of the teaching runs before it (`usual.Past`: ground runs with a known speed, at most
    16 of the last 12 weeks, and the last 6 however old). Runs with fewer than `HANDFUL` (6) teaching runs before
    them are judged by the usual of the first 6 teaching runs of the list, themselves included. Runs that are parts of
    one session (`pieces`) are judged as a whole: each keeps its own row, and hard days are what intensity counts. So
    activities of later days never change an earlier result once a list holds 6 teaching runs.
    """
    out = [run for session in fold(activities, settings) for run in session.runs]
    return sorted(out, key=lambda run: (run.start, run.id))


def fold(activities: Iterable[Measured], settings: AthleteSettings) -> list[Session]:
    """Each session as it is judged, by the start of its first part."""
    groups = [tuple(parts) for parts in sessions(sorted(activities, key=lambda pair: (pair[0].start, pair[0].id)))]
    # Between two evaluations the newest runs change: what lies before the first change is what it was.
    done = _unchanged(groups, settings)
    steps = [*done, *(_Step(parts, (whole := joined(parts)), lesson(*whole)) for parts in groups[len(done) :])]
    past = Past([step.taught for step in steps if step.taught is not None][:HANDFUL])
    efforts: list[Effort] = []
    for n, step in enumerate(steps):
        session = step.session or _session(step, past, settings, efforts)
        steps[n] = replace(step, session=session) if step.session is None else step
        if step.taught is not None:
            past.learn(step.taught)
            effort = effort_of(step.whole[0].day, step.whole[1]) if session.runs[0].hard else None
            efforts += [effort] if effort else []
    _LAST[:] = [(settings, tuple(steps))]
    return [step.session for step in steps if step.session is not None]


@dataclass(frozen=True, slots=True)
class _Step:
    """One session on the way through the fold: its parts, joined, what it teaches, and how it was judged."""

    parts: tuple[Measured, ...]
    whole: Measured
    taught: Lesson | None
    session: Session | None = None


_LAST: list[tuple[AthleteSettings, tuple[_Step, ...]]] = []
"""The last fold, if there was one: the same activities, judged by the same settings, give the same again."""


def _unchanged(groups: Sequence[tuple[Measured, ...]], settings: AthleteSettings) -> tuple[_Step, ...]:
    """The steps of the last fold with which one over these sessions begins."""
    before, steps = _LAST[0] if _LAST else (settings, ())
    if before != settings:
        return ()
    count = 0
    for parts, step in zip(groups, steps, strict=False):
        if parts != step.parts:
            break
        count += 1
    # The first runs are judged by lessons that come after them.
    taught = sum(step.taught is not None for step in steps[:count])
    return steps[:count] if taught >= HANDFUL else ()


def _session(step: _Step, past: Past, settings: AthleteSettings, efforts: Sequence[Effort]) -> Session:
    activity, _ = step.whole
    usual, highest = past.usual(activity.start), None
    if is_by_heart(activity):
        confirmed = maximum(efforts, activity.day)
        highest = settings.max_heart_rate or (confirmed[0].bpm if confirmed else None)
    return Session(step.parts, usual, highest, _judge(step.parts, usual, settings, highest))


def is_by_heart(activity: Activity) -> bool:
    """Whether only heart rate says how hard it was: other sports, and belts."""
    return not activity.is_run or is_treadmill(activity)


def _judge(
    parts: tuple[Measured, ...], usual: Usual | None, settings: AthleteSettings, maximum_bpm: float | None
) -> tuple[Run, ...]:
    activity, metrics = joined(parts)
    judged = kind_of(activity, metrics, usual, settings, maximum_bpm)
    told = _told(activity, metrics, usual, judged)
    if len(parts) == 1:
        return (_run(activity, metrics, usual, judged, told),)
    main = max(range(len(parts)), key=lambda k: (parts[k][1].moving_s, -k))
    why = told.left_out if judged.hard else "read with another part of the run"
    out = []
    for k, ((own, numbers), hard_s) in enumerate(zip(parts, _shared(parts, metrics, judged), strict=True)):
        said = replace(told, hard_s=hard_s) if k == main else _Told(hard_s, left_out=why)
        out.append(_run(own, numbers, usual, judged, said))
    return tuple(out)


def _shared(parts: Sequence[Measured], whole: RunMetrics, judged: Judged) -> list[float]:
    """The seconds of hard running that fall on each part."""
    if not judged.work:
        return [judged.hard_s * m.moving_s / max(whole.moving_s, 1.0) for _, m in parts]
    edges = [*offsets(parts), int(whole.elapsed_s) + 1]
    return [
        float(sum(bout.seconds for bout in judged.work if begin <= bout.start_s < end))
        for begin, end in zip(edges, edges[1:], strict=False)
    ]


def _told(activity: Activity, metrics: RunMetrics, usual: Usual | None, judged: Judged) -> _Told:
    easy, left_out = easy_of(activity, metrics, usual, judged)
    if usual is None or is_by_heart(activity) or judged.kind == "other" or metrics.trust == "summary":
        return _Told(judged.hard_s, easy, left_out)
    if judged.hard:
        return _Told(judged.hard_s, easy, left_out, work=work_of(metrics, judged.work, usual))
    return _Told(judged.hard_s, easy, left_out, control=control_of(metrics, judged.surges))


def _run(activity: Activity, metrics: RunMetrics, usual: Usual | None, judged: Judged, told: _Told) -> Run:
    minutes = metrics.moving_s / 60.0 if activity.is_run else 0.0
    hard_minutes = min(told.hard_s / 60.0, minutes)
    return Run(
        id=activity.id,
        start=activity.start,
        end=activity.end,
        day=activity.day,
        hour=_hour(activity),
        sport=activity.sport,
        name=activity.name,
        kind=judged.kind,
        hard=judged.hard,
        distance_m=activity.distance_m or metrics.distance_m,
        moving_s=metrics.moving_s,
        load=round(load_of(activity, metrics, usual), 3),
        easy_minutes=round(minutes - hard_minutes, 3),
        hard_minutes=round(hard_minutes, 3),
        easy=told.easy,
        left_out=told.left_out,
        device=activity.device,
        trainer=activity.trainer,
        perceived_exertion=activity.perceived_exertion,
        trust=metrics.trust,
        notes=_notes(metrics),
        control=told.control,
        work=told.work,
        air_c=air_of(activity),
    )


def kind_of(
    activity: Activity, metrics: RunMetrics, usual: Usual | None, settings: AthleteSettings, maximum_bpm: float | None
) -> Judged:
    """What an activity was: runs on the ground by speed and structure, the rest by heart rate."""
    if is_by_heart(activity):
        limit = by_heart.hard_from(activity, usual, settings, maximum_bpm)
        return by_heart.judged(activity, metrics, usual, limit)
    if metrics.mean_m_s is not None and metrics.mean_m_s < SLOWEST_RUN_M_S:
        return Judged("other", False, "a walk")
    return Judged("easy", False, "no pace") if usual is None else classify(activity, metrics, usual, settings)


def easy_of(activity: Activity, metrics: RunMetrics, usual: Usual | None, judged: Judged) -> Outcome:
    """The easy heart rate or the first reason that rules it out."""
    if not activity.is_run:
        return None, "not a run"
    if is_treadmill(activity):
        return None, "treadmill"
    if activity.manual:
        return None, "entered by hand"
    if judged.kind == "other":
        return None, "a walk"
    if judged.hard:
        return None, "hard session"
    if usual is None:
        return None, "no pace"
    if (activity.sport == TRAIL) != usual.trail:
        return None, "trail" if activity.sport == TRAIL else "road, unlike most of the runs"
    return easy_heart_rate(metrics, usual, judged.surges)


def _hour(activity: Activity) -> float | None:
    """Local time of day at the start (h), None where Strava hides it."""
    if activity.start_obscured:
        return None
    seconds = (activity.start.hour * 60 + activity.start.minute) * 60 + activity.start.second + activity.utc_offset_s
    return round(seconds % 86400 / 3600.0, 3)


def _notes(metrics: RunMetrics) -> tuple[str, ...]:
    return tuple(f"{words}: {share:.0%} of the run" for words, share in metrics.faults if share >= NOTE_SHARE)
