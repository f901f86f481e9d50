"""Apprise at our border: what it thinks of an address, and what it says after sending, without a secret."""

import logging

import pytest

from daemon import notify
from daemon.notify import Message
from tests.house import Phone


@pytest.mark.parametrize("url", ["ntfy://ntfy.sh/my-runs", "mailto://ada:pw@example.org", "json://127.0.0.1:9/"])
def test_addresses_apprise_understands(url: str) -> None:
    assert notify.problem_with(url) is None


@pytest.mark.parametrize("url", ["", "ntfy", "carrier-pigeon://loft/hunter2", "tgram://hunter2", "http//x"])
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
