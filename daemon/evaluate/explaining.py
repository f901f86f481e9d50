"""One run explained: how it was read, what it was called, what it was compared with, what it counted for.

It gathers what other rooms worked out and judges nothing itself.
"""

from datetime import UTC, datetime, time
from typing import Any

from daemon import documents, metrics
from daemon.config import Config
from daemon.documents import Document
from daemon.errors import UserError
from daemon.evaluate.history import Facts, activity, counts_instead, facts, measure_new, params
from daemon.metrics import RunMetrics
from daemon.metrics.bouts import find_bouts
from daemon.metrics.kind import FAST
from daemon.metrics.usual import HANDFUL, Past, Usual, lesson
from daemon.signals import History, RunTable, SignalParams, explain_easy_heart_rate
from daemon.store import Store, judgement
from daemon.store import activities as rows
from daemon.values import Activity, Run, Signal, Verdict


def explain(store: Store, athlete_id: int, config: Config, number: int) -> Document:
    """`explain ID --json`. Raises UserError for an id that is unknown, deleted, or a second recording; StoreError."""
    with store.only_one("judgement", wait_s=60.0):
        measure_new(store, athlete_id)
    asked = activity(store, athlete_id, number)
    counts = counts_instead(store, athlete_id, number)
    if counts is not None:
        raise UserError(f"{number} was recorded twice; {counts.id} counts: `pullback explain {counts.id}`")
    known = facts(store, athlete_id, config)
    run = next(run for run in known.runs if run.id == number)
    with store.read() as session:
        stored = [(held, metrics.from_json(data)) for held, data in rows.measured(session, athlete_id)]
        recorded = judgement.verdict(session, athlete_id, run.day)
    verdict = None if recorded is None else documents.read_verdict(recorded)
    measured = next(numbers for held, numbers in stored if held.id == number)
    return {
        "run": _run(run, asked, known),
        "cleaning": _cleaning(measured),
        "classification": _classification(run, measured, _usual(stored, asked)),
        "easy_heart_rate": _easy_heart_rate(run, known, params(config)),
        "contribution": _contribution(run, known, verdict),
    }


def _run(run: Run, asked: Activity, known: Facts) -> Document:
    said = [answer for answer in known.answers if answer.first <= run.day <= answer.last]
    return documents.run_document(run) | {
        "day": run.day.isoformat(),
        "device": asked.device,
        "perceived_exertion": asked.perceived_exertion,
        "answers": [documents.answer_document(answer) for answer in said],
    }


def _cleaning(measured: RunMetrics) -> Document:
    """How much of the recording could be used; shares are of the moving time."""
    return {
        "trust": measured.trust,
        "elapsed_time_s": round(measured.elapsed_s),
        "moving_time_s": round(measured.moving_s),
        "heart_rate_share": round(measured.heart_share, 3),
        "faults": [{"what": what, "share": round(share, 3)} for what, share in measured.faults],
    }


def _classification(run: Run, measured: RunMetrics, usual: Usual | None) -> Document:
    """What it was called, against the usual of the weeks before it."""
    bouts = find_bouts(measured, usual.speed_m_s, FAST) if usual is not None and measured.rows and run.is_run else []
    return {
        "kind": run.kind,
        "hard": run.hard,
        "easy_minutes": round(run.easy_minutes, 1),
        "hard_minutes": round(run.hard_minutes, 1),
        "usual": None
        if usual is None
        else {
            "pace_s_per_km": round(1000 / usual.speed_m_s, 1),
            "bpm": None if usual.heart_rate_bpm is None else round(usual.heart_rate_bpm, 1),
            "moving_time_s": round(usual.moving_s),
        },
        "fast_stretches": [
            {
                "start_s": bout.start_s,
                "seconds": bout.seconds,
                "pace_s_per_km": round(1000 / (bout.speed * usual.speed_m_s), 1),
                "bpm": None if bout.bpm is None else round(bout.bpm, 1),
            }
            for bout in bouts
            if usual is not None
        ],
    }


def _usual(stored: list[tuple[Activity, RunMetrics]], asked: Activity) -> Usual | None:
    """What was usual just before a run."""
    lessons = [taught for held, numbers in stored if (taught := lesson(held, numbers)) is not None]
    past = Past(lessons[:HANDFUL])
    for taught in lessons:
        if taught.start < asked.start:
            past.learn(taught)
    return past.usual(asked.start)


def _easy_heart_rate(run: Run, known: Facts, settings: SignalParams) -> Document:
    """The reading, brought to the norm's pace and conditions, against the norm of that day."""
    until_then = [other for other in known.runs if other.day <= run.day]
    history = History.at(RunTable.of(until_then), run.day, datetime.combine(run.day, time.max, UTC), known.answers)
    compared = explain_easy_heart_rate(history, settings, run.id)
    return {
        "reading": documents.run_document(run)["easy_heart_rate"],
        "left_out": run.left_out,
        **(compared or dict.fromkeys(("corrections_bpm", "compared_with", "residual_bpm", "usual_spread_bpm"))),
    }


def _contribution(run: Run, known: Facts, verdict: Verdict | None) -> Document:
    """What it counted for, and what each signal said on its day. `verdict` is None where that day isn't judged yet."""
    that_day = [other for other in known.runs if other.day == run.day]
    return {
        "day": run.day.isoformat(),
        "load": round(run.load, 1),
        "hard_day": any(other.hard for other in that_day),
        "verdict": None if verdict is None else verdict.state,
        "signals": [_said(signal, run.id) for signal in (verdict.signals if verdict else ())],
    }


def _said(signal: Signal, number: int) -> dict[str, Any]:
    excluded = {entry["id"] for entry in signal.evidence.get("excluded", [])}
    part = (
        "compared"
        if number in signal.evidence.get("runs", [])
        else "norm"
        if number in signal.evidence.get("norm_runs", [])
        else "left out"
        if number in excluded
        else None
    )
    return {
        "name": signal.name,
        "level": signal.level,
        "score": signal.score,
        "summary": signal.summary,
        "this_run": part,
    }
