"""One run explained: how it was read, what it was called and why, what it was compared with, what it counted for.

It gathers what other rooms worked out and judges nothing itself.
"""

from datetime import UTC, datetime, time
from typing import Any

from daemon import documents, metrics
from daemon.config import Config
from daemon.documents import Document
from daemon.errors import UserError
from daemon.evaluate.history import (
    Facts,
    activity,
    athlete_settings,
    counts_instead,
    facts,
    measure_new,
    params,
    recordings,
)
from daemon.signals import History, RunTable, SignalParams, explain_easy_heart_rate
from daemon.store import Store, judgement
from daemon.values import Activity, Run, Signal, Verdict

RESTS_ON = (
    "from_minute",
    "to_minute",
    "mean_bpm",
    "drift_bpm_per_min",
    "drift_correction_bpm",
    "drift_taken_to_minute",
    "grade_bpm",
    "temperature_c",
    "air_c",
)
"""What the metrics say of the minutes behind a reading."""


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
        recorded = judgement.verdict(session, athlete_id, run.day)
    verdict = None if recorded is None else documents.read_verdict(recorded)
    held, settings = recordings(store, athlete_id), athlete_settings(config)
    judged = metrics.explained(held, settings, number)
    assert judged is not None
    return {
        "run": _run(run, asked, known),
        "athlete": metrics.profile(held, settings, run.day).as_document(),
        "cleaning": _cleaning(run, asked, judged["cleaning"]),
        "classification": _classification(run, judged),
        "easy_heart_rate": _easy_heart_rate(run, judged["easy"], known, params(config)),
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


def _cleaning(run: Run, asked: Activity, cleaning: Document) -> Document:
    """How much of the recording could be used; shares are of the moving time, `sensor` is A, B or C."""
    return {
        "trust": run.trust,
        "elapsed_time_s": asked.elapsed_time_s,
        "moving_time_s": round(run.moving_s),
        "sensor": cleaning["sensor"],
        "heart_rate_share": cleaning["heart_rate_share"],
        "faults": cleaning["faults"],
    }


def _classification(run: Run, judged: Document) -> Document:
    """What it was called and why, against the usual of the weeks before it. Paces have the hills taken out."""
    usual = judged["usual"]
    return {
        "kind": run.kind,
        "hard": run.hard,
        "why": judged["why"],
        "hints": judged["hints"],
        "parts": judged["parts"],
        "easy_minutes": round(run.easy_minutes, 1),
        "hard_minutes": round(run.hard_minutes, 1),
        "usual": None
        if usual is None
        else {
            "pace_s_per_km": usual["easy_pace_s_per_km"],
            "bpm": usual["easy_heart_rate_bpm"],
            "moving_time_s": 60 * usual["minutes"],
            "pace_spread": usual["pace_spread"],
            "mostly_trail": usual["mostly_trail"],
        },
        "thresholds": judged["thresholds"],
        "fast_stretches": judged["bouts"],
        "work": judged["work"],
        "control": judged["control"],
    }


def _easy_heart_rate(run: Run, easy: Document, known: Facts, settings: SignalParams) -> Document:
    """The reading and what it rests on, brought to the norm's pace and conditions, against the norm of that day."""
    until_then = [other for other in known.runs if other.day <= run.day]
    history = History.at(RunTable.of(until_then), run.day, datetime.combine(run.day, time.max, UTC), known.answers)
    compared = explain_easy_heart_rate(history, settings, run.id)
    if compared:
        norm = set(compared["compared_with"]["runs"])
        days = sorted(other.day.isoformat() for other in until_then if other.id in norm)
        compared["compared_with"] |= {"first": days[0], "last": days[-1]}
    # A summary has no minutes to speak of; neither has a run that the runner took out.
    minutes = run.easy is not None and "from_minute" in easy
    return {
        "reading": documents.run_document(run)["easy_heart_rate"],
        "rests_on": {key: easy[key] for key in RESTS_ON} if minutes else None,
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
    numbers = {key: signal.evidence.get(key) for key in ("value", "usual", "threshold", "unit", "own_past")}
    return {
        "name": signal.name,
        "family": signal.family,
        "level": signal.level,
        "score": signal.score,
        "summary": signal.summary,
        **numbers,
        "this_run": part,
    }
