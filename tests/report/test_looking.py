"""What is gathered for the eye is what was judged: days, weeks, gaps, and nothing later than the day in question."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from daemon import documents
from daemon.evaluate.history import Facts
from daemon.evaluate.looking import look, page_data, picture_data, picture_of, sessions_of, slim, until_of, weeks_of
from daemon.report import charts, formats
from daemon.report.data import PictureData
from daemon.report.page import page
from daemon.store import activities as rows
from daemon.values import Run
from tests.house import House, plain_run
from tests.report.lives import a_config, a_page, a_picture, an_alert, judged

MONDAY = date(2026, 11, 2)


def a_run(day: date, hour: float | None = 7.0, **facts: Any) -> Run:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour or 0.0)
    told: dict[str, Any] = {"kind": "easy", "hard": False, "hard_minutes": 0.0, "sport": "Run", "load": 60.0} | facts
    return Run(
        id=day.toordinal(), start=start, end=start + timedelta(hours=1), day=day, hour=hour, name="",
        distance_m=10_000, moving_s=3600, easy_minutes=60, easy=None, left_out=None, **told,
    )  # fmt: skip


def test_a_week_is_what_its_days_were() -> None:
    runs = [
        a_run(MONDAY - timedelta(days=1)),
        a_run(MONDAY, kind="tempo", hard=True, hard_minutes=25.0, load=75.0),
        a_run(MONDAY + timedelta(days=2), sport="Ride", kind="other", load=20.0),
        a_run(MONDAY + timedelta(days=3), kind="long"),
    ]
    before, week = weeks_of(runs, MONDAY + timedelta(days=4))
    assert before.days == ("rest",) * 6 + ("easy",)
    assert week.days == ("hard", "rest", "other", "long", "rest")
    assert (week.easy_minutes, week.hard_minutes, week.load) == (95.0, 25.0, 155.0)
    assert (week.rest_days, week.hard_days) == (2, 1)


def test_hours_between_hard_sessions_count_from_end_to_start_and_pieces_are_one_session() -> None:
    hard: dict[str, Any] = {"kind": "intervals", "hard": True}
    sessions = sessions_of(
        [
            a_run(MONDAY, **hard),
            a_run(MONDAY, hour=9.0, **hard),
            a_run(MONDAY + timedelta(days=1)),
            a_run(MONDAY + timedelta(days=2), hour=17.0, **hard),
            a_run(MONDAY + timedelta(days=4), hour=None, **hard),
        ]
    )
    assert [session.hours for session in sessions] == [None, 55.0, None]


def test_the_picture_shows_the_alerts_own_day_and_nothing_later() -> None:
    known, record = judged()
    verdict = documents.read_verdict(record[-15])
    data = picture_data(known, verdict, "Time to pull back", a_config())
    assert data.easy is not None and data.easy.runs[-1].day <= verdict.day
    assert data.weeks[-1].monday <= verdict.day and max(data.hard_days) <= verdict.day
    signal = next(signal for signal in verdict.signals if signal.name == "easy_heart_rate")
    assert data.easy.delta_bpm == signal.evidence["delta_bpm"]
    assert sum(run.compared for run in data.easy.runs) == len(signal.evidence["runs"])
    assert data.came_on == verdict.intensity[-1].introduced_on and not data.stepped_up


def test_the_picture_survives_the_way_to_its_process() -> None:
    data = a_picture(title='Time to "pull back": −3 °C \U0001f3c3')
    assert PictureData.from_json(data.as_json()) == data


def test_the_page_has_every_run_and_every_day_of_the_record() -> None:
    known, record = judged()
    data = a_page()
    assert len(data.runs) == len(known.runs) and data.runs[0].day == known.runs[-1].day
    assert sum((s.last - s.first).days + 1 for s in data.stretches) == len(record)
    assert [s.state for s in data.stretches][-1] == data.verdict.state
    heart = next(course for course in data.courses if course.name == "easy_heart_rate")
    assert heart.line == 9.0 and heart.readings[-1].level == data.verdict.signals[0].level


@pytest.mark.parametrize("days_after", [-200, -3, 0, 40])
def test_the_page_of_a_record_read_bit_by_bit_is_the_same(days_after: int) -> None:
    """Also where the last run was long ago, so that the page shows the weeks it was in."""
    known, record = judged()
    last = date.fromisoformat(record[-1]["day"])
    known = Facts([run for run in known.runs if run.day <= last + timedelta(days=days_after)], ())
    now = datetime(2025, 9, 20, 23, 30, tzinfo=UTC)
    few = slim(iter(record), until_of(known.runs, last))
    assert page_data(known, few, [], a_config(), now) == page_data(known, record, [], a_config(), now)
    assert len(json.dumps(few)) < len(json.dumps(record)) / 2


def test_a_run_that_ends_a_long_silence_is_on_the_page_once_it_is_judged(house: House) -> None:
    daemon = house.daemon()
    for n in range(1, 30):
        house.world.add(plain_run(n, house.clock.now() - timedelta(days=n)))
    for _ in range(10):
        daemon.poll()
        house.clock.advance(days=5)
    silent = look(house.store, house.athlete_id, house.config, house.clock.now())
    house.world.add(plain_run(99, house.clock.now() - timedelta(hours=1)))
    house.pull()
    pulled = look(house.store, house.athlete_id, house.config, house.clock.now())
    assert silent is not None and pulled is not None and pulled.until == silent.until
    house.evaluate()
    judged = look(house.store, house.athlete_id, house.config, house.clock.now())
    assert judged is not None and judged.until == house.clock.now().date()


def test_the_settings_shown_hold_no_secret_and_name_what_was_changed() -> None:
    data = a_page(config=a_config(threshold_heart_rate=171))
    assert {setting.key for setting in data.settings if setting.changed} == {"athlete.threshold_heart_rate"}
    assert not any(word in setting.key for setting in data.settings for word in ("secret", "token", "url", "strava"))


def test_an_alert_that_is_over_says_when() -> None:
    known, record = judged()
    late = datetime(2025, 9, 20, 23, 30, tzinfo=UTC)
    told = an_alert(1, "watch", "Watch", "text", late, late + timedelta(days=3))
    zone = datetime.now(UTC).astimezone(tz=None).tzinfo
    data = page_data(known, record, [told], a_config(), late.astimezone(zone))
    assert data.told[0].closed_on is not None
    assert data.told[0].closed_on - data.told[0].day == timedelta(days=3)


def test_a_picture_is_drawn_from_the_store_for_what_is_about_running(house: House) -> None:
    now = house.clock.now()
    told = an_alert(1, "watch", "Watch: something is up", "text", now)
    assert look(house.store, house.athlete_id, house.config, now) is None
    for n in range(1, 4):
        house.world.add(plain_run(n, now - timedelta(days=n), minutes=3))
    house.pull()
    assert picture_of(house.store, house.athlete_id, house.config, told) is None, "nothing is judged yet"
    house.evaluate()
    png = picture_of(house.store, house.athlete_id, house.config, told)
    assert png is not None and png.startswith(b"\x89PNG")
    page = look(house.store, house.athlete_id, house.config, now)
    assert page is not None and len(page.runs) == 3
    with house.store.write() as session:
        rows.save_metrics(session, house.athlete_id, {1: "{}"}, 0)  # of another version of the program
    assert picture_of(house.store, house.athlete_id, house.config, told) is None


def test_an_old_export_shows_the_weeks_up_to_its_end_and_says_so() -> None:
    """Nobody looks at half a year of zeros: the weeks end with the newest run's, the record with today."""
    data = a_page(silent=400)
    newest = max(run.day for run in data.runs)
    assert data.until == newest + timedelta(days=6 - newest.weekday()) < data.verdict.day
    assert data.weeks[-1].monday <= newest <= data.until
    assert any(week.hard_minutes for week in data.weeks[-26:])
    assert charts.recent_sessions(data)
    assert {signal.name for signal in data.signals} >= {"easy_heart_rate", "load_added"}
    html = page(data)
    assert html.count(f"weeks up to {formats.full_day(data.until)}.") == 3
    assert "There is nothing newer" not in page(a_page())
    assert f"your newest run is from {formats.full_day(newest)}" in html
