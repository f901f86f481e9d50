"""What a run is called and whether it was hard: by speed and structure against the runner's own usual.

Short repetitions are never judged by heart rate, which lags them; longer work needs speed and a response; an
easy-paced run with a high heart rate stays easy. Names, laps and workout type only lower the bar (see `hints`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from daemon.metrics.bouts import UNSMOOTHED, Bout, find_blocks, find_bouts
from daemon.metrics.hints import RACE_TYPE, WORKOUT_TYPE, called_long, called_race, hints, laps_alternate
from daemon.metrics.run_metrics import RunMetrics
from daemon.metrics.usual import RIEGEL, WINDOWS_S, AthleteSettings, Usual
from daemon.values import Activity, Kind

FAST, HINTED_FAST = 1.10, 1.07
"""Work is at least this multiple of the usual easy speed; the lower one where the runner or the laps say workout."""

BLOCK_EDGE = 0.03
"""A block of sustained work is looked for from so much below `FAST` on: its edges lie half-way down to the rest."""

SHORT_FAST = 1.15
"""Short repetitions are at least this multiple of easy speed, and of the rest between them."""

STRAY, HINTED_STRAY, SUSTAINED_STRAY = 1.65, 1.3, 2.4
"""Work stands out from the run's slow part by this factor more than ordinary runs do by themselves [measured on
simulated runners: the 95th percentile of easy runs lies at 1.4 to 1.6, the 10th of sessions at 1.7 to 2.5]."""

CONTRAST = 1.15
"""Sustained work is at least this multiple of the run's own slow speed; a run that is paced up gently isn't [ENG]."""

UNIFORM_FAST, UNIFORM_ENOUGH, UNIFORM_SPREADS, UNIFORM_S = 1.15, 1.19, 3.5, 1200
"""What is fast from end to end has nothing to stand out from: it must lie so many spreads of the runner's easy speed
above it, between these multiples, for so long (s) [ENG]."""

BEYOND_EASY = 1.25
"""So much faster than his easy runs of twelve weeks nobody runs easily: heart rate that doesn't answer is then a sensor
that doesn't [ENG; easy running to an hour's race is about 1.2]."""

JOG = 0.92
"""A rest this slow (a multiple of easy speed) is a rest between work, not a wander of the pace [ENG]."""

BRIEF_S = 40
"""What 25 s look like in rows of 10 s at worst. Brief bouts are strides, or work where there are too many of them."""

LONGEST_REPETITION_S = 480
LEAST_WORK_S, LEAST_WORK_SHARE = 180, 0.05
"""Less fast running than this, in seconds and as a share of the run, doesn't make a session."""

COVERED = 2.0
"""Repetitions that come by chance from an uneven tempo cover less of it than one part in so many; those of a session
cover more, or are regular [ENG]."""

TEMPO_S = 480
RESPONSE_BPM = 9.0
"""A whole run answers where heart rate stands this far above the usual easy heart rate [ENG]: half of the way from
easy to VT2, and more than the 6 bpm that ten percent more speed costs by itself."""

STRONG_BPM, STRONG_RISE_BPM, STRONG_CONTRAST, STRONG_STRAY = 15.0, 12.0, 1.13, 1.5
"""An answer that leaves no doubt lies this far above the usual and above the rest of the run; then speed need stand out
less [ENG]."""

RISE_BPM_PER_M_S, LEAST_RISE_BPM = 8.0, 2.0
"""Within a run heart rate answers where it rises by this much for the speed: runners need 17 to 39 bpm per m/s
[SCIENCE]; a receiver that strays costs none."""

BLIND_FAST = 1.15
"""Without heart rate longer work must be this fast."""

STRIDE = 1.25
"""A stride is at least this multiple of easy speed, rounding by 10 s included."""

STRIDES_S = 300
STRIDES_MOST = 10
HILL_GRADE, HILLS_LEAST, HILLS_S = 0.03, 6, 240
"""Climbs are this steep; short ones are a session from so many on that take so long together (s) [ENG]."""

