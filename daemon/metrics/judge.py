"""The causal fold: every run classified and measured against what was usual before it. Pure, linear, oldest first."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from daemon.metrics.easy import Outcome, easy_heart_rate
from daemon.metrics.kind import Judged, classify
from daemon.metrics.load import load_of
from daemon.metrics.run_metrics import RunMetrics
from daemon.metrics.usual import HANDFUL, AthleteSettings, Lesson, Past, Usual, is_treadmill, lesson
from daemon.values import Activity, Run

NOTE_SHARE = 0.05
"""A sensor fault is noted from this share of the moving time on."""

SLOWEST_RUN_M_S = 1.2
"""Slower on average than this is a walk, whatever the watch was told (m/s)."""


def judge_runs(activities: Sequence[tuple[Activity, RunMetrics]], settings: AthleteSettings) -> list[Run]:
    """Every activity as the detectors see it, oldest first (the order of the answer, whatever the order given).

    A run is judged by the usual of the teaching runs before it (`usual.Past`: ground runs with a known speed, at most
    30 of the last 12 weeks, and the last 6 however old). Runs with fewer than `HANDFUL` (6) teaching runs before
    them are judged by the usual of the first 6 teaching runs of the list, themselves included. So adding later
    activities never changes an earlier result once a list holds 6 teaching runs.
    """
    ordered = sorted(activities, key=lambda pair: (pair[0].start, pair[0].id))
    past = Past(_first_lessons(ordered))
    out = []
    for activity, metrics in ordered:
        out.append(_judge(activity, metrics, past.usual(activity.start), settings))
        taught = lesson(activity, metrics)
        if taught is not None:
            past.learn(taught)
    return out


def _first_lessons(ordered: Iterable[tuple[Activity, RunMetrics]]) -> list[Lesson]:
    first: list[Lesson] = []
    for activity, metrics in ordered:
        taught = lesson(activity, metrics)
        if taught is not None:
            first.append(taught)
            if len(first) == HANDFUL:
                break
    return first


# Between two evaluations of the daemon a few runs change; the same four values give the same run.
@lru_cache(maxsize=1024)
def _judge(activity: Activity, metrics: RunMetrics, usual: Usual | None, settings: AthleteSettings) -> Run:
    judged = _kind(activity, metrics, usual, settings)
    easy, left_out = _easy(activity, metrics, usual, judged)
    minutes = metrics.moving_s / 60.0 if activity.is_run else 0.0
    hard_minutes = min(judged.hard_s / 60.0, minutes)
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
        easy=easy,
        left_out=left_out,
        device=activity.device,
        trainer=activity.trainer,
        perceived_exertion=activity.perceived_exertion,
        trust=metrics.trust,
        notes=_notes(metrics),
    )


def _kind(activity: Activity, metrics: RunMetrics, usual: Usual | None, settings: AthleteSettings) -> Judged:
    if not activity.is_run or (metrics.mean_m_s is not None and metrics.mean_m_s < SLOWEST_RUN_M_S):
        return Judged("other", False)
    if usual is None:
        return Judged("easy", False)
    return classify(activity, metrics, usual, settings)


def _easy(activity: Activity, metrics: RunMetrics, usual: Usual | None, judged: Judged) -> Outcome:
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
    return easy_heart_rate(metrics, usual, judged.bouts)


def _hour(activity: Activity) -> float | None:
    """Local time of day at the start (h), None where Strava hides it."""
    if activity.start_obscured:
        return None
    seconds = (activity.start.hour * 60 + activity.start.minute) * 60 + activity.start.second + activity.utc_offset_s
    return round(seconds % 86400 / 3600.0, 3)


def _notes(metrics: RunMetrics) -> tuple[str, ...]:
    return tuple(f"{words}: {share:.0%} of the run" for words, share in metrics.faults if share >= NOTE_SHARE)
