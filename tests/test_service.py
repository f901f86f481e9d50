"""The daemon as systemd runs it: a process of its own, told by signals, telling by its notify socket.

Every wait is a blocking read of that socket, or of the stand-in's list of requests, with a time-out.
"""

import os
import queue
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from daemon import access
from daemon.clock import SystemClock
from daemon.service import STOP_WAIT_S
from daemon.simulator.faults import Fault
from daemon.simulator.standin import StandIn
from daemon.simulator.tokens import Grant
from daemon.simulator.world import StravaWorld
from daemon.store import activities as rows
from daemon.store import backup, open_store, outbox
from daemon.strava.auth import SCOPES, read_tokens
from tests.cli.terminal import Terminal
from tests.house import House, Phone, plain_run
from tests.test_heartbeat import Switchboard

ROOT = Path(__file__).parents[1]
SECRET = "f00dfeedf00dfeed"
HASTE = "import daemon.service as d, daemon.systemd as s; d.TICK_S, s.STUCK_AFTER_S = 0.5, 2.0"
"""Work is stuck after two seconds already."""
SET_BACK = """
import daemon.service as d, datetime, os
from daemon.clock import SystemClock
from daemon.service import STOP_WAIT_S
d.TICK_S, true = 0.5, SystemClock.now
def now(self):
    return true(self) - datetime.timedelta(hours=os.path.exists({sign!r}))
SystemClock.now = now
"""
"""Once there is a file `sign` somebody has set the clock back by an hour."""
SLOW = """
import daemon.evaluate.judging as j, threading
looked, renew, judge_days = threading.Event(), d.renew, j.judge_days
def look(store):
    gone, renewed = store.replaced(), renew(store)
    if gone:
        looked.set()
    return renewed
def slowly(*known, **options):
    judged = list(judge_days(*known, **options))
    s.notify("STATUS=in the middle")
    looked.wait(60)
    s.notify("STATUS=judged")
    return iter(judged)
d.renew, j.judge_days = look, slowly
"""
"""Judging lasts until the main thread has seen that the database is gone."""
PATIENT = "import daemon.strava.wire as w; w.Timeouts.__init__.__defaults__ = (5.0, 600.0, 600.0)"
"""A read from Strava that hangs does so for ten minutes."""
PATIENCE_S = 120.0
"""For a busy machine; each wait takes a second or two."""
SOON_S = 60.0
"""Five seconds, on a machine where they last; far less than what is waited for in vain would take."""


class WatchedWorld(StravaWorld):
    """A Strava that says at once when it is asked."""

    def __init__(self) -> None:
        super().__init__(SystemClock().now, client_secret=SECRET)
        self.requests: queue.Queue[str] = queue.Queue()

    def note(self, method: str, path: str, query: dict[str, str], status: int) -> None:
        super().note(method, path, query, status)
        self.requests.put(path)

    def wait_for(self, path_end: str) -> None:
        while not self.requests.get(timeout=PATIENCE_S).endswith(path_end):
            continue


