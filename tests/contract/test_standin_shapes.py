"""The stand-in against Strava's real answers (skipped where they aren't at hand) and through stravalib's client."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from daemon.simulator.events import OneSession, TwoUploads
from daemon.simulator.recording import SimulatedActivity
from daemon.simulator.runner import RunnerSpec, simulate, some_runner
from daemon.simulator.standin import StandIn
from daemon.simulator.tokens import Grant
from daemon.simulator.world import Recorded, StravaWorld

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SCOPES = frozenset({"read", "activity:read_all", "profile:read_all"})
REAL = Path(__file__).parents[2] / "../shared/data/strava_json"

real_answers = pytest.mark.skipif(not REAL.is_dir(), reason="the real answers aren't here")


@pytest.fixture(scope="module")
def runs() -> list[SimulatedActivity]:
    race = OneSession(date(2026, 2, 22), "race", 40)
    begin, end = date(2026, 2, 9), date(2026, 3, 2)
    phone_too = TwoUploads(date(2026, 2, 12))  # a phone has no heart rate
    watch = simulate(RunnerSpec(rates_effort=True), begin, end, [race, phone_too])
    return [*watch, *simulate(some_runner(3), begin, end)]


@pytest.fixture
def world(runs: list[SimulatedActivity]) -> StravaWorld:
    world = StravaWorld(lambda: NOW)
    world.add_all(runs)
    return world


@pytest.fixture
def strava(world: StravaWorld) -> Iterator[StandIn]:
    with StandIn(world) as server:
        yield server


@pytest.fixture
def token(world: StravaWorld) -> str:
    return str(world.tokens.issue(Grant("1", world.runner, SCOPES), NOW)["access_token"])


def real(name: str) -> Any:
    return json.loads((REAL / name).read_text())


def with_pulse(runs: list[SimulatedActivity]) -> list[SimulatedActivity]:
    """Some like the real ones at hand, which have heart rate."""
    return [r for r in runs if r.summary["has_heartrate"]][:9]


def ask(strava: StandIn, token: str, path: str, **query: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(strava.api_url + path, params=query, headers=headers, timeout=5).json()


def json_type(value: Any) -> str:
    return "number" if type(value) in (int, float) else type(value).__name__


def types_by_key(items: list[dict[str, Any]], *, exact: bool = True) -> dict[str, set[str]]:
    """Every key of the items with the JSON types its values have; `exact` tells 1 from 1.0."""
    found: dict[str, set[str]] = {}
    for item in items:
        for key, value in item.items():
            found.setdefault(key, set()).add(type(value).__name__ if exact else json_type(value))
    return found


def always(items: list[dict[str, Any]]) -> set[str]:
    return set.intersection(*(set(item) for item in items))


def assert_like(ours: list[dict[str, Any]], theirs: list[dict[str, Any]], *, exact: bool = True) -> None:
    """No key Strava doesn't send, none missing that it always sends, and no other type than it sends."""
    have, known = types_by_key(ours, exact=exact), types_by_key(theirs, exact=exact)
    assert set(have) <= set(known)
    assert always(theirs) <= always(ours)
    wrong = {key: (types, known[key]) for key, types in have.items() if not types <= known[key]}
    assert not wrong


