"""What a runner reads on a terminal and in a pipe, from the documents of the contract."""

import io
from datetime import UTC, date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from daemon.cli import show
from daemon.cli.replay import comparison, replayed
from daemon.cli.runs import listed

BERLIN = ZoneInfo("Europe/Berlin")


class Terminal(io.StringIO):
    """A stream that calls itself a terminal."""

    def isatty(self) -> bool:
        return True


def piped(parts: list[show.Part]) -> list[str]:
    stream = io.StringIO()
    show.out(parts, stream)
    return stream.getvalue().splitlines()


def on_terminal(parts: list[show.Part], monkeypatch: pytest.MonkeyPatch, at_most: int | None = None) -> list[str]:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    show.out(parts, stream, at_most)
    return stream.getvalue().splitlines()


def every_word_is_shown(parts: list[show.Part], monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 80 columns says what a pipe says."""
    lines = on_terminal(parts, monkeypatch)
    assert max(map(len, lines)) <= 80
    shown, wanted = " ".join(lines).split(), " ".join(piped(parts)).split()
    assert set(wanted) <= set(shown)
    assert "…" not in " ".join(lines)


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
    heading, easy, intervals, summary = piped(listed(RUNS, BERLIN, "metric"))
    assert heading.split()[:5] == ["date", "id", "kind", "km", "load"]
    assert easy.split() == ["2026-11-21", "12345678901", "easy", "10.0", "58", "142", "@", "5:41"]
    assert intervals.split() == ["2026-11-22", "12345678902", "intervals", "*", "12.5", "92", "hard", "session"]
    assert summary == "2 runs (* hard), 1 of them says something about easy heart rate"
    assert piped(listed(RUNS[:1], BERLIN, "metric"))[-1] == "1 run (* hard), which says something about easy heart rate"
    assert easy.index("142 @") == heading.index("bpm @ /km")


def test_a_runner_who_counts_in_miles_reads_miles() -> None:
    heading, easy, *_ = piped(listed(RUNS, BERLIN, "imperial"))
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
    lines = piped(replayed(document, 365))
    assert lines[1].split() == ["2026-11-01", "2026-11-03", "3", "stable"]
    assert lines[2].split() == ["2026-11-04", "2026-11-07", "4", "pull", "back"]
    assert "Intensity came on 2026-10-05, added to the week" in lines
    assert "2026-11-04  pull back  Time to pull back" in lines
    assert lines[-1] == "1 alert from 2026-11-01 to 2026-11-07: 0.6 a year, from 2.8 usable runs a week"
    years = {"days": days * 300, "alerts_per_year": 3.59}
    told = piped(replayed(document | years, 731))[-1]
    assert "3.59 a year over the 2.0 years with runs, from 2.8" in told, "not over the years without any"
    # Of two months "5.89 a year" is no figure to go by.
    assert piped(replayed(document, 62))[-1] == "1 alert from 2026-11-01 to 2026-11-07: from 2.8 usable runs a week"


def test_what_a_setting_changes_is_shown_side_by_side() -> None:
    def told(*alerts: str) -> list[dict[str, str]]:
        return [{"date": day, "kind": kind, "title": ""} for day, kind in (alert.split() for alert in alerts)]

    document: dict[str, Any] = {
        "from": "2026-01-01",
        "to": "2026-12-31",
        "days": [{"date": "2026-01-01"}],
        "alerts": told("2026-01-03 watch", "2026-02-20 watch", "2026-03-05 pull_back", "2026-06-05 pull_back"),
        "alerts_per_year": 3.0,
        "usable_runs_per_week": 2.8,
        "before": {
            "alerts": told("2026-01-03 watch", "2026-03-12 pull_back", "2026-09-01 watch"),
            "alerts_per_year": 2.0,
            "usable_runs_per_week": 2.8,
        },
        "settings": {"signals.easy_heart_rate.h": 8, "athlete.threshold_heart_rate": 170},
    }
    now = {"signals.easy_heart_rate.h": 10.0, "athlete.threshold_heart_rate": None}
    lines = piped(comparison(document, now, 365))
    assert lines[0] == "Trying signals.easy_heart_rate.h = 8 (now 10.0)"
    assert lines[1] == "Trying athlete.threshold_heart_rate = 170 (now not set)"
    assert lines[4].split() == ["alerts", "a", "year", "2.0", "3.0"]
    assert [line.split() for line in lines[7:11]] == [
        ["-", "2026-02-20", "watch"],
        ["2026-03-12", "pull", "back", "2026-03-05", "pull", "back"],
        ["-", "2026-06-05", "pull", "back"],
        ["2026-09-01", "watch", "-"],
    ]
    assert lines[11:13] == ["the same before and after", "2026-01-03 watch"], "what differs comes first"


def test_days_are_named_as_one_says_them() -> None:
    def text(first: str, last: str, this_year: int | None = 2026) -> str:
        return show.days(date.fromisoformat(first), date.fromisoformat(last), this_year)

    assert text("2026-11-14", "2026-11-14") == "14 November"
    assert text("2026-11-14", "2026-11-20") == "14 to 20 November"
    assert text("2026-10-28", "2026-11-03") == "28 October to 3 November"
    assert text("2025-12-28", "2026-01-03") == "28 December 2025 to 3 January 2026"
    assert text("2025-11-14", "2025-11-20") == "14 to 20 November 2025"
    assert text("2026-11-14", "2026-11-20", None) == "14 to 20 November 2026"


def test_nothing_to_show_is_said() -> None:
    assert piped(listed([], UTC, "metric")) == ["No runs."]
    empty = {"from": None, "to": None, "days": [], "intensity": [], "alerts": []}
    assert piped(replayed(empty, 0)) == ["No runs to replay."]


def test_a_terminal_of_80_columns_shows_every_word(monkeypatch: pytest.MonkeyPatch) -> None:
    every_word_is_shown(listed(RUNS, BERLIN, "metric"), monkeypatch)


def test_what_does_not_fit_a_line_goes_on_below_its_own_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    words = " ".join(["- Keep"] + ["easy"] * 25)
    lines = on_terminal([show.Line(words, indent=2, hang=2), show.Line(""), show.Line("end")], monkeypatch)
    assert lines[0].startswith("  - Keep easy") and 75 <= len(lines[0]) <= 80
    assert lines[1].startswith("    easy easy")
    assert " ".join(lines[:2]).split() == words.split()
    assert lines[2:] == ["", "end"]


def test_nothing_that_is_shown_controls_the_terminal() -> None:
    """Names are cleaned where they are put into a sentence; whatever else comes by is caught at the door."""
    parts = [show.Line("a\x1b[2Jb\nc\u202e"), show.Table(("h",), (("\x9b2J\u2028x",),))]
    stream = io.StringIO()
    show.out(parts, stream)
    show.say("\x07d\r", stream)
    assert stream.getvalue() == "a[2Jb\nc\nh\n2J x\nd \n"
