"""What is imported is what Strava would have given: the same runs, once each, and the same verdicts."""

import gzip
import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from daemon.access import authorise
from daemon.errors import UserError
from daemon.evaluate import evaluate, explain, replay, runs, status_document
from daemon.importer import bringing, readers
from daemon.importer.deciding import Clocks
from daemon.importer.work import Answer, Task
from daemon.recordings.members import Member
from daemon.simulator.stories import strained
from daemon.simulator.world import Recorded
from daemon.store import Busy, grants, judgement
from daemon.store import activities as rows
from daemon.store.progress import athletes, progress
from daemon.strava.auth import Tokens
from tests.exported import export, fit_file, table
from tests.house import MONDAY, House, open_house, plain_run
from tests.strained import strained_house

VIENNA = ZoneInfo("Europe/Vienna")
RUN0, RUN1, RUN2, RUN3 = range(12_345_678_000, 12_345_678_004)


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[House]:
    """A house whose runner has no access to Strava."""
    with open_house(tmp_path) as opened:
        yield opened


def bring(house: House, *paths: Path, **options: bool) -> bringing.Outcome:
    return bringing.bring(house.store, paths, house.clock, zone=VIENNA, **options)


def a_week(count: int = 4) -> list[Recorded]:
    """Runs of the last days, the newest with the lowest number."""
    return [plain_run(RUN0 + n, MONDAY - timedelta(days=1 + n), minutes=12) for n in range(count)]


def living(house: House, athlete_id: int = grants.RUNNER) -> dict[int, rows.Known]:
    with house.store.read() as session:
        return {n: k for n, k in rows.known(session, athlete_id).items() if not k.deleted}


def test_an_export_and_a_sync_of_the_same_runner_give_the_same_verdicts(tmp_path: Path) -> None:
    (tmp_path / "import").mkdir()
    (tmp_path / "sync").mkdir()
    lived = strained(MONDAY.date()).activities
    # How the runner rated old runs stands in an export, and in no list of the API: what only one says isn't compared.
    unrated = {run.id: {"Perceived Exertion": ""} for run in lived}
    archive = export(tmp_path / "export_1001.zip", lived, unrated)
    with open_house(tmp_path / "import") as house, strained_house(tmp_path / "sync") as synced:
        outcome = bring(house, archive)
        assert outcome.skipped == []
        evaluated = evaluate(house.store, grants.RUNNER, house.config, MONDAY)
        walked = replay(house.store, grants.RUNNER, house.config, MONDAY)
        expected = replay(synced.store, synced.athlete_id, synced.config, MONDAY)
        kinds = {run.id: (run.kind, run.hard) for run in runs(house.store, grants.RUNNER, house.config)}
        others = {run.id: (run.kind, run.hard) for run in runs(synced.store, synced.athlete_id, synced.config)}
    assert evaluated.verdict is not None and evaluated.verdict.state == "pull_back"
    assert kinds == others
    assert [(d.day, d.state) for d in walked.days] == [(d.day, d.state) for d in expected.days]
    assert [(a.day, a.kind) for a in walked.alerts] == [(a.day, a.kind) for a in expected.alerts]


def test_importing_again_changes_nothing(alone: House, tmp_path: Path) -> None:
    archive = export(tmp_path / "export.zip", a_week())
    (tmp_path / "watch.fit").write_bytes(fit_file(plain_run(5, MONDAY - timedelta(days=9), minutes=10)))
    (tmp_path / "broken.fit").write_bytes(b"nothing of a recording")
    paths = (archive, tmp_path / "watch.fit", tmp_path / "broken.fit")
    first = bring(alone, *paths)
    assert len(first.runs) == 5 and [s.label for s in first.skipped] == [str(tmp_path / "broken.fit")]
    evaluate(alone.store, grants.RUNNER, alone.config, MONDAY)
    with alone.store.read() as session:
        before, facts = progress(session, grants.RUNNER), rows.by_id(session, grants.RUNNER, living(alone))
    again = bring(alone, *paths)
    assert (again.runs, again.improved, again.known) == ([], 0, 5)
    assert again.skipped == first.skipped and (again.first, again.last) == (first.first, first.last)
    with alone.store.read() as session:
        assert progress(session, grants.RUNNER) == before
        assert rows.by_id(session, grants.RUNNER, living(alone)) == facts


