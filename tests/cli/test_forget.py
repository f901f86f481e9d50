"""A runner takes pullback's access back, or has everything deleted: at Strava, on this machine, beside a daemon."""

import io
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from unittest.mock import patch

import pytest

from daemon.store import activities as rows
from daemon.store import grants, held, open_store
from tests.cli.terminal import Terminal
from tests.house import plain_run


class Typed(io.StringIO):
    """A keyboard at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def runner(terminal: Terminal) -> Terminal:
    """Authorised, with two runs, a nightly backup, the copy of an upgrade, and something of the runner's own."""
    terminal.authorise()
    for number in (1, 2):
        start = terminal.world.now() - timedelta(days=number)
        terminal.world.add(plain_run(number, start, minutes=10, name="Secret Hill"))
    assert terminal.pullback("sync").code == 0
    folder = terminal.database.parent
    (folder / "backups").mkdir()
    for copy in ("backups/pullback-2026-11-20.db", "backups/tuesday.db", "pullback.db.before-0002"):
        shutil.copy(terminal.database, folder / copy)
    (folder / "error.log").write_text("a traceback")
    return terminal


def left(terminal: Terminal) -> set[str]:
    folder = terminal.database.parent
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def granted(terminal: Terminal) -> bool:
    """Whether Strava would still answer whoever holds tokens."""
    return bool(terminal.world.tokens._refresh or terminal.world.tokens._access)  # noqa: SLF001 - Strava's own books


def test_forget_leaves_nothing_but_the_configuration_and_says_what_it_did(runner: Terminal) -> None:
    result = runner.pullback("forget", "--yes")
    assert (result.code, result.err) == (0, "")
    assert left(runner) == set()
    assert not (runner.database.parent / "backups").exists()
    assert not granted(runner)
    assert result.out.endswith("Strava was told, and no longer lets pullback read your runs.\n")
    assert runner.config.exists()
    assert str(runner.database) in result.out and "config.toml" in result.out
    again = runner.pullback("forget", "--yes")
    assert (again.code, left(runner)) == (0, set())
    assert "nothing to forget" in again.out and "settings/apps" in again.out, "who has access still, only Strava knows"


def test_forget_says_that_there_was_no_access_to_withdraw(runner: Terminal) -> None:
    runner.pullback("auth", "--revoke")
    result = runner.pullback("forget", "--yes")
    assert result.code == 0 and "pullback had no access at Strava" in result.out
    assert "Strava was told" not in result.out


def test_what_a_restore_set_aside_goes_too_and_a_running_daemon_keeps_its_lock(runner: Terminal) -> None:
    aside = runner.database.parent / "old-1763971200"
    aside.mkdir()
    for name in ("pullback.db", "pullback.db-wal"):
        shutil.copy(runner.database, aside / name)
    with held(runner.database):
        assert runner.pullback("forget", "--yes").code == 0
    assert left(runner) == {"pullback.db.run.lock"}
    assert not aside.exists()


def test_forget_keeps_its_hands_off_what_isnt_pullbacks(runner: Terminal) -> None:
    folder = runner.database.parent
    (folder / "backups" / "photos.zip").write_text("mine")
    (folder / "pullback.db.txt").write_text("notes")
    with closing(sqlite3.connect(folder / "backups" / "recipes.db")) as other:
        other.execute("CREATE TABLE token (soup)")
    assert runner.pullback("forget", "--yes").code == 0
    assert left(runner) == {"backups/photos.zip", "backups/recipes.db", "pullback.db.txt"}


def test_forget_asks_for_a_word_and_only_where_somebody_can_type_it(runner: Terminal) -> None:
    before = left(runner)
    result = runner.pullback("forget", typed="forget\n")
    assert result.code == 1 and "--yes" in result.err
    with patch("tests.cli.terminal.io.StringIO", Typed):
        no = runner.pullback("forget", typed="no\n")
    assert no.code == 1 and "nothing was deleted" in no.err
    assert left(runner) == before and granted(runner)
    with patch("tests.cli.terminal.io.StringIO", Typed):
        yes = runner.pullback("forget", typed="forget\n")
    assert str(runner.database) in yes.out.split("Type")[0]
    assert (yes.code, left(runner)) == (0, set())


