"""A runner's days at the terminal: sync, status, runs, replay and a test alert, for people and for programs."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from daemon.clock import SystemClock
from tests.cli.terminal import Terminal
from tests.house import Phone, plain_run

NOW = SystemClock().now()
RUNS = 5


@pytest.fixture
def phone() -> Iterator[Phone]:
    opened = Phone()
    yield opened
    opened.hang_up()


@pytest.fixture
def runner(terminal: Terminal, phone: Phone) -> Terminal:
    """Has authorised pullback, runs every other day, and has a phone."""
    terminal.more_config = f'[alerts]\nurls = ["{phone.url}"]'
    terminal.write_config()
    terminal.authorise()
    for n in range(RUNS):
        terminal.world.add(plain_run(n + 1, (NOW - timedelta(days=2 * n + 1)).replace(microsecond=0)))
    return terminal


def document(terminal: Terminal, *arguments: str) -> Any:
    result = terminal.pullback(*arguments, "--json")
    assert (result.code, result.err) == (0, "")
    return json.loads(result.out)


def test_the_first_sync_says_what_came_and_what_is_missing_for_a_verdict(runner: Terminal) -> None:
    result = runner.pullback("sync")
    assert (result.code, result.err) == (0, "")
    assert f"{RUNS} new" in result.out
    assert "learning" in result.out
    status = document(runner, "status")
    assert status["verdict"] == "learning"
    assert status["data"]["runs"] == RUNS
    assert status["data"]["last_sync"] is not None
    assert set(status) >= {"verdict", "since", "headline", "advice", "intensity", "signals", "data", "alerts_open"}


def test_a_second_sync_finds_nothing_new(runner: Terminal) -> None:
    runner.pullback("sync")
    result = runner.pullback("sync")
    assert result.code == 0
    assert result.out.startswith("Nothing new")


def test_a_dry_run_says_what_it_would_do_in_one_call_and_does_nothing(runner: Terminal) -> None:
    runner.world.forget_asked()
    result = runner.pullback("sync", "--dry-run")
    assert (result.code, result.err) == (0, "")
    assert f"Would fetch {RUNS} new and 0 changed" in result.out
    assert len(runner.world.api_calls()) == 1
    assert document(runner, "status")["data"]["runs"] == 0


def test_every_run_is_listed_with_its_kind_and_what_it_says(runner: Terminal) -> None:
    runner.pullback("sync")
    listed = document(runner, "runs")
    assert [run["id"] for run in listed] == [5, 4, 3, 2, 1]
    assert all(bool(run["easy_heart_rate"]) != bool(run["left_out"]) for run in listed)
    since = (NOW - timedelta(days=4)).date().isoformat()
    assert {run["id"] for run in document(runner, "runs", "--since", since)} <= {1, 2, 3}
    lines = runner.pullback("runs").out.splitlines()
    assert len(lines) == RUNS + 2
    assert max(map(len, lines)) <= 80


def test_replay_walks_every_day_and_keeps_to_the_days_asked_for(runner: Terminal) -> None:
    runner.pullback("sync")
    everything = document(runner, "replay")
    days = [day["date"] for day in everything["days"]]
    assert days == sorted(set(days))
    assert len(days) >= 2 * RUNS - 1
    part = document(runner, "replay", "--from", days[2], "--to", days[4])
    assert [day["date"] for day in part["days"]] == days[2:5]
    assert part["days"] == everything["days"][2:5]
    assert "learning" in runner.pullback("replay").out


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay", "--from", "yesterday"),
        ("replay", "--from", "2026-02-01", "--to", "2026-01-01"),
        ("runs", "--since", "1"),
    ],
)
def test_a_date_that_is_none_is_a_usage_error(runner: Terminal, arguments: tuple[str, ...]) -> None:
    assert runner.pullback(*arguments).code == 2


@pytest.mark.parametrize("command", ["runs", "replay", "sync"])
def test_before_auth_the_next_step_is_named(terminal: Terminal, command: str) -> None:
    result = terminal.pullback(command)
    assert result.code == 1
    assert "`pullback auth`" in result.err
    assert result.err.count("\n") == 1


def test_before_auth_status_says_so_without_failing(terminal: Terminal) -> None:
    assert document(terminal, "status")["headline"] == "no runs yet"


def test_a_strava_that_cannot_be_reached_is_one_sentence_and_the_record_stays(runner: Terminal) -> None:
    runner.pullback("sync")
    runner.standin.stop()
    result = runner.pullback("sync")
    assert result.code == 1
    assert result.err.count("\n") == 1
    assert document(runner, "status")["data"]["runs"] == RUNS


def test_a_lapsed_subscription_is_told_on_the_phone_and_in_the_status(runner: Terminal, phone: Phone) -> None:
    runner.world.inactive = True
    result = runner.pullback("sync")
    assert result.code == 1
    assert "subscription" in result.err
    assert any("subscription" in title for title in phone.titles)
    assert "subscription" in document(runner, "status")["trouble"]


def test_a_rate_limit_ends_well_and_says_when_it_goes_on(runner: Terminal) -> None:
    runner.world.limits.read.short_limit = 3
    result = runner.pullback("sync")
    assert (result.code, result.err) == (0, "")
    assert "waits for Strava's rate limit until" in result.out


def test_a_test_alert_reaches_the_phone(runner: Terminal, phone: Phone) -> None:
    result = runner.pullback("test-alert")
    assert (result.code, result.err) == (0, "")
    assert "pull back" in phone.titles[0]
    assert "channel 1 (json): sent" in result.out
    assert phone.url not in result.out


def test_a_test_alert_comes_with_a_picture_of_the_runners_own_weeks_where_there_are_any(
    runner: Terminal, phone: Phone
) -> None:
    assert runner.pullback("test-alert").code == 0
    runner.pullback("sync")
    result = runner.pullback("test-alert")
    assert (result.code, result.err) == (0, "") and "with your own runs" in result.out
    assert runner.pullback("test-alert", "--kind", "access").code == 0  # a kind that has none
    runner.database.write_bytes(b"no database at all")
    runner.database.with_name("pullback.db-wal").unlink(missing_ok=True)
    assert runner.pullback("test-alert").code == 0, "it is about the channels"
    assert [[a["mimetype"] for a in m["attachments"]] for m in phone.messages] == [[], ["image/png"], [], []]


def test_a_channel_that_fails_is_named_and_its_address_is_not(runner: Terminal, phone: Phone) -> None:
    phone.status = 500
    result = runner.pullback("test-alert", "--kind", "access")
    assert result.code == 1
    assert "channel 1 (json): refused by the service" in result.out
    assert "1 of 1 channels failed" in result.err
    assert phone.url not in result.out + result.err


def test_a_test_alert_without_channels_or_of_no_known_kind(terminal: Terminal) -> None:
    assert "[alerts] urls" in terminal.pullback("test-alert").err
    assert terminal.pullback("test-alert", "--kind", "gossip").code == 2