def test_a_newer_export_brings_a_new_name_and_keeps_the_recording(alone: House, tmp_path: Path) -> None:
    bring(alone, export(tmp_path / "may.zip", a_week()))
    renamed = {RUN2: {"Activity Name": "Easy with Ada", "Perceived Exertion": "3.0"}}
    outcome = bring(alone, export(tmp_path / "june.zip", a_week(), renamed))
    assert (outcome.runs, outcome.improved, outcome.known) == ([], 1, 3)
    with alone.store.read() as session:
        run = rows.activity(session, grants.RUNNER, RUN2)
        assert rows.series(session, grants.RUNNER, RUN2) is not None
    assert run is not None and (run.name, run.perceived_exertion) == ("Easy with Ada", 3.0)


def test_an_export_without_the_weather_of_the_other_takes_none_away_and_changes_nothing_again(
    alone: House, tmp_path: Path
) -> None:
    warm = {RUN2: {"Weather Temperature": "12.0", "Perceived Exertion": "3.0"}}
    bring(alone, export(tmp_path / "june.zip", a_week(), warm))
    older, frost = (
        export(tmp_path / "may.zip", a_week()),
        export(tmp_path / "july.zip", a_week(), {RUN2: {"Weather Temperature": "0.0"}}),
    )
    improved = []
    for archive in (older, older, frost, frost):
        improved.append(bring(alone, archive).improved)
        with alone.store.read() as session:
            run = rows.activity(session, grants.RUNNER, RUN2)
        assert run is not None and run.perceived_exertion == 3.0
        assert run.weather_temperature_c == (0.0 if archive == frost else 12.0)
    assert improved == [0, 0, 1, 0]


def test_what_strava_gave_stays_and_an_export_adds_what_it_did_not_give(house: House, tmp_path: Path) -> None:
    recorded = a_week()
    for run in recorded:
        house.world.add(run)
    house.world.hold_streams(RUN1)
    house.pull()
    assert living(house, house.athlete_id)[RUN1].recording == "waiting"
    weather = {RUN0: {"Weather Temperature": "24.5", "Activity Name": "Changed since"}}
    outcome = bring(house, export(tmp_path / "export_1001.zip", recorded, weather))
    assert (outcome.runs, outcome.rerecorded, outcome.improved, outcome.known) == ([], 1, 3, 0)
    with house.store.read() as session:
        first = rows.activity(session, house.athlete_id, RUN0)
    assert first is not None and (first.name, first.weather_temperature_c) == ("Morning Run", 24.5)
    assert first.device == "Garmin Forerunner 245"
    assert {k.recording for k in living(house, house.athlete_id).values()} == {"have"}
    house.world.forget_asked()
    house.clock.advance(hours=2)
    outcome_of_pull = house.pull()
    assert (outcome_of_pull.new, outcome_of_pull.changed, outcome_of_pull.fetched) == (0, 0, 0)
    assert not house.world.api_calls("streams")


def test_a_sync_after_an_import_knows_the_runs_and_fetches_no_recording_again(alone: House, tmp_path: Path) -> None:
    recorded = a_week()
    more = {RUN0: {"Perceived Exertion": "6.0", "Dewpoint": "11.5"}, RUN3: {"Filename": ""}}
    bring(alone, export(tmp_path / "export.zip", recorded, more))
    assert living(alone)[RUN3].recording == "none"
    for run in recorded:
        alone.world.add(replace(run, summary={**run.summary, "name": "As Strava has it"}))
    alone.authorise()
    outcome = alone.pull()
    assert (outcome.new, outcome.changed) == (0, 4)
    asked = [call.path.split("/")[-2] for call in alone.world.api_calls("streams")]
    assert asked == [str(RUN3)]
    with alone.store.read() as session:
        run = rows.activity(session, alone.athlete_id, RUN0)
    assert run is not None and (run.name, run.source) == ("As Strava has it", "strava")
    assert (run.perceived_exertion, run.dew_point_c) == (6.0, 11.5)
    alone.world.forget_asked()
    assert alone.pull().changed == 0


