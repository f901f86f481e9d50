"""A database that is deleted, or replaced by a backup, under a store that is open."""

import os
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from daemon.store import StoreError, backup, open_store, renew
from daemon.store.erasing import erase
from daemon.store.locks import only_one
from daemon.store.progress import Progress, athletes, progress, save_progress
from daemon.store.restored import take_in


def test_nothing_is_written_to_a_deleted_file_and_the_next_one_is_untouched_by_it(tmp_path: Path) -> None:
    path = tmp_path / "pullback.db"
    with closing(open_store(path)) as old:
        with old.write() as session:
            save_progress(session, 1, Progress())
        assert not renew(old)
        for file in tmp_path.glob("pullback.db*"):
            file.unlink()
        with pytest.raises(StoreError, match="deleted or replaced"), old.write():
            pass
        with closing(open_store(path)) as other:
            with other.write() as session:
                save_progress(session, 2, Progress())
            # The old one's last connection closes now, and must leave the other's -wal alone.
            assert renew(old)
            with old.read() as session:
                assert athletes(session) == [2]
    with closing(open_store(path)) as later, later.read() as session:
        assert athletes(session) == [2]


def test_a_deleted_database_is_made_again_and_empty(tmp_path: Path) -> None:
    path = tmp_path / "pullback.db"
    with closing(open_store(path)) as store:
        with store.write() as session:
            save_progress(session, 1, Progress())
        for file in tmp_path.glob("pullback.db*"):
            file.unlink()
        assert renew(store)
        with store.read() as session:
            assert athletes(session) == []
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_was_put_in_its_place_is_used_by_nobody_before_it_is_known_to_be_for_this_version(tmp_path: Path) -> None:
    """The main thread looks at it while jobs are at work, and takes its time."""
    path = tmp_path / "pullback.db"
    with closing(open_store(path)) as store:
        for file in tmp_path.glob("pullback.db*"):
            file.unlink()
        path.touch()
        with only_one(path, "migration"):
            looking = threading.Thread(target=renew, args=(store,))
            looking.start()
            looking.join(0.5)
            for use in (store.read, store.write):
                with pytest.raises(StoreError, match="deleted or replaced"), use() as session:
                    save_progress(session, 1, Progress())
        looking.join()
        with store.read() as session:
            assert athletes(session) == []


def test_a_newer_one_in_its_place_is_left_alone_until_another_comes(tmp_path: Path) -> None:
    path, mine, newer = tmp_path / "pullback.db", tmp_path / "mine.db", tmp_path / "newer.db"
    with closing(open_store(path)) as store:
        with store.write() as session:
            save_progress(session, 7, Progress())
        backup.backup(path, mine)
        put_newer(path, newer)
        for _ in range(2):
            with pytest.raises(StoreError, match="newer pullback"):
                renew(store)
            with pytest.raises(StoreError, match="deleted or replaced"), store.read():
                pass
        os.replace(mine, path)
        assert renew(store)
        with store.read() as session:
            assert athletes(session) == [7]


def test_who_is_at_work_when_it_is_deleted_writes_nothing_of_it_into_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "pullback.db"
    with closing(open_store(path)) as store:
        with store.write() as session:
            save_progress(session, 7, Progress())
        with store.in_use():
            with store.read() as session:
                held = progress(session, 7)
            erase(path)
            assert not renew(store)
            with pytest.raises(StoreError, match="deleted or replaced"), store.write() as session:
                save_progress(session, 7, held)
        assert renew(store)
        with store.read() as session:
            assert athletes(session) == []


def test_who_begins_while_a_newer_one_lies_there_delays_nothing(tmp_path: Path) -> None:
    path, mine, newer = tmp_path / "pullback.db", tmp_path / "mine.db", tmp_path / "newer.db"
    with closing(open_store(path)) as store:
        backup.backup(path, mine)
        put_newer(path, newer)
        with pytest.raises(StoreError, match="newer pullback"):
            renew(store)
        with store.in_use():
            with pytest.raises(StoreError, match="newer pullback"):  # and not that it waits for somebody
                renew(store)
            os.replace(mine, path)
            assert renew(store)


