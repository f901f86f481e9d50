"""The runner of the demo who was warned, with all of it in a database: made once, and copied for each test."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from daemon.simulator.stories import strained
from tests.house import MONDAY, House, open_house


@cache
def _database() -> Path:
    folder = Path(tempfile.mkdtemp())
    with open_house(folder) as house:
        house.authorise()
        house.world.add_all(strained(MONDAY.date()).activities)
        for quota in (house.world.limits.read, house.world.limits.overall):
            quota.short_limit = quota.long_limit = 100_000
        house.pull()
        house.evaluate()
    return folder / "pullback.db"


@contextmanager
def strained_house(path: Path) -> Iterator[House]:
    """A house on the day after 30 weeks that ended in a pull-back; Strava is the database's, and holds no run."""
    shutil.copy(_database(), path / "pullback.db")
    with open_house(path) as house:
        yield house
