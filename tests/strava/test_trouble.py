"""Everything that can go wrong with Strava gives one sentence, in bounded time, without a secret in it."""

import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from daemon.simulator.faults import Fault
from daemon.strava.client import Strava
from daemon.strava.errors import AccessLost, RateLimited, StravaUnreachable, Unreadable
from daemon.strava.wire import Timeouts

API = "/api/"
TOKEN = "/oauth/token"
QUICK = Timeouts(connect_s=1.0, read_s=0.3, overall_s=0.8)
PATIENT = Timeouts(connect_s=5.0, read_s=10.0, overall_s=20.0)
SOON_S = 30.0
"""A second or two, and what a busy machine makes of it; far less than what hangs or drips would take."""


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (500, "HTTP 500"),
        (503, "HTTP 503"),
        ("html", "could not be read"),
        ("truncated", "broke off|could not be read"),
        ("empty", "could not be read"),
        ("reset", "no connection"),
        (Fault("hang", seconds=60), "too long"),
        (Fault("drip", seconds=60), "too long"),
        ("redirect", "redirects"),
    ],
)
def test_no_usable_answer_leaves_the_call_for_the_next_pull(desk: Any, fault: Any, says: str) -> None:
    desk.run()
    desk.world.fail(API, fault)
    slow = isinstance(fault, Fault)
    strava = desk.strava(timeouts=QUICK if slow else PATIENT)
    began = time.monotonic()
    with pytest.raises(StravaUnreachable, match=says) as trouble:
        strava.list_activities(None)
    assert time.monotonic() - began < SOON_S
    assert "next pull" in str(trouble.value)
    assert len(desk.world.asked) == 1, "it must not be asked again at once"
    again = desk.strava() if slow else strava
    assert len(again.list_activities(None).items) == 1, "and afterwards all is well"


def test_wrong_types_everywhere_are_counted_and_lose_nothing_else(desk: Any) -> None:
    run = desk.run()
    desk.world.fail(API, "wrong_types", times=3)
    strava = desk.strava()
    assert strava.list_activities(None).unreadable == 1
    with pytest.raises(StravaUnreachable):
        strava.activity(run)
    with pytest.raises(Unreadable):
        strava.streams(run)
    assert strava.streams(run) is not None


def test_a_strava_that_is_down_is_unreachable_and_comes_back(desk: Any) -> None:
    strava = desk.strava()
    strava.list_activities(None)
    desk.server.stop()
    with pytest.raises(StravaUnreachable, match="no connection"):
        strava.list_activities(None)
    desk.server.start()
    assert strava.list_activities(None).empty


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_proxys_page_neither_locks_out_nor_deletes(desk: Any, status: int) -> None:
    with _speaking(b"HTTP/1.1 %d Nope\r\nConnection: close\r\nContent-Length: 9\r\n\r\n<html>no " % status) as address:
        strava = _at(desk, address)
        for call in (lambda: strava.list_activities(None), lambda: strava.activity(1), lambda: strava.streams(1)):
            with pytest.raises(StravaUnreachable, match=str(status)):
                call()
        strava = _at(desk, address, desk.tokens(lasting=timedelta(0)))
        with pytest.raises(StravaUnreachable, match=str(status)):
            strava.list_activities(None)


