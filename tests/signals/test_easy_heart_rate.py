"""Easy runs that cost more heartbeats at the same pace: noticed, explained, and not confused with other things."""

import json
from dataclasses import replace
from datetime import timedelta

from daemon.signals import History, RunTable, SignalParams, explain_easy_heart_rate, matched, read
from daemon.signals.easy_heart_rate import Params
from daemon.values import Answer
from tests.signals.days import NOW, reading
from tests.signals.runners import FIRST_DAY, QUIET, Plan, simulate, with_sensor

WEEKS_8_LATER = 40 * 7
RISEN = simulate(QUIET, Plan(weeks=42, intensity_week=32, rise_bpm=6), seed=11)
ABSORBED = simulate(QUIET, Plan(weeks=42, intensity_week=32), seed=11)


def heart(runs, day=WEEKS_8_LATER, **params):
    return reading(runs, day, SignalParams(easy_heart_rate=Params(**params))).signal("easy_heart_rate")


def shifted(runs, first_day, bpm=0.0, speed=0.0):
    """The same runs with easy heart rate or easy speed changed from a day on."""
    first = FIRST_DAY + timedelta(days=first_day)
    return [
        replace(run, easy=replace(run.easy, bpm=run.easy.bpm + bpm, speed_m_s=run.easy.speed_m_s + speed))
        if run.easy and run.day >= first
        else run
        for run in runs
    ]


def test_six_bpm_more_is_an_alert_that_shows_its_numbers():
    signal = heart(RISEN, 36 * 7)
    assert signal.level == "alert"
    assert signal.score >= signal.evidence["threshold"]
    assert 4 <= signal.evidence["delta_bpm"] <= 8
    assert FIRST_DAY + timedelta(days=32 * 7) <= signal.since <= FIRST_DAY + timedelta(days=36 * 7)
    days = {run.id: run.day for run in RISEN}
    came = FIRST_DAY + timedelta(days=32 * 7)
    assert all(days[run] < came for run in signal.evidence["norm_runs"]), "the norm is the one of before"
    assert signal.evidence["norm_held"]
    assert max(days[run] for run in signal.evidence["runs"]) <= FIRST_DAY + timedelta(days=36 * 7)


def test_the_evidence_is_json():
    assert json.loads(json.dumps(heart(RISEN).evidence)) == heart(RISEN).evidence


def test_absorbed_intensity_is_no_concern():
    assert heart(ABSORBED).level == "ok"
    assert abs(heart(ABSORBED).evidence["delta_bpm"]) < 3


def test_the_same_heart_rate_at_a_lost_pace_is_the_same_strain():
    slower = shifted(ABSORBED, 32 * 7 + 5, speed=-6 / 25)  # 25 bpm per m/s in this world
    signal = heart(slower, 37 * 7)
    assert signal.level == "alert"
    assert 4 <= signal.evidence["delta_bpm"] <= 8


def warming(run, wrist_c, air_known):
    """The run as a summer would have it that warms by 12 °C from a week after intensity came on: 0.7 bpm a degree."""
    weeks = (run.day - FIRST_DAY).days / 7
    warmer = min(max(weeks - 33, 0.0) / 3, 1.0) * 12
    easy = run.easy and replace(run.easy, bpm=run.easy.bpm + 0.7 * warmer, temperature_c=wrist_c)
    return replace(run, easy=easy, air_c=12.0 + warmer if air_known else None)


def test_a_summer_that_warms_is_no_strain_where_the_weather_is_known():
    assert heart([warming(run, None, True) for run in ABSORBED]).level == "ok"
    assert heart([warming(run, None, False) for run in ABSORBED]).level == "alert", "without weather nobody can tell"
    assert heart([warming(run, 29.0, True) for run in ABSORBED]).level == "ok", "the wrist is warm all year"


