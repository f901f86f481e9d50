"""`pullback check` is the doctor: it names everything that stands in the way, at once, with the next step."""

import os
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from daemon import notify
from daemon.cli import show
from daemon.cli.sync import summary
from daemon.config import Channel, Config
from daemon.doctor import strava, telling, unit
from daemon.doctor.finding import Finding
from daemon.doctor.page import page
from daemon.evaluate import note_look
from daemon.evaluate.telling import BROKEN_LOOKS
from daemon.store import backup, open_store
from daemon.store.progress import Progress, save_progress
from daemon.sync import Outcome
from tests.cli.terminal import Terminal
from tests.exported import fit_file
from tests.house import Clock, House, Phone, plain_run
from tests.strained import strained_house
from tests.test_heartbeat import Switchboard, certificate
from tests.web.test_web import opened


def findings(out: str) -> list[tuple[str, str, str]]:
    """(what, result, text) of every line below the headings."""
    return [tuple(re.split(r"  +", line, maxsplit=2)) for line in out.splitlines()[1:]]  # type: ignore[misc]


def of(out: str, about: str) -> tuple[str, str]:
    """The one finding about something: result and text."""
    ((result, text),) = [(result, text) for name, result, text in findings(out) if name == about]
    return result, text


def test_all_is_well(terminal: Terminal) -> None:
    terminal.more_config = '[alerts]\nurls = ["json://localhost/"]'
    terminal.write_config()
    terminal.authorise()
    assert terminal.pullback("sync").code == 0
    backup.nightly(terminal.database, datetime(2026, 11, 2, 22), keep=7)
    result = terminal.pullback("check")
    assert (result.code, result.err) == (0, ""), result.out
    looked_at = [about for about, _, _ in findings(result.out)]
    assert looked_at == [
        *("config", "permissions", "permissions", "clock", "disk", "database", "schema", "backups"),
        *("token", "subscription", "scope", "quota", "sync", "channel 1", "heartbeat", "page", "systemd"),
    ]
    states = {about: found for about, found, _ in findings(result.out) if about != "systemd"}
    assert {about for about, found in states.items() if found == "off"} == {"heartbeat", "page"}
    assert states["channel 1"] == "untried", "nothing was sent there"
    assert {found for found in states.values()} == {"ok", "off", "untried"}
    assert re.search(r"\d of \d+ calls", result.out)


def test_all_problems_come_at_once(terminal: Terminal) -> None:
    terminal.config.chmod(0o644)
    terminal.standin.stop()
    result = terminal.pullback("check")
    assert result.code == 1
    problems = {about for about, found, _ in findings(result.out) if found == "problem"}
    assert problems == {"permissions", "clock", "token", "channels"}
    assert f"chmod o= {terminal.config}" in result.out


def test_who_only_imports_has_no_problem_with_strava(terminal: Terminal) -> None:
    terminal.more_config = '[alerts]\nurls = ["json://localhost/"]'
    terminal.write_config(client_id="", client_secret="")
    terminal.standin.stop()
    before = terminal.pullback("check")
    result, text = of(before.out, "Strava")
    assert (result, before.code) == ("warning", 0), "nothing was imported yet, and nothing is wrong"
    assert "client_id" in text and "`pullback import`" in text
    assert of(before.out, "clock") == ("off", "isn't compared with Strava's, which isn't asked")
    (terminal.home / "a.fit").write_bytes(fit_file(plain_run(1, datetime.now(UTC) - timedelta(days=1), minutes=5)))
    assert terminal.pullback("import", str(terminal.home / "a.fit")).code == 0
    result = terminal.pullback("check")
    problems = {about for about, found, _ in findings(result.out) if found == "problem"}
    assert (problems, result.code) == (set(), 0), result.out
    assert "runs come by `pullback import`" in of(result.out, "Strava")[1]


def test_without_an_app_who_fetched_from_strava_has_one(terminal: Terminal) -> None:
    terminal.authorise()
    terminal.write_config(client_id="")
    assert of(terminal.pullback("check").out, "Strava")[0] == "problem"


