"""Strava's OAuth desk: codes, access tokens of six hours, refresh tokens that die when used. No HTTP here."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

ACCESS_LIFE = timedelta(hours=6)

KNOWN_SCOPES = frozenset(
    {"read", "read_all", "profile:read_all", "profile:write", "activity:read", "activity:read_all", "activity:write"}
)


@dataclass(frozen=True, slots=True)
class Grant:
    """What one runner allowed one app."""

    client_id: str
    athlete_id: int
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Access:
    grant: Grant
    expires: datetime


class TokenOffice:
    """Issues and checks tokens. `clients` maps client id to secret. Not locked: the world's lock is around it.

    `rotates`: each refresh gives another refresh token and the old one dies, as Strava may do; without, it stays.
    """

    def __init__(self, clients: dict[str, str]) -> None:
        self.clients = clients
        self.rotates = True
        self._codes: dict[str, Grant] = {}
        self._access: dict[str, Access] = {}
        self._refresh: dict[str, Grant] = {}
        self._serial = count(1)

    def issue_code(self, grant: Grant) -> str:
        code = self._fresh("code")
        self._codes[code] = grant
        return code

    def redeem_code(self, client_id: str, code: str, now: datetime) -> dict[str, Any] | None:
        """Tokens for a code, once; None when it isn't good (any more) or another app's."""
        grant = self._codes.pop(code, None)
        return self.issue(grant, now) if grant and grant.client_id == client_id else None

    def redeem_refresh(self, client_id: str, token: str, now: datetime) -> dict[str, Any] | None:
        """A new pair for a refresh token; access tokens out there live on until they expire."""
        grant = self._refresh.get(token)
        if grant is None or grant.client_id != client_id:
            return None
        del self._refresh[token]
        pair = self.issue(grant, now)
        if not self.rotates:
            self._refresh[token] = self._refresh.pop(pair["refresh_token"])
            pair["refresh_token"] = token
        return pair

    def issue(self, grant: Grant, now: datetime) -> dict[str, Any]:
        """A new pair without any dance: the fields of Strava's token answer."""
        access, refresh = self._fresh("access"), self._fresh("refresh")
        expires = now + ACCESS_LIFE
        self._access[access] = Access(grant, expires)
        self._refresh[refresh] = grant
        return {
            "token_type": "Bearer",
            "expires_at": int(expires.timestamp()),
            "expires_in": int(ACCESS_LIFE.total_seconds()),
            "refresh_token": refresh,
            "access_token": access,
        }

    def check(self, token: str, now: datetime) -> Grant | None:
        """The grant behind an access token, None when unknown, revoked or expired."""
        access = self._access.get(token)
        return access.grant if access and now < access.expires else None

    def athlete_of(self, token: str) -> int | None:
        """Whose token (access or refresh) this is."""
        if token in self._access:
            return self._access[token].grant.athlete_id
        grant = self._refresh.get(token)
        return grant.athlete_id if grant else None

    def revoke(self, athlete_id: int) -> None:
        """The runner takes the permission back: every code and token of theirs dies."""
        self._codes = {k: g for k, g in self._codes.items() if g.athlete_id != athlete_id}
        self._access = {k: a for k, a in self._access.items() if a.grant.athlete_id != athlete_id}
        self._refresh = {k: g for k, g in self._refresh.items() if g.athlete_id != athlete_id}

    def narrow(self, scopes: frozenset[str]) -> None:
        """Every token out there is good for these permissions alone."""
        self._access = {k: replace(a, grant=replace(a.grant, scopes=scopes)) for k, a in self._access.items()}
        self._refresh = {k: replace(grant, scopes=scopes) for k, grant in self._refresh.items()}

    def kill_access(self) -> None:
        """Every access token stops working before its time; refresh tokens stay good."""
        self._access.clear()

    def _fresh(self, what: str) -> str:
        return hashlib.sha1(f"{what}{next(self._serial)}".encode()).hexdigest()
