"""Where alerts are written: one athlete, one open session, one moment. Opens and closes; decides nothing of running."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import cached_property
from typing import Any

from daemon.clock import local_day
from daemon.config import FOR_WATCHERS, Config
from daemon.evaluate.history import units_of
from daemon.measures import Units
from daemon.store import outbox
from daemon.store.outbox import Alert, Delivery
from daemon.store.progress import Progress
from daemon.values import Run
from daemon.verdict import WARNINGS
from daemon.verdict.telling import near

log = logging.getLogger(__name__)

UNTOLD = ("withdrawn", "given_up")

GOOD_NEWS = ("absorbing", "ready")
OF_RUNNING = (*WARNINGS, *GOOD_NEWS, "all_clear", "retraction", "reminder")
"""What was told of these may matter years later: whether a warning is another, what its key is, who believes it."""
LATELY = timedelta(weeks=4)
"""Of other kinds what was told before is no part of any decision: a digest is of its week, and what reached nobody is
given up after three days [ENG: far more than both]."""


def kinds_told(config: Config) -> frozenset[str]:
    """The kinds somebody wants; a pull-back and its end always, so that `status` and an answer know of them."""
    always = ("pull_back", "all_clear", *(FOR_WATCHERS if config.alerts.minimum == "watch" else ()))
    heard = (k for channel in config.alerts.urls for k in FOR_WATCHERS if config.alerts.hears(channel, k))
    return frozenset({*always, *heard})


@dataclass
class Desk:
    """`known_runs` gives the runner's runs, for words that name them: asked only when something is told."""

    session: Any
    athlete_id: int
    config: Config
    now: datetime
    zone: tzinfo
    state: Progress
    known_runs: Callable[[], list[Run]]

    def __post_init__(self) -> None:
        self.opened: list[int] = []

    @property
    def units(self) -> Units:
        return units_of(self.state, self.config)

    @property
    def today(self) -> date:
        return local_day(self.now, self.zone)

    @cached_property
    def runs(self) -> Mapping[int, Run]:
        return {run.id: run for run in self.known_runs()}

    def told(self) -> Mapping[int, tuple[Alert, tuple[Delivery, ...]]]:
        """What was told so far of running, and what else was lately, or still stands; with its deliveries."""
        return outbox.told(self.session, self.athlete_id, OF_RUNNING, self.now - LATELY)

    def day(self, alert: Alert) -> date:
        """The local day on which it was opened."""
        return local_day(alert.opened_at, self.zone)

    def channels(self) -> set[str]:
        """Those in the config."""
        return {outbox.channel_id(address) for c in self.config.alerts.urls for address in c.addresses}

    def hearers(self, kind: str) -> list[str]:
        wanting = (c for c in self.config.alerts.urls if self.config.alerts.hears(c, kind))
        return [outbox.channel_id(address) for c in wanting for address in c.addresses]

    def open(self, kind: str, episode: str, words: tuple[str, str], **options: Any) -> None:
        """Adds an alert for the channels that hear its kind, or those given; nothing where it was told already."""
        channels = options.pop("channels", None)
        alert = outbox.open_alert(
            self.session,
            self.athlete_id,
            kind=kind,
            episode=episode,
            title=words[0],
            text=words[1],
            channels=self.hearers(options.get("about") or kind) if channels is None else channels,
            now=self.now,
            **options,
        )
        if alert is not None:
            self.opened.append(alert)
            log.info('alert opened alert=%d kind=%s title="%s"', alert, kind, words[0])

    def stand(self, kind: str, episode: str, words: tuple[str, str]) -> None:
        """It is so: opens the alert, or goes on with one that was closed as it seemed to be over (another clock)."""
        known = outbox.known_alert(self.session, self.athlete_id, kind, episode)
        if known is None:
            self.open(kind, episode, words)
        elif known.closed_at is not None:
            outbox.reopen(self.session, known.id, self.now)

    def close(self, alert: Alert) -> None:
        outbox.close(self.session, alert, self.now)

    def close_kinds(self, *kinds: str) -> None:
        outbox.close_alerts(self.session, self.athlete_id, kinds, self.now)


