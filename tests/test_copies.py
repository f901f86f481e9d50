"""What may lie in the copies of a runner's database: all that was derived, no raw answer, and no key that was ended.

Each is looked for in the bytes of every file there is, as somebody would who finds the disk.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import zlib
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from daemon import access
from daemon.store import Busy, StoreError, backup, cleaning, erasing, grants
from daemon.store import activities as rows
from daemon.store.locks import only_one
from tests.house import House, plain_run

EVENING = datetime(2026, 11, 2, 22)


@pytest.fixture
def runner(house: House) -> House:
    """One run, fetched, and all of it in the database's file."""
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=1), minutes=2))
    house.pull()
    house.reopen()
    return house


def answer(house: House) -> bytes:
    """A piece of a raw answer as it lies in a file."""
    with house.store.read() as session:
        held = rows.raw(session, house.athlete_id, 1, "activity")
    assert held is not None
    return zlib.compress(held, 1)[20:80]


def keys(house: House) -> list[bytes]:
    with house.store.read() as session:
        held = grants.grant(session)
    assert held is not None
    return [held.access.encode(), held.refresh.encode()]


def holding(house: House, *pieces: bytes) -> set[str]:
    """The files in which one of these can be read."""
    folder = house.path.parent
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {str(f.relative_to(folder)) for f in files if any(piece in f.read_bytes() for piece in pieces)}


def as_once(house: House, target: Path) -> Path:
    """A backup as earlier versions made it, with everything."""
    target.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(house.path)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    return target


def runs_in(copy: Path) -> int:
    with closing(sqlite3.connect(copy)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(opened.execute("SELECT count(*) FROM activity").fetchone()[0])


def test_no_copy_holds_a_raw_answer_and_each_holds_the_runs_and_the_key_to_go_on(runner: House) -> None:
    raw, held = answer(runner), keys(runner)
    night = backup.nightly(runner.path, EVENING, keep=7)
    assert night is not None
    mine = runner.path.parent / "mine.db"
    backup.backup(runner.path, mine)
    assert holding(runner, raw) == {"pullback.db"}
    assert holding(runner, held[1]) == {"pullback.db", "mine.db", f"backups/{night.name}"}
    assert runs_in(night) == runs_in(mine) == 1


def test_the_daemon_takes_raw_answers_out_of_what_an_earlier_version_copied(runner: House) -> None:
    raw, folder = answer(runner), runner.path.parent
    copies = [as_once(runner, folder / name) for name in ("backups/pullback-2026-11-01.db", "pullback.db.before-0002")]
    (folder / "old-1").mkdir()
    for end in ("", "-wal", "-shm"):  # as a power cut leaves it
        shutil.copy(f"{runner.path}{end}", folder / "old-1")
    for copy in copies:
        os.utime(copy, (1_000_000_000, 1_000_000_000))
    assert len(holding(runner, raw)) == 4
    runner.daemon().retain()
    assert holding(runner, raw) == {"pullback.db"}, "here its week isn't over"
    assert [(runs_in(copy), copy.stat().st_mtime) for copy in copies] == [(1, 1_000_000_000)] * 2
    assert runs_in(folder / "old-1" / "pullback.db") == 1


def set_aside(house: House, name: str, written: datetime) -> Path:
    """What a restore put away of a database that was last written then, and whose first pages the disk has lost."""
    copy = as_once(house, house.path.parent / name / "pullback.db")
    with copy.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)
    shutil.copy(copy, f"{copy}-wal")
    for file in (copy, copy.with_name("pullback.db-wal")):
        os.utime(file, (written.timestamp(), written.timestamp()))
    return copy


def test_a_damaged_database_is_kept_until_the_raw_answers_in_it_may_not_be(runner: House) -> None:
    raw, now = answer(runner), runner.clock.now()
    before = holding(runner, raw)
    lately, old = (
        set_aside(runner, "old-1", now - timedelta(days=2)),
        set_aside(runner, "old-2", now - timedelta(days=8)),
    )
    ahead = set_aside(runner, "old-3", now + timedelta(days=300))
    (runner.path.parent / "old-4").mkdir()
    alone = Path(shutil.copy(lately, runner.path.parent / "old-4" / "pullback.db-wal"))
    os.utime(alone, ((now - timedelta(days=8)).timestamp(),) * 2)
    whole = as_once(runner, runner.path.parent / "old-5" / "pullback.db")
    runner.daemon().retain()
    assert not old.parent.exists() and not alone.parent.exists()
    assert lately.exists() and ahead.exists() and runs_in(whole) == 1
    runner.clock.advance(days=6)
    runner.daemon().retain()
    assert not lately.parent.exists() and ahead.exists(), "the week of a clock that was ahead begins when it is seen"
    runner.clock.advance(days=1, hours=1)
    runner.daemon().retain()
    assert holding(runner, raw) <= before and not ahead.parent.exists()
    assert runs_in(whole) == 1


