"""Kilometres or miles: as the configuration says, else as the runner has it at Strava, in everything that is said."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from daemon import access, evaluate, measures, wording
from daemon.evaluate.looking import lately, look
from daemon.report.page import page
from daemon.simulator.tokens import Grant
from daemon.store.backup import backup
from daemon.store.progress import progress
from daemon.strava.auth import read_tokens
from daemon.sync.decisions import SWEEP_EVERY
from tests.cli.terminal import Terminal
from tests.house import MONDAY, House, plain_run
from tests.strained import strained_house

METRIC, IMPERIAL = re.compile(r"\d/km|\d km\b|@ /km"), re.compile(r"\d/mi\b|\d mi\b|\d miles?\b|@ /mi\b")


def chosen(house: House) -> str:
    return evaluate.units(house.store, house.athlete_id, house.config)


def test_numbers_are_written_as_a_runner_of_that_country_writes_them() -> None:
    assert [measures.pace(340, u) for u in ("metric", "imperial")] == ["5:40/km", "9:07/mi"]
    assert [measures.distance(10_160, u) for u in ("metric", "imperial")] == ["10.2 km", "6.3 mi"]
    assert [measures.about(m, "metric") for m in (10_160, 1_500)] == ["10 km", "1.5 km"]
    assert [measures.about(m, "imperial") for m in (10_160, 1_609.344)] == ["6 miles", "1 mile"]
    assert measures.pace_alone(359.9, "metric") == "6:00"
    assert [measures.duration(m) for m in (45, 60, 230.2)] == ["45 minutes", "1 hour", "3 hours 50 minutes"]
    assert [measures.short_duration(s) for s in (2_880, 5_100)] == ["48 min", "1 h 25"]


def test_units_are_those_of_the_runner_at_strava_until_the_configuration_says_others(house: House) -> None:
    house.world.athletes[house.athlete_id]["measurement_preference"] = "feet"
    assert chosen(house) == "metric", "nobody has asked yet"
    house.pull()
    assert chosen(house) == "imperial"
    house.set_config("athlete", units="metric")
    assert chosen(house) == "metric"


def test_strava_is_asked_once_and_again_with_each_sweep(house: House) -> None:
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=1)))
    for _ in range(3):
        house.pull()
        house.clock.advance(minutes=20)
    assert len(house.world.api_calls("/athlete$")) == 1
    house.world.athletes[house.athlete_id]["measurement_preference"] = "feet"
    house.clock.advance(seconds=SWEEP_EVERY.total_seconds())
    house.pull()
    assert chosen(house) == "imperial"


def test_trouble_with_it_holds_nothing_up(house: House) -> None:
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=1)))
    house.world.fail("/athlete$", 404)
    outcome = house.pull()
    assert (outcome.problem, outcome.fetched) == (None, 1)
    assert chosen(house) == "metric"


def test_who_keeps_the_profile_to_themselves_isnt_asked(house: House) -> None:
    scope = frozenset({"read", "activity:read_all"})
    issued = house.world.tokens.issue(Grant("1", house.athlete_id, scope), house.clock.now())
    access.authorise(house.store, read_tokens(issued, scope=scope, athlete_id=house.athlete_id))
    house.pull()
    assert house.world.api_calls("/athlete$") == []


def test_a_database_from_before_learns_them_with_its_next_sync(tmp_path: Path) -> None:
    """Its progress has no such key; everything else in it stays."""
    with strained_house(tmp_path) as house:
        with house.store.write() as session:
            session.connection().exec_driver_sql("UPDATE sync_state SET data = json_remove(data, '$.units')")
            before = progress(session, house.athlete_id)
        assert before.units is None and before.history_ready
        house.authorise()
        house.world.athletes[house.athlete_id]["measurement_preference"] = "feet"
        house.pull()
        with house.store.read() as session:
            after = progress(session, house.athlete_id)
        assert after.units == "imperial" and after.judged_with == before.judged_with


@pytest.fixture(scope="module")
def american(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The runner who was warned, with miles at Strava and nothing about them in the configuration."""
    with strained_house(tmp_path_factory.mktemp("american")) as house:
        with house.store.write() as session:
            session.connection().exec_driver_sql("UPDATE sync_state SET data = json_set(data, '$.units', 'imperial')")
        yield house


def test_every_text_follows(american: House, tmp_path: Path) -> None:
    house, now = american, american.clock.now()
    with house.store.write() as session:
        session.connection().exec_driver_sql("DELETE FROM delivery")
        session.connection().exec_driver_sql("DELETE FROM alert")
    house.evaluate()
    with house.store.read() as session:
        said = session.connection().exec_driver_sql("SELECT group_concat(text) FROM alert").scalar() or ""
    data = look(house.store, house.athlete_id, house.config, now)
    drawn = lately(house.store, house.athlete_id, house.config)
    assert data is not None and drawn is not None and drawn.units == "imperial"
    for text in (said, page(data)):
        assert IMPERIAL.search(text) and not METRIC.search(text)


@pytest.mark.parametrize("command", ["status", "runs", "explain"])
def test_every_command_follows(american: House, tmp_path: Path, command: str) -> None:
    house, terminal = american, Terminal(tmp_path, american.world, american.standin)
    terminal.write_config()
    terminal.database.parent.mkdir(parents=True, exist_ok=True)
    backup(house.store.path, terminal.database)
    newest = max(evaluate.runs(house.store, house.athlete_id, house.config), key=lambda run: run.start)
    shown = terminal.pullback(command, *([str(newest.id)] if command == "explain" else []))
    assert shown.code == 0, shown.err
    assert IMPERIAL.search(shown.out) and not METRIC.search(shown.out)


def test_the_rehearsal_and_the_digest_follow() -> None:
    for kind in ("pull_back", "watch", "all_clear", "digest"):
        text = wording.rehearsal(kind, MONDAY.date(), "imperial")[1]
        assert IMPERIAL.search(text) and not METRIC.search(text), kind
