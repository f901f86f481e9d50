"""What a runner reads on a terminal and in a pipe, from the documents of the contract."""

import io
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from daemon.cli import show

BERLIN = ZoneInfo("Europe/Berlin")


class Terminal(io.StringIO):
    """A stream that calls itself a terminal."""

    def isatty(self) -> bool:
        return True


def piped(parts: list[show.Part]) -> list[str]:
    stream = io.StringIO()
    show.out(parts, stream)
    return stream.getvalue().splitlines()


def on_terminal(parts: list[show.Part], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    show.out(parts, stream)
    return stream.getvalue().splitlines()


PULLING_BACK: dict[str, Any] = {
    "verdict": "pull_back",
    "since": "2026-11-12",
    "headline": "Easy runs cost 5 bpm more [than before intervals came]",
    "advice": ["Leave the intervals out this week", "Keep Sunday easy"],
    "intensity": {
        "introduced_on": "2026-10-05",
        "established": False,
        "sessions": 6,
        "per_week": 1.5,
        "change": "added",
        "ended_on": None,
    },
    "signals": [
        {
            "name": "easy_heart_rate",
            "level": "alert",
            "score": 10.24,
            "since": "2026-11-10",
            "summary": "5.1 bpm above your norm over the last 6 easy runs",
            "evidence": {},
        }
    ],
    "data": {
        "runs": 214,
        "with_heart_rate": 201,
        "first": "2024-06-18",
        "last": "2026-11-21",
        "last_sync": "2026-11-23T06:15:00Z",
    },
    "alerts_open": [{"id": 7, "kind": "pull_back", "opened": "2026-11-12"}],
    "trouble": None,
    "waiting_until": None,
}

FRESH: dict[str, Any] = {
    "verdict": "learning",
    "since": None,
    "headline": "not authorised yet",
    "advice": ["run `pullback auth`"],
    "intensity": None,
    "signals": [],
    "data": {"runs": 0, "with_heart_rate": 0, "first": None, "last": None, "last_sync": None},
    "alerts_open": [],
}


def test_status_says_the_verdict_first_then_why_and_what_it_rests_on() -> None:
    lines = piped(show.status(PULLING_BACK, BERLIN))
    assert lines[:4] == [
        "pull back since 2026-11-12",
        "Easy runs cost 5 bpm more [than before intervals came]",
        "  - Leave the intervals out this week",
        "  - Keep Sunday easy",
    ]
    assert any(line.split()[:4] == ["easy_heart_rate", "alert", "10.2", "2026-11-10"] for line in lines)
    assert "Intensity: since 2026-10-05, 6 sessions, 1.5 a week, added" in lines
    assert "Runs: 214 (201 with heart rate), 2024-06-18 to 2026-11-21; last sync 2026-11-23 07:15" in lines
    assert lines[-1] == "Open alert 7 (pull back) since 2026-11-12"


def test_status_before_anything_was_fetched_says_what_to_do() -> None:
    lines = piped(show.status(FRESH, UTC))
    assert lines[:3] == ["learning", "not authorised yet", "  - run `pullback auth`"]
    assert "Runs: none; never synced" in lines


def test_trouble_with_strava_is_in_the_status() -> None:
    lines = piped(show.status(PULLING_BACK | {"trouble": "subscription lapsed"}, UTC))
    assert "subscription lapsed" in lines


RUNS: list[dict[str, Any]] = [
    {
        "id": 12345678901,
        "start": "2026-11-20T23:30:00Z",
        "kind": "easy",
        "hard": False,
        "distance_m": 10012.0,
        "moving_time_s": 3410,
        "load": 58.4,
        "easy_heart_rate": {"bpm": 141.6, "at_pace_s_per_km": 340.8},
        "left_out": None,
    },
    {
        "id": 12345678902,
        "start": "2026-11-22T09:00:00Z",
        "kind": "intervals",
        "hard": True,
        "distance_m": 12500.0,
        "moving_time_s": 3700,
        "load": 92.0,
        "easy_heart_rate": None,
        "left_out": "hard session",
    },
]


def test_runs_come_one_a_line_on_the_runners_own_day() -> None:
    heading, easy, intervals, summary = piped(show.runs(RUNS, BERLIN, "metric"))
    assert heading.split()[:5] == ["date", "id", "kind", "km", "load"]
    assert easy.split() == ["2026-11-21", "12345678901", "easy", "10.0", "58", "142", "@", "5:41"]
    assert intervals.split() == ["2026-11-22", "12345678902", "intervals", "*", "12.5", "92", "hard", "session"]
    assert summary == "2 runs (* hard), 1 of them say something about easy heart rate"
    assert easy.index("142 @") == heading.index("bpm @ /km")


def test_a_runner_who_counts_in_miles_reads_miles() -> None:
    heading, easy, *_ = piped(show.runs(RUNS, BERLIN, "imperial"))
    assert "bpm @ /mi" in heading
    assert easy.split()[3] == "6.2"
    assert easy.endswith("142 @ 9:08")


def test_replay_shows_stretches_of_one_verdict_and_what_would_have_been_sent() -> None:
    days = [
        {"date": f"2026-11-0{n}", "verdict": "stable" if n < 4 else "pull_back", "signals": {}} for n in range(1, 8)
    ]
    document: dict[str, Any] = {
        "from": "2026-11-01",
        "to": "2026-11-07",
        "days": days,
        "intensity": [{"introduced_on": "2026-10-05", "ended_on": None, "change": "added"}],
        "alerts": [{"date": "2026-11-04", "kind": "pull_back", "title": "Time to pull back"}],
        "alerts_per_year": 0.6,
        "usable_runs_per_week": 2.8,
    }
    lines = piped(show.replay(document))
    assert lines[1].split() == ["2026-11-01", "2026-11-03", "3", "stable"]
    assert lines[2].split() == ["2026-11-04", "2026-11-07", "4", "pull_back"]
    assert "Intensity introduced on 2026-10-05 (added)" in lines
    assert "2026-11-04  pull_back  Time to pull back" in lines
    assert lines[-1] == "1 alert from 2026-11-01 to 2026-11-07: 0.6 a year, from 2.8 usable runs a week"


def test_nothing_to_show_is_said() -> None:
    assert piped(show.runs([], UTC, "metric")) == ["No runs."]
    empty = {"from": None, "to": None, "days": [], "intensity": [], "alerts": []}
    assert piped(show.replay(empty)) == ["No runs to replay."]


@pytest.mark.parametrize(
    "parts", [show.status(PULLING_BACK, BERLIN), show.runs(RUNS, BERLIN, "metric")], ids=["status", "runs"]
)
def test_a_terminal_of_80_columns_shows_every_word(parts: list[show.Part], monkeypatch: pytest.MonkeyPatch) -> None:
    lines = on_terminal(parts, monkeypatch)
    assert max(map(len, lines)) <= 80
    shown, wanted = " ".join(lines).split(), " ".join(piped(parts)).split()
    assert set(wanted) <= set(shown)
    assert "…" not in " ".join(lines)
