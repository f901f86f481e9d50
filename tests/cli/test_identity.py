"""As root a command becomes the user the configuration belongs to, before it opens anything."""

import os
import pwd
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon import notify, signals
from daemon.cli import identity
from daemon.cli.session import Session
from daemon.clock import SystemClock
from daemon.doctor.files import too_open
from daemon.errors import UserError

LOADED = (notify, signals)  # before a test becomes somebody who may not look into this folder
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder everybody may look into, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def owned(path: Path, uid: int) -> Path:
    os.chown(path, uid, -1)
    return path


@needs_root
def test_the_owner_of_the_database_is_who_a_command_becomes(open_folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    state = open_folder / "state"
    state.mkdir()
    owned(state, nobody.pw_uid)
    config = open_folder / "config.toml"
    config.write_text(f'[database]\nurl = "sqlite:///{state}/pullback.db"\n')
    found = identity.service_user(config)
    assert found is not None
    assert found.pw_name == "nobody"


@needs_root
def test_without_a_database_the_owner_of_the_configuration_counts(open_folder: Path) -> None:
    config = open_folder / "config.toml"
    config.write_text("[database\n")
    owned(config, pwd.getpwnam("nobody").pw_uid)
    found = identity.service_user(config)
    assert found is not None
    assert found.pw_name == "nobody"


@needs_root
def test_what_is_written_afterwards_belongs_to_that_user_and_nobody_else_may_read_it(open_folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    config = open_folder / "config.toml"
    config.write_text("")
    owned(config, nobody.pw_uid)
    owned(open_folder, nobody.pw_uid)
    environ = {"HOME": "/root", "XDG_DATA_HOME": "/root/data"}
    child = os.fork()
    if child == 0:
        os.setgroups([0])
        identity.step_down(config, environ)
        (open_folder / "made").write_text("")
        try:
            os.setuid(0)
        except PermissionError:
            follows = environ["HOME"] == nobody.pw_dir and "XDG_DATA_HOME" not in environ
            os._exit(0 if follows and 0 not in os.getgroups() else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    made = (open_folder / "made").stat()
    assert (made.st_uid, made.st_gid) == (nobody.pw_uid, nobody.pw_gid)
    assert stat.S_IMODE(made.st_mode) == 0o600


@needs_root
def test_who_may_not_read_the_configuration_is_told_to_use_sudo(open_folder: Path) -> None:
    locked = open_folder / "etc"
    locked.mkdir(mode=0o750)
    (locked / "config.toml").write_text("")
    child = os.fork()
    if child == 0:
        nobody = pwd.getpwnam("nobody")
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
        session = Session(environ={}, clock=SystemClock(), config_option=locked / "config.toml")
        try:
            session.config()
        except UserError as error:
            os._exit(0 if "try again with sudo" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_root_stays_root_where_everything_is_roots(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("")
    before = os.geteuid()
    identity.step_down(config, {})
    assert os.geteuid() == before


@pytest.mark.parametrize(
    ("mode", "group", "hint"),
    [
        (0o600, 1, None),
        (0o640, 1, None),
        (0o640, 2, "chmod g="),
        (0o660, 1, "chmod g-wx"),
        (0o644, 1, "chmod o="),
    ],
)
def test_check_says_when_a_file_with_secrets_is_too_open(mode: int, group: int, hint: str | None) -> None:
    problem = too_open(mode, group, own_group=1)
    assert problem is None if hint is None else hint in str(problem)
