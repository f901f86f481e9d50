"""The ways out: each channel, and the dead man's switch. Sends only where it is asked to."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from daemon import heartbeat, notify
from daemon.config import Config
from daemon.doctor.finding import Finding, off, ok, problem, untried, warning

PLAIN = frozenset({"json", "xml", "form", "gotify", "hassio", "matrix", "mmost", "rocket", "nctalk", "apprise"})
"""Schemes that talk to a server of one's own without encryption unless they end in s."""

TOGETHER = (
    "one address for several, of whom all get an alert again where one doesn't take it; write each as an address of its"
    " own in [alerts] urls"
)

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def channels(config: Config, try_one: Callable[[str], str | None] | None) -> Iterator[Finding]:
    """Each channel by number and kind, never by address. `try_one` really sends, and says what went wrong."""
    if not config.alerts.urls:
        yield problem("channels", "no alert can reach you: add one to [alerts] urls")
    for url, (number, scheme) in config.alerts.numbered().items():
        name = f"channel {number}"
        failure = try_one(url) if try_one else None
        if failure is not None:
            yield problem(name, f"{scheme}: {failure}; compare [alerts] urls with what the service says")
        elif notify.takes_together(url):
            yield warning(name, f"{scheme}: {TOGETHER}")
        elif _is_plain(url, scheme):
            yield warning(name, f"{scheme} sends without encryption: use {scheme}s, if the service knows it")
        elif try_one:
            yield ok(name, f"{scheme}: took a test")
        else:
            yield untried(name, f"{scheme}: `pullback check --send` really sends")


def dead_mans_switch(config: Config, send: bool) -> Iterator[Finding]:
    """Whether somebody would notice that the daemon has gone silent."""
    url = config.heartbeat.url
    if url is None:
        yield off("heartbeat", "nobody is told when pullback itself dies; see [heartbeat] url")
        return
    kind = "Uptime Kuma" if heartbeat.KUMA in urlsplit(url).path else "Healthchecks-style"
    failure = heartbeat.send(url, "success") if send else None
    if failure is not None:
        yield problem("heartbeat", f"{kind}: {failure}; compare [heartbeat] url with what the service says")
    elif send:
        yield ok("heartbeat", f"{kind}: heard")
    else:
        yield untried("heartbeat", f"{kind}: `pullback check --send` really pings")


def _is_plain(url: str, scheme: str) -> bool:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return False
    return scheme in PLAIN and host not in LOOPBACK
