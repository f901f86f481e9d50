"""`pullback import` for a runner who has files and no access: what it prints, what it leaves, and what works after."""

import json
import os
import pwd
import signal
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daemon.cli import import_
from daemon.errors import UserError
from daemon.recordings.members import Skipped
from daemon.simulator.stories import strained
from daemon.store import activities, grants, open_store
from tests.cli.terminal import Terminal
from tests.exported import export, fit_file
from tests.house import Phone, plain_run

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def yesterday(number: int = 1) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(days=number)


def test_without_an_app_or_access_a_history_is_imported_judged_and_told_once(terminal: Terminal) -> None:
    terminal.config.write_text("")
    archive = export(terminal.home / "export_77.zip", strained(datetime.now(UTC).date()).activities)
    phone = Phone()
    terminal.config.write_text(f'[alerts]\nurls = ["{phone.url}"]\n')
    try:
        result = terminal.pullback("import", str(archive))
        assert result.code == 0, result.err
        lines = result.out.splitlines()
        assert lines[0].startswith("153 new runs") and lines[1].startswith("The activities reach from ")
        assert "\nPull back: easy runs cost" in result.out and "Alerts: 1 sent, 0 failed" in result.out
        assert lines[-1].startswith("Next: `pullback replay`")
        again = terminal.pullback("import", str(archive))
        assert again.code == 0 and again.out.startswith("153 already known")
        assert len(phone.titles) == 1 and "pull back" in phone.titles[0].lower()
    finally:
        phone.hang_up()
    status = terminal.pullback("status")
    assert status.code == 0 and "Runs: 153" in status.out
    assert status.out.count("Strava") == 0 and "Last sync" not in status.out
    assert f"Last import: {datetime.now(UTC):%Y-%m-%d}" in status.out
    listed = json.loads(terminal.pullback("runs", "--json").out)
    newest = str(listed[-1]["id"])
    assert len(listed) == 153
    replayed = json.loads(terminal.pullback("replay", "--json").out)
    assert [alert["kind"] for alert in replayed["alerts"]] == ["pull_back"]
    assert terminal.pullback("explain", newest).code == 0
    assert "heavy" in terminal.pullback("feel", "heavy").out
    hard = next(str(run["id"]) for run in reversed(listed) if run["hard"])
    assert (
        "heavy. Kept, and not counted: a hard session may feel heavy." in terminal.pullback("feel", hard, "heavy").out
    )
    assert "not counted" not in terminal.pullback("feel", hard, "easy").out, "what means nothing needs no word"
    assert "ill" in terminal.pullback("ack", "--reason", "ill").out


def test_an_export_from_months_ago_sends_no_alert(terminal: Terminal) -> None:
    phone = Phone()
    terminal.config.write_text(f'[alerts]\nurls = ["{phone.url}"]\n')
    old = strained(datetime.now(UTC).date() - timedelta(weeks=20)).activities
    try:
        result = terminal.pullback("import", str(export(terminal.home / "export_77.zip", old)))
        assert result.code == 0 and "Alerts" not in result.out
        assert phone.titles == []
    finally:
        phone.hang_up()
    assert json.loads(terminal.pullback("replay", "--json").out)["alerts"] != []


def test_each_file_that_cannot_be_used_has_a_line_and_the_rest_goes_on(terminal: Terminal) -> None:
    good, bad = terminal.home / "good.fit", terminal.home / "bad.fit"
    good.write_bytes(fit_file(plain_run(1, yesterday(), minutes=10)))
    bad.write_bytes(good.read_bytes()[:40])
    missing = terminal.home / "missing.gpx"
    result = terminal.pullback("import", str(good), str(bad), str(missing))
    assert result.code == 0, result.err
    skipped = [line for line in result.out.splitlines() if line.startswith("Skipped ")]
    assert [line.split(": ")[0] for line in sorted(skipped)] == [f"Skipped {bad}", f"Skipped {missing}"]
    assert "1 new run, 2 skipped" in result.out


def test_where_nothing_can_be_imported_it_says_so_and_fails(terminal: Terminal) -> None:
    (terminal.home / "a.fit").write_bytes(b"")
    for name in ("a.fit", "nowhere.zip"):
        result = terminal.pullback("import", str(terminal.home / name))
        assert result.code == 1 and result.out.startswith("Skipped ")
        assert result.err.startswith("pullback: nothing could be imported")


