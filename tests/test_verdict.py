"""The joint judgement: when to pull back, how it ends, and that nothing is said twice."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.values import Intensity, Reading, Signal
from daemon.verdict import OpenAlert, decide, what_to_say

CAME = date(2026, 10, 5)
START = date(2026, 10, 12)
PULL_BACKS = frozenset({"pull_back", "all_clear"})
WATCHES = PULL_BACKS | {"watch"}


SIGNS = {name: "load" for name in ("load_added", "run_day_added", "hard_days")} | {
    name: "spacing" for name in ("beside_long", "rest")
}


def reading(
    day,
    heart="ok",
    recent=0.0,
    signs=(),
    rose=CAME,
    missing=None,
    hard_on=CAME,
    change="added",
    after=None,
    idle=0,
    **more,
):
    """A day as a runner would tell it: how easy runs answer, which signs are up, since when there is intensity."""
    facts = {"rose_on": rose and rose.isoformat(), "last_hard_on": hard_on.isoformat()}
    signals = [Signal("intensity", "ok", 1.0, "", None, facts)]
    if heart is not None:
        evidence = {"delta_bpm": 5.0 if heart != "ok" else 0.0, "recent_delta_bpm": recent, "threshold": 10.0}
        evidence |= {"runs_since_intensity": 6, "norm_runs": list(range(12)), "per_week": 3.0, **more}
        evidence["after_intensity"] = {"ok": 2.0, "watch": 9.5, "alert": 12.0}[heart] if after is None else after
        signals.append(Signal("easy_heart_rate", heart, 0.0, "", None, evidence, "response"))
    families = SIGNS | {"felt": "felt", "easy_pace": "control", "fading": "control", "load_alert": "load"}
    for name in signs:
        level = "alert" if name == "load_alert" else "watch"
        signals.append(Signal(name, level, 1.5, "Something is up.", None, {}, families[name]))
    spells = (Intensity(rose, False, 4, 1.0, change),) if rose else ()
    return Reading(day, tuple(signals), spells, missing, idle_days=idle)


def live(days, start=START, previous=None):
    """One verdict a day for the given readings' keyword arguments."""
    out = []
    for n, kwargs in enumerate(days):
        previous = decide(reading(start + timedelta(days=n), **kwargs), previous)
        out.append(previous)
    return out


CALM = {}
STRONG = {"heart": "alert", "recent": 5.0}
MODERATE = {"heart": "watch", "recent": 4.0}
EARLIER = STRONG | {"after": 4.0}  # a rise that began before intensity did
LOAD = {"signs": ("load_added", "run_day_added")}
TIGHT = {"signs": ("load_added", "hard_days", "beside_long")}


def states(days):
    return [verdict.state for verdict in live(days)]


def test_intensity_that_was_there_before_did_not_come_but_was_stepped_up():
    before = decide(reading(START, **CALM), None)
    for introduced_on in (CAME - timedelta(days=90), None):
        today = reading(START + timedelta(days=1), **STRONG)
        spell = replace(today.intensity[0], introduced_on=introduced_on)
        verdict = decide(replace(today, intensity=(spell,)), before)
        assert verdict.headline.endswith("since intensity was stepped up on 5 October.")


def test_a_strong_response_after_intensity_is_a_pull_back():
    verdict = live([CALM, STRONG])[-1]
    assert verdict.state == "pull_back"
    assert verdict.headline == (
        "Pull back: easy runs cost 5 bpm more at the same pace since intensity came on 5 October."
    )
    assert any("replace an easy run instead of adding" in line for line in verdict.advice)
    assert any("number of runs" in line for line in verdict.advice)


def test_the_same_response_without_a_change_in_training_is_a_watch_that_asks():
    verdict = live([CALM, STRONG | {"rose": None}])[-1]
    assert verdict.state == "watch"
    assert "heat, illness, a new sensor" in verdict.advice[0]