def test_headers_that_drip_forever_end_too(desk: Any) -> None:
    with _speaking(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: really\r\n" * 500, pause_s=0.05) as address:
        began = time.monotonic()
        with pytest.raises(StravaUnreachable, match="too long"):
            _at(desk, address, timeouts=QUICK).list_activities(None)
        assert time.monotonic() - began < SOON_S


def test_an_answer_without_end_is_cut_off(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.strava.session._MAX_BODY_BYTES", 200_000)
    with (
        _speaking(b"HTTP/1.1 200 OK\r\n\r\n[" + b" " * 5_000_000) as address,
        pytest.raises(StravaUnreachable, match="too large"),
    ):
        _at(desk, address).list_activities(None)


@pytest.mark.parametrize("body", [b"[" * 100_000, b"9" * 10_000, b'{"message": "hello"}', b"null", b"\xff\xfe[]"])
def test_json_made_to_hurt_is_only_unreadable(desk: Any, body: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    with _speaking(head + body) as address, pytest.raises(StravaUnreachable):
        _at(desk, address).list_activities(None)


def test_plain_http_behind_https_is_refused(desk: Any) -> None:
    with pytest.raises(StravaUnreachable, match="certificate|no connection"):
        _at(desk, desk.server.base_url.replace("http:", "https:")).list_activities(None)


def test_a_lapsed_subscription_has_a_state_of_its_own(desk: Any) -> None:
    desk.world.inactive = True
    for tokens in (desk.tokens(), desk.tokens(lasting=timedelta(0))):
        with pytest.raises(AccessLost, match="subscription.*https://www.strava.com/settings/api") as lost:
            desk.strava(tokens).list_activities(None)
        assert lost.value.reason == "inactive"


def test_a_withdrawn_permission_says_to_authorise_again(desk: Any) -> None:
    strava = desk.strava()
    desk.world.tokens.revoke(1001)
    with pytest.raises(AccessLost, match="pullback auth") as lost:
        strava.list_activities(None)
    assert lost.value.reason == "revoked" and desk.refreshes() == 1


def test_a_permission_never_given_is_no_reason_to_refresh(desk: Any) -> None:
    with pytest.raises(AccessLost, match="permission") as lost:
        desk.strava(desk.tokens("read")).list_activities(None)
    assert lost.value.reason == "scope" and desk.refreshes() == 0


def test_another_403_is_a_missing_permission(desk: Any) -> None:
    desk.world.fail(API, 403)
    with pytest.raises(AccessLost) as lost:
        desk.strava().list_activities(None)
    assert lost.value.reason == "scope"


@pytest.mark.parametrize("application", [{"secret": "wrong"}, {"client_id": 2}])
def test_a_wrong_application_points_at_the_config(desk: Any, application: dict[str, Any]) -> None:
    with pytest.raises(AccessLost, match="strava.client_id") as lost:
        desk.strava(desk.tokens(lasting=timedelta(0)), **application).list_activities(None)
    assert lost.value.reason == "client"


def test_429_with_retry_after_waits_that_long(desk: Any) -> None:
    desk.world.fail(API, Fault("status", status=429, retry_after=3600))
    with pytest.raises(RateLimited, match="2026-11-02 09:15 UTC"):
        desk.strava().list_activities(None)


def test_429_at_the_token_desk_is_a_rate_limit_too(desk: Any) -> None:
    desk.world.fail(TOKEN, 429)
    with pytest.raises(RateLimited):
        desk.strava(desk.tokens(lasting=timedelta(0))).list_activities(None)


@pytest.mark.parametrize("fault", [500, "html", "truncated", "empty", "reset", "redirect", "wrong_types"])
def test_trouble_while_refreshing_is_not_a_lost_authorisation(desk: Any, fault: Any) -> None:
    desk.world.fail(TOKEN, fault)
    with pytest.raises(StravaUnreachable):
        desk.strava(desk.tokens(lasting=timedelta(0))).list_activities(None)
    assert desk.saved == []


def test_a_lost_answer_to_a_refresh_does_not_lock_the_runner_out_without_a_word(desk: Any) -> None:
    dying = desk.tokens(lasting=timedelta(0))
    desk.world.fail(TOKEN, "lost")
    with pytest.raises(StravaUnreachable):
        desk.strava(dying).list_activities(None)
    with pytest.raises(AccessLost, match="pullback auth"):
        desk.strava(dying).list_activities(None)


def test_no_secret_in_any_message_log_or_traceback(desk: Any, caplog: pytest.LogCaptureFixture) -> None:
    shown, secret = [], "-".join(["hunter", "2"])
    tokens = desk.tokens()
    with caplog.at_level(logging.DEBUG):
        for pattern, fault in [(API, 500), (API, 401), (API, "html"), (API, "reset"), (API, 403), (API, 429)]:
            desk.world.fail(pattern, fault, times=None)
            shown.append(_report(lambda: desk.strava(tokens, secret=secret).list_activities(None)))
            desk.world.heal()
        for fault in (500, 401, "html", "reset", "inactive", "wrong_types"):
            desk.world.fail(TOKEN, fault, times=None)
            dying = desk.tokens(lasting=timedelta(0))
            shown.append(_report(lambda dying=dying: desk.strava(dying, secret=secret).list_activities(None)))
            desk.world.heal()
            shown = [text.replace(dying.refresh, "LEAK") for text in shown]
    text = "\n".join([*shown, caplog.text])
    assert "LEAK" not in text and secret not in text
    assert tokens.access not in text and tokens.refresh not in text


def _report(call: Callable[[], Any]) -> str:
    try:
        call()
    except Exception as error:
        return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    raise AssertionError("it should have failed")


def _at(desk: Any, address: str, tokens: Any = None, timeouts: Timeouts = PATIENT) -> Strava:
    """A client that asks another address than the stand-in's."""
    strava = Strava(
        1,
        "secret",
        address,
        address,
        tokens or desk.tokens(),
        desk.saved.append,
        None,
        desk.clock,
        timeouts=timeouts,
    )
    desk.clients.append(strava)
    return strava


class _speaking:
    """A server that says the same bytes to whoever connects, all at once or a few at a time."""

    def __init__(self, words: bytes, pause_s: float = 0.0) -> None:
        self.words, self.pause_s, self.closing = words, pause_s, threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> str:
        threading.Thread(target=self._serve, daemon=True).start()
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.listener.close()

    def _serve(self) -> None:
        for connection in self._connections():
            with connection:
                connection.recv(65_536)
                self._speak(connection)

    def _connections(self) -> Iterator[socket.socket]:
        while True:
            try:
                yield self.listener.accept()[0]
            except OSError:
                return

    def _speak(self, connection: socket.socket) -> None:
        try:
            if not self.pause_s:
                connection.sendall(self.words)
                return
            for begin in range(0, len(self.words), 8):
                connection.sendall(self.words[begin : begin + 8])
                if self.closing.wait(self.pause_s):
                    return
        except OSError:
            return
