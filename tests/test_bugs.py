"""A bug of pullback's own in every look at the runs: the runner, who reads no log, is told, once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from typing import Any

import pytest

from daemon.doctor.data import work
from daemon.errors import UserError
from daemon.evaluate import evaluate, whole_status
from daemon.evaluate.telling import BROKEN_FOR, BROKEN_LOOKS
from daemon.jobs import Daemon
from daemon.store import Busy, grants, outbox
from daemon.store.progress import Progress, progress
from daemon.web.pages import Pages
from tests.exported import fit_file
from tests.house import House, plain_run
from tests.test_importer import bring


def break_numbers(house: House) -> None:
    """No version of ours writes such numbers: to read them is a bug."""
    sql(house, "DELETE FROM verdict", "UPDATE metrics SET data = '{'")


def mend_numbers(house: House) -> None:
    sql(house, "DELETE FROM metrics")


def sql(house: House, *statements: str) -> None:
    with house.store.write() as session:
        for statement in statements:
            session.connection().exec_driver_sql(statement)


def state(house: House, athlete_id: int | None = None) -> Progress:
    with house.store.read() as session:
        return progress(session, house.athlete_id if athlete_id is None else athlete_id)


def told(house: House) -> list[tuple[str, bool]]:
    """Title of each alert, and whether it is still open."""
    with house.store.read() as session:
        return [(a.title, a.closed_at is None) for a in outbox.alerts(session, house.athlete_id)]


def live(house: House, daemon: Daemon, polls: int) -> None:
    """So many polls, half an hour apart; the scheduler survives their bugs."""
    for _ in range(polls):
        house.clock.advance(minutes=30)
        with pytest.raises(ValueError):
            daemon.poll()


BUG = "pullback has a bug and can't judge your runs"


def test_a_bug_in_every_poll_is_shown_at_once_told_after_a_day_once_and_over_when_it_is(house: House) -> None:
    daemon = house.daemon()
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=1), minutes=10))
    daemon.poll()
    assert whole_status(house.store, house.config, house.clock.now())["broken_since"] is None
    assert list(work(house.store, UTC)) == []

    break_numbers(house)
    live(house, daemon, 2)
    status = whole_status(house.store, house.config, house.clock.now())
    assert status["broken_since"] == f"{house.clock.now() - timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}"
    assert "a bug: since 2026-11-02 07:30 CET" in status["trouble"] and "upgrade pullback" in status["trouble"]
    assert [(found.result, found.about) for found in work(house.store, UTC)] == [("problem", "work")]
    page = Pages(house.store, house.clock, lambda: house.config, dict)
    assert page.health().status == 503 and b"a bug: since 2026-11-02 07:30 CET" in page.health().body
    assert told(house) == []

    live(house, daemon, 60)
    with pytest.raises(ValueError):
        daemon.deliver()  # it judges first what waits, and sends it though that fails
    daemon.deliver()
    assert told(house) == [(BUG, True)]
    assert house.phone.titles == [BUG]

    mend_numbers(house)
    house.clock.advance(minutes=30)
    daemon.poll()
    assert state(house).broken_since is None
    assert told(house) == [(BUG, False)]
    assert house.phone.titles == [BUG]


def test_a_bug_that_one_answer_makes_is_told_to_nobody(house: House) -> None:
    daemon = house.daemon()
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=1), minutes=10))
    daemon.poll()
    break_numbers(house)
    live(house, daemon, 40)
    mend_numbers(house)
    house.clock.advance(hours=10)
    daemon.poll()
    break_numbers(house)
    live(house, daemon, 40)
    assert told(house) == []


def test_a_bug_in_the_pull_is_known_too_and_a_week_of_it_is_told_once(house: House, monkeypatch: Any) -> None:
    """Before anything was ever read, and with no judgement coming after it."""
    daemon = house.daemon()
    monkeypatch.setattr("daemon.sync.pulling.json", None)  # whatever else makes a step of it fail
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=1), minutes=10))
    for _ in range(20):
        house.clock.advance(hours=12)
        with pytest.raises(AttributeError):
            daemon.poll()
    assert told(house) == [(BUG, True)]
    monkeypatch.undo()
    daemon.poll()
    assert told(house) == [(BUG, False)]


def broken_house(house: House) -> Daemon:
    daemon = house.daemon()
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=1), minutes=10))
    daemon.poll()
    break_numbers(house)
    return daemon


@contextmanager
def no_room(house: House) -> Iterator[None]:
    """Beside the database no room can be kept for new tokens, so that Strava isn't asked for any."""
    room = house.path.with_name(f"{house.path.name}-room")
    room.unlink(missing_ok=True)
    room.mkdir()
    yield
    room.rmdir()