def test_where_the_weather_ends_the_watch_goes_on_from_its_level():
    def known_until(day):
        runs = [warming(run, None, True) for run in ABSORBED]
        read_off = [replace(r, easy=r.easy and replace(r.easy, temperature_c=r.air_c + 9.0)) for r in runs]
        return [r if (r.day - FIRST_DAY).days < day else replace(r, air_c=None) for r in read_off]

    assert heart(known_until(34 * 7)).level == "ok"


def test_faster_easy_runs_are_not_blamed_on_the_heart():
    assert heart(shifted(ABSORBED, 32 * 7 + 5, bpm=0.25 * 25, speed=0.25), 37 * 7).level == "ok"


def test_the_slope_is_learned_from_the_runner():
    steep = [
        replace(r, easy=replace(r.easy, bpm=r.easy.bpm + 20 * (r.easy.speed_m_s - 2.8))) if r.easy else r
        for r in ABSORBED
    ]
    assert heart(steep).evidence["slope_bpm_per_m_s"] - heart(ABSORBED).evidence["slope_bpm_per_m_s"] > 10


def day_after(run, hard_days):
    """The run as the day after hard running has it on this runner: 4 bpm lower."""
    if run.easy is None or run.day - timedelta(days=1) not in hard_days:
        return run
    start = run.start.replace(hour=7)
    return replace(run, start=start, end=start + (run.end - run.start), easy=replace(run.easy, bpm=run.easy.bpm - 4))


def test_the_day_after_hard_running_has_a_size_of_its_own():
    runs = simulate(QUIET, Plan(weeks=42, established=True), seed=3)
    moved = {r.day for r in runs if r.hard}
    runs = [
        replace(r, start=r.start - timedelta(days=1), end=r.end - timedelta(days=1), day=r.day - timedelta(days=1))
        if r.easy and r.day - timedelta(days=2) in moved
        else r
        for r in runs
    ]
    runs = [day_after(r, moved) for r in runs]
    after = max((r for r in runs if r.easy and r.day - timedelta(days=1) in moved), key=lambda r: r.day)
    history = History.at(RunTable.of(runs), after.day, NOW)
    explained = explain_easy_heart_rate(history, SignalParams(), after.id)
    assert explained["corrections_bpm"]["after_hard"] > 1, "known of this runner, and no sign of being fit"


def test_a_new_sensor_starts_a_new_norm_and_says_so():
    day = FIRST_DAY + timedelta(days=34 * 7)
    runs = with_sensor(ABSORBED, day, "Other watch", offset_bpm=6)
    soon = reading(runs, 35 * 7)
    assert soon.signal("easy_heart_rate") is None
    assert "new sensor; has" in soon.missing
    later = heart(runs, 41 * 7)
    assert later.level == "ok"
    assert abs(later.evidence["recent_delta_bpm"]) < 3, "compared with its own norm, not with the other watch's"


def test_runs_whose_device_is_not_known_are_no_new_sensor():
    unnamed = [replace(run, device=None) if run.day < FIRST_DAY + timedelta(days=230) else run for run in RISEN]
    assert heart(unnamed, 36 * 7) == heart(RISEN, 36 * 7)


def test_one_wild_run_moves_little():
    wild = [
        replace(r, easy=replace(r.easy, bpm=r.easy.bpm + 40)) if r.easy and r.day.toordinal() % 50 == 0 else r
        for r in ABSORBED
    ]
    assert heart(wild).level == "ok"


def test_suppressed_heart_rate_is_told_but_raises_nothing():
    signal = heart(shifted(ABSORBED, 32 * 7, bpm=-6), 37 * 7)
    assert signal.level == "ok"
    assert signal.evidence["suppressed"]["score"] >= 10
    assert signal.evidence["suppressed"]["delta_bpm"] < -4


def test_runs_that_were_left_out_are_listed_with_the_reason():
    left_out = {entry["id"]: entry["why"] for entry in heart(RISEN, 36 * 7).evidence["excluded"]}
    hard = [run.id for run in RISEN if run.hard and 0 <= (FIRST_DAY + timedelta(days=36 * 7) - run.day).days <= 28]
    assert hard
    assert all(left_out[run] == "hard session" for run in hard)


