"""`make install` and the unit under a real systemd, as an operator meets them.

Runs only as root and with PULLBACK_SYSTEMD_BOX naming a program that knows `up`, `run COMMAND…` and `down`: a
throw-away machine with systemd whose files are below `$TMPDIR/systemd-box/root`. Takes minutes, changes nothing else.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from daemon.simulator.faults import Fault
from daemon.simulator.standin import StandIn
from daemon.simulator.stories import strained
from daemon.simulator.world import StravaWorld
from tests.house import Phone, plain_run

BOX = os.environ.get("PULLBACK_SYSTEMD_BOX", "")
TOP = Path(__file__).parents[2]
CLONE = "/root/clone"

if not BOX or os.geteuid() != 0:
    pytest.skip("needs root, and PULLBACK_SYSTEMD_BOX naming a throw-away systemd", allow_module_level=True)


class Machine:
    """The machine in the box."""

    files = Path(tempfile.gettempdir(), "systemd-box", "root")

    def sh(self, command: str, *, fails: bool = False) -> str:
        """What a shell there says; the command must end as announced."""
        done = subprocess.run(
            [BOX, "run", "sh", "-c", f"{{ {command}\n}} 2>&1"], capture_output=True, text=True, check=False, timeout=300
        )
        assert (done.returncode != 0) is fails, done.stdout
        return done.stdout

    def shows(self, name: str) -> str:
        return self.sh(f"systemctl show --property={name} --value pullback").strip()

    def comes_to(self, state: str, within_s: float) -> None:
        """Waits for the unit's state; there is nothing to subscribe to in a shell."""
        until = time.monotonic() + within_s
        while (seen := self.shows("ActiveState")) != state:
            assert time.monotonic() < until, f"{seen}, not {state}, after {within_s} s"
            time.sleep(0.1)

    def consent(self) -> None:
        """`pullback auth --paste`, with the runner's browser in our hands."""
        with subprocess.Popen(
            [BOX, "run", "pullback", "auth", "--paste"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as auth:
            assert auth.stdout is not None and auth.stdin is not None
            address = next(line.strip() for line in auth.stdout if line.startswith("http"))
            auth.stdin.write(httpx.get(address, follow_redirects=False).headers["location"] + "\n")
            auth.stdin.close()
            said = auth.stdout.read()
        assert auth.returncode == 0, said

    def setting(self, table: str, lines: str) -> None:
        """Puts lines under a table of the configuration, and has the service read them."""
        config = self.files / "etc/pullback/config.toml"
        config.write_text(config.read_text().replace(f"[{table}]\n", f"[{table}]\n{lines}\n", 1))
        self.sh("timeout 10 systemctl reload pullback")

    def runs(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(self.sh("cd / && pullback runs --json"))
        return found

    def clone(self) -> None:
        """The tree as git knows it, in a folder only root may enter."""
        tracked = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"], cwd=TOP, capture_output=True, text=True, check=True
        ).stdout
        for name in filter(lambda name: (TOP / name).is_file(), tracked.splitlines()):
            target = self.files / CLONE.lstrip("/") / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TOP / name, target)


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    subprocess.run([BOX, "up"], check=True, stdout=subprocess.DEVNULL, timeout=60)
    try:
        machine = Machine()
        machine.clone()
        machine.sh(f"cd {CLONE} && umask 077 && make install")
        machine.sh(f"rm -rf {CLONE}")  # what is installed needs no clone
        yield machine
    finally:
        subprocess.run([BOX, "down"], check=False, stdout=subprocess.DEVNULL, timeout=60)


@pytest.fixture
def service(machine: Machine) -> Iterator[Machine]:
    """The service, running with the configuration that was installed."""
    config = machine.sh("cat /etc/pullback/config.toml")
    machine.sh("systemctl reset-failed pullback; systemctl restart pullback")
    yield machine
    machine.sh("systemctl stop pullback")
    (machine.files / "etc/pullback/config.toml").write_text(config)


def test_what_is_installed_belongs_to_root_and_the_data_to_the_service(machine: Machine) -> None:
    seen = machine.sh("stat -c '%n %U:%G %a' /opt/pullback /etc/pullback /etc/pullback/config.toml /var/lib/pullback")
    assert seen.splitlines() == [
        "/opt/pullback root:root 755",
        "/etc/pullback root:pullback 750",
        "/etc/pullback/config.toml root:pullback 640",
        "/var/lib/pullback pullback:pullback 700",
    ]
    assert machine.sh("find /opt/pullback ! -perm -o=r ! -type l") == "", "the service must be able to read all of it"
    assert machine.sh("find /opt/pullback /usr/local/bin/pullback ! -type l -perm /022") == ""


def test_unconfigured_it_is_up_and_says_what_is_missing(service: Machine) -> None:
    assert service.shows("ActiveState") == "active"
    assert "client_id" in service.shows("StatusText")
    assert service.sh("ps -o user= -p $(systemctl show -p MainPID --value pullback)").strip() == "pullback"


def test_what_it_writes_others_may_not_read(service: Machine) -> None:
    assert service.sh("ls /var/lib/pullback/pullback.db")
    assert service.sh("find /var/lib/pullback ! -user pullback") == ""
    assert service.sh("find /var/lib/pullback -perm /077") == ""


def test_root_by_hand_leaves_no_file_of_its_own(service: Machine) -> None:
    service.sh("cd / && pullback status")
    assert service.sh("find /var/lib/pullback ! -user pullback") == ""


def test_the_unit_is_locked_down(machine: Machine) -> None:
    said = machine.sh("systemd-analyze security pullback")
    found = re.search(r"exposure level for pullback.service: ([\d.]+)", said)
    print(found and found[0])
    assert found is not None and float(found[1]) <= 1.3


def test_nothing_is_installed_but_what_the_lock_names(machine: Machine) -> None:
    listed = machine.sh("/opt/pullback/bin/python -m pip list --format=freeze --disable-pip-version-check").split()
    locked = set(re.findall(r"(?m)^([\w.-]+==[\w.]+)", (TOP / "requirements.lock").read_text()))
    # What Python's own venv brings along.
    others = {line for line in listed if line.split("==")[0] not in ("pip", "setuptools", "pullback")}
    assert {name.lower().replace("_", "-") for name in others} <= {name.lower().replace("_", "-") for name in locked}


def test_killed_it_is_back_within_seconds(service: Machine) -> None:
    before = service.shows("MainPID")
    service.sh(f"kill -KILL {before}")
    service.comes_to("activating", 2)
    service.comes_to("active", 8)
    assert service.shows("MainPID") != before


def test_stopping_takes_no_more_than_five_seconds(service: Machine) -> None:
    began = time.monotonic()
    service.sh("systemctl stop pullback")
    assert time.monotonic() - began < 5
    assert service.shows("Result") == "success"


def test_a_reload_reads_the_new_configuration(service: Machine) -> None:
    config = service.files / "etc/pullback/config.toml"
    config.write_text(config.read_text().replace("# client_id = 12345", "client_id = 12345"))
    service.sh("timeout 10 systemctl reload pullback")
    assert service.shows("ActiveState") == "active"
    assert "client_secret" in service.shows("StatusText")


def test_a_broken_configuration_is_refused_by_a_reload_and_the_service_stays(service: Machine) -> None:
    config = service.files / "etc/pullback/config.toml"
    config.write_text(config.read_text() + '\n[schedule]\npol = "5m"\n')
    before = service.shows("MainPID")
    service.sh("timeout 10 systemctl reload pullback")
    assert (service.shows("ActiveState"), service.shows("MainPID")) == ("active", before)
    assert "refused" in service.shows("StatusText")


def test_a_broken_configuration_at_the_start_is_no_restart_loop(service: Machine) -> None:
    config = service.files / "etc/pullback/config.toml"
    service.sh("systemctl stop pullback")
    config.write_text("[schedule\n")
    service.sh("systemctl start pullback", fails=True)
    service.comes_to("failed", 5)
    assert service.shows("ExecMainStatus") == "2"
    service.sh("systemctl reset-failed pullback")


def test_authorised_while_it_runs_it_fetches_the_runs_without_a_restart(service: Machine) -> None:
    """All the way through the walls around the process: the app entered, the runner's consent, the first pull."""
    before = service.shows("MainPID")
    now = datetime.now(UTC)
    world = StravaWorld(lambda: now)
    for day in range(5):
        world.add(plain_run(100 + day, now - timedelta(days=2 * day + 1)))
    with StandIn(world) as strava:
        service.setting("strava", app_of(strava))
        service.consent()
        until = time.monotonic() + 60
        while len(service.runs()) < 5:
            assert time.monotonic() < until, service.shows("StatusText")
            time.sleep(1)
    assert (service.shows("ActiveState"), service.shows("MainPID")) == ("active", before)
    assert service.sh("find /var/lib/pullback ! -user pullback") == ""


def app_of(strava: StandIn) -> str:
    return f'client_id = 1\nclient_secret = "secret"\nbase_url = "{strava.base_url}"\napi_url = "{strava.api_url}"'


def test_a_warning_reaches_the_phone_once_though_the_service_is_killed_and_a_read_that_hangs_delays_no_stop(
    service: Machine,
) -> None:
    """30 weeks that ended in a pull-back, through the unit's walls to a phone outside."""
    service.sh("systemctl stop pullback; rm -r /var/lib/pullback/pullback.db*; systemctl start pullback")
    world, phone = StravaWorld(lambda: datetime.now(UTC)), Phone()
    world.add_all(strained(datetime.now(UTC).date()).activities)
    for quota in (world.limits.read, world.limits.overall):
        quota.short_limit = quota.long_limit = 100_000
    with StandIn(world) as strava:
        service.setting("alerts", f'urls = ["{phone.url}"]')
        service.setting("strava", app_of(strava))
        service.consent()
        until = time.monotonic() + 120
        while not phone.messages:
            assert time.monotonic() < until, service.shows("StatusText")
            time.sleep(0.5)
        before = service.shows("MainPID")
        service.sh("systemctl kill -s KILL pullback")
        while service.shows("MainPID") in (before, "0") or "synced" not in service.shows("StatusText"):
            assert time.monotonic() < until, service.shows("StatusText")
            time.sleep(0.5)
        assert [title.lower().count("pull back") for title in phone.titles] == [1]

        world.fail("streams", Fault("hang", seconds=60), times=None)
        world.add(plain_run(7, datetime.now(UTC) - timedelta(hours=1)))
        service.sh("systemctl reload pullback")
        while not any(call.path.endswith("/7/streams") for call in world.asked):
            assert time.monotonic() < until, service.shows("StatusText")
            time.sleep(0.1)
        began = time.monotonic()
        service.sh("systemctl stop pullback")
        assert time.monotonic() - began < 5
        assert service.shows("Result") == "success"
    phone.hang_up()


def test_a_stopped_process_is_noticed_by_the_watchdog_and_its_successor_looks_at_the_database(
    service: Machine,
) -> None:
    before = service.shows("MainPID")
    service.sh("mkdir -p /run/systemd/system/pullback.service.d")
    service.sh("printf '[Service]\\nWatchdogSec=4\\n' > /run/systemd/system/pullback.service.d/haste.conf")
    service.sh("systemctl daemon-reload; systemctl restart pullback")
    before = service.shows("MainPID")
    service.sh(f"kill -STOP {before}")
    until = time.monotonic() + 30
    while service.shows("MainPID") in (before, "0") or service.shows("ActiveState") != "active":
        assert time.monotonic() < until
        time.sleep(0.2)
    assert service.shows("NRestarts") == "1"
    service.sh("rm -r /run/systemd/system/pullback.service.d; systemctl daemon-reload; systemctl restart pullback")


def test_a_second_daemon_is_refused_and_a_backup_made_beside_the_first(service: Machine) -> None:
    refused = service.sh("cd / && pullback run", fails=True)
    assert "another pullback run" in refused and "Traceback" not in refused
    service.sh("cd / && pullback backup /var/lib/pullback/mine.db")
    assert service.sh("stat -c '%U:%G %a' /var/lib/pullback/mine.db").strip() == "pullback:pullback 600"
    service.sh("rm /var/lib/pullback/mine.db")


def test_the_night_before_is_put_back_as_the_page_says(service: Machine) -> None:
    text = (TOP / "systemd/README.md").read_text()
    block = re.search(r"## Backup and restore.*?```\n(systemctl stop pullback\n.*?)```", text, re.DOTALL)
    assert block is not None
    newest = service.sh("ls /var/lib/pullback/backups | tail -n 1").strip()
    service.sh("set -e\n" + re.sub(r"pullback-[\d-]+\.db", newest, block[1]))
    assert service.shows("ActiveState") == "active"
    assert service.sh("find /var/lib/pullback ! -user pullback; find /var/lib/pullback -perm /077") == ""
    service.sh("rm -r /var/lib/pullback/old-*")


def test_check_sees_the_service(service: Machine) -> None:
    said = service.sh("cd / && pullback check", fails=True)
    assert re.search(r"systemd +(warning +the service runs, and won't|ok)", said), said
    assert "Traceback" not in said


def test_the_journal_has_priorities(service: Machine) -> None:
    service.sh("systemctl reload pullback")
    ready = service.sh("journalctl -u pullback -o json --no-pager -n 200 | grep 'ready status' | tail -n 1")
    assert json.loads(ready)["PRIORITY"] == "6"
    assert not json.loads(ready)["MESSAGE"].startswith("<")


def test_an_upgrade_keeps_configuration_and_data_and_goes_on_running(service: Machine) -> None:
    config = service.files / "etc/pullback/config.toml"
    config.write_text(config.read_text() + "# mine\n")
    before = service.shows("MainPID")
    service.clone()
    service.sh(f"cd {CLONE} && make install")
    assert config.read_text().endswith("# mine\n")
    assert service.sh("stat -c '%U:%G %a' /etc/pullback/config.toml").strip() == "root:pullback 640"
    assert service.shows("ActiveState") == "active" and service.shows("MainPID") != before


def test_uninstalling_leaves_configuration_and_data(machine: Machine) -> None:
    """The last one: the machine is without pullback afterwards."""
    machine.clone()
    said = machine.sh(f"cd {CLONE} && make uninstall")
    assert "/etc/pullback/" in said and "/var/lib/pullback/" in said
    machine.sh("test -e /etc/pullback/config.toml && test -e /var/lib/pullback/pullback.db")
    machine.sh("ls -d /opt/pullback* /usr/local/bin/pullback /etc/systemd/system/pullback.service", fails=True)
    machine.sh("systemctl status pullback", fails=True)
