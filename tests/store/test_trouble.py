"""A disk that is full, a file nobody may write, a database that is locked, damaged or another daemon's: one sentence
that says what to do, and nothing half-written."""

import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import daemon.store.database
import daemon.store.schema
from daemon.config import Config, database_path
from daemon.config.model import DatabaseConfig
from daemon.store import Busy, Store, StoreError, answers, backup, erasing, held, open_store
from daemon.store.schema import HEAD

DAY = date(2026, 11, 2)
STEPS = Path(daemon.store.schema.__file__).with_name("migrations")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte, as far as this machine lets one be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def say(store: Store, reason: str = "ill") -> None:
    with store.write() as session:
        answers.add_answer(session, 1, reason, DAY, DAY, datetime(2026, 11, 2, tzinfo=UTC))  # type: ignore[arg-type]


def said(store: Store) -> int:
    with store.read() as session:
        return len(answers.answers(session, 1))


def fill(folder: Path) -> Path:
    """Takes what is left of a disk."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(b"x" * 4096)
    return filler


def fill_also_what_sqlite_holds(store: Store) -> Path:
    """Takes what is left of a disk, and of the room in the database's own files."""
    filler = fill(store.path.parent)
    while True:
        with suppress(StoreError):
            say(store)
            continue
        return filler


def test_on_a_full_disk_nothing_is_half_written_and_it_goes_on_when_there_is_room(small_disk: Path) -> None:
    store = open_store(small_disk / "pullback.db")
    say(store)
    filler = fill(small_disk)
    with pytest.raises(StoreError, match="the disk is full; free some space"):
        for _ in range(1000):
            say(store, "race" * 500)
    before = said(store)
    with pytest.raises(StoreError, match="no backup could be written .*full.*; check that its folder .*has room"):
        backup.nightly(store.path, datetime(2026, 11, 2, 22), keep=7)
    assert backup.copies(store.path) == []
    filler.unlink()
    assert backup.broken(store.path) is None
    say(store)
    assert said(store) == before + 1
    store.close()


def test_what_must_not_be_lost_finds_room_on_a_disk_that_filled_up_meanwhile(small_disk: Path) -> None:
    store = open_store(small_disk / "pullback.db")
    store.keep_room()
    filler = fill_also_what_sqlite_holds(store)
    before = said(store)
    with pytest.raises(StoreError, match="the disk is full; free some space"):
        say(store)
    store.insist(lambda session: answers.add_answer(session, 1, "ill", DAY, DAY, datetime.now(UTC)))
    assert said(store) == before + 1
    with pytest.raises(StoreError, match="no room beside .*the disk is full.*; free some space"):
        store.keep_room()
    filler.unlink()
    store.keep_room()
    store.close()