def test_what_is_missing_is_said_in_words():
    bare = [replace(run, easy=None, left_out="no heart rate") for run in ABSORBED]
    assert reading(bare, 100).missing == "no easy runs with heart rate yet"
    few = [run if run.id % 5 == 0 else replace(run, easy=None, left_out="too short") for run in ABSORBED]
    assert "needs 12 easy runs with heart rate; has" in reading(few, 60).missing
    stopped = [run for run in ABSORBED if run.day < FIRST_DAY + timedelta(days=200)]
    assert reading(stopped, 260).missing == (
        "your newest run is from 24 July; if you have newer ones, "
        "`pullback sync` fetches them from Strava, `pullback import` takes files"
    )
    assert "newest run is from 24 July 2025" in reading(stopped, 900).missing
    strapless = [run if run in stopped else replace(run, easy=None, left_out="no heart rate") for run in ABSORBED]
    assert reading(strapless, 240).missing == "no easy run with heart rate since 24 July"
    assert reading(ABSORBED, 200).missing is None


def test_the_threshold_is_the_runners_to_set():
    assert heart(RISEN, 36 * 7, h=50).level == "watch"
    assert heart(RISEN, 36 * 7, h=50, h_watch=40).level == "ok"


def test_back_from_a_break_the_heart_may_beat_faster_for_a_while():
    back = 32 * 7 + 5
    rested = [run for run in ABSORBED if not back - 16 <= (run.day - FIRST_DAY).days < back]
    slow = [
        replace(run, easy=replace(run.easy, bpm=run.easy.bpm + 6 * max(0.0, 1 - gone / 28))) if run.easy else run
        for run in rested
        for gone in [(run.day - FIRST_DAY).days - back if (run.day - FIRST_DAY).days >= back else 99]
    ]
    at_once = shifted(ABSORBED, back, bpm=6)
    assert heart(slow, back + 18).level == "ok"
    assert heart(at_once, back + 18).level == "alert", "the same beats without a break are a rise"


def test_runs_that_became_clearly_faster_are_never_an_alarm_of_the_heart():
    signal = heart(shifted(ABSORBED, 32 * 7 + 5, bpm=0.25 * 25 + 6, speed=0.25), 37 * 7)
    assert signal.evidence["faster"]
    assert signal.level == "watch"


def test_how_often_noise_alone_did_it_is_told_from_a_year_of_past_on():
    assert heart(RISEN, 36 * 7).evidence["own_past"] is None
    long = simulate(QUIET, Plan(weeks=112, intensity_week=104, rise_bpm=6), seed=11)
    past = heart(long, 108 * 7).evidence["own_past"]
    assert 1.0 <= past["years"] <= 3.0
    low, high = past["per_year"]
    assert 0 <= low <= past["times"] / past["years"] <= high


def test_a_new_normal_is_another_norm():
    answered = Answer(1, "new-normal", FIRST_DAY + timedelta(days=33 * 7), FIRST_DAY + timedelta(days=33 * 7), NOW)
    history = History.at(RunTable.of(RISEN), FIRST_DAY + timedelta(days=37 * 7), NOW, [answered])
    assert heart(RISEN, 37 * 7).level == "alert"
    signal = read(history, SignalParams()).signal("easy_heart_rate")
    assert signal.level == "ok"
    since = [run for run in RISEN if run.easy and answered.first <= run.day <= history.today]
    assert signal.evidence["runs_since_intensity"] == len(since), "runs of before say nothing of the new norm"


def test_one_run_explained_adds_up():
    history = History.at(RunTable.of(RISEN), FIRST_DAY + timedelta(days=36 * 7), NOW)
    last = [run for run in RISEN if run.easy and run.day <= history.today][-1]
    told = explain_easy_heart_rate(history, SignalParams(), last.id)
    brought = last.easy.bpm + sum(told["corrections_bpm"].values())
    assert abs(brought - told["compared_with"]["norm_bpm"] - told["residual_bpm"]) < 0.4
    assert last.id not in told["compared_with"]["runs"]
    assert explain_easy_heart_rate(history, SignalParams(), -1) is None


