"""A warning's life as the runner has it: told once, again when it lasts, ended or taken back, quiet when asked."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from daemon import documents, metrics
from daemon.config import AlertsConfig, Channel, Digest, QuietHours
from daemon.evaluate import judging, status_document
from daemon.evaluate.answering import judged_again, keep_answer, take_back
from daemon.evaluate.telling import tell
from daemon.evaluate.week import digest_due, first_day, week_of
from daemon.store import activities as rows
from daemon.store import judgement, outbox, snooze
from daemon.store.progress import note_change, progress, save_progress
from daemon.values import Intensity, Reason, Run, Verdict
from daemon.verdict import Episode, OpenAlert, as_recorded, endings, good_news, what_to_say
from tests.house import House, Phone, plain_run
from tests.strained import strained_house

ALL = frozenset({"pull_back", "watch", "all_clear", "absorbing", "ready"})
VIENNA = ZoneInfo("Europe/Vienna")


@pytest.fixture
def warned(tmp_path: Path) -> Iterator[House]:
    """The warning was opened a moment ago, and waits for this house's phone."""
    with strained_house(tmp_path) as house:
        with closing(sqlite3.connect(house.path)) as connection, connection:
            connection.execute("DELETE FROM delivery")  # those of the phone there was when the story was made
        house.evaluate()
        yield house


def kinds(house: House) -> list[str]:
    with house.store.read() as session:
        return [a.kind for a in outbox.alerts(session, house.athlete_id)]


def states(house: House) -> list[str]:
    with house.store.read() as session:
        return [d.state for d in outbox.deliveries(session)]


def answer(house: House, reason: Reason, days: int = 40) -> None:
    now = house.clock.now()
    first = now.date() if reason == "fine" else now.date() - timedelta(days)
    keep_answer(house.store, house.athlete_id, reason, first, now.date(), now)
    judged_again(house.store, house.athlete_id, house.config, now)


def delete_the_last_runs(house: House, days: int, *, judge: bool = True) -> None:
    """As the pull does when Strava says that they are gone."""
    since = house.clock.now() - timedelta(days=days)
    with house.store.write() as session:
        gone = [known for known in rows.known(session, house.athlete_id, since).values()]
        rows.tombstone(session, house.athlete_id, [known.id for known in gone], house.clock.now())
        note_change(session, house.athlete_id, min(known.day for known in gone), "deleted")
    if judge:
        house.evaluate()


def test_a_warning_whose_runs_were_deleted_is_taken_back_and_the_reason_said(warned: House) -> None:
    warned.deliver()
    delete_the_last_runs(warned, 40)
    warned.evaluate()
    warned.deliver()
    assert kinds(warned) == ["pull_back", "retraction"]
    assert "Taken back" in warned.phone.titles[1] and "deleted" in warned.phone.messages[1]["message"]
    with warned.store.read() as session:
        first, second = outbox.alerts(session, warned.athlete_id)
    assert second.thread == first.thread == first.id and first.closed_at is not None
    assert status_document(warned.store, warned.athlete_id)["alerts_open"] == []


def test_a_warning_is_taken_back_at_the_runners_new_address_too(warned: House) -> None:
    warned.deliver()
    moved = Phone()
    warned.set_config("alerts", urls=(Channel(moved.url),))
    delete_the_last_runs(warned, 40)
    warned.evaluate()
    warned.deliver()
    moved.hang_up()
    assert [title[:10] for title in moved.titles] == ["Taken back"]


def test_an_answer_before_it_was_sent_withdraws_it_silently(warned: House) -> None:
    answer(warned, "ill")
    warned.deliver()
    assert (kinds(warned), states(warned), warned.phone.messages) == (["pull_back"], ["withdrawn"], [])


def test_an_answer_taken_back_before_anything_was_sent_tells_it_after_all(warned: House) -> None:
    answer(warned, "ill")
    take_back(warned.store, warned.athlete_id)
    judged_again(warned.store, warned.athlete_id, warned.config, warned.clock.now())
    warned.deliver()
    assert len(warned.phone.messages) == 1 and "pull back" in warned.phone.titles[0].lower()


