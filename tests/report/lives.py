"""Runners to look at: what the real signals and verdicts made of a simulated life, without a database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any

from daemon import documents
from daemon.config import Config
from daemon.evaluate.history import Facts
from daemon.evaluate.judging import judge_days, span
from daemon.evaluate.looking import page_data, picture_data
from daemon.measures import Units
from daemon.report.data import PageData, PictureData
from daemon.signals import SignalParams
from daemon.store.outbox import Alert
from daemon.values import Run
from tests.signals.runners import QUIET, Plan, simulate

ADDED = Plan(weeks=37, intensity_week=32, rise_bpm=8, change="added")
"""Intervals on top of the week for five weeks; easy runs cost 8 bpm more."""

HOSTILE = (
    "<script>alert('ran')</script>",
    "{{ 7 * 7 }}{% raw %}",
    "\u202efdp.nur\u202d \u200f\u05e8\u05d9\u05e6\u05d4",
    "\"'><img src=x onerror=an_alert(1)>\r\n.\r\n\x00\x1b[31m",
    "x" * 10_000,
    "</table></style><style>*{display:none}",
    "\ud800 lone",
)


def a_config(**athlete: Any) -> Config:
    config = Config(signals={name: getattr(SignalParams(), name) for name in SignalParams.__dataclass_fields__})
    return replace(config, athlete=replace(config.athlete, **athlete))


@cache
def judged(plan: Plan = ADDED, silent: int = 0) -> tuple[Facts, list[dict[str, Any]]]:
    """The facts of a life, and its record of verdicts, to so many `silent` days after the last run."""
    known = Facts(simulate(QUIET, plan, seed=11), ())
    days = span(known.runs[0].day, known.runs[-1].day + timedelta(days=silent))
    verdicts = judge_days(known, days, None, SignalParams(), ready=True)
    return known, [documents.verdict_document(verdict) for verdict in verdicts]


def a_page(
    plan: Plan = ADDED,
    names: Sequence[str] = (),
    config: Config | None = None,
    alerts: int = 1,
    days: int | None = None,
    silent: int = 0,
    units: Units = "metric",
) -> PageData:
    """The page on the last day, after so many `days`, or so many `silent` ones later; the newest runs bear `names`."""
    known, record = judged(plan, silent)
    runs = [*known.runs[: len(known.runs) - len(names)], *map(named, known.runs[-len(names) :] if names else [], names)]
    last = documents.read_verdict(record[-1]).day
    now = datetime.combine(last, time(18), UTC)
    text = "At 5:51/km your easy heart rate is <b>8 bpm</b> above your norm.\n\nThis week: run easy."
    told = [
        an_alert(n, "pull_back", "Time to pull back: {{ easy }}", text, now - timedelta(days=7 * n))
        for n in range(alerts)
    ]
    return page_data(Facts(runs, ()), record[:days], told, config or a_config(), now, units)


def an_alert(number: int, kind: str, title: str, text: str, opened: datetime, closed: datetime | None = None) -> Alert:
    """An alert that begins a thread of its own."""
    return Alert(number, 1, kind, f"{number}", title, text, opened, closed, kind, number)


def a_picture(plan: Plan = ADDED, title: str = "Time to pull back: easy runs cost 8 bpm more") -> PictureData:
    known, record = judged(plan)
    return picture_data(known, documents.read_verdict(record[-1]), title, a_config())


def named(run: Run, name: str) -> Run:
    return replace(run, name=name)