def test_what_must_not_be_lost_waits_half_a_minute_for_a_full_disk(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(small_disk / "pullback.db")
    filler, waited = fill_also_what_sqlite_holds(store), []
    before = said(store)

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if sum(waited) > 20:
            filler.unlink()

    monkeypatch.setattr(daemon.store.database, "sleep", sleep)
    store.insist(lambda session: answers.add_answer(session, 1, "ill", DAY, DAY, datetime.now(UTC)))
    assert said(store) == before + 1
    assert 20 < sum(waited) < 30
    store.close()


def test_a_lock_costs_nothing_of_the_room_that_is_kept_for_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon.store.database, "BUSY_TIMEOUT_MS", 10)
    monkeypatch.setattr(daemon.store.database, "sleep", lambda seconds: None)
    store = open_store(tmp_path / "pullback.db")
    store.keep_room()
    with closing(sqlite3.connect(store.path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            store.insist(lambda session: answers.add_answer(session, 1, "ill", DAY, DAY, datetime.now(UTC)))
    assert (tmp_path / "pullback.db-room").stat().st_size == daemon.store.database.ROOM_BYTES
    store.close()


def test_room_that_cannot_be_kept_for_another_reason_sends_nobody_to_free_space(tmp_path: Path) -> None:
    store = open_store(tmp_path / "pullback.db")
    (tmp_path / "pullback.db-room").mkdir()
    with pytest.raises(StoreError, match="it can't keep room beside .*; check its folder"):
        store.keep_room()
    store.close()


def test_a_first_start_on_a_full_disk_says_so(small_disk: Path) -> None:
    fill(small_disk)
    with pytest.raises(StoreError, match="disk is full"):
        open_store(small_disk / "pullback.db")


def test_a_migration_on_a_full_disk_leaves_the_old_database(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = small_disk / "pullback.db"
    open_store(path).close()
    monkeypatch.setattr(daemon.store.schema, "HEAD", "9999")
    filler = fill(small_disk)
    with pytest.raises(StoreError, match="the disk is full"):
        open_store(path)
    os.truncate(filler, filler.stat().st_size - 2**16)  # enough to open it, and not for a copy
    with pytest.raises(StoreError, match="no backup could be written .*full.*has room"):
        open_store(path)
    filler.unlink()
    monkeypatch.undo()
    assert backup.copies(path) == []
    open_store(path).close()


def test_a_read_only_file_system_is_named(small_disk: Path) -> None:
    path = small_disk / "pullback.db"
    open_store(path).close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StoreError, match="the file system is read-only.; check its folder, or database.url"):
        open_store(path)
    with pytest.raises(StoreError, match="the file system is read-only"), held(path):
        pass


def test_a_disk_that_turns_read_only_under_an_open_database_is_said(small_disk: Path) -> None:
    store = open_store(small_disk / "pullback.db")
    store.close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StoreError, match="check"):
        say(store)


def test_a_locked_database_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon.store.database, "BUSY_TIMEOUT_MS", 50)
    store = open_store(tmp_path / "pullback.db")
    with closing(sqlite3.connect(store.path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked by another program; try again"):
            say(store)
    say(store)
    store.close()


def damaged(path: Path) -> Path:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 3 * 4096)
    return path


def test_a_damaged_database_names_the_newest_backup_and_is_kept(tmp_path: Path) -> None:
    store = open_store(tmp_path / "pullback.db")
    good = backup.nightly(store.path, datetime(2026, 11, 2, 22), keep=7)
    store.close()
    before = damaged(store.path).read_bytes()
    with pytest.raises(StoreError, match=f"damaged; .*keep the file.*{good}"):
        say(open_store(store.path))
    assert store.path.read_bytes() == before


def test_after_a_cut_the_next_daemon_looks_at_the_database_first(tmp_path: Path) -> None:
    path = tmp_path / "pullback.db"
    open_store(path).close()
    with held(path):
        damaged(path)
    with held(path):  # stopped in order: SQLite has written what it meant to
        pass
    child = os.fork()
    if child == 0:
        with held(path):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    with pytest.raises(StoreError, match="damaged"), held(path):
        pass


def test_the_second_daemon_on_a_database_is_refused_and_the_first_one_named(tmp_path: Path) -> None:
    path = tmp_path / "pullback.db"
    with held(path):
        with pytest.raises(Busy, match=rf"another pullback run .process {os.getpid()}. .*systemctl stop"), held(path):
            pass
        other_name = tmp_path / "other.db"
        other_name.symlink_to(path)
        with pytest.raises(Busy), held(other_name):
            pass
        open_store(path).close()  # commands by hand go on working
    with held(path):
        pass


def test_a_process_killed_in_the_middle_of_a_migration_leaves_the_old_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pullback.db"
    store = open_store(path)
    say(store)
    store.close()
    shutil.copytree(STEPS, tmp_path / "migrations")
    following = f"{int(HEAD) + 1:04d}"
    (tmp_path / "migrations" / "versions" / f"{following}_cut.py").write_text(
        "import os\nfrom alembic import op\n"
        f"revision, down_revision = {following!r}, {HEAD!r}\n"
        "def upgrade():\n"
        "    op.execute('DELETE FROM answer')\n"
        "    op.execute('CREATE TABLE half_done (id INTEGER)')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    child = os.fork()
    if child == 0:
        daemon.store.schema.HEAD = following
        daemon.store.schema.__file__ = str(tmp_path / "schema.py")
        open_store(path)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    again = open_store(path)
    assert said(again) == 1
    again.close()
    assert [copy.name for copy in backup.copies(path)] == [f"pullback.db.before-{following}"]
    with closing(sqlite3.connect(path)) as raw:
        tables = {name for (name,) in raw.execute("SELECT name FROM sqlite_master")}
    assert "half_done" not in tables


def test_two_names_of_one_database_are_one_database(tmp_path: Path) -> None:
    path = tmp_path / "state" / "pullback.db"
    open_store(path).close()
    (tmp_path / "elsewhere").symlink_to(path.parent)
    (tmp_path / "mine.db").symlink_to(path)
    with held(path):
        for other in (tmp_path / "elsewhere" / "pullback.db", tmp_path / "mine.db"):
            with pytest.raises(Busy, match=f"process {os.getpid()}"), held(other):
                pass


def test_work_on_one_database_is_one_work_whatever_name_it_goes_by(tmp_path: Path) -> None:
    path = tmp_path / "state" / "pullback.db"
    open_store(path).close()
    (tmp_path / "mine.db").symlink_to(path)
    with closing(open_store(path)) as store, closing(open_store(tmp_path / "mine.db")) as same:
        with store.only_one("delivery"), pytest.raises(Busy), same.only_one("delivery"):
            pass
        before = same.mark()
        say(store)
        assert same.mark() == store.mark() != before


def test_a_configured_link_is_followed_to_the_database_and_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "mine.db").symlink_to(tmp_path / "state" / "pullback.db")
    config = Config(database=DatabaseConfig(url=f"sqlite:///{tmp_path / 'mine.db'}"))
    path = database_path(config, {})
    open_store(path).close()
    erasing.erase(path)
    assert list((tmp_path / "state").iterdir()) == []
