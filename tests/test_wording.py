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
        "own_past": {"years": 2.1, "times": 2, "per_year": [0.12, 3.44]},
    },
)
WEEK = Signal("run_day_added", "watch", 1.2, "10 run days in two weeks, usually 8.", None, {}, "load")
CAME = Signal("intensity", "ok", 1.0, "", None, {"rose_on": "2026-10-05"})
ADDED = Intensity(date(2026, 10, 5), False, 6, 1.0, "added")
ADVICE = ("Run everything easy for 7 days.", "Keep the number of runs.")
VERDICT = Verdict(TODAY, "pull_back", TODAY, "", ADVICE, (HEART, CAME, WEEK), (ADDED,))


def sign(name, family, summary, level="watch", score=1.2):
    return Signal(name, level, score, summary, None, {}, family)


def test_a_pull_back_in_full():
    title, text = alert("pull_back", VERDICT)
    assert title == "Time to pull back: easy runs cost 5 bpm more"
    assert text == (
        "At 5:40/km your easy heart rate is 5 bpm above your norm of 143, over the last 8 easy runs compared with 6 "
        "before. In your own last 2.1 years, noise alone did this twice (0.1 to 3.4 a year).\n\n"
        "Intensity came on 5 October: 6 hard sessions so far, 1 a week of late, added to the week instead of replacing "
        "an easy run.\n\n"
        "The week has tightened. 10 run days in two weeks, usually 8.\n\n"
        "This week: Run everything easy for 7 days. Keep the number of runs.\n\n"
        "It clears after a week at the earliest, with your last three easy runs within 1.5 bpm of your norm, no more "
        "than one sign of a tight week left, and two days since the last hard session.\n\n"
        "It could also be heat, an illness on its way, or a new sensor. If you know that it is one of these, judge for "
        "yourself."
    )


def test_a_pull_back_for_the_week_alone_claims_no_change_of_heart_rate():
    week_alone = replace(VERDICT, memory={"cause": "tight_week"})
    title, text = alert("pull_back", week_alone)
    assert title == "Time to pull back: the week has become too tight"
    assert text.startswith("This is about the week alone.")
    assert "5 October" in text
    for said in ("bpm above", "bpm of your norm", "heat"):
        assert said not in text
    calm = replace(HEART, level="ok")
    text = alert("pull_back", replace(week_alone, signals=(calm, CAME, WEEK)))[1]
    assert text.startswith("Easy heart rate has not risen beyond what is usual for you; this is about the week alone.")
    assert "It clears after a week at the earliest, with no more than one sign of a tight week left, and two" in text
    text = alert("pull_back", replace(week_alone, signals=(CAME, WEEK)))[1]
    assert text.startswith("Easy heart rate can't be judged at the moment; this is about the week alone.")
    assert "It clears after two weeks at the earliest" in text


def test_a_low_heart_rate_in_a_heavy_body_is_said_to_be_a_sign_of_strain():
    low = HEART.evidence | {"threshold": 10.0, "suppressed": {"score": 12.0, "delta_bpm": -7.2}}
    heart = replace(HEART, level="ok", evidence=low | {"delta_bpm": -7.2, "recent_delta_bpm": -8.0})
    felt = sign("felt", "felt", "2 runs of the last two weeks felt heavy or forced.")
    verdict = replace(VERDICT, signals=(heart, CAME, felt), memory={"cause": "suppressed"})
    title, text = alert("pull_back", verdict)
    assert title == "Time to pull back: low heart rate, heavy running"
    assert text.startswith(
        "At 5:40/km your easy heart rate is 7 bpm below your norm of 143, over the last 8 easy runs compared with 6 "
        "before. That is unusually low, and running feels heavier: together they can mean strain, as a high heart rate "
        "can.\n\n"
    )
    assert "Running feels heavier. 2 runs of the last two weeks felt heavy or forced." in text
    assert "week alone" not in text and "bpm above" not in text
    fading = sign("fading", "control", "The last 3 hard sessions slowed down 4 % more.")
    assert "low, and hard sessions fade: together" in alert("pull_back", replace(verdict, signals=(heart, fading)))[1]
    assert alert("watch", replace(verdict, memory={}))[0] == "Watch: low heart rate, heavy running"
    alone = alert("watch", replace(verdict, memory={}, signals=(heart, CAME, WEEK)))
    assert "low" not in alone[0] + alone[1]


