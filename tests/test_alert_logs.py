"""What the log says of an alert: a line when something happens to it, keys for a program, nothing while it waits."""

import json
import logging
from datetime import date

import pytest

from daemon import logs
from daemon.config import Channel
from tests.house import House
from tests.test_telling import stands


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, str]]:
    """What `--log-json` writes of our own lines so far."""
    form = logs.Json(lambda text: text, journal=False)
    said = [json.loads(form.format(record)) for record in caplog.records if record.name.startswith("daemon.")]
    caplog.clear()
    return said


def test_each_turn_of_an_alert_is_one_line_with_its_keys_and_waiting_is_none(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="daemon")
    stands(house, "pull_back", date(2026, 11, 2), episode="2026-11-02")
    (opened,) = lines(caplog)
    assert (opened["event"], opened["alert"], opened["kind"]) == ("alert opened", "1", "pull_back")
    assert opened["title"].startswith("Time to pull back: ")

    house.phone.status = 500
    house.deliver()
    (failed,) = lines(caplog)
    assert failed == {
        "time": failed["time"],
        "level": "warning",
        "room": "deliver",
        "event": "alert not sent",
        "alert": "1",
        "kind": "pull_back",
        "channel": "1",
        "scheme": "json",
        "problem": "refused by the service (500)",
        "again_at": "2026-11-02T06:01Z",
    }
    for _ in range(5):
        house.deliver()
    assert lines(caplog) == []

    house.phone.status = 200
    house.clock.advance(minutes=2)
    house.deliver()
    (sent,) = lines(caplog)
    assert (sent["event"], sent["level"], sent["channel"]) == ("alert sent", "info", "1")
    daemon = house.daemon()
    for _ in range(180):
        house.clock.advance(minutes=1)
        daemon.deliver()
    assert lines(caplog) == [], "an idle afternoon"


def test_an_alert_that_is_given_up_is_an_error_of_its_own(house: House, caplog: pytest.LogCaptureFixture) -> None:
    stands(house, "pull_back", date(2026, 11, 2), episode="2026-11-02")
    house.set_config("alerts", urls=(Channel("json://127.0.0.1:1/elsewhere"),))
    house.deliver()
    house.clock.advance(days=4)
    caplog.clear()
    house.deliver()
    (given_up,) = lines(caplog)
    assert (given_up["event"], given_up["level"], given_up["alert"]) == ("alert given up", "error", "1")
    assert given_up["problem"] == "this channel is no longer in the config" and "again_at" not in given_up
