"""`pullback check` names everything that stands in the way, at once."""

import json
import re
from collections.abc import Callable

import pytest

from tests.cli.terminal import Terminal


def findings(out: str) -> list[tuple[str, str, str]]:
    """(what, result, text) of every line below the headings."""
    return [tuple(re.split(r"  +", line, maxsplit=2)) for line in out.splitlines()[1:]]  # type: ignore[misc]


def test_all_is_well(terminal: Terminal) -> None:
    terminal.more_config = '[alerts]\nurls = ["json://localhost/"]'
    terminal.write_config()
    terminal.authorise()
    result = terminal.pullback("check")
    assert (result.code, result.err) == (0, ""), result.out
    looked_at = [about for about, _, _ in findings(result.out)]
    assert looked_at == ["config", "permissions", "clock", "database", "token", "scope", "quota", "channels"]
    assert {found for _, found, _ in findings(result.out)} == {"ok"}
    assert re.search(r"\d of \d+ calls", result.out)


def test_all_problems_come_at_once(terminal: Terminal) -> None:
    terminal.config.chmod(0o644)
    terminal.standin.stop()
    result = terminal.pullback("check")
    assert result.code == 1
    problems = {about for about, found, _ in findings(result.out) if found == "PROBLEM"}
    assert problems == {"permissions", "clock", "token", "channels"}
    assert f"chmod o= {terminal.config}" in result.out


def test_every_problem_of_the_config_is_listed(terminal: Terminal) -> None:
    terminal.more_config = '[schedul]\n[alerts]\nquiet_hours = "always"'
    terminal.write_config()
    result = terminal.pullback("check")
    assert result.code == 1
    assert [text.split(":")[0] for _, _, text in findings(result.out)] == ["[schedul]", "[alerts] quiet_hours"]


def lapse(terminal: Terminal) -> None:
    terminal.world.inactive = True


def withdraw(terminal: Terminal) -> None:
    terminal.world.tokens.revoke(terminal.world.runner)


def narrow(terminal: Terminal) -> None:
    terminal.world.tokens.narrow(frozenset({"profile:write"}))


def new_secret(terminal: Terminal) -> None:
    terminal.world.tokens.clients["1"] = "another"
    terminal.world.tokens.kill_access()


def lose_the_answer(terminal: Terminal) -> None:
    terminal.world.tokens.kill_access()
    terminal.world.fail("/oauth/token", "lost")
    assert terminal.pullback("sync").code == 1


@pytest.mark.parametrize(
    ("state", "break_it", "says"),
    [
        ("inactive", lapse, "no active Strava subscription"),
        ("revoked", withdraw, "doesn't accept this authorisation"),
        ("scope", narrow, "permission"),
        ("client", new_secret, "strava.client_id"),
        ("lost", lose_the_answer, "was lost on the way"),
    ],
)
def test_lost_access_is_said_by_check_and_named_by_status(
    terminal: Terminal, state: str, break_it: Callable[[Terminal], None], says: str
) -> None:
    terminal.authorise()
    break_it(terminal)
    sync = terminal.pullback("sync")
    assert sync.code == 1 and says in sync.err
    status = json.loads(terminal.pullback("status", "--json").out)
    assert status["access"]["state"] == state and says in status["trouble"]
    assert says in " ".join(terminal.pullback("status").out.split())
    check = terminal.pullback("check")
    assert check.code == 1 and says in " ".join(check.out.split())