def test_every_problem_of_the_config_is_listed(terminal: Terminal) -> None:
    terminal.more_config = '[schedul]\n[alerts]\nquiet_hours = "always"'
    terminal.write_config()
    result = terminal.pullback("check")
    assert result.code == 1
    assert [text.split(":")[0] for _, _, text in findings(result.out)] == ["[schedul]", "[alerts] quiet_hours"]


def test_looking_makes_no_database(terminal: Terminal) -> None:
    result = terminal.pullback("check")
    assert of(result.out, "database")[0] == "warning"
    found, text = of(result.out, "token")
    assert found == "problem" and "isn't authorised at Strava yet; run `pullback auth`" in text
    assert not terminal.database.exists()


def test_a_client_secret_that_no_answer_rests_on_is_not_called_right(terminal: Terminal) -> None:
    assert "shows whether Strava takes the app's" in of(terminal.pullback("check").out, "token")[1]
    terminal.authorise()
    terminal.write_config(client_secret='"another"')
    result, text = of(terminal.pullback("check").out, "token")
    assert result == "ok" and re.search(r"weren't asked for: .*, by .* UTC$", text)
    terminal.write_config()
    with closing(sqlite3.connect(terminal.database)) as raw, raw:
        raw.execute("UPDATE token SET expires_at = '2026-01-01T00:00:00+00:00'")
    assert "renewed just now" in of(terminal.pullback("check").out, "token")[1]


@pytest.mark.parametrize(
    ("change", "about", "next_step"),
    [
        ("inactive", "subscription", "subscribe"),
        ("revoked", "token", "run `pullback auth`"),
        ("no private runs", "scope", "run `pullback auth`"),
        ("no runs at all", "scope", "run `pullback auth`"),
        ("another secret", "app", "client_secret"),
        ("a lost answer", "token", "run `pullback auth`"),
        ("limit", "quota", "the rest waits until"),
    ],
)
def test_what_strava_refuses_has_a_name_and_a_next_step(
    terminal: Terminal, change: str, about: str, next_step: str
) -> None:
    terminal.authorise()
    if change == "inactive":
        terminal.world.inactive = True
    elif change == "revoked":
        terminal.world.tokens.revoke(terminal.world.runner)
    elif change == "limit":
        terminal.world.fail("athlete", 429, times=None)
    elif change == "no runs at all":
        terminal.world.tokens.narrow(frozenset({"read"}))
    elif change == "another secret":
        terminal.world.tokens.kill_access()
        terminal.write_config(client_secret='"another"')
    elif change == "a lost answer":
        terminal.world.tokens.kill_access()
        terminal.world.fail("/oauth/token", "lost")
        assert "no usable answer" in of(terminal.pullback("check").out, "Strava")[1], "the next one tells"
    else:
        with closing(sqlite3.connect(terminal.database)) as raw, raw:
            raw.execute("UPDATE token SET scope = 'activity:read,profile:read_all,read'")
    result = terminal.pullback("check")
    found, text = of(result.out, about)
    assert found == ("warning" if about == "quota" else "problem")
    assert next_step in text


def test_a_bug_of_its_own_is_named_with_its_next_step(terminal: Terminal) -> None:
    terminal.more_config = '[athlete]\ntimezone = "Asia/Tokyo"'
    terminal.write_config()
    terminal.authorise()
    assert "work" not in {about for about, _, _ in findings(terminal.pullback("check").out)}
    with closing(open_store(terminal.database)) as store, store.write() as session:
        save_progress(session, terminal.world.runner, Progress(broken_since=terminal.world.now()))
    result = terminal.pullback("check")
    assert result.code == 1
    found, text = of(result.out, "work")
    assert found == "problem" and "upgrade pullback" in text and " JST every look" in text
    assert of(result.out, "token")[0] == "ok"
    assert "a bug: since" in terminal.pullback("status").out


