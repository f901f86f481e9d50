"""Every call pullback makes to Strava, each way it can fail, in three states of its life, over real sockets.

Whatever happens: no traceback, an end in bounded time, one alert where one is due; and once Strava is well again,
exactly the runs and recordings that Strava has.
"""

import copy
import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from daemon.access import connect
from daemon.errors import UserError
from daemon.simulator.faults import Fault
from daemon.store import activities as rows
from daemon.store import grants, open_store, outbox
from daemon.store.progress import Progress, progress
from daemon.strava.auth import revoke
from daemon.strava.errors import StravaUnreachable
from daemon.strava.wire import Timeouts
from tests.house import House, open_house, plain_run

QUICK = Timeouts(connect_s=2.0, read_s=0.15, overall_s=0.2)
PATIENT = Timeouts(connect_s=5.0, read_s=10.0, overall_s=20.0)
MOST_S, MOST_CPU_S, FOREVER_S = 60.0, 5.0, 90.0
"""Each call of a cell ends within the first, however busy the machine, and costs no more of its processor than the
second; what hangs or drips would go on for the third."""

FAULTS: dict[str, Fault] = {
    "500": Fault("status", status=500),
    "503 with Retry-After": Fault("status", status=503, retry_after=600),
    "429 short": Fault("status", status=429),
    "429 with Retry-After": Fault("status", status=429, retry_after=1200),
    "429 daily": Fault("day"),
    "401": Fault("status", status=401),
    "403 scope": Fault("scope"),
    "403 inactive": Fault("inactive"),
    "html": Fault("html"),
    "truncated": Fault("truncated"),
    "wrong types": Fault("wrong_types"),
    "huge numbers": Fault("huge_numbers"),
    "empty": Fault("empty"),
    "reset": Fault("reset"),
    "lost": Fault("lost"),
    "hang": Fault("hang", seconds=FOREVER_S),
    "drip": Fault("drip", seconds=FOREVER_S),
    "redirect": Fault("redirect"),
    "tls": Fault("tls"),
}
ENDPOINTS = {
    "exchange": "/oauth/token",
    "refresh": "/oauth/token",
    "athlete": "/api/v3/athlete$",
    "list": "/athlete/activities",
    "detail": r"/activities/\d+$",
    "streams": "/streams",
    "revoke": "/oauth/revoke",
}
PHASES = ("first sync", "later poll", "during refresh")
ROTATED = {"truncated", "wrong types", "huge numbers", "empty", "lost", "drip"}
"""Strava has renewed the tokens, and the new ones never arrive."""

CELLS = [
    (endpoint, phase)
    for endpoint in ENDPOINTS
    for phase in PHASES
    if (endpoint, phase) != ("detail", "first sync")  # a first sync asks for no detail
]
SIZE = len(CELLS) * len(FAULTS)


@dataclass
class Life:
    """A runner's house in one phase, to be broken and mended again and again from the same morning on."""

    house: House
    endpoint: str
    phase: str
    kept: dict[str, Any] = field(default_factory=dict)

    def prepare(self) -> None:
        """Some runs in Strava; but for a first sync, what was there is here, and since then the runner was busy."""
        house, now = self.house, self.house.clock.now()
        house.set_config("strava", backfill=timedelta(weeks=4))
        house.authorise()
        for number, days in ((1, 2), (2, 4), (3, 5)):
            house.world.add(plain_run(number, now - timedelta(days=days), minutes=2))
        if self.phase != "first sync":
            house.pull()
            house.evaluate()
            house.world.add(plain_run(4, now - timedelta(hours=2), minutes=2))
            house.world.edit(2, name="With Ada", elapsed_time=110)
            house.world.delete(1)
        house.clock.advance(hours=7 if self.phase == "during refresh" else 0.4)
        if self.endpoint == "refresh" and self.phase != "during refresh":
            house.world.tokens.kill_access()

    def keep(self) -> None:
        """Remembers how everything stands now, here and at Strava."""
        self.house.store.close()
        shutil.copy(self.house.path, self.morning)
        self.kept = {"tokens": self.house.world.tokens, "limits": self.house.world.limits}
        self.kept = copy.deepcopy(self.kept) | {"clock": self.house.clock.now()}

    def again(self) -> None:
        """Everything as it was kept."""
        house = self.house
        house.store.close()
        shutil.copy(self.morning, house.path)
        house.store = open_store(house.path)
        house.world.heal()
        house.world.tokens = copy.deepcopy(self.kept["tokens"])
        house.world.limits = copy.deepcopy(self.kept["limits"])
        house.clock.moment = self.kept["clock"]
        house.phone.messages.clear()

    @property
    def morning(self) -> Path:
        return self.house.path.with_name("morning.db")


