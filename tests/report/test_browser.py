"""The page in a real browser, on a phone and a desk, in light and dark: quiet, alone, within its width, and for all.

Needs Debian's `chromium` (`make browser`); skipped where there is none, but not in CI.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon.report.page import page
from tests.report.lives import HOSTILE, a_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None and not os.environ.get("CI"):
    pytest.skip("no chromium here: make browser", allow_module_level=True)

SCREENS = [(360, 800), (1280, 900)]
WIDTH = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
OPEN = "document.querySelectorAll('details').forEach(d => d.open = true)"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    assert CHROMIUM is not None, "CI must have a browser: make browser"
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "pullback-report.html"
    path.write_text(page(a_page(names=HOSTILE, alerts=2)), encoding="utf-8")
    return path


class Seen:
    """A page that was opened, and all it said and asked for."""

    def __init__(self, browser: Any, file: Path, **options: Any) -> None:
        self.said: list[str] = []
        self.asked: list[str] = []
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri())

    def __enter__(self) -> "Seen":
        return self

    def __exit__(self, *_: Any) -> None:
        self.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS, ids=["phone", "desk"])
def test_the_page_is_quiet_alone_within_its_width_and_for_all(
    browser: Any, file: Path, screen: tuple[int, int], scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    viewport = {"width": screen[0], "height": screen[1]}
    with Seen(browser, file, viewport=viewport, color_scheme=scheme) as seen:
        for _ in ("as it opens", "with all it can show"):
            wide, room = seen.page.evaluate(WIDTH)
            assert wide <= room
            seen.page.evaluate(OPEN)
        results = Axe().run(seen.page, options={"resultTypes": ["violations"]}).response
        bad = [v for v in results["violations"] if v["impact"] in ("serious", "critical")]
        assert not bad, "\n".join(f"{v['id']}: {v['help']}: {v['nodes'][0]['html']}" for v in bad)
        assert results["passes"], "axe looked at nothing"
        assert seen.said == []
        assert seen.asked == [file.as_uri()]


def test_a_runner_without_a_mouse_skips_to_the_report_and_filters_the_runs(browser: Any, file: Path) -> None:
    with Seen(browser, file, viewport={"width": 360, "height": 800}) as seen:
        view = seen.page
        view.keyboard.press("Tab")
        skip = view.locator(":focus")
        assert skip.inner_text() == "Skip to the report" and skip.bounding_box()["y"] >= 0
        view.keyboard.press("Enter")
        assert view.evaluate("document.activeElement.id") == "main"
        rows = view.locator("table.runs tbody tr:not(.year):visible")
        every, hard = rows.count(), view.locator("table.runs tr.hard").count()
        view.locator("#show-all").focus()
        view.keyboard.press("ArrowRight")
        assert 0 < hard == rows.count() < every


def test_on_paper_there_is_no_navigation_and_nothing_is_cut(browser: Any, file: Path) -> None:
    with Seen(browser, file, viewport={"width": 720, "height": 1000}) as seen:
        seen.page.emulate_media(media="print")
        wide, room = seen.page.evaluate(WIDTH)
        assert wide <= room
        assert not seen.page.locator("nav").is_visible() and seen.page.locator("h1").is_visible()
