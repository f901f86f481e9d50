"""Shortcuts of the signal tests: read one day, or walk a stretch of days through to their verdicts."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from daemon.signals import History, RunTable, SignalParams, read
from daemon.values import Reading, Run, Verdict
from daemon.verdict import decide
from tests.signals.runners import FIRST_DAY

NOW = datetime(2027, 1, 1, tzinfo=UTC)


def reading(runs: Sequence[Run], day: int, params: SignalParams | None = None) -> Reading:
    """All detectors on day number `day` of the simulation."""
    history = History.at(RunTable.of(runs), FIRST_DAY + timedelta(days=day), NOW)
    return read(history, params or SignalParams())


def verdicts(runs: Sequence[Run], first: int, last: int) -> list[Verdict]:
    """The verdict of each day from `first` to `last`, both numbers of the simulation's days."""
    table, params = RunTable.of(runs), SignalParams()
    out: list[Verdict] = []
    for day in range(first, last + 1):
        history = History.at(table, FIRST_DAY + timedelta(days=day), NOW)
        out.append(decide(read(history, params), out[-1] if out else None))
    return out
