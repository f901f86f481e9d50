"""What is told to the runner: opens and closes alerts as today's verdict and Strava's answers ask for."""

import logging
from datetime import datetime, timedelta
from typing import Any

from daemon import documents, verdict, wording
from daemon.config import Config
from daemon.store import Store, judgement, outbox
from daemon.store.progress import Progress, progress
from daemon.values import Verdict

log = logging.getLogger(__name__)

GIVE_UP_AFTER = timedelta(days=3)
"""An older alert is no news to a channel that was added since."""


def tell(store: Store, athlete_id: int, config: Config, now: datetime, *, speak: bool) -> tuple[int, ...]:
    """Opens and closes alerts as today's verdict and Strava's answers ask for."""
    with store.write() as session:
        state = progress(session, athlete_id)
        opened = [_tell_access(session, athlete_id, config, state, now)]
        last = judgement.last_day(session, athlete_id)
        found = None if last is None else judgement.verdict(session, athlete_id, last)
        if found is not None and state.history_ready and speak:
            opened += _tell_verdict(session, athlete_id, config, documents.read_verdict(found), now)
        hearers = {outbox.channel_id(channel.url): channel for channel in config.alerts.urls}
        outbox.address(
            session,
            athlete_id,
            list(hearers),
            lambda channel, kind: _hears(hearers[channel], kind, config),
            now=now,
            since=now - GIVE_UP_AFTER,
        )
    return tuple(alert for alert in opened if alert is not None)


def _tell_access(session: Any, athlete_id: int, config: Config, state: Progress, now: datetime) -> int | None:
    if state.access is None or state.access_since is None:
        outbox.close_alerts(session, athlete_id, ["access"], now)
        return None
    title, text = wording.access(state.access)
    episode = f"{state.access} {state.access_since.isoformat()}"
    return _open(session, athlete_id, config, "access", episode, (title, text), now)


def _tell_verdict(session: Any, athlete_id: int, config: Config, today: Verdict, now: datetime) -> list[int | None]:
    told = [verdict.OpenAlert(a.kind, a.episode) for a in outbox.alerts(session, athlete_id)]
    still = {"pull_back": "pull_back", "recovering": "pull_back", "watch": "watch"}.get(today.state)
    outbox.close_alerts(session, athlete_id, {"watch", "pull_back"} - {still}, now)
    opened = []
    for say in verdict.what_to_say(today, told, lowest_minimum(config)):
        if say.kind == "all_clear" and not config.alerts.all_clear:
            continue
        words = wording.alert(say.kind, today, config.athlete.units or "metric")
        opened.append(_open(session, athlete_id, config, say.kind, say.episode, words, now))
    return opened


def _open(
    session: Any, athlete_id: int, config: Config, kind: str, episode: str, words: tuple[str, str], now: datetime
) -> int | None:
    alert = outbox.open_alert(
        session,
        athlete_id,
        kind=kind,
        episode=episode,
        title=words[0],
        text=words[1],
        channels=[outbox.channel_id(channel.url) for channel in config.alerts.urls if _hears(channel, kind, config)],
        now=now,
    )
    if alert is not None:
        log.info("alert %d opened: %s, %s", alert, kind, words[0])
    return alert


def lowest_minimum(config: Config) -> str:
    heard = any(_hears(channel, "watch", config) for channel in config.alerts.urls)
    return "watch" if heard or config.alerts.minimum == "watch" else "pull_back"


def _hears(channel: Any, kind: str, config: Config) -> bool:
    if channel.kinds is not None:
        return kind in channel.kinds
    return kind != "watch" or (channel.minimum or config.alerts.minimum) == "watch"
