"""Hardness where pace says nothing: treadmills and other sports, from heart rate against the runner's own running.

Low confidence, so the bar is high. A pure rule; it learns nothing and never names a kind beyond what it can see.
"""

from dataclasses import replace

from daemon.metrics.hints import hints
from daemon.metrics.kind import Judged, classify, is_long
from daemon.metrics.run_metrics import RunMetrics
from daemon.metrics.usual import AthleteSettings, Usual
from daemon.values import Activity, Kind

SUSTAINED_S = 600
"""Heart rate must stay up this long: ten minutes hold the intervals of a session with their rests (s)."""

UP_BPM, HINTED_UP_BPM = 25.0, 18.0
"""With nothing else known, hard is this far above the usual easy heart rate of running; the lower one where the runner
or the laps say it was a workout [ENG]. Easy running lies near 75 % of the maximum, the first threshold near 85 %."""

UP_SHARE, HINTED_UP_SHARE = 0.6, 0.5
"""With a known maximum hard is this share of the way up to it from the usual easy heart rate [ENG]: about 90 % of the
maximum."""

CERTAIN, ANSWERED_BPM, CONTRAST_BPM, UNIFORM_BPM = 0.0, 8.0, 16.0, 6.0
"""A run on a belt must also reach so far above its own low part (`CONTRAST_BPM`, less where speed shows a session), or
`UNIFORM_BPM` beyond the limit: a day on which the heart beats faster from end to end isn't hard [ENG]."""

OTHER_SPORT_BPM = 8.0
"""Other sports reach their thresholds at so much less than running does [ENG; 5 to 10 on the bicycle]."""

OF_THRESHOLD = 0.95
"""With a threshold heart rate from the config hard begins at this share of it."""

HARD_SHARE = 0.4
"""Of a hard run on a belt this share counts as hard running: what sessions on the ground come to [ENG]."""

LEAST_SHARE = 0.8
"""Of the moving time this share must have a believable heart rate."""


def hard_from(
    activity: Activity, usual: Usual | None, settings: AthleteSettings, maximum_bpm: float | None
) -> float | None:
    """The heart rate (bpm) from which ten minutes are hard, None where nothing is known to compare with."""
    less = 0.0 if activity.is_run else OTHER_SPORT_BPM
    if settings.threshold_heart_rate is not None:
        return OF_THRESHOLD * settings.threshold_heart_rate - less
    if usual is None or usual.heart_rate_bpm is None:
        return None
    hinted = bool(hints(activity, None))
    easy = usual.heart_rate_bpm
    if maximum_bpm is not None and maximum_bpm > easy + UP_BPM:
        return easy + (HINTED_UP_SHARE if hinted else UP_SHARE) * (maximum_bpm - easy) - less
    return easy + (HINTED_UP_BPM if hinted else UP_BPM) - less


def judged(activity: Activity, metrics: RunMetrics, usual: Usual | None, limit_bpm: float | None) -> Judged:
    """Hard where heart rate stayed at `limit_bpm` or above for ten minutes on average, or a belt changed its speed as
    a session does and the heart answered."""
    if not activity.is_run:
        return Judged("other", *_answer(metrics, limit_bpm, CERTAIN))
    long = usual is not None and is_long(activity, metrics, usual)
    hard, why = _answer(metrics, limit_bpm, CONTRAST_BPM)
    if not hard and usual is not None and _answer(metrics, usual.heart_rate_bpm, ANSWERED_BPM)[0]:
        shape = by_own_pace(activity, metrics, usual)
        if shape is not None:
            return replace(shape, kind="long") if long else shape
    kind: Kind = "long" if long else "tempo" if hard else "easy"
    return Judged(kind, hard, why, HARD_SHARE * metrics.moving_s if hard else 0.0)


def by_own_pace(activity: Activity, metrics: RunMetrics, usual: Usual) -> Judged | None:
    """The session a belt's speed shows by its changes alone, as if the run's relaxed speed were the usual one."""
    if metrics.trust == "summary" or not metrics.relaxed_m_s:
        return None
    found = classify(activity, metrics, replace(usual, speed_m_s=metrics.relaxed_m_s), AthleteSettings())
    return replace(found, work=()) if found.work else None


def _answer(metrics: RunMetrics, limit_bpm: float | None, contrast_bpm: float) -> tuple[bool, str]:
    """Whether ten minutes reached `limit_bpm`, and `contrast_bpm` above the run's low part or far beyond the limit."""
    highest, low = metrics.highest_bpm(SUSTAINED_S), metrics.low_bpm
    if highest is None or limit_bpm is None or metrics.heart_share < LEAST_SHARE:
        return False, "no heart rate to judge by"
    beyond = limit_bpm if low is None or highest - low >= contrast_bpm else limit_bpm + UNIFORM_BPM
    return highest >= beyond, "heart rate stayed high" if highest >= beyond else "heart rate stayed low"