def test_taken_back_and_holding_after_all_is_told_again_where_the_retraction_was_heard(warned: House) -> None:
    deaf = Phone()
    warned.config = replace(warned.config, alerts=AlertsConfig(urls=(Channel(warned.phone.url), Channel(deaf.url))))
    warned.evaluate()  # the second phone is addressed
    warned.deliver()
    deaf.status = 500
    answer(warned, "ill")
    warned.deliver()
    take_back(warned.store, warned.athlete_id)
    judged_again(warned.store, warned.athlete_id, warned.config, warned.clock.now())
    deaf.status = 200
    warned.deliver(at_once=True)
    deaf.hang_up()
    assert [title[:10] for title in warned.phone.titles] == ["Time to pu", "Taken back", "Time to pu"]
    assert [title[:10] for title in deaf.titles] == ["Time to pu"]


def test_fine_closes_it_without_another_word(warned: House) -> None:
    warned.deliver()
    answer(warned, "fine")
    assert kinds(warned) == ["pull_back"]
    assert status_document(warned.store, warned.athlete_id)["alerts_open"] == []


def test_a_new_version_and_a_restart_say_nothing_again(warned: House, monkeypatch: pytest.MonkeyPatch) -> None:
    warned.deliver()
    for room in (judging, metrics):
        monkeypatch.setattr(room, "VERSION", room.VERSION + 1)
        before = judged_with(warned)
        warned.reopen()
        warned.evaluate()
        warned.daemon().deliver()
        assert judged_with(warned) != before, "all days were judged again"
    assert kinds(warned) == ["pull_back"] and len(warned.phone.messages) == 1


def judged_with(house: House) -> str | None:
    with house.store.read() as session:
        return progress(session, house.athlete_id).judged_with


def test_a_warning_taken_back_where_a_watch_remains_says_so(house: House) -> None:
    stands(house, "pull_back", date(2026, 11, 2), episode="2026-11-02")
    house.deliver()
    house.clock.advance(days=1)
    stands(house, "watch", date(2026, 11, 3), since=date(2026, 11, 2), headline="Watch: up.", watch="2026-11-03")
    house.deliver()
    said = house.phone.messages[1]["message"]
    assert "no longer holds" in said and "A watch remains: up." in said and "Go on as you had planned" not in said


def test_a_retraction_that_a_crash_cut_off_and_that_was_withdrawn_is_said_when_it_is_due_again(house: House) -> None:
    day = date(2026, 11, 2)
    stands(house, "pull_back", day, episode="2026-11-02")
    house.deliver()
    stands(house, "stable", day)
    with house.store.write() as session:  # and here the process dies, before it sends
        assert [outbox.claim(session, d.id, house.clock.now()) for d in outbox.unsettled(session)] == [True]
    stands(house, "pull_back", day, episode="2026-11-02")
    stands(house, "stable", day)
    house.deliver()
    assert [title[:12] for title in house.phone.titles] == ["Time to pull", "Taken back: "]


def test_who_has_a_warning_is_not_told_again_when_its_channel_wants_such_again(house: House) -> None:
    second, day = Phone(), date(2026, 11, 2)
    both = (Channel(house.phone.url), Channel(second.url))
    house.set_config("alerts", urls=both)
    stands(house, "pull_back", day, episode="2026-11-02")
    house.deliver()
    second.status = 500
    stands(house, "stable", day)
    house.deliver()  # only the first hears that it is taken back
    house.set_config("alerts", urls=(both[0], Channel(second.url, kinds=("digest",))))
    house.phone.status, second.status = 500, 200
    stands(house, "pull_back", day, episode="2026-11-02")
    house.set_config("alerts", urls=both)
    stands(house, "pull_back", day, episode="2026-11-02")
    house.phone.status = 200
    house.deliver(at_once=True)
    second.hang_up()
    assert [title[:5] for title in house.phone.titles] == ["Time ", "Taken", "Time "]
    assert [title[:5] for title in second.titles] == ["Time "]


def heard_by_two_of_which_one_is_off(
    house: House, after_it_opened: Callable[[], object]
) -> tuple[list[str], list[str]]:
    """A warning, its retraction while the second phone is off, and four days on it holds: what either phone heard."""
    second = Phone()
    house.set_config("alerts", urls=(Channel(house.phone.url), Channel(second.url)))
    stands(house, "pull_back", date(2026, 11, 2), episode="2026-11-02")
    after_it_opened()
    second.status = 500
    stands(house, "stable", date(2026, 11, 2))
    house.deliver()
    second.status = 200
    house.clock.advance(days=4)
    stands(house, "pull_back", date(2026, 11, 6), episode="2026-11-06")
    house.deliver()
    second.hang_up()
    return [title[:5] for title in house.phone.titles], [title[:5] for title in second.titles]


