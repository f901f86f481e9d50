"""What is imported again, by better readers or from another export: no run counts twice, and the newest names it."""

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from daemon.evaluate import evaluate, runs
from daemon.importer import bringing
from daemon.importer.work import answer
from daemon.recordings import points
from daemon.store import activities as rows
from daemon.store import grants
from daemon.store.progress import progress
from tests.exported import export, table
from tests.house import MONDAY, House, open_house, plain_run

VIENNA = ZoneInfo("Europe/Vienna")
RUN0, RUN1, RUN2 = range(12_345_678_000, 12_345_678_003)


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[House]:
    """A house whose runner has no access to Strava."""
    with open_house(tmp_path) as opened:
        yield opened


def bring(house: House, *paths: Path) -> bringing.Outcome:
    return bringing.bring(house.store, paths, house.clock, zone=VIENNA)


def name_of(house: House, number: int) -> str | None:
    with house.store.read() as session:
        run = rows.activity(session, grants.RUNNER, number)
    return None if run is None else run.name


def days_of_running(*days: int, km: float = 2.7) -> str:
    """A GPX of twenty minutes on each of these days before Monday, as segments of one track."""
    segments = ""
    for day in days:
        begun = MONDAY - timedelta(days=day)
        at = ((46 + n * km / 240 / 111.2, f"{begun + timedelta(seconds=5 * n):%Y-%m-%dT%H:%M:%SZ}") for n in range(241))
        trkpts = "".join(f'<trkpt lat="{lat:.6f}" lon="7"><time>{time}</time></trkpt>' for lat, time in at)
        segments += f"<trkseg>{trkpts}</trkseg>"
    return f'<gpx version="1.1" creator="x"><trk><name>Days</name><type>running</type>{segments}</trk></gpx>'


def older_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that took the days of a file for one run."""
    monkeypatch.setattr(bringing, "answers", lambda tasks, settled: ((t, answer(t, settled)) for t in tasks))
    monkeypatch.setattr(points, "NEW_RUN_S", 1e12)
    monkeypatch.setattr(bringing, "VERSION", bringing.VERSION - 1)


def counted(house: House) -> list[int]:
    evaluate(house.store, grants.RUNNER, house.config, MONDAY)
    return sorted(round(run.distance_m / 100) for run in runs(house.store, grants.RUNNER, house.config))


def dated(archive: Path, day: int) -> Path:
    """The export as made on this day of May."""
    with zipfile.ZipFile(archive) as made:
        held = {name: made.read(name) for name in made.namelist()}
    with zipfile.ZipFile(archive, "w") as new:
        for name, data in held.items():
            new.writestr(zipfile.ZipInfo(name, (2026, 5, day, 7, 0, 0)), data)
    return archive


@pytest.mark.parametrize("turned", [False, True])
def test_of_exports_that_hold_the_same_runs_the_one_made_last_names_them(
    alone: House, tmp_path: Path, turned: bool
) -> None:
    held = [plain_run(RUN0, MONDAY - timedelta(days=1), minutes=12)]
    named = {RUN0: {"Activity Name": "Easy with Ada"}}
    first = dated(export(tmp_path / "a.zip", held, {RUN0: {"Weather Temperature": "12.0"}}), 1)
    last = dated(export(tmp_path / "b.zip", held, named), 9)
    for paths in ([first, last], [last, first]):
        bring(alone, *(paths[::-1] if turned else paths))
        assert name_of(alone, RUN0) == "Easy with Ada"
    # By itself, and later, the older one gives what the newer doesn't have, and changes no name.
    bring(alone, first)
    with alone.store.read() as session:
        run = rows.activity(session, grants.RUNNER, RUN0)
    assert run is not None and (run.name, run.weather_temperature_c) == ("Easy with Ada", 12.0)
    assert bring(alone, first).improved == 0
    newest = dated(export(tmp_path / "c.zip", held, {RUN0: {"Activity Name": "Sunday"}}), 20)
    bring(alone, newest)
    assert name_of(alone, RUN0) == "Sunday"


def test_an_older_export_that_comes_later_renames_nothing_and_brings_what_is_new(alone: House, tmp_path: Path) -> None:
    held = [plain_run(RUN0 + n, MONDAY - timedelta(days=1 + n), minutes=12) for n in range(3)]
    june = export(tmp_path / "june.zip", held[:2], {RUN1: {"Activity Name": "Easy with Ada"}})
    (tmp_path / "may").mkdir()
    (tmp_path / "may" / "activities.csv").write_text(table(held[1:]), "utf-8")
    bring(alone, june)
    assert bring(alone, tmp_path / "may").runs == [RUN2]
    assert (name_of(alone, RUN1), name_of(alone, RUN2)) == ("Easy with Ada", "Morning Run")


def test_what_older_readers_took_for_one_run_is_gone_once_the_file_is_read_again(
    alone: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, copy = tmp_path / "days.gpx", tmp_path / "copy.gpx"
    path.write_text(days_of_running(3, 2, 1))
    copy.write_text(path.read_text() + "\n")
    with monkeypatch.context() as before:
        older_readers(before)
        assert len(bring(alone, path, copy).runs) == 1
        assert len(counted(alone)) == 1
    # Another file that had the same run isn't read again yet: what it had stays.
    assert bring(alone, path).dropped == 0
    counted(alone)
    again = bring(alone, path, copy)
    assert (again.dropped, again.known) == (1, 6)
    with alone.store.read() as session:
        assert progress(session, grants.RUNNER).judge_from == (MONDAY - timedelta(days=1)).date()
    assert counted(alone) == [27, 27, 27]
    assert bring(alone, path, copy).dropped == 0


def test_what_can_not_be_read_any_more_stays(alone: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "days.gpx"
    path.write_text(days_of_running(2, 1))
    older_readers(monkeypatch)
    bring(alone, path)
    monkeypatch.setattr(bringing, "VERSION", bringing.VERSION + 1)
    monkeypatch.setattr(points, "MOST_POINTS", 10)
    assert bring(alone, path).dropped == 0 and len(counted(alone)) == 1


def test_a_run_that_an_export_names_stays_whatever_its_file_is_taken_for(
    alone: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = replace(plain_run(RUN0, MONDAY - timedelta(days=3), minutes=20), streams={})
    archive = export(tmp_path / "export.zip", [listed], {RUN0: {"Filename": "activities/1.gpx"}})
    (tmp_path / "activities").mkdir()
    (tmp_path / "activities" / "1.gpx").write_text(days_of_running(3, 2))
    with zipfile.ZipFile(archive, "a") as more:
        more.write(tmp_path / "activities" / "1.gpx", "activities/1.gpx")
    with monkeypatch.context() as before:
        older_readers(before)
        assert bring(alone, archive).runs == [RUN0]
    # The file by itself knows nothing of Strava's number.
    bring(alone, tmp_path / "activities" / "1.gpx")
    assert name_of(alone, RUN0) is not None
