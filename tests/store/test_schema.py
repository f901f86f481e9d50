"""A migrated database equals the models, an old one is backed up first, and a newer one is left alone."""

import shutil
import sqlite3
import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import daemon.store.schema
import daemon.store.tables
from daemon.store import StoreError, open_store
from daemon.store.schema import HEAD, revision


def test_a_migrated_database_equals_the_models(tmp_path: Path) -> None:
    store = open_store(tmp_path / "pullback.db")
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": _same_type})
        assert compare_metadata(context, daemon.store.tables.SQLModel.metadata) == []
    store.close()


def _same_type(_context: object, _column: object, _metadata: object, found: object, wanted: object) -> bool | None:
    # The moments of the models are text of the same length in the file.
    return False if type(wanted).__name__ == "UtcText" and getattr(found, "length", None) == 25 else None


def test_the_head_named_in_the_code_is_the_newest_step() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(daemon.store.schema.__file__).with_name("migrations")))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_only_the_owner_may_read_the_database_and_its_journal(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state" / "pullback.db")
    with store.write() as session:
        session.connection().exec_driver_sql("DELETE FROM alert")
        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "state").iterdir() if p.is_file()}
    store.close()
    assert set(modes.values()) == {0o600}, modes
    assert "pullback.db-wal" in modes


def test_a_second_start_finds_nothing_to_do(tmp_path: Path) -> None:
    open_store(tmp_path / "pullback.db").close()
    store = open_store(tmp_path / "pullback.db")
    assert revision(store) == HEAD
    assert not list(tmp_path.glob("*.before-*"))
    store.close()


def test_a_database_from_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "pullback.db"
    open_store(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(StoreError, match="newer pullback"):
        open_store(path)
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


def test_a_database_of_the_first_version_keeps_its_runs_and_alerts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pullback.db"
    first = tmp_path / "migrations" / "versions" / "0001_first.py"
    shutil.copytree(Path(daemon.store.schema.__file__).with_name("migrations"), tmp_path / "migrations")
    for step in first.parent.glob("*.py"):
        if step != first:
            step.unlink()
    with monkeypatch.context() as before:
        before.setattr(daemon.store.schema, "HEAD", "0001")
        before.setattr(daemon.store.schema, "__file__", str(tmp_path / "schema.py"))
        open_store(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute(
            "INSERT INTO activity VALUES (1, 10, 'strava', 'x', '2026-11-02', '2026-11-02', 'Run', 'Run', '{}',"
            " '2026-11-02', NULL, 'have', 0, NULL, 0, 0)"
        )
        raw.execute("INSERT INTO series VALUES (1, 10, x'00')")
        raw.execute("INSERT INTO alert VALUES (7, 1, 'pull_back', '2026-11-01', 'a', 'b', '2026-11-01', NULL)")
        raw.execute("INSERT INTO delivery VALUES (1, 7, 'c', 'sent', 1, '2026-11-01', NULL, NULL, NULL, NULL)")
    raw.close()
    store = open_store(path)
    assert revision(store) == HEAD
    store.close()
    with sqlite3.connect(path) as raw:
        counts = [raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in KEPT]
    raw.close()
    assert counts == [1, 1, 1, 1, 0, 0, 0]
    assert (tmp_path / f"pullback.db.before-{HEAD}").exists()


KEPT = ("activity", "series", "alert", "delivery", "feel", "answer", "imported")


def test_a_step_that_fails_leaves_the_old_file_and_a_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pullback.db"
    open_store(path).close()
    steps = tmp_path / "migrations"
    _steps_with_a_broken_one(steps)
    monkeypatch.setattr(daemon.store.schema, "HEAD", "0005")
    monkeypatch.setattr(daemon.store.schema, "__file__", str(tmp_path / "migrate.py"))
    with pytest.raises(StoreError, match="left as it was"):
        open_store(path)
    assert (tmp_path / "pullback.db.before-0005").exists()
    with sqlite3.connect(path) as raw:
        tables = {name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert "half_done" not in tables
        assert raw.execute("SELECT version_num FROM alembic_version").fetchall() == [("0004",)]
    raw.close()


def _steps_with_a_broken_one(steps: Path) -> None:
    shutil.copytree(Path(daemon.store.schema.__file__).with_name("migrations"), steps)
    (steps / "versions" / "0005_broken.py").write_text(
        "from alembic import op\n"
        "revision, down_revision = '0005', '0004'\n"
        "def upgrade():\n"
        "    op.execute('CREATE TABLE half_done (id INTEGER)')\n"
        "    op.execute('INSERT INTO half_done VALUES (1)')\n"
        "    op.execute('INSERT INTO nowhere VALUES (1)')\n"
    )


def test_a_file_that_is_no_database_is_named_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "pullback.db"
    path.write_text("a training diary, not a database, and long enough to be read as one" * 20)
    with pytest.raises(StoreError, match="not a database"):
        open_store(path)