@pytest.mark.parametrize("command", ["sync", "import"])
def test_a_bug_is_over_when_a_command_by_hand_goes_well(terminal: Terminal, command: str) -> None:
    terminal.authorise()
    terminal.world.add(plain_run(1, terminal.world.now() - timedelta(days=2), minutes=10))
    assert terminal.pullback("sync").code == 0
    with closing(open_store(terminal.database)) as store:
        long_since = terminal.world.now() - timedelta(days=3)
        for looks in range(BROKEN_LOOKS):
            note_look(store, terminal.world.runner, Config(), long_since + looks * timedelta(hours=12), "bug")
    assert "a bug: since" in terminal.pullback("status").out and "has a bug" in terminal.pullback("status").out
    file = terminal.home / "run.fit"
    file.write_bytes(fit_file(plain_run(2, terminal.world.now() - timedelta(days=1), minutes=10)))
    result = terminal.pullback(command, *([str(file)] if command == "import" else []))
    assert result.code == 0, result.err
    told = terminal.pullback("status").out
    assert "a bug" not in told and "Open alert" not in told


@pytest.mark.parametrize("fault", [503, "html", "reset"])
def test_a_strava_that_is_down_has_a_next_step_other_than_check(terminal: Terminal, fault: Any) -> None:
    terminal.authorise()
    terminal.world.fail("athlete", fault, times=None)
    result = terminal.pullback("check")
    found, text = of(result.out, "Strava")
    assert (result.code, found) == (1, "problem")
    assert "status.strava.com" in text and "pullback check" not in text


@pytest.mark.parametrize(
    ("ahead", "result", "said"),
    [
        (timedelta(minutes=1), "ok", "agrees"),
        (timedelta(minutes=3), "problem", "is 3 minutes ahead of Strava's: set it"),
        (-timedelta(hours=1), "problem", "is 1 hour behind Strava's: set it"),
        (timedelta(days=300), "problem", "is 300 days ahead of Strava's: set it"),
    ],
)
def test_how_far_the_clock_is_off_is_said_in_words(house: House, ahead: timedelta, result: str, said: str) -> None:
    (found,) = strava.clock(house.config, Clock(house.clock.now() + ahead))
    assert (found.result, found.text[: len(said)]) == (result, said)


@pytest.mark.parametrize(("date", "said"), [("", "doesn't say"), ("yesterday", "in a way nobody can read")])
def test_who_answers_without_a_time_is_no_dead_network(house: House, date: str, said: str) -> None:
    board = Switchboard()
    board.date = date
    house.set_config("strava", base_url=board.url)
    (found,) = strava.clock(house.config, house.clock)
    board.hang_up()
    assert found.result == "warning" and said in found.text and "online" not in found.text


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_a_certificate_that_is_not_valid_now_leads_to_the_clock(house: House, tmp_path: Path) -> None:
    board = Switchboard()
    board.speak_tls(*certificate(tmp_path))
    house.set_config("strava", base_url=board.url.replace("http:", "https:"))
    (found,) = strava.clock(house.config, house.clock)
    board.hang_up()
    assert found.result == "problem" and "is the clock right" in found.text and "online" not in found.text


def test_an_address_whose_targets_are_only_told_together_is_named(house: House) -> None:
    url = "smseagle://secret@10.0.0.112:8080/5133333333/#runners/12514444444?batch=yes"
    house.set_config("alerts", urls=(Channel(url, parts=notify.parts(url)),))
    (found,) = telling.channels(house.config, None)
    assert found.result == "warning" and "write each as an address of its own" in found.text
    assert "secret" not in found.text and "5133333333" not in found.text


@pytest.mark.parametrize(
    ("url", "result"),
    [
        ("gotify://notes.example.org/token", "warning"),
        ("gotifys://notes.example.org/token", "untried"),
        ("gotify://localhost/token", "untried"),
    ],
)
def test_a_channel_that_sends_unencrypted_to_elsewhere_is_named(house: House, url: str, result: str) -> None:
    house.set_config("alerts", urls=(Channel(url),))
    (found,) = telling.channels(house.config, None)
    assert found.result == result
    assert ("sends without encryption: use gotifys" in found.text) is (result == "warning")
    assert "token" not in found.text


