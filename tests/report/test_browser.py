"""The page in a real browser, on a phone and a desk, in light and dark: quiet, alone, within its width, and for all.

Needs Debian's `chromium` (`make browser`); skipped where there is none, but not in CI.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import pytest

from daemon.report.page import page
from tests.house import House, open_house, plain_run
from tests.report.lives import HOSTILE, a_page
from tests.strained import strained_house
from tests.web.test_web import opened

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None and not os.environ.get("CI"):
    pytest.skip("no chromium here: make browser", allow_module_level=True)

PHONE, DESK = (360, 800), (1280, 900)
WIDTH = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
WORKS = "a[href], summary, input:checked"
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
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "pullback-report.html"
    path.write_text(page(a_page(names=HOSTILE, alerts=2)), encoding="utf-8")
    return path.as_uri()


@contextmanager
def _served(house: House, token: str | None = None) -> Iterator[str]:
    with opened(house, token) as site:
        yield f"http://127.0.0.1:{site.port}/" + (f"?token={token}" if token else "")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses of live pages: of a runner who was warned and thinks in miles, one who has begun, and nobody."""
    with ExitStack() as houses:
        warned = houses.enter_context(strained_house(tmp_path_factory.mktemp("warned")))
        warned.set_config("athlete", units="imperial")
        begun, nobody = (houses.enter_context(open_house(tmp_path_factory.mktemp(name))) for name in ("begun", "no"))
        begun.authorise()
        for n in range(1, 6):
            begun.world.add(plain_run(n, begun.clock.now() - timedelta(days=2 * n), minutes=30))
        begun.pull()
        begun.evaluate()
        yield {
            "warned": houses.enter_context(_served(warned, token="s3sam")),
            "begun": houses.enter_context(_served(begun)),
            "nobody": houses.enter_context(_served(nobody)),
        }


class Seen:
    """A page that was opened, and all it said and asked for."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.said: list[str] = []
        self.asked: list[str] = []
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address)

    def __enter__(self) -> "Seen":
        return self

    def __exit__(self, *_: Any) -> None:
        self.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_the_page_is_quiet_alone_within_its_width_and_for_all(
    browser: Any, file: str, screen: tuple[int, int], scheme: str
) -> None:
    _holds(browser, file, screen, scheme)


# Axe takes seconds for a page: the same page as a file goes through all four, each live one through two of them.
@pytest.mark.parametrize(
    ("runner", "screen", "scheme"),
    [
        ("warned", PHONE, "dark"),
        ("warned", DESK, "light"),
        ("begun", PHONE, "light"),
        ("begun", DESK, "dark"),
        ("nobody", PHONE, "dark"),
        ("nobody", DESK, "light"),
    ],
)
def test_so_is_the_live_page(
    browser: Any, live: dict[str, str], runner: str, screen: tuple[int, int], scheme: str
) -> None:
    _holds(browser, live[runner], screen, scheme)


def _holds(browser: Any, address: str, screen: tuple[int, int], scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    viewport = {"width": screen[0], "height": screen[1]}
    with Seen(browser, address, viewport=viewport, color_scheme=scheme) as seen:
        for _ in ("as it opens", "with all it can show"):
            wide, room = seen.page.evaluate(WIDTH)
            assert wide <= room
            seen.page.evaluate(OPEN)
        results = Axe().run(seen.page, options={"resultTypes": ["violations"]}).response
        bad = [v for v in results["violations"] if v["impact"] in ("serious", "critical")]
        assert not bad, "\n".join(f"{v['id']}: {v['help']}: {v['nodes'][0]['html']}" for v in bad)
        assert results["passes"], "axe looked at nothing"
        assert seen.said == []
        assert seen.asked == [address]


def test_a_runner_without_a_mouse_skips_to_the_report_and_filters_the_runs(browser: Any, file: str) -> None:
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


def test_on_paper_there_is_no_navigation_and_nothing_is_cut(browser: Any, file: str) -> None:
    with Seen(browser, file, viewport={"width": 720, "height": 1000}) as seen:
        seen.page.emulate_media(media="print")
        wide, room = seen.page.evaluate(WIDTH)
        assert wide <= room
        assert not seen.page.locator("nav").is_visible() and seen.page.locator("h1").is_visible()
        folded = seen.page.locator("details > :not(summary)")
        assert folded.count() > 5 and all(folded.nth(n).is_visible() for n in range(folded.count()))
        seen.page.emulate_media(media="screen")
        assert not any(folded.nth(n).is_visible() for n in range(folded.count())), "it was folded away"


def test_everything_that_can_be_worked_can_be_reached_by_keyboard(browser: Any, live: dict[str, str]) -> None:
    with Seen(browser, live["warned"], viewport={"width": 390, "height": 844}) as seen:
        works = seen.page.evaluate(f"[...document.querySelectorAll('{WORKS}')].map((e, n) => e.dataset.n = n).length")
        reached = set()
        for _ in range(works + 1):
            seen.page.keyboard.press("Tab")
            at = seen.page.locator(":focus")
            if at.count() and at.get_attribute("data-n"):
                reached.add(at.get_attribute("data-n"))
                assert at.evaluate("e => getComputedStyle(e).outlineStyle") != "none", "where one is can be seen"
        assert works > 10 and len(reached) == works
        seen.page.keyboard.press("Shift+Tab")
        seen.page.locator("summary").first.focus()
        seen.page.keyboard.press("Enter")
        assert seen.page.locator("details table").first.is_visible()