def test_who_never_heard_that_it_was_taken_back_is_not_told_again_when_it_holds_some_days_on(house: House) -> None:
    heard = heard_by_two_of_which_one_is_off(house, house.deliver)
    assert heard == (["Time ", "Taken", "Time "], ["Time "])


def test_a_warning_cut_off_in_sending_and_taken_back_is_told_when_it_holds_after_all(house: House) -> None:
    def killed_before_anything_was_sent() -> None:
        with house.store.write() as session:
            for waiting in outbox.unsettled(session):
                outbox.claim(session, waiting.id, house.clock.now())

    heard = heard_by_two_of_which_one_is_off(house, killed_before_anything_was_sent)
    assert heard == (["Taken", "Time "], ["Time "])


def test_what_waited_while_the_machine_was_off_is_judged_before_it_is_sent(warned: House) -> None:
    warned.clock.advance(hours=5)
    delete_the_last_runs(warned, 40, judge=False)
    warned.daemon().deliver()
    assert (kinds(warned), states(warned), warned.phone.messages) == (["pull_back"], ["withdrawn"], [])


def test_what_waited_while_the_machine_slept_is_judged_first_and_what_was_judged_lately_is_not(warned: House) -> None:
    warned.phone.status = 500
    daemon = warned.daemon()
    daemon.deliver()
    warned.phone.status = 200
    delete_the_last_runs(warned, 40, judge=False)
    with warned.store.only_one("judgement"):  # somebody judges, and what waits was judged before the sleep
        warned.clock.advance(hours=2)
        daemon.deliver()
    assert states(warned) == ["pending"]
    daemon.deliver()
    assert (states(warned), warned.phone.messages) == (["withdrawn"], [])


def test_what_waits_in_a_database_that_was_put_back_is_judged_before_it_is_sent(warned: House) -> None:
    warned.phone.status = 500
    daemon = warned.daemon()
    daemon.deliver()
    warned.phone.status = 200
    delete_the_last_runs(warned, 40, judge=False)
    daemon.begin_anew()  # as the service does; it was another database that was judged a moment ago
    warned.clock.advance(minutes=2)
    daemon.deliver()
    assert (states(warned), warned.phone.messages) == (["withdrawn"], [])


def test_what_was_judged_lately_goes_out_though_somebody_judges(warned: House) -> None:
    warned.phone.status = 500
    daemon = warned.daemon()
    daemon.deliver()
    warned.phone.status = 200
    warned.clock.advance(minutes=50)
    warned.set_config("schedule", digest=Digest(0, time(6)))  # due now, and waits for whoever judges
    daemon = warned.daemon()
    daemon.judged_at = warned.clock.now() - timedelta(minutes=50)
    with warned.store.only_one("judgement"):
        daemon.deliver()
    assert states(warned) == ["sent"]


def test_a_warning_that_lasts_is_told_again_after_each_span_in_its_thread(warned: House) -> None:
    warned.set_config("alerts", remind_after=timedelta(days=2))
    warned.deliver()
    for _ in range(5):
        warned.clock.advance(days=1)
        for _ in range(3):
            warned.evaluate()
        warned.deliver()
    with warned.store.read() as session:
        alerts = outbox.alerts(session, warned.athlete_id)
    assert [a.kind for a in alerts] == ["pull_back", "reminder", "reminder"]
    assert {a.thread for a in alerts} == {alerts[0].id}
    assert len(warned.phone.messages) == 3
    assert [a["id"] for a in status_document(warned.store, warned.athlete_id)["alerts_open"]] == [alerts[0].id]