def test_a_machine_that_slept_for_days_has_not_met_the_bug_for_days(house: House) -> None:
    daemon = broken_house(house)
    live(house, daemon, 1)
    house.clock.advance(days=3)
    live(house, daemon, BROKEN_LOOKS - 2)
    assert told(house) == []
    live(house, daemon, 1)
    assert told(house) == [(BUG, True)]


def test_a_bug_that_a_problem_took_the_place_of_is_named_no_more(house: House) -> None:
    daemon = broken_house(house)
    live(house, daemon, 1)
    since = state(house).broken_since
    with house.store.only_one("pull"), pytest.raises(Busy):
        daemon.poll()
    assert state(house).broken_since == since is not None, "somebody else was at work: nothing was looked at"
    house.clock.advance(hours=7)
    with no_room(house), pytest.raises(UserError, match="room"):
        daemon.poll()
    assert whole_status(house.store, house.config, house.clock.now())["trouble"] is None
    live(house, daemon, 40)
    assert told(house) == []


def test_a_problem_is_no_cure_of_a_bug_that_was_told(house: House) -> None:
    daemon = broken_house(house)
    live(house, daemon, 60)
    house.clock.advance(hours=7)
    with no_room(house), pytest.raises(UserError, match="room"):
        daemon.poll()
    assert told(house) == [(BUG, True)]
    assert "a bug" in whole_status(house.store, house.config, house.clock.now())["trouble"]


def test_a_bug_hides_nothing_that_the_runner_can_mend(house: House) -> None:
    daemon = broken_house(house)
    house.world.inactive = True
    live(house, daemon, 1)
    trouble = whole_status(house.store, house.config, house.clock.now())["trouble"]
    assert trouble.startswith("Strava has switched your API application off") and "; and a bug: since" in trouble
    assert [found.text.startswith("a bug: since") for found in work(house.store, UTC)] == [True]


def test_what_somebody_can_mend_is_no_bug_and_a_stop_in_the_middle_is_no_cure(house: House) -> None:
    daemon = house.daemon()
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=1), minutes=10))
    house.world.inactive = True
    daemon.poll()
    assert state(house).broken_since is None
    house.world.inactive = False
    house.clock.advance(hours=7)
    daemon.poll()
    break_numbers(house)
    live(house, daemon, 1)
    since = state(house).broken_since
    daemon.stopping.set()
    daemon.poll()
    assert state(house).broken_since == since is not None


def test_who_only_imports_files_is_told_as_well(house: House, tmp_path: Any) -> None:
    sql(house, "DELETE FROM token", "DELETE FROM sync_state")
    (tmp_path / "a.fit").write_bytes(fit_file(plain_run(1, house.clock.now() - timedelta(days=1), minutes=10)))
    bring(house, tmp_path / "a.fit")
    evaluate(house.store, grants.RUNNER, house.config, house.clock.now())
    break_numbers(house)
    daemon = house.daemon()
    for _ in range(1 + BROKEN_FOR // timedelta(hours=1)):
        with pytest.raises(ValueError):
            daemon.judge_imported()
        house.clock.advance(hours=1)
    with house.store.read() as session:
        assert [a.title for a in outbox.alerts(session, grants.RUNNER)] == [BUG]
