"""The read limits as pure decisions: when a call is refused, until when, and what a jumping clock may cost."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daemon.strava import limits
from daemon.strava.limits import Budget, full, parse_headers, resume_at

NOON = datetime(2026, 11, 2, 12, 7, 30, tzinfo=UTC)
DAY = timedelta(days=1)
QUARTER = timedelta(minutes=15)

moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
purposes = st.sampled_from(["new", "backfill"])
retries = st.one_of(st.none(), st.integers(-5, 10**9).map(str), st.text("0159,- :x", max_size=8))


@st.composite
def budgets(draw: st.DrawFn) -> Budget:
    limit = st.integers(1, 2000)
    budget = Budget(draw(limit), draw(st.integers(0, 2500)), draw(limit), draw(st.integers(0, 2500)), draw(moments))
    return full(budget, budget.seen_at, draw(retries)) if draw(st.booleans()) else budget


def is_boundary(moment: datetime) -> bool:
    return moment.minute % 15 == 0 and moment.second == moment.microsecond == 0


def used(short: int, day: int, at: datetime = NOON) -> Budget:
    return Budget(100, short, 1000, day, at)


def test_read_limits_are_what_counts_for_a_program_that_only_reads() -> None:
    headers = {
        "X-RateLimit-Limit": "200,2000",
        "X-RateLimit-Usage": "150,1500",
        "x-readratelimit-limit": "100,1000",
        "x-readratelimit-usage": " 12, 345 ",
    }
    assert parse_headers(headers, NOON) == Budget(100, 12, 1000, 345, NOON)


def test_without_read_limits_the_overall_ones_stand_in() -> None:
    headers = {"X-RateLimit-Limit": "200,2000", "X-RateLimit-Usage": "150,1500", "X-ReadRateLimit-Limit": "100,1000"}
    assert parse_headers(headers, NOON) == Budget(200, 150, 2000, 1500, NOON)


@given(
    st.dictionaries(
        st.sampled_from(["X-ReadRateLimit-Limit", "X-ReadRateLimit-Usage"]), st.text("0159,- .x", max_size=12)
    )
)
@example({"X-ReadRateLimit-Limit": "100", "X-ReadRateLimit-Usage": "1"})
@example({"X-ReadRateLimit-Limit": "0,0", "X-ReadRateLimit-Usage": "1,1"})
@example({"X-ReadRateLimit-Limit": "100,1000", "X-ReadRateLimit-Usage": "-1,-1"})
@settings(max_examples=50, deadline=None)
def test_headers_that_say_nothing_usable_say_nothing(headers: dict[str, str]) -> None:
    budget = parse_headers(headers, NOON)
    assert budget is None or min(budget.short_limit, budget.day_limit) > 0


def test_new_runs_may_use_the_tenth_that_a_backfill_leaves() -> None:
    assert resume_at(used(89, 0), NOON, "backfill") is None
    assert resume_at(used(90, 0), NOON, "backfill") == NOON.replace(minute=15, second=0)
    assert resume_at(used(90, 0), NOON, "new") is None
    assert resume_at(used(100, 0), NOON, "new") == NOON.replace(minute=15, second=0)


def test_a_used_up_day_waits_for_midnight_utc() -> None:
    assert resume_at(used(3, 900), NOON, "backfill") == datetime(2026, 11, 3, tzinfo=UTC)
    assert resume_at(used(3, 1000), NOON, "new") == datetime(2026, 11, 3, tzinfo=UTC)


def test_the_last_quarter_of_the_year_ends_with_it() -> None:
    eve = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert resume_at(used(100, 5, eve), eve) == datetime(2027, 1, 1, tzinfo=UTC)


def test_unknown_limits_hinder_nobody() -> None:
    assert resume_at(None, NOON) is None


@given(budgets(), moments, purposes)
@settings(max_examples=60, deadline=None)
def test_no_call_is_refused_while_usage_is_below_the_limits(budget: Budget, now: datetime, purpose: str) -> None:
    below = Budget(budget.short_limit, budget.short_limit - 1, budget.day_limit, budget.day_limit - 1, budget.seen_at)
    assert resume_at(below, now, "new") is None
    untouched = Budget(budget.short_limit, 0, budget.day_limit, 0, budget.seen_at)
    assert resume_at(untouched, now, purpose) is None


@given(budgets(), st.one_of(moments, st.timedeltas(-QUARTER, DAY)), purposes)
@settings(max_examples=60, deadline=None)
def test_a_refusal_names_a_window_boundary_ahead_from_which_a_call_is_allowed(
    budget: Budget, when: datetime | timedelta, purpose: str
) -> None:
    now = budget.seen_at + when if isinstance(when, timedelta) else when
    until = resume_at(budget, now, purpose)
    if until is not None:
        assert until > now and is_boundary(until)
        assert resume_at(budget, until, purpose) is None


@given(budgets(), st.timedeltas(-DAY * 700, DAY * 700), purposes)
@settings(max_examples=60, deadline=None)
def test_a_clock_that_jumps_costs_a_window_at_most(budget: Budget, jump: timedelta, purpose: str) -> None:
    now = budget.seen_at + jump
    until = resume_at(budget, now, purpose)
    if until is not None:
        assert until - now <= DAY
        assert now.date() == budget.seen_at.date()


@given(st.one_of(st.none(), budgets()), moments, retries, purposes)
@settings(max_examples=60, deadline=None)
def test_after_a_429_nothing_is_asked_before_the_next_window(
    budget: Budget | None, now: datetime, retry_after: str | None, purpose: str
) -> None:
    until = resume_at(full(budget, now, retry_after), now, purpose)
    assert until is not None and now < until <= now + DAY and is_boundary(until)


@pytest.mark.parametrize(
    ("retry_after", "until"),
    [
        ("60", NOON.replace(minute=15, second=0)),
        ("3600", NOON.replace(hour=13, minute=15, second=0)),
        ("Mon, 02 Nov 2026 12:50:00 GMT", NOON.replace(hour=13, minute=0, second=0)),
        ("999999999999", datetime(2026, 11, 3, tzinfo=UTC)),
        ("soon", NOON.replace(minute=15, second=0)),
        (None, NOON.replace(minute=15, second=0)),
    ],
)
def test_retry_after_is_respected(retry_after: str | None, until: datetime) -> None:
    assert resume_at(full(used(100, 400), NOON, retry_after), NOON) == until


def test_yesterdays_used_up_day_does_not_close_today() -> None:
    refused = full(used(100, 1000, NOON - DAY), NOON)
    assert resume_at(refused, NOON) == NOON.replace(minute=15, second=0)


@given(budgets())
@settings(max_examples=60, deadline=None)
def test_a_budget_survives_the_store(budget: Budget) -> None:
    assert limits.from_json(limits.to_json(budget)) == budget


@pytest.mark.parametrize(
    "rubbish", [None, {}, [], "x", {"short_limit": 0}, {**limits.to_json(used(1, 1)), "seen_at": 5}]
)
def test_a_budget_that_cannot_be_read_is_unknown(rubbish: object) -> None:
    assert limits.from_json(rubbish) is None