def test_a_snooze_holds_everything_and_then_tells_what_is_still_true(warned: House) -> None:
    now = warned.clock.now()
    with warned.store.write() as session:
        snooze.snooze(session, warned.athlete_id, now, now + timedelta(days=3))
    daemon = warned.daemon()
    for hours in (0, 50, 20):
        warned.clock.advance(hours=hours)
        warned.reopen()
        daemon.store = warned.store
        daemon.deliver()
        assert warned.deliver(at_once=True).sent == 0
    assert status_document(warned.store, warned.athlete_id, now=warned.clock.now())["snoozed_until"] == (
        "2026-11-05T06:00:00Z"
    )
    warned.clock.advance(hours=3)
    assert status_document(warned.store, warned.athlete_id, now=warned.clock.now())["snoozed_until"] is None
    daemon.deliver()
    assert len(warned.phone.messages) == 1


def test_a_snooze_lasts_no_longer_for_a_clock_that_was_put_back(house: House) -> None:
    now = house.clock.now()
    with house.store.write() as session:
        snooze.snooze(session, 1, now, now + timedelta(days=7))
        back = now - timedelta(days=365)
        assert snooze.snoozed_until(session, 1, back) == back + timedelta(days=7)
        snooze.note_clock(session, 1, back)
        assert snooze.snoozed_until(session, 1, back + timedelta(days=8)) is None


def test_silence_is_told_once_and_ends_with_the_next_sync(house: House) -> None:
    house.pull()
    with house.store.read() as session:
        synced = progress(session, house.athlete_id).last_success_at
    house.clock.advance(days=8)
    for _ in range(2):
        house.evaluate()
        house.deliver()
        house.clock.advance(days=1)
    assert kinds(house) == ["stale"] and len(house.phone.messages) == 1
    assert status_document(house.store, house.athlete_id)["alerts_open"][0]["kind"] == "stale"
    assert synced is not None
    house.pull()
    house.evaluate()
    assert status_document(house.store, house.athlete_id)["alerts_open"] == []


@pytest.mark.parametrize("fault", [500, "wrong_types"])
def test_a_first_sync_that_never_works_is_told_and_heard(house: House, fault: Any) -> None:
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=1), minutes=2))
    house.world.fail("athlete/activities", fault, times=None)
    daemon = house.daemon()
    for _ in range(10):
        daemon.poll()
        house.clock.advance(days=1)
    assert house.phone.titles == ["Nothing fetched from Strava yet"]
    assert daemon.trouble() is not None
    house.world.heal()
    daemon.poll()
    assert status_document(house.store, house.athlete_id)["alerts_open"] == []
    assert daemon.trouble() is None


def test_silence_is_told_also_where_the_last_sync_was_noted_by_a_clock_that_was_ahead(house: House) -> None:
    daemon = house.daemon()
    house.clock.advance(days=300)
    daemon.poll()
    house.clock.advance(days=-300)
    assert daemon.trouble() is None
    house.world.fail("athlete/activities", 500, times=None)
    for _ in range(10):
        daemon.poll()
        house.clock.advance(days=1)
    assert house.phone.titles == ["Nothing fetched from Strava for 7 days"]
    assert "since 2026-11-02" in str(daemon.trouble())


def test_the_day_of_the_last_sync_is_the_runners_own(house: House) -> None:
    house.set_config("athlete", timezone=VIENNA)
    house.clock.moment = datetime(2026, 11, 5, 23, 30, tzinfo=UTC)
    house.pull()
    house.clock.advance(days=8)
    house.evaluate()
    house.deliver()
    assert "on 6 November" in house.phone.messages[0]["message"]


def test_silence_is_not_told_where_lost_access_has_said_so_nor_without_a_grant(house: House) -> None:
    house.pull()
    house.world.inactive = True
    house.clock.advance(days=8)
    house.pull()
    house.evaluate()
    assert kinds(house) == ["access"]
    with house.store.write() as session:
        state = progress(session, house.athlete_id)
        save_progress(session, 77, replace(state, access=None))
    from daemon.evaluate import evaluate

    evaluate(house.store, 77, house.config, house.clock.now())
    assert kinds(house) == ["access"]


