"""The runner's grant between store and Strava: who may be asked, with which tokens; a new grant kept, an old one ended.

Decides nothing about what is asked.
"""

from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

from daemon.clock import Clock
from daemon.config import Config
from daemon.errors import UserError
from daemon.store import Store, cleaning, grants
from daemon.store import activities as rows
from daemon.store.grants import Grant
from daemon.store.progress import athletes, progress, save_progress
from daemon.strava import limits
from daemon.strava.auth import Tokens, revoke
from daemon.strava.client import Strava
from daemon.strava.wire import Timeouts

MOST_WAIT_S = 20.0
"""How long an end of access waits for a pull under way, which may be exchanging the tokens right now."""


def connect(store: Store, config: Config, clock: Clock, timeouts: Timeouts | None = None) -> Strava | None:
    """The client for the authorised athlete, None before `pullback auth` or without the app's id and secret.

    `timeouts` other than the usual are for who asks a Strava that is near.
    """
    with store.read() as session:
        held = grants.grant(session)
        state = None if held is None else progress(session, held.athlete_id)
    if held is None or state is None or config.strava.client_id is None or config.strava.client_secret is None:
        return None
    keeping = _Keeping(store, held.athlete_id, clock)
    return Strava(
        config.strava.client_id,
        config.strava.client_secret,
        config.strava.base_url,
        config.strava.api_url,
        _tokens(held),
        keeping.save,
        limits.from_json(state.budget),
        clock,
        load_tokens=keeping.load,
        note_refresh=keeping.note_refresh,
        timeouts=timeouts,
    )


class _Keeping:
    """Where a client's tokens are kept between two processes of ours, and that a refresh is under way."""

    def __init__(self, store: Store, athlete_id: int, clock: Clock) -> None:
        self._store, self._athlete_id, self._clock = store, athlete_id, clock

    def save(self, tokens: Tokens) -> None:
        # Strava has already forgotten the old pair: losing the new one would lock the runner out.
        self._store.insist(lambda session: self._replace(session, tokens))

    def _replace(self, session: Any, tokens: Tokens) -> None:
        # Access that was ended meanwhile doesn't come back with tokens that were still on their way.
        if grants.grant(session) is not None:
            grants.save_grant(session, _grant(tokens))
            state = progress(session, self._athlete_id)
            save_progress(session, self._athlete_id, replace(state, refresh_begun_at=None))

    def load(self) -> Tokens | None:
        with self._store.read() as session:
            held = grants.grant(session)
        return None if held is None else _tokens(held)

    def note_refresh(self, begins: bool) -> bool:
        """Written before Strava is asked: a crash between its answer and our commit is then known for what it was.

        Raises StoreError where the disk is too full for the answer.
        """
        if begins:
            self._store.keep_room()
        with self._store.write() as session:
            state = progress(session, self._athlete_id)
            since = (state.refresh_begun_at or self._clock.now()) if begins else None
            save_progress(session, self._athlete_id, replace(state, refresh_begun_at=since))
        return state.refresh_begun_at is not None


def authorise(store: Store, tokens: Tokens, *, wait_s: float = 600.0) -> None:
    """Keeps a new grant; what stood in the way of the old one is over. Raises UserError for a second athlete, also
    where the first has withdrawn access: their runs are still here.

    What was imported before becomes that athlete's; an import or a judgement under way is waited for, as it would go
    on to write under no athlete's name. Raises Busy where it takes longer than `wait_s`.
    """
    with ExitStack() as waiting:
        with store.read() as session:
            first = grants.grant(session) is None
        for work in ("pull", "judgement") if first else ():
            waiting.enter_context(store.only_one(work, wait_s))
        _keep(store, tokens)


def _keep(store: Store, tokens: Tokens) -> None:
    with store.write() as session:
        held = grants.grant(session)
        imported = progress(session, grants.RUNNER).exported_athlete
        if held is None and imported not in (None, tokens.athlete_id):
            raise UserError(
                f"the export imported here is athlete {imported}'s, and you signed in to Strava as "
                f"{tokens.athlete_id}: sign in as the first, or use another database.url for the second"
            )
        first = next((a for a in athletes(session) if a not in (grants.RUNNER, tokens.athlete_id)), None)
        if first is not None:
            raise UserError(
                f"this pullback already watches athlete {first}, and you signed in to Strava as {tokens.athlete_id}: "
                "sign in as the first, run `pullback forget` if the first is to go, or use another database.url "
                "for the second"
            )
        if held is None:
            grants.adopt(session, tokens.athlete_id)
        grants.save_grant(session, _grant(tokens))
        _nothing_in_the_way(session, tokens.athlete_id)


def withdraw(store: Store, config: Config, clock: Clock) -> UserError | None:
    """Ends access: tells Strava, then deletes the tokens and every raw answer, here and in the backups beside it.

    What was derived stays. None when Strava took note (or nobody had authorised), else why it didn't: what is here is
    deleted all the same. Raises Busy while another process pulls, StoreError.
    """
    with store.only_one("pull", wait_s=MOST_WAIT_S):
        with store.read() as session:
            held = grants.grant(session)
        problem = None if held is None else _tell_strava(held, config)
        if held is not None:
            with store.write() as session:
                grants.drop_grant(session, held.athlete_id)
                rows.expire(session, held.athlete_id, clock.now(), timedelta(0))
                _nothing_in_the_way(session, held.athlete_id)
        store.settle()
        cleaning.end_access(store.path)
    return problem


def _tell_strava(held: Grant, config: Config) -> UserError | None:
    if config.strava.client_id is None or config.strava.client_secret is None:
        return UserError("without the application's id and secret Strava can't be told")
    try:
        revoke(
            # Of the two it lives longer, and either ends both.
            held.refresh,
            client_id=config.strava.client_id,
            client_secret=config.strava.client_secret,
            base_url=config.strava.base_url,
        )
    except UserError as error:
        return error
    return None


def _nothing_in_the_way(session: Any, athlete_id: int) -> None:
    state = progress(session, athlete_id)
    # No pull yet: the daemon beside us asks Strava at once.
    state = replace(state, access=None, access_since=None, problem=None, refresh_begun_at=None, last_pull_at=None)
    save_progress(session, athlete_id, state)


def _grant(tokens: Tokens) -> Grant:
    scope = ",".join(sorted(tokens.scope))
    return Grant(tokens.athlete_id, tokens.access, tokens.refresh, tokens.expires_at, scope)


def _tokens(held: Grant) -> Tokens:
    scope = frozenset(held.scope.split(","))
    return Tokens(held.access, held.refresh, held.expires_at, scope, held.athlete_id)