def test_a_sync_that_never_works_is_a_problem_after_a_week(house: House) -> None:
    house.set_config("athlete", timezone=ZoneInfo("Europe/Vienna"))
    house.world.add(plain_run(1, house.clock.now() - timedelta(days=1), minutes=2))
    house.world.fail("athlete/activities", "wrong_types", times=None)
    found = []
    for _ in range(2):
        house.pull()
        found.append(list(strava.access(house.config, house.store, house.clock))[-1])
        house.clock.advance(days=8)
    assert [(finding.about, finding.result) for finding in found] == [("sync", "warning"), ("sync", "problem")]
    assert "asked in vain since 2026-11-02 07:00 CET" in found[-1].text


def test_a_runner_reads_every_time_on_his_own_clock(house: House) -> None:
    house.set_config("athlete", timezone=ZoneInfo("Europe/Vienna"))
    house.pull()
    said = {finding.about: finding.text for finding in strava.access(house.config, house.store, house.clock)}
    assert said["sync"] == "last at 2026-11-02 07:00 CET"
    assert said["token"].endswith("by 2026-11-02 13:00 CET")
    assert said["quota"].endswith("which ends at 01:00 CET")
    waits = Outcome(waiting_until=datetime(2026, 11, 2, 6, 15, tzinfo=UTC))
    assert summary(waits, ZoneInfo("Europe/Vienna"))[-1].endswith("until 2026-11-02 07:15 CET")
    told: list[str] = []
    daemon = house.daemon()
    daemon.status = told.append
    daemon.poll()
    assert told[-1].endswith("synced 07:00 CET")
    house.world.fail("athlete", 429, times=None)
    assert "until 2026-11-02 07:15 CET" in list(strava.access(house.config, house.store, house.clock))[-1].text


def test_a_database_and_its_copies_are_said_with_where_they_lie(terminal: Terminal) -> None:
    terminal.authorise()
    backup.nightly(terminal.database, datetime(2026, 11, 2, 22), keep=7)
    aside = terminal.database.parent / "old-1763971200"
    aside.mkdir()
    for name in ("pullback.db", "pullback.db-wal"):
        (aside / name).touch(0o600)
    text = next(text for _, _, text in findings(terminal.pullback("check").out) if "readable by the owner" in text)
    assert text.startswith(f"{terminal.database} is readable by the owner only; so are its copies, 1 file in ")
    assert f"/backups, 2 files in {aside}" in text


def test_a_copy_that_others_may_read_is_named(terminal: Terminal) -> None:
    terminal.authorise()
    terminal.database.with_name("pullback.db.before-0002").touch(0o644)
    result = terminal.pullback("check")
    assert f"chmod 600 {terminal.database}.before-0002" in result.out
    assert result.code == 1


def test_a_backup_from_a_time_to_come_is_no_sign_that_all_is_well(terminal: Terminal) -> None:
    terminal.authorise()
    made = backup.nightly(terminal.database, datetime(2026, 11, 2, 22), keep=7)
    assert made is not None
    os.utime(made, (made.stat().st_mtime + 86_400 * 300,) * 2)
    found, text = of(terminal.pullback("check").out, "backups")
    assert found == "warning" and "the clock is wrong, or was" in text


def test_a_damaged_database_is_a_problem_and_stays_as_it_is(terminal: Terminal) -> None:
    terminal.authorise()
    made = backup.nightly(terminal.database, datetime(2026, 11, 2, 22), keep=7)
    with terminal.database.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 3 * 4096)
    before = terminal.database.read_bytes()
    result = terminal.pullback("check")
    found, text = of(result.out, "database")
    assert found == "problem" and str(made) in text
    assert terminal.database.read_bytes() == before


@pytest.mark.parametrize(("schema", "result"), [("0001", "warning"), ("9999", "problem")])
def test_an_older_or_newer_schema_is_said_and_nothing_migrated(terminal: Terminal, schema: str, result: str) -> None:
    terminal.authorise()
    with closing(sqlite3.connect(terminal.database)) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = ?", (schema,))
    checked = terminal.pullback("check")
    assert of(checked.out, "schema")[0] == result
    with closing(sqlite3.connect(terminal.database)) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == (schema,)