def test_a_run_deleted_at_strava_stays_deleted_until_its_file_is_named(house: House, tmp_path: Path) -> None:
    recorded = a_week()
    for run in recorded:
        house.world.add(run)
    house.pull()
    house.world.delete(RUN1)
    assert house.pull().gone == 1
    archive = export(tmp_path / "export.zip", recorded)
    outcome = bring(house, archive)
    assert outcome.deleted == 1 and RUN1 not in living(house, house.athlete_id)
    # The watch's own file is known by its clock, until the runner names it.
    folder = tmp_path / "watch"
    folder.mkdir()
    (folder / "a.fit").write_bytes(fit_file(recorded[1]))
    outcome = bring(house, folder)
    assert [s.why for s in outcome.skipped] == ["deleted at Strava: to have it all the same, name this file itself"]
    # However the file is named: through a link, and after the folder in which it lies.
    (tmp_path / "link.fit").symlink_to(folder / "a.fit")
    outcome = bring(house, folder, tmp_path / "link.fit")
    (back,) = outcome.runs
    assert back >= 2**52 and back in living(house, house.athlete_id)
    house.clock.advance(hours=1)
    assert house.pull().gone == 0 and back in living(house, house.athlete_id)


def test_the_watch_s_file_and_strava_s_copy_count_once_and_the_file_counts_when_strava_s_goes(
    house: House, tmp_path: Path
) -> None:
    for run in a_week():
        house.world.add(run)
    house.pull()
    house.evaluate()
    (tmp_path / "a.fit").write_bytes(fit_file(a_week()[2]))
    (copy,) = bring(house, tmp_path / "a.fit").runs
    house.evaluate()
    with house.store.read() as session:
        assert rows.doubles(session, house.athlete_id) == {copy: RUN2}
        assert rows.counts(session, house.athlete_id)["runs"] == 4
    assert copy not in {run.id for run in runs(house.store, house.athlete_id, house.config)}
    with pytest.raises(UserError, match=f"recorded twice; {RUN2} counts"):
        explain(house.store, house.athlete_id, house.config, copy)
    house.world.delete(RUN2)
    house.pull()
    house.evaluate()
    assert {run.id for run in runs(house.store, house.athlete_id, house.config)} == {RUN0, RUN1, RUN3, copy}


def test_two_devices_that_upload_to_strava_are_one_run_until_one_is_deleted(house: House) -> None:
    start = house.clock.now() - timedelta(days=3)
    watch = house.world.add(plain_run(10, start))
    phone = house.world.add(plain_run(11, start + timedelta(seconds=50), has_heartrate=False, average_heartrate=None))
    house.pull()
    house.evaluate()
    with house.store.read() as session:
        load = sum(run.load for run in runs(house.store, house.athlete_id, house.config))
        assert rows.counts(session, house.athlete_id)["runs"] == 1
    assert 35 < load < 45
    house.world.delete(watch)
    house.pull()
    house.evaluate()
    assert [run.id for run in runs(house.store, house.athlete_id, house.config)] == [phone]
    with house.store.read() as session:
        assert progress(session, house.athlete_id).judge_from is None


def test_whoever_authorises_later_takes_over_what_was_imported(alone: House, tmp_path: Path) -> None:
    bring(alone, export(tmp_path / "export.zip", a_week()))
    evaluate(alone.store, grants.RUNNER, alone.config, MONDAY)
    before = status_document(alone.store, grants.RUNNER)
    assert before["data"]["runs"] == 4 and before["verdict"] == "learning" and "Strava" not in before["headline"]
    alone.authorise()
    with alone.store.read() as session:
        assert grants.athlete(session) == alone.athlete_id
        facts = rows.by_id(session, alone.athlete_id, living(alone, alone.athlete_id))
    assert {activity.athlete_id for activity in facts.values()} == {alone.athlete_id} and len(facts) == 4
    assert living(alone) == {}
    after = status_document(alone.store, alone.athlete_id)
    assert after == before
    again = bring(alone, tmp_path / "export.zip")
    assert (again.known, again.runs, again.improved) == (4, [], 0)


def test_whoever_authorises_while_an_import_goes_on_takes_over_all_of_it(alone: House, tmp_path: Path) -> None:
    archive = export(tmp_path / "export.zip", a_week(60))
    signing_in = threading.Thread(
        target=authorise, args=(alone.store, Tokens("a", "r", MONDAY, frozenset({"activity:read"}), 1001))
    )

    def meanwhile(done: int, total: int) -> None:
        if done == 55:  # the first batch is written
            signing_in.start()
            signing_in.join(0.5)

    bringing.bring(alone.store, [archive], alone.clock, zone=VIENNA, advance=meanwhile)
    signing_in.join(30.0)
    assert living(alone) == {} and len(living(alone, 1001)) == 60