def test_a_rise_that_stays_does_not_become_its_own_norm_when_the_norm_has_been_held_long_enough():
    stays = simulate(QUIET, Plan(weeks=56, intensity_week=32, rise_bpm=8), seed=11)
    for week in (36, 41, 43, 46, 50):
        signal = heart(stays, week * 7)
        assert signal.level == "alert"
        assert signal.evidence["norm_held"]
        assert signal.evidence["recent_delta_bpm"] > 4


def test_an_old_rise_fades_while_nothing_is_run():
    last = [run for run in RISEN if run.day <= FIRST_DAY + timedelta(days=36 * 7)]
    assert heart(last, 36 * 7 + 20).score < 0.6 * heart(last, 36 * 7 + 1).score


def test_the_past_before_a_new_normal_still_tells_how_often_noise_did_it():
    long = simulate(QUIET, Plan(weeks=112, intensity_week=104, rise_bpm=6), seed=11)
    day = FIRST_DAY + timedelta(days=90 * 7)
    answered = Answer(1, "new-normal", day, day, NOW)
    history = History.at(RunTable.of(long), FIRST_DAY + timedelta(days=108 * 7), NOW, [answered])
    past = read(history, SignalParams()).signal("easy_heart_rate").evidence["own_past"]
    assert past["times"] == heart(long, 108 * 7).evidence["own_past"]["times"]


def test_settings_out_of_all_reason_break_nothing():
    for odd in ({"window_runs": 1}, {"least_runs": 1000}, {"min_runs": 1}, {"look_days": 1}, {"rise_days": 1e-3}):
        for day in (60, 36 * 7, 41 * 7):
            heart(RISEN, day, **odd)


def test_a_morning_runner_turned_evening_runner_is_not_blamed_for_the_hour():
    """Fewer beats' worth of evidence is left where the hour may explain a rise that came with it."""
    rising = shifted(ABSORBED, 34 * 7, bpm=4)
    at_night = [replace(r, hour=19.0) if r.day >= FIRST_DAY + timedelta(days=34 * 7) else r for r in rising]
    assert heart(at_night, 37 * 7).score < 0.9 * heart(rising, 37 * 7).score


def test_a_rise_that_began_long_after_intensity_is_not_put_down_to_it():
    soon, late = (heart(shifted(ABSORBED, (32 + weeks) * 7, bpm=8), 40 * 7 + 6) for weeks in (1, 6))
    assert soon.evidence["after_intensity"] >= soon.evidence["threshold"]
    assert late.level == "alert"
    assert late.evidence["after_intensity"] < 0.8 * late.score


def test_what_is_looked_at_is_what_was_judged():
    """The runs compared lie as far above the line as the signal says, and one of them as `explain` says."""
    history = History.at(RunTable.of(RISEN), FIRST_DAY + timedelta(days=36 * 7), NOW)
    signal, seen = heart(RISEN, 36 * 7), matched(history, SignalParams())
    above = [run.bpm - seen.norm_bpm for run in seen.runs if run.compared]
    assert [run.id for run in seen.runs if run.compared] == signal.evidence["runs"]
    assert abs(sum(above) / len(above) - signal.evidence["delta_bpm"]) < 1.0
    assert round(seen.norm_bpm, 1) == signal.evidence["norm_bpm"]
    assert round(seen.at_pace_s_per_km) == signal.evidence["at_pace_s_per_km"]
    last = explain_easy_heart_rate(history, SignalParams(), seen.runs[-1].id)
    assert abs(last["residual_bpm"] - above[-1]) < 0.1
    assert matched(History.at(RunTable.of(RISEN[:8]), history.today, NOW), SignalParams()) is None
