"""What the runner reads fits the cause and the state of knowledge, and says nothing that the verdict doesn't hold."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from daemon import harmless, wording
from daemon.values import Intensity, Signal, Verdict, Week
from tests.signals.weeks import run

TODAY = date(2026, 11, 12)
HEART = Signal(
    "easy_heart_rate",
    "alert",
    10.2,
    "",
    date(2026, 11, 3),
    {
        "delta_bpm": 5.1,
        "recent_delta_bpm": 4.9,
        "at_pace_s_per_km": 340,
        "norm_bpm": 143.2,
        "runs": [1, 2, 3, 4, 5, 6, 7, 8],
        "norm_runs": [10, 11, 12, 13, 14, 15],
        "since": "2026-11-03",
        "own_past": {"years": 2.1, "times": 2, "per_year": [0.12, 3.44]},
    },
    "response",
)
WEEK = Signal("run_day_added", "watch", 1.2, "You ran on 5 days a week.", None, {}, "load")
CAME = Signal("intensity", "ok", 1.0, "", None, {"rose_on": "2026-10-28"})
ADDED = Intensity(date(2026, 10, 28), False, 6, 1.0, "added")
ADVICE = ("Run everything easy for 7 days.", "Keep the number of runs.")
MEMORY = {"cause": "heart_rate", "episode": "2026-11-12"}
VERDICT = Verdict(TODAY, "pull_back", TODAY, "", ADVICE, (HEART, CAME, WEEK), (ADDED,), MEMORY)
TIGHT = replace(VERDICT, memory={"cause": "tight_week", "episode": "2026-11-12", "tight": "00011111111111"})


def sign(name: str, family: str, summary: str, level: Any = "watch", score: float = 1.2) -> Signal:
    return Signal(name, level, score, summary, None, {}, family)


def with_heart(verdict: Verdict = VERDICT, level: Any = None, **evidence: Any) -> Verdict:
    heart = replace(HEART, level=level or HEART.level, evidence=HEART.evidence | evidence)
    return replace(verdict, signals=(heart, *(s for s in verdict.signals if s.name != heart.name)))


def test_a_pull_back_says_what_changed_why_what_to_do_what_clears_it_and_how_to_answer() -> None:
    title, text = wording.alert("pull_back", VERDICT)
    assert title == "Time to pull back: easy runs cost 5 bpm more"
    changed, why, to_do, answer = text.split("\n\n")
    assert changed == (
        "Since 3 November your easy runs cost 5 bpm more: about 148 instead of 143 at 5:40/km, over 8 runs against 6 "
        "before. In your last 2 years a rise as clear came twice: if by chance, about once in 13 months "
        "(between 3 months and 8 years)."
    )
    assert why == (
        "Intensity came on 28 October: 6 hard sessions so far, about one a week, on top of your easy runs. The likely "
        "reason is the speed work; it could also be heat, illness or a new sensor. The week has tightened. You ran on "
        "5 days a week."
    )
    asked = "What to do: run everything easy for 7 days. Keep the number of runs. It clears in a week at the earliest, "
    assert to_do.startswith(f"{asked}with your last three easy runs within 1.5 bpm")
    assert answer.count("`pullback ") == 2


def test_paces_and_distances_in_miles_for_those_who_think_in_miles() -> None:
    runs = {8: replace(run(TODAY), id=8, name="Lunch Run", distance_m=10_100.0)}
    text = wording.alert("pull_back", VERDICT, "imperial", runs)[1]
    assert "at 9:07/mi" in text
    assert "The latest: 6 miles on 12 November." in text


def test_a_run_is_told_by_its_own_name_if_it_has_one() -> None:
    called = {n: replace(run(date(2026, 11, n + 1)), id=n, name=f"Loop {n}") for n in (6, 7, 8)}
    text = wording.alert("watch", VERDICT, "metric", called)[1]
    assert "The latest: “Loop 8” on 9 November, “Loop 7” on 8 November and “Loop 6” on 7 November." in text


def test_runs_of_one_name_are_named_once() -> None:
    def latest(*names: str) -> str:
        called = {
            n: replace(run(date(2026, 11, n + 1)), id=n, name=name) for n, name in zip((6, 7, 8), names, strict=True)
        }
        return wording.alert("watch", VERDICT, "metric", called)[1]

    assert "The latest: “Track” on 9 November, 8 November and 7 November." in latest("Track", "Track", "Track")
    assert "The latest: “Track” on 9 November and 7 November; “Lake” on 8 November." in latest("Track", "Lake", "Track")


def test_a_pull_back_for_the_week_alone_claims_no_change_of_heart_rate() -> None:
    title, text = wording.alert("pull_back", TIGHT)
    assert title == "Time to pull back: the week has become too tight"
    assert text.startswith("On 11 of the last 14 days your week was too tight. You ran on 5 days a week.\n\n")
    assert "this is about the week alone" in text.lower()
    for said in ("bpm", "heat,"):
        assert said not in text.replace("(or heat, travel", "").replace("1.5 bpm", "")
    calm = with_heart(TIGHT, "ok", delta_bpm=0.2, recent_delta_bpm=0.2)
    assert "Easy heart rate has not risen beyond what is usual for you" in wording.alert("pull_back", calm)[1]
    blind = wording.alert("pull_back", replace(TIGHT, signals=(CAME, WEEK)))[1]
    assert "Easy heart rate can't be judged at the moment" in blind
    assert "It clears in two weeks at the earliest" in blind
    assert "heart rate" not in wording.reminder("pull_back", TIGHT, TODAY)[0]


def test_signs_of_other_kinds_than_the_week_are_not_called_a_tight_week() -> None:
    signs = (
        sign("easy_pace", "control", "Pace E."),
        sign("felt", "felt", "Heavy F."),
        sign("even_pace", "control", "G."),
    )
    title, text = wording.alert("pull_back", replace(TIGHT, signals=(CAME, *signs)))
    assert title == "Time to pull back: several signs of strain at once"
    assert "tightened" not in text
    assert "Runs are losing control. Pace E. G. Running feels heavier. Heavy F." in text


def test_heart_rate_and_week_together_are_both_in_the_title() -> None:
    both = replace(VERDICT, memory=MEMORY | {"cause": "both"})
    assert wording.alert("pull_back", both)[0] == "Time to pull back: 5 bpm more, and a tighter week"
    felt = replace(both, signals=(HEART, CAME, sign("felt", "felt", "Heavy.")))
    assert wording.alert("pull_back", felt)[0] == "Time to pull back: easy runs cost 5 bpm more"


def test_a_low_heart_rate_in_a_heavy_body_is_said_to_be_a_sign_of_strain() -> None:
    low = {"threshold": 10.0, "suppressed": {"score": 12.0, "delta_bpm": -7.2}, "recent_delta_bpm": -8.0}
    felt = sign("felt", "felt", "2 runs of the last two weeks felt heavy or forced.")
    verdict = with_heart(VERDICT, "ok", delta_bpm=-7.2, **low)
    verdict = replace(verdict, signals=(verdict.signals[0], CAME, felt), memory={"cause": "suppressed"})
    title, text = wording.alert("pull_back", verdict)
    assert title == "Time to pull back: low heart rate, heavy running"
    assert text.startswith("Since 3 November your easy runs cost 7 bpm less: about 136 instead of 143 at 5:40/km")
    assert "That is unusually low, and running feels heavier: together they can mean strain." in text
    fading = sign("fading", "control", "Your last 3 hard sessions slowed down 4 % more.")
    fades = replace(verdict, signals=(verdict.signals[0], fading))
    assert wording.alert("pull_back", fades)[0] == "Time to pull back: low heart rate, hard sessions fade"
    assert wording.alert("watch", replace(verdict, memory={}))[0] == "Watch: low heart rate, heavy running"
    alone = wording.alert("watch", replace(verdict, memory={}, signals=(verdict.signals[0], CAME, WEEK)))
    assert "low" not in alone[0] + alone[1]


def test_a_pull_back_that_stands_though_nothing_is_up_claims_no_sign() -> None:
    over = replace(with_heart(recent_delta_bpm=0.4), since=date(2026, 10, 3), memory=MEMORY | {"episode": "2026-10-03"})
    over = replace(over, signals=(over.signals[0], CAME))
    title, text = wording.alert("pull_back", over)
    assert title == "Time to pull back: strain has not cleared yet"
    assert text.startswith(
        "The pull-back of 3 October has not cleared yet. Your last easy runs were at your norm at 5:40"
    )
    for said in ("cost", "tightened", "likely"):
        assert said not in text
    assert "It clears with at most one sign of a tight week and two days without hard running." in text


def test_the_first_word_of_an_old_pull_back_gives_its_beginning() -> None:
    old = replace(VERDICT, since=date(2026, 10, 20), memory=MEMORY | {"episode": "2026-10-20"})
    assert "This pull-back began on 20 October." in wording.alert("pull_back", old)[1]
    assert "began" not in wording.alert("pull_back", VERDICT)[1]


def test_speed_work_is_the_likely_reason_only_of_a_rise_that_followed_it() -> None:
    earlier = wording.alert("pull_back", with_heart(since="2026-10-01"))[1]
    assert "likely" not in earlier
    assert "It could also be heat, illness or a new sensor" in earlier


def test_how_often_noise_alone_did_the_same_is_said_as_it_is_known() -> None:
    def past(**facts: Any) -> str:
        own_past = facts and {"years": 2.1, "times": 2, "per_year": [0.12, 3.44]} | facts
        return wording.alert("watch", with_heart(own_past=own_past or None))[1]

    assert "No earlier rise in 2 years was as clear: chance makes at most one in 7 months." in past(
        times=0, per_year=[0.0, 1.76]
    )
    assert "a rise as clear came once: if by chance, at most once in 5 months." in past(times=1, per_year=[0.01, 2.66])
    five = past(times=5, years=3.0, per_year=[0.55, 4.0])
    assert (
        "In your last 3 years a rise as clear came 5 times: if by chance, about once in 7 months (between 3 and "
        "22 months)." in five
    )
    assert "In your last 13 months a rise as clear" in past(years=1.1)
    assert "How often chance alone does that to you isn't known yet: it takes a year of your runs." in past()


def test_a_rise_on_few_runs_says_so() -> None:
    assert "These are few runs so far." in wording.alert("watch", with_heart(runs=[1, 2, 3]))[1]
    assert "few runs" not in wording.alert("watch", VERDICT)[1]
    assert "over 1 run against" in wording.alert("watch", with_heart(runs=[1]))[1]


def test_of_easy_runs_that_became_faster_the_pace_is_the_news() -> None:
    faster = with_heart(level="watch", faster=True)
    pace = sign("easy_pace", "control", "Your last 5 easy runs were 9 % faster than usual.", "alert")
    title, text = wording.alert("watch", replace(faster, signals=(faster.signals[0], pace)))
    assert title == "Watch: runs are losing control"
    assert text.startswith("Your last 5 easy runs were 9 % faster than usual.")
    assert "bpm" not in text


def test_what_the_runner_called_fine_is_not_said_again() -> None:
    fine = replace(VERDICT, memory={"excused": {"easy_heart_rate": 0, "run_day_added": 1}})
    title, text = wording.alert("watch", replace(fine, signals=(*fine.signals, sign("rest", "spacing", "Rest F."))))
    assert title == "Watch: the week is getting tighter"
    assert text.startswith("Rest F.")
    assert "bpm" not in text
    assert "5 days" not in text


def test_of_many_signs_the_strongest_of_each_kind_are_told_and_no_summing_up() -> None:
    signs = (
        sign("load_added", "load", "Load A.", "alert", 2.0),
        sign("hard_days", "load", "Days B.", "alert", 1.9),
        sign("beside_long", "spacing", "Long D."),
        sign("easy_pace", "control", "Pace E."),
        sign("rest", "spacing", "Rest F.", "ok", 5.0),
        sign("new_stresses", "load", "New G.", "alert", 9.0),
    )
    text = wording.alert("pull_back", replace(TIGHT, signals=(CAME, *signs)))[1]
    assert "too tight. Load A. Days B. Long D.\n\nRuns are losing control. Pace E." in text
    for unsaid in ("Rest F.", "New G."):
        assert unsaid not in text
    assert "New G." in wording.alert("watch", replace(VERDICT, signals=(signs[-1],)))[1]


def test_a_watch_asks_only_once_what_else_it_could_be() -> None:
    advice = ("Add nothing this week, and ask what else it could be: heat, illness, a new sensor, other company.",)
    assert wording.alert("watch", replace(VERDICT, advice=advice, intensity=()))[1].count("illness") == 1
    assert "It could also be heat" in wording.alert("watch", VERDICT)[1]


def test_a_watch_that_fades_claims_nothing() -> None:
    title, text = wording.alert("watch", replace(with_heart(level="ok"), signals=(CAME,)))
    assert title == "Watch: what was up is fading"
    assert text.startswith("Nothing is up today.")


def test_how_intensity_came_is_said_as_it_is_known() -> None:
    def came(spell: Intensity, rose: str = "2026-10-28") -> str:
        signal = replace(CAME, evidence={"rose_on": rose})
        return wording.alert("pull_back", replace(VERDICT, signals=(HEART, signal), intensity=(spell,)))[1]

    assert "about one a week, in place of easy runs." in came(replace(ADDED, change="replaced"))
    assert "Whether they came on top of easy runs or in place of them isn't clear yet." in came(
        replace(ADDED, change="unclear")
    )
    always = Intensity(None, True, 40, 2.4, "unclear")
    assert "Hard running was always there and was stepped up on 28 October; of late it is two or three a week." in came(
        always
    )
    assert "the last hard session was on 9 November." in came(replace(ADDED, ended_on=date(2026, 11, 9)))


@pytest.mark.parametrize("key", sorted(HEART.evidence))
def test_any_piece_of_evidence_may_be_absent(key: str) -> None:
    less = replace(HEART, evidence={k: v for k, v in HEART.evidence.items() if k != key})
    for kind in ("pull_back", "watch", "all_clear", "absorbing", "ready"):
        assert all(wording.alert(kind, replace(VERDICT, signals=(less,))))


def test_an_all_clear_says_how_to_come_back_and_what_is_left() -> None:
    better = with_heart(level="ok", recent_delta_bpm=-0.8)
    title, text = wording.alert("all_clear", replace(better, state="stable", memory={}))
    assert title == "All clear: easy running is back to normal"
    assert "1 bpm below your norm at 5:40/km" in text
    assert "One sign of a tight week is left. You ran on 5 days a week." in text
    assert "70 %" in text


def test_absorbing_mentions_the_one_thing_that_is_up() -> None:
    title, text = wording.alert("absorbing", replace(with_heart(level="ok", runs_since_intensity=9), memory={}))
    assert "hardly a sign" in title
    assert text.startswith("One sign is up in 9 easy runs since intensity came on 28 October, too little to warn of.")
    assert "You ran on 5 days a week." in text and "normal heart rate" not in text
    title, text = wording.alert("absorbing", replace(VERDICT, signals=(CAME,), memory={}))
    assert text.startswith("No sign of strain since intensity came on 28 October.")


def test_a_reminder_tells_how_it_is_now_and_since_when() -> None:
    title, text = wording.reminder("pull_back", VERDICT, date(2026, 11, 5))
    assert title == "Still time to pull back: easy runs cost 5 bpm more"
    assert text.startswith("The pull-back of 5 November still stands, 7 days on.")
    title, text = wording.reminder("pull_back", replace(VERDICT, state="recovering"), date(2026, 11, 5))
    assert title == "Easing after the pull back of 5 November"
    assert "It clears" not in text


def test_a_digest_says_the_week_beside_the_usual() -> None:
    week = Week(date(2026, 11, 6), 5, 4, 230, 200, 460, 200, 1, 0, 3)
    title, text = wording.digest(replace(VERDICT, headline="Pull back: as it is."), week)
    assert title == "Your week: pull back, 5 runs, 3 hours 50 minutes"
    assert "Since 6 November: 5 runs on 4 days, 3 hours 50 minutes, 15 % above your usual." in text
    assert "The load was 2.3 times your usual. 1 hard day, usually none; 3 rest days." in text
    assert "Next: run everything easy for 7 days." in text


def test_several_messages_are_one_with_the_title_of_the_first() -> None:
    one = ("Your week: stable", "Stable.")
    assert wording.merged([one]) == one
    title, text = wording.merged([wording.alert("pull_back", VERDICT), wording.access("inactive"), one])
    assert title == "Time to pull back: easy runs cost 5 bpm more + subscription"
    assert text.startswith("1 of 3: Time to pull back: easy runs cost 5 bpm more.\n\nSince 3 November")
    assert "2 of 3: Strava access paused: subscription lapsed." in text
    assert text.endswith("3 of 3: Your week: stable.\n\nStable.")
    long = [("Your week", "A. " * 900 + "\n\nEnd.")] * 2
    assert "End." in wording.merged(long)[1]
    assert wording.merged(long)[1].count("End.") == 1


def test_names_are_made_harmless_and_scripts_stay_readable() -> None:
    assert harmless.one_line("a\r\nSubject: x\x1b[31m\u202e", 40) == "a Subject: x[31m"
    assert harmless.one_line("  x\u200b\ty  ", 40) == "x y"
    assert harmless.one_line("x" * 100, 10) == "xxxxxxxxx…"
    assert len(harmless.one_line("Z\u0351\u036b\u0343\u032a\u0302", 40)) == 3
    assert harmless.one_line("भागना सुबह", 40) == "भागना सुबह"
    named = {8: replace(run(TODAY), id=8, name="@everyone `x`, a 5.5 k... ok\n.\n")}
    text = wording.alert("watch", VERDICT, "metric", named)[1]
    assert "The latest: “＠everyone 'x', a 5.5 k……” on 12 November." in text


def test_in_markdown_the_lead_is_bold_and_commands_are_code() -> None:
    text = wording.alert("pull_back", VERDICT)[1]
    marked = wording.markdown(text)
    assert "\n\n**What to do:** run everything easy" in marked
    assert "**To answer:** `pullback ack --reason ill` (or heat" in marked
    assert marked.replace("**", "") == text
    assert wording.markdown(wording.access("client")[1]).count("`") == 4
    assert wording.markdown("“*a* <b> [c](d) _e_”.") == "“\\*a\\* ‹b› \\[c\\](d) \\_e\\_”."
    assert wording.markdown("1 of 2: A_b.\n\nText.").startswith("**1 of 2: A\\_b.**\n\n")
