"""A stand-in Strava with its own clock, and pullback's client in front of it patient enough for a busy machine."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daemon.simulator.standin import StandIn
from daemon.simulator.tokens import Grant
from daemon.simulator.world import Recorded, StravaWorld
from daemon.strava.auth import SCOPES, Tokens, read_tokens
from daemon.strava.client import Strava
from daemon.strava.limits import Budget
from daemon.strava.wire import Timeouts

ATHLETE = 1001
PATIENT = Timeouts(connect_s=5.0, read_s=10.0, overall_s=20.0)


@dataclass
class SteppedClock:
    """A clock that stands still until a test moves it."""

    moment: datetime = datetime(2026, 11, 2, 8, 7, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def forward(self, **time: float) -> None:
        self.moment += timedelta(**time)


@dataclass
class Desk:
    """One runner's pullback: the world, the address, what was saved, and clients made to order."""

    world: StravaWorld
    server: StandIn
    clock: SteppedClock
    saved: list[Tokens] = field(default_factory=list)
    clients: list[Strava] = field(default_factory=list)

    def tokens(self, *scopes: str, lasting: timedelta | None = None) -> Tokens:
        scope = frozenset(scopes or SCOPES)
        issued = self.world.tokens.issue(Grant("1", ATHLETE, scope), self.clock.now())
        tokens = read_tokens(issued, scope=scope, athlete_id=ATHLETE)
        if lasting is None:
            return tokens
        return Tokens(tokens.access, tokens.refresh, self.clock.now() + lasting, scope, ATHLETE)

    def strava(
        self,
        tokens: Tokens | None = None,
        *,
        budget: Budget | None = None,
        secret: str = "secret",
        client_id: int = 1,
        save: Callable[[Tokens], None] | None = None,
        load: Callable[[], Tokens | None] | None = None,
        timeouts: Timeouts = PATIENT,
    ) -> Strava:
        client = Strava(
            client_id,
            secret,
            self.server.base_url,
            self.server.api_url,
            tokens or self.tokens(),
            save or self.saved.append,
            budget,
            self.clock,
            load_tokens=load,
            timeouts=timeouts,
        )
        self.clients.append(client)
        return client

    def run(self, id: int = 501, day: int = 1, streams: dict[str, list[Any]] | None = None, **changes: Any) -> int:
        """Uploads an easy hour."""
        summary = {
            "id": id,
            "name": "Morning run",
            "sport_type": "Run",
            "type": "Run",
            "start_date": f"2026-10-{day:02d}T06:00:00Z",
            "start_date_local": f"2026-10-{day:02d}T08:00:00Z",
            "timezone": "(GMT+01:00) Europe/Berlin",
            "utc_offset": 7200.0,
            "distance": 10_000.0,
            "moving_time": 3600,
            "elapsed_time": 3660,
            "has_heartrate": True,
            "average_heartrate": 141.2,
        }
        recording = {"time": [0, 1, 2], "distance": [0.0, 2.8, 5.6], "heartrate": [120, 121, 122]}
        lap = {"elapsed_time": 3660, "moving_time": 3600, "distance": 10_000.0, "average_heartrate": 141.2}
        return self.world.add(Recorded(summary | changes, recording if streams is None else streams, [lap]))

    def refreshes(self) -> int:
        return sum(asked.path == "/oauth/token" for asked in self.world.asked)


@pytest.fixture
def desk() -> Iterator[Desk]:
    clock = SteppedClock()
    world = StravaWorld(clock.now)
    world.add_athlete(ATHLETE)
    with StandIn(world) as server:
        desk = Desk(world, server, clock)
        yield desk
        for client in desk.clients:
            client.close()
