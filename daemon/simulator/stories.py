"""Two runners for the demo, 30 weeks each: the same session, put on top of one week and into the room of the other.

They are lived once, up to a fixed day, and moved to end today: the demo tells the same story on every Monday of every
year, and whoever tries the seven days of one week has tried them all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from daemon.simulator.events import Event, SpeedWork, Strain
from daemon.simulator.recording import SimulatedActivity
from daemon.simulator.runner import RunnerSpec, simulate

LIVED_UNTIL = date(2026, 11, 9)  # a Monday
WEEKS = 30
WEEKS_OF_SPEED_WORK = 6
FRIDAY, THURSDAY = 4, 3


@dataclass(frozen=True)
class Story:
    """A runner and the recordings. `introduced_on` is the day of the first hard session."""

    name: str
    spec: RunnerSpec
    introduced_on: date
    activities: list[SimulatedActivity]


def strained(today: date) -> Story:
    """Intervals come on top of a full week, the day before two days of running; three weeks on, easy runs cost 8 bpm
    more. Ends in a pull-back. Runs up to the day before `today`."""
    first = _weekday_before(_lived_until(today) - timedelta(weeks=WEEKS_OF_SPEED_WORK - 1), FRIDAY)
    events = (
        SpeedWork(first, "intervals", FRIDAY, minutes=55),
        Strain(first + timedelta(days=8), bpm=8, days=14),
    )
    return _story("strained", RunnerSpec(seed=11, warmth_c=8, season_c=3, rates_effort=True), events, first, today)


def absorbed(today: date) -> Story:
    """The same session takes the place of Thursday's easy run, and nothing else changes."""
    first = _weekday_before(_lived_until(today) - timedelta(weeks=WEEKS_OF_SPEED_WORK - 1), THURSDAY)
    events = (SpeedWork(first, "intervals", THURSDAY, minutes=50, instead_of=THURSDAY),)
    return _story("absorbed", RunnerSpec(seed=12, warmth_c=8, season_c=3, rates_effort=True), events, first, today)


def _story(name: str, spec: RunnerSpec, events: Sequence[Event], first: date, today: date) -> Story:
    end = _lived_until(today)
    moved = today - end
    lived = simulate(spec, end - timedelta(weeks=WEEKS), end, events)
    runs = [replace(run, id=run.id + 10 * moved.days, start=run.start + moved) for run in lived]
    return Story(name, spec, first + moved, runs)


def _lived_until(today: date) -> date:
    """The day of 2026's second week of November that is the weekday of `today`."""
    return LIVED_UNTIL + timedelta(days=today.weekday())


def _weekday_before(day: date, weekday: int) -> date:
    """The last `weekday` (0 is Monday) before `day`."""
    return day - timedelta(days=(day.weekday() - weekday - 1) % 7 + 1)


STORIES: dict[str, Callable[[date], Story]] = {"strained": strained, "absorbed": absorbed}
