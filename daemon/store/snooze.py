"""Until when the runner wants quiet. Takes an open session; it knows what a clock that was put back means."""

from datetime import datetime

from sqlmodel import Session

from daemon.store.tables import SnoozeRow


def snooze(session: Session, athlete_id: int, now: datetime, until: datetime) -> None:
    """Quiet from `now` to `until`; a later word replaces an earlier one."""
    session.merge(SnoozeRow(athlete_id=athlete_id, since=now, until=until))


def resume(session: Session, athlete_id: int) -> None:
    """No quiet any more."""
    row = session.get(SnoozeRow, athlete_id)
    if row is not None:
        session.delete(row)


def snoozed_until(session: Session, athlete_id: int, now: datetime) -> datetime | None:
    """The end of the quiet that was asked for, None where there is none at `now`.

    Where the clock was put back since, the quiet is as long as it was asked for, counted from now.
    """
    row = session.get(SnoozeRow, athlete_id)
    if row is None or row.until <= now:
        return None
    return min(row.until, now + (row.until - row.since))


def note_clock(session: Session, athlete_id: int, now: datetime) -> None:
    """Begins the quiet anew where the clock was put back to before it began: else it would last far too long."""
    row = session.get(SnoozeRow, athlete_id)
    if row is not None and now < row.since:
        row.since, row.until = now, now + (row.until - row.since)
        session.add(row)
