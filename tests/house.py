"""A runner's whole house for tests: a Strava stand-in on a real socket, a store on disk, a phone, one clock for all."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import httpx

from daemon import notify
from daemon.access import authorise, connect
from daemon.config import AlertsConfig, Channel, Config, StravaConfig
from daemon.deliver import Delivered, deliver
from daemon.evaluate import Evaluated, evaluate, local_now, walk
from daemon.jobs import Daemon
from daemon.signals import SignalParams
from daemon.simulator.standin import StandIn
from daemon.simulator.world import Recorded, StravaWorld
from daemon.store import Store, open_store
from daemon.strava.auth import authorize_url, exchange
from daemon.strava.wire import Timeouts
from daemon.sync import Outcome, pull
from daemon.values import Verdict

MONDAY = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that a test moves."""

    moment: datetime = MONDAY

    def now(self) -> datetime:
        return self.moment

    def advance(self, **by: float) -> None:
        self.moment += timedelta(**by)


class Phone:
    """A real HTTP receiver: `status` is what it answers, after refusing `refusals` times; `messages` what it took.

    Of ntfy's topics it refuses the one that is `deaf`. With `drops` it takes a message and hangs up without an answer;
    with `hangs` it takes nothing until let go.
    """

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.status = 200
        self.refusals = 0
        self.deaf = ""
        self.drops = self.hangs = False
        self.let_go = threading.Event()
        phone = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if phone.hangs:
                    phone.let_go.wait(60)
                    self.close_connection = True
                    return
                if phone.drops:
                    phone.messages.append(json.loads(body))
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                status = 500 if phone.refusals else phone.status
                phone.refusals = max(0, phone.refusals - 1)
                message = json.loads(body)
                if phone.deaf and message.get("topic") == phone.deaf:
                    status = 403
                if status == 200:
                    phone.messages.append(message)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"json://127.0.0.1:{self._server.server_address[1]}/"

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.messages]

    def hang_up(self) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()


@dataclass
class House:
    """Everything a daemon has around it. `new_store` reopens the database, as a restart does."""

    path: Path
    clock: Clock
    world: StravaWorld
    standin: StandIn
    phone: Phone
    store: Store
    trust: ssl.SSLContext = field(default_factory=lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    config: Config = field(init=False)

    def __post_init__(self) -> None:
        strava = StravaConfig(
            client_id=1,
            client_secret="secret",
            base_url=self.standin.base_url,
            api_url=self.standin.api_url,
        )
        signals = {name: getattr(SignalParams(), name) for name in SignalParams.__dataclass_fields__}
        self.config = Config(strava=strava, alerts=AlertsConfig(urls=(Channel(self.phone.url),)), signals=signals)

    def set_config(self, table: str, **values: Any) -> None:
        self.config = replace(self.config, **{table: replace(getattr(self.config, table), **values)})

    @property
    def athlete_id(self) -> int:
        return self.world.runner

    def authorise(self, timeouts: Timeouts | None = None) -> None:
        """The runner opens the consent page and allows everything."""
        url = authorize_url(self.standin.base_url, 1, "http://localhost:9/", "state")
        answer = httpx.get(url, follow_redirects=False, verify=self.trust)
        asked = parse_qs(urlparse(answer.headers["location"]).query)
        tokens, _ = exchange(
            client_id=1,
            client_secret="secret",
            code=asked["code"][0],
            scope=frozenset(asked["scope"][0].split(",")),
            base_url=self.standin.base_url,
            api_url=self.standin.api_url,
            timeouts=timeouts,
        )
        authorise(self.store, tokens)

    def pull(self, timeouts: Timeouts | None = None, **options: Any) -> Outcome:
        strava = connect(self.store, self.config, self.clock, timeouts)
        assert strava is not None
        try:
            return pull(
                self.store,
                strava,
                self.athlete_id,
                self.clock,
                backfill=self.config.strava.backfill,
                raw_retention=timedelta(days=self.config.privacy.raw_retention_days),
                **options,
            )
        finally:
            strava.close()

    def evaluate(self) -> Evaluated:
        return evaluate(self.store, self.athlete_id, self.config, self.clock.now())

    def judged_anew(self) -> list[Verdict]:
        """Every day judged from what is stored as if it were new, as `replay` does."""
        _, walked = walk(self.store, self.athlete_id, self.config, self.clock.now())
        return list(walked)

    def deliver(self, **options: Any) -> Delivered:
        zone = local_now(self.store, self.config, self.clock.now()).tzinfo or UTC
        return deliver(self.store, self.config.alerts, notify.send, self.clock, zone, **options)

    def daemon(self) -> Daemon:
        return Daemon(self.store, self.config, self.clock, notify.send)

    def reopen(self) -> None:
        self.store.close()
        self.store = open_store(self.path)


@contextmanager
def open_house(
    path: Path, now: datetime = MONDAY, tls: tuple[ssl.SSLContext, ssl.SSLContext] | None = None
) -> Iterator[House]:
    """A house whose database lies in the folder `path`; with `tls`, Strava's and a browser's side of it, on https."""
    clock = Clock(now)
    world = StravaWorld(clock.now)
    phone = Phone()
    with StandIn(world, tls=tls[0] if tls else None) as standin:
        house = House(path / "pullback.db", clock, world, standin, phone, open_store(path / "pullback.db"))
        house.trust = tls[1] if tls else house.trust
        try:
            yield house
        finally:
            house.store.close()
            phone.hang_up()


def plain_run(activity_id: int, start: datetime, *, minutes: int = 40, bpm: float = 140.0, **facts: Any) -> Recorded:
    """A flat, even run at 6:00/km with a heart rate that wavers by a beat, as Strava would show it."""
    n = minutes * 60
    speed = 1000 / 360
    summary = {
        "id": activity_id,
        "name": "Morning Run",
        "type": "Run",
        "sport_type": "Run",
        "distance": round(n * speed, 1),
        "moving_time": n,
        "elapsed_time": n,
        "total_elevation_gain": 0.0,
        "start_date": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "start_date_local": f"{start + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        "timezone": "(GMT+01:00) Europe/Vienna",
        "utc_offset": 3600.0,
        "average_speed": speed,
        "max_speed": speed,
        "has_heartrate": True,
        "average_heartrate": bpm,
        "max_heartrate": bpm + 1,
        "trainer": False,
        "manual": False,
        "private": False,
        "commute": False,
        "workout_type": None,
        "athlete_count": 1,
        "visibility": "everyone",
    }
    streams = {
        "time": list(range(n)),
        "distance": [round(i * speed, 1) for i in range(n)],
        "altitude": [100.0] * n,
        "velocity_smooth": [round(speed, 3)] * n,
        "heartrate": [round(bpm + (i // 7 % 3 - 1)) for i in range(n)],
        "cadence": [85] * n,
        "moving": [True] * n,
    }
    return Recorded({**summary, **facts}, streams)
