"""The runner's grant between store and Strava: who may be asked, with which tokens, and a new grant kept."""

from contextlib import nullcontext
from dataclasses import replace

from daemon.clock import Clock
from daemon.config import Config
from daemon.errors import UserError
from daemon.store import Store, grants
from daemon.store.grants import Grant
from daemon.store.progress import progress, save_progress
from daemon.strava import limits
from daemon.strava.auth import Tokens
from daemon.strava.client import Strava


def connect(store: Store, config: Config, clock: Clock) -> Strava | None:
    """The client for the authorised athlete, None before `pullback auth` or without the app's id and secret."""
    with store.read() as session:
        held = grants.grant(session)
        state = None if held is None else progress(session, held.athlete_id)
    if held is None or state is None or config.strava.client_id is None or config.strava.client_secret is None:
        return None

    def save(tokens: Tokens) -> None:
        # Strava has already forgotten the old pair: losing the new one would lock the runner out.
        store.insist(lambda session: grants.save_grant(session, _grant(tokens)))

    def load() -> Tokens | None:
        with store.read() as session:
            now_held = grants.grant(session)
        return None if now_held is None else _tokens(now_held)

    return Strava(
        config.strava.client_id,
        config.strava.client_secret,
        config.strava.base_url,
        config.strava.api_url,
        _tokens(held),
        save,
        limits.from_json(state.budget),
        clock,
        load_tokens=load,
    )


def authorise(store: Store, tokens: Tokens, *, wait_s: float = 600.0) -> None:
    """Keeps a new grant; what stood in the way of the old one is over. Raises UserError for a second athlete.

    What was imported before becomes that athlete's; an import under way is waited for, as it would go on to write
    under no athlete's name. Raises Busy where it takes longer than `wait_s`.
    """
    with store.read() as session:
        first = grants.grant(session) is None
    with store.only_one("pull", wait_s) if first else nullcontext(), store.write() as session:
        held = grants.grant(session)
        imported = progress(session, grants.RUNNER).exported_athlete
        if held is None and imported not in (None, tokens.athlete_id):
            raise UserError(
                f"the export imported here is athlete {imported}'s, and you signed in to Strava as "
                f"{tokens.athlete_id}: sign in as the first, or use another database.url for the second"
            )
        if held is not None and held.athlete_id != tokens.athlete_id:
            raise UserError(
                f"this pullback already watches athlete {held.athlete_id}, and you signed in to Strava as "
                f"{tokens.athlete_id}: sign in as the first, or use another database.url for the second"
            )
        if held is None:
            grants.adopt(session, tokens.athlete_id)
        grants.save_grant(session, _grant(tokens))
        state = progress(session, tokens.athlete_id)
        save_progress(session, tokens.athlete_id, replace(state, access=None, access_since=None, problem=None))


def _grant(tokens: Tokens) -> Grant:
    scope = ",".join(sorted(tokens.scope))
    return Grant(tokens.athlete_id, tokens.access, tokens.refresh, tokens.expires_at, scope)


def _tokens(held: Grant) -> Tokens:
    scope = frozenset(held.scope.split(","))
    return Tokens(held.access, held.refresh, held.expires_at, scope, held.athlete_id)
