"""A world whose clock a test moves, the server in front of it, and someone who has authorised."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from daemon.simulator.standin import StandIn
from daemon.simulator.tokens import Grant
from daemon.simulator.world import Recorded, StravaWorld

EVERYTHING = frozenset({"read", "activity:read_all", "profile:read_all"})


@dataclass
class Desk:
    """The world, its server, and an authorised session."""

    world: StravaWorld
    strava: StandIn
    clock: dict[str, datetime]
    session: requests.Session = field(default_factory=requests.Session)

    def forward(self, **by: float) -> None:
        self.clock["now"] += timedelta(**by)

    def authorise(self, *scopes: str) -> dict[str, Any]:
        grant = Grant("1", self.world.runner, frozenset(scopes) or EVERYTHING)
        pair = self.world.tokens.issue(grant, self.clock["now"])
        self.session.headers["Authorization"] = f"Bearer {pair['access_token']}"
        return pair

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.session.get(self.strava.api_url + path, params=query, timeout=5, allow_redirects=False)

    def post(self, path: str, **rest: Any) -> requests.Response:
        return requests.post(self.strava.base_url + path, timeout=5, **rest)


@pytest.fixture
def desk() -> Iterator[Desk]:
    clock = {"now": datetime(2026, 11, 20, 12, 7, tzinfo=UTC)}
    world = StravaWorld(lambda: clock["now"])
    with StandIn(world) as strava:
        desk = Desk(world, strava, clock)
        desk.authorise()
        yield desk
        desk.session.close()


def recorded(number: int, day: int = 1, **changes: Any) -> Recorded:
    """A small run on a day of November 2026."""
    summary = {
        "id": number,
        "name": "Morning Run",
        "sport_type": "Run",
        "start_date": f"2026-11-{day:02d}T06:00:00Z",
        "elapsed_time": 1800,
        "visibility": "everyone",
        "private": False,
    }
    return Recorded(summary | changes, {"time": [0, 1, 2], "distance": [0.0, 3.0, 6.0], "heartrate": [90, 91, 93]})
