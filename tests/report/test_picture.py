"""The picture of an alert: small, whole on any history, and never a reason for an alert to fail."""

import io
import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from daemon.report import picture as room
from daemon.report.data import PictureData
from daemon.report.picture import picture
from tests.report.lives import ADDED, a_picture
from tests.signals.runners import Plan

RED, BLUE, PURPLE = (179, 32, 26), (31, 99, 145), (106, 47, 143)
LARGEST = 150 * 1024


def opened(data: PictureData) -> Image.Image:
    png = picture(data)
    assert png is not None and len(png) <= LARGEST
    return Image.open(io.BytesIO(png)).convert("RGB")


def much_of(image: Image.Image, colour: tuple[int, int, int]) -> int:
    """How many dots have about this colour (a palette shifts it a little)."""
    return sum(
        count
        for count, found in image.getcolors(1 << 20) or []
        if all(abs(a - b) <= 8 for a, b in zip(found, colour, strict=True))  # type: ignore[arg-type]
    )


def test_what_rose_stands_out_and_the_line_says_when_intensity_came() -> None:
    image = opened(a_picture())
    assert image.size == (1080, 1350)
    assert much_of(image, RED) > 4000, "the runs compared, and how far they lie above the norm"
    assert much_of(image, PURPLE) > 2000, "the line on which intensity came"
    assert image.getpixel((2, 2)) == image.getpixel((1077, 1347)), "on paper of its own"
    corner = image.getpixel((2, 2))
    assert isinstance(corner, tuple) and min(corner) > 240


def test_a_calm_history_is_not_red() -> None:
    image = opened(a_picture(Plan(weeks=20), "All clear: easy running is back to normal"))
    assert much_of(image, RED) == 0
    assert much_of(image, BLUE) > 4000


def test_every_piece_may_be_missing() -> None:
    whole = a_picture()
    assert opened(replace(whole, easy=None)).size == (1080, 1350)
    opened(replace(whole, usual_minutes=None, came_on=None, hard_days=()))
    opened(replace(whole, weeks=(), easy=None, hard_days=(), came_on=None, usual_minutes=None, title=""))
    assert whole.easy is not None
    opened(replace(whole, easy=replace(whole.easy, delta_bpm=None), units="imperial", title="W" * 60))


def test_a_picture_that_takes_too_long_is_none_and_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert picture(a_picture(), timeout_s=0.01) is None
    assert "no picture" in caplog.text


def test_a_process_that_fails_is_none_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    broken = replace(a_picture(), came_on="no day")  # type: ignore[arg-type]
    with caplog.at_level(logging.WARNING):
        assert picture(broken) is None
    assert 'no picture problem="ValueError' in caplog.text


def test_the_process_hears_of_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULLBACK_STRAVA_CLIENT_SECRET", "hush")
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/pullback:/elsewhere")
    given = room.environment()
    assert "hush" not in given.values() and given["MPLCONFIGDIR"] == "/var/lib/pullback/matplotlib"


def test_what_stays_running_loads_neither_plots_nor_templates() -> None:
    script = (
        "import sys, daemon.service, daemon.evaluate, daemon.evaluate.looking, daemon.cli.run\n"
        "print(sorted({'matplotlib', 'PIL', 'jinja2'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_plan_of_these_tests_ends_in_a_rise() -> None:
    easy = a_picture(ADDED).easy
    assert easy is not None and easy.raised and easy.delta_bpm is not None and easy.delta_bpm > 5