REGULAR_LEAST, REGULAR_WITHIN, REGULAR_SHARE, BRIEF_REGULAR_SHARE = 5, 0.2, 0.6, 0.75
"""Repetitions are regular from five on where this share of the gaps is within 20 % of their median, a larger one of
very short ones [ENG]: of gaps left to chance about a fifth are."""

SLOWEST_SLOW = 0.92
"""A run's slow part counts as at least this multiple of easy speed: walk breaks make no session of the rest [ENG]."""

RACE_FAST, RACE_EFFORT = 1.07, 0.97
"""A run that was called a race is one from this multiple of easy speed on; any other within 3 % of the best effort."""

RACE_DISTANCES_M, RACE_DISTANCE_WITHIN = (21_097.5, 42_195.0), 0.025
"""Over these distances a race is run little faster than easily: what is called one and is as long as one needs less
speed, by Riegel's power of its time over an hour [ENG]."""

RACE_EVEN, RACE_LEAST_S, RACE_HOUR = 0.9, 600, 1.2
"""A race nobody called one is as even as this (slow part against mean), as long (s), and as fast as the best effort of
half a year says, or as 1.2 x easy speed held for an hour where no effort has shown more [ENG; threshold lies there]."""

LONG_RATIO, CALLED_LONG_RATIO, WEEK_LONG_RATIO, WEEK_RATIO = 1.5, 1.2, 1.35, 1.2
"""A long run against the median of six weeks, and against the longest other run of the week: simulated, in even weeks
93 % of long runs and 0.2 % of others are called long (1.5 x the median alone: 82 and 0.7 %), in uneven ones 60 and 13 %
(57 and 20 %)."""

LONG_LEAST_S = 2700
SUMMARY_FAST, SUMMARY_HINTED_FAST = 1.12, 1.06


@dataclass(frozen=True, slots=True)
class Judged:
    """Kind and hardness of a run, why (in words), the seconds of hard running in it, the bouts that made it so.

    `work` is empty where the whole run was hard. `surges` are the fast bouts of a run that wasn't hard.
    """

    kind: Kind
    hard: bool
    why: str
    hard_s: float = 0.0
    work: tuple[Bout, ...] = ()
    surges: tuple[Bout, ...] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """What speed, as a multiple of easy speed, counts as work for this runner, in this run, over so many seconds."""

    fast: float
    slow: float
    stray: float
    wander: tuple[float, ...]

    def at(self, seconds: float) -> float:
        """The bar for a repetition of so many seconds."""
        return max(self.fast, self.slow * (1.0 + self.stray * (self._wander(seconds) - 1.0)))

    def ordinary(self, seconds: float) -> float:
        """The best an ordinary run comes to over so many seconds."""
        return self.slow * self._wander(seconds)

    def sustained(self, block: Bout, strong: bool) -> float:
        """The bar for a block of sustained work; lower where heart rate answers it strongly."""
        slow = SLOWEST_SLOW if block.rest <= JOG else self.slow
        stray, contrast = SUSTAINED_STRAY / STRAY * self.stray, CONTRAST
        if strong:
            stray, contrast = STRONG_STRAY, STRONG_CONTRAST
        return max(self.fast + 0.01, slow * max(contrast, 1.0 + stray * (self._wander(block.seconds) - 1.0)))

    def _wander(self, seconds: float) -> float:
        """The usual wander over `seconds`, between the windows by the logarithm of time."""
        if seconds <= WINDOWS_S[0]:
            return self.wander[0]
        for k in range(1, len(WINDOWS_S)):
            a, b = WINDOWS_S[k - 1], WINDOWS_S[k]
            if seconds <= b:
                part = math.log(seconds / a) / math.log(b / a)
                return self.wander[k - 1] + part * (self.wander[k] - self.wander[k - 1])
        return self.wander[-1]


