"""A delivery's life in the outbox: what was taken back is known to be so, and doubt is kept only where doubt is."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daemon.store import Store, open_store, outbox
from daemon.store.outbox import Delivery

NOW = datetime(2026, 11, 2, 6, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An outbox with one pull-back for one phone: alert 1, delivery 1."""
    with closing(open_store(tmp_path / "pullback.db")) as store:
        with store.write() as session:
            outbox.open_alert(
                session, 1, kind="pull_back", episode="2026-11-02", title="", text="", channels=["phone"], now=NOW
            )
        yield store


def claim(store: Store) -> bool:
    with store.write() as session:
        return outbox.claim(session, 1, NOW)


def fail(store: Store, doubtful_at: datetime | None = None) -> None:
    with store.write() as session:
        outbox.failed(session, 1, "refused", LATER, doubtful_at=doubtful_at)


def withdraw(store: Store) -> None:
    with store.write() as session:
        outbox.withdraw(session, 1)


def reopen(store: Store) -> None:
    with store.write() as session:
        outbox.reopen(session, 1, LATER)


def sent(store: Store) -> None:
    with store.write() as session:
        outbox.sent(session, 1, LATER)


def delivery(store: Store) -> Delivery:
    with store.read() as session:
        return outbox.deliveries(session)[0]


def test_what_was_taken_back_in_time_is_not_sent_and_goes_out_when_it_holds_after_all(store: Store) -> None:
    withdraw(store)
    assert not claim(store) and not delivery(store).arrived
    reopen(store)
    assert (delivery(store).state, delivery(store).created_at) == ("pending", LATER)
    assert claim(store)


def test_taken_back_while_it_is_being_sent_it_may_have_arrived_until_the_phone_refuses(store: Store) -> None:
    claim(store)
    withdraw(store)
    assert delivery(store).arrived
    fail(store)
    assert (delivery(store).state, delivery(store).arrived) == ("withdrawn", False)
    reopen(store)
    assert delivery(store).state == "pending"


def test_taken_back_while_it_is_being_sent_and_no_answer_leaves_doubt_and_rather_twice_than_never(store: Store) -> None:
    claim(store)
    withdraw(store)
    fail(store, doubtful_at=LATER)
    assert (delivery(store).state, delivery(store).arrived) == ("withdrawn", True)
    reopen(store)
    assert (delivery(store).state, delivery(store).arrived) == ("pending", True)


def test_who_knew_it_from_before_is_not_told_as_it_is_opened_again(store: Store) -> None:
    with store.write() as session:
        again = {"kind": "pull_back", "episode": "2026-11-02 2", "title": "", "text": "", "now": NOW}
        outbox.open_alert(session, 1, channels=["phone"], known_to=["phone"], **again)  # type: ignore[arg-type]
        outbox.reopen(session, 2, LATER)
        assert [d.state for d in outbox.deliveries(session)] == ["pending", "withdrawn"]


@pytest.mark.parametrize("takes_it", [True, False])
def test_taken_back_and_holding_again_within_one_send_ends_as_the_phone_says(store: Store, takes_it: bool) -> None:
    claim(store)
    withdraw(store)
    reopen(store)
    assert delivery(store).arrived, "or may have, until the phone has answered"
    if takes_it:
        sent(store)
    else:
        fail(store)
    assert delivery(store).state == ("sent" if takes_it else "pending")
    assert delivery(store).arrived is takes_it


def test_a_refusal_takes_no_earlier_doubt_away(store: Store) -> None:
    claim(store)
    fail(store, doubtful_at=NOW)
    claim(store)
    withdraw(store)
    fail(store)
    assert delivery(store).arrived


def test_a_claim_that_a_crash_left_may_have_arrived_whatever_comes_next(store: Store) -> None:
    claim(store)
    assert claim(store), "whoever comes next sends it"
    fail(store)
    assert delivery(store).doubtful


def test_a_failure_and_then_taken_back_is_no_doubt(store: Store) -> None:
    claim(store)
    fail(store)
    withdraw(store)
    assert not delivery(store).arrived


def tell(store: Store, kind: str, at: datetime, athlete_id: int = 1, *, event: bool = True) -> int:
    with store.write() as session:
        told = outbox.open_alert(
            session, athlete_id, kind=kind, episode=f"{at:%Y-%m-%d}", title="", text="",
            channels=["phone", "mail"], now=at, event=event,
        )  # fmt: skip
    assert told is not None
    return told


def test_years_of_digests_aren_t_read_again_for_what_is_told_today(store: Store) -> None:
    """A warning of last year may still matter, as do what is open and what was told this week; old letters don't."""
    year_ago = NOW - timedelta(days=365)
    warning = tell(store, "watch", year_ago)
    stands = tell(store, "access", year_ago, event=False)
    old = [tell(store, "digest", year_ago + timedelta(weeks=n)) for n in range(48)]
    lately = tell(store, "digest", NOW - timedelta(days=3))
    tell(store, "watch", NOW, athlete_id=2)
    with store.read() as session:
        read = outbox.told(session, 1, ("pull_back", "watch"), since=NOW - timedelta(weeks=4))
        everything = [alert.id for alert in outbox.alerts(session, 1)]
    assert list(read) == [1, warning, stands, lately]
    assert set(everything) == {*read, *old}
    assert [d.channel for d in read[warning][1]] == ["phone", "mail"]
    assert all(d.alert == alert for alert, found in read.values() for d in found)


def test_what_no_channel_took_is_found_and_each_state_is_counted(store: Store) -> None:
    tell(store, "watch", NOW)
    claim(store)
    with store.write() as session:
        outbox.failed(session, 2, "refused", None)
        outbox.sent(session, 3, NOW)
    with store.read() as session:
        assert [(d.id, d.alert.kind) for d in outbox.unsettled(session)] == [(1, "pull_back")]
        assert [d.id for d in outbox.deliveries(session, outbox.UNDELIVERED)] == [1, 2]
        assert [d.id for d in outbox.deliveries(session)] == [1, 2, 3]
        assert outbox.states(session) == {"claimed": 1, "given_up": 1, "sent": 1}
