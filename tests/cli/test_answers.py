"""What a runner tells pullback at the terminal, what is said back, and what is said to a slip."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from daemon.cli import ack, show
from daemon.cli.session import Session
from daemon.clock import SystemClock
from daemon.store import open_store, outbox
from daemon.values import Answer
from tests.cli.terminal import Terminal
from tests.house import plain_run
from tests.strained import strained_house

NOW = SystemClock().now()
TODAY = NOW.astimezone(ZoneInfo("Europe/Vienna")).date()
"""The runner's own day."""


def day(ago: int) -> date:
    return TODAY - timedelta(days=ago)


def in_words(first: date, last: date | None = None) -> str:
    return show.days(first, last or first, NOW.year)


@pytest.fixture
def runner(terminal: Terminal) -> Terminal:
    """Ran every other day of the last twelve, and a bike ride today; all of it is fetched."""
    terminal.authorise()
    for n in range(1, 13, 2):
        terminal.world.add(plain_run(n, datetime.combine(day(n), time(12), UTC), minutes=3))
    terminal.world.add(plain_run(50, NOW - timedelta(hours=2), minutes=3, sport_type="Ride", type="Ride"))
    assert terminal.pullback("sync").code == 0
    return terminal


def document(terminal: Terminal, *arguments: str) -> Any:
    result = terminal.pullback(*arguments, "--json")
    assert (result.code, result.err) == (0, "")
    return json.loads(result.out)


def warn(terminal: Terminal, kind: str, episode: str) -> int:
    """An alert as the daemon would have opened it."""
    store = open_store(terminal.database)
    with store.write() as session:
        athlete = terminal.world.runner
        number = outbox.open_alert(
            session, athlete, kind=kind, episode=episode, title="Time to pull back", text="", channels=[], now=NOW
        )
    store.close()
    assert number is not None
    return number


def felt(terminal: Terminal) -> dict[int, str]:
    return {run["id"]: run["feel"] for run in document(terminal, "runs") if run["feel"]}


def answers(terminal: Terminal) -> list[tuple[str, str, str]]:
    return [(a["reason"], a["first"], a["last"]) for a in document(terminal, "status")["answers"]]


def test_the_newest_run_felt_heavy(runner: Terminal) -> None:
    result = runner.pullback("feel", "heavy")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"Morning Run, {in_words(day(1))}: heavy.")
    assert "learning" in result.out
    assert felt(runner) == {1: "heavy"}
    runner.pullback("feel", "last", "normal")
    runner.pullback("feel", "5", "forced")
    assert felt(runner) == {1: "normal", 5: "forced"}


def test_what_a_run_felt_like_on_a_day_of_illness_is_kept_and_not_counted(runner: Terminal) -> None:
    assert "heavy. Kept as a sign of its own" in runner.pullback("feel", "3", "heavy").out
    runner.pullback("ack", "--reason", "ill", "--from", str(day(3)), "--to", str(day(3)))
    assert "heavy. Kept, and not counted: ill, as you said." in runner.pullback("feel", "3", "heavy").out


def test_a_feeling_that_can_be_given_to_no_run(runner: Terminal) -> None:
    for typed, code, said in (
        ("tired", 2, "easy, normal, heavy, forced"),
        ("yesterday heavy", 2, "`last`"),
        ("1 3 heavy", 2, "one run at a time"),
        ("", 2, "Missing argument"),
        ("99 heavy", 1, "no run 99"),
        (f"{'9' * 30} heavy", 1, "no run 999"),
        ("50 heavy", 1, "no run but a Ride"),
    ):
        result = runner.pullback("feel", *typed.split())
        assert result.code == code, typed
        assert said in result.err
    assert felt(runner) == {}


def test_a_week_of_illness_is_noted_with_what_it_means_and_shows_in_the_runs(runner: Terminal) -> None:
    result = runner.pullback("ack", "--reason", "ill", "--from", str(day(7)), "--to", str(day(3)))
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"Noted: ill. {in_words(day(7), day(3))} leave your norm (3 runs)")
    left_out = {run["id"]: run["left_out"] for run in document(runner, "runs")}
    assert {number for number, why in left_out.items() if why == "ill, as you said"} == {3, 5, 7}
    assert f"You said: ill, {show.days(day(7), day(3))}" in runner.pullback("status").out
    back = runner.pullback("ack", "--undo")
    assert back.out.startswith(f"Taken back: ill, {in_words(day(7), day(3))}.")
    assert "ill, as you said" not in runner.pullback("runs").out
    assert runner.pullback("ack", "--undo").code == 1


