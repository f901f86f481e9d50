"""The stand-in behaves like Strava where pullback relies on it: consent, tokens, lists, quotas, and trouble."""

import subprocess
import sys
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from daemon.simulator.faults import Fault
from tests.simulator.conftest import Desk, recorded

ASK = {
    "client_id": "1",
    "redirect_uri": "http://localhost:9/",
    "response_type": "code",
    "scope": "read,activity:read_all,profile:read_all",
    "state": "s3",
}
CLIENT = {"client_id": "1", "client_secret": "secret"}


def consent(desk: Desk, **changes: str) -> dict[str, str]:
    url = desk.strava.base_url + "/oauth/authorize"
    answer = requests.get(url, params=ASK | changes, allow_redirects=False, timeout=5)
    assert answer.status_code == 302
    return {k: v[0] for k, v in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


class TestConsent:
    def test_a_runner_who_agrees_comes_back_with_a_code_that_works_once(self, desk: Desk) -> None:
        back = consent(desk)
        assert back["state"] == "s3"
        assert set(back["scope"].split(",")) == {"read", "activity:read_all", "profile:read_all"}
        form = CLIENT | {"grant_type": "authorization_code", "code": back["code"]}
        first = desk.post("/oauth/token", data=form)
        assert first.json()["expires_in"] == 6 * 3600
        assert first.json()["athlete"]["id"] == desk.world.runner
        assert desk.post("/oauth/token", data=form).status_code == 400

    def test_a_runner_who_refuses_or_unticks(self, desk: Desk) -> None:
        desk.world.deny = True
        assert consent(desk) == {"state": "s3", "error": "access_denied"}
        desk.world.deny = False
        desk.world.unticked = {"activity:read_all"}
        assert consent(desk)["scope"] == "profile:read_all,read"

    def test_an_unknown_app_gets_no_page(self, desk: Desk) -> None:
        url = desk.strava.base_url + "/oauth/authorize"
        assert requests.get(url, params=ASK | {"client_id": "2"}, timeout=5).status_code == 400

    def test_a_wrong_secret_is_401_and_a_wrong_client_400(self, desk: Desk) -> None:
        form = {"grant_type": "authorization_code", "code": consent(desk)["code"]}
        assert desk.post("/oauth/token", data=form | CLIENT | {"client_secret": "x"}).status_code == 401
        assert desk.post("/oauth/token", data=form | CLIENT | {"client_id": "x"}).status_code == 400


class TestTokens:
    def refresh(self, desk: Desk, token: str) -> requests.Response:
        return desk.post("/oauth/token", data=CLIENT | {"grant_type": "refresh_token", "refresh_token": token})

    def test_access_ends_after_six_hours_and_every_refresh_kills_its_token(self, desk: Desk) -> None:
        pair = desk.authorise()
        desk.forward(hours=5, minutes=59)
        assert desk.get("/athlete").status_code == 200
        desk.forward(minutes=1)
        assert desk.get("/athlete").status_code == 401
        new = self.refresh(desk, pair["refresh_token"]).json()
        assert new["refresh_token"] != pair["refresh_token"]
        again = self.refresh(desk, pair["refresh_token"])
        assert again.status_code == 400
        assert again.json()["errors"] == [{"resource": "RefreshToken", "field": "refresh_token", "code": "invalid"}]
        desk.session.headers["Authorization"] = f"Bearer {new['access_token']}"
        assert desk.get("/athlete").json()["id"] == desk.world.runner

    def test_a_lost_answer_has_rotated_the_token_all_the_same(self, desk: Desk) -> None:
        pair = desk.authorise()
        desk.world.fail("/oauth/token", "lost")
        with pytest.raises(requests.ConnectionError):
            self.refresh(desk, pair["refresh_token"])
        assert self.refresh(desk, pair["refresh_token"]).status_code == 400

    def test_a_reset_before_the_request_has_rotated_nothing(self, desk: Desk) -> None:
        pair = desk.authorise()
        desk.world.fail("/oauth/token", "reset")
        with pytest.raises(requests.ConnectionError):
            self.refresh(desk, pair["refresh_token"])
        assert self.refresh(desk, pair["refresh_token"]).status_code == 200

    def test_revoking_kills_both_tokens(self, desk: Desk) -> None:
        pair = desk.authorise()
        token = {"token": pair["refresh_token"]}
        assert desk.post("/oauth/revoke", auth=("1", "wrong"), data=token).status_code == 401
        assert desk.post("/oauth/revoke", auth=("1", "secret"), data=token).status_code == 200
        assert desk.get("/athlete").status_code == 401
        assert self.refresh(desk, pair["refresh_token"]).status_code == 400


class TestLists:
    def test_newest_first_and_with_after_oldest_first(self, desk: Desk) -> None:
        desk.world.add_all([recorded(n, day=n) for n in (2, 3, 1, 4)])
        assert [a["id"] for a in desk.get("/athlete/activities").json()] == [4, 3, 2, 1]
        after = datetime(2026, 11, 2, tzinfo=UTC).timestamp()
        assert [a["id"] for a in desk.get("/athlete/activities", after=after).json()] == [2, 3, 4]
        assert [a["id"] for a in desk.get("/athlete/activities", before=after).json()] == [1]

    def test_pages(self, desk: Desk) -> None:
        desk.world.add_all([recorded(n, day=n) for n in range(1, 8)])
        assert [a["id"] for a in desk.get("/athlete/activities", per_page=3, page=3).json()] == [1]
        assert desk.get("/athlete/activities", per_page=3, page=4).json() == []
        assert desk.get("/athlete/activities", per_page=201).status_code == 400

    def test_only_me_runs_need_the_wider_scope(self, desk: Desk) -> None:
        desk.world.add_all([recorded(1), recorded(2, visibility="only_me", private=True)])
        assert len(desk.get("/athlete/activities").json()) == 2
        desk.authorise("read", "activity:read")
        assert [a["id"] for a in desk.get("/athlete/activities").json()] == [1]
        assert desk.get("/activities/2").status_code == 404
        assert desk.get("/athlete/zones").status_code == 401
        desk.authorise("read")
        assert desk.get("/athlete/activities").status_code == 401

    def test_runs_appear_edit_and_vanish(self, desk: Desk) -> None:
        desk.world.add_all([recorded(1, day=20), recorded(2, day=21)], as_they_happen=True)
        assert [a["id"] for a in desk.get("/athlete/activities").json()] == [1]
        desk.forward(days=1)
        desk.authorise()
        desk.world.edit(1, name="Renamed")
        assert {a["name"] for a in desk.get("/athlete/activities").json()} == {"Morning Run", "Renamed"}
        desk.world.delete(1)
        assert [a["id"] for a in desk.get("/athlete/activities").json()] == [2]
        assert desk.get("/activities/1").status_code == 404

    def test_another_athletes_runs_stay_theirs(self, desk: Desk) -> None:
        desk.world.add(recorded(1), athlete_id=desk.world.add_athlete(77))
        assert desk.get("/athlete/activities").json() == []
        assert desk.get("/activities/1/streams", keys="time").status_code == 404


class TestStreams:
    def test_come_late_and_never_for_manual_entries(self, desk: Desk) -> None:
        desk.world.add_all([recorded(1), recorded(2, manual=True)])
        desk.world.hold_streams(1, until=datetime(2026, 11, 20, 13, tzinfo=UTC))
        query = {"keys": "time,heartrate", "key_by_type": "true"}
        assert desk.get("/activities/1/streams", **query).status_code == 404
        desk.forward(hours=1)
        answer = desk.get("/activities/1/streams", **query).json()
        assert answer["heartrate"] == {
            "data": [90, 91, 93],
            "series_type": "distance",
            "original_size": 3,
            "resolution": "high",
        }
        assert desk.get("/activities/2/streams", **query).status_code == 404


class TestLimits:
    def usage(self, answer: requests.Response) -> tuple[str, str]:
        return answer.headers["X-RateLimit-Usage"], answer.headers["X-ReadRateLimit-Usage"]

    def test_windows_begin_at_the_quarter_and_at_midnight_utc(self, desk: Desk) -> None:
        answer = desk.get("/athlete")
        assert answer.headers["X-RateLimit-Limit"] == "200,2000"
        assert answer.headers["X-ReadRateLimit-Limit"] == "100,1000"
        assert self.usage(answer) == ("1,1", "1,1")
        desk.forward(minutes=7, seconds=59)  # 12:14:59
        assert self.usage(desk.get("/athlete")) == ("2,2", "2,2")
        desk.forward(seconds=1)
        assert self.usage(desk.get("/athlete")) == ("1,3", "1,3")
        desk.forward(hours=11, minutes=45)
        desk.authorise()
        assert self.usage(desk.get("/athlete")) == ("1,1", "1,1")

    def test_a_refused_call_counts_against_the_day(self, desk: Desk) -> None:
        desk.world.limits.read.short_limit = 2
        statuses = [desk.get("/athlete").status_code for _ in range(4)]
        assert statuses == [200, 200, 429, 429]
        desk.forward(minutes=8)
        assert self.usage(desk.get("/athlete")) == ("1,5", "1,5")

    def test_the_day_can_be_used_up_and_oauth_never_counts(self, desk: Desk) -> None:
        desk.world.limits.read.long_limit = 1
        assert desk.get("/athlete").status_code == 200
        desk.forward(hours=1)
        assert desk.get("/athlete").status_code == 429
        assert "code" in consent(desk)
        assert desk.world.limits.overall.long_usage == 2


class TestTrouble:
    def test_a_lapsed_subscription_stops_everything(self, desk: Desk) -> None:
        desk.world.inactive = True
        answer = desk.get("/athlete")
        assert answer.status_code == 403
        assert answer.json()["errors"] == [{"resource": "Application", "field": "Status", "code": "Inactive"}]
        assert desk.post("/oauth/token", data=CLIENT).status_code == 403

    def test_each_fault_fails_as_named_and_then_all_is_well(self, desk: Desk) -> None:
        whole = desk.get("/athlete").content
        cases: list[tuple[Fault, int, bytes | None]] = [
            (Fault("status", status=503, retry_after=30), 503, None),
            (Fault("inactive"), 403, None),
            (Fault("html"), 200, None),
            (Fault("truncated"), 200, whole[: len(whole) // 2]),
            (Fault("empty"), 200, b""),
            (Fault("drip", seconds=0.1), 200, whole),
            (Fault("redirect", location="https://elsewhere.invalid/"), 302, b""),
        ]
        for fault, status, body in cases:
            desk.world.fail("/athlete$", fault)
            answer = desk.get("/athlete")
            assert answer.status_code == status, fault
            assert body is None or answer.content == body, fault
            assert desk.get("/athlete").content == whole

    def test_headers_and_bodies_of_faults(self, desk: Desk) -> None:
        desk.world.fail("/athlete$", Fault("status", status=503, retry_after=30))
        assert desk.get("/athlete").headers["Retry-After"] == "30"
        desk.world.fail("/athlete$", "html")
        assert "<html>" in desk.get("/athlete").text
        desk.world.fail("/athlete$", "wrong_types")
        assert desk.get("/athlete").json()["id"] == "wrong"

    def test_a_hanging_server_can_be_timed_out_and_still_be_stopped(self, desk: Desk) -> None:
        desk.world.fail("/athlete$", Fault("hang", seconds=60))
        with pytest.raises(requests.Timeout):
            desk.session.get(desk.strava.api_url + "/athlete", timeout=0.1)
        desk.strava.stop()
        with pytest.raises(requests.ConnectionError):
            desk.get("/athlete")
        desk.strava.start()
        assert desk.get("/athlete").status_code == 200

    def test_a_fault_hits_its_path_as_often_as_asked(self, desk: Desk) -> None:
        desk.world.add(recorded(1))
        desk.world.fail(r"/activities/\d+$", 500, times=2)
        assert [desk.get("/activities/1").status_code for _ in range(3)] == [500, 500, 200]
        desk.world.fail("/athlete$", 500, times=None)
        assert {desk.get("/athlete").status_code for _ in range(3)} == {500}
        desk.world.heal()
        assert desk.get("/athlete").status_code == 200

    def test_everything_asked_is_on_record(self, desk: Desk) -> None:
        desk.get("/athlete/activities", per_page=5)
        desk.world.fail("/athlete$", "lost")
        with pytest.raises(requests.ConnectionError):
            desk.get("/athlete")
        listed, cut = desk.world.api_calls()
        assert (listed.path, listed.query, listed.status) == ("/api/v3/athlete/activities", {"per_page": "5"}, 200)
        assert (cut.path, cut.status) == ("/api/v3/athlete", 0)


def test_it_runs_by_hand() -> None:
    command = [sys.executable, "-m", "daemon.simulator.standin", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            back = requests.get(address + "/oauth/authorize", params=ASK, allow_redirects=False, timeout=5)
            assert back.status_code == 302
        finally:
            server.terminate()
