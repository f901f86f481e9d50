"""Values to the JSON documents of the contract, and verdicts back again. Pure; keys may be added, never changed."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from daemon.values import Answer, Intensity, ReplayedDay, Run, Signal, Verdict

Document = dict[str, Any]


def signal_document(signal: Signal) -> Document:
    return {
        "name": signal.name,
        "family": signal.family,
        "level": signal.level,
        "score": signal.score,
        "since": _iso(signal.since),
        "summary": signal.summary,
        "evidence": signal.evidence,
    }


def intensity_document(spell: Intensity) -> Document:
    document = asdict(spell)
    document["introduced_on"], document["ended_on"] = _iso(spell.introduced_on), _iso(spell.ended_on)
    return document


def verdict_document(verdict: Verdict) -> Document:
    """All of a verdict, for the record."""
    return {
        "day": verdict.day.isoformat(),
        "state": verdict.state,
        "since": verdict.since.isoformat(),
        "headline": verdict.headline,
        "advice": list(verdict.advice),
        "signals": [signal_document(signal) for signal in verdict.signals],
        "intensity": [intensity_document(spell) for spell in verdict.intensity],
        "memory": verdict.memory,
    }


def read_verdict(document: Document) -> Verdict:
    """The verdict a record holds."""
    return Verdict(
        day=date.fromisoformat(document["day"]),
        state=document["state"],
        since=date.fromisoformat(document["since"]),
        headline=document["headline"],
        advice=tuple(document["advice"]),
        signals=tuple(Signal(**{**s, "since": _day(s["since"])}) for s in document["signals"]),
        intensity=tuple(
            Intensity(**{**i, "introduced_on": _day(i["introduced_on"]), "ended_on": _day(i["ended_on"])})
            for i in document["intensity"]
        ),
        memory=document["memory"],
    )


def current_intensity(verdict: Verdict) -> Intensity | None:
    """The spell of hard running that goes on, None when there is none."""
    return next((spell for spell in reversed(verdict.intensity) if spell.ended_on is None), None)


def run_document(run: Run) -> Document:
    """One row of `runs --json`."""
    easy = None
    if run.easy is not None:
        easy = {
            "bpm": round(run.easy.bpm, 1),
            "at_pace_s_per_km": round(1000 / run.easy.speed_m_s, 1),
            "minutes": round(run.easy.minutes, 1),
            "se_bpm": round(run.easy.se_bpm, 2),
        }
    return {
        "id": run.id,
        "start": run.start.isoformat().replace("+00:00", "Z"),
        "name": run.name,
        "sport": run.sport,
        "kind": run.kind,
        "hard": run.hard,
        "distance_m": round(run.distance_m, 1),
        "moving_time_s": round(run.moving_s),
        "load": round(run.load, 1),
        "easy_heart_rate": easy,
        "left_out": run.left_out,
        "feel": run.feel,
        "trust": run.trust,
    }


def replay_document(
    days: Sequence[ReplayedDay],
    intensity: Iterable[Intensity],
    alerts: Iterable[Document],
    usable_runs_per_week: float | None,
    rated_days: int,
) -> Document:
    """`replay --json` over consecutive days; `alerts_per_year` is over `rated_days`, those of the time with runs."""
    told = list(alerts)
    years = rated_days / 365.25
    return {
        "from": _iso(days[0].day) if days else None,
        "to": _iso(days[-1].day) if days else None,
        "days": [
            {
                "date": d.day.isoformat(),
                "verdict": d.state,
                "signals": {name: {"level": level, "score": score} for name, level, score in d.signals},
            }
            for d in days
        ],
        "intensity": [intensity_document(spell) for spell in intensity],
        "alerts": told,
        "alerts_per_year": round(len(told) / years, 2) if days else None,
        "usable_runs_per_week": usable_runs_per_week,
    }


def comparison_document(before: Document, after: Document, settings: Document) -> Document:
    """`replay --set … --json`: the replay with the settings tried, and what it was without them."""
    kept = ("alerts", "alerts_per_year", "usable_runs_per_week")
    return {**after, "before": {key: before[key] for key in kept}, "settings": settings}


def answer_document(answer: Answer) -> Document:
    document = asdict(answer)
    document["first"], document["last"] = answer.first.isoformat(), answer.last.isoformat()
    document["given_at"] = answer.given_at.isoformat().replace("+00:00", "Z")
    return document


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