@dataclass
class Machine:
    """A machine with systemd's end of the notify socket, a Strava and a phone."""

    folder: Path
    world: WatchedWorld
    terminal: Terminal
    phone: Phone
    inbox: socket.socket
    switchboard: Switchboard
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    @property
    def channel(self) -> str:
        return f"{self.phone.url}topic-5ecret"

    def start(self, *options: str, before: str = "", **environ: str) -> subprocess.Popen[bytes]:
        """`pullback run`; `before` is Python that the process runs first."""
        environ |= {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "NOTIFY_SOCKET": self.inbox.getsockname(),
            "STATE_DIRECTORY": str(self.terminal.database.parent),
        }
        script = f"import sys\n{before}\nfrom daemon.__main__ import main\nmain()"
        command = [sys.executable, "-c", script, "--config", str(self.terminal.config), "run", *options]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log, umask=0)
        self.processes.append(process)
        return process

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def told(self, *signs: str) -> str:
        """Waits until each of `signs` was in a message, in whatever order they came; gives the last of these."""
        missing = set(signs)
        while True:
            message = self.inbox.recv(4096).decode()
            self.messages.append(message)
            missing -= {sign for sign in missing if sign in message}
            if not missing:
                return message

    def authorise(self) -> None:
        """As `pullback auth` does once Strava has answered."""
        issued = self.world.tokens.issue(Grant("1", self.world.runner, frozenset(SCOPES)), self.world.now())
        tokens = read_tokens(issued, scope=frozenset(SCOPES), athlete_id=self.world.runner)
        with closing(open_store(self.terminal.database)) as store:
            access.authorise(store, tokens)

    def runs(self, count: int) -> list[int]:
        now = self.world.now().replace(microsecond=0)
        return [self.world.add(plain_run(n, now - timedelta(days=n), minutes=10)) for n in range(1, count + 1)]

    def alert(self, channel: str | None = None) -> None:
        with closing(open_store(self.terminal.database)) as store, store.write() as session:
            outbox.open_alert(
                session,
                self.world.runner,
                kind="test",
                episode="",
                title="pullback can reach you here",
                text="No judgement opens or closes this one.",
                event=True,
                channels=[outbox.channel_id(channel or self.channel)],
                now=self.world.now(),
            )

    def stop(self, process: subprocess.Popen[bytes]) -> float:
        """SIGTERM; how many seconds it took."""
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
        return time.monotonic() - asked

    def sql(self, statement: str) -> list[Any]:
        with closing(sqlite3.connect(self.terminal.database)) as connection, connection:
            return connection.execute(statement).fetchall()

    def secrets(self) -> set[str]:
        tokens = self.world.tokens
        return {SECRET, "topic-5ecret", "beat-5ecret", *tokens._access, *tokens._refresh}  # noqa: SLF001 - all that were ever issued


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine whose config is complete; whatever a test does there, its log and messages hold no secret."""
    with ExitStack() as stack:
        world, phone = WatchedWorld(), Phone()
        stack.callback(phone.hang_up)
        standin = stack.enter_context(StandIn(world))
        inbox = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        inbox.bind(str(tmp_path / "notify"))
        inbox.settimeout(PATIENCE_S)
        switchboard = Switchboard()
        stack.callback(switchboard.hang_up)
        machine = Machine(tmp_path, world, Terminal(tmp_path, world, standin), phone, inbox, switchboard)
        machine.terminal.more_config = (
            f'[alerts]\nurls = ["{machine.channel}"]\n[heartbeat]\nurl = "{switchboard.url}/beat-5ecret"'
        )
        machine.terminal.write_config(client_secret=f'"{SECRET}"')
        yield machine
        for process in machine.processes:
            process.kill()
            process.wait()
        said = (machine.log.read_text() if machine.log.exists() else "") + "\n".join(machine.messages)
        assert not [secret for secret in machine.secrets() if secret in said]


def test_it_waits_for_app_and_runner_refuses_a_broken_config_and_needs_no_restart(machine: Machine) -> None:
    machine.runs(2)
    complete = machine.terminal.config.read_text()
    machine.terminal.write_config(client_id="", client_secret=f'"{SECRET}"')
    process = machine.start()
    assert "[strava] client_id is not set" in machine.told("READY=1")
    assert processor_s(process) < 10

    machine.terminal.config.write_text(complete)
    process.send_signal(signal.SIGHUP)
    assert "MONOTONIC_USEC=" in machine.told("RELOADING=1")
    machine.told("READY=1", "not authorised; run `pullback auth`")

    machine.terminal.config.write_text('[strava]\nclient_id = 2\napi_url = "https://elsewhere.invalid"\n[schedul]\n')
    process.send_signal(signal.SIGHUP)
    machine.told("RELOADING=1")
    machine.told("STATUS=new config refused")
    machine.told("READY=1")

    machine.authorise()
    authorised = time.monotonic()
    machine.told("synced")  # with the app and the address of the config before
    assert time.monotonic() - authorised < 5 * SOON_S  # the next poll would come in twenty minutes
    machine.stop(process)
    machine.told("STOPPING=1")
    assert "did you mean schedule?" in machine.log.read_text()


def test_a_read_that_hangs_does_not_hold_up_a_stop(machine: Machine) -> None:
    machine.runs(3)
    machine.authorise()
    machine.world.fail("streams", Fault("hang", seconds=600), times=None)
    process = machine.start(before=PATIENT)
    machine.world.wait_for("/streams")
    assert machine.stop(process) < SOON_S
    assert STOP_WAIT_S < 5


def test_a_process_killed_in_the_middle_of_a_pull_goes_on_where_it_was(machine: Machine) -> None:
    ids = machine.runs(6)
    machine.authorise()
    machine.world.fail("activities/4/streams", Fault("hang", seconds=60))
    process = machine.start()
    machine.world.wait_for("/activities/4/streams")
    process.kill()
    process.wait()
    restarted = machine.start()
    machine.told("synced")
    machine.stop(restarted)
    assert machine.sql("PRAGMA integrity_check") == [("ok",)]
    with closing(open_store(machine.terminal.database)) as store, store.read() as session:
        known = rows.known(session, machine.world.runner)
    assert {number: run.recording for number, run in known.items()} == dict.fromkeys(ids, "have")
    asked = [call.path.split("/")[-2] for call in machine.world.api_calls("streams")]
    assert sorted(asked) == ["1", "2", "3", "4", "4", "5", "6"]


def test_it_feeds_the_watchdog_and_survives_a_bug_in_a_job_and_a_phone_that_is_off(machine: Machine) -> None:
    machine.runs(2)
    machine.authorise()
    machine.phone.status = 500
    machine.alert()
    process = machine.start(WATCHDOG_USEC="1000000")
    machine.told("synced")
    machine.told("WATCHDOG=1")
    machine.sql("DELETE FROM verdict")
    machine.sql("UPDATE metrics SET data = '{'")  # no version of ours writes this, so reading it is a bug
    process.send_signal(signal.SIGHUP)
    machine.told("poll failed: see the log")
    machine.told("WATCHDOG=1")
    machine.sql("DELETE FROM metrics")
    process.send_signal(signal.SIGHUP)
    machine.told("synced")
    machine.stop(process)
    log = machine.log.read_text()
    assert "job failed, this is a bug job=poll" in log
    assert "Traceback" in log
    assert re.search(r"alert not sent alert=\d+ kind=test channel=1 scheme=\w+ problem=", log)
    assert machine.sql("SELECT state FROM delivery") == [("pending",)]


def test_a_crash_between_stravas_new_tokens_and_their_commit_is_known_for_what_it_was(machine: Machine) -> None:
    machine.runs(1)
    machine.authorise()
    machine.world.tokens.kill_access()
    machine.world.fail("/oauth/token", Fault("drip", seconds=60))
    process = machine.start()
    machine.world.wait_for("/oauth/token")
    process.kill()
    process.wait()
    restarted = machine.start()
    machine.told("an answer with a new one was lost on the way: run `pullback auth`")
    machine.stop(restarted)
    assert machine.sql("SELECT title FROM alert") == [("Strava access got lost on the way",)]
    machine.authorise()
    assert machine.terminal.pullback("sync").code == 0
    assert machine.sql("SELECT count(*) FROM alert WHERE kind = 'access' AND closed_at IS NULL") == [(0,)]


def test_who_mends_a_refusal_need_not_wait_for_the_next_probe(machine: Machine) -> None:
    """A subscription is mended before a reload; an authorisation by `pullback auth` beside the daemon."""
    machine.runs(1)
    machine.authorise()
    machine.world.inactive = True
    process = machine.start(before=HASTE)
    machine.told("no active Strava subscription")
    machine.world.inactive = False
    process.send_signal(signal.SIGHUP)
    machine.told("synced")
    machine.world.tokens.revoke(machine.world.runner)
    process.send_signal(signal.SIGHUP)
    machine.told("doesn't accept this authorisation")
    mended = time.monotonic()
    machine.authorise()
    while "doesn't accept" in machine.told("synced"):  # of a poll before
        continue
    assert time.monotonic() - mended < 5 * SOON_S  # the next probe would come in hours
    machine.stop(process)


def test_forgetting_beside_it_leaves_it_with_nothing_and_it_starts_again(machine: Machine) -> None:
    machine.runs(2)
    machine.authorise()
    process = machine.start()
    machine.told("synced")
    held = machine.terminal.database.stat().st_ino
    assert machine.terminal.pullback("forget", "--yes").code == 0
    machine.told("not authorised; run `pullback auth`")
    assert machine.terminal.database.stat().st_ino != held or machine.sql("SELECT count(*) FROM activity") == [(0,)]
    assert machine.sql("SELECT count(*) FROM token") == [(0,)]
    machine.stop(process)
    assert "the database was deleted or replaced" in machine.log.read_text()


def test_forgetting_while_it_judges_leaves_no_verdict_behind(machine: Machine) -> None:
    machine.runs(2)
    machine.authorise()
    process = machine.start(before=f"{HASTE}\n{SLOW}")
    machine.told("STATUS=in the middle")
    assert machine.terminal.pullback("forget", "--yes").code == 0
    machine.told("STATUS=judged")
    machine.told("not authorised; run `pullback auth`")
    machine.stop(process)
    assert machine.sql("SELECT count(*) FROM verdict") == [(0,)]
    assert machine.sql("SELECT count(*) FROM sync_state") == [(0,)]
    assert "the database was deleted or replaced: going on" in machine.log.read_text()


def test_a_poll_that_meets_a_slow_delivery_leaves_it_to_the_next_minute(house: House) -> None:
    with house.store.only_one("delivery"):
        house.daemon().deliver()


def test_the_page_comes_and_goes_with_a_reload_and_a_taken_port_stops_nothing(machine: Machine) -> None:
    machine.authorise()
    before = machine.terminal.config.read_text()
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        page = f'\n[web]\nlisten = "127.0.0.1:{port}"\ntoken = "topic-5ecret"\n'
        machine.terminal.config.write_text(before + page)
        process = machine.start()
        told = machine.told("can't be listened on (address already in use); change [web] listen", "synced")
        assert told.startswith("STATUS=no page")
    machine.terminal.config.write_text(before + page.replace("127.0.0.1", "localhost"))
    process.send_signal(signal.SIGHUP)
    machine.told("RELOADING=1")
    machine.told("STATUS=no runs yet")
    answer = httpx.get(f"http://localhost:{port}/healthz", headers={"Authorization": "Bearer topic-5ecret"})
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert httpx.get(f"http://localhost:{port}/metrics?token=topic-5ecret").status_code == 200
    assert httpx.get(f"http://localhost:{port}/?token=wrong").status_code == 401
    with closing(socket.create_connection(("localhost", port))) as silent:  # holds up no stop
        assert machine.stop(process) < SOON_S
        assert silent.recv(1) == b""
    assert "Traceback" not in machine.log.read_text()


def test_a_daemon_without_a_page_loads_nothing_for_it() -> None:
    script = "import sys; import daemon.service; print(sorted({'uvicorn', 'starlette', 'jinja2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_second_daemon_on_the_same_database_is_refused_in_a_sentence(machine: Machine) -> None:
    machine.terminal.config.chmod(0o644)
    first = machine.start()
    machine.told("READY=1")
    assert f"others may open it: chmod o= {machine.terminal.config}" in machine.log.read_text()
    second = machine.start()
    assert second.wait(PATIENCE_S) == 1
    assert f"another pullback run (process {first.pid})" in machine.log.read_text().splitlines()[-1]
    machine.stop(first)


def damage(database: Path) -> None:
    database.write_bytes(b"no database at all")


def processor_s(process: subprocess.Popen[bytes]) -> float:
    """The seconds of a processor it has cost so far (proc(5): utime and stime)."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def make_newer(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("spoil", "problem"), [(damage, "is not a database; check"), (make_newer, "was made by a newer pullback")]
)
def test_a_database_that_starting_again_would_not_mend_is_said_once_and_left_alone(
    machine: Machine, spoil: Callable[[Path], None], problem: str
) -> None:
    machine.authorise()
    spoil(machine.terminal.database)
    held = machine.terminal.database.read_bytes()
    process = machine.start()
    assert problem in machine.told("STATUS=")
    assert process.wait(PATIENCE_S) == 2, "RestartPreventExitStatus of the unit"
    assert len([line for line in machine.log.read_text().splitlines() if problem in line]) == 1
    method, path, body = machine.switchboard.hears()
    assert (method, path) == ("POST", "/beat-5ecret/fail") and problem in body
    assert machine.terminal.database.read_bytes() == held
    assert "RestartPreventExitStatus=2" in (ROOT / "systemd" / "pullback.service").read_text()
    assert machine.terminal.pullback("status").code == 1, "by hand it is an ordinary problem"


