"""What the daemon records and says when facts about the past or the present change."""

from dataclasses import replace
from datetime import date, timedelta

from daemon import documents
from daemon.config import AlertsConfig, Channel
from daemon.evaluate import replay, runs, status_document
from daemon.simulator.stories import strained
from daemon.store import judgement, outbox
from daemon.store.progress import progress
from daemon.values import Verdict
from tests.house import House, Phone, plain_run


def record(house: House) -> list[Verdict]:
    with house.store.read() as session:
        return [documents.read_verdict(v) for v in judgement.verdicts(session, house.athlete_id)]


def told(house: House) -> list[tuple[str, date]]:
    with house.store.read() as session:
        return [(a.kind, a.opened_at.date()) for a in outbox.alerts(session, house.athlete_id)]


def test_a_first_backfill_says_one_thing_about_today_and_nothing_about_yesterday(house: House) -> None:
    story = strained(house.clock.now().date())
    house.world.add_all(story.activities)
    _no_limits(house)
    house.pull()
    house.evaluate()
    assert [kind for kind, _ in told(house)] == ["pull_back"]
    assert told(house)[0][1] == house.clock.now().date()
    assert any(v.state == "pull_back" and v.day < house.clock.now().date() for v in record(house))
    house.evaluate()
    house.reopen()
    house.evaluate()
    assert len(told(house)) == 1


def test_until_half_a_year_is_in_the_verdict_is_learning_and_nothing_is_said(house: House) -> None:
    house.world.add_all(strained(house.clock.now().date()).activities)
    house.world.limits.read.short_limit = 60
    assert house.pull().waiting_until is not None
    evaluated = house.evaluate()
    assert evaluated.verdict is not None and evaluated.verdict.state == "learning"
    assert "being fetched" in evaluated.verdict.headline
    assert told(house) == []


def test_a_late_upload_has_its_day_and_the_days_after_it_judged_again(house: House) -> None:
    for n in range(1, 60, 2):
        house.world.add(plain_run(n, house.clock.now() - timedelta(days=n)))
    house.pull()
    house.evaluate()
    before = {v.day: v for v in record(house)}
    house.world.add(plain_run(999, house.clock.now() - timedelta(days=6), minutes=170))
    house.pull()
    house.evaluate()
    after = {v.day: v for v in record(house)}
    late = (house.clock.now() - timedelta(days=6)).date()
    assert all(after[day] == before[day] for day in before if day < late)
    assert list(after.values()) == house.judged_anew()


def test_a_lapsed_subscription_is_told_once_even_while_learning(house: House) -> None:
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=1)))
    house.pull()
    house.evaluate()
    house.world.inactive = True
    for _ in range(3):
        house.pull()
        house.evaluate()
        house.clock.advance(hours=7)
    house.deliver()
    assert [m["title"] for m in house.phone.messages if "subscription" in m["title"].lower()] == house.phone.titles
    assert len(house.phone.messages) == 1
    house.world.inactive = False
    house.pull()
    house.evaluate()
    assert status_document(house.store, house.athlete_id)["alerts_open"] == []


def test_a_changed_setting_has_all_days_judged_again(house: House) -> None:
    for n in range(1, 40):
        house.world.add(plain_run(n, house.clock.now() - timedelta(days=n)))
    house.pull()
    house.evaluate()
    with house.store.read() as session:
        made_with = progress(session, house.athlete_id).judged_with
    house.set_config("athlete", max_heart_rate=190)
    house.evaluate()
    with house.store.read() as session:
        assert progress(session, house.athlete_id).judged_with != made_with


def test_a_run_that_watch_and_phone_both_uploaded_counts_once(house: House) -> None:
    start = house.clock.now() - timedelta(days=1)
    watch = house.world.add(plain_run(10, start))
    house.world.add(plain_run(11, start + timedelta(seconds=40), has_heartrate=False, average_heartrate=None))
    house.pull()
    house.evaluate()
    assert [run.id for run in runs(house.store, house.athlete_id, house.config)] == [watch]


def test_status_before_authorisation_says_what_to_do(house: House) -> None:
    document = status_document(house.store, None)
    assert document["verdict"] == "learning"
    assert "pullback auth" in document["advice"][0]


def _no_limits(house: House) -> None:
    for quota in (house.world.limits.read, house.world.limits.overall):
        quota.short_limit = quota.long_limit = 100_000


def test_days_before_the_first_run_that_is_left_leave_the_record(house: House) -> None:
    first, second = (house.world.add(plain_run(n, house.clock.now() - timedelta(days=n))) for n in (12, 5))
    house.pull()
    house.evaluate()
    for left, deleted in ((second, first), (None, second)):
        house.world.delete(deleted)
        house.pull()
        house.evaluate()
        expected = replay(house.store, house.athlete_id, house.config, house.clock.now()).days
        assert [(v.day, v.state) for v in record(house)] == [(d.day, d.state) for d in expected]
        assert bool(expected) == (left is not None)


def test_a_channel_hears_only_what_it_asked_for(house: House) -> None:
    second = Phone()
    alerts = AlertsConfig(
        urls=(Channel(house.phone.url, kinds=("access",)), Channel(second.url, kinds=("pull_back", "all_clear")))
    )
    house.config = replace(house.config, alerts=alerts)
    house.world.add_all(strained(house.clock.now().date()).activities)
    _no_limits(house)
    house.pull()
    house.evaluate()
    house.deliver()
    second.hang_up()
    assert house.phone.titles == []
    assert len(second.titles) == 1 and "pull back" in second.titles[0].lower()


def test_a_new_grant_ends_the_trouble_with_access(house: House) -> None:
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=1)))
    house.pull()
    house.world.tokens.revoke(house.athlete_id)
    house.pull()
    house.evaluate()
    assert [a["kind"] for a in status_document(house.store, house.athlete_id)["alerts_open"]] == ["access"]
    house.authorise()
    house.evaluate()
    assert status_document(house.store, house.athlete_id)["alerts_open"] == []


def test_while_strava_refuses_it_is_asked_every_six_hours_only(house: House) -> None:
    house.world.inactive = True
    daemon = house.daemon()
    daemon.poll()
    house.world.forget_asked()
    for _ in range(17):
        house.clock.advance(minutes=20)
        daemon.poll()
    assert house.world.asked == []
    house.clock.advance(minutes=20)
    daemon.poll()
    assert len(house.world.asked) == 1


def test_a_clock_far_in_the_past_says_nothing_and_recovers(house: House) -> None:
    house.world.add_all(strained(house.clock.now().date()).activities)
    _no_limits(house)
    house.pull()
    house.evaluate()
    now = house.clock.now()
    house.clock.moment = now - timedelta(days=120)
    house.evaluate()
    house.clock.moment = now + timedelta(hours=1)
    house.evaluate()
    assert [kind for kind, _ in told(house)] == ["pull_back"]
    assert record(house) == house.judged_anew()