def test_without_a_warning_an_answer_is_about_today(runner: Terminal) -> None:
    assert "(no run so far)" in runner.pullback("ack", "--reason", "travel").out
    assert answers(runner) == [("travel", str(TODAY), str(TODAY))]


def test_an_answer_to_the_open_warning_is_about_the_days_since_it_began(runner: Terminal) -> None:
    warn(runner, "pull_back", str(day(6)))
    result = runner.pullback("ack", "--reason", "heat")
    assert result.out.startswith(f"Noted: heat. The days of the warning, {in_words(day(6), TODAY)}, leave your norm")
    assert answers(runner) == [("heat", str(day(6)), str(TODAY))]


def test_an_answer_says_which_days_it_took_what_it_left_and_which_message_follows(tmp_path: Path) -> None:
    with strained_house(tmp_path) as house:
        told = house.evaluate().verdict
        house.deliver()
        session = Session(environ={}, clock=house.clock, _config=house.config)
        assert told is not None and told.state == "pull_back"
        taken = show.days(told.since, told.day, told.day.year)
        noted, rise, _, follows = ack.answered(session, house.store, "ill", None, (None, None))
        assert noted.startswith(f"Noted: ill. The days of the warning, {taken}, leave your norm")
        assert rise.startswith("The rise began on") and f"--from {told.signals[0].evidence['since']}" in rise
        assert follows.startswith("This follows as a message") and "Taken back: pull back of" in follows
        house.deliver()
        assert house.phone.titles[-1] in follows
        assert len(ack.answered(session, house.store, "life", None, (told.day, told.day))) == 2, "nothing follows"


def test_a_rise_that_began_before_the_days_taken_is_named_also_where_the_warning_goes() -> None:
    given = Answer(1, "ill", date(2026, 11, 1), date(2026, 11, 24), NOW)
    heart = {"name": "easy_heart_rate", "level": "alert", "evidence": {"since": "2026-10-25"}}
    (said,) = ack.began_earlier(given, {"verdict": "pull_back", "signals": [heart]})
    assert said.startswith("The rise began on 25 October, before that.") and "--reason ill --from 2026-10-25" in said
    assert ack.began_earlier(given, {"verdict": "stable", "signals": [heart]}) == []
    assert ack.began_earlier(replace(given, first=date(2026, 10, 25)), {"verdict": "watch", "signals": [heart]}) == []


def test_an_answer_to_an_old_warning_ends_when_that_did(runner: Terminal) -> None:
    old = warn(runner, "pull_back", str(day(9)))
    store = open_store(runner.database)
    with store.write() as session:
        outbox.close_alerts(session, runner.world.runner, ["pull_back"], NOW - timedelta(days=4))
    store.close()
    assert runner.pullback("ack", str(old), "--reason", "race").code == 0
    assert answers(runner) == [("race", str(day(9)), str(day(4)))]
    assert "closed already" in runner.pullback("ack", str(old), "--reason", "fine").err


def test_to_be_fine_closes_what_is_open_from_today_on(runner: Terminal) -> None:
    nothing = runner.pullback("ack", "--reason", "fine")
    assert nothing.code == 1
    assert "no warning is open" in nothing.err
    warn(runner, "pull_back", str(day(6)))
    assert "closed" in runner.pullback("ack", "--reason", "fine").out
    assert answers(runner) == [("fine", str(TODAY), str(TODAY))]


def test_a_new_normal_begins_on_its_first_day(runner: Terminal) -> None:
    result = runner.pullback("ack", "--reason", "new-normal", "--from", str(day(5)))
    assert f"begins anew on {in_words(day(5))}" in result.out
    assert answers(runner) == [("new-normal", str(day(5)), str(day(5)))]
    assert all(run["left_out"] != "new-normal" for run in document(runner, "runs"))


def test_a_new_normal_while_a_warning_is_open_begins_on_the_warnings_day(runner: Terminal) -> None:
    warn(runner, "pull_back", str(day(6)))
    said = runner.pullback("ack", "--reason", "new-normal").out
    assert f"Your norm begins anew on {in_words(day(6))}; earlier runs" in " ".join(said.split())


def test_a_trip_may_reach_some_days_ahead(runner: Terminal) -> None:
    assert runner.pullback("ack", "--reason", "travel", "--to", str(day(-9))).code == 0
    assert answers(runner) == [("travel", str(TODAY), str(day(-9)))]


