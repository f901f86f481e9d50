"""Hardness where pace says nothing: treadmills and other sports, from heart rate against the runner's own running.

Low confidence, so the bar is high. A pure rule; it learns nothing and never names a kind beyond what it can see.
"""

from daemon.metrics.hints import hints
from daemon.metrics.kind import Judged
from daemon.metrics.run_metrics import RunMetrics
from daemon.metrics.usual import AthleteSettings, Usual
from daemon.values import Activity, Kind

SUSTAINED_S = 600
"""Heart rate must stay up this long: ten minutes hold the intervals of a session with their rests (s)."""

UP_BPM, HINTED_UP_BPM = 20.0, 14.0
"""With nothing else known, hard is this far above the usual easy heart rate of running; the lower one where the runner
or the laps say it was a workout [ENG]. Easy running lies near 75 % of the maximum, the first threshold near 85 %."""

UP_SHARE, HINTED_UP_SHARE = 0.5, 0.4
"""With a known maximum hard is this share of the way up to it from the usual easy heart rate [ENG]: about 88 % of the
maximum."""

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
    if settings.threshold_heart_rate is not None:
        return OF_THRESHOLD * settings.threshold_heart_rate
    if usual is None or usual.heart_rate_bpm is None:
        return None
    hinted = bool(hints(activity, None))
    easy = usual.heart_rate_bpm
    if maximum_bpm is not None and maximum_bpm > easy + UP_BPM:
        return easy + (HINTED_UP_SHARE if hinted else UP_SHARE) * (maximum_bpm - easy)
    return easy + (HINTED_UP_BPM if hinted else UP_BPM)


def judged(activity: Activity, metrics: RunMetrics, limit_bpm: float | None, *, long: bool) -> Judged:
    """Hard where heart rate stayed at `limit_bpm` or above for ten minutes on average; `long` as the run was."""
    highest = metrics.highest_bpm(SUSTAINED_S)
    hard = highest is not None and limit_bpm is not None and metrics.heart_share >= LEAST_SHARE and highest >= limit_bpm
    why = "heart rate stayed high" if hard else "heart rate stayed low" if highest and limit_bpm else "no heart rate"
    if not activity.is_run:
        return Judged("other", hard, why)
    kind: Kind = "long" if long else "tempo" if hard else "easy"
    return Judged(kind, hard, why, HARD_SHARE * metrics.moving_s if hard else 0.0)
