"""What the runner reads: calm, concrete, complete, in the runner's units, also when evidence is missing."""

from dataclasses import replace
from datetime import date

import pytest

from daemon.values import Intensity, Signal, Verdict
from daemon.wording import access, alert, rehearsal

TODAY = date(2026, 11, 12)
HEART = Signal(
    "easy_heart_rate",
    "alert",
    10.2,
    "",
    date(2026, 11, 10),
    {
        "delta_bpm": 5.1,
        "recent_delta_bpm": 4.9,
        "at_pace_s_per_km": 340,
        "norm_bpm": 143.2,
        "runs": [1, 2, 3, 4, 5, 6, 7, 8],
        "norm_runs": [10, 11, 12, 13, 14, 15],
    },
)
WEEK = Signal("run_day_added", "watch", 1.2, "10 run days in two weeks, usually 8.", None, {}, "load")
CAME = Signal("intensity", "ok", 1.0, "", None, {"rose_on": "2026-10-05"})
ADDED = Intensity(date(2026, 10, 5), False, 6, 1.0, "added")
ADVICE = ("Run everything easy for 7 days.", "Keep the number of runs.")
VERDICT = Verdict(TODAY, "pull_back", TODAY, "", ADVICE, (HEART, CAME, WEEK), (ADDED,))


def test_a_pull_back_in_full():
    title, text = alert("pull_back", VERDICT)
    assert title == "Time to pull back: easy runs cost 5 bpm more"
    assert text == (
        "At 5:40/km your easy heart rate is 5 bpm above your norm of 143, over the last 8 easy runs compared with 6 "
        "before.\n\n"
        "Intensity came on 5 October: 6 hard sessions so far, 1 a week of late, added to the week rather than "
        "replacing an easy run.\n\n"
        "The week has tightened. 10 run days in two weeks, usually 8.\n\n"
        "This week: Run everything easy for 7 days. Keep the number of runs.\n\n"
        "It clears when your last three easy runs are within 1.5 bpm of your norm, no more than one sign of a tight "
        "week is left, and two days have passed since the last hard session.\n\n"
        "It could also be heat, an illness on its way, or a new sensor. If you know that it is one of these, judge for "
        "yourself."
    )


def test_a_pull_back_for_the_week_alone_needs_no_heart_rate():
    title, text = alert("pull_back", replace(VERDICT, signals=(CAME, WEEK)))
    assert title == "Time to pull back: the week has become too tight"
    assert text.startswith("Easy heart rate can't be judged at the moment; this is about the week alone.")
    assert "5 October" in text
    assert "bpm above" not in text


def test_paces_in_miles_for_those_who_think_in_miles():
    assert "At 9:07/mi" in alert("pull_back", VERDICT, "imperial")[1]


def test_a_step_up_of_what_was_always_there():
    always = replace(VERDICT, intensity=(Intensity(None, True, 40, 2.1, "unclear"),))
    assert "Intensity was always there and was stepped up on 5 October: 40 hard" in alert("pull_back", always)[1]


def test_replaced_and_not_yet_known_are_said():
    for change, words in (("replaced", "in place of easy running"), ("unclear", "not clear yet")):
        text = alert("pull_back", replace(VERDICT, intensity=(replace(ADDED, change=change),)))[1]
        assert words in text


def test_one_run_is_not_runs():
    one = replace(HEART, evidence=HEART.evidence | {"runs": [1]})
    assert "over the last 1 easy run compared" in alert("watch", replace(VERDICT, signals=(one,)))[1]


@pytest.mark.parametrize("key", sorted(HEART.evidence))
def test_any_piece_of_evidence_may_be_absent(key):
    less = replace(HEART, evidence={k: v for k, v in HEART.evidence.items() if k != key})
    for kind in ("pull_back", "watch", "all_clear"):
        title, text = alert(kind, replace(VERDICT, signals=(less,)))
        assert title
        assert "None" not in text


def test_a_bare_verdict_still_has_words():
    bare = Verdict(TODAY, "pull_back", TODAY, "Something is up.", (), (), ())
    for kind in ("pull_back", "watch", "all_clear", "test"):
        title, text = alert(kind, bare)
        assert title
        assert text


def test_an_all_clear_says_how_to_come_back():
    better = replace(HEART, level="ok", evidence=HEART.evidence | {"recent_delta_bpm": -0.8})
    title, text = alert("all_clear", replace(VERDICT, state="stable", signals=(better,)))
    assert title == "All clear: easy running is back to normal"
    assert "1 bpm below your norm at 5:40/km" in text
    assert "70 %" in text


@pytest.mark.parametrize("kind", ["pull_back", "watch", "all_clear", "test", "access"])
@pytest.mark.parametrize("units", ["metric", "imperial"])
def test_every_kind_can_be_rehearsed(kind, units):
    title, text = rehearsal(kind, TODAY, units)
    assert title.startswith("Test: ")
    assert len(title) <= 60
    assert "This is a test" in text
    if kind == "pull_back":
        assert "pull back" in title
    for never in ("injur", "overtrain", "diagnos"):
        assert never not in (title + text).lower()


@pytest.mark.parametrize("reason", ["inactive", "revoked", "scope", "client", "unreachable", "something new"])
def test_lost_access_says_what_to_do(reason):
    title, text = access(reason)
    assert len(title) <= 60
    assert "pullback" in text or "https://" in text
    assert ("subscription" in title) == (reason == "inactive")
