"""Authorising: the address to open, the browser's way back over a real port, and the exchange for tokens."""

import queue
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from daemon.errors import UserError
from daemon.strava.auth import SCOPES, authorize_url, callback_from, exchange, missing_scopes, revoke, wait_for_callback
from daemon.strava.callback import Callback
from daemon.strava.errors import AccessLost, StravaUnreachable
from daemon.strava.wire import Timeouts


def test_the_consent_page_is_always_shown_and_asks_for_what_is_needed() -> None:
    url = urlsplit(authorize_url("https://www.strava.com/", 12, "http://localhost:8721/", "s/t"))
    assert (url.netloc, url.path) == ("www.strava.com", "/oauth/authorize")
    assert parse_qs(url.query) == {
        "client_id": ["12"],
        "redirect_uri": ["http://localhost:8721/"],
        "response_type": ["code"],
        "approval_prompt": ["force"],
        "scope": ["read,activity:read_all,profile:read_all"],
        "state": ["s/t"],
    }


@pytest.mark.parametrize(
    "pasted",
    [
        "http://localhost:8721/?state=st&code=abc&scope=read,activity:read_all",
        "  <http://localhost:8721/?state=st&code=abc&scope=read%2Cactivity%3Aread_all#_=_>\n",
        "state=st&code=abc&scope=read+activity:read_all",
    ],
)
def test_a_pasted_address_is_understood(pasted: str) -> None:
    assert callback_from(pasted) == Callback("abc", "st", frozenset({"read", "activity:read_all"}), None)


@pytest.mark.parametrize("pasted", ["", "https://www.strava.com/oauth/authorize?client_id=1", "http://[::1?x", "yes"])
def test_another_address_says_what_to_paste(pasted: str) -> None:
    with pytest.raises(UserError, match="address bar.*pullback auth --paste"):
        callback_from(pasted)


def test_a_denied_consent_is_an_answer() -> None:
    denied = callback_from("http://localhost:8721/?state=st&error=access_denied")
    assert (denied.code, denied.error, denied.scope) == (None, "access_denied", frozenset())


@pytest.mark.parametrize(
    ("granted", "says"),
    [
        (SCOPES, []),
        (("read", "profile:read_all"), ["no run can be read"]),
        (("read", "activity:read", "profile:read_all"), ["private runs"]),
        (("activity:read_all",), ["kilometres or miles", "your name"]),
    ],
)
def test_each_missing_permission_says_what_will_be_missing(granted: tuple[str, ...], says: list[str]) -> None:
    missing = missing_scopes(frozenset(granted))
    assert len(missing) == len(says)
    assert all(word in sentence for word, sentence in zip(says, missing, strict=True))


def test_the_whole_way_from_consent_to_tokens(desk: Any) -> None:
    def browser(redirect_uri: str) -> None:
        assert redirect_uri.startswith("http://localhost:")
        url = authorize_url(desk.server.base_url, 1, redirect_uri, "st")
        _elsewhere(lambda: pages.put(_get(httpx.get(url).headers["Location"])))

    pages: queue.Queue[httpx.Response] = queue.Queue()
    desk.world.unticked = {"profile:read_all"}
    callback = wait_for_callback(0, "st", 30, browser)
    assert callback.code is not None and callback.scope == {"read", "activity:read_all"}
    tokens, athlete = _exchange(desk, callback)
    assert tokens.athlete_id == athlete["id"] == 1001 and tokens.scope == callback.scope
    assert desk.strava(tokens).list_activities(None).empty
    revoke(tokens.refresh, client_id=1, client_secret="secret", base_url=desk.server.base_url)
    with pytest.raises(AccessLost):
        desk.strava(tokens).list_activities(None)
    page = pages.get(timeout=30)
    assert page.status_code == 200 and "has answered" in page.text


