"""`pullback check` names everything that stands in the way, at once."""

import re

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


def test_a_lapsed_subscription_is_said(terminal: Terminal) -> None:
    terminal.authorise()
    terminal.world.inactive = True
    result = terminal.pullback("check")
    assert result.code == 1
    assert "no active Strava subscription" in result.out