def bar_of(metrics: RunMetrics, usual: Usual, hinted: bool) -> Bar:
    slow = (metrics.slow_m_s or metrics.relaxed_m_s or usual.speed_m_s) / usual.speed_m_s
    slow = max(slow, SLOWEST_SLOW)
    return Bar(HINTED_FAST if hinted else FAST, slow, HINTED_STRAY if hinted else STRAY, usual.wander)


def classify(activity: Activity, metrics: RunMetrics, usual: Usual, settings: AthleteSettings) -> Judged:
    """The session kind of one run on its feet (see the module)."""
    if metrics.trust == "summary" or not metrics.rows:
        return _by_summary(activity, metrics, usual, settings)
    hinted = bool(hints(activity, usual.speed_m_s))
    bar = bar_of(metrics, usual, hinted)
    bouts = find_bouts(metrics, usual.speed_m_s, bar.fast)
    work, strides = _repetitions(bouts, bar)
    if not work and len(bouts) >= REGULAR_LEAST:
        work = _by_the_half_minute(metrics, usual, bar)
    session = _session(work, 2 if hinted else 3, metrics.moving_s)
    blocks = find_blocks(metrics, usual.speed_m_s, bar.fast - BLOCK_EDGE)
    sustained = [b for b in blocks if is_sustained(b, bar, usual, settings)]
    if _seconds(sustained) >= TEMPO_S and (session is None or _outweighs(sustained, work)):
        session, work = "tempo", sustained
    long = is_long(activity, metrics, usual, session=session is not None)
    if is_race(activity, metrics, usual, settings):
        return Judged("race", True, "run like a race", metrics.moving_s)
    if session is not None:
        why = "sustained work" if session == "tempo" else "repetitions"
        return Judged("long" if long else session, True, why, _seconds(work), tuple(work))
    if any(is_uniformly_fast(b, metrics, usual, settings) for b in blocks):
        return Judged("long" if long else "tempo", True, "fast from end to end", metrics.moving_s)
    surges = tuple(b for b in bouts if stands_out(b))
    why = "strides" if strides else "too little fast running" if surges or sustained else "nothing stands out"
    return Judged("long" if long else "strides" if strides else "easy", False, why, surges=surges)


def _repetitions(bouts: Sequence[Bout], bar: Bar) -> tuple[list[Bout], bool]:
    """The bouts that are repetitions, and whether there were strides."""
    quick = [b for b in bouts if stands_out(b)]
    brief = [b for b in quick if b.seconds <= BRIEF_S]
    longer = [b for b in quick if BRIEF_S < b.seconds <= LONGEST_REPETITION_S]
    if is_regular(quick) and len(longer) >= REGULAR_LEAST:
        beyond = sum(b.speed >= bar.ordinary(b.seconds) for b in quick)
        if 2 * beyond >= len(quick):
            return quick, False
    work = [b for b in longer if b.speed >= bar.at(b.seconds)]
    strides = [b for b in brief if b.speed >= max(STRIDE * max(b.rest, 1.0), bar.at(b.seconds))]
    if len(strides) > STRIDES_MOST or _seconds(strides) > STRIDES_S:
        return sorted([*work, *strides], key=lambda b: b.start_s), False
    climbs = [b for b in quick if b.grade >= HILL_GRADE]
    # On hilly ground a runner's ordinary runs have such climbs, too.
    beyond = sum(b.speed >= bar.ordinary(b.seconds) for b in climbs)
    if len(climbs) >= HILLS_LEAST and _seconds(climbs) >= HILLS_S and 2 * beyond >= len(climbs):
        return climbs, False
    return work, len(strides) >= 3


def _by_the_half_minute(metrics: RunMetrics, usual: Usual, bar: Bar) -> list[Bout]:
    """Repetitions too short and too close for an average over 30 s, where there are many and they are regular."""
    quick = [b for b in find_bouts(metrics, usual.speed_m_s, bar.fast, UNSMOOTHED) if stands_out(b)]
    many = len(quick) > STRIDES_MOST and _seconds(quick) > STRIDES_S
    return quick if many and is_regular(quick, BRIEF_REGULAR_SHARE) else []