def test_a_run_day_more_alone_is_called_what_it_is():
    more_days, more_load = (
        live([STRONG | {"signs": signs}])[-1].headline for signs in (("run_day_added",), LOAD["signs"])
    )
    assert "at the same pace and the week has more run days than usual since" in more_days
    assert "at the same pace and the week carries more than usual since" in more_load


def test_intensity_of_long_ago_is_no_change_in_training():
    assert live([STRONG | {"rose": START - timedelta(days=200)}])[-1].state == "watch"


def test_a_moderate_response_needs_a_week_that_tightened_in_two_ways():
    assert live([MODERATE])[-1].state == "absorbing"
    assert live([MODERATE | {"signs": ("load_added",)}])[-1].state == "watch"
    assert live([MODERATE | LOAD])[-1].state == "watch"
    assert live([MODERATE | {"signs": ("load_added", "beside_long")}])[-1].state == "pull_back"


def test_a_rise_that_began_before_intensity_is_not_put_down_to_it():
    verdict = live([EARLIER])[-1]
    assert verdict.state == "watch"
    assert verdict.headline.startswith("Watch: easy runs cost 5 bpm more at the same pace")


def test_a_low_heart_rate_is_a_warning_only_where_running_gets_harder():
    low = {"heart": "ok", "suppressed": {"score": 12.0, "delta_bpm": -5.0}}
    assert live([low])[-1].state == "absorbing"
    for sign in ("felt", "fading"):
        assert live([low | {"signs": (sign,)}])[-1].state == "pull_back"
        assert live([low | {"signs": (sign,), "rose": None}])[-1].state == "watch"


def test_one_sign_alone_is_no_watch_unless_it_is_a_strong_one_or_tells_how_running_goes():
    assert live([{"signs": ("load_added",)}])[-1].state == "absorbing"
    for signs in (("load_alert",), ("felt",), ("easy_pace",), ("load_added", "run_day_added")):
        assert live([{"signs": signs}])[-1].state == "watch"


def test_a_low_heart_rate_without_more_is_asked_about():
    low = {"heart": "ok", "suppressed": {"score": 12.0, "delta_bpm": -5.0}}
    asked = live([low | {"hard_on": START - timedelta(days=9)}])[-1].advice[-1]
    assert "5 bpm lower" in asked and "fitness" in asked and "pullback feel last heavy" in asked
    soon_after = live([low | {"hard_on": START}])[-1].advice[-1]
    assert "fitness or tiredness" in soon_after


def test_intensity_on_weeks_that_were_not_settled_is_said():
    restless = [{"rose": None, "signs": ("load_added", "rest")}] * 14 + [{"rose": None}] * 6
    came = {"rose": START + timedelta(days=20)}
    assert any("not settled" in line for line in live(restless + [came | LOAD])[-1].advice)
    assert not any("not settled" in line for line in live([{"rose": None}] * 20 + [came | LOAD])[-1].advice)


def told_fine(day, **kwargs):
    return replace(reading(day, **kwargs), fine_on=START + timedelta(days=2))


def test_fine_closes_the_episode_and_what_was_up_counts_again_once_it_has_gone():
    verdicts = live([STRONG, STRONG | TIGHT])
    for n, day in enumerate([STRONG | TIGHT, CALM, STRONG | TIGHT, *[CALM] * 5, STRONG], start=2):
        verdicts.append(decide(told_fine(START + timedelta(days=n), **day), verdicts[-1]))
    assert [v.state for v in verdicts] == ["pull_back"] * 2 + ["stable"] * 8 + ["pull_back"]
    assert verdicts[4].headline == "Stable, as you said: what was up then is left aside until it has gone."
    assert list(verdicts[2].memory["excused"]) == ["beside_long", "easy_heart_rate", "hard_days", "load_added"]
    assert [say.kind for _, say in tell(verdicts)] == ["pull_back", "pull_back"], "nothing has cleared"
    assert verdicts[-1].memory["episode"] == verdicts[-1].day.isoformat()


def test_a_week_that_stays_tight_is_a_pull_back_without_any_response():
    got = states([CALM] * 5 + [TIGHT] * 12)
    assert got[5:14] == ["watch"] * 9
    assert got[14] == "pull_back"