@dataclass(frozen=True)
class Heard:
    """What the channels have of all alerts so far, by what was delivered or may have been."""

    alerts: tuple[Alert, ...]
    deliveries: Mapping[int, tuple[Delivery, ...]]

    @classmethod
    def of(cls, desk: Desk) -> "Heard":
        told = desk.told()
        return cls(tuple(a for a, _ in told.values()), {number: found for number, (_, found) in told.items()})

    def on(self, alert: Alert) -> set[str]:
        """The channels on which an alert arrived, or may have."""
        return {d.channel for d in self.deliveries.get(alert.id, ()) if d.arrived}

    def retraction(self, alert: Alert) -> Alert | None:
        """The retraction of an alert, or of the same warning told again since, that was told or is on its way."""
        since = (a for a in self.alerts if a.kind == "retraction" and a.thread == alert.thread and a.id > alert.id)
        return next((a for a in since if a.about == alert.kind and not self.silent(a)), None)

    def stands(self, alert: Alert) -> bool:
        """Whether it counts as told: it is open, or reached somebody (or nobody listens), and wasn't taken back."""
        if alert.closed_at is None:
            return True
        return not self.silent(alert) and self.retraction(alert) is None

    def believing(self, kind: str, began: str, thread: int, *, surely: bool = False) -> set[str]:
        """The channels that have this warning, and no retraction of it nor any all-clear since.

        It is what a thread told of it, and what was told of an episode near it: to who hears them they are one. An
        all-clear ends whatever was told before. What was withdrawn or given up in doubt may have arrived: such a
        channel isn't `surely` believing.
        """
        believing: set[str] = set()
        for alert in (a for a in self.alerts if a.about == kind or _ends(a, kind)):
            same = alert.thread == thread or near(alert.began, began)
            if _ends(alert, kind) and (same or alert.kind == "all_clear"):
                left = {d.channel for d in self.deliveries.get(alert.id, ()) if d.state in UNTOLD}
                believing -= self.on(alert) if surely else self.on(alert) - left
            elif same and not _ends(alert, kind):
                believing |= self.on(alert)
        return believing

    def knowing(self, kind: str, began: str, thread: int) -> set[str]:
        """The channels that surely have this very warning already, and surely no end of it since.

        One that was cut off in sending may have it: better told twice than never.
        """
        told = (a for a in self.alerts if a.kind == kind and near(a.began, began))
        same = ({d.channel for d in self.deliveries.get(a.id, ()) if d.state == "sent"} for a in told)
        return self.believing(kind, began, thread, surely=True) & set().union(*same)

    def is_new(self, thread: int, channel: str) -> bool:
        """Whether a thread's warnings were never meant for a channel, and nothing else of it arrived there.

        A reminder that an address refused says nothing of who had the warning at its address of before.
        """
        found = ((a, d) for a in self.alerts if a.thread == thread for d in self.deliveries.get(a.id, ()))
        return not any(d.channel == channel and (a.kind in WARNINGS or d.arrived) for a, d in found)

    def owed(self, alert: Alert) -> set[str]:
        """The channels that were to have an alert and may lack it: opened again, it is sent there."""
        return {d.channel for d in self.deliveries.get(alert.id, ()) if d.owed}

    def ended(self, alert: Alert) -> bool:
        """Whether some channel has, or may have, an all-clear given since a warning was told: it ends all before it."""
        return any(self.on(a) for a in self.alerts if a.kind == "all_clear" and a.id > alert.id)

    def silent(self, alert: Alert) -> bool:
        """Whether it was meant for channels, and was withdrawn from all of them before it arrived."""
        found = self.deliveries.get(alert.id, ())
        return bool(found) and all(d.state == "withdrawn" and not d.arrived for d in found)


def _ends(alert: Alert, kind: str) -> bool:
    """Whether it tells that a thread's warning of this kind doesn't stand any more."""
    return (alert.kind == "retraction" and alert.about == kind) or alert.kind == "all_clear"


def retraction_of(alert: Alert) -> str:
    """The key of an alert's retraction; one that was withdrawn before it arrived may be followed by another."""
    return f"{alert.episode} {alert.kind}"


def free_key(alerts: Collection[Alert], kind: str, episode: str) -> str:
    """The key of what is told anew: the episode's first day, and a number where that was used before."""
    taken = {a.episode for a in alerts if a.kind == kind}
    keys = [episode, *(f"{episode} {n}" for n in range(2, len(taken) + 3))]
    return next(key for key in keys if key not in taken)
