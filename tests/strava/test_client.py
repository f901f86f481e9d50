"""pullback's calls over a real socket: what they return, what they cost, and how tokens and limits are kept."""

import logging
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from daemon.strava.auth import Tokens
from daemon.strava.errors import AccessLost, NotFound, RateLimited, StravaUnreachable
from daemon.strava.limits import Budget

OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)


def test_one_page_is_one_call_newest_first_and_oldest_first_with_after(desk: Any) -> None:
    for day in (3, 1, 2):
        desk.run(id=500 + day, day=day)
    strava = desk.strava()
    assert [item.activity.id for item in strava.list_activities(None).items] == [503, 502, 501]
    assert [item.activity.id for item in strava.list_activities(OCTOBER).items] == [501, 502, 503]
    assert strava.list_activities(None, page=2).empty
    narrow = strava.list_activities(OCTOBER + timedelta(days=1), before=OCTOBER + timedelta(days=2), per_page=1)
    assert [item.raw["id"] for item in narrow.items] == [502]
    assert len(desk.world.asked) == 4


def test_a_new_run_has_its_laps_and_its_recording(desk: Any) -> None:
    run = desk.run()
    strava = desk.strava()
    assert strava.activity(run).activity.laps[0].distance_m == 10_000
    answer = strava.streams(run)
    assert answer is not None
    streams, raw = answer
    assert streams.heart_rate_bpm is not None and streams.heart_rate_bpm.tolist() == [120, 121, 122]
    assert raw.startswith(b"{") and b"heartrate" in raw
    assert strava.athlete()["id"] == 1001


def test_no_recording_is_no_error_and_no_activity_is(desk: Any) -> None:
    held, empty = desk.run(id=1), desk.run(id=2, streams={"time": [], "heartrate": []})
    desk.world.hold_streams(held)
    strava = desk.strava()
    assert strava.streams(held) is None
    assert strava.streams(empty) is None
    with pytest.raises(NotFound, match="activity 99"):
        strava.activity(99)


def test_an_answer_about_another_run_is_no_answer(desk: Any) -> None:
    desk.run(id=1)
    desk.world.edit(1, id=2)
    with pytest.raises(StravaUnreachable, match="activity 1 could not be read"):
        desk.strava().activity(1)


def test_one_odd_item_does_not_cost_the_page(desk: Any) -> None:
    desk.run(id=1, sport_type="Underwater Rugby", timezone=None, utc_offset=None, distance="far", name=None)
    desk.run(id=2, day=2, average_heartrate={}, moving_time=10**400)
    desk.run(id=3, day=3)
    desk.world.edit(3, start_date=None, start_date_local="soon")
    page = desk.strava().list_activities(None)
    assert {item.activity.id for item in page.items} == {1, 2}
    assert page.unreadable == 1 and not page.empty
    assert {item.activity.sport for item in page.items} == {"Underwater Rugby", "Run"}


def test_the_headers_of_each_answer_are_kept_also_of_a_refusal(desk: Any) -> None:
    strava = desk.strava()
    strava.list_activities(None)
    assert (strava.budget.short_limit, strava.budget.short_used, strava.budget.day_used) == (100, 1, 1)
    desk.world.inactive = True
    with pytest.raises(AccessLost):
        strava.list_activities(None)
    assert strava.budget.day_used == 2


def test_a_used_up_window_refuses_before_the_call_and_opens_by_itself(desk: Any) -> None:
    strava = desk.strava(budget=Budget(100, 90, 1000, 90, desk.clock.now()))
    with pytest.raises(RateLimited) as refused:
        strava.streams(501, purpose="backfill")
    assert refused.value.resume_at == desk.clock.now().replace(minute=15)
    assert desk.world.asked == []
    strava.list_activities(None)
    desk.clock.forward(minutes=8)
    assert strava.streams(501, purpose="backfill") is None


def test_a_429_closes_the_window_for_the_next_call(desk: Any) -> None:
    desk.world.limits.read.short_limit = 1
    strava = desk.strava()
    strava.budget = None
    strava.list_activities(None)
    strava.budget = None
    with pytest.raises(RateLimited) as refused:
        strava.list_activities(None)
    assert refused.value.resume_at == desk.clock.now().replace(minute=15)
    with pytest.raises(RateLimited):
        strava.list_activities(None)
    assert len(desk.world.asked) == 2


def test_a_token_is_refreshed_early_and_saved_before_it_is_used(desk: Any) -> None:
    asked_when_saved: list[list[str]] = []

    def save(tokens: Tokens) -> None:
        asked_when_saved.append([asked.path for asked in desk.world.asked])
        desk.saved.append(tokens)

    old = desk.tokens(lasting=timedelta(minutes=29))
    strava = desk.strava(old, save=save)
    strava.list_activities(None)
    strava.list_activities(None)
    assert asked_when_saved == [["/oauth/token"]]
    assert desk.saved == [strava.tokens]
    assert strava.tokens.refresh != old.refresh and strava.tokens.expires_at > old.expires_at
    assert strava.tokens.scope == old.scope


