"""The command line as a whole: what answers without loading anything, and `init`."""

import os
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

from daemon import cli
from daemon.config import parse
from daemon.signals import SignalParams

ROOT = Path(__file__).parents[2]


def pullback(*arguments: str, home: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """One command in a process of its own, with an empty home."""
    return subprocess.run(
        [sys.executable, "-m", "daemon", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "COLUMNS": "80", **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_names_every_command_and_loads_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from daemon.cli import main\n"
        "code = main(['--help'])\n"
        "heavy = {'numpy', 'sqlalchemy', 'sqlmodel', 'stravalib', 'apprise', 'rich', 'httpx', 'requests', 'pydantic'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))\n"
        "sys.exit(code)\n"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "heavy: []" in run.stdout
    for name, line in cli.COMMANDS.items():
        assert f"  {name} " in run.stdout
        assert line[:30] in run.stdout


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([name, "--help"]) == 0
    out, err = capsys.readouterr()
    assert f"Usage: pullback {name}" in out
    assert "<" not in out.replace("0<=x<=65535", "")  # no <int>, no <list[str]>
    assert max(map(len, out.splitlines())) <= 80
    assert err == ""


def test_usage_errors_leave_with_2_and_suggest(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["statsu"]) == 2
    assert "Did you mean 'status'" in capsys.readouterr().err
    assert cli.main(["init", "--no-such-option"]) == 2


def test_every_command_file_is_listed() -> None:
    stems = {path.stem for path in Path(cli.__file__).parent.glob("*.py")} - {"__init__"}
    files = {stem.removesuffix("_").replace("_", "-") for stem in stems}
    assert files - set(cli.COMMANDS) == {"door", "identity", "manual", "runner", "session", "show", "sparks"}
    assert set(cli.COMMANDS) <= files


def test_init_writes_a_configuration_for_its_owner_only_and_says_what_is_next(tmp_path: Path) -> None:
    run = pullback("init", home=tmp_path)
    written = tmp_path / ".config" / "pullback" / "config.toml"
    assert (run.returncode, run.stderr) == (0, "")
    assert str(written) in run.stdout
    assert "pullback auth" in run.stdout
    assert written.stat().st_mode & 0o777 == 0o600
    parse(
        written.read_text(),
        environ={},
        where="",
        check_url=lambda url: None,
        signal_tables=get_type_hints(SignalParams),
    )


def test_init_never_overwrites(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("# mine\n")
    run = pullback("--config", str(mine), "init", home=tmp_path)
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert "stays as it is" in run.stderr
    assert mine.read_text() == "# mine\n"