@pytest.mark.parametrize("looked_at", [False, True])
def test_a_session_begun_before_reads_nothing_of_what_was_put_in_its_place(tmp_path: Path, looked_at: bool) -> None:
    """It connects with its first statement."""
    path, newer = tmp_path / "pullback.db", tmp_path / "newer.db"
    with closing(open_store(path)) as store, store.read() as session, store.read() as first:
        athletes(first)  # takes the connection that lies ready
        put_newer(path, newer)
        if looked_at:
            with pytest.raises(StoreError, match="newer pullback"):
                renew(store)
        with pytest.raises(StoreError, match="deleted or replaced"):
            athletes(session)


def put_newer(path: Path, newer: Path) -> None:
    backup.backup(path, newer)
    with closing(sqlite3.connect(newer)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    os.replace(newer, path)


def test_a_backup_put_in_its_place_is_what_counts(tmp_path: Path) -> None:
    path, backup = tmp_path / "pullback.db", tmp_path / "copy.db"
    with closing(open_store(backup)) as store, store.write() as session:
        save_progress(session, 7, Progress())
    with closing(open_store(path)) as store:
        for leftover in tmp_path.glob("pullback.db-*"):
            leftover.unlink()  # it belongs to the file before, and SQLite would read it into the backup
        shutil.move(backup, path)
        assert renew(store)
        with store.read() as session:
            assert athletes(session) == [7]


def test_a_backup_put_back_after_a_power_cut_is_not_mixed_with_what_was_left_beside_it(tmp_path: Path) -> None:
    """Only the file is replaced, as the log's sentence can be read: the -wal of before is still there."""
    house, cut = tmp_path / "pullback.db", tmp_path / "cut" / "pullback.db"
    cut.parent.mkdir()
    with closing(open_store(house)) as store:
        with store.write() as session:
            save_progress(session, 7, Progress())
        backup.backup(house, tmp_path / "copy.db")
        for athlete in range(8, 200):
            with store.write() as session:
                save_progress(session, athlete, Progress(problem="no connection" * 50))
        for end in ("-wal", "-shm"):
            shutil.copy(f"{house}{end}", f"{cut}{end}")
    assert cut.with_name("pullback.db-wal").stat().st_size > 0
    shutil.copy(tmp_path / "copy.db", cut)
    assert backup.broken(cut) is None
    for _ in range(2):
        with closing(open_store(cut)) as store, store.read() as session:
            assert athletes(session) == [7]
    assert backup.broken(cut) is None


def test_a_daemon_goes_on_with_a_backup_that_alone_was_put_in_its_place(tmp_path: Path) -> None:
    path, copy = tmp_path / "pullback.db", tmp_path / "copy.db"
    with closing(open_store(path)) as store:
        with store.write() as session:
            save_progress(session, 7, Progress())
        backup.backup(path, copy)
        with store.write() as session:
            save_progress(session, 8, Progress(problem="no connection" * 500))
        os.replace(copy, path)
        assert renew(store)
        with store.write() as session:
            save_progress(session, 9, Progress())
        # What a command beside it finds, while the daemon's -wal is in use.
        with closing(open_store(path)) as other, other.read() as session:
            assert athletes(session) == [7, 9]
    assert backup.broken(path) is None


def test_of_two_that_find_a_copy_the_second_leaves_the_firsts_work_alone(tmp_path: Path) -> None:
    path, original = tmp_path / "pullback.db", tmp_path / "original.db"
    open_store(original).close()
    backup.backup(original, path)
    with closing(sqlite3.connect(path)) as first:
        with only_one(path, "opening"):
            second = threading.Thread(target=take_in, args=(path,))
            second.start()  # it has seen a copy, or will see a database in use
            second.join(0.3)
            first.execute("PRAGMA journal_mode=WAL")
            first.execute("INSERT INTO sync_state VALUES (7, '{}')")
            first.commit()
            held = path.with_name("pullback.db-wal").stat().st_size
        second.join()
        assert path.with_name("pullback.db-wal").stat().st_size == held > 0
    with closing(open_store(path)) as store, store.read() as session:
        assert athletes(session) == [7]


def test_a_copy_becomes_a_database_in_use_before_anybody_else_may_look(tmp_path: Path) -> None:
    path = tmp_path / "pullback.db"
    open_store(tmp_path / "original.db").close()
    backup.backup(tmp_path / "original.db", path)
    take_in(path)
    assert path.read_bytes()[18:20] == b"\x02\x02"
