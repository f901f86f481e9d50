"""What a run is called and whether it was hard: by speed and structure against the runner's own usual.

Short repetitions are never judged by heart rate, which lags them; longer bouts need speed and a response; an
easy-paced run with a high heart rate stays easy. Names never count; workout type and laps only lower the threshold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from daemon.metrics.bouts import FAST, SHORT_FAST, Bout, find_bouts
from daemon.metrics.run_metrics import RunMetrics
from daemon.metrics.usual import RIEGEL, AthleteSettings, Usual
from daemon.values import Activity, Kind, Lap

RACE_TYPE, LONG_TYPE, WORKOUT_TYPE = 1, 2, 3
HINTED_FAST = 1.07
"""Threshold for a bout where the runner or the laps say it was a workout."""

SHORT_S = 180
"""Up to here speed and repetition decide; longer bouts need a response."""

BRIEF_S = 40
"""What 25 s look like in rows of 10 s at worst. Brief bouts are strides, or work where there are too many of them."""

LONGEST_REPETITION_S = 480
LEAST_WORK_S, LEAST_WORK_SHARE = 180, 0.05
"""Less fast running than this, in seconds and as a share of the run, doesn't make a session."""

TEMPO_S = 480
RESPONSE_BPM = 9.0
"""A bout answers where heart rate stands this far above the usual easy heart rate [ENG]: half of the way from easy to
VT2, and more than the 6 bpm that ten percent more speed costs by itself."""

WANDER = 1.3
"""A bout stands out from how far speed wanders by itself by this factor [measured on two watches]."""

BLIND_FAST = 1.15
"""Without heart rate a longer bout must be this fast."""

STRIDE = 1.25
"""A stride is at least this multiple of easy speed, rounding by 10 s included."""

STRIDES_S = 300
STRIDES_MOST = 10
HILL_GRADE = 0.04
HILL_RISE_BPM = 10.0
RACE_EFFORT = 0.97
RACE_SPEED = 1.12
RACE_SHARE = 0.8
LONG_RATIO = 1.5
LONG_LEAST_S = 2700
SUMMARY_FAST = 1.12


@dataclass(frozen=True, slots=True)
class Judged:
    """Kind and hardness of a run, the seconds of hard running in it, and the fast bouts found."""

    kind: Kind
    hard: bool
    hard_s: float = 0.0
    bouts: tuple[Bout, ...] = ()


def classify(activity: Activity, metrics: RunMetrics, usual: Usual, settings: AthleteSettings) -> Judged:
    """The session kind of one run on its feet (see the module)."""
    if metrics.trust == "summary" or not metrics.rows:
        return _by_summary(activity, metrics, usual)
    hinted = activity.workout_type in (RACE_TYPE, WORKOUT_TYPE) or laps_alternate(activity.laps, usual.speed_m_s)
    fast = fast_from(usual, hinted)
    bouts = tuple(find_bouts(metrics, usual.speed_m_s, fast))
    brief = [bout for bout in bouts if bout.seconds <= BRIEF_S and bout.speed >= STRIDE * max(bout.rest, 1.0)]
    strides = 3 <= len(brief) <= STRIDES_MOST and sum(bout.seconds for bout in brief) <= STRIDES_S
    work = [bout for bout in bouts if is_work(bout, fast, usual, settings)]
    if len(brief) > STRIDES_MOST:
        work += brief
    long = is_long(activity, metrics, usual)
    if is_race(activity, metrics, usual, work):
        return Judged("race", True, sum(bout.seconds for bout in work) or metrics.moving_s, bouts)
    session = _session(work, 2 if hinted else 3, metrics.moving_s)
    if session is not None:
        return Judged("long" if long else session, True, float(sum(bout.seconds for bout in work)), bouts)
    if long:
        return Judged("long", False, 0.0, bouts)
    return Judged("strides" if strides else "easy", False, 0.0, bouts)


def fast_from(usual: Usual, hinted: bool) -> float:
    """From which multiple of easy speed on a stretch is fast for this runner and watch."""
    return max(HINTED_FAST if hinted else FAST, 1.0 + WANDER * (usual.wobble - 1.0))


