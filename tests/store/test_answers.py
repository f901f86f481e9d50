"""What the runner said is kept as it was said: a run's feeling once, answers about days in their order."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from daemon.store import Store, activities, open_store
from daemon.store.answers import add_answer, answers, feels, remove_answer, save_feel
from daemon.strava.convert import read_activity
from tests.house import plain_run

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
ME, PARTNER = 1, 2


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Two runners of one household, with one run each."""
    opened = open_store(tmp_path / "pullback.db")
    with opened.write() as session:
        for athlete in (ME, PARTNER):
            activity = read_activity(plain_run(10, NOW - timedelta(hours=9)).summary, athlete)
            assert activity is not None
            activities.save_activity(session, activity, NOW, recording="none")
    yield opened
    opened.close()


def test_who_thinks_better_of_a_run_replaces_what_they_said(store: Store) -> None:
    for hours, feel in ((0, "easy"), (1, "heavy")):
        with store.write() as session:
            save_feel(session, ME, 10, feel, NOW + timedelta(hours=hours))  # type: ignore[arg-type]
    with store.read() as session:
        assert feels(session, ME) == {10: "heavy"}
        assert feels(session, PARTNER) == {}


def test_a_run_that_comes_back_to_strava_still_felt_as_it_did(store: Store) -> None:
    with store.write() as session:
        save_feel(session, ME, 10, "forced", NOW)
        activities.tombstone(session, ME, [10], NOW)
    with store.read() as session:
        assert feels(session, ME) == {10: "forced"}


def test_answers_come_back_as_they_were_given_and_can_be_taken_back(store: Store) -> None:
    with store.write() as session:
        ill = add_answer(session, ME, "ill", date(2026, 11, 14), date(2026, 11, 20), NOW)
        anew = add_answer(session, ME, "new-normal", date(2026, 11, 1), date(2026, 11, 1), NOW)
        theirs = add_answer(session, PARTNER, "heat", date(2026, 7, 1), date(2026, 7, 9), NOW)
    with store.read() as session:
        assert answers(session, ME) == (ill, anew)
        assert (ill.first, ill.last, ill.given_at) == (date(2026, 11, 14), date(2026, 11, 20), NOW)
    with store.write() as session:
        remove_answer(session, ME, ill.id)
        remove_answer(session, ME, theirs.id)
    with store.read() as session:
        assert answers(session, ME) == (anew,)
        assert answers(session, PARTNER) == (theirs,)
