"""The page: one self-contained HTML file without a script, from templates in files. The only file that knows Jinja2.

It writes down what `data` holds and `charts` worked out, and decides nothing.
"""

import base64
import hashlib
import re
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from daemon import measures
from daemon.harmless import one_line
from daemon.report import charts, formats
from daemon.report.data import PageData
from daemon.wording import unfetched

NAME_LENGTH = 80
"""A longer name of a run is cut."""

FAMILIES = {
    "response": "What easy running costs",
    "load": "Load",
    "spacing": "Spacing and rest",
    "control": "Control",
    "felt": "How it feels",
    "": "Intensity",
}
"""The families of signals in the order in which a runner would ask."""


def page(data: PageData) -> str:
    """The HTML of the page. A second for three years."""
    signals = [(signal, _course(data, signal.name)) for signal in data.signals]
    return (
        _templates()
        .get_template("page.html.j2")
        .render(
            data=data,
            css=_css(),
            policy=policy(),
            charts=charts,
            f=formats,
            unfetched=unfetched(data.to_fetch),
            m=measures,
            families=[
                (title, [pair for pair in signals if pair[0].family == name]) for name, title in FAMILIES.items()
            ],
            years=_years(data),
        )
    )


def empty(reason: str) -> str:
    """The HTML where nothing was judged yet; `reason` says what is in the way, "" where nothing is."""
    return _templates().get_template("empty.html.j2").render(css=_css(), policy=policy(), reason=_sentence(reason))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".")


def policy() -> str:
    """The page's Content-Security-Policy: its own style sheet and pictures inside it, nothing else."""
    style = base64.b64encode(hashlib.sha256(_css().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; form-action 'none'"


@cache
def _css() -> str:
    return resources.files("daemon.report").joinpath("templates", "page.css").read_text(encoding="utf-8")


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("daemon.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"clean": lambda name: one_line(name, NAME_LENGTH), "commands": _commands}
    return environment


def _commands(text: str) -> Markup:
    """Escaped text in which what stands in backticks is code, as our texts write commands."""
    return Markup(re.sub("`([^`\n]+)`", r"<code>\1</code>", str(escape(text))))


def _course(data: PageData, name: str) -> charts.Chart | None:
    course = next((course for course in data.courses if course.name == name), None)
    return None if course is None else charts.sparkline(course, data.until)


def _years(data: PageData) -> list[tuple[int, list[object]]]:
    """The runs by year, as they come: newest first."""
    found: dict[int, list[object]] = {}
    for run in data.runs:
        found.setdefault(run.day.year, []).append(run)
    return list(found.items())
