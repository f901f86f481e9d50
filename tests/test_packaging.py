"""What a clone promises whoever installs it: locks, make targets, unit and wheel belong together. Needs no network."""

import configparser
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOP = Path(__file__).parents[1]
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text())
LOCKS = ("requirements.lock", "tests/requirements.lock")


def locked(name: str) -> dict[str, Requirement]:
    lines = (TOP / name).read_text().splitlines()
    pins = [Requirement(line.rstrip(" \\")) for line in lines if re.match(r"[a-z0-9]", line)]
    return {canonicalize_name(pin.name): pin for pin in pins}


def version(pin: Requirement) -> str:
    (only,) = pin.specifier
    assert only.operator == "==", f"{pin} is no pin"
    return only.version


def unmet(wanted: list[str], lock: dict[str, Requirement]) -> list[str]:
    """The requirements a lock doesn't satisfy."""
    needs = [Requirement(text) for text in wanted]
    return [
        str(need)
        for need in needs
        if (pin := lock.get(canonicalize_name(need.name))) is None or not need.specifier.contains(version(pin))
    ]


def test_the_lock_satisfies_the_project() -> None:
    wanted = PROJECT["project"]["dependencies"] + PROJECT["build-system"]["requires"]
    wanted += PROJECT["project"]["optional-dependencies"]["web"]
    assert unmet(wanted, locked("requirements.lock")) == [], "run `make lock`"


def test_the_tools_lock_satisfies_its_list_and_agrees_with_the_first() -> None:
    lines = (TOP / "tests/requirements.in").read_text().splitlines()
    assert unmet([line for line in lines if re.match(r"[a-z]", line)], locked(LOCKS[1])) == [], "run `make lock`"
    program, tools = (locked(name) for name in LOCKS)
    assert {n: version(tools[n]) for n in tools if n in program} == {
        n: version(program[n]) for n in tools if n in program
    }


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_hashes_and_no_lock_names_a_machine(name: str) -> None:
    text = (TOP / name).read_text()
    entries = re.split(r"\n(?=[a-z0-9])", text)[1:]
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert not re.search(r"https?://|file:|--index-url|--find-links|--trusted-host|\s/\w+/", text)


def test_every_dependency_is_bounded_above() -> None:
    extras = PROJECT["project"]["optional-dependencies"].values()
    needs = [Requirement(text) for text in chain(PROJECT["project"]["dependencies"], *extras)]
    assert [str(need) for need in needs if not any(s.operator == "<" for s in need.specifier)] == []


