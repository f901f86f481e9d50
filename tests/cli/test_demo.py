"""The demo: who puts speed work on top of a full week is warned, who makes room for it isn't."""

import re
from pathlib import Path

import pytest

from daemon.cli import demo
from tests.cli.terminal import Terminal
from tests.strained import strained_house


def test_one_runner_is_warned_with_reasons_and_the_other_is_not(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.config.unlink()
    monkeypatch.chdir(tmp_path)
    result = terminal.pullback("demo")
    assert (result.code, result.err) == (0, "")
    made_room, on_top = result.out.split("The second runner")
    assert "This runner was sent no alert." in made_room
    assert "on the phone: Time to pull back" in on_top
    warning = on_top.split("on the phone:")[1]
    assert re.search(r"your easy runs cost \d+ bpm more: about \d+ instead of \d+ at \d:\d\d/km", warning)
    assert re.search(r"over \d+ runs against \d+ before", warning)
    assert "Intensity came on" in warning
    assert "What to do:" in warning
    # What a message of weeks ago said and what stands today may differ: they come in that order, each with its day.
    told_on = on_top.split(", on the phone:")[0].splitlines()[-1]
    today = re.search(r"Where this runner stands today, (\d{4}-\d\d-\d\d):", warning)
    assert today is not None and told_on < today[1]
    page = (tmp_path / "pullback-demo.html").read_text("utf-8")
    assert str(tmp_path / "pullback-demo.html") in "".join(warning.split()) and "pullback-demo.html" not in made_room
    assert "<h1" in page and "Pull back" in page


def test_where_no_page_can_be_written_the_demo_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pullback-demo.html").mkdir()
    with strained_house(tmp_path) as house:
        line = demo.write_page(house.daemon(), house.clock.now())
    assert line.text == "No page of it: can't write pullback-demo.html here (is a directory)."
