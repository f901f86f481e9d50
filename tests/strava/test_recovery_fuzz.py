"""Days on which Strava answers anything at all, and the day after: then the store is what it would have been.

Nothing is raised meanwhile, no answer makes a run that Strava hasn't, and none is lost.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daemon.errors import UserError
from daemon.metrics import decode_series, make_series
from daemon.store import activities as rows
from daemon.store import open_store
from daemon.strava.auth import SCOPES, exchange, revoke
from daemon.strava.convert import STREAM_KEYS, read_streams
from daemon.strava.wire import Timeouts
from tests.fuzzing import tries
from tests.house import MONDAY, House, open_house, plain_run
from tests.strava.test_fuzz import DETAIL, ERROR, JUNK, LAP, STREAM, TOKENS, bent

KNOWN = plain_run(1, MONDAY - timedelta(days=2), minutes=2)
NEW = plain_run(2, MONDAY - timedelta(days=1), minutes=2)
QUICK = Timeouts(connect_s=5.0, read_s=10.0, overall_s=20.0)


@dataclass
class Confused:
    """A Strava that gives the answers it was told to, in turn, whatever is asked: (status, bytes) by kind."""

    answers: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)
    server: ThreadingHTTPServer = field(init=False)

    def __post_init__(self) -> None:
        confused = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, body = confused.next(self.path.split("?")[0])
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *args: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def next(self, path: str) -> tuple[int, bytes]:
        kinds = {"streams": "streams", "activities": "list", "token": "token", "athlete": "athlete"}
        queue = self.answers[kinds.get(path.rsplit("/", 1)[1], "detail")]
        # The last one stays, so a list has an end: nobody asks for page after page.
        return queue.pop(0) if len(queue) > 1 else queue[0]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture(scope="module")
def afternoon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Path, Confused]]:
    """A house that knows one run, the database as it is then, and a Strava out of its mind."""
    folder = tmp_path_factory.mktemp("confused")
    confused = Confused()
    with open_house(folder) as house:
        house.authorise()
        for quota in (house.world.limits.read, house.world.limits.overall):
            quota.short_limit = quota.long_limit = 10**9
        house.world.add(KNOWN)
        house.pull()
        house.evaluate()
        house.world.add(NEW)
        house.store.close()
        as_it_was = shutil.copy(house.path, folder / "as-it-was.db")
        yield house, Path(as_it_was), confused
    confused.server.shutdown()
    confused.server.server_close()


def said(answer: Any) -> bytes:
    return json.dumps(answer).encode()


def answers(*shapes: Any) -> st.SearchStrategy[tuple[int, bytes]]:
    """An answer as it should be, but for a few fields; or of another kind; or a refusal; or no JSON."""
    return st.one_of(
        st.one_of(*shapes).map(lambda shape: (200, said(shape))),
        JUNK.map(lambda junk: (200, said(junk))),
        st.tuples(st.sampled_from([400, 401, 403, 404, 429, 500, 503]), st.one_of(JUNK, bent(ERROR)).map(said)),
        st.sampled_from([(status, said(ERROR)) for status in (400, 401, 403, 404, 429, 500)]),
        st.sampled_from([b"", b"[{", b"[" * 5000, b"\xff\xfe", b"<html>", b"9" * 5000]).map(lambda text: (200, text)),
    )


LISTS = st.lists(st.one_of(bent(KNOWN.summary), bent(NEW.summary), JUNK), max_size=3)
STREAMS = st.one_of(st.dictionaries(st.sampled_from(STREAM_KEYS), STREAM, max_size=8), st.lists(STREAM, max_size=3))
EACH = {
    "list": answers(LISTS),
    "detail": answers(bent(DETAIL), bent(DETAIL | {"id": 2, "laps": [LAP] * 3})),
    "streams": answers(STREAMS),
    "token": answers(bent(TOKENS)),
    "athlete": answers(bent({"id": 1, "firstname": "Jo", "sex": "F"})),
}
DAYS = st.fixed_dictionaries({kind: st.lists(some, min_size=1, max_size=3) for kind, some in EACH.items()})


GONE = [(404, said(ERROR))]
TIMES = [(200, said({"time": {"data": list(range(120))}})), (200, b"{}")]
"""A recording of which only the times are there, then nothing."""


@tries(20)
@given(DAYS)
@example({"list": [(200, b"[]")], "detail": GONE, "streams": GONE, "token": GONE, "athlete": GONE})
@example({"list": [(200, said([NEW.summary]))], "detail": GONE, "streams": TIMES, "token": GONE, "athlete": GONE})
def test_after_days_of_nonsense_the_store_is_what_strava_has(
    afternoon: tuple[House, Path, Confused], day: dict[str, list[tuple[int, bytes]]]
) -> None:
    house, as_it_was, confused = afternoon
    begins_again(house, as_it_was)
    # Of its own: what it has answered it drops, but for the last.
    confused.answers = {kind: [*some, *([(200, b"[]")] if kind == "list" else [])] for kind, some in day.items()}
    base, api = house.standin.base_url, house.standin.api_url
    house.set_config("strava", base_url=confused.url, api_url=f"{confused.url}/api/v3")
    for _ in range(2):
        house.pull(QUICK, insist=True)
        house.evaluate()
        house.clock.advance(hours=4)
    house.set_config("strava", base_url=base, api_url=api)
    house.authorise()  # what it was told of tokens may have locked it out; the runner lets it in again
    for _ in range(4):
        outcome = house.pull(QUICK, insist=True)
        assert outcome.problem is None
        house.evaluate()
        house.clock.advance(hours=2)
    as_strava_has_it(house, [body for status, body in day["streams"] if status == 200])


def begins_again(house: House, as_it_was: Path) -> None:
    house.store.close()
    for path in house.path.parent.glob(f"{house.path.name}*"):
        if path != as_it_was:
            path.unlink()
    shutil.copy(as_it_was, house.path)
    house.store = open_store(house.path)
    house.clock.moment = MONDAY


def as_strava_has_it(house: House, recordings: list[bytes]) -> None:
    with house.store.read() as session:
        known = {number: run for number, run in rows.known(session, house.athlete_id).items() if not run.deleted}
        assert sorted(known) == [1, 2]
        for number, recorded in ((1, KNOWN), (2, NEW)):
            run = known[number]
            assert run.start.isoformat() == recorded.summary["start_date"].replace("Z", "+00:00")
            assert (run.distance_m, run.elapsed_time_s) == (recorded.summary["distance"], 120)
            series = rows.series(session, house.athlete_id, number)
            if any(map(usable, recordings)):
                continue  # one that could be a recording was taken for it
            assert run.recording == "have", number
            true = make_series(read_streams({key: {"data": data} for key, data in recorded.streams.items()}))
            assert series is not None and true is not None
            assert len(decode_series(series).speed_m_s) == len(true.speed_m_s)


def usable(body: bytes) -> bool:
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(raw, dict | list) and read_streams(raw) is not None


@tries(40)
@given(st.lists(EACH["token"], min_size=1, max_size=2), st.lists(EACH["athlete"], min_size=1, max_size=2))
def test_a_consent_answered_with_nonsense_is_tokens_of_somebody_or_one_sentence(
    afternoon: tuple[House, Path, Confused], token: list[tuple[int, bytes]], athlete: list[tuple[int, bytes]]
) -> None:
    confused = afternoon[2]
    confused.answers = {"token": token, "athlete": athlete, "detail": token}
    app: dict[str, Any] = {"client_id": 1, "client_secret": "secret", "base_url": confused.url, "timeouts": QUICK}
    try:
        tokens, _ = exchange("code", frozenset(SCOPES), api_url=f"{confused.url}/api/v3", **app)
        assert 0 < tokens.athlete_id < 2**63 and tokens.access and tokens.refresh
    except UserError as error:
        assert "\n" not in str(error)
    try:
        revoke("token", **app)
    except UserError as error:
        assert "\n" not in str(error)