def test_the_digest_comes_once_a_week_whatever_clock_and_restarts_do(warned: House) -> None:
    warned.deliver()
    warned.set_config("schedule", digest=Digest(6, time(18)))
    daemon = warned.daemon()
    sunday = datetime(2026, 11, 8, 18, 0, tzinfo=VIENNA).astimezone(UTC)
    for moment in (
        sunday - timedelta(minutes=1),
        sunday + timedelta(minutes=1),
        sunday + timedelta(hours=2),
        sunday - timedelta(hours=1),  # put back, as when summer ends
        sunday + timedelta(hours=3),
        sunday + timedelta(days=2),
        sunday + timedelta(days=7, hours=20),  # the machine was off at six
        sunday + timedelta(days=15),  # and for more than a day
    ):
        warned.clock.moment = moment
        daemon = warned.daemon()
        daemon.deliver()
        daemon.deliver()
    with warned.store.read() as session:
        digests = [a.episode for a in outbox.alerts(session, warned.athlete_id) if a.kind == "digest"]
    assert digests == ["2026-11-08", "2026-11-15"]
    assert sum("Your week" in m["title"] + m["message"] for m in warned.phone.messages) == 2


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_digest_that_could_not_be_delivered_for_a_day_is_not_sent_any_more(warned: House, minutes: int) -> None:
    warned.deliver()
    warned.set_config("schedule", digest=Digest(6, time(18)))
    warned.set_config("alerts", stale_after=timedelta(days=30))
    warned.clock.moment = sunday = datetime(2026, 11, 8, 18, 0, tzinfo=VIENNA).astimezone(UTC)
    warned.phone.status = 500
    daemon = warned.daemon()
    for hours in (1, 23.5):
        warned.clock.moment = sunday + timedelta(hours=hours)
        daemon.deliver()
    warned.phone.status = 200
    # Judged half an hour ago, so nobody would look again; and a bug in judging makes it no news either.
    with closing(sqlite3.connect(warned.path)) as connection, connection:
        connection.execute("UPDATE metrics SET data = '{'")
    warned.clock.moment = sunday + timedelta(hours=24, minutes=minutes)
    daemon.deliver()
    assert ["Your week" in title for title in warned.phone.titles] == [False, *([True] if minutes < 0 else [])]
    assert states(warned)[-1] == ("sent" if minutes < 0 else "withdrawn")


def test_a_digest_that_cannot_be_made_holds_no_warning_back(warned: House) -> None:
    warned.set_config("schedule", digest=Digest(0, time(6)))  # due now
    with closing(sqlite3.connect(warned.path)) as connection, connection:
        connection.execute("UPDATE metrics SET data = '{'")  # no version of ours writes this, so reading it is a bug
    daemon = warned.daemon()
    with pytest.raises(ValueError):
        daemon.deliver()
    assert ["pull back" in title for title in warned.phone.titles] == [True]
    warned.clock.advance(minutes=1)
    daemon.deliver()  # the bug isn't met, and logged, again each minute


def test_a_digest_is_due_for_a_day_from_its_local_time_on() -> None:
    digest = Digest(6, time(2, 30))
    at = datetime(2026, 3, 29, 2, 30, tzinfo=VIENNA)  # a time that this day doesn't have
    assert digest_due(digest, at - timedelta(hours=3), VIENNA) is None
    assert digest_due(digest, at + timedelta(hours=3), VIENNA) == date(2026, 3, 29)
    assert digest_due(digest, at + timedelta(hours=30), VIENNA) is None
    assert first_day(digest, date(2026, 3, 29)) == date(2026, 3, 22)
    assert first_day(Digest(6, time(18)), date(2026, 3, 29)) == date(2026, 3, 23)


def test_a_week_stands_beside_the_middle_one_of_those_before() -> None:
    def run(day: date, minutes: float, hard: bool = False) -> Run:
        start = datetime.combine(day, time(7), UTC)
        return Run(
            1, start, start, day, 7.0, "Run", "", "easy", hard, 0.0, minutes * 60, minutes, minutes, 0.0, None, None
        )

    first = date(2026, 11, 2)
    before = [run(first - timedelta(weeks=n, days=-1), 100.0 * n) for n in (1, 2, 3)]
    week = week_of([*before, run(first, 60.0, hard=True), run(first + timedelta(days=6), 50.0)], first)
    assert (week.runs, week.run_days, week.minutes, week.hard_days, week.rest_days) == (2, 2, 110.0, 1, 5)
    assert (week.usual_minutes, week.usual_load, week.usual_hard_days) == (150.0, 150.0, 0.0)
    assert week_of([run(first, 60.0)], first).usual_load == 0.0