def test_a_newer_database_put_in_its_place_while_it_runs_is_said_once(machine: Machine) -> None:
    machine.authorise()
    process = machine.start(before=HASTE)
    machine.told("synced")
    newer = machine.terminal.database.with_name("newer.db")
    with closing(sqlite3.connect(machine.terminal.database)) as live, closing(sqlite3.connect(newer)) as copy:
        live.backup(copy)
    make_newer(newer)
    newer.replace(machine.terminal.database)
    for _ in range(4):
        machine.told("made by a newer pullback")  # each time it looks
    process.send_signal(signal.SIGHUP)  # and polls
    machine.told("while it was in use")
    assert "new config refused" not in machine.log.read_text(), "there is nothing wrong with that"
    machine.stop(process)
    assert machine.sql("SELECT version_num FROM alembic_version") == [("9999",)]
    said = [line for line in machine.log.read_text().splitlines() if "made by a newer pullback" in line]
    assert len([line for line in said if "job=database" in line]) == 1


def test_work_that_is_stuck_starves_the_watchdog_and_is_said(machine: Machine) -> None:
    machine.runs(2)
    machine.authorise()
    machine.world.fail("streams", Fault("hang", seconds=600), times=None)
    process = machine.start(before=f"{HASTE}\n{PATIENT}", WATCHDOG_USEC="400000")
    machine.told("WATCHDOG=1")
    machine.world.wait_for("/streams")
    machine.told("STATUS=poll is stuck")
    for _ in range(3):
        assert "WATCHDOG=1" not in machine.inbox.recv(4096).decode()
    assert machine.stop(process) < SOON_S
    assert "stuck, the watchdog is not fed work=poll" in machine.log.read_text()