def test_only_with_send_something_is_sent(terminal: Terminal) -> None:
    phone, switchboard = Phone(), Switchboard()
    terminal.more_config = f'[alerts]\nurls = ["{phone.url}"]\n[heartbeat]\nurl = "{switchboard.url}/uuid-5ecret"'
    terminal.write_config()
    terminal.authorise()
    assert "`pullback check --send` really sends" in terminal.pullback("check").out
    assert (phone.messages, switchboard.heard()) == ([], [])
    result = terminal.pullback("check", "--send")
    assert of(result.out, "channel 1") == ("ok", "json: took a test")
    assert of(result.out, "heartbeat") == ("ok", "Healthchecks-style: heard")
    assert len(phone.messages) == 1
    assert [path for _, path, _ in switchboard.heard()] == ["/uuid-5ecret"]
    phone.status = switchboard.status = 500
    refused = terminal.pullback("check", "--send")
    assert refused.code == 1
    assert of(refused.out, "channel 1")[0] == of(refused.out, "heartbeat")[0] == "problem"
    assert "5ecret" not in refused.out
    phone.hang_up()
    switchboard.hang_up()


UNIT = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "SubState": "running",
    "UnitFileState": "enabled",
    "Type": "notify",
    "NotifyAccess": "main",
    "NeedDaemonReload": "no",
}


@pytest.mark.parametrize(
    ("changed", "result", "next_step"),
    [
        ({}, "ok", "active and enabled"),
        ({"LoadState": "not-found"}, "off", "make install"),
        ({"ActiveState": "failed"}, "problem", "journalctl -u pullback"),
        (
            {"ActiveState": "activating", "SubState": "auto-restart"},
            "problem",
            "doesn't come up: journalctl -u pullback",
        ),
        ({"ActiveState": "activating", "SubState": "start"}, "ok", "activating and enabled"),
        ({"ActiveState": "inactive"}, "problem", "systemctl enable --now pullback"),
        ({"UnitFileState": "disabled"}, "warning", "systemctl enable pullback"),
        ({"NotifyAccess": "none"}, "problem", "systemctl revert pullback"),
        ({"NeedDaemonReload": "yes"}, "warning", "systemctl daemon-reload"),
    ],
)
def test_what_systemd_says_of_the_service(changed: Mapping[str, str], result: str, next_step: str) -> None:
    found = list(unit.service(lambda: {**UNIT, **changed}))[-1]
    assert found.result == result
    assert next_step in found.text


def test_on_a_terminal_of_eighty_columns_no_line_is_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    long = Finding("permissions", "problem", "a group that isn't the service's may read it: chmod g= " + "/var" * 12)
    screen = _Screen()
    show.out([show.Table(("check", "result", "what was found"), ((long.about, long.result, long.text),))], screen)
    lines = re.sub(r"\x1b\[[\d;]*m", "", screen.text).splitlines()
    assert max(map(len, lines)) <= 80
    assert "chmod g=" in " ".join(line.strip() for line in lines)


class _Screen:
    """A terminal that keeps what it shows."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        return


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with strained_house(tmp_path_factory.mktemp("shown")) as house:
        yield house


def test_the_page_is_off_or_answers_or_says_what_is_in_its_way(shown: House) -> None:
    def found(**changes: str | None) -> tuple[str, str]:
        (finding,) = page(replace(shown.config.web, **changes))
        return finding.result, finding.text

    assert found()[0] == "off" and "[web]" in found()[1]
    with opened(shown, token="s3sam"):
        assert found()[0] == "warning" and "could be guessed" in found()[1] and "s3sam" not in found()[1]
    long = "s3sam-" + 10 * "7"
    with opened(shown, token=long) as site:
        assert found() == ("ok", f"http://127.0.0.1:{site.port}/ (with its token) answers")
        assert found(token="wrong")[0] == "problem" and "another token" in found(token="wrong")[1]
        shown.clock.advance(days=30)
        result, text = found()
        assert result == "warning" and "/healthz says: last synced 30 days ago" in text
        shown.clock.advance(days=-30)
    result, text = found()
    assert result == "warning" and "does `pullback run` or the service run?" in text
    standin = shown.standin.base_url.removeprefix("http://").split(":")
    shown.set_config("web", listen=(standin[0], int(standin[1])), token=None)
    result, text = found()
    assert result == "problem" and "something else answers" in text and long not in text
