"""How running felt: what the runner answers and rates counts, whatever heart rate does."""

from dataclasses import replace

import pytest

from daemon.values import Control
from tests.signals.weeks import WEEK, end_of, signal, weeks

RUNS = weeks(lambda week: WEEK, 36)
LAST = [r.id for r in RUNS if end_of(31) < r.day <= end_of(33)]


def felt(answers, runs=RUNS):
    return [replace(r, feel=answers.get(r.id)) for r in runs]


def rated(usual, later, faster=1.0):
    return [
        replace(
            r,
            perceived_exertion=(later if r.day > end_of(30) else usual) + r.id % 2,
            control=Control(2.8 * (faster if r.day > end_of(30) else 1.0)),
        )
        for r in RUNS
    ]


def test_two_heavy_runs_in_two_weeks_are_evidence():
    found = signal("felt", felt({LAST[0]: "heavy", LAST[5]: "forced", LAST[6]: "normal"}), end_of(33))
    assert found.level == "watch"
    assert found.family == "felt"
    assert found.summary == "2 runs of the last two weeks felt heavy or forced."
    assert set(found.evidence["runs"]) == {LAST[0], LAST[5], LAST[6]}


def test_three_are_an_alert():
    assert signal("felt", felt(dict.fromkeys(LAST[:4], "heavy")), end_of(33)).level == "alert"


@pytest.mark.parametrize("answers", [{LAST[0]: "heavy"}, dict.fromkeys(LAST, "easy"), dict.fromkeys(LAST, "normal")])
def test_one_heavy_run_or_easy_ones_are_not(answers):
    assert signal("felt", felt(answers), end_of(33)).level == "ok"


def test_who_finds_every_other_run_heavy_has_said_nothing_new():
    heavy = felt({r.id: "heavy" for n, r in enumerate(RUNS) if n % 2})
    assert signal("felt", heavy, end_of(33)).level == "ok"


def test_easy_runs_that_feel_harder_at_the_same_pace():
    found = signal("felt", rated(3, 5), end_of(33))
    assert found.level != "ok"
    assert found.evidence["value"] - found.evidence["usual"] == pytest.approx(2, abs=0.3)
    assert "rated" in found.summary


def test_faster_easy_runs_may_feel_harder():
    assert signal("felt", rated(3, 5, faster=1.08), end_of(33)).level == "ok"


def test_who_never_answers_is_not_asked_about():
    assert signal("felt", RUNS, end_of(33)) is None
