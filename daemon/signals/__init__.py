"""What the runs of a history say on one day, detector by detector; pure, from `History` to `Reading`.

A new detector is one file here and one line in `SignalParams`: its file, its name and its table `[signals.<name>]`
are the same word, and the file has a `Params` (with `enabled`) and `detect(history, params) -> Signal | None`.
`days` and `course` hold what the detectors of the training week share; `matched_pace` shows what one of them saw.
"""

import sys
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any

from daemon.clock import day_text
from daemon.signals import easy_heart_rate, intensity, matched_pace
from daemon.signals.beside_long import Params as BesideLongParams
from daemon.signals.days import lacking
from daemon.signals.decoupling import Params as DecouplingParams
from daemon.signals.easy_heart_rate import Params as EasyHeartRateParams
from daemon.signals.easy_pace import Params as EasyPaceParams
from daemon.signals.even_pace import Params as EvenPaceParams
from daemon.signals.fading import Params as FadingParams
from daemon.signals.felt import Params as FeltParams
from daemon.signals.hard_days import Params as HardDaysParams
from daemon.signals.hard_spacing import Params as HardSpacingParams
from daemon.signals.history import History, RunTable
from daemon.signals.intensity import Params as IntensityParams
from daemon.signals.load_added import Params as LoadAddedParams
from daemon.signals.longest_run import Params as LongestRunParams
from daemon.signals.matched_pace import Matched
from daemon.signals.monotony import Params as MonotonyParams
from daemon.signals.new_stresses import Params as NewStressesParams
from daemon.signals.recovery import Params as RecoveryParams
from daemon.signals.rest import Params as RestParams
from daemon.signals.run_day_added import Params as RunDayAddedParams
from daemon.values import Reading, Signal

__all__ = ["History", "RunTable", "SignalParams", "explain_easy_heart_rate", "matched", "read"]

SILENT_DAYS = 28
"""So long without a run, and nothing can be said of today [ENG]."""

BRING = "`pullback sync` fetches them from Strava, `pullback import` takes files"


@dataclass(frozen=True, slots=True)
class SignalParams:
    """The settings of every detector, in the order in which they are read."""

    easy_heart_rate: EasyHeartRateParams = EasyHeartRateParams()
    intensity: IntensityParams = IntensityParams()
    load_added: LoadAddedParams = LoadAddedParams()
    run_day_added: RunDayAddedParams = RunDayAddedParams()
    hard_days: HardDaysParams = HardDaysParams()
    longest_run: LongestRunParams = LongestRunParams()
    new_stresses: NewStressesParams = NewStressesParams()
    monotony: MonotonyParams = MonotonyParams()
    hard_spacing: HardSpacingParams = HardSpacingParams()
    beside_long: BesideLongParams = BesideLongParams()
    rest: RestParams = RestParams()
    recovery: RecoveryParams = RecoveryParams()
    easy_pace: EasyPaceParams = EasyPaceParams()
    even_pace: EvenPaceParams = EvenPaceParams()
    decoupling: DecouplingParams = DecouplingParams()
    fading: FadingParams = FadingParams()
    felt: FeltParams = FeltParams()


def read(history: History, params: SignalParams) -> Reading:
    """All detectors on the day of `history`. About 1 ms, whatever the length of the history."""
    history = with_intensity(history, params)
    signals = {name.name: _detect(name.name, history, params) for name in fields(params)}
    found = tuple(signal for signal in signals.values() if signal is not None)
    fine = max((answer.first for answer in history.answers if answer.reason == "fine"), default=None)
    return Reading(history.today, found, history.spells, _missing(history, params, signals), fine, history.idle_days)


def with_intensity(history: History, params: SignalParams) -> History:
    """The history with what the intensity detector found in it, for the detectors that compare before with after."""
    if not params.intensity.enabled:
        return history
    spells = intensity.find(history, params.intensity)
    return replace(history, spells=spells, rose_on=intensity.rose_on(history, spells, params.intensity))


def explain_easy_heart_rate(history: History, params: SignalParams, run_id: int) -> dict[str, Any] | None:
    """What the easy heart rate of one run of this history was compared with; see `matched_pace.explain_run`."""
    return matched_pace.explain_run(with_intensity(history, params), params.easy_heart_rate, run_id)


def matched(history: History, params: SignalParams) -> Matched | None:
    """The easy runs of this history at one pace, against the norm; see `daemon.signals.matched_pace`."""
    return matched_pace.matched(with_intensity(history, params), params.easy_heart_rate)


def _detect(name: str, history: History, params: SignalParams) -> Signal | None:
    settings = getattr(params, name)
    if not settings.enabled:
        return None
    found: Signal | None = sys.modules[f"{__name__}.{name}"].detect(history, settings)
    return found


def _missing(history: History, params: SignalParams, signals: dict[str, Signal | None]) -> str | None:
    """The first thing that is lacking for a judgement, of the detectors that are on and silent."""
    if history.idle_days > SILENT_DAYS:
        last = day_text(history.today - timedelta(days=history.idle_days), history.today)
        return f"your newest run is from {last}; if you have newer ones, {BRING}"
    on = {name for name in signals if getattr(params, name).enabled}
    if on - {"easy_heart_rate", "intensity"} and (short := lacking(history)) is not None:
        return short
    if signals["easy_heart_rate"] is None and params.easy_heart_rate.enabled:
        return easy_heart_rate.lacking(history, params.easy_heart_rate)
    return None
