"""What the stand-in answers to each request, as bytes and headers. Changes a `StravaWorld`; touches no socket."""

import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

from daemon.simulator.limits import REFUSED_STATUS
from daemon.simulator.tokens import KNOWN_SCOPES, Grant
from daemon.simulator.world import Entry, StravaWorld, detail

MAX_PER_PAGE = 200
SUMMARY = ("id", "firstname", "lastname", "sex")
JSON_TYPE = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and headers of one answer (Content-Length is added when it is sent)."""

    status: int
    body: bytes
    headers: dict[str, str]

    @classmethod
    def json(cls, content: Any, status: int = 200) -> "Answer":
        return cls(status, json.dumps(content, separators=(",", ":")).encode(), dict(JSON_TYPE))

    @classmethod
    def error(cls, status: int, resource: str, field: str, code: str) -> "Answer":
        """Strava's error body: a message, and one entry that says what of which resource is wrong."""
        message = "Authorization Error" if status == HTTPStatus.UNAUTHORIZED else HTTPStatus(status).phrase
        entry = {"resource": resource, "field": field, "code": code}
        return cls.json({"message": message, "errors": [entry]}, status)

    @classmethod
    def inactive(cls, headers: dict[str, str]) -> "Answer":
        """What an app gets whose owner has no subscription."""
        return cls.error(403, "Application", "Status", "Inactive").plus(headers)

    @classmethod
    def trouble(cls, status: int, headers: dict[str, str]) -> "Answer":
        """A status without a story: 429 has a body of its own, the others Strava's usual error body."""
        if status == REFUSED_STATUS:
            body = {"errors": "Rate Limit Exceeded", "status": REFUSED_STATUS, "message": "Too Many Requests"}
            return cls.json(body, status).plus(headers)
        return cls.error(status, "Application", "", "internal").plus(headers)

    def plus(self, headers: dict[str, str]) -> "Answer":
        return Answer(self.status, self.body, self.headers | headers)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came in; header names in lower case."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str]

    @property
    def fields(self) -> dict[str, str]:
        """Parameters may come in the form or in the query, as at Strava."""
        return self.query | self.form

    @property
    def token(self) -> str:
        """The access token; still taken from a parameter too, which ends on 1 June 2027."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" else self.fields.get("access_token", "")

    @property
    def basic(self) -> tuple[str, str | None]:
        """HTTP Basic user and password."""
        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        try:
            client, _, secret = base64.b64decode(encoded if scheme.lower() == "basic" else "").decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return client, secret


@dataclass(frozen=True, slots=True)
class Call:
    """One authorised API request."""

    world: StravaWorld
    grant: Grant
    query: dict[str, str]

    @property
    def private(self) -> bool:
        return "activity:read_all" in self.grant.scopes

    def entry(self, activity_id: str) -> Entry | None:
        return self.world.find(self.grant.athlete_id, int(activity_id), private=self.private)


NOT_FOUND = Answer.error(404, "resource", "path", "invalid")


def answer(world: StravaWorld, request: Request) -> Answer:
    """The answer to one request."""
    if request.path.startswith("/api/"):
        return _api(world, request)
    with world.lock:
        match request.method, request.path:
            case "GET", "/oauth/authorize":
                return _authorize(world, request.query)
            case "POST", "/oauth/token":
                return Answer.inactive({}) if world.inactive else _token(world, request.fields)
            case "POST", "/oauth/revoke":
                return _revoke(world, request)
    return NOT_FOUND


# -- OAuth --------------------------------------------------------------------------------------------------------


def _authorize(world: StravaWorld, query: dict[str, str]) -> Answer:
    """The consent page with a runner who answers at once: 302 back to the app."""
    client, redirect = query.get("client_id", ""), query.get("redirect_uri", "")
    if client not in world.tokens.clients:
        return Answer.error(400, "Application", "client_id", "invalid")
    if urlsplit(redirect).hostname not in {"localhost", "127.0.0.1"}:
        return Answer.error(400, "Application", "redirect_uri", "invalid")
    asked = frozenset(filter(None, query.get("scope", "").replace(" ", ",").split(",")))
    if query.get("response_type") != "code":
        return Answer.error(400, "Authorize", "response_type", "invalid")
    if not asked or not asked <= KNOWN_SCOPES:
        return Answer.error(400, "Authorize", "scope", "invalid")
    back = {"state": query.get("state", "")}
    if world.deny:
        back["error"] = "access_denied"
    else:
        granted = (asked - world.unticked) | {"read"}
        back["code"] = world.tokens.issue_code(Grant(client, world.runner, granted))
        back["scope"] = ",".join(sorted(granted))
    return Answer(302, b"", {"Location": f"{redirect}{'&' if '?' in redirect else '?'}{urlencode(back)}"})


def _token(world: StravaWorld, form: dict[str, str]) -> Answer:
    client, now = form.get("client_id", ""), world.now()
    if client not in world.tokens.clients:
        return Answer.error(400, "Application", "client_id", "invalid")
    if world.tokens.clients[client] != form.get("client_secret"):
        return Answer.error(401, "Application", "", "invalid")
    if form.get("grant_type") == "authorization_code":
        pair = world.tokens.redeem_code(client, form.get("code", ""), now)
        if pair is None:
            return Answer.error(400, "AuthorizationCode", "code", "invalid")
        owner = world.tokens.athlete_of(pair["access_token"])
        return Answer.json(pair | {"athlete": _summary(world.athletes[owner]) if owner is not None else None})
    if form.get("grant_type") == "refresh_token":
        pair = world.tokens.redeem_refresh(client, form.get("refresh_token", ""), now)
        return Answer.json(pair) if pair else Answer.error(400, "RefreshToken", "refresh_token", "invalid")
    return Answer.error(400, "Application", "grant_type", "invalid")


def _revoke(world: StravaWorld, request: Request) -> Answer:
    """HTTP Basic client id and secret, form field `token`; an unknown token is no error (RFC 7009)."""
    client, secret = request.basic
    if world.tokens.clients.get(client) != secret:
        return Answer.error(401, "Application", "", "invalid")
    if "token" not in request.form:
        return Answer.error(400, "Application", "token", "missing")
    owner = world.tokens.athlete_of(request.form["token"])
    if owner is not None:
        world.tokens.revoke(owner)
    return Answer(200, b"", dict(JSON_TYPE))


# -- API ----------------------------------------------------------------------------------------------------------


def _api(world: StravaWorld, request: Request) -> Answer:
    """Quota first, then the app, the token, the scope, and then the answer; quota headers on all of them."""
    with world.lock:
        now = world.now()
        allowed = world.limits.count(now, reading=request.method == "GET")
        limits = world.limits.headers()
        grant = world.tokens.check(request.token, now)
    if not allowed:
        return Answer.trouble(REFUSED_STATUS, limits)
    if world.inactive:
        return Answer.inactive(limits)
    if grant is None:
        return Answer.error(401, "Athlete", "access_token", "invalid").plus(limits)
    for pattern, scopes, handler in ROUTES:
        match = re.fullmatch(pattern, request.path.removeprefix("/api/v3"))
        if match and request.method == "GET":
            if scopes and not scopes & grant.scopes:
                needed = f"{min(scopes)}_permission"
                return Answer.error(401, "AccessToken", needed, "missing").plus(limits)
            return handler(Call(world, grant, request.query), *match.groups()).plus(limits)
    return NOT_FOUND.plus(limits)


def _me(call: Call) -> Answer:
    athlete = call.world.athletes[call.grant.athlete_id]
    return Answer.json(athlete if "profile:read_all" in call.grant.scopes else _summary(athlete))


def _summary(athlete: dict[str, Any]) -> dict[str, Any]:
    """What is shown of an athlete beside the tokens, and to who may not see the whole profile."""
    return {key: value for key, value in athlete.items() if key in SUMMARY} | {"resource_state": 2}


def _zones(call: Call) -> Answer:
    top = int(call.world.athletes[call.grant.athlete_id].get("max_hr", 185))
    edges = [0, *(round(top * share) for share in (0.6, 0.75, 0.82, 0.9)), -1]
    zones = [{"min": low, "max": high} for low, high in zip(edges, edges[1:], strict=False)]
    return Answer.json({"heart_rate": {"custom_zones": False, "zones": zones}})


def _activities(call: Call) -> Answer:
    try:
        page, size = int(call.query.get("page", 1)), int(call.query.get("per_page", 30))
        after = float(call.query["after"]) if "after" in call.query else None
        before = float(call.query["before"]) if "before" in call.query else None
    except ValueError:
        return Answer.error(400, "Activity", "before", "invalid")
    if page < 1 or not 1 <= size <= MAX_PER_PAGE:
        return Answer.error(400, "Application", "per page", "max exceeded")
    entries = [
        entry
        for entry in call.world.visible(call.grant.athlete_id, private=call.private)
        if (after is None or entry.start > after) and (before is None or entry.start < before)
    ]
    if after is not None:
        entries.reverse()
    size = min(size, call.world.most_per_page or size)
    return Answer.json([entry.summary for entry in entries[(page - 1) * size : page * size]])


def _detail(call: Call, activity_id: str) -> Answer:
    entry = call.entry(activity_id)
    return Answer.json(detail(entry)) if entry else Answer.error(404, "Activity", "id", "invalid")


def _laps(call: Call, activity_id: str) -> Answer:
    entry = call.entry(activity_id)
    return Answer.json(entry.recording.laps) if entry else Answer.error(404, "Activity", "id", "invalid")


def _streams(call: Call, activity_id: str) -> Answer:
    entry = call.entry(activity_id)
    streams = call.world.streams(entry) if entry else {}
    keys = set(filter(None, call.query.get("keys", "").split(",")))
    if not streams or not keys:
        return Answer.error(404, "resource", "path", "invalid")
    if "distance" in streams:
        keys.add("distance")  # Strava sends the base of the series whether asked or not
    shaped = {
        name: {"data": data, "series_type": "distance", "original_size": len(data), "resolution": "high"}
        for name, data in streams.items()
        if name in keys
    }
    if call.query.get("key_by_type", "").lower() == "true":
        return Answer.json(shaped)
    return Answer.json([{"type": name, **stream} for name, stream in shaped.items()])


READ_ACTIVITY = frozenset({"activity:read", "activity:read_all"})

ROUTES: list[tuple[str, frozenset[str], Callable[..., Answer]]] = [
    (r"/athlete", frozenset(), _me),
    (r"/athlete/zones", frozenset({"profile:read_all"}), _zones),
    (r"/athlete/activities", READ_ACTIVITY, _activities),
    (r"/activities/(\d+)", READ_ACTIVITY, _detail),
    (r"/activities/(\d+)/laps", READ_ACTIVITY, _laps),
    (r"/activities/(\d+)/streams", READ_ACTIVITY, _streams),
]
