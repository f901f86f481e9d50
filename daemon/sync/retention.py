"""How long Strava's raw answers stay: as long as the runner's setting of today says, whatever it was when they came."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from daemon.store import Store
from daemon.store import activities as rows
from daemon.store.progress import athletes, progress, save_progress


def retain(store: Store, keep: timedelta, now: datetime) -> int:
    """Deletes the raw answers that are older than `keep`; returns how many. Raises StoreError."""
    with store.write() as session:
        return sum(_retain(session, athlete_id, keep, now) for athlete_id in athletes(session))


def _retain(session: Any, athlete_id: int, keep: timedelta, now: datetime) -> int:
    state = progress(session, athlete_id)
    kept = keep if state.raw_kept_s is None else timedelta(seconds=state.raw_kept_s)
    if kept != keep or state.raw_kept_s is None:
        save_progress(session, athlete_id, replace(state, raw_kept_s=keep.total_seconds()))
    return rows.expire(session, athlete_id, now, keep, longer=keep - kept)