def test_a_copy_that_somebody_works_on_right_now_is_not_taken_for_damaged(
    runner: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = as_once(runner, runner.path.parent / "old-1" / "pullback.db")
    os.utime(copy, (1_000_000_000, 1_000_000_000))
    with closing(sqlite3.connect(copy)) as reader:
        reader.execute("BEGIN EXCLUSIVE")
        connect = sqlite3.connect
        monkeypatch.setattr(sqlite3, "connect", lambda *args, **options: connect(*args, timeout=0.1, **options))
        cleaning.drop_raw(runner.path, timedelta(0), runner.clock.now())
    assert runs_in(copy) == 1


def test_what_is_deleted_leaves_the_disk_while_the_daemon_goes_on(runner: House) -> None:
    raw = answer(runner)
    runner.set_config("privacy", raw_retention_days=0)
    runner.daemon().retain()
    with runner.store.read():
        assert holding(runner, raw) == set()


def test_after_access_ended_no_file_holds_a_key_or_a_raw_answer(runner: House) -> None:
    """Strava can't be told, so the keys would still open something; and the daemon runs beside it."""
    secrets, folder = (*keys(runner), answer(runner)), runner.path.parent
    night = backup.nightly(runner.path, EVENING, keep=7)
    assert night is not None
    before = as_once(runner, folder / "pullback.db.before-0002")
    aside = as_once(runner, folder / "old-1" / "pullback.db")
    with aside.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)
    shutil.copy(aside, folder / "backups" / "pullback-2026-11-01.db.part")
    shutil.copy(aside, folder / "old-1" / "pullback.db-wal")
    for name in ("pullback.db", "pullback.db-wal"):  # neither begins like a database
        (folder / "old-2").mkdir(exist_ok=True)
        (folder / "old-2" / name).write_bytes(b"\xff" * 4096 + secrets[0])
    (folder / "old-3").mkdir()
    (folder / "old-3" / "pullback.db-wal").write_bytes(secrets[1])
    assert len(holding(runner, *secrets)) == 9
    runner.world.fail("/oauth/revoke", 503, times=None)
    assert access.withdraw(runner.store, runner.config, runner.clock) is not None
    assert holding(runner, *secrets) == set()
    assert runs_in(night) == runs_in(before) == 1
    assert not aside.exists(), "what can't be cleaned can't stay"


def test_keys_in_a_backup_go_also_where_access_had_ended_before_it_was_put_back(runner: House) -> None:
    held = keys(runner)
    copy = as_once(runner, runner.path.parent / "backups" / "tuesday.db")
    stick = copy.read_bytes()
    access.withdraw(runner.store, runner.config, runner.clock)
    copy.write_bytes(stick)
    assert holding(runner, *held) == {"backups/tuesday.db"}
    assert access.withdraw(runner.store, runner.config, runner.clock) is None
    assert holding(runner, *held) == set()


def test_a_runners_own_files_are_no_copies(runner: House) -> None:
    folder = runner.path.parent
    (folder / "pullback.db.txt").write_text("notes")
    (folder / "backups").mkdir()
    with closing(sqlite3.connect(folder / "backups" / "recipes.db")) as other, other:
        other.execute("CREATE TABLE token (soup)")
        other.execute("INSERT INTO token VALUES ('leek')")
    access.withdraw(runner.store, runner.config, runner.clock)
    assert (folder / "pullback.db.txt").read_text() == "notes"
    assert b"leek" in (folder / "backups" / "recipes.db").read_bytes()


def test_whoever_deletes_waits_for_a_copy_that_is_being_made(runner: House, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = backup.folder(runner.path)
    folder.mkdir()
    for work in (erasing, cleaning, backup):
        monkeypatch.setattr(work, "PATIENCE_S", 0.0)
    with only_one(runner.path, "backup"):
        for use in (erasing.erase, cleaning.end_access, partial(cleaning.drop_raw, keep=timedelta(0), now=EVENING)):
            with pytest.raises(Busy, match="with its backup"):
                use(runner.path)
        with pytest.raises(Busy):
            backup.nightly(runner.path, EVENING, keep=7)
    assert runner.path.exists() and not list(folder.iterdir())
    monkeypatch.setattr(erasing, "PATIENCE_S", 30.0)
    with only_one(runner.path, "backup"):
        forgetting = threading.Thread(target=erasing.erase, args=(runner.path,))
        forgetting.start()
        shutil.copy(runner.path, folder / "pullback-2026-11-02.db")
    forgetting.join()
    assert [file for file in runner.path.parent.rglob("*") if file.is_file()] == []
    with pytest.raises(StoreError, match="no database"):
        backup.nightly(runner.path, EVENING, keep=7)


TRY_TO_LOCK = """
import fcntl, sys
for name, first, length in ((sys.argv[1], 2**30 + 2, 510), (sys.argv[1] + "-shm", 128, 1)):
    with open(name, "r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, length, first)
        except BlockingIOError:
            continue
        print("nobody seems to use", name)
"""
"""What SQLite asks before it takes a -wal and -shm for a dead process's: its SHARED_FIRST, and UNIX_SHM_DMS."""


def test_no_work_of_the_daemon_makes_its_database_look_unused_to_the_next_command(runner: House) -> None:
    """Else that command empties the -shm that the daemon has in its memory, which kills it (SIGBUS)."""
    daemon = runner.daemon()
    with runner.store.read() as session:
        grants.grant(session)  # a connection that the daemon keeps
    for job in daemon.jobs():
        job.run()
        done = subprocess.run(
            [sys.executable, "-c", TRY_TO_LOCK, str(runner.path)], capture_output=True, text=True, check=True
        )
        assert done.stdout == "", job.name