def test_whoever_authorises_while_an_import_is_judged_takes_over_all_of_it(alone: House, tmp_path: Path) -> None:
    bring(alone, export(tmp_path / "export.zip", a_week()))
    tokens = Tokens("a", "r", MONDAY, frozenset({"activity:read"}), 1001)
    with alone.store.only_one("judgement"):
        signing_in = threading.Thread(target=authorise, args=(alone.store, tokens))
        signing_in.start()
        signing_in.join(0.3)
        assert len(living(alone)) == 4
    signing_in.join(30.0)
    # The import asked for the judgement of a runner without a name, who has one now.
    evaluated = evaluate(alone.store, grants.RUNNER, alone.config, MONDAY)
    assert evaluated.verdict is not None and len(living(alone, 1001)) == 4
    with alone.store.read() as session:
        assert athletes(session) == [1001] and judgement.last_day(session, 1001) == MONDAY.date()
    assert [run.id for run in runs(alone.store, grants.RUNNER, alone.config)] == []
    with alone.store.read() as session:
        assert athletes(session) == [1001]


def test_the_export_of_another_athlete_is_refused(house: House, tmp_path: Path) -> None:
    foreign = export(tmp_path / "export_47110.zip", a_week())
    with pytest.raises(UserError, match=r"athlete 47110's export, and this pullback watches athlete 1001"):
        bring(house, foreign)
    assert living(house, house.athlete_id) == {}


def test_whose_export_it_was_is_remembered_until_somebody_authorises(alone: House, tmp_path: Path) -> None:
    mine = export(tmp_path / "export_77777.zip", a_week())
    with zipfile.ZipFile(mine, "a") as archive:
        # The profile knows better than the name of a file.
        archive.writestr("profile.csv", "Athlete ID,Email Address\n4711,\n")
    bring(alone, mine)
    with pytest.raises(UserError, match="the export imported here is athlete 4711's, and you signed in to Strava as 5"):
        authorise(alone.store, Tokens("a", "r", MONDAY, frozenset({"activity:read"}), 5))
    # A name with a day or a year in it tells of nobody.
    assert bring(alone, export(tmp_path / "export_20261101.zip", a_week())).known == 4
    with pytest.raises(UserError, match="watches athlete 4711"):
        bring(alone, export(tmp_path / "export_55555.zip", a_week()))
    authorise(alone.store, Tokens("a", "r", MONDAY, frozenset({"activity:read"}), 4711))
    assert len(living(alone, 4711)) == 4


