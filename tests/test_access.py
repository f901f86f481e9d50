"""Each way in which a runner's access can be lost: named, told once, asked about seldom, and over by itself."""

import zlib
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest

import daemon.store.database
from daemon import access
from daemon.errors import UserError
from daemon.evaluate import status_document
from daemon.jobs import SLOW_PROBE, Daemon
from daemon.simulator.faults import Fault
from daemon.simulator.tokens import Grant
from daemon.store import StoreError, grants
from daemon.store import activities as rows
from daemon.store.progress import progress
from daemon.strava.auth import SCOPES, Tokens, read_tokens
from tests.house import House, plain_run

TOKEN = "/oauth/token"


def lapse(house: House) -> None:
    house.world.inactive = True


def subscribe(house: House) -> None:
    house.world.inactive = False


def withdraw(house: House) -> None:
    house.world.tokens.revoke(house.athlete_id)


def narrow(house: House) -> None:
    house.world.tokens.narrow(frozenset({"read"}))


def new_secret(house: House) -> None:
    house.world.tokens.clients["1"] = "another secret"
    house.world.tokens.kill_access()


def lose_the_answer(house: House) -> None:
    house.world.tokens.kill_access()
    house.world.fail(TOKEN, "lost")


STATES: dict[str, tuple[Callable[[House], None], Callable[[House], None], str]] = {
    "inactive": (lapse, subscribe, "https://www.strava.com/settings/api"),
    "revoked": (withdraw, House.authorise, "pullback auth"),
    "scope": (narrow, House.authorise, "pullback auth"),
    "client": (new_secret, lambda house: house.set_config("strava", client_secret="another secret"), "client_secret"),
    "lost": (lose_the_answer, House.authorise, "pullback auth"),
}


def asked_at(house: House) -> list[timedelta]:
    """When Strava was asked for anything, since the first time; calls of one poll count once."""
    moments = sorted({call.at for call in house.world.asked if "authorize" not in call.path})
    return [moment - moments[0] for moment in moments]


@pytest.mark.parametrize("state", STATES)
def test_lost_access_is_named_told_once_probed_seldom_and_over_by_itself(house: House, state: str) -> None:
    break_it, mend_it, what_to_do = STATES[state]
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=1), minutes=2))
    daemon = house.daemon()
    daemon.poll()
    house.world.forget_asked()
    break_it(house)
    for _ in range(72):
        house.clock.advance(minutes=20)
        daemon.poll()
    found = status_document(house.store, house.athlete_id)
    assert found["access"]["state"] == state
    assert [alert["kind"] for alert in found["alerts_open"]] == ["access"]
    assert len(house.phone.messages) == 1
    assert what_to_do in house.phone.messages[0]["message"] and what_to_do in found["trouble"]
    later = asked_at(house)[2 if state == "lost" else 1 :]  # of a lost answer only the next one tells
    assert len(later) <= 4 and all(after - before >= SLOW_PROBE for before, after in pairwise(later))

    mend_it(house)
    house.world.add(plain_run(2, house.clock.now() - timedelta(hours=1), minutes=2))
    daemon = house.daemon()
    for _ in range(19):
        house.clock.advance(minutes=20)
        daemon.poll()
    found = status_document(house.store, house.athlete_id)
    assert (found["access"], found["trouble"], found["alerts_open"]) == (None, None, [])
    assert found["data"]["runs"] == 2
    assert len(house.phone.messages) == 1


@pytest.mark.parametrize("state", ["inactive", "client"])
def test_after_a_start_or_a_reload_a_refusal_that_may_be_mended_is_asked_about_at_once(
    house: House, state: str
) -> None:
    break_it, mend_it, _ = STATES[state]
    daemon = house.daemon()
    break_it(house)
    daemon.poll()
    mend_it(house)
    house.clock.advance(minutes=20)
    daemon.poll()
    assert status_document(house.store, house.athlete_id)["access"]["state"] == state
    daemon.reconfigure(house.config)
    daemon.poll()
    assert status_document(house.store, house.athlete_id)["access"] is None


def test_a_refusal_noted_by_a_clock_that_was_ahead_is_asked_about_again(house: House) -> None:
    daemon = house.daemon()
    house.clock.advance(days=300)
    lapse(house)
    daemon.poll()
    house.clock.advance(days=-300)
    subscribe(house)
    for _ in range(19):
        house.clock.advance(minutes=20)
        daemon.poll()
    assert status_document(house.store, house.athlete_id)["access"] is None


def test_whose_runs_are_here_stays_the_one_also_after_they_have_withdrawn_access(house: House) -> None:
    assert access.withdraw(house.store, house.config, house.clock) is None
    another = Tokens("a", "r", house.clock.now(), frozenset(SCOPES), house.athlete_id + 1)
    with pytest.raises(UserError, match="pullback forget"):
        access.authorise(house.store, another)
    with house.store.read() as session:
        assert (grants.grant(session), grants.athlete(session)) == (None, house.athlete_id)
    house.authorise()
    with house.store.read() as session:
        assert grants.grant(session) is not None


