"""A runner answers: what was said changes the past, the record is judged again, and what was sent stays as it was."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from daemon import documents
from daemon.evaluate import replay, runs, status_document
from daemon.evaluate.answering import judged_again, keep_answer, keep_feel, take_back
from daemon.evaluate.history import activity, newest_run
from daemon.store import judgement, outbox
from daemon.store.progress import progress
from daemon.values import Run, Verdict
from tests.house import House, plain_run
from tests.strained import strained_house


@pytest.fixture
def warned(tmp_path: Path) -> Iterator[House]:
    with strained_house(tmp_path) as house:
        yield house


def record(house: House) -> dict[date, Verdict]:
    with house.store.read() as session:
        found = [documents.read_verdict(v) for v in judgement.verdicts(session, house.athlete_id)]
    return {verdict.day: verdict for verdict in found}


def alerts(house: House) -> list[outbox.Alert]:
    with house.store.read() as session:
        return outbox.alerts(session, house.athlete_id)


def due_from(house: House) -> date | None:
    with house.store.read() as session:
        return progress(session, house.athlete_id).judge_from


def by_id(house: House, number: int) -> Run:
    return next(run for run in runs(house.store, house.athlete_id, house.config) if run.id == number)


def as_replayed(house: House) -> dict[date, Verdict]:
    return {verdict.day: verdict for verdict in house.judged_anew()}


def test_who_was_ill_has_those_days_judged_again_without_them(warned: House) -> None:
    before, (told, *_), now = record(warned), alerts(warned), warned.clock.now()
    heart = before[now.date()].signals[0]
    first, last = date.fromisoformat(heart.evidence["since"]), now.date()
    keep_answer(warned.store, warned.athlete_id, "ill", first, last, now)
    judged_again(warned.store, warned.athlete_id, warned.config, now)

    after = record(warned)
    assert after == as_replayed(warned)
    assert {day: v for day, v in after.items() if day < first} == {d: v for d, v in before.items() if d < first}
    assert before[last].state == "pull_back" and after[last].state != "pull_back"
    ill = [run for run in runs(warned.store, warned.athlete_id, warned.config) if first <= run.day <= last]
    assert {run.left_out for run in ill} == {"ill, as you said"}
    assert all(run.load > 0 for run in ill)
    first_alert = alerts(warned)[0]
    assert (first_alert.id, first_alert.title, first_alert.text) == (told.id, told.title, told.text)
    assert first_alert.closed_at is not None


def test_an_answer_taken_back_leaves_everything_as_it_was(warned: House) -> None:
    before, now = record(warned), warned.clock.now()
    kept = keep_answer(warned.store, warned.athlete_id, "heat", now.date() - timedelta(40), now.date(), now)
    judged_again(warned.store, warned.athlete_id, warned.config, now)
    assert record(warned) != before
    assert take_back(warned.store, warned.athlete_id) == kept
    judged_again(warned.store, warned.athlete_id, warned.config, now)
    assert record(warned) == before
    assert take_back(warned.store, warned.athlete_id) is None


def test_a_running_daemon_takes_an_answer_up_at_its_next_poll(warned: House) -> None:
    warned.authorise()
    warned.world.inactive = True  # whatever Strava says
    daemon = warned.daemon()
    daemon.poll()
    now = warned.clock.now()
    keep_answer(warned.store, warned.athlete_id, "travel", now.date() - timedelta(30), now.date(), now)
    assert record(warned) != as_replayed(warned)
    warned.clock.advance(minutes=20)
    daemon.poll()
    assert record(warned) == as_replayed(warned)
    assert due_from(warned) is None


def test_an_answer_given_while_another_process_judges_counts_later(warned: House) -> None:
    now = warned.clock.now()
    run = newest_run(warned.store, warned.athlete_id)
    keep_feel(warned.store, run, "heavy", now)
    with warned.store.only_one("judgement"):
        assert "next look" in judged_again(warned.store, warned.athlete_id, warned.config, now, wait_s=0)
    assert due_from(warned) == run.day


def test_how_a_run_felt_is_known_of_that_run_and_judged_from_its_day(warned: House) -> None:
    run, now = newest_run(warned.store, warned.athlete_id), warned.clock.now()
    assert by_id(warned, run.id).feel is None
    keep_feel(warned.store, run, "forced", now)
    keep_feel(warned.store, run, "heavy", now + timedelta(minutes=1))
    assert by_id(warned, run.id).feel == "heavy"
    assert due_from(warned) == run.day
    judged_again(warned.store, warned.athlete_id, warned.config, now)
    assert record(warned) == as_replayed(warned)
    assert sum(r.feel is not None for r in runs(warned.store, warned.athlete_id, warned.config)) == 1


def test_of_a_run_recorded_twice_either_recording_may_be_named(house: House) -> None:
    start = house.clock.now() - timedelta(days=1)
    house.world.add(plain_run(10, start))
    house.world.add(plain_run(11, start + timedelta(seconds=40), has_heartrate=False, average_heartrate=None))
    house.pull()
    house.evaluate()
    keep_feel(house.store, activity(house.store, house.athlete_id, 11), "heavy", house.clock.now())
    assert by_id(house, 10).feel == "heavy"


def test_the_status_says_what_was_answered(warned: House) -> None:
    now = warned.clock.now()
    kept = keep_answer(warned.store, warned.athlete_id, "company", now.date(), now.date(), now)
    (answer,) = status_document(warned.store, warned.athlete_id)["answers"]
    assert (answer["id"], answer["reason"], answer["last"]) == (kept.id, "company", now.date().isoformat())


def test_a_setting_tried_changes_what_a_replay_would_have_told_and_not_the_record(warned: House) -> None:
    before, now = record(warned), warned.clock.now()
    told = replay(warned.store, warned.athlete_id, warned.config, now).alerts
    assert [alert.kind for alert in told][:1] == ["pull_back"]
    deaf = {name: replace(params, enabled=False) for name, params in warned.config.signals.items()}
    silent = replay(warned.store, warned.athlete_id, replace(warned.config, signals=deaf), now).alerts
    assert silent == ()
    assert record(warned) == before