def test_forget_without_strava_deletes_and_says_where_access_is_withdrawn(runner: Terminal) -> None:
    runner.standin.stop()
    result = runner.pullback("forget", "--yes")
    assert result.code == 1
    assert "https://www.strava.com/settings/apps" in result.err and result.err.count("\n") == 1
    assert "Deleted" in result.out
    assert left(runner) == set()


@pytest.mark.parametrize("damage", ["no database", "newer", "no app"])
def test_forget_also_deletes_what_it_can_not_read(runner: Terminal, damage: str) -> None:
    if damage == "no database":
        runner.database.write_bytes(b"not a database" * 1000)
    elif damage == "newer":
        with closing(sqlite3.connect(runner.database)) as database, database:
            database.execute("UPDATE alembic_version SET version_num = '9999'")
    else:
        runner.write_config(client_id="")
    result = runner.pullback("forget", "--yes")
    assert result.code == 1 and "settings/apps" in result.err
    assert left(runner) == set()


def test_where_the_database_was_gone_before_the_runner_is_told_that_strava_was_not(runner: Terminal) -> None:
    runner.database.unlink()
    result = runner.pullback("forget", "--yes")
    assert result.code == 1 and result.err.count("\n") == 1
    assert "is gone already" in result.err and "settings/apps" in result.err
    assert left(runner) == set() and granted(runner)


def test_forget_waits_for_nobody_for_long(runner: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.access.MOST_WAIT_S", 0.0)
    with closing(open_store(runner.database)) as store, store.only_one("pull"):
        result = runner.pullback("forget", "--yes")
    assert result.code == 1 and "try again in a minute" in result.err
    assert runner.database.exists() and granted(runner)


def test_revoked_access_ends_tokens_and_raw_answers_and_keeps_the_runs(runner: Terminal) -> None:
    with closing(open_store(runner.database)) as store, store.read() as session:
        held = grants.grant(session)
        assert held is not None
        tokens = held.access, held.refresh
    result = runner.pullback("auth", "--revoke")
    assert (result.code, result.err) == (0, "")
    assert not granted(runner)
    with closing(open_store(runner.database)) as store, store.read() as session:
        assert grants.grant(session) is None
        assert set(rows.known(session, runner.world.runner)) == {1, 2}
        assert rows.raw(session, runner.world.runner, 1, "streams") is None
    held = [file for file in runner.database.parent.rglob("*") if file.is_file()]
    assert not [file for file in held for token in tokens if token.encode() in file.read_bytes()]
    assert runner.database.with_name("pullback.db.before-0002") in held
    assert b"Secret Hill" in runner.database.read_bytes()
    assert "nothing to withdraw" in runner.pullback("auth", "--revoke").out
    sync = runner.pullback("sync")
    assert sync.code == 1 and "pullback auth" in sync.err
    runner.authorise()
    assert runner.pullback("sync").code == 0


@pytest.mark.parametrize("fault", [500, "html", "reset", "redirect", "inactive", 429])
def test_access_ends_here_also_when_strava_can_not_be_told(runner: Terminal, fault: object) -> None:
    runner.world.fail("/oauth/revoke", fault)  # type: ignore[arg-type]
    result = runner.pullback("auth", "--revoke")
    assert result.code == 1 and result.err.count("\n") == 1
    assert "https://www.strava.com/settings/apps" in result.err
    with closing(open_store(runner.database)) as store, store.read() as session:
        assert grants.grant(session) is None


def test_a_wrong_secret_can_not_tell_strava_and_isnt_shown(runner: Terminal) -> None:
    runner.write_config(client_secret='"not-the-secret"')
    result = runner.pullback("auth", "--revoke")
    assert result.code == 1 and "strava.client_secret" in result.err and "settings/apps" in result.err
    assert "not-the-secret" not in result.out + result.err