def test_an_added_session_is_one_fact_whatever_it_is_called():
    added = {"signs": ("load_added", "run_day_added", "beside_long")}
    assert set(states([CALM] * 5 + [added] * 20)[5:]) == {"watch"}


def test_a_tight_week_now_and_then_is_not():
    assert "pull_back" not in states([TIGHT, TIGHT, CALM, CALM] * 10)


def test_a_tight_week_without_heart_rate_is_judged_all_the_same():
    blind = {"heart": None, "missing": "no easy runs with heart rate yet"}
    got = states([blind] * 3 + [TIGHT | blind] * 12)
    assert got[0] == "learning"
    assert got[-1] == "pull_back"


def test_a_pull_back_lasts_a_week_at_least_and_until_easy_runs_are_back():
    got = states([STRONG] + [CALM] * 10)
    assert got[:7] == ["pull_back"] * 7
    assert got[7] == "recovering"
    assert "recovering" not in states([STRONG] + [{"recent": 3.0}] * 30)
    assert "recovering" not in states([STRONG] + [LOAD] * 30)


def test_a_hard_session_yesterday_is_no_rest():
    days = [STRONG] + [{"hard_on": START + timedelta(days=n)} for n in range(1, 12)]
    assert "recovering" not in states(days)


def test_who_runs_hard_every_other_day_gets_out_of_it_too():
    days = [STRONG] + [{"hard_on": START + timedelta(days=n)} for n in range(1, 20)]
    assert "recovering" in states(days)


def test_a_low_heart_rate_with_heavy_legs_is_not_lifted_while_it_lasts():
    low = {"suppressed": {"score": 12.0, "delta_bpm": -5.0}, "signs": ("felt",), "recent": -5.0}
    assert set(states([low] * 30)) == {"pull_back"}


def test_without_heart_rate_a_pull_back_lasts_two_weeks():
    blind = {"heart": None, "missing": "needs 16 easy runs with heart rate from the new sensor; has 1"}
    got = states([STRONG] + [blind] * 20)
    assert got[:14] == ["pull_back"] * 14
    assert got[14] == "recovering"


def idle(*days, **kwargs):
    """So many days without a run, of which the first is the day after the last one."""
    return [{"idle": n, **kwargs} for n in days]


def test_rest_alone_lifts_no_pull_back():
    """The week has room because nothing was run in it: only running shows that it is over."""
    resting = live([TIGHT] * 10 + idle(*range(1, 29), signs=()))
    assert {v.state for v in resting[9:]} == {"pull_back"}
    assert states([TIGHT] * 10 + idle(*range(1, 9)) + [CALM] * 2)[-1] == "recovering"


def test_a_runner_who_stops_is_told_of_no_all_clear():
    """The export ends in March: heart rate falls silent after four weeks, and nobody saw the strain clear."""
    gone = {"heart": None, "rose": None, "missing": "your newest run is from 30 March"}
    verdicts = live([STRONG] * 3 + idle(*range(1, 29), **STRONG) + idle(*range(29, 400), **gone))
    assert [v.state for v in verdicts[30:32]] == ["pull_back", "learning"]
    assert {v.state for v in verdicts[31:]} == {"learning"}
    back = live([{"rose": None}] * 40, START + timedelta(days=402), verdicts[-1])
    told = [OpenAlert("pull_back", START.isoformat())]
    assert back[-1].state == "stable"
    assert not any(what_to_say(v, told, PULL_BACKS) for v in verdicts[3:] + back)


def test_blind_for_four_weeks_is_no_recovery_while_nothing_is_run():
    blind = {"heart": None, "missing": "no easy run with heart rate since 30 March"}
    assert states([STRONG] + idle(*range(1, 29), **blind))[-1] == "pull_back"
    assert "recovering" in states([STRONG] + [blind] * 14)
    assert live([STRONG] + [blind] * 14)[-1].headline.startswith("Recovering: the week has room again")


