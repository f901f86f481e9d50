"""The calls pullback makes to Strava: asks its budget first, keeps the tokens fresh and saved, and returns values.

Decides nothing about what to fetch or when. One instance serves one thread at a time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from daemon.clock import Clock
from daemon.errors import UserError
from daemon.measures import Units
from daemon.strava import limits
from daemon.strava.auth import Tokens, read_tokens
from daemon.strava.convert import STREAM_KEYS, read_activity, read_streams, says_something
from daemon.strava.errors import (
    AccessLost,
    NotFound,
    RateLimited,
    Refusal,
    Refused,
    StravaUnreachable,
    Unreadable,
    explain,
    explain_token,
)
from daemon.strava.limits import Budget, Purpose
from daemon.strava.wire import Timeouts, Wire
from daemon.values import Activity, Streams

_BETWEEN_EARLY_REFRESHES = timedelta(minutes=30)


class Listed(NamedTuple):
    """One activity and the JSON it came from."""

    activity: Activity
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `unreadable` counts items without a usable id or start, which were left out.

    Strava may send short pages before the last one: the end is a page that is `empty`.
    """

    items: tuple[Listed, ...]
    unreadable: int = 0

    @property
    def empty(self) -> bool:
        return not self.items and not self.unreadable


class Strava:
    """One athlete's Strava. `budget` and `tokens` are always the latest known; the caller stores the budget.

    `save_tokens` is called with each new pair before it is first used. `load_tokens`, if given, is asked before a
    refresh and after a refused one whether another process has saved a newer pair meanwhile. `note_refresh` is told
    before a refresh is asked for (True) and when Strava has refused one (False); it returns whether the answer to an
    earlier one never came, so that a runner who is locked out by that learns why.
    """

    def __init__(
        self,
        client_id: int | str,
        client_secret: str,
        base_url: str,
        api_url: str,
        tokens: Tokens,
        save_tokens: Callable[[Tokens], None],
        budget: Budget | None,
        clock: Clock,
        *,
        load_tokens: Callable[[], Tokens | None] | None = None,
        note_refresh: Callable[[bool], bool] = lambda _begins: False,
        timeouts: Timeouts | None = None,
    ) -> None:
        self.tokens = tokens
        self.budget = budget
        self._client_id = client_id
        self._client_secret = client_secret
        self._save_tokens = save_tokens
        self._load_tokens = load_tokens
        self._note_refresh = note_refresh
        self._clock = clock
        self._unsaved: Tokens | None = None
        self._refreshed_at: datetime | None = None
        self._wire = Wire(base_url, api_url, timeouts or Timeouts(), self._note_headers)

    def list_activities(
        self,
        after: datetime | None,
        before: datetime | None = None,
        page: int = 1,
        per_page: int = 200,
        purpose: Purpose = "new",
    ) -> Page:
        """One page, one call: newest first, or oldest first where `after` is given (both bounds are start times).

        Raises RateLimited (before the call, or on 429), AccessLost, StravaUnreachable.
        """
        params: dict[str, Any] = {"page": page, "per_page": per_page}
        params |= {name: int(bound.timestamp()) for name, bound in (("after", after), ("before", before)) if bound}
        try:
            answer = self._get("/athlete/activities", "list of activities", purpose, params)
        except NotFound:
            raise StravaUnreachable("it knows no list of activities: is strava.api_url right?") from None
        if not isinstance(answer, list):
            raise StravaUnreachable("its list of activities could not be read")
        read = [(read_activity(raw, self.tokens.athlete_id), raw) for raw in answer]
        items = tuple(Listed(activity, raw) for activity, raw in read if activity is not None)
        return Page(items, len(read) - len(items))

    def activity(self, id: int, purpose: Purpose = "new") -> Listed:
        """One activity in detail (laps, device, perceived exertion).

        Raises NotFound, RateLimited, AccessLost, StravaUnreachable.
        """
        raw = self._get(f"/activities/{int(id)}", f"activity {id}", purpose, {})
        activity = read_activity(raw, self.tokens.athlete_id)
        if activity is None or activity.id != id:
            raise StravaUnreachable(f"activity {id} could not be read")
        return Listed(activity, raw)

    def streams(self, id: int, purpose: Purpose = "new") -> tuple[Streams, bytes] | None:
        """One recording and the JSON it came from; None where Strava has none (yet), or an empty one.

        Raises RateLimited, AccessLost, StravaUnreachable (Unreadable where what came is no recording).
        """
        params = {"keys": ",".join(STREAM_KEYS), "key_by_type": "true"}
        try:
            answer = self._get(f"/activities/{int(id)}/streams", f"recording of activity {id}", purpose, params)
        except NotFound:
            return None
        if not isinstance(answer, dict | list):
            raise StravaUnreachable(f"the recording of activity {id} could not be read")
        streams = read_streams(answer)
        if streams is not None:
            return streams, self._wire.last_body()
        if says_something(answer):
            raise Unreadable(f"the recording of activity {id} could not be read")
        return None

    def athlete(self) -> dict[str, Any]:
        """The athlete as Strava describes them. Raises RateLimited, AccessLost, StravaUnreachable."""
        answer = self._get("/athlete", "athlete", "new", {})
        if not isinstance(answer, dict):
            raise StravaUnreachable("its athlete could not be read")
        return answer

    def units(self) -> Units:
        """The units the athlete has chosen at Strava. Raises RateLimited, AccessLost, StravaUnreachable."""
        return "imperial" if self.athlete().get("measurement_preference") == "feet" else "metric"

    def close(self) -> None:
        """Closes the connections; the next call opens new ones."""
        self._wire.close()

    def _get(self, path: str, what: str, purpose: Purpose, params: Mapping[str, Any]) -> Any:
        self._ask_budget(purpose)
        self._freshen()
        used = self.tokens.access
        try:
            return self._wire.get(path, used, params)
        except Refused as error:
            refusal = error.refusal
        if refusal.status == 401 and refusal.readable and not refusal.scope_missing:
            # Strava's word counts, not `expires_at`: the clock may be wrong, or the token was withdrawn.
            self._replace_tokens()
            self._ask_budget(purpose)
            try:
                return self._wire.get(path, self.tokens.access, params)
            except Refused as error:
                refusal = error.refusal
        raise self._limited(refusal) or explain(refusal, what)

    def _ask_budget(self, purpose: Purpose) -> None:
        resume_at = limits.resume_at(self.budget, self._clock.now(), purpose)
        if resume_at is not None:
            raise RateLimited(resume_at)

    def _limited(self, refusal: Refusal) -> RateLimited | None:
        if refusal.status != 429:
            return None
        now = self._clock.now()
        self.budget = limits.full(self.budget, now, refusal.retry_after)
        return RateLimited(limits.resume_at(self.budget, now) or now.astimezone(UTC))

    def _freshen(self) -> None:
        """Refreshes a token that ends soon, and sees to it that no unsaved one is used."""
        if self._unsaved is not None:
            self._keep(self._unsaved)
        now = self._clock.now()
        # Strava hands out the same token again while it has an hour left: with a clock that is hours ahead, every
        # call would refresh. Its 401 is the truth; this is only to be early.
        lately = self._refreshed_at is not None and abs(now - self._refreshed_at) < _BETWEEN_EARLY_REFRESHES
        if not self.tokens.stale(now) or lately:
            return
        try:
            self._replace_tokens()
        except UserError:
            # Early on purpose: as long as the old token is good, trouble with the next one holds nothing up.
            if self._unsaved is not None or self.tokens.expires_at <= now:
                raise

    def _replace_tokens(self) -> None:
        now = self._clock.now()
        if self._adopt_newer() and not self.tokens.stale(now):
            return
        self._refreshed_at = now
        unanswered = self._note_refresh(True)
        try:
            answer = self._wire.refresh(self._client_id, self._client_secret, self.tokens.refresh)
        except Refused as error:
            lost = self._limited(error.refusal) or explain_token(error.refusal)
            if isinstance(lost, AccessLost) and lost.reason == "revoked":
                if self._adopt_newer():
                    return
                if unanswered:
                    raise AccessLost("lost") from None
            if not unanswered and not isinstance(lost, StravaUnreachable):
                self._note_refresh(False)  # a clear no; a gateway's error may hide a yes
            raise lost from None
        old = self.tokens
        self._keep(read_tokens(answer, scope=old.scope, athlete_id=old.athlete_id, old_refresh=old.refresh))

    def _keep(self, tokens: Tokens) -> None:
        """Saves before use. If saving fails the pair is kept and saved by the next call: the old one may be dead."""
        self._unsaved = tokens
        self._save_tokens(tokens)
        self.tokens, self._unsaved = tokens, None

    def _adopt_newer(self) -> bool:
        stored = self._load_tokens() if self._load_tokens else None
        if stored is None or (stored.access, stored.refresh) == (self.tokens.access, self.tokens.refresh):
            return False
        if stored.expires_at <= self.tokens.expires_at:
            return False
        self.tokens = stored
        return True

    def _note_headers(self, headers: Mapping[str, str]) -> None:
        self.budget = limits.parse_headers(headers, self._clock.now()) or self.budget