def test_where_strava_keeps_the_old_key_good_a_lost_answer_costs_nothing(house: House) -> None:
    house.world.tokens.rotates = False
    lose_the_answer(house)
    daemon = house.daemon()
    daemon.poll()
    assert "no connection" in status_document(house.store, house.athlete_id)["trouble"]
    house.clock.advance(minutes=20)
    daemon.poll()
    assert status_document(house.store, house.athlete_id)["access"] is None
    # Forgotten, too: a grant that is withdrawn later is called that.
    withdraw(house)
    daemon.poll()
    assert status_document(house.store, house.athlete_id)["access"]["state"] == "revoked"


def test_a_withdrawn_grant_stays_one_however_often_it_is_asked_about(house: House) -> None:
    withdraw(house)
    for _ in range(3):
        house.pull()
        house.clock.advance(hours=7)
    assert status_document(house.store, house.athlete_id)["access"]["state"] == "revoked"


def test_a_desk_that_is_closed_before_the_old_token_ends_holds_nothing_up(house: House) -> None:
    house.clock.advance(hours=5, minutes=35)
    house.world.fail(TOKEN, 500, times=None)
    outcome = house.pull()
    assert outcome.problem is None
    assert any(call.path == TOKEN for call in house.world.asked)
    house.clock.advance(minutes=30)
    assert house.pull().problem is not None
    house.world.heal()
    assert house.pull().problem is None


def test_a_poll_under_way_does_not_bring_back_an_access_that_was_ended(house: House) -> None:
    strava = access.connect(house.store, house.config, house.clock)
    assert strava is not None
    assert access.withdraw(house.store, house.config, house.clock) is None
    house.world.tokens.kill_access()
    issued = house.world.tokens.issue(Grant("1", house.athlete_id, frozenset(SCOPES)), house.clock.now())
    fresh = read_tokens(issued, scope=frozenset(SCOPES), athlete_id=house.athlete_id)
    strava._save_tokens(fresh)  # noqa: SLF001 - an answer that was on its way
    strava.close()
    with house.store.read() as session:
        assert grants.grant(session) is None
    assert access.connect(house.store, house.config, house.clock) is None


def test_tokens_are_not_asked_for_where_they_could_not_be_kept(house: House) -> None:
    house.world.tokens.kill_access()
    with house.store.write() as session:  # as a full disk, or another program that holds the database
        session.connection().exec_driver_sql("PRAGMA query_only=ON")
    calls = len([call for call in house.world.asked if call.path == TOKEN])
    try:
        with pytest.raises(Exception, match="read-only|readonly"):
            house.pull()
    finally:
        house.reopen()
    assert len([call for call in house.world.asked if call.path == TOKEN]) == calls
    assert house.pull().problem is None


def kept(house: House) -> int:
    with house.store.read() as session:
        known = rows.known(session, house.athlete_id)
        return sum(rows.raw(session, house.athlete_id, i, kind) is not None for i in known for kind in RAW)


RAW = ("activity", "streams")


def retained(house: House, days: int) -> Daemon:
    house.set_config("privacy", raw_retention_days=days)
    daemon = house.daemon()
    daemon.retain()
    return daemon


def test_a_shorter_time_to_keep_raw_answers_holds_for_those_already_here(house: House) -> None:
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=1), minutes=2))
    house.pull()
    house.clock.advance(days=2)
    retained(house, 3)
    assert kept(house) == 2
    house.clock.advance(hours=23)
    house.pull()
    assert kept(house) == 2
    house.clock.advance(hours=1)
    house.daemon().retain()
    assert kept(house) == 0


def test_no_day_keeps_none_and_a_longer_time_is_counted_from_when_they_came(house: House) -> None:
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=1), minutes=2))
    house.pull()
    retained(house, 10)
    house.clock.advance(days=9)
    house.daemon().retain()
    assert kept(house) == 2
    retained(house, 0)
    assert kept(house) == 0
    house.world.add(plain_run(2, house.clock.now() - timedelta(hours=1), minutes=2))
    assert house.pull().fetched == 1
    assert kept(house) == 0


def test_what_a_clock_that_was_ahead_stored_is_not_kept_for_years(house: House) -> None:
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=1), minutes=2))
    house.clock.advance(days=300)
    house.pull()
    house.clock.advance(days=-300)
    house.daemon().retain()
    assert kept(house) == 2
    house.clock.advance(days=7)
    house.daemon().retain()
    assert kept(house) == 0


def test_deleted_answers_leave_the_file_too(house: House) -> None:
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=1), minutes=2))
    house.pull()
    with house.store.read() as session:
        held = rows.raw(session, house.athlete_id, 1, "activity")
    assert held is not None
    packed = zlib.compress(held, 1)[20:80]
    house.reopen()
    assert packed in house.path.read_bytes()
    retained(house, 0)
    house.reopen()
    assert packed not in house.path.read_bytes()


def test_the_refresh_is_noted_before_it_is_asked_for(house: House) -> None:
    house.world.tokens.kill_access()
    house.world.fail(TOKEN, Fault("status", status=503))
    house.pull()
    with house.store.read() as session:
        assert progress(session, house.athlete_id).refresh_begun_at == house.clock.now()
    assert house.pull().problem is None
    with house.store.read() as session:
        assert progress(session, house.athlete_id).refresh_begun_at is None


def test_tokens_are_not_renewed_on_a_disk_too_full_to_keep_them(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.clock.advance(hours=7)
    with monkeypatch.context() as full, pytest.raises(StoreError, match="free some space"):
        full.setattr(daemon.store.database, "ROOM_BYTES", 2**62)  # more than any disk has left
        house.pull()
    assert house.pull().problem is None