def test_what_is_installed_here_is_what_the_lock_names() -> None:
    """The rest of the suite says something about these versions and no others."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    def found(name: str) -> str | None:
        try:
            return installed(name)
        except PackageNotFoundError:
            return None

    program = locked("requirements.lock")
    wrong = {name: found(name) for name, pin in program.items() if found(name) != version(pin)}
    assert wrong == {}, "run `make test`, which sets .venv up"


@pytest.mark.parametrize(
    "target",
    [
        "help",
        "demo",
        "test",
        "lint",
        "browser",
        "benchmark",
        "benchmark-short",
        "lock",
        "man",
        "audit",
        "fuzz",
        "install",
        "uninstall",
        "clean",
    ],  # fmt: skip
)
def test_make_knows_its_targets(target: str) -> None:
    done = subprocess.run(["make", "-n", target], cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_make_without_a_target_only_explains() -> None:
    done = subprocess.run(["make"], cwd=TOP, capture_output=True, text=True, check=True)
    assert "make demo" in done.stdout and "make test" in done.stdout


def test_make_fuzz_tries_every_test_of_strangers_bytes() -> None:
    show = ["make", "--silent", "--eval", "fuzzed: ; @echo $(FUZZED)", "fuzzed"]
    listed = subprocess.run(show, cwd=TOP, capture_output=True, text=True, check=True).stdout.split()
    tests = {str(path.relative_to(TOP)): path.read_text("utf-8") for path in (TOP / "tests").rglob("test_*.py")}
    read = {name for name, text in tests.items() if name.startswith("tests/recordings/") and "@given(" in text}
    assert len(read) == 4
    assert read | {name for name, text in tests.items() if "\nfrom tests.fuzzing import" in text} == set(listed)
    assert not [name for name in listed if "@settings(" in tests[name]]


def test_an_interpreter_the_service_could_not_reach_is_refused(tmp_path: Path) -> None:
    """The check of `make install`, run as it stands there by an interpreter that says it lies under /root."""
    makefile = (TOP / "Makefile").read_text()
    found = re.search(r"^WHY_NOT := (.*?[^\\])$", makefile, re.MULTILINE | re.DOTALL)
    assert found is not None
    check = found[1].replace("\\\n", "")
    for home, refused in (("/root/.pyenv/versions/3.11", True), ("/home/ann/python", True), ("/usr", False)):
        pretend = f"import sys; sys.executable = sys.base_prefix = {home!r}; {check}"
        done = subprocess.run([sys.executable, "-c", pretend], capture_output=True, text=True, check=False)
        assert (done.returncode != 0) is refused
        assert (home in done.stderr and "make install PYTHON=/usr/bin/python3" in done.stderr) is refused


def test_the_installed_configuration_is_the_example_with_its_database_in_the_state_directory() -> None:
    """The edit `make install` makes, as make would run it."""
    plan = subprocess.run(["make", "-n", "install"], cwd=TOP, capture_output=True, text=True, check=True).stdout
    found = re.search(r"sed '([^']+)' config\.example\.toml", plan)
    assert found is not None
    edited = subprocess.run(
        ["sed", found[1], "config.example.toml"], cwd=TOP, capture_output=True, text=True, check=True
    )
    assert tomllib.loads(edited.stdout)["database"] == {"url": "sqlite:////var/lib/pullback/pullback.db"}
    before = (TOP / "config.example.toml").read_text().splitlines()
    changed = [pair for pair in zip(before, edited.stdout.splitlines(), strict=True) if pair[0] != pair[1]]
    assert len(changed) == 1


UNIT = TOP / "systemd/pullback.service"


def unit() -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT)
    return parser["Service"]


@pytest.mark.parametrize(
    ("directive", "value"),
    [
        ("Type", "notify"),
        ("User", "pullback"),
        ("ExecStart", "/opt/pullback/bin/pullback run"),
        ("ExecReload", "/bin/kill -HUP $MAINPID"),
        ("Restart", "on-failure"),
        ("RestartPreventExitStatus", "2"),
        ("StateDirectory", "pullback"),
        ("StateDirectoryMode", "0700"),
        ("UMask", "0077"),
        ("LimitCORE", "0"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("MemoryDenyWriteExecute", "yes"),
        ("CapabilityBoundingSet", ""),
        ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
    ],
)
def test_the_unit_says(directive: str, value: str) -> None:
    assert unit()[directive] == value


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_the_units_exposure_is_small_and_the_unit_sound() -> None:
    """Without a running systemd: the file as it is."""
    security = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=13", UNIT]
    done = subprocess.run(security, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0, done.stdout[-500:] + done.stderr
    found = re.search(r"exposure level for pullback.service: ([\d.]+)", done.stdout)
    assert found is not None and float(found[1]) <= 1.3


def test_the_unit_leaves_time_to_stop_and_comes_back_at_once() -> None:
    service = unit()
    assert int(service["RestartSec"]) <= 5
    assert int(service["TimeoutStopSec"]) > 5, "the daemon stops within five seconds"
    assert service["WatchdogSec"]


def test_the_wheel_carries_what_is_no_python_and_no_tests(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=TOP, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("pullback-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        script = next(name for name in names if name.endswith("entry_points.txt"))
        assert "pullback = daemon.__main__:main" in archive.read(script).decode()
    sources = {str(path.relative_to(TOP)) for path in (TOP / "daemon").rglob("*") if path.is_file()}
    sources = {name for name in sources if "__pycache__" not in name}
    assert sources <= names
    assert any(re.search(r"migrations/.*\.py$", name) for name in names)
    assert "daemon/config.example.toml" in names
    assert not [name for name in names if name.startswith(("tests/", "systemd/"))]
