"""What can go wrong with Strava, in the runner's words, and the pure rules that tell one refusal from another.

Nothing here may hold a token or a secret: these texts are logged, shown and sent.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal

from daemon.clock import moment_text
from daemon.errors import UserError

Reason = Literal["inactive", "revoked", "lost", "scope", "client"]

ACCESS_LOST: dict[Reason, str] = {
    "inactive": (
        "Strava has switched your API application off because its owner has no active Strava subscription: "
        "subscribe, then reactivate the application at https://www.strava.com/settings/api"
    ),
    "revoked": "Strava doesn't accept this authorisation (any more): run `pullback auth`",
    "lost": (
        "Strava doesn't accept this authorisation any more, and an answer with a new one was lost on the way: "
        "run `pullback auth`"
    ),
    "scope": (
        "Strava refuses the answer because a permission is missing: run `pullback auth` and leave every box ticked"
    ),
    "client": (
        "Strava doesn't know this application: check strava.client_id and strava.client_secret "
        "against https://www.strava.com/settings/api"
    ),
}


class StravaUnreachable(UserError):
    """No usable answer (network, time-out, 5xx, something that isn't Strava's JSON): pending for the next pull."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"No usable answer from Strava ({reason}): what is missing stays pending for the next pull; "
            "if it lasts, run `pullback check`"
        )


class Unreadable(StravaUnreachable):
    """A recording came that makes no sense: by mistake, most likely, so it is worth asking again for a while."""


class RateLimited(UserError):
    """Strava's read limit is used up until `resume_at` (aware, UTC); the call wasn't made, or was answered with 429."""

    def __init__(self, resume_at: datetime) -> None:
        self.resume_at = resume_at.astimezone(UTC)
        super().__init__(self.told(UTC))

    def told(self, zone: tzinfo) -> str:
        """The sentence, with its time on the clock of `zone`."""
        return (
            f"Strava's rate limit is used up: the rest waits until {moment_text(self.resume_at, zone)}, "
            "`pullback run` goes on by itself and `pullback sync` can be repeated then"
        )


class AccessLost(UserError):
    """Strava refuses for good, until the runner does what the sentence says."""

    def __init__(self, reason: Reason) -> None:
        self.reason: Reason = reason
        super().__init__(ACCESS_LOST[reason])


class NotFound(UserError):
    """Strava has no such thing: deleted, never there, or not visible with the granted permissions."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"Strava has no {what}: it was deleted or isn't visible to pullback; `pullback check` shows the permissions"
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is an error. `readable` is false where the body isn't Strava's JSON (but a proxy's page).

    `scope_missing`: Strava knows the token and says which permission it lacks (with a 401, like a dead token).
    """

    status: int
    readable: bool
    resources: frozenset[str]
    inactive: bool
    scope_missing: bool = False
    retry_after: str | None = None


def refusal(status: int, body: Any, retry_after: str | None) -> Refusal:
    """What an error answer says; `body` is its decoded JSON, or None where it held none."""
    errors = body.get("errors") if isinstance(body, dict) else None
    entries = [entry for entry in (errors if isinstance(errors, list) else [errors]) if isinstance(entry, dict)]
    return Refusal(
        status=status,
        readable=isinstance(body, dict) and not {"message", "errors", "error"}.isdisjoint(body),
        resources=frozenset(str(entry.get("resource")) for entry in entries),
        inactive=status == 403 and any(entry.get("code") == "Inactive" for entry in entries),
        scope_missing=any(
            entry.get("code") == "missing" and str(entry.get("field")).endswith("_permission") for entry in entries
        ),
        retry_after=retry_after,
    )


class Refused(Exception):
    """Carries a `Refusal` from the wire to the client; never leaves this room."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(f"HTTP {refusal.status}")


def explain(refusal: Refusal, what: str) -> UserError:
    """The error for a refused API call; `what` names what was asked for. 429 is left to the caller, who has the budget.

    A 401, 403 or 404 counts only when Strava itself said so: a proxy's page must neither tell the runner to
    authorise again nor make a run look deleted.
    """
    if not refusal.readable:
        return _unusable(refusal)
    if refusal.inactive:
        return AccessLost("inactive")
    if refusal.status == 401 and not refusal.scope_missing:
        return AccessLost("revoked")
    if refusal.status in {401, 403}:
        return AccessLost("scope")
    if refusal.status == 404:
        return NotFound(what)
    return _unusable(refusal)


def explain_token(refusal: Refusal) -> UserError:
    """The error for a refused refresh or code: the application's own fault, or the authorisation's."""
    if refusal.readable and refusal.inactive:
        return AccessLost("inactive")
    if refusal.readable and refusal.status in {400, 401, 403}:
        return AccessLost("client" if "Application" in refusal.resources else "revoked")
    return _unusable(refusal)


def _unusable(refusal: Refusal) -> StravaUnreachable:
    return StravaUnreachable(f"HTTP {refusal.status}" + ("" if refusal.readable else ", not Strava's own page"))