@real_answers
class TestRealShapes:
    def test_the_list(self, strava: StandIn, token: str) -> None:
        ours, theirs = ask(strava, token, "/athlete/activities", per_page=200), real("summary_list.json")
        assert_like(ours, theirs)
        assert {item["has_heartrate"] for item in ours} == {True, False}  # both kinds were compared

    def test_the_detail_with_its_splits(self, strava: StandIn, token: str, runs: list[SimulatedActivity]) -> None:
        ours, theirs = [ask(strava, token, f"/activities/{r.id}") for r in with_pulse(runs)], real("detailed_run.json")
        unsure = {"perceived_exertion", "prefer_perceived_exertion"}  # null in the real ones
        without = [{k: v for k, v in d.items() if k not in unsure} for d in ours]
        known = [theirs, *(theirs | item for item in real("summary_list.json"))]
        assert_like(without, [{k: v for k, v in d.items() if k not in unsure} for d in known])
        assert unsure <= always(ours)
        assert_like([s for d in ours for s in d["splits_metric"]], theirs["splits_metric"])

    def test_the_laps(self, strava: StandIn, token: str, runs: list[SimulatedActivity]) -> None:
        laps = [lap for r in with_pulse(runs) for lap in ask(strava, token, f"/activities/{r.id}/laps")]
        assert_like(laps, real("laps.json"), exact=False)
        assert laps[0] in ask(strava, token, f"/activities/{runs[0].id}")["laps"]

    def test_the_zones(self, strava: StandIn, token: str) -> None:
        ours, theirs = ask(strava, token, "/athlete/zones"), real("athlete_zones.json")
        assert_like([ours["heart_rate"]], [theirs["heart_rate"]])
        assert_like(ours["heart_rate"]["zones"], theirs["heart_rate"]["zones"])

    def test_the_refusals(self, strava: StandIn, world: StravaWorld, token: str) -> None:
        unauthorised, theirs = ask(strava, "nobody", "/athlete"), real("error_401.json")
        assert unauthorised["message"] == theirs["message"]
        assert_like(unauthorised["errors"], theirs["errors"])
        world.limits.read.short_limit = 0
        assert ask(strava, token, "/athlete") == real("error_429.json")

    def test_streams_have_the_types_of_recorded_ones(self, runs: list[SimulatedActivity]) -> None:
        world = StravaWorld(lambda: NOW)
        world.add_recordings(REAL.parent / "runner_a.json.gz")
        entries = world.visible(world.runner, private=True)
        assert len(entries) > 100
        recorded = [{k: v[len(v) // 2] for k, v in e.recording.streams.items()} for e in entries]
        ours = [{k: v[len(v) // 2] for k, v in r.streams.items()} for r in runs]
        known = types_by_key(recorded)  # a watch without a thermometer: no temperature
        wrong = {k: t for k, t in types_by_key(ours).items() if k in known and not t <= known[k]}
        assert not wrong
        assert set(types_by_key(ours)) - {"temp"} == set(known) - {"temp"}


class Loopback(HTTPAdapter):
    """Sends what stravalib addresses to Strava to the stand-in."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace("https://www.strava.com", self.address)
        return super().send(request, *args, **kwargs)


class TestStravalib:
    """What stravalib's own client makes of the stand-in."""

    @pytest.fixture
    def client(self, strava: StandIn, token: str, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.setenv("SILENCE_TOKEN_WARNINGS", "true")
        from stravalib import Client  # takes a second to load

        session = requests.Session()
        session.mount("https://www.strava.com", Loopback(strava.base_url))
        return Client(access_token=token, requests_session=session, rate_limiter=lambda *_: None)

    def test_reads_list_detail_laps_and_streams(self, client: Any, runs: list[SimulatedActivity]) -> None:
        listed = list(client.get_activities(after=NOW - timedelta(days=7)))
        assert listed == sorted(listed, key=lambda a: a.start_date)
        run = next(r for r in runs if r.truth.kind == "race")
        detail = client.get_activity(run.id)
        assert (detail.workout_type, detail.perceived_exertion, detail.device_name) == (1, 9.0, run.device)
        assert detail.start_date == run.start
        assert [lap.distance for lap in client.get_activity_laps(run.id)] == [lap["distance"] for lap in run.laps]
        streams = client.get_activity_streams(run.id, types=["time", "heartrate", "moving"])
        assert streams["heartrate"].data == run.streams["heartrate"]
        assert streams["moving"].data == run.streams["moving"]

    def test_authorises_and_refreshes(self, client: Any, strava: StandIn) -> None:
        url = client.authorization_url(1, "http://localhost:1/", scope=["read", "activity:read_all"], state="x")
        back = client.protocol.rsession.get(url, allow_redirects=False)
        code = back.headers["Location"].partition("code=")[2].partition("&")[0]
        pair = client.exchange_code_for_token(1, "secret", code)
        newer = client.refresh_access_token(1, "secret", pair["refresh_token"])
        assert newer["refresh_token"] != pair["refresh_token"]
        assert client.protocol.get(strava.api_url + "/athlete")["firstname"] == "Sim"

    def test_knows_the_refusals(self, client: Any, world: StravaWorld) -> None:
        from stravalib import exc

        summary = {"id": 5, "start_date": "2026-03-01T08:00:00Z", "elapsed_time": 60, "manual": True}
        world.add(Recorded(summary))
        with pytest.raises(exc.ObjectNotFound):
            client.get_activity_streams(5, types=["time"])
        world.inactive = True
        with pytest.raises(exc.ApplicationInactive):
            client.get_athlete()
        world.inactive = False
        world.tokens.kill_access()
        with pytest.raises(exc.AccessUnauthorized):
            client.get_athlete()