def test_an_all_clear_two_years_later_is_no_news():
    verdicts = live([STRONG] + [CALM] * 7 + [{"heart": None, "missing": "no easy run with heart rate"}] * 100)
    told = [OpenAlert("pull_back", START.isoformat())]
    later = live([{"rose": None}] * 30, START + timedelta(days=108), verdicts[-1])
    assert later[-1].state == "stable"
    assert not any(what_to_say(v, told, PULL_BACKS) for v in verdicts[1:] + later)


def test_recovering_ends_in_the_ordinary_and_a_relapse_is_the_same_episode():
    verdicts = live([STRONG] + [CALM] * 20)
    assert [v.state for v in verdicts][7:17] == ["recovering"] * 10
    assert verdicts[17].state == "stable", "there was strain in this spell: it isn't absorbing"
    assert "episode" not in verdicts[17].memory
    relapsed = live([STRONG] + [CALM] * 9 + [STRONG])[-1]
    assert relapsed.state == "pull_back"
    assert relapsed.memory["episode"] == START.isoformat()
    assert relapsed.since == START + timedelta(days=10)


def test_a_pull_back_that_does_not_clear_asks_for_less():
    """And no longer for the volume there was before: the two side by side can't both be done."""
    late, early = live([STRONG] * 16)[-1].advice, live([STRONG] * 13)[-1].advice
    assert any("30 to 40 % less than before" in line for line in late)
    assert not any("Bring volume back" in line or "7 days" in line for line in late)
    assert any("Bring volume back" in line for line in early) and not any("doctor" in line for line in early)


def test_absorbing_claims_only_what_was_seen():
    verdict = live([CALM])[-1]
    assert verdict.state == "absorbing"
    assert verdict.headline == "Absorbing: no sign of strain in 6 easy runs since intensity came on 5 October."


def test_one_sign_that_is_left_is_said_beside_what_was_seen():
    absorbing, stable = live([{"signs": ("rest",)}])[-1], live([{"signs": ("rest",), "rose": None}])[-1]
    assert absorbing.headline == (
        "Absorbing: hardly a sign of strain in 6 easy runs since intensity came on 5 October. Something is up."
    )
    assert stable.headline == "Stable: something is up. Nothing else is up."


def test_a_watch_does_not_flicker():
    got = states([EARLIER, CALM, CALM, EARLIER] + [CALM] * 6)
    assert got == ["watch"] * 8 + ["absorbing"] * 2


def test_learning_says_what_is_missing():
    verdict = live([{"heart": None, "missing": "needs 16 easy runs with heart rate; has 9"}])[-1]
    assert verdict.state == "learning"
    assert verdict.headline == "Still learning: needs 16 easy runs with heart rate; has 9."


def test_a_base_that_is_stable_for_four_weeks_is_ready():
    verdicts = live([{"rose": None}] * 30)
    assert {v.state for v in verdicts} == {"stable"}
    assert verdicts[27].advice == ()
    assert verdicts[29].advice[0].startswith("Ready: your base has been stable for 4 weeks")


def test_who_runs_once_a_week_is_told_of_no_tempo():
    assert live([{"rose": None, "per_week": 1.5}] * 30)[-1].advice == ()


def test_an_answer_that_takes_the_reason_away_is_no_all_clear():
    told = [OpenAlert("pull_back", START.isoformat())]
    judged_again = live([CALM] * 20)[-1]
    assert what_to_say(judged_again, told, PULL_BACKS) == ()


def test_memory_is_small_json():
    for verdict in live([MODERATE] * 3 + [STRONG] * 20 + [CALM] * 30):
        assert json.loads(json.dumps(verdict.memory)) == verdict.memory
        assert len(json.dumps(verdict.memory)) < 200


def tell(verdicts, minimum="watch"):
    """Everything told over these days, each with its day."""
    told, log = [], []
    for verdict in verdicts:
        says = what_to_say(verdict, told, WATCHES if minimum == "watch" else PULL_BACKS)
        assert len(says) <= 1
        told += [OpenAlert(say.kind, say.episode, open=say.closes) for say in says]
        log += [(verdict, say) for say in says]
    return log


