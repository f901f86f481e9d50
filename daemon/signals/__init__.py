"""What the runs of a history say on one day, detector by detector; pure, from `History` to `Reading`.

A new detector is one file here and one line in `SignalParams`: its file, its name and its table `[signals.<name>]`
are the same word, and the file has a `Params` (with `enabled`) and `detect(history, params) -> Signal | None`.
"""

import sys
from dataclasses import dataclass, fields, replace

from daemon.signals import easy_heart_rate, intensity, tight_week
from daemon.signals.easy_heart_rate import Params as EasyHeartRateParams
from daemon.signals.history import History, RunTable
from daemon.signals.intensity import Params as IntensityParams
from daemon.signals.tight_week import Params as TightWeekParams
from daemon.values import Reading, Signal

__all__ = ["History", "RunTable", "SignalParams", "read"]


@dataclass(frozen=True, slots=True)
class SignalParams:
    """The settings of every detector, in the order in which they are read."""

    easy_heart_rate: EasyHeartRateParams = EasyHeartRateParams()
    intensity: IntensityParams = IntensityParams()
    tight_week: TightWeekParams = TightWeekParams()


def read(history: History, params: SignalParams) -> Reading:
    """All detectors on the day of `history`. About 1 ms, whatever the length of the history."""
    if params.intensity.enabled:
        spells = intensity.find(history, params.intensity)
        rose = intensity.rose_on(history, spells, params.intensity)
        history = replace(history, spells=spells, rose_on=rose)
    signals = {name.name: _detect(name.name, history, params) for name in fields(params)}
    found = tuple(signal for signal in signals.values() if signal is not None)
    fine = max((answer.first for answer in history.answers if answer.reason == "fine"), default=None)
    return Reading(history.today, found, history.spells, _missing(history, params, signals), fine)


def _detect(name: str, history: History, params: SignalParams) -> Signal | None:
    settings = getattr(params, name)
    if not settings.enabled:
        return None
    found: Signal | None = sys.modules[f"{__name__}.{name}"].detect(history, settings)
    return found


def _missing(history: History, params: SignalParams, signals: dict[str, Signal | None]) -> str | None:
    """The first thing that is lacking for a judgement, of the detectors that are on and silent."""
    if signals["tight_week"] is None and params.tight_week.enabled:
        return tight_week.lacking(history, params.tight_week)
    if signals["easy_heart_rate"] is None and params.easy_heart_rate.enabled:
        return easy_heart_rate.lacking(history, params.easy_heart_rate)
    return None