def test_an_answer_that_cannot_be_kept(runner: Terminal) -> None:
    for typed, code, said in (
        ("--reason sick", 2, "did you mean ill?"),
        ("--reason Holiday", 2, "did you mean travel?"),
        ("--reason xyz", 2, "known are"),
        ("--reason meditation", 2, "did you mean medication?"),
        ("", 2, "say why: ill, race"),
        (f"--reason ill --from {day(-1)}", 2, "has not come yet"),
        (f"--reason ill --from {day(3)} --to {day(4)}", 2, "lies before"),
        (f"--reason ill --to {day(4)}", 2, "earlier --from"),
        (f"--reason ill --to {day(-400)}", 2, "four weeks"),
        (f"--reason new-normal --to {day(0)}", 2, "first day"),
        ("--undo --reason ill", 2, "stands alone"),
        ("9 --reason ill", 1, "no alert 9"),
        ("nine --reason ill", 2, "integer"),
    ):
        result = runner.pullback("ack", *typed.split())
        assert result.code == code, typed
        assert said in result.err
    assert answers(runner) == []


def test_lost_access_is_answered_by_check_and_not_by_a_reason(runner: Terminal) -> None:
    number = warn(runner, "access", "inactive")
    result = runner.pullback("ack", str(number), "--reason", "ill")
    assert (result.code, result.err.count("\n")) == (1, 1)
    assert "`pullback check`" in result.err


@pytest.mark.parametrize("command", [("feel", "heavy"), ("ack", "--reason", "ill"), ("explain", "1")])
def test_before_auth_the_next_step_is_named(terminal: Terminal, command: tuple[str, ...]) -> None:
    result = terminal.pullback(*command)
    assert result.code == 1
    assert "`pullback auth`" in result.err


def test_what_a_setting_would_have_changed_is_shown_beside_what_was(runner: Terminal) -> None:
    plain = document(runner, "replay")
    tried = document(runner, "replay", "--set", "signals.easy_heart_rate.h=8", "--set", "alerts.minimum=watch")
    assert tried["settings"] == {"signals.easy_heart_rate.h": 8, "alerts.minimum": "watch"}
    assert tried["before"] == {key: plain[key] for key in ("alerts", "alerts_per_year", "usable_runs_per_week")}
    assert tried.keys() - plain.keys() == {"before", "settings"}
    shown = runner.pullback("replay", "--set", "signals.easy_heart_rate.h=8").out
    assert "Trying signals.easy_heart_rate.h = 8 (now 10.0)" in shown
    assert document(runner, "replay") == plain


def test_settings_that_can_not_be_tried_are_all_named_at_once(runner: Terminal) -> None:
    result = runner.pullback("replay", "--set", "signals.easy_heart_rate.hh=8", "--set", "athlete.max_heart_rate=900")
    assert result.code == 2
    assert "did you mean" in result.err and "from 100 to 240" in result.err


def test_a_snooze_is_kept_shown_and_ended(runner: Terminal) -> None:
    warn(runner, "pull_back", str(day(2)))
    result = runner.pullback("snooze", "7d")
    assert (result.code, result.err) == (0, "")
    until = document(runner, "status")["snoozed_until"]
    assert abs(datetime.fromisoformat(until) - NOW - timedelta(days=7)) < timedelta(minutes=5)
    assert "Snoozed: nothing is sent until" in runner.pullback("status").out
    assert "The snooze is over." in runner.pullback("resume").out
    assert document(runner, "status")["snoozed_until"] is None
    assert "No snooze was on." in runner.pullback("resume").out


@pytest.mark.parametrize(("typed", "said"), [("a week", "must be a duration"), ("2000d", "between"), ("", "Missing")])
def test_a_snooze_that_cannot_be_kept(runner: Terminal, typed: str, said: str) -> None:
    result = runner.pullback("snooze", *([typed] if typed else []))
    assert (result.code, said in result.err) == (2, True)


def test_a_reminder_is_answered_as_what_it_repeats_and_a_retraction_not_at_all(runner: Terminal) -> None:
    first = warn(runner, "pull_back", str(day(6)))
    store = open_store(runner.database)
    with store.write() as session:
        numbers = [
            outbox.open_alert(
                session,
                runner.world.runner,
                kind=kind,
                episode=f"{day(6)} pull_back 1",
                title="",
                text="",
                channels=[],
                now=NOW,
                about="pull_back",
                thread=first,
            )
            for kind in ("reminder", "retraction")
        ]
    store.close()
    assert runner.pullback("ack", str(numbers[0]), "--reason", "heat").code == 0
    assert answers(runner) == [("heat", str(day(6)), str(TODAY))]
    assert "no warning" in runner.pullback("ack", str(numbers[1]), "--reason", "heat").err