def test_a_whole_episode_is_a_watch_a_pull_back_and_an_all_clear():
    log = tell(live([CALM, EARLIER, STRONG] + [CALM] * 30))
    assert [say.kind for _, say in log] == ["watch", "pull_back", "all_clear"]
    assert [say.closes for _, say in log] == [False, False, True]
    assert log[2][1].episode == log[1][1].episode
    assert [say.kind for _, say in tell(live([CALM, EARLIER, STRONG] + [CALM] * 30), "pull_back")] == [
        "pull_back",
        "all_clear",
    ]


def test_a_first_backfill_says_one_thing_about_today():
    verdicts = live([STRONG] * 3 + [CALM] * 40 + [STRONG] * 2)
    assert [say.kind for say in what_to_say(verdicts[-1], (), WATCHES)] == ["pull_back"]
    assert what_to_say(verdicts[30], (), WATCHES) == ()


@pytest.mark.parametrize("days", [-3, 3])
def test_an_episode_judged_again_with_another_first_day_is_not_told_again(days):
    verdict = live([STRONG] * 6)[-1]
    told = [
        OpenAlert("pull_back", (START + timedelta(days=days)).isoformat()),
        OpenAlert("access", "inactive since then"),
    ]
    assert what_to_say(verdict, told, PULL_BACKS) == ()


def test_a_second_episode_is_told_again_and_cleared_again():
    log = tell(live(([STRONG] + [CALM] * 25) * 2), "pull_back")
    assert [say.kind for _, say in log] == ["pull_back", "all_clear"] * 2


DAY = st.fixed_dictionaries(
    {
        "heart": st.sampled_from(["ok", "watch", "alert", None]),
        "recent": st.sampled_from([-3.0, 0.0, 1.0, 4.0]),
        "signs": st.sets(st.sampled_from(["load_added", "run_day_added", "beside_long", "rest", "felt", "easy_pace"])),
        "rose": st.sampled_from([CAME, None]),
        "missing": st.sampled_from([None, "more runs"]),
    }
)
SPELL = st.tuples(DAY, st.integers(1, 20)).map(lambda pair: [pair[0]] * pair[1])


@settings(max_examples=60, deadline=None)
@given(st.lists(SPELL, min_size=1, max_size=14), st.sampled_from(["watch", "pull_back"]))
def test_whatever_happens_each_episode_is_told_once_and_cleared_at_most_once(spells, minimum):
    verdicts = live([day for spell in spells for day in spell])
    log = tell(verdicts, minimum)
    pulled = [say.episode for _, say in log if say.kind == "pull_back"]
    assert pulled == sorted({v.memory["episode"] for v in verdicts if v.state == "pull_back"})
    cleared = [say.episode for _, say in log if say.kind == "all_clear"]
    assert len(set(cleared)) == len(cleared)
    assert set(cleared) <= set(pulled)
    for verdict, say in log:
        assert say.closes == (say.kind == "all_clear")
        assert verdict.state in {"all_clear": ("stable", "absorbing")}.get(say.kind, (say.kind,))
    if minimum == "pull_back":
        assert all(say.kind != "watch" for _, say in log)


@settings(max_examples=40, deadline=None)
@given(st.lists(SPELL, min_size=1, max_size=10))
def test_whatever_happens_a_state_begins_on_its_first_day(spells):
    verdicts = live([day for spell in spells for day in spell])
    for yesterday, today in zip(verdicts, verdicts[1:], strict=False):
        assert today.since == (yesterday.since if today.state == yesterday.state else today.day)
        assert today.headline.endswith(".")
        assert today.state != "learning" or "more runs" in today.headline


def test_the_verdict_carries_what_it_was_made_from():
    made_from = reading(START, **STRONG)
    verdict = decide(made_from, None)
    assert (verdict.signals, verdict.intensity) == (made_from.signals, made_from.intensity)
    assert decide(replace(made_from), None) == verdict
