"""Takes secrets out of a text before anybody sees it. Knows no secret by itself: they are handed in."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote, urlsplit

LEAST_PIECE = 6
"""A shorter piece of an address is too likely a word."""

_NAMED_SECRETS = re.compile(
    r"""(?ix)
    (?P<name> \b (?: client_secret | access_token | refresh_token | password | token ) \b ["']? \s* [=:] \s* ["']?
            | \b code= )
    [^\s"'&,;)}]+
    """
)
_BEARER = re.compile(r"(?i)\b(bearer|basic) [a-z0-9._~+/=-]+")
_USER_INFO = re.compile(r"://[^/\s@'\"]+@")
_STRAVA_SECRET = re.compile(r"\b[0-9a-f]{40}\b")
"""Strava's tokens and client secrets are forty hexadecimal digits, and nothing of ours that is shown is."""
_NO_SECRET = frozenset({"pullback", "localhost"})


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` without the given secrets, and without what looks like a token, a password or a credential in a URL."""
    found = {piece for secret in secrets for piece in (secret, *_pieces(secret))}
    for piece in sorted(found, key=len, reverse=True):
        text = text.replace(piece, "…")
    text = _NAMED_SECRETS.sub(r"\g<name>…", text)
    return _STRAVA_SECRET.sub("…", _USER_INFO.sub("://…@", _BEARER.sub(r"\1 …", text)))


def _pieces(secret: str) -> Iterator[str]:
    """What a library may log of an address: user, password, path and query; and the host where it is no host's name."""
    if "://" not in secret:
        return
    try:
        parts = urlsplit(secret)
        host = "" if "." in (parts.hostname or "") or parts.port else parts.netloc.rpartition("@")[2]
        values = [pair.partition("=")[2] for pair in parts.query.split("&")]
        words = [parts.username or "", parts.password or "", host, *parts.path.split("/"), *values]
    except ValueError:
        return
    for word in words:
        for form in (word, unquote(word)):
            if len(form) >= LEAST_PIECE and form.lower() not in _NO_SECRET:
                yield form