def test_a_dry_run_leaves_nothing_behind(terminal: Terminal) -> None:
    path = terminal.home / "a.fit"
    path.write_bytes(fit_file(plain_run(1, yesterday(), minutes=10)))
    result = terminal.pullback("import", "--dry-run", str(path))
    assert result.code == 0 and result.out.startswith("1 new run\n") and "Nothing was stored" in result.out
    assert terminal.pullback("runs").code == 1
    assert terminal.pullback("import", str(path)).out.startswith("1 new run\n")


def test_after_ctrl_c_it_says_what_is_kept_and_status_how_to_go_on(terminal: Terminal) -> None:
    terminal.config.write_text("")
    archive = export(
        terminal.home / "export.zip", [plain_run(12_345_678_000 + n, yesterday(n), minutes=12) for n in (1, 2, 3)]
    )
    store = open_store(terminal.database)

    def press_ctrl_c() -> None:
        kept = 0
        while kept < 3:
            with store.read() as session:
                kept = activities.counts(session, grants.RUNNER)["runs"]
        os.kill(os.getpid(), signal.SIGINT)

    runner = threading.Thread(target=press_ctrl_c)
    with store.only_one("judgement"):  # so that the import still has to judge when it is stopped
        runner.start()
        result = terminal.pullback("import", str(archive))
        runner.join()
    store.close()
    assert result.code == 130
    assert result.err == "Interrupted: 3 runs are kept; the same command goes on from there.\n"
    status = terminal.pullback("status").out.splitlines()
    assert status[1:3] == [
        "3 runs kept, not judged yet",
        "  - run the same `pullback import` again: it goes on from there",
    ]
    assert terminal.pullback("import", str(archive)).out.startswith("3 already known")
    assert "not judged yet" not in terminal.pullback("status").out


def test_ctrl_c_before_anything_was_read_says_that_nothing_was_kept(terminal: Terminal) -> None:
    terminal.config.unlink()
    os.mkfifo(terminal.config, 0o600)

    def press_ctrl_c() -> None:
        with terminal.config.open("wb"):  # opens when the command reads its configuration
            os.kill(os.getpid(), signal.SIGINT)

    runner = threading.Thread(target=press_ctrl_c)
    runner.start()
    result = terminal.pullback("import", str(terminal.home / "export.zip"))
    runner.join()
    assert (result.code, result.out) == (130, "")
    assert result.err == "Interrupted: nothing was kept yet; the same command begins again.\n"


def test_judging_many_runs_is_said_to_take_a_while() -> None:
    assert import_._judging(1) == "Judging 1 run …"
    assert import_._judging(837) == "Judging 837 runs, up to a minute …"


def test_a_file_that_is_cut_off_is_named_and_the_whole_one_is_told_in_words(terminal: Terminal) -> None:
    whole = fit_file(plain_run(1, yesterday(), minutes=30))
    path = terminal.home / "a.fit"
    path.write_bytes(whole[: len(whole) // 2])
    result = terminal.pullback("import", str(path))
    assert f"{path}: damaged at the end; what came before is kept" in result.out
    assert "1 activity whose file names no sport" in result.out
    path.write_bytes(whole)
    result = terminal.pullback("import", str(path))
    assert result.out.startswith("1 known run got its better recording\n") and "damaged" not in result.out


def test_many_files_skipped_for_one_reason_share_a_line() -> None:
    files = [Skipped(f"{n}.gpx", "it is cut off or damaged") for n in range(9)] + [Skipped("x.fit", "empty")]
    assert import_.skipped(files) == [
        "Skipped x.fit: empty",
        "Skipped 0.gpx: it is cut off or damaged",
        "Skipped 1.gpx: it is cut off or damaged",
        "Skipped 2.gpx: it is cut off or damaged",
        "Skipped 6 more: it is cut off or damaged",
    ]


@needs_root
def test_a_file_the_service_s_user_may_not_read_is_answered_with_what_to_type() -> None:
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o700)
        path = Path(home) / "export_77.zip"
        path.write_bytes(b"PK")
        path.chmod(0o600)
        child = os.fork()
        if child == 0:
            os.setgroups([])
            os.setuid(pwd.getpwnam("nobody").pw_uid)
            try:
                import_.must_be_readable([path])
            except UserError as error:
                os._exit(0 if f"sudo cp -r {path} /var/tmp/ && sudo chown -R nobody" in str(error) else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