def is_work(bout: Bout, fast: float, usual: Usual, settings: AthleteSettings) -> bool:
    """Whether a fast bout is work: short ones by speed and contrast with the rest, longer ones by speed and response.

    `fast` is the threshold the bout was found with.
    """
    if bout.seconds <= BRIEF_S:
        return False
    if bout.seconds <= SHORT_S:
        return bout.speed >= max(SHORT_FAST, fast) * max(min(bout.rest, 1.1), 1.0)
    if bout.bpm is None or usual.heart_rate_bpm is None:
        return bout.speed >= BLIND_FAST
    enough = usual.heart_rate_bpm + RESPONSE_BPM
    if settings.threshold_heart_rate is not None:
        # The runner's own threshold says what an answer is where the usual is unusually high or low.
        enough = min(enough, 0.97 * settings.threshold_heart_rate)
    return bout.bpm >= enough


def _session(work: Sequence[Bout], least: int, moving_s: float) -> Kind | None:
    """Hills, intervals or tempo by the shape of the work; None where it is too little to be a session."""
    total = sum(bout.seconds for bout in work)
    if total < max(LEAST_WORK_S, LEAST_WORK_SHARE * moving_s):
        return None
    repetitions = [bout for bout in work if bout.seconds <= LONGEST_REPETITION_S]
    climbs = [bout for bout in repetitions if bout.grade >= HILL_GRADE and (bout.rise or 0.0) >= HILL_RISE_BPM]
    if len(climbs) >= 4 and 2 * len(climbs) > len(work):
        return "hills"
    sustained = total - sum(bout.seconds for bout in repetitions)
    if sustained >= TEMPO_S and 2 * sustained >= total:
        return "tempo"
    if len(repetitions) >= least:
        return "intervals"
    return "tempo" if total >= TEMPO_S else None


def is_race(activity: Activity, metrics: RunMetrics, usual: Usual, work: Sequence[Bout]) -> bool:
    """Marked as one and run like one, or nearly as fast as the best recent effort allows for that duration."""
    speed = (metrics.mean_m_s or 0.0) / usual.speed_m_s
    share = sum(bout.seconds for bout in work) / max(metrics.moving_s, 1.0)
    if activity.workout_type == RACE_TYPE:
        return share >= 0.5 or (speed >= 1.05 and answers(metrics, usual))
    if usual.hour_m_s <= 0.0 or metrics.moving_s < 600 or share < RACE_SHARE or speed < RACE_SPEED:
        return False
    predicted = usual.hour_m_s * (3600.0 / metrics.moving_s) ** RIEGEL
    return (metrics.mean_m_s or 0.0) >= RACE_EFFORT * predicted and answers(metrics, usual)


def answers(metrics: RunMetrics, usual: Usual) -> bool:
    """Whether the whole run's heart rate stands above the usual easy one; true where either is unknown."""
    if metrics.mean_bpm is None or usual.heart_rate_bpm is None:
        return True
    return metrics.mean_bpm >= usual.heart_rate_bpm + RESPONSE_BPM


def is_long(activity: Activity, metrics: RunMetrics, usual: Usual) -> bool:
    """Half as long again as the runs of the last six weeks; a little less where the runner marked it so."""
    ratio = 1.2 if activity.workout_type == LONG_TYPE else LONG_RATIO
    return metrics.moving_s >= max(ratio * usual.moving_s, LONG_LEAST_S)


def laps_alternate(laps: Sequence[Lap], easy_m_s: float) -> bool:
    """Whether laps pressed by hand alternate between fast and slow at least three times."""
    quick = [
        lap.distance_m / lap.moving_s >= FAST * easy_m_s
        for lap in laps
        if 20 <= lap.moving_s <= LONGEST_REPETITION_S and lap.distance_m > 0
    ]
    return len(quick) >= 6 and sum(a and not b for a, b in zip(quick, quick[1:], strict=False)) >= 3


def _by_summary(activity: Activity, metrics: RunMetrics, usual: Usual) -> Judged:
    """Without streams: what the runner marked, then laps, then mean speed with its response."""
    speed = (metrics.mean_m_s or 0.0) / usual.speed_m_s
    if activity.workout_type == RACE_TYPE:
        return Judged("race", True, metrics.moving_s)
    if activity.workout_type == WORKOUT_TYPE or laps_alternate(activity.laps, usual.speed_m_s):
        return Judged("intervals", True, 0.4 * metrics.moving_s)
    if speed >= SUMMARY_FAST and metrics.mean_bpm is not None and answers(metrics, usual):
        return Judged("tempo", True, 0.7 * metrics.moving_s)
    return Judged("long" if is_long(activity, metrics, usual) else "easy", False)