def test_strangers_on_the_port_are_answered_and_waiting_goes_on() -> None:
    answers: list[tuple[int, str]] = []

    def visitors(redirect_uri: str) -> None:
        port = int(redirect_uri.rsplit(":", 1)[1].strip("/"))
        silent = socket.create_connection(("127.0.0.1", port))  # browsers open connections ahead of time

        def visit() -> None:
            for path in ("favicon.ico", "", "?state=old&code=1", "?code=1", "?state=st&error=access_denied"):
                answer = _get(redirect_uri + path)
                answers.append((answer.status_code, answer.text))
            silent.close()

        _elsewhere(visit)

    callback = wait_for_callback(0, "st", 30, visitors)
    assert callback.error == "access_denied"
    assert [status for status, _ in answers[:4]] == [404, 200, 200, 200]
    assert all("not the answer" in text for _, text in answers[1:4])


def test_a_refusal_is_answered_with_a_page() -> None:
    pages: queue.Queue[httpx.Response] = queue.Queue()

    def browser(redirect_uri: str) -> None:
        _elsewhere(lambda: pages.put(_get(redirect_uri + "?state=st&error=access_denied")))

    wait_for_callback(0, "st", 30, browser)
    page = pages.get(timeout=30)
    assert page.status_code == 200 and "refused" in page.text


def test_nobody_coming_and_a_taken_port_are_said() -> None:
    with pytest.raises(UserError, match="pullback auth"):
        wait_for_callback(0, "st", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"{port}.*--paste"):
            wait_for_callback(port, "st", 0.01)


def test_only_this_machine_can_reach_the_listener() -> None:
    def look(redirect_uri: str) -> None:
        port = int(redirect_uri.rsplit(":", 1)[1].strip("/"))
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.2", port), timeout=1)

    with pytest.raises(UserError):
        wait_for_callback(0, "st", 0.01, look)


def test_a_code_is_good_once_and_a_wrong_application_is_told_apart(desk: Any) -> None:
    callback = _consent(desk)
    with pytest.raises(AccessLost, match="client_secret"):
        _exchange(desk, callback, secret="wrong")
    _exchange(desk, callback)
    with pytest.raises(AccessLost, match="pullback auth"):
        _exchange(desk, callback)


def test_an_exchange_without_the_athlete_asks_for_them(desk: Any) -> None:
    callback = _consent(desk)
    desk.world.tokens.athlete_of = lambda token: None
    tokens, athlete = _exchange(desk, callback)
    assert tokens.athlete_id == athlete["id"] == 1001
    assert [asked.path for asked in desk.world.asked][-1] == "/api/v3/athlete"


@pytest.mark.parametrize("fault", ["html", "wrong_types", "truncated", 502])
def test_an_exchange_whose_answer_is_no_use(desk: Any, fault: Any) -> None:
    callback = _consent(desk)
    desk.world.fail("/oauth/token", fault)
    with pytest.raises(StravaUnreachable):
        _exchange(desk, callback)


@pytest.mark.parametrize("odd", [10**40, 1e300, -1, "you", None, [1]])
def test_tokens_of_nobody_in_particular_are_no_use(desk: Any, odd: Any) -> None:
    callback = _consent(desk)
    desk.world.athletes[1001]["id"] = odd
    with pytest.raises(StravaUnreachable, match="whose tokens"):
        _exchange(desk, callback)


def _consent(desk: Any) -> Callback:
    url = authorize_url(desk.server.base_url, 1, "http://localhost:1/", "st")
    return callback_from(httpx.get(url).headers["Location"])


def _exchange(desk: Any, callback: Callback, secret: str = "secret") -> Any:
    return exchange(
        callback.code or "",
        callback.scope,
        client_id=1,
        client_secret=secret,
        base_url=desk.server.base_url,
        api_url=desk.server.api_url,
        timeouts=Timeouts(connect_s=5.0, read_s=10.0, overall_s=20.0),
    )


def _get(url: str) -> httpx.Response:
    return httpx.get(url.replace("localhost", "127.0.0.1"), trust_env=False)


def _elsewhere(call: Callable[[], Any]) -> None:
    threading.Thread(target=call, daemon=True).start()