def test_each_refresh_uses_the_refresh_token_of_the_last(desk: Any) -> None:
    strava = desk.strava()
    for _ in range(3):
        desk.clock.forward(hours=6)
        strava.list_activities(None)
    assert len({tokens.refresh for tokens in desk.saved}) == 3


def test_a_401_is_answered_with_one_refresh_and_one_retry_whatever_the_expiry_says(desk: Any) -> None:
    strava = desk.strava(desk.tokens(lasting=timedelta(days=99)))
    desk.world.tokens.kill_access()
    strava.list_activities(None)
    assert [asked.path for asked in desk.world.asked] == [
        "/api/v3/athlete/activities",
        "/oauth/token",
        "/api/v3/athlete/activities",
    ]


def test_a_second_401_means_that_access_is_lost(desk: Any) -> None:
    strava = desk.strava()
    desk.world.fail("/api/", 401, times=None)
    with pytest.raises(AccessLost, match="pullback auth") as lost:
        strava.list_activities(None)
    assert lost.value.reason == "revoked"
    assert len(desk.world.api_calls()) == 2 and desk.refreshes() == 1


def test_a_clock_that_is_hours_ahead_does_not_refresh_at_every_call(desk: Any) -> None:
    strava = desk.strava(desk.tokens(lasting=timedelta(hours=-3)))
    desk.world.fail("/oauth/token", 500, times=None)
    with pytest.raises(StravaUnreachable):
        strava.list_activities(None)
    for _ in range(3):
        strava.list_activities(None)
    assert desk.refreshes() == 1


def test_a_pair_that_could_not_be_saved_is_saved_before_the_next_call(desk: Any) -> None:
    full_disk = [OSError("disk full")]

    def save(tokens: Tokens) -> None:
        if full_disk:
            raise full_disk.pop()
        desk.saved.append(tokens)

    strava = desk.strava(desk.tokens(lasting=timedelta(0)), save=save)
    with pytest.raises(OSError, match="disk full"):
        strava.list_activities(None)
    strava.list_activities(None)
    assert desk.saved == [strava.tokens] and desk.refreshes() == 1


def test_a_pair_another_process_has_saved_meanwhile_is_used_instead_of_a_dead_one(desk: Any) -> None:
    mine = desk.tokens(lasting=timedelta(minutes=1))
    other = desk.strava(mine)
    other.list_activities(None)
    strava = desk.strava(mine, load=lambda: desk.saved[-1])
    strava.list_activities(None)
    assert strava.tokens == other.tokens and desk.refreshes() == 1


def test_a_refresh_that_names_no_new_refresh_token_leaves_the_old_one_in_force(desk: Any) -> None:
    old = desk.tokens()
    issue = desk.world.tokens.issue
    desk.world.tokens.issue = lambda grant, now: issue(grant, now) | {"refresh_token": None}
    desk.clock.forward(hours=6)
    strava = desk.strava(old)
    strava.list_activities(None)
    assert strava.tokens.refresh == old.refresh and strava.tokens.access != old.access


def test_neither_the_environment_nor_netrc_has_a_say(
    desk: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    for name, value in {
        "NETRC": str(tmp_path / "netrc"),
        "STRAVA_CLIENT_ID": "77",
        "STRAVA_CLIENT_SECRET": "another application's",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    before = dict(os.environ)
    strava = desk.strava(desk.tokens(lasting=timedelta(0)))
    with caplog.at_level(logging.WARNING):
        strava.list_activities(None)
    assert desk.refreshes() == 1 and dict(os.environ) == before
    assert caplog.records == []


def test_nothing_heavy_is_loaded_before_the_first_call_and_nothing_global_is_changed_by_it() -> None:
    script = """
import sys, warnings, logging
import daemon.strava.client, daemon.strava.auth
assert not {"stravalib", "requests", "pydantic"} & set(sys.modules)
import requests  # urllib3 adds filters of its own, which are none of our business
before = list(warnings.filters), warnings.showwarning
import daemon.strava.session
added = [f for f in warnings.filters if f not in before[0]]
assert not [f for f in added if f[0] == "default" and f[1] is None and f[2] is Warning], added
assert warnings.showwarning is before[1]
logging.captureWarnings(True)
assert warnings.showwarning is not before[1], "logging still believes that it captures warnings"
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_tokens_hide_what_must_not_be_seen(desk: Any) -> None:
    tokens = desk.tokens()
    shown = repr(tokens) + repr(replace(tokens, athlete_id=2)) + repr(desk.strava(tokens))
    assert tokens.access not in shown and tokens.refresh not in shown and "secret" not in shown