def test_what_a_channel_does_not_take_is_in_status(warned: House) -> None:
    warned.phone.status = 500
    warned.deliver()
    (failing,) = status_document(warned.store, warned.athlete_id, now=warned.clock.now())["undelivered"]
    assert (failing["given_up"], failing["error"]) == (False, "refused by the service (500)")
    for _ in range(80):
        warned.clock.advance(hours=1)
        warned.deliver(at_once=True)
    (lost,) = status_document(warned.store, warned.athlete_id, now=warned.clock.now())["undelivered"]
    assert (lost["given_up"], lost["kind"]) == (True, "pull_back")


def test_quiet_hours_hold_for_a_sync_by_hand_too(warned: House) -> None:
    warned.set_config("alerts", quiet_hours=QuietHours(time(6), time(8)))
    assert warned.deliver(at_once=True).sent == 0
    warned.clock.advance(hours=2)
    assert warned.deliver().sent == 1


def stands(
    house: House, state: str, day: date, *, since: date | None = None, headline: str = "", **memory: Any
) -> None:
    """So the record says on `day`, and from `since` on nothing else; what is to be told of it is told."""
    verdict = Verdict(day, state, day, headline, (), (), (), memory)  # type: ignore[arg-type]
    with house.store.write() as session:
        save_progress(session, house.athlete_id, replace(progress(session, house.athlete_id), history_ready=True))
        judgement.save_verdicts(session, house.athlete_id, [(day, documents.verdict_document(verdict))], since or day)
    tell(house.store, house.athlete_id, house.config, house.clock.now(), speak=True)


def say(state: str, told: tuple[OpenAlert, ...] = (), day: date = date(2026, 11, 20), **memory: Any) -> list[str]:
    spells = (Intensity(date(2026, 10, 5), False, 6, 1.0, "added"),) if state == "absorbing" else ()
    advice = ("Ready: your base has been stable for 4 weeks.",) if state == "stable" else ()
    verdict = Verdict(day, state, date(2026, 10, 20), "", advice, (), spells, memory)  # type: ignore[arg-type]
    return [f"{s.kind} {s.episode}" for s in what_to_say(verdict, told, ALL)]


def test_good_news_is_told_once_a_spell_and_once_a_base() -> None:
    assert say("absorbing") == ["absorbing 2026-10-05"]
    assert say("absorbing", day=date(2026, 10, 25)) == []
    assert say("absorbing", (OpenAlert("absorbing", "2026-10-01"),)) == []
    assert say("stable") == ["ready 2026-10-20"]
    assert say("stable", (OpenAlert("ready", "2026-08-20"),)) == []
    assert good_news(Verdict(date(2026, 11, 1), "watch", date(2026, 11, 1), "", (), (), ())) is None


def test_an_open_warning_that_moved_far_is_the_one_that_goes_on() -> None:
    today = Verdict(date(2026, 12, 5), "pull_back", date(2026, 12, 1), "", (), (), (), {"episode": "2026-12-01"})
    told = (OpenAlert("pull_back", "2026-11-12", True, 1),)
    moved = as_recorded(today, told, {Episode("pull_back", "2026-12-01")})
    assert what_to_say(today, moved, ALL) == () and endings(today, moved, set()) == ()
    both = {Episode("pull_back", "2026-11-12"), Episode("pull_back", "2026-12-01")}
    two = as_recorded(today, told, both)
    assert [s.episode for s in what_to_say(today, two, ALL)] == ["2026-12-01"]
    assert [(e.alert.id, e.unfounded) for e in endings(today, two, both)] == [(1, False)]


def test_a_channel_that_is_off_holds_no_reminder_back_from_another(house: House) -> None:
    off = Phone()
    off.status = 500
    channels = (Channel(house.phone.url), Channel(off.url))
    house.config = replace(house.config, alerts=AlertsConfig(urls=channels, remind_after=timedelta(days=1)))
    for n in range(3):
        stands(house, "pull_back", date(2026, 11, 2) + timedelta(days=n), episode="2026-11-02")
        house.deliver(at_once=True)
        house.clock.advance(days=1)
    off.status = 200
    house.deliver(at_once=True)
    off.hang_up()
    assert [title[:5] for title in house.phone.titles] == ["Time ", "Still", "Still"]
    assert [title[:5] for title in off.titles] == ["Time "]


