"""Apprise at our border: what it thinks of an address, and what it says after sending, without a secret."""

import logging
import subprocess
import sys
from typing import Any

import pytest

from daemon import notify
from daemon.notify import Message
from tests.house import Phone


@pytest.mark.parametrize("url", ["ntfy://ntfy.sh/my-runs", "mailto://ada:pw@example.org", "json://127.0.0.1:9/"])
def test_addresses_apprise_understands(url: str) -> None:
    assert notify.problem_with(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ntfy",
        "carrier-pigeon://loft/hunter2",
        "tgram://hunter2",
        "http//x",
        "ntfy://example.org/ada, mailtoo://ada:hunter2@example.org",
        "mailtoo://ada:hunter2@example.org ntfy://example.org/ada",
    ],
)
def test_addresses_it_does_not_are_named_without_their_secret(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        problem = notify.problem_with(url)
    assert problem is not None and "apprise" in problem
    assert "hunter2" not in problem + caplog.text


def test_a_message_arrives_as_it_was_written() -> None:
    phone = Phone()
    assert notify.send(phone.url, Message("Time to pull back", "Easy runs cost 6 bpm more.\n\nRun easy.")) is None
    phone.hang_up()
    assert phone.messages[0]["title"] == "Time to pull back"
    assert phone.messages[0]["message"] == "Easy runs cost 6 bpm more.\n\nRun easy."


def test_a_failure_says_so_without_the_address() -> None:
    phone = Phone()
    phone.status = 503
    error = notify.send(phone.url + "?+X-Token=hunter2", Message("title", "text"))
    phone.hang_up()
    assert error is not None and "hunter2" not in error.text and "127.0.0.1" not in error.text


COUNTS = """
import sys
from daemon import notify
problems = [notify.problem_with(url) for url in sys.argv[1:]]
parts = [notify.parts(url) for url in sys.argv[1:]]
plugins = [name for name, module in sys.modules.items() if hasattr(module, "NotifyBase") and name.count(".") == 2]
print([problem is None for problem in problems], len([n for n in plugins if n.startswith("apprise.plugins.")]))
"""
SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"


def counted(*urls: str) -> tuple[list[bool], int]:
    """Which of the addresses a fresh process understands, and how many of apprise's plugins it has loaded by then."""
    command = [sys.executable, "-c", COUNTS, *urls]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    understood, number = said.rsplit(" ", 1)
    return [word == "True" for word in understood.strip("[]").split(", ")], int(number)


def test_a_phone_and_a_mailbox_load_their_own_plugins_and_not_the_hundred_others() -> None:
    understood, plugins = counted(
        "ntfy://ntfy.sh/my-runs", "mailto://ada:pw@example.org?to=ben@example.org,cy@example.org", "ntfys://ntfy.sh/a/b"
    )
    assert understood == [True, True, True]
    assert plugins <= 5


def test_what_only_all_plugins_know_is_looked_for_in_all() -> None:
    """A service's own address, two addresses in one, and none at all; beside the phone that was loaded before."""
    several = "ntfy://ntfy.sh/my-runs, json://127.0.0.1:9/"
    understood, plugins = counted("ntfy://ntfy.sh/my-runs", SLACK)
    assert understood == [True, True] and plugins > 50
    assert counted("ntfy://ntfy.sh/my-runs", several)[0] == [True, True]
    assert counted("carrier-pigeon://loft", "ntfy://ntfy.sh/my-runs")[0] == [False, True]


def test_every_scheme_of_apprise_is_written_in_the_module_that_has_it() -> None:
    import apprise

    library: Any = apprise
    manager = library.NotificationManager()
    manager.load_modules()
    for scheme in manager.schemas():
        plugin = manager[scheme].__module__.removeprefix("apprise.plugins.").split(".")[0]
        assert plugin in notify.naming(scheme), scheme
