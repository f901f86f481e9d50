"""Whatever JSON Strava's answers hold: a value, or one sentence, and never anything that the store can't take."""

import copy
import json
import math
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.errors import UserError
from daemon.metrics import encode_series, make_series
from daemon.store.facts import content_hash
from daemon.strava.auth import read_tokens
from daemon.strava.convert import STREAM_KEYS, read_activity, read_streams, says_something
from daemon.strava.errors import StravaUnreachable, explain, explain_token, refusal
from daemon.strava.limits import from_json, full, parse_headers, resume_at
from tests.fuzzing import tries
from tests.house import MONDAY, House, open_house, plain_run

JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**40), 10**40),
        st.floats(),
        st.text(max_size=12),
        st.sampled_from(
            ["", "0", "-1", "NaN", "1e999", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "\ud800", "\0"]
        ),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=8,
)


def bent(shape: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A true answer with a few fields replaced by anything, or gone."""
    change = st.dictionaries(st.sampled_from(sorted(shape)), JUNK, max_size=5)
    gone = st.sets(st.sampled_from(sorted(shape)), max_size=3)
    return st.builds(lambda new, lost: {k: v for k, v in (shape | new).items() if k not in lost}, change, gone)


RUN = plain_run(1, MONDAY - timedelta(days=1), minutes=2)
LAP = {"elapsed_time": 60, "moving_time": 60, "distance": 166.0, "average_heartrate": 140.0}
DETAIL = RUN.summary | {"laps": [LAP], "perceived_exertion": 4, "device_name": "A watch", "average_temp": 12}
STREAMS = {name: {"data": data, "series_type": "time"} for name, data in RUN.streams.items()}
STREAM = st.one_of(
    JUNK,
    st.builds(
        lambda data, change: {"data": [change.get(n, value) for n, value in enumerate(data)]},
        st.sampled_from(list(RUN.streams.values())),
        st.dictionaries(st.integers(0, 119), JUNK, max_size=6),
    ),
    st.lists(st.one_of(st.integers(-5, 10**9), st.floats(), st.none()), max_size=130).map(lambda data: {"data": data}),
)
TOKENS = {
    "token_type": "Bearer",
    "expires_at": 1793613600,
    "expires_in": 21600,
    "refresh_token": "r",
    "access_token": "a",
}
ERROR = {"message": "Bad Request", "errors": [{"resource": "Application", "field": "client_id", "code": "invalid"}]}


@tries(60)
@given(st.one_of(JUNK, bent(DETAIL)))
def test_an_activity_is_read_or_left_out_and_what_is_read_can_be_stored(raw: Any) -> None:
    activity = read_activity(raw, 1)
    if activity is not None:
        assert content_hash(activity) and json.loads(json.dumps(activity.name)) == activity.name
        assert 0 < activity.id < 2**63 and activity.elapsed_time_s >= activity.moving_time_s >= 0
        assert all(math.isfinite(lap.distance_m) for lap in activity.laps)
        assert activity.day.year >= 1979


@tries(60)
@given(st.one_of(JUNK, st.dictionaries(st.sampled_from(STREAM_KEYS), STREAM, max_size=8), st.lists(STREAM, max_size=3)))
def test_a_recording_is_read_or_not_and_becomes_a_series_or_not(raw: Any) -> None:
    streams = read_streams(raw)
    if streams is not None:
        assert says_something(raw)
        series = make_series(streams)
        assert series is None or encode_series(series)


@tries(60)
@given(st.one_of(JUNK, bent(TOKENS)))
def test_tokens_are_usable_or_refused(raw: Any) -> None:
    if not isinstance(raw, dict):
        return
    try:
        tokens = read_tokens(raw, scope=frozenset(), athlete_id=1, old_refresh="old")
    except StravaUnreachable:
        return
    assert tokens.access and tokens.refresh and tokens.expires_at.tzinfo is not None
    tokens.access.encode("ascii")


@tries(60)
@given(st.integers(100, 599), st.one_of(JUNK, bent(ERROR)), st.one_of(st.none(), st.text(max_size=30)))
def test_every_refusal_is_one_sentence(status: int, body: Any, retry_after: str | None) -> None:
    refused = refusal(status, body, retry_after)
    for error in (explain(refused, "run"), explain_token(refused)):
        assert isinstance(error, UserError) and "\n" not in str(error)


@tries(60)
@given(
    st.dictionaries(
        st.sampled_from(["X-ReadRateLimit-Limit", "X-ReadRateLimit-Usage", "X-RateLimit-Limit", "X-RateLimit-Usage"]),
        st.one_of(
            st.text(max_size=12), st.lists(st.integers(-9, 10**30), max_size=3).map(lambda n: ",".join(map(str, n)))
        ),
    ),
    st.one_of(st.none(), st.text(max_size=30), st.integers(-9, 10**30).map(str)),
    JUNK,
)
def test_headers_and_stored_budgets_never_stop_it_for_longer_than_a_day(
    headers: dict[str, str], retry_after: str | None, stored: Any
) -> None:
    for budget in (parse_headers(headers, MONDAY), from_json(stored)):
        again = resume_at(full(budget, MONDAY, retry_after), MONDAY)
        assert again is not None and timedelta(0) < again - MONDAY <= timedelta(days=1)


@pytest.fixture(scope="module")
def bent_house(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with open_house(tmp_path_factory.mktemp("bent")) as house:
        house.authorise()
        quotas = (house.world.limits.read, house.world.limits.overall)
        for quota in quotas:
            quota.short_limit = quota.long_limit = 10**9
        yield house


@tries(30)
@given(
    summaries=st.lists(bent(RUN.summary), min_size=1, max_size=3),
    streams=st.dictionaries(st.sampled_from(STREAM_KEYS), JUNK, max_size=8),
)
def test_a_pull_and_a_judgement_survive_whatever_is_listed(
    bent_house: House, summaries: list[dict[str, Any]], streams: dict[str, Any]
) -> None:
    house = bent_house
    server = _answering(summaries, streams)
    try:
        house.set_config("strava", api_url=f"http://127.0.0.1:{server.server_address[1]}/api/v3")
        house.pull(insist=True)
        house.evaluate()
    finally:
        server.shutdown()
        server.server_close()
    house.clock.advance(minutes=20)


def _answering(summaries: list[dict[str, Any]], streams: dict[str, Any]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            answer: Any = streams if path.endswith("/streams") else copy.copy(summaries[0])
            if path.endswith("/athlete/activities"):
                answer = summaries if "page=1&" in self.path else []
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server