def test_there_is_no_reminder_while_the_first_word_still_waits(house: House) -> None:
    house.set_config("alerts", remind_after=timedelta(days=1))
    house.phone.status = 500
    for n in range(3):
        stands(house, "pull_back", date(2026, 11, 2) + timedelta(days=n), episode="2026-11-02")
        house.deliver(at_once=True)
        house.clock.advance(days=1)
    house.phone.status = 200
    house.clock.moment = datetime(2026, 11, 4, 7, tzinfo=UTC)
    house.deliver(at_once=True)
    assert kinds(house) == ["pull_back"]
    assert [title[:12] for title in house.phone.titles] == ["Time to pull"]
    stands(house, "pull_back", date(2026, 11, 4), episode="2026-11-02")
    assert kinds(house) == ["pull_back", "reminder"], "it is due as soon as the first word is there"


def test_who_never_heard_of_a_pull_back_does_not_hear_that_it_is_over(house: House) -> None:
    deaf = Phone()
    deaf.status = 500
    house.config = replace(house.config, alerts=AlertsConfig(urls=(Channel(house.phone.url), Channel(deaf.url))))
    stands(house, "pull_back", date(2026, 11, 2), episode="2026-11-02")
    for _ in range(80):
        house.clock.advance(hours=1)
        house.deliver(at_once=True)
    deaf.status = 200
    stands(house, "stable", date(2026, 11, 10), pulled_back="2026-11-09")
    house.deliver()
    deaf.hang_up()
    assert [title[:9] for title in house.phone.titles] == ["Time to p", "All clear"] and deaf.titles == []


def test_a_watch_that_becomes_a_pull_back_is_one_thread(house: House) -> None:
    house.set_config("alerts", minimum="watch")
    for n, (state, memory) in enumerate((("watch", {"watch": "2026-11-01"}), ("pull_back", {"episode": "2026-11-02"}))):
        stands(house, state, date(2026, 11, 1) + timedelta(days=n), **memory)
    with house.store.read() as session:
        watch, pull_back = outbox.alerts(session, house.athlete_id)
    assert pull_back.thread == watch.id and watch.closed_at is not None
    house.deliver()
    assert len(house.phone.messages) == 1 and "pull back" in house.phone.titles[0].lower()


def test_a_pull_back_that_goes_on_on_the_day_of_its_all_clear_is_told_again_where_that_was_heard(house: House) -> None:
    asleep, day = Phone(), date(2026, 11, 20)
    house.set_config("alerts", urls=(Channel(house.phone.url), Channel(asleep.url)))
    stands(house, "pull_back", date(2026, 11, 2), episode="2026-11-02")
    house.deliver()
    house.clock.advance(days=18)
    asleep.status = 500
    stands(house, "stable", day, pulled_back="2026-11-19")
    house.deliver()  # only the first phone hears that all is clear
    stands(house, "pull_back", day, episode="2026-11-02", pulled_back="2026-11-20")  # after a run that evening
    asleep.status = 200
    house.deliver(at_once=True)
    house.clock.advance(days=10)
    stands(house, "stable", date(2026, 11, 30), pulled_back="2026-11-29")
    house.deliver(at_once=True)
    asleep.hang_up()
    assert [title[:9] for title in house.phone.titles] == ["Time to p", "All clear", "Time to p", "All clear"]
    assert [title[:9] for title in asleep.titles] == ["Time to p", "All clear"]
    with house.store.read() as session:
        assert len({a.thread for a in outbox.alerts(session, house.athlete_id)}) == 1


def test_an_all_clear_that_waits_is_withdrawn_where_the_runner_is_still_recovering(house: House) -> None:
    stands(house, "pull_back", date(2026, 11, 2), episode="2026-11-02")
    house.deliver()
    house.clock.advance(days=18)
    stands(house, "stable", date(2026, 11, 20), pulled_back="2026-11-10")
    stands(house, "recovering", date(2026, 11, 20), episode="2026-11-02", pulled_back="2026-11-10")
    house.deliver()
    assert [title[:9] for title in house.phone.titles] == ["Time to p"]
    stands(house, "stable", date(2026, 11, 20), pulled_back="2026-11-10")
    house.deliver()
    assert [title[:9] for title in house.phone.titles] == ["Time to p", "All clear"]