def test_work_that_goes_on_for_an_hour_is_not_stuck_and_one_that_hangs_is(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed_s = 0.0
    daemon = house.daemon()
    monkeypatch.setattr(daemon.signs, "_monotonic", lambda: passed_s)
    monkeypatch.setattr(house.world, "note", lambda *call: let_pass(120))

    def let_pass(seconds: float) -> None:
        nonlocal passed_s
        passed_s += seconds
        assert daemon.signs.stuck() == ()

    now = house.clock.now()
    house.world.add_all([plain_run(n, now - timedelta(days=n), minutes=10) for n in range(1, 40)])
    daemon.signs.began("poll")
    daemon.poll()
    assert passed_s > 3600
    passed_s += 3600
    assert daemon.signs.stuck() == ("poll",)
    daemon.signs.ended()
    assert daemon.signs.stuck() == ()


def test_a_reload_in_the_middle_of_a_poll_is_followed_by_another(machine: Machine) -> None:
    machine.runs(1)
    machine.authorise()
    machine.world.fail("streams", Fault("drip", seconds=2))
    process = machine.start()
    machine.world.wait_for("/streams")
    process.send_signal(signal.SIGHUP)
    machine.told("RELOADING=1", "READY=1")
    machine.told("synced")
    machine.told("synced")
    machine.stop(process)


def test_a_clock_that_is_set_back_holds_up_no_poll(machine: Machine) -> None:
    machine.authorise()
    sign = machine.folder / "set back"
    process = machine.start(before=SET_BACK.format(sign=str(sign)))
    machine.told("synced")
    sign.touch()
    machine.told("synced")  # the next but for the clock were twenty minutes away
    machine.stop(process)
    assert re.search(r"clock set back, .* seconds=3[56]\d\d", machine.log.read_text())


def test_the_dead_mans_switch_hears_each_poll_and_what_is_wrong(machine: Machine) -> None:
    machine.runs(1)
    machine.authorise()
    process = machine.start()
    assert [machine.switchboard.hears()[1] for _ in range(2)] == ["/beat-5ecret/start", "/beat-5ecret"]
    machine.world.inactive = True
    process.send_signal(signal.SIGHUP)
    assert machine.switchboard.hears()[1] == "/beat-5ecret/start"
    method, path, body = machine.switchboard.hears()
    assert (method, path) == ("POST", "/beat-5ecret/fail")
    assert "subscription" in body
    machine.stop(process)
    assert len(backup.made(machine.terminal.database)) == 1, "the first night has its backup"


def test_a_night_with_a_full_disk_is_heard_and_the_daemon_goes_on(machine: Machine) -> None:
    """A folder for backups that is a file stands for a disk that takes none."""
    machine.authorise()
    (machine.terminal.database.parent / "backups").write_text("")
    process = machine.start()
    machine.told("synced")
    fails = [call for call in [machine.switchboard.hears() for _ in range(3)] if call[1].endswith("/fail")]
    assert fails and "backup" in fails[0][2]
    machine.stop(process)
    assert machine.log.read_text().count("job failed job=backup") == 1