def test_a_rise_that_is_over_is_no_reason_any_more():
    over = replace(HEART, evidence=HEART.evidence | {"recent_delta_bpm": 0.4})
    title, text = alert("pull_back", replace(VERDICT, signals=(over, CAME), memory={"cause": "heart_rate"}))
    assert title == "Time to pull back: strain has not cleared yet"
    assert "bpm above" not in text


def test_how_often_noise_alone_did_the_same_is_said_in_words():
    def past(**facts):
        own_past = facts and {"years": 2.1, "times": 2, "per_year": [0.12, 3.44]} | facts
        heart = replace(HEART, evidence=HEART.evidence | {"own_past": own_past or None})
        return alert("watch", replace(VERDICT, signals=(heart,)))[1]

    assert "noise alone never did this (0 to 1.8 a year)" in past(times=0, per_year=[0.0, 1.76])
    assert "noise alone did this once (0 to 2.7 a year)" in past(times=1, per_year=[0.01, 2.66])
    assert "In your own last 3 years, noise alone did this 4 times (" in past(times=4, years=3.0)
    assert "How often noise alone does this to you is not known yet." in past()


def test_a_rise_on_few_runs_says_so():
    few = replace(HEART, evidence=HEART.evidence | {"runs": [1, 2, 3]})
    assert "These are few runs; the next ones will say more." in alert("watch", replace(VERDICT, signals=(few,)))[1]
    assert "few runs" not in alert("watch", VERDICT)[1]


def test_of_easy_runs_that_became_faster_the_pace_is_the_news():
    faster = replace(HEART, level="watch", evidence=HEART.evidence | {"faster": True})
    pace = sign("easy_pace", "control", "The last 5 easy runs were 9 % faster than usual.", "alert")
    title, text = alert("watch", replace(VERDICT, signals=(faster, pace)))
    assert title == "Watch: runs are losing control"
    assert "bpm" not in text


def test_each_kind_of_sign_has_its_own_words_and_four_are_enough():
    signs = (
        sign("load_added", "load", "Load A.", "alert", 2.0),
        sign("hard_days", "load", "Days B.", "alert", 1.9),
        sign("monotony", "load", "Strain C.", "alert", 1.8),
        sign("beside_long", "spacing", "Long D."),
        sign("easy_pace", "control", "Pace E."),
        sign("rest", "spacing", "Rest F.", "ok", 5.0),
        sign("new_stresses", "load", "New G.", "alert", 9.0),
    )
    text = alert("pull_back", replace(VERDICT, signals=(CAME, *signs), memory={"cause": "tight_week"}))[1]
    assert "The week has tightened. Load A. Days B. Long D.\n\nRuns are losing control. Pace E." in text
    for unsaid in ("Strain C.", "Rest F.", "New G."):
        assert unsaid not in text
    title, text = alert("watch", replace(VERDICT, signals=(signs[4],)))
    assert title == "Watch: runs are losing control"
    assert "tightened" not in text
    title, text = alert("watch", replace(VERDICT, signals=(sign("felt", "felt", "Heavy."),)))
    assert title == "Watch: running feels heavier"


def test_a_watch_asks_only_once_what_else_it_could_be():
    advice = ("Add nothing this week, and ask what else it could be: heat, illness, a new sensor, other company.",)
    text = alert("watch", replace(VERDICT, advice=advice, intensity=()))[1]
    assert text.count("heat") == 1
    assert "It could also be heat" in alert("watch", VERDICT)[1]


def test_an_alert_holds_the_advice_that_matters_most():
    advice = tuple(f"Advice {n}." for n in range(8))
    text = alert("pull_back", replace(VERDICT, advice=advice))[1]
    assert "This week: Advice 0. Advice 1. Advice 2. Advice 3. Advice 4.\n\n" in text


def test_paces_in_miles_for_those_who_think_in_miles():
    assert "At 9:07/mi" in alert("pull_back", VERDICT, "imperial")[1]


def test_a_step_up_of_what_was_always_there():
    always = replace(VERDICT, intensity=(Intensity(None, True, 40, 2.1, "unclear"),))
    text = alert("pull_back", always)[1]
    assert "Hard running was always there and was stepped up on 5 October: 2.1 hard sessions a week of late." in text


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
