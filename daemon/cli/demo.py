"""`pullback demo`: two simulated runners through the real pipeline, on a clock that runs fast.

Both put the same session into their week, one on top of it, the other in place of an easy run. It touches nothing of
the user's, and keeps nothing but the page of the runner who was warned.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, get_type_hints

import typer

from daemon.cli import show
from daemon.cli.session import Session

if TYPE_CHECKING:
    from daemon.config import Config
    from daemon.deliver import Send
    from daemon.jobs import Daemon
    from daemon.notify import Message
    from daemon.simulator.stories import Story
    from daemon.simulator.world import StravaWorld

INTRODUCTIONS = {
    "absorbed": "The first runner puts intervals in the place of Thursday's easy run, from {day} on.",
    "strained": "The second runner puts the same intervals on top of a full week, from {day} on.",
}
PAGE = Path("pullback-demo.html")
"""Written into the current folder."""
BEFORE_DAYS = 2
"""The first sync comes so many days before the intervals do; after it, every day is lived."""


@dataclass
class FastClock:
    """A clock that the demo moves; a day takes a moment."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


@dataclass(frozen=True)
class Alert:
    """What reached the runner's phone."""

    day: date
    title: str
    text: str


def command(context: typer.Context) -> None:
    """Watch two simulated runners start speed work: one is warned, the other isn't. Needs no account and no config."""
    from daemon.simulator.stories import STORIES

    session: Session = context.obj
    today = session.clock.now()
    for name, introduction in INTRODUCTIONS.items():
        story = STORIES[name](today.date())
        show.out([show.Line(introduction.format(day=story.introduced_on), "bold")])
        told, stands = _live(story, today)
        # In the order in which it came: what stands today may say more than a message of weeks ago.
        show.out([*_told(told), show.Line(""), *stands, show.Line("")])


def _live(story: "Story", today: datetime) -> tuple[list[Alert], list[show.Part]]:
    """One runner's months: the first sync, then day by day up to today. What the runner was told, and where he stands
    today."""
    evening = datetime.combine(story.introduced_on - timedelta(days=BEFORE_DAYS), time(21), today.tzinfo)
    clock = FastClock(evening)
    alerts: list[Alert] = []

    def send(url: str, message: "Message") -> None:
        alerts.append(Alert(clock.now().date(), message.title, message.text))

    days = (today.date() - evening.date()).days
    with _daemon(story, clock, send) as daemon:
        with show.progress("Fetching the months before") as advance:
            _first_sync(daemon, advance)
        with show.progress("Living on, with a poll every evening") as advance:
            for day in range(1, days + 1):
                clock.moment = evening + timedelta(days=day)
                daemon.poll()
                advance(day, days)
        show.out([show.Line(f"{days} days lived, a poll every evening.")])
        stands = _standing(daemon, clock.now().date())
        if alerts:
            stands.append(write_page(daemon, clock.now()))
        return alerts, stands


def _told(alerts: list[Alert]) -> list[show.Part]:
    """What a phone shows, in full."""
    if not alerts:
        return [show.Line("This runner was sent no alert.")]
    parts: list[show.Part] = []
    for alert in alerts:
        parts.append(show.Line(f"{alert.day}, on the phone: {alert.title}", "bold red"))
        parts += [show.Line(paragraph, indent=2) for paragraph in alert.text.split("\n\n")]
    return parts


def _first_sync(daemon: "Daemon", advance: show.Advance) -> None:
    from daemon.access import connect
    from daemon.sync import pull

    strava = connect(daemon.store, daemon.config, daemon.clock)
    assert strava is not None
    try:
        backfill, retention = daemon.config.strava.backfill, timedelta(days=daemon.config.privacy.raw_retention_days)
        athlete = strava.tokens.athlete_id
        outcome = pull(
            daemon.store, strava, athlete, daemon.clock, backfill=backfill, raw_retention=retention, advance=advance
        )
    finally:
        strava.close()
    show.out([show.Line(f"{outcome.fetched} runs of the months before fetched from a simulated Strava.")])


def _standing(daemon: "Daemon", today: date) -> list[show.Part]:
    """Where the runner stands today."""
    from daemon.cli.session import athlete
    from daemon.evaluate import status_document

    document = status_document(daemon.store, athlete(daemon.store))
    verdict = document["verdict"]
    return [
        show.Line(f"Where this runner stands today, {today}:"),
        show.Line(f"{verdict.replace('_', ' ')} since {document['since']}", show.STYLES.get(verdict, "bold"), indent=2),
        show.Line(document["headline"], indent=2),
    ]


def write_page(daemon: "Daemon", now: datetime) -> show.Line:
    """Writes the runner's page, and says where it is."""
    from daemon.cli.session import known_athlete
    from daemon.evaluate.looking import look
    from daemon.report.page import page

    data = look(daemon.store, known_athlete(daemon.store), daemon.config, now)
    assert data is not None, "42 days were judged"
    try:
        PAGE.write_text(page(data), encoding="utf-8")
    except OSError as error:
        return show.Line(f"No page of it: can't write {PAGE} here ({(error.strerror or str(error)).lower()}).")
    return show.Line(f"All of it on one page, for a browser: {PAGE.resolve()}")


@contextmanager
def _daemon(story: "Story", clock: FastClock, send: "Send") -> "Iterator[Daemon]":
    """A daemon of its own in a folder that vanishes, authorised at a Strava that holds this runner's story."""
    from daemon.jobs import Daemon
    from daemon.simulator.limits import Limits, Quota
    from daemon.simulator.standin import StandIn
    from daemon.simulator.world import StravaWorld
    from daemon.store import open_store

    world = StravaWorld(clock.now)
    # The months before come in one go: waiting for Strava's windows would only make the demo longer.
    world.limits = Limits(Quota("X-RateLimit", 10_000, 10_000), Quota("X-ReadRateLimit", 10_000, 10_000))
    world.add_all(story.activities, as_they_happen=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pullback-demo-")))
        standin = stack.enter_context(StandIn(world))
        store = open_store(folder / "pullback.db")
        stack.callback(store.close)
        daemon = Daemon(store, _config(standin.base_url, standin.api_url), clock, send)
        _authorise(daemon, world)
        yield daemon


def _config(base_url: str, api_url: str) -> "Config":
    from daemon import signals
    from daemon.config import AlertsConfig, Channel, Config, StravaConfig

    strava = StravaConfig(client_id=1, client_secret="secret", base_url=base_url, api_url=api_url)
    settings = {name: table() for name, table in get_type_hints(signals.SignalParams).items()}
    return replace(Config(strava=strava, signals=settings), alerts=AlertsConfig(urls=(Channel("terminal"),)))


def _authorise(daemon: "Daemon", world: "StravaWorld") -> None:
    """The simulated runner opens the consent page and agrees."""
    import httpx

    from daemon.access import authorise
    from daemon.strava import auth

    strava = daemon.config.strava
    page = auth.authorize_url(strava.base_url, 1, f"http://localhost:{auth.DEFAULT_PORT}/", "demo")
    answer = auth.callback_from(httpx.get(page).headers["location"])
    assert answer.code is not None
    tokens, _ = auth.exchange(
        answer.code, answer.scope, client_id=1, client_secret="secret", base_url=strava.base_url, api_url=strava.api_url
    )
    authorise(daemon.store, tokens)
