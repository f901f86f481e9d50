"""Keeps what the runner says of runs and days: a change of facts about the past, so those days are judged again."""

from datetime import date, datetime

from daemon.config import Config
from daemon.evaluate.history import counts_instead, facts, runs
from daemon.evaluate.judging import evaluate
from daemon.signals.answered import WORDS
from daemon.store import Busy, Store, outbox
from daemon.store import answers as said
from daemon.store.progress import note_change
from daemon.values import Activity, Answer, Feel, Reason


def keep_feel(store: Store, activity: Activity, feel: Feel, now: datetime) -> None:
    """Records how a stored run felt. Raises StoreError."""
    counts = counts_instead(store, activity.athlete_id, activity.id) or activity
    with store.write() as session:
        said.save_feel(session, activity.athlete_id, activity.id, feel, now)
        note_change(session, activity.athlete_id, min(activity.day, counts.day), "answered")


def not_counted(store: Store, activity: Activity, config: Config) -> str | None:
    """Why the word given for a stored run is no evidence; None where it is, or the run isn't measured yet."""
    counts = counts_instead(store, activity.athlete_id, activity.id) or activity
    try:
        known = {run.id: run for run in facts(store, activity.athlete_id, config).runs}
    except ValueError:
        return None  # numbers of another version: somebody else is making them anew
    run = known.get(counts.id)
    if run is None or (run.feel is not None and not run.hard):
        return None
    return "a hard session may feel heavy" if run.hard else run.left_out


def keep_answer(store: Store, athlete_id: int, reason: Reason, first: date, last: date, now: datetime) -> Answer:
    """Records what was up on the days `first` to `last`. Raises StoreError."""
    with store.write() as session:
        answer = said.add_answer(session, athlete_id, reason, first, last, now)
        note_change(session, athlete_id, first, "answered")
    return answer


def take_back(store: Store, athlete_id: int) -> Answer | None:
    """Removes the answer given last; None where there is none. Raises StoreError."""
    with store.write() as session:
        newest = max(said.answers(session, athlete_id), key=lambda answer: answer.id, default=None)
        if newest is not None:
            said.remove_answer(session, athlete_id, newest.id)
            note_change(session, athlete_id, newest.first, "answered")
    return newest


def taken_out(store: Store, athlete_id: int, config: Config, answer: Answer) -> int:
    """How many of the runner's runs an answer leaves out of every comparison. Raises StoreError."""
    if answer.reason not in WORDS:
        return 0
    return sum(run.is_run and answer.first <= run.day <= answer.last for run in runs(store, athlete_id, config))


def judged_again(store: Store, athlete_id: int, config: Config, now: datetime, *, wait_s: float = 15.0) -> str:
    """What today's verdict says now that the answer counts.

    Where another process goes on judging for `wait_s` seconds, it says when the answer will count. Raises StoreError.
    """
    try:
        judged = evaluate(store, athlete_id, config, now, wait_s=wait_s).verdict
    except Busy:
        return "Another pullback is judging right now: your answer counts from its next look at Strava on."
    return "There is no run to judge yet." if judged is None else judged.headline


def on_their_way(store: Store, athlete_id: int) -> dict[int, str]:
    """The titles of the messages that still have to reach some channel, by the alert's id. Raises StoreError."""
    with store.read() as session:
        found = [d.alert for d in outbox.unsettled(session)]
    return {alert.id: alert.title for alert in found if alert.athlete_id == athlete_id}
