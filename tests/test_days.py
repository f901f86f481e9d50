"""How days are said and counted where a history ended years ago."""

from datetime import date, timedelta

from daemon.clock import day_text
from daemon.evaluate.replaying import rated_days

TODAY = date(2026, 11, 24)


def test_a_day_of_long_ago_is_said_with_its_year() -> None:
    assert day_text(date(2026, 10, 5), TODAY) == "5 October"
    assert day_text(TODAY - timedelta(days=300), TODAY) == "28 January"
    assert day_text(date(2021, 3, 30), TODAY) == "30 March 2021"
    assert day_text(date(2028, 3, 30), TODAY) == "30 March 2028"


def test_rates_are_over_the_time_with_runs_and_not_over_empty_years() -> None:
    days = [date(2020, 1, 1) + timedelta(days=n) for n in range(2000)]
    ran = [date(2020, 1, 11), date(2020, 6, 28)]
    assert rated_days(ran, days) == 170 + 56
    assert rated_days([date(2020, 1, 11), days[-1]], days) == 1990
    # A window after the last run has nothing else to be counted over.
    assert rated_days(ran, days[-100:]) == 100
