"""Backups are whole, private and few, and one can be put back as the page for operators says."""

import re
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import daemon.store.backup
from daemon.store import Store, StoreError, answers, backup, open_store

README = Path(__file__).parents[2] / "systemd" / "README.md"
EVENING = datetime(2026, 11, 2, 22, 0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A database in use: what was said last is still in its journal alone."""
    opened = open_store(tmp_path / "state" / "pullback.db")
    say(opened, "ill")
    yield opened
    opened.close()


def say(store: Store, reason: str) -> None:
    day = date(2026, 11, 2)
    with store.write() as session:
        answers.add_answer(session, 1, reason, day, day, datetime(2026, 11, 2, tzinfo=UTC))  # type: ignore[arg-type]


def said(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as raw:
        return [row[0] for row in raw.execute("SELECT reason FROM answer ORDER BY id")]


def damage(path: Path) -> None:
    """As a failing disk does: pages in the middle are no longer what was written."""
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 3 * 4096)


def test_a_backup_holds_what_was_just_said_is_one_file_and_private(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "mine.db"
    backup.backup(store.path, target)
    assert said(target) == ["ill"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.db", "state"]


def test_a_file_that_is_there_stays(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "diary"
    target.write_text("mine")
    with pytest.raises(StoreError, match="stays as it is; name another"):
        backup.backup(store.path, target)
    assert target.read_text() == "mine"


def test_every_night_one_is_made_and_the_oldest_goes(store: Store) -> None:
    note = backup.folder(store.path) / "pullback-of-mine.txt"
    for days in range(5):
        assert backup.nightly(store.path, EVENING + timedelta(days=days), keep=3) is not None
        note.write_text("")
    assert [path.name for path in backup.made(store.path)] == [f"pullback-2026-11-0{day}.db" for day in (4, 5, 6)]
    assert note.exists()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in backup.made(store.path)}
    assert modes == {0o600}
    assert stat.S_IMODE(backup.folder(store.path).stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("hours", "due"), [(0, False), (4.9, False), (5.1, True)], ids=["at once", "before three", "after three"]
)
def test_the_night_begins_at_three(store: Store, hours: float, due: bool) -> None:
    backup.nightly(store.path, EVENING, keep=7)
    assert (backup.nightly(store.path, EVENING + timedelta(hours=hours), keep=7) is not None) is due


def test_of_a_clock_that_was_ahead_the_backup_of_today_stays(store: Store) -> None:
    backup.nightly(store.path, EVENING + timedelta(days=365), keep=1)
    made = backup.nightly(store.path, EVENING, keep=1)
    assert made is not None
    assert made.exists()


def test_a_backup_of_a_night_to_come_is_not_the_newest_and_goes_first(store: Store) -> None:
    """The clock was a year ahead for a week, long enough for every good night to be rotated away."""
    tonight = datetime.now().replace(hour=22)
    for days in range(3):
        backup.nightly(store.path, tonight + timedelta(days=365 + days), keep=3)
    assert backup.newest(store.path) is not None, "better than none"
    for days in range(3):
        made = backup.nightly(store.path, tonight + timedelta(days=days - 3), keep=3)
        assert backup.newest(store.path) == made
        assert len(backup.made(store.path)) == 3
    assert not [path for path in backup.made(store.path) if str(tonight.year + 1) in path.name]


def test_a_damaged_database_is_never_copied_over_good_backups(store: Store) -> None:
    good = backup.nightly(store.path, EVENING, keep=1)
    store.close()
    damage(store.path)
    with pytest.raises(StoreError, match=f"damaged; stop pullback, .* the newest backup .{good}. in its place"):
        backup.nightly(store.path, EVENING + timedelta(days=1), keep=1)
    assert backup.made(store.path) == [good]
    assert backup.copies(store.path) == [good]


def test_a_program_that_locks_the_database_ends_the_backup_not_the_daemon(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(daemon.store.backup, "PATIENCE_S", 0.0)
    store.close()
    with closing(sqlite3.connect(store.path)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(sqlite3, "connect", _impatient(sqlite3.connect))
        with pytest.raises(StoreError, match="locked by another program"):
            backup.backup(store.path, tmp_path / "mine.db")
    assert not (tmp_path / "mine.db").exists()


def _impatient(connect):  # type: ignore[no-untyped-def]
    return lambda *args, **options: connect(*args, **(options | {"timeout": 0.1}))


def test_every_copy_is_known_to_who_must_delete_them(store: Store) -> None:
    night = backup.nightly(store.path, EVENING, keep=7)
    before = store.path.with_name("pullback.db.before-0002")
    backup.backup(store.path, before)
    old = store.path.parent / "old-1"
    old.mkdir()
    shutil.copy(store.path, old / "pullback.db")
    with store.only_one("pull"):
        assert backup.copies(store.path) == sorted([night, before, old / "pullback.db"])  # type: ignore[type-var]


def test_restoring_as_the_page_for_operators_says(store: Store) -> None:
    """Its commands are run as they stand there, in another folder and with a service that this test stops."""
    made = backup.nightly(store.path, EVENING, keep=7)
    say(store, "race")  # after the backup: gone with the database it was said to
    folder = store.path.parent
    text = README.read_text()
    block = re.search(r"## Backup and restore.*?```\n(systemctl stop pullback\n.*?)```", text, re.DOTALL)
    assert block is not None
    steps = block[1].replace("/var/lib/pullback", str(folder)).replace("-o pullback -g pullback ", "")
    assert made is not None
    steps = steps.replace("pullback-2026-11-02.db", made.name)
    script = "set -eu\nsystemctl() { echo $1 >> service; }\n" + steps
    store.close()
    damage(store.path)
    subprocess.run(["sh", "-c", script], check=True, cwd=folder)
    assert (folder / "service").read_text() == "stop\nstart\n"
    again = open_store(store.path)
    assert said(again.path) == ["ill"]
    again.close()
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert [path.name for path in folder.glob("old-*/pullback.db")] == ["pullback.db"], "the damaged one is kept"
