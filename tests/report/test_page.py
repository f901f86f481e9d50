"""The page in itself: whole for any history, small, harmless whatever a run is called, and said in words as well."""

import base64
import hashlib
import re
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest

from daemon.harmless import one_line
from daemon.measures import Units
from daemon.report.page import NAME_LENGTH, empty, page
from daemon.report.scales import Across
from tests.report.lives import HOSTILE, a_page
from tests.signals.runners import Plan

UNITS: tuple[Units, Units] = ("metric", "imperial")


class Outline(HTMLParser):
    """Headings, tables and elements of a page, as a screen reader walks them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]

    @property
    def levels(self) -> list[int]:
        return [int(tag[1]) for tag, _ in self.elements if re.fullmatch("h[1-6]", tag)]


def test_headings_come_in_order_and_tables_are_headed() -> None:
    outline = Outline(page(a_page()))
    assert outline.levels[0] == 1 and outline.levels.count(1) == 1
    assert all(later <= before + 1 for before, later in zip(outline.levels, outline.levels[1:], strict=False))
    assert outline.all("html") == [{"lang": "en"}]
    assert len(outline.all("table")) == len(outline.all("caption")) == 6
    assert all(heading.get("scope") for heading in outline.all("th"))


def test_every_chart_is_said_in_words() -> None:
    html = page(a_page())
    charts = re.findall(
        r'<svg class="chart.*?</svg>\n(?:<figcaption>|<p class="says">|<details>|</figure>)', html, re.S
    )
    drawn = [tags for tag, tags in Outline(html).elements if tag == "svg" and tags.get("role") == "img"]
    named = {tags.get("id") for _, tags in Outline(html).elements}
    assert len(drawn) > 15 and len(charts) > 15
    for chart in drawn:
        assert set((chart["aria-labelledby"] or "-").split()) <= named
    assert "lie at +" in html and "bpm" in html
    # Runs of half a year ago lie around the norm of then.
    assert re.search(r"Today.{1,5}s norm is \d+ bpm; one run strays by \d+ from the norm of its own day", html)


def test_nothing_on_the_page_comes_from_elsewhere_or_runs() -> None:
    html = page(a_page())
    outline = Outline(html)
    assert not outline.all("script", "iframe", "object", "embed", "form", "base")
    links = [tags.get(name) or "" for _, tags in outline.elements for name in ("href", "src", "action", "data")]
    assert all(link == "" or link.startswith(("#", "data:,")) for link in links)
    assert not [name for _, tags in outline.elements for name in tags if name == "style" or name.startswith("on")]
    assert "url(http" not in html and "@import" not in html


def test_the_policy_lets_in_the_pages_own_style_and_nothing_else() -> None:
    html = page(a_page())
    policy = next(tags["content"] for tags in Outline(html).all("meta") if "http-equiv" in tags)
    style = re.search("<style>(.*)</style>", html, re.S)
    assert style is not None and policy is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy.startswith("default-src 'none';") and f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_what_a_run_is_called_is_only_ever_text() -> None:
    plain, hostile = page(a_page()), page(a_page(names=HOSTILE))
    assert [tag for tag, _ in Outline(hostile).elements] == [tag for tag, _ in Outline(plain).elements]
    assert "&lt;script&gt;alert(&#39;ran&#39;)&lt;/script&gt;" in hostile
    assert "{{ 7 * 7 }}{% raw %}" in hostile and "{{ easy }}" in hostile
    assert "<b>8 bpm</b>" not in hostile
    assert max(map(len, re.findall("<bdi>(.*?)</bdi>", hostile))) < 8 * NAME_LENGTH
    assert not re.search("[\x00-\x08\x0b-\x1f\ud800-\udfff]", hostile)
    hostile.encode()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Morning\r\n.\r\nRun", "Morning . Run"),
        ("  spaced   out ", "spaced out"),
        ("", ""),
        ("x" * 200, "x" * (NAME_LENGTH - 1) + "…"),
        ("Jogging im Prater 🏃", "Jogging im Prater 🏃"),
    ],
)
def test_a_name_keeps_what_can_be_read(name: str, shown: str) -> None:
    assert one_line(name, NAME_LENGTH) == shown


def test_a_runner_who_counts_in_miles_reads_miles() -> None:
    metric, imperial = (page(a_page(alerts=0, units=u)) for u in UNITS)
    assert "/km" in metric and "/mi" not in metric
    assert "/mi" in imperial and "/km" not in imperial


def test_a_history_that_has_just_begun_is_a_page_too() -> None:
    for plan, days in ((Plan(weeks=1), 1), (Plan(weeks=3), None), (Plan(weeks=8), None)):
        html = page(a_page(plan, alerts=0, days=days))
        assert "No alert was sent so far." in html
        assert "<h1>Learning</h1>" in html or "<h1>Stable</h1>" in html


def test_a_run_left_out_says_why_and_an_open_alert_that_it_is_open() -> None:
    html = page(a_page())
    assert "too little steady running" in html and "hard session" in html
    assert "still open" in html
    closed = a_page()
    html = page(replace(closed, told=tuple(replace(told, closed_on=told.day) for told in closed.told)))
    assert "still open" not in html and ", over on " in html


def test_three_years_fit() -> None:
    html = page(a_page(Plan(weeks=157, intensity_week=120, rise_bpm=4), alerts=12))
    assert len(html.encode()) <= 1.5 * 1024 * 1024
    assert html.count('<th scope="rowgroup"') >= 3


def test_commands_are_code_and_stay_escaped() -> None:
    data = a_page()
    verdict = replace(data.verdict, headline="Bring them with `pullback sync` <b>", advice=("Run `pullback check`.",))
    html = page(replace(data, verdict=verdict))
    assert "with <code>pullback sync</code> &lt;b&gt;" in html
    assert "<code>pullback check</code>." in html
    assert "a new key: <code>pullback auth</code>." in empty("a new key: `pullback auth`").replace("A new", "a new")


def test_few_weeks_are_labelled_by_days_many_by_months_and_years() -> None:
    def labels(days: int) -> list[str]:
        return [tick.label for tick in Across(date(2026, 4, 7), date(2026, 4, 7) + timedelta(days=days)).ticks()]

    assert labels(19) == ["13 Apr", "20 Apr"]
    assert labels(40) == ["13 Apr", "27 Apr", "11 May"]
    assert labels(60) == ["May", "Jun"]
    assert labels(600) == ["2027"]


def test_a_silence_counts_the_weeks_there_are() -> None:
    html = page(a_page(Plan(weeks=3), alerts=0, silent=90))
    assert "these are the 3 weeks up to" in html and "26 weeks up to" not in html