@dataclass
class Cell:
    """One fault of one call in one phase."""

    house: House
    endpoint: str
    phase: str
    name: str
    timeouts: Timeouts = PATIENT

    def run(self) -> None:
        self.break_it()
        due = self.due()
        assert self.state().access == due
        self.mend()
        self.check()
        assert self.told() == ([] if due is None else [due])
        assert len(self.house.phone.messages) == len(self.told())

    def break_it(self) -> None:
        house = self.house
        # Where the tokens are renewed and lost, once is enough: the next answer is a clear no to the old ones.
        once = self.endpoint == "refresh" and self.name in ROTATED
        house.world.fail(ENDPOINTS[self.endpoint], FAULTS[self.name], times=1 if once else None)
        for attempt in range(2):
            slow = self.name in ("hang", "drip") and not (once and attempt > 0)
            self.timeouts = QUICK if slow else PATIENT
            began, began_cpu = time.monotonic(), time.process_time()
            with suppress(UserError):
                self.call()
            took, took_cpu = time.monotonic() - began, time.process_time() - began_cpu
            assert took < MOST_S and took_cpu < MOST_CPU_S, f"{took:.1f} s, {took_cpu:.1f} s of a processor"
            self.tell()
            house.clock.advance(minutes=20)

    def call(self) -> None:
        """What the runner or the daemon does that makes this call."""
        house = self.house
        if self.endpoint == "exchange":
            house.authorise(self.timeouts)
        elif self.endpoint == "revoke":
            self.revoke()
        elif self.endpoint == "athlete":
            self.ask_who_it_is()
        else:
            house.pull(self.timeouts)

    def revoke(self) -> None:
        with self.house.store.read() as session:
            held = grants.grant(session)
        assert held is not None
        base_url = self.house.standin.base_url
        revoke(held.refresh, client_id=1, client_secret="secret", base_url=base_url, timeouts=self.timeouts)

    def ask_who_it_is(self) -> None:
        strava = connect(self.house.store, self.house.config, self.house.clock, self.timeouts)
        assert strava is not None
        try:
            strava.athlete()
        finally:
            strava.close()

    def due(self) -> str | None:
        """The one alert that is due, by its reason."""
        if self.endpoint == "list":
            return {"401": "revoked", "403 scope": "scope", "403 inactive": "inactive"}.get(self.name)
        if self.endpoint in ("detail", "streams"):
            return {"401": "revoked", "403 inactive": "inactive"}.get(self.name)
        if self.endpoint == "refresh":
            told = {"401": "client", "403 scope": "revoked", "403 inactive": "inactive"}
            return "lost" if self.name in ROTATED else told.get(self.name)
        return None

    def mend(self) -> None:
        """Strava is well; the runner does what an alert asked for; a day goes by."""
        house = self.house
        house.world.heal()
        if self.due() == "lost" or self.endpoint == "revoke":
            house.authorise()
        for _ in range(4):
            house.clock.advance(hours=12)
            outcome = house.pull()
            if outcome.problem is None and outcome.waiting_until is None and not outcome.pending:
                break
        self.tell()

    def tell(self) -> None:
        """As after every poll; where nothing stands in the way, and no alert is open, there is nothing to tell."""
        if self.state().access is not None or self.told():
            self.house.evaluate()
            self.house.deliver()

    def state(self) -> Progress:
        with self.house.store.read() as session:
            return progress(session, self.house.athlete_id)

    def told(self) -> list[str]:
        with self.house.store.read() as session:
            alerts = outbox.alerts(session, self.house.athlete_id)
        return [alert.episode.split()[0] for alert in alerts if alert.kind == "access"]

    def check(self) -> None:
        house, ids = self.house, {1, 2, 3} if self.phase == "first sync" else {2, 3, 4}
        with house.store.read() as session:
            known = rows.known(session, house.athlete_id)
            series = {row.activity.id for row in rows.outdated(session, house.athlete_id, -1) if row.series}
        alive = {k.id: k for k in known.values() if not k.deleted}
        assert set(alive) == ids == series
        assert {k.recording for k in alive.values()} == {"have"}
        assert all(k.elapsed_time_s == (110 if k.id == 2 and 1 not in ids else 120) for k in alive.values())
        state = self.state()
        assert (state.problem, state.access, state.waiting_until) == (None, None, None)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where an empty database of today's schema lies, to be copied; in memory, or syncing it would take most time."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        open_store(Path(name) / "pullback.db").close()
        yield Path(name)


@pytest.fixture(scope="module")
def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine, trusted by nobody yet, and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *subject, *files], check=True, capture_output=True)
    return certificate, key


@pytest.fixture
def tls(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Both sides of a TLS connection to the stand-in, with its certificate trusted by every client of ours."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*certificate)
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(certificate[0]))
    return server, ssl.create_default_context(cafile=str(certificate[0]))


Sides = tuple[ssl.SSLContext, ssl.SSLContext]


@contextmanager
def life(folder: Path, endpoint: str, phase: str, tls: Sides | None) -> Iterator[Life]:
    with TemporaryDirectory(dir=folder) as name:
        shutil.copy(folder / "pullback.db", name)
        with open_house(Path(name), tls=tls) as house:
            life = Life(house, endpoint, phase)
            life.prepare()
            life.keep()
            yield life


@pytest.mark.parametrize(("endpoint", "phase"), CELLS)
def test_the_matrix(endpoint: str, phase: str, folder: Path, tls: Sides, caplog: pytest.LogCaptureFixture) -> None:
    failed = {}
    for sides, names in ((None, FAULTS.keys() - {"tls"}), (tls, {"tls"})):
        with life(folder, endpoint, phase, sides) as lived:
            for name in sorted(names):
                lived.again()
                try:
                    Cell(lived.house, endpoint, phase, name).run()
                except Exception as error:  # one broken cell mustn't hide the others
                    failed[name] = f"{error!r:.300}"
    assert not failed, f"{len(failed)} of {len(FAULTS)} cells: {failed}"
    assert "Traceback" not in caplog.text


def test_the_size_of_the_matrix_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\nfault matrix: {len(CELLS)} calls in their phases x {len(FAULTS)} faults = {SIZE} cells")
    assert SIZE >= 340


def test_a_certificate_nobody_vouches_for_is_refused(folder: Path, tls: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    with life(folder, "list", "later poll", tls) as lived:
        lived.again()
        for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.delenv(name)
        assert "certificate" in str(lived.house.pull().problem)
        with pytest.raises(StravaUnreachable, match="certificate"):
            Cell(lived.house, "revoke", "later poll", "tls").revoke()
        assert not lived.house.world.api_calls("activities/1$")
