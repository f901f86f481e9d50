"""The week that tightens: what is usual for this runner raises nothing, what crowds does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.signals.days import reading
from tests.signals.runners import FIRST_DAY, QUIET, Plan, simulate

CLEAN = replace(QUIET, hard_seen=1.0, easy_called_hard=0.0, skip=0.0)


def week(runs, day):
    return reading(runs, day).signal("tight_week")


def names(signal):
    return {flag["name"] for flag in signal.evidence["flags"]}


@pytest.mark.parametrize("seed", range(5))
def test_a_usual_week_raises_nothing(seed):
    assert week(simulate(CLEAN, Plan(weeks=30), seed), 29 * 7).level == "ok"


def test_three_hard_days_one_beside_the_long_run_are_an_alert():
    signal = week(simulate(CLEAN, Plan(weeks=36, intensity_week=32, tight=True), seed=3), 35 * 7 + 6)
    assert signal.level == "alert"
    assert {"hard_days", "beside_long"} <= names(signal)
    assert signal.since >= FIRST_DAY + timedelta(days=31 * 7)


def test_an_easy_run_replaced_by_a_session_is_no_tightening():
    assert week(simulate(CLEAN, Plan(weeks=38, intensity_week=32, change="replaced"), seed=3), 36 * 7).level == "ok"


def test_a_run_day_added_is_noticed():
    assert "run_days" in names(week(simulate(CLEAN, Plan(weeks=38, intensity_week=32, change="added"), seed=3), 35 * 7))


def test_the_same_three_hard_days_are_no_news_to_a_runner_who_always_trained_so():
    runs = simulate(CLEAN, Plan(weeks=36, intensity_week=0, tight=True), seed=3)
    assert week(runs, 34 * 7 + 6).level == "ok"


def test_one_run_far_longer_than_the_month_before():
    runs = simulate(CLEAN, Plan(weeks=30), seed=5)
    long = [replace(run, load=run.load * 2) if run.id == runs[-1].id else run for run in runs]
    assert "longest" in names(week(long, 30 * 7 - 1))
    assert "longest" not in names(week(runs, 30 * 7 - 1))


def test_hard_sessions_on_following_days_are_crowded():
    runs = simulate(CLEAN, Plan(weeks=34, established=True), seed=5)
    crowd = FIRST_DAY + timedelta(days=32 * 7)
    hard = [replace(r, hard=True, kind="tempo") if r.day >= crowd and r.day.weekday() in (2, 3) else r for r in runs]
    assert "crowded" in names(week(hard, 34 * 7 - 1))


def test_rest_that_vanishes_into_other_sports_is_noticed():
    runs = simulate(CLEAN, Plan(weeks=34), seed=5)
    rides = [
        replace(
            runs[0], id=10_000 + n, sport="Ride", kind="other", easy=None, start=at, end=at, day=at.date(), load=40.0
        )
        for n in range(14)
        for at in [runs[0].start + timedelta(days=32 * 7 + n)]
    ]
    assert "rest" in names(week([*runs, *rides], 34 * 7 - 1))


def test_heart_rate_plays_no_part():
    runs = simulate(CLEAN, Plan(weeks=38, intensity_week=32, change="added"), seed=3)
    offset = [replace(run, easy=replace(run.easy, bpm=run.easy.bpm + 10)) if run.easy else run for run in runs]
    assert week(runs, 36 * 7) == week(offset, 36 * 7)


def test_six_weeks_come_before_any_judgement():
    got = reading(simulate(CLEAN, Plan(weeks=5), seed=3), 30)
    assert got.signal("tight_week") is None
    assert got.missing == "needs 6 weeks of runs; has 4"


def test_big_blocks_are_no_news_to_a_runner_who_trains_in_blocks():
    runs = simulate(CLEAN, Plan(weeks=60), seed=5)

    def in_blocks(first_block):
        weeks = [(run.day - FIRST_DAY).days // 7 for run in runs]
        big = [week >= first_block and week % 8 in (0, 1, 2) for week in weeks]
        return [replace(run, load=60.0 if block else 40.0) for run, block in zip(runs, big, strict=True)]

    assert "load" in names(week(in_blocks(56), 59 * 7 - 1))
    assert "load" not in names(week(in_blocks(0), 59 * 7 - 1))