def strides_of(bouts: Sequence[Bout]) -> list[Bout]:
    """The short accelerations among them."""
    return [bout for bout in bouts if bout.seconds <= BRIEF_S and bout.speed >= STRIDE]


def stands_out(bout: Bout) -> bool:
    """Whether a bout is as fast, and as much faster than the rest around it, as a short repetition is."""
    return bout.seconds <= LONGEST_REPETITION_S and bout.speed >= SHORT_FAST * max(min(bout.rest, 1.1), 0.98)


def is_regular(bouts: Sequence[Bout], share: float = REGULAR_SHARE) -> bool:
    """Whether bouts begin like clockwork: chance doesn't repeat itself."""
    gaps = sorted(b.start_s - a.start_s for a, b in zip(bouts, bouts[1:], strict=False))
    if len(gaps) < REGULAR_LEAST - 1:
        return False
    middle = gaps[len(gaps) // 2]
    even = sum(abs(gap - middle) <= REGULAR_WITHIN * middle for gap in gaps)
    return even >= share * len(gaps)


def is_sustained(block: Bout, bar: Bar, usual: Usual, settings: AthleteSettings) -> bool:
    """Whether a block of some minutes is work: fast, standing out from the run, and answered by the heart."""
    if block.speed < bar.sustained(block, answers_strongly(block, usual)):
        return False
    if block.bpm is None:
        return block.speed >= BLIND_FAST
    if block.rise is None:
        return block.bpm >= response_from(usual, settings)
    if block.speed >= BEYOND_EASY:
        return block.rise >= 0.0
    faster = (block.speed - min(block.rest, 1.0)) * usual.speed_m_s
    return block.rise >= max(LEAST_RISE_BPM, RISE_BPM_PER_M_S * faster)


def answers_strongly(block: Bout, usual: Usual) -> bool:
    """Whether heart rate leaves no doubt: far above the usual easy one, and well above the rest of this run."""
    if block.bpm is None or block.rise is None or usual.heart_rate_bpm is None:
        return False
    return block.bpm >= usual.heart_rate_bpm + STRONG_BPM and block.rise >= STRONG_RISE_BPM


def response_from(usual: Usual, settings: AthleteSettings) -> float:
    """From which heart rate on fast running is answered (bpm); the runner's own threshold goes first."""
    enough = math.inf if usual.heart_rate_bpm is None else usual.heart_rate_bpm + RESPONSE_BPM
    if settings.threshold_heart_rate is not None:
        enough = min(enough, 0.97 * settings.threshold_heart_rate)
    return 0.0 if math.isinf(enough) else enough


def _seconds(bouts: Sequence[Bout]) -> float:
    return float(sum(bout.seconds for bout in bouts))


def _outweighs(sustained: Sequence[Bout], work: Sequence[Bout]) -> bool:
    """Whether a session is sustained work rather than the repetitions that were found in it as well."""
    return _seconds(sustained) > COVERED * _seconds(work) and not is_regular(work)


def _session(work: Sequence[Bout], least: int, moving_s: float) -> Kind | None:
    """Hills or intervals by the shape of the work; None where it is too little to be a session."""
    if _seconds(work) < max(LEAST_WORK_S, LEAST_WORK_SHARE * moving_s) or len(work) < least:
        return None
    climbs = [bout for bout in work if bout.grade >= HILL_GRADE]
    return "hills" if len(climbs) >= 4 and 2 * len(climbs) > len(work) else "intervals"


def is_uniformly_fast(block: Bout, metrics: RunMetrics, usual: Usual, settings: AthleteSettings) -> bool:
    """Whether most of the run was so much faster than easy running that it needs no contrast."""
    if block.speed >= BEYOND_EASY and block.seconds >= max(TEMPO_S, 0.5 * metrics.moving_s):
        return True
    if block.speed < uniform_from(usual) or block.seconds < max(UNIFORM_S, 0.5 * metrics.moving_s):
        return False
    return block.bpm is None or block.bpm >= response_from(usual, settings)


def uniform_from(usual: Usual) -> float:
    """From which multiple of easy speed on a whole run is no easy running any more."""
    return min(max(UNIFORM_FAST, 1.0 + UNIFORM_SPREADS * usual.spread), UNIFORM_ENOUGH)


def is_race(activity: Activity, metrics: RunMetrics, usual: Usual, settings: AthleteSettings) -> bool:
    """Called one and run like one, or nearly as fast as the best recent effort allows for that duration."""
    speed = metrics.mean_m_s or 0.0
    if called_race(activity):
        return speed >= _race_from(metrics) * usual.speed_m_s and (
            speed >= BEYOND_EASY * usual.speed_m_s or answers(metrics, usual, settings)
        )
    if metrics.moving_s < RACE_LEAST_S or speed < uniform_from(usual) * usual.speed_m_s:
        return False
    if (metrics.slow_m_s or 0.0) < RACE_EVEN * speed:
        return False
    predicted = max(usual.hour_m_s, RACE_HOUR * usual.speed_m_s) * (3600.0 / metrics.moving_s) ** RIEGEL
    if speed < RACE_EFFORT * predicted:
        return False
    return speed >= BEYOND_EASY * usual.speed_m_s or answers(metrics, usual, settings)


def _race_from(metrics: RunMetrics) -> float:
    """From which multiple of easy speed on a run that was called a race is one."""
    hours = max(metrics.moving_s / 3600.0, 1.0)
    as_long = any(abs(metrics.distance_m / m - 1.0) <= RACE_DISTANCE_WITHIN for m in RACE_DISTANCES_M)
    return RACE_FAST * hours**-RIEGEL if as_long else RACE_FAST


def answers(metrics: RunMetrics, usual: Usual, settings: AthleteSettings) -> bool:
    """Whether the whole run's heart rate stands above the usual easy one; true where either is unknown."""
    if metrics.mean_bpm is None:
        return True
    return metrics.mean_bpm >= response_from(usual, settings)


def is_long(activity: Activity, metrics: RunMetrics, usual: Usual, *, session: bool = False) -> bool:
    """Half as long again as the runs of the last six weeks and no shorter than any of this week; a third longer where
    it is well the longest of the week, unless it was a session, which is called by its work; a little less where the
    runner calls it long."""
    seconds, week = metrics.moving_s, usual.week_longest_s
    if seconds < LONG_LEAST_S:
        return False
    if called_long(activity):
        return seconds >= CALLED_LONG_RATIO * usual.moving_s
    if not session and seconds >= WEEK_RATIO * week and seconds >= WEEK_LONG_RATIO * usual.moving_s:
        return True
    return seconds >= LONG_RATIO * usual.moving_s and seconds >= week


def _by_summary(activity: Activity, metrics: RunMetrics, usual: Usual, settings: AthleteSettings) -> Judged:
    """Without streams: what the runner marked, then laps, then mean speed with its response."""
    speed = (metrics.mean_m_s or 0.0) / usual.speed_m_s
    if activity.workout_type == RACE_TYPE:
        return Judged("race", True, "marked a race, no recording", metrics.moving_s)
    if activity.workout_type == WORKOUT_TYPE or laps_alternate(activity.laps, usual.speed_m_s):
        return Judged("intervals", True, "marked a workout or laps alternate, no recording", 0.4 * metrics.moving_s)
    fast = SUMMARY_HINTED_FAST if hints(activity, None) else SUMMARY_FAST
    if speed >= fast and metrics.mean_bpm is not None and answers(metrics, usual, settings):
        return Judged("tempo", True, "fast on average, no recording", 0.7 * metrics.moving_s)
    return Judged("long" if is_long(activity, metrics, usual) else "easy", False, "easy on average, no recording")