def test_rows_without_a_recording_are_runs_known_by_their_summary(alone: House, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    (folder / "activities").mkdir(parents=True)
    recorded = a_week()
    more = {RUN1: {"Filename": ""}, RUN2: {"Filename": "activities/lost.fit.gz"}, RUN3: {"Activity Type": "Ride"}}
    (folder / "activities.csv").write_text(table(recorded, more), "utf-8")
    (folder / "activities" / f"{RUN0 + 77}.fit.gz").write_bytes(gzip.compress(fit_file(recorded[0]))[:-900])
    outcome = bring(alone, folder)
    assert len(outcome.runs) == 3 and outcome.other_sports == [RUN3]
    assert [s.label for s in outcome.skipped] == [str(folder / "activities" / f"{RUN0 + 77}.fit.gz")]
    assert {k.recording for k in living(alone).values()} == {"none"}
    assert {run.id: run.trust for run in runs(alone.store, grants.RUNNER, alone.config) if run.is_run} == dict.fromkeys(
        (RUN0, RUN1, RUN2), "summary"
    )
    # The whole file arrives later.
    (folder / "activities" / f"{RUN0 + 77}.fit.gz").write_bytes(gzip.compress(fit_file(recorded[0])))
    assert bring(alone, folder).rerecorded == 1
    assert living(alone)[RUN0].recording == "have"


def test_a_dry_run_reads_everything_and_stores_nothing(alone: House, tmp_path: Path) -> None:
    outcome = bring(alone, export(tmp_path / "export.zip", a_week()), dry_run=True)
    assert len(outcome.runs) == 4
    with alone.store.read() as session:
        assert grants.athlete(session) is None and rows.known(session, grants.RUNNER) == {}


def test_an_import_that_is_interrupted_goes_on_where_it_was(alone: House, tmp_path: Path) -> None:
    recorded = [plain_run(RUN0 + n, MONDAY - timedelta(days=1 + n), minutes=2) for n in range(120)]
    archive = export(tmp_path / "export.zip", recorded)

    def interrupted(done: int, total: int) -> None:
        if done == 110:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bringing.bring(alone.store, [archive], alone.clock, zone=VIENNA, advance=interrupted)
    there = living(alone)
    assert 0 < len(there) < 120 and {k.recording for k in there.values()} == {"have"}
    assert not _children()
    outcome = bring(alone, archive)
    assert len(outcome.runs) == 120 - len(there) and outcome.known == len(there)


def test_a_file_counts_as_read_only_once_its_run_is_stored(alone: House, tmp_path: Path) -> None:
    recorded = [plain_run(RUN0 + n, MONDAY - timedelta(days=1 + n), minutes=2) for n in range(60)]
    # All runs are known from the table of another export, whose files are gone.
    (tmp_path / "activities.csv").write_text(table(recorded), "utf-8")
    assert len(bring(alone, tmp_path / "activities.csv").runs) == 60
    archive = export(tmp_path / "export.zip", recorded)

    def interrupted(done: int, total: int) -> None:
        if done == 51:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bringing.bring(alone.store, [archive], alone.clock, zone=VIENNA, advance=interrupted)
    assert sorted({k.recording for k in living(alone).values()}) == ["have", "none"]
    bring(alone, archive)
    assert {k.recording for k in living(alone).values()} == {"have"}


def test_a_clock_guessed_before_an_interruption_is_guessed_again_by_the_next_import(
    alone: House, tmp_path: Path
) -> None:
    for n in range(1, 56):
        (tmp_path / f"{n}.gpx").write_text(gpx_without_a_clock(MONDAY - timedelta(days=n / 2)))

    def interrupted(done: int, total: int) -> None:
        if done == 54:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bringing.bring(alone.store, [tmp_path], alone.clock, zone=None, advance=interrupted)
    assert set(clocks(alone).values()) == {0}
    (tmp_path / "watch.fit").write_bytes(fit_file(plain_run(1, MONDAY - timedelta(days=3), utc_offset=-25200.0)))
    bringing.bring(alone.store, [tmp_path], alone.clock, zone=None)
    assert list(clocks(alone).values()) == [-25200] * 56


def test_files_of_the_watch_tell_the_clock_of_what_was_imported_before_them(alone: House, tmp_path: Path) -> None:
    (tmp_path / "phone.gpx").write_text(gpx_without_a_clock(MONDAY))
    (tmp_path / "watch.fit").write_bytes(fit_file(plain_run(1, MONDAY - timedelta(days=3), utc_offset=-25200.0)))
    for name, dry_run, expected in (
        ("phone.gpx", False, [0]),
        ("watch.fit", True, [0]),
        ("watch.fit", False, [-25200, -25200]),
        ("phone.gpx", False, [-25200, -25200]),
    ):
        bringing.bring(alone.store, [tmp_path / name], alone.clock, zone=None, dry_run=dry_run)
        assert list(clocks(alone).values()) == expected


def clocks(house: House) -> dict[int, int]:
    """Seconds from UTC of everything stored."""
    with house.store.read() as session:
        facts = rows.by_id(session, grants.RUNNER, rows.known(session, grants.RUNNER))
    return {number: activity.utc_offset_s for number, activity in facts.items()}


def gpx_without_a_clock(start: datetime, seconds: int = 300) -> str:
    times = [f"{start + timedelta(seconds=5 * n):%Y-%m-%dT%H:%M:%SZ}" for n in range(seconds // 5)]
    points = "".join(f'<trkpt lat="{46 + n / 1e4}" lon="7"><time>{time}</time></trkpt>' for n, time in enumerate(times))
    head = '<gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1"><trk><type>running</type>'
    return f"{head}<trkseg>{points}</trkseg></trk></gpx>"


@pytest.mark.parametrize("order", [("may", "june"), ("june", "may")])
def test_of_two_exports_the_newer_one_names_the_runs(alone: House, tmp_path: Path, order: tuple[str, str]) -> None:
    recorded = a_week()
    export(tmp_path / "june.zip", recorded, {RUN2: {"Activity Name": "Easy with Ada"}})
    export(tmp_path / "may.zip", recorded[1:])
    paths = [tmp_path / f"{name}.zip" for name in order]
    assert len(bring(alone, *paths).runs) == 4
    assert bring(alone, *paths).improved == 0
    with alone.store.read() as session:
        run = rows.activity(session, grants.RUNNER, RUN2)
    assert run is not None and run.name == "Easy with Ada"


def test_a_recording_that_only_the_older_export_holds_is_taken_from_it(alone: House, tmp_path: Path) -> None:
    recorded = a_week()
    june = [replace(run, streams={}) if run.summary["id"] == RUN2 else run for run in recorded]
    export(tmp_path / "june.zip", june, {RUN2: {"Activity Name": "Easy with Ada", "Filename": ""}})
    export(tmp_path / "may.zip", recorded[1:])
    assert len(bring(alone, tmp_path / "june.zip", tmp_path / "may.zip").runs) == 4
    with alone.store.read() as session:
        run = rows.activity(session, grants.RUNNER, RUN2)
        assert rows.series(session, grants.RUNNER, RUN2) is not None
    assert run is not None and run.name == "Easy with Ada"


def test_the_watch_s_file_known_by_itself_is_read_again_for_the_export_that_lists_it(
    alone: House, tmp_path: Path
) -> None:
    run = plain_run(RUN0, MONDAY - timedelta(days=1), minutes=12)
    (tmp_path / "watch.fit").write_bytes(fit_file(run))
    bring(alone, tmp_path / "watch.fit")
    assert bring(alone, export(tmp_path / "export.zip", [run])).runs == [RUN0]
    assert living(alone)[RUN0].recording == "have"


def test_while_a_pull_goes_on_an_import_waits_and_says_so(alone: House, tmp_path: Path) -> None:
    archive = export(tmp_path / "export.zip", a_week(1))
    with alone.store.only_one("pull"), pytest.raises(Busy, match="try again in a minute"):
        bringing.bring(alone.store, [archive], alone.clock, zone=None, wait_s=0.1)


def test_a_file_that_kills_its_reader_costs_that_file_and_no_other(tmp_path: Path) -> None:
    tasks = _tasks(tmp_path, 12)
    answered = []
    for task, answer in readers.answers(tasks, {}):
        answered.append((task.number, answer))
        if len(answered) == 3:
            os.kill(_children()[0], signal.SIGSEGV)
    assert sorted(number for number, _ in answered) == list(range(12))
    lost = [answer.problem for _, answer in answered if answer.problem is not None]
    assert lost == ["the reader crashed on it"]
    assert not _children()


def test_a_file_that_is_never_read_to_its_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "LONGEST_S", 0.2)
    answered: list[Answer] = []
    for _, answer in readers.answers(_tasks(tmp_path, 6), {}):
        answered.append(answer)
        if len(answered) == 1:
            os.kill(_children()[0], signal.SIGSTOP)
    assert len(answered) == 6
    assert [answer.problem for answer in answered if answer.problem is not None] == [readers.ENDLESS]


def _tasks(folder: Path, count: int) -> list[Task]:
    """Files of two hours each, so that a reader is still at it when it is hit."""
    data = fit_file(plain_run(1, MONDAY, minutes=120))
    tasks = []
    for n in range(count):
        path = folder / f"{n}.fit"
        path.write_bytes(data)
        tasks.append(Task(n, Member(path, None, None), None, True))
    return tasks


def _children() -> list[int]:
    """Processes that this one started and that still run."""
    me = str(os.getpid())
    found = []
    for folder in Path("/proc").iterdir():
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split() if folder.name.isdigit() else []
        except OSError:
            continue
        command = Path(f"/proc/{folder.name}/cmdline")
        if fields[1:2] == [me] and fields[0] != "Z" and b"daemon.importer.worker" in command.read_bytes():
            found.append(int(folder.name))
    return found


def test_a_reader_ends_with_the_program_that_started_it(tmp_path: Path) -> None:
    """Also where that one was killed without a word."""
    (tmp_path / "a.fit").write_bytes(fit_file(plain_run(1, MONDAY, minutes=5)))
    program = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from daemon.importer import readers\n"
        "from daemon.importer.work import Task\n"
        "from daemon.recordings.members import Member\n"
        "answers = readers.answers([Task(0, Member(Path('a.fit'), None, None), None, True)], {})\n"
        "next(answers)\n"
        "print(Path('/proc/self/task', str(os.getpid()), 'children').read_text(), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    here = str(Path(readers.__file__).parents[2])
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": here},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    (reader,) = map(int, ended.stdout.split())
    with pytest.raises(ProcessLookupError):
        for _ in range(10**6):
            os.kill(reader, 0)
            if Path(f"/proc/{reader}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                raise ProcessLookupError


def test_the_runner_s_clock_comes_from_the_config_then_from_runs_nearby_then_from_the_usual_zone() -> None:
    summer, winter = datetime(2026, 7, 1, 6, tzinfo=UTC), datetime(2026, 1, 5, 6, tzinfo=UTC)
    assert Clocks(VIENNA, None, {summer: 0}).offset_s(summer) == 7200
    learned = Clocks(None, VIENNA, {summer: -25200})
    assert learned.offset_s(summer + timedelta(days=20)) == -25200
    assert learned.offset_s(winter) == 3600
    # At home on both sides of the change to winter time, and abroad on both.
    october, november = datetime(2026, 10, 20, 6, tzinfo=UTC), datetime(2026, 11, 10, 6, tzinfo=UTC)
    assert Clocks(None, VIENNA, {october: 7200}).offset_s(november) == 3600
    assert Clocks(None, VIENNA, {november: 3600}).offset_s(october) == 7200
    assert Clocks(None, VIENNA, {october: -25200}).offset_s(november) == -25200
    learned.learn(winter, 0)
    assert learned.offset_s(winter - timedelta(days=2)) == 0
    assert Clocks(None, timezone(timedelta(hours=5)), {}).offset_s(winter) == 18000


def test_a_file_without_a_clock_of_its_own_takes_that_of_runs_nearby_whichever_was_read_first(
    alone: House, tmp_path: Path
) -> None:
    abroad = [plain_run(n, MONDAY - timedelta(days=n), minutes=4, utc_offset=-25200.0) for n in range(1, 9)]
    for n, run in enumerate(abroad):
        (tmp_path / f"{n}.fit").write_bytes(fit_file(run))
    (tmp_path / "0000.gpx").write_text(gpx_without_a_clock(MONDAY))
    outcome = bringing.bring(alone.store, [tmp_path / "0000.gpx", tmp_path], alone.clock, zone=None)
    assert len(outcome.runs) == 9
    with alone.store.read() as session:
        facts = rows.by_id(session, grants.RUNNER, outcome.runs)
        assert {activity.utc_offset_s for activity in facts.values()} == {-25200}
        assert {k.day for k in rows.known(session, grants.RUNNER).values()} == {a.day for a in facts.values()}


@pytest.mark.parametrize("order", [("cut", "whole"), ("whole", "cut")])
def test_of_two_copies_of_one_recording_the_whole_one_counts(
    alone: House, tmp_path: Path, order: tuple[str, str]
) -> None:
    whole = fit_file(plain_run(1, MONDAY - timedelta(days=1), minutes=10))
    (tmp_path / "whole.fit").write_bytes(whole)
    (tmp_path / "cut.fit").write_bytes(whole[: len(whole) // 2])
    damaged = [file.label for name in order for file in bring(alone, tmp_path / f"{name}.fit").partly]
    assert damaged == [str(tmp_path / "cut.fit")]
    with alone.store.read() as session:
        stored = rows.by_id(session, grants.RUNNER, living(alone))
    assert [activity.elapsed_time_s for activity in stored.values()] == [599]


@pytest.mark.parametrize("order", [("export.zip", "watch"), ("watch", "export.zip")])
def test_a_ride_on_a_watch_that_was_set_to_running_is_no_run_whichever_came_first(
    alone: House, tmp_path: Path, order: tuple[str, str]
) -> None:
    recorded = a_week()
    sports = {RUN1: {"Activity Type": "Ride"}, RUN2: {"Activity Type": "Kayaking"}}
    export(tmp_path / "export.zip", recorded, sports)
    (tmp_path / "watch").mkdir()
    for run in recorded:
        (tmp_path / "watch" / f"{run.summary['id']}.fit").write_bytes(fit_file(run))
    for name in order:
        bring(alone, tmp_path / name)
        evaluate(alone.store, grants.RUNNER, alone.config, MONDAY)
    counted = runs(alone.store, grants.RUNNER, alone.config)
    assert {run.id for run in counted if run.is_run} == {RUN0, RUN3}
    assert {run.id: run.sport for run in counted if not run.is_run} == {RUN1: "Ride", RUN2: "Kayaking"}
    with alone.store.read() as session:
        assert rows.counts(session, grants.RUNNER)["runs"] == 2
    assert status_document(alone.store, grants.RUNNER)["data"]["runs"] == 2


def test_a_file_that_names_no_sport_is_a_run_only_where_a_table_or_another_recording_says_so(
    alone: House, tmp_path: Path
) -> None:
    recorded = a_week()
    for run in recorded:
        start = datetime.fromisoformat(run.summary["start_date"])
        unnamed = gpx_without_a_clock(start, seconds=720).replace("<type>running</type>", "")
        (tmp_path / f"{run.summary['id']}.gpx").write_text(unnamed)
    assert len(bring(alone, tmp_path).no_sport) == 4
    assert status_document(alone.store, grants.RUNNER)["data"]["runs"] == 0
    assert not any(run.is_run for run in runs(alone.store, grants.RUNNER, alone.config))
    # The watch's file of one of them, and an export that lists another, a ride and not the fourth.
    (tmp_path / "watch.fit").write_bytes(fit_file(recorded[0]))
    (tmp_path / "activities").mkdir()
    (tmp_path / "activities" / "1.gpx").write_bytes((tmp_path / f"{RUN1}.gpx").read_bytes())
    listed = {RUN1: {"Filename": "activities/1.gpx"}, RUN2: {"Activity Type": "Ride"}}
    (tmp_path / "activities.csv").write_text(table(recorded[1:3], listed), "utf-8")
    bring(alone, tmp_path)
    counted = {run.id for run in runs(alone.store, grants.RUNNER, alone.config) if run.is_run}
    assert len(counted) == 2 and RUN1 in counted
    assert status_document(alone.store, grants.RUNNER)["data"]["runs"] == 2


def test_a_dry_run_says_which_runs_may_be_there_already(alone: House, tmp_path: Path) -> None:
    recorded = a_week()
    bring(alone, export(tmp_path / "export.zip", recorded[:2], {RUN1: {"Activity Type": "Ride"}}))
    for run in recorded:
        (tmp_path / f"{run.summary['id']}.fit").write_bytes(fit_file(run))
    (tmp_path / "export.zip").unlink()
    outcome = bring(alone, tmp_path, dry_run=True)
    # The whole export's own runs are known by their files; the ride by its clock alone.
    assert (len(outcome.runs), outcome.known, outcome.perhaps) == (3, 1, 1)


def test_a_route_that_was_only_planned_is_passed_over_without_a_word(alone: House, tmp_path: Path) -> None:
    archive = export(tmp_path / "export.zip", a_week())
    points = '<trkpt lat="46" lon="7"/><trkpt lat="46" lon="8"/>'
    route = f'<gpx version="1.1" creator="x"><trk><trkseg>{points}</trkseg></trk></gpx>'
    with zipfile.ZipFile(archive, "a") as more:
        more.writestr("routes/1.gpx", route)
    assert bring(alone, archive).skipped == []
    # Elsewhere it is somebody's file, and what is wrong with it is said.
    (tmp_path / "1.gpx").write_text(route)
    assert [skipped.label for skipped in bring(alone, tmp_path / "1.gpx").skipped] == [str(tmp_path / "1.gpx")]


def test_the_weather_of_an_export_reaches_the_judgement(alone: House, tmp_path: Path) -> None:
    weather = {RUN0: {"Weather Temperature": "30.0", "Dewpoint": "25.0"}, RUN1: {"Weather Temperature": "4.5"}}
    bring(alone, export(tmp_path / "export.zip", a_week(3), weather))
    air = {run.id: run.air_c for run in runs(alone.store, grants.RUNNER, alone.config)}
    assert air == {RUN0: pytest.approx(42.3, abs=0.1), RUN1: 4.5, RUN2: None}


def test_the_daemon_judges_what_was_imported_each_day_without_strava(alone: House, tmp_path: Path) -> None:
    bring(alone, export(tmp_path / "export.zip", a_week()))
    alone.set_config("strava", client_id=None)
    alone.clock.advance(days=1)
    jobs = {job.name: job for job in alone.daemon().jobs()}
    for name in ("poll", "imported"):
        jobs[name].run()
    with alone.store.read() as session:
        assert judgement.last_day(session, grants.RUNNER) == alone.clock.now().date()
