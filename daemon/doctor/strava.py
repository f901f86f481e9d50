"""Strava's side: this machine's clock against its clock, the token, what it may read, the subscription, the quota."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from email.utils import parsedate_to_datetime

from daemon.access import connect
from daemon.clock import Clock, moment_text
from daemon.config import Config
from daemon.doctor.finding import Finding, off, ok, problem, warning
from daemon.evaluate import local_now
from daemon.measures import counted, duration
from daemon.store import Store, grants
from daemon.store.progress import Progress, progress, silent_since
from daemon.strava.auth import missing_scopes
from daemon.strava.errors import AccessLost, RateLimited, StravaUnreachable
from daemon.strava.limits import Budget

CLOCK_MAY_DIFFER = timedelta(minutes=2)
NARROW = 0.8
"""The share of a limit from which a warning is due."""

LOST = {"inactive": "subscription", "scope": "scope", "client": "app"}
"""What a reason for lost access is about; any other is about the token."""


def clock(config: Config, now: Clock) -> Iterator[Finding]:
    """This machine's clock against the Date header of Strava's answer."""
    if config.strava.client_id is None:
        yield off("clock", "isn't compared with Strava's, which isn't asked")
        return
    import httpx  # a third of a second that no other command needs

    where = config.strava.base_url
    try:
        said = httpx.head(where, timeout=10).headers.get("date", "")
    except httpx.HTTPError as error:
        why = f"{where} doesn't answer ({type(error).__name__}): is this machine online?"
        if _of_certificate(error):  # no certificate is valid long before its time, or long after
            why = (
                f"the certificate of {where} can't be verified: is the clock right (timedatectl)? Else who is between?"
            )
        yield problem("clock", f"can't be compared, {why}")
        return
    try:
        ahead = now.now() - parsedate_to_datetime(said)
    except (ValueError, TypeError, OverflowError):
        told = "doesn't say what time it is" if not said else "says its time in a way nobody can read"
        yield warning("clock", f"can't be compared, {where} answers and {told}: is that really Strava?")
        return
    if abs(ahead) > CLOCK_MAY_DIFFER:
        far = f"{_roughly(abs(ahead))} {'ahead of' if ahead > timedelta(0) else 'behind'} Strava's"
        yield problem("clock", f"is {far}: set it (timedatectl set-ntp true)")
    else:
        yield ok("clock", "agrees with Strava's")


def unauthorised(config: Config, *, granted: bool = False) -> Iterator[Finding]:
    """Before the runner's consent, or with keys that were `granted` for settings that are gone: what comes first."""
    if config.strava.client_id is None and not granted:
        yield warning(
            "Strava",
            "there are no runs yet: for the API set [strava] client_id, from https://www.strava.com/settings/api; "
            "or leave it out and bring files with `pullback import`",
        )
    elif missing := config.strava.missing():
        yield problem("Strava", f"{missing} is not set; take it from https://www.strava.com/settings/api")
    else:
        yield problem(
            "token",
            "pullback isn't authorised at Strava yet; run `pullback auth`, which also shows whether Strava takes the "
            "app's client_id and client_secret",
        )


def access(config: Config, store: Store, now: Clock) -> Iterator[Finding]:
    """Asks Strava who we are and for one run: two calls, which show token, subscription, scope and quota."""
    zone = local_now(store, config, now.now()).tzinfo or UTC
    strava = connect(store, config, now)
    if strava is None:
        yield from _not_asked(config, store)
        return
    held = strava.tokens
    try:
        # The stored reading may be old: Strava's own answer counts.
        strava.budget = None
        strava.athlete()
        strava.list_activities(None, per_page=1)  # a permission that was withdrawn shows only here
    except AccessLost as error:
        yield problem(LOST.get(error.reason, "token"), str(error))
        return
    except RateLimited as error:
        yield warning("quota", error.told(zone))
        return
    except StravaUnreachable as error:
        yield problem(
            "Strava",
            f"gives no usable answer ({error.reason}): nothing is lost, and each poll asks again; "
            "if it lasts, look at https://status.strava.com and at this machine's network",
        )
        return
    finally:
        strava.close()
    tried = ", and renewed just now with the client secret"
    if strava.tokens == held:  # no answer of Strava's has rested on the secret
        again = moment_text(held.expires_at, zone)
        tried = f"; the app's keys in [strava] weren't asked for: they are when this is renewed, by {again}"
    yield ok("token", f"accepted for athlete {held.athlete_id}{tried}")
    yield ok("subscription", "Strava answers, so the app is active")
    yield from _scope(strava.tokens.scope)
    yield _quota(strava.budget, now.now().astimezone(zone))
    with store.read() as session:
        yield _sync(progress(session, strava.tokens.athlete_id), config, now.now().astimezone(zone))


def _not_asked(config: Config, store: Store) -> Iterator[Finding]:
    with store.read() as session:
        granted = grants.grant(session) is not None
        imported = grants.athlete(session) is not None and not granted
    if imported and config.strava.client_id is None:
        yield off("Strava", "isn't asked, as [strava] client_id is not set: runs come by `pullback import`")
    else:
        yield from unauthorised(config, granted=granted)


def _scope(granted: frozenset[str]) -> Iterator[Finding]:
    unmet = missing_scopes(granted)
    for sentence in unmet:
        yield (problem if "activity" in sentence.split(",")[0] else warning)("scope", sentence)
    if not unmet:
        yield ok("scope", ", ".join(sorted(granted)))


def _quota(budget: Budget | None, now: datetime) -> Finding:
    """`now` is on the runner's clock. Strava's day is that of UTC."""
    if budget is None:
        return ok("quota", "Strava didn't say")
    midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time.min, UTC)
    text = (
        f"{budget.short_used} of {budget.short_limit} calls in this quarter of an hour, {budget.day_used} of "
        f"{budget.day_limit} in Strava's day, which ends at {midnight.astimezone(now.tzinfo):%H:%M %Z}"
    )
    shares = (budget.short_used / max(budget.short_limit, 1), budget.day_used / max(budget.day_limit, 1))
    if max(shares) >= NARROW:
        return warning("quota", f"{text}: what is still to be fetched may wait until it is free again, nothing is lost")
    return ok("quota", text)


def _sync(state: Progress, config: Config, now: datetime) -> Finding:
    """`now` is on the runner's clock."""
    since = silent_since(state, now)
    if since is None:
        return warning("sync", "Strava's list wasn't read yet; run `pullback sync`, or start the daemon")
    when = moment_text(since, now.tzinfo or UTC)
    text = f"{'asked in vain since' if state.last_success_at is None else 'last at'} {when}"
    if now - since > config.alerts.stale_after:
        why = f" ({state.problem})" if state.problem else ""
        return problem("sync", f"{text}, too long ago{why}: run `pullback sync` and see what it says")
    return (warning if state.last_success_at is None else ok)("sync", text)


def _roughly(span: timedelta) -> str:
    return counted(span.days, "day") if span.days > 1 else duration(span.total_seconds() / 60)


def _of_certificate(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None
