"""Store to verdict to outbox: what is known, how each day is judged, what is told, and how that is explained."""

from daemon.evaluate.explaining import explain
from daemon.evaluate.history import local_now, runs, units
from daemon.evaluate.judging import Evaluated, evaluate
from daemon.evaluate.replaying import Replayed, replay, walk
from daemon.evaluate.status import athlete_document, status_document, whole_status
from daemon.evaluate.telling import note_look, withdraw_late
from daemon.evaluate.week import digest_due

__all__ = [
    "Evaluated",
    "Replayed",
    "athlete_document",
    "digest_due",
    "evaluate",
    "explain",
    "local_now",
    "note_look",
    "replay",
    "runs",
    "status_document",
    "units",
    "walk",
    "whole_status",
    "withdraw_late",
]
