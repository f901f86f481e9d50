"""The log as an operator reads it: sorted by the journal, one line per event, nothing while nothing happens."""

import io
import json
import logging
import re
import sys
import threading
from collections.abc import Iterator

import pytest

from daemon import logs
from daemon.redaction import redact
from tests.house import House, plain_run
from tests.test_service import Machine, machine  # noqa: F401 - a fixture

OFTEN = """
import dataclasses, datetime, daemon.jobs as d
made = d.Daemon.jobs
def often(self):
    soon = {"every": datetime.timedelta(seconds=0.2), "jitter": datetime.timedelta(0)}
    return [dataclasses.replace(job, **soon) if job.name == "poll" else job for job in made(self)]
d.Daemon.jobs = often
"""
"""A poll every fifth of a second."""
LINE = re.compile(r'<(?P<priority>[3-7])>(?P<room>[\w.]+): (?P<event>[^="]+?)(?P<pairs>( \w+=("[^"]*"|[^\s"]+))*)')


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("daemon")
    before = (root.handlers[:], root.level, ours.level, sys.excepthook, threading.excepthook, logging.raiseExceptions)
    yield
    root.handlers[:], root.level, ours.level, sys.excepthook, threading.excepthook, logging.raiseExceptions = before
    logging.captureWarnings(False)


def said(*, journal: bool = False, **options: bool) -> tuple[io.StringIO, logging.Logger]:
    stream = io.StringIO()
    logs.start(stream, {"JOURNAL_STREAM": "8:1"} if journal else {}, lambda t: redact(t, ["hush-1"]), **options)
    return stream, logging.getLogger("daemon.service")


def test_the_journal_gets_priorities_also_for_each_line_of_a_traceback() -> None:
    stream, log = said(journal=True)
    log.info("pulled new=%d", 3)
    log.warning("pull failed problem=%s", "a\nb")
    try:
        raise ValueError("client_secret=hush-2 and hush-1")
    except ValueError:
        log.exception("job poll failed, this is a bug")
    first, second, *rest = stream.getvalue().splitlines()
    assert first == "<6>service: pulled new=3"
    assert second == "<4>service: pull failed problem=a b"
    assert {line[:3] for line in rest} == {"<3>"}
    assert "ValueError" in rest[-1]
    assert "hush" not in stream.getvalue()


def test_a_value_ends_where_its_quotes_end_whatever_it_holds() -> None:
    stream, log = said(as_json=True)
    problem = 'poll: 3 must be a duration such as "20m", not job="poll" or hush-1\nat 100%'
    log.error('job failed job=%s problem="%s" after=%d%%', "poll", problem, 99)
    found = json.loads(stream.getvalue())
    assert (found["event"], found["job"], found["after"]) == ("job failed", "poll", "99%")
    assert found["problem"] == "poll: 3 must be a duration such as '20m', not job='poll' or … at 100%"


def test_a_terminal_sees_time_and_level() -> None:
    stream, log = said()
    log.error("gone")
    assert stream.getvalue().endswith("+00:00 ERROR service: gone\n")


def test_as_json_each_line_is_an_object_with_the_events_own_keys() -> None:
    stream, log = said(as_json=True)
    log.warning('pull failed problem="no connection" tries=%d secret=%s', 3, "hush-1")
    try:
        raise ValueError("hush-1")
    except ValueError:
        log.exception("job poll failed, this is a bug")
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["event"], first["level"], first["room"]) == ("pull failed", "warning", "service")
    assert (first["problem"], first["tries"]) == ("no connection", "3")
    assert "ValueError" in second["traceback"]
    assert "hush" not in stream.getvalue()


def test_libraries_speak_only_when_something_is_wrong_and_verbose_is_ours_alone() -> None:
    stream, log = said(verbose=True)
    for name in ("httpx", "urllib3.connectionpool", "apscheduler.scheduler"):
        logging.getLogger(name).info("GET https://hc-ping.com/hush-1")
    assert stream.getvalue() == ""
    log.debug("pulled new=0")
    assert "pulled new=0" in stream.getvalue()


def test_an_idle_week_is_silent_and_an_outage_is_one_line_each_way(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="daemon")
    daemon = house.daemon()
    house.world.add(plain_run(1, house.clock.now()))
    daemon.poll()
    assert [line for line in caplog.messages if line.startswith("pulled new=1")]
    caplog.clear()
    for _ in range(72):
        house.clock.advance(minutes=20)
        daemon.poll()
    assert caplog.messages == []
    house.world.fail("athlete/activities", 503, times=None)
    for _ in range(3):
        house.clock.advance(minutes=20)
        daemon.poll()
    house.world.heal()
    daemon.poll()
    assert [line.split(" problem=")[0] for line in caplog.messages] == ["pull failed", "pull works again"]


def test_a_name_in_a_log_controls_no_terminal_and_forges_no_line() -> None:
    stream, log = said()
    log.warning("skipped %s", "\x1b[2Jrun\u202e\r\n2026-11-02 ERROR service: all is lost\x9b")
    try:
        raise ValueError("\x1b]0;owned\x07")
    except ValueError:
        log.exception("job failed")
    assert stream.getvalue().splitlines()[0].endswith("skipped [2Jrun 2026-11-02 ERROR service: all is lost")
    assert not any(c in stream.getvalue() for c in "\x1b\x07\x9b\u202e")


@pytest.mark.parametrize("as_json", [False, True])
def test_a_real_daemon_says_a_line_for_each_new_run_and_nothing_in_between(machine: Machine, as_json: bool) -> None:  # noqa: F811
    machine.authorise()
    process = machine.start(*["--log-json"][:as_json], before=OFTEN, JOURNAL_STREAM="1:1")

    def polls(count: int) -> None:
        for _ in range(count):
            machine.told("synced")

    polls(2)
    for number in (1, 2):
        machine.world.add(plain_run(number, machine.world.now().replace(microsecond=0), minutes=10))
        machine.world.wait_for("/streams")
        polls(2)
    machine.stop(process)
    lines = machine.log.read_text().splitlines()
    events = [as_object(line) if as_json else as_pairs(line) for line in lines]
    assert {event["priority"] for event in events} == {"6"}
    assert sorted(event["event"] for event in events) == ["backup made and examined", "pulled", "pulled", "ready"]
    assert [event["new"] for event in events if event["event"] == "pulled"] == ["1", "1"]
    assert {event["room"] for event in events} == {"jobs", "service"}


def as_pairs(line: str) -> dict[str, str]:
    parsed = LINE.fullmatch(line)
    assert parsed is not None, line
    pairs = re.findall(r'(\w+)=("[^"]*"|\S+)', parsed["pairs"])
    return parsed.groupdict() | {key: value.strip('"') for key, value in pairs}


def as_object(line: str) -> dict[str, str]:
    parsed: dict[str, str] = json.loads(line[3:])
    return parsed | {"priority": line[1]}
