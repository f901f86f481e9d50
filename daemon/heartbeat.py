"""The only room that knows the dead man's switch: tells one address that work began, went well or failed.

Nothing here may hold up the work or make it fail, and the address, which is its own secret, is in no text.
"""

import logging
import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

State = Literal["start", "success", "fail"]

TIMEOUT_S = 5.0
"""For connecting, and between two pieces of an answer."""
LONGEST_S = 10.0
"""For all of it: an answer that drips in ends, too."""
WAITING = 8
"""So many pings wait for a slow service; later ones are dropped, as only the newest state matters to it."""
LONGEST_TEXT = 200
KUMA = "/api/push/"
LATE = "no answer in time"


@dataclass(frozen=True, slots=True)
class Ping:
    """One request: what to send where."""

    address: str
    body: str | None = None


def ping_for(url: str, state: State, text: str = "") -> Ping | None:
    """What a service expects to hear of `state`; None where it has no word for it.

    Healthchecks and its kin: `url/start`, `url` and `url/fail`, the text as body, a query (`?create=1`) kept at the end
    (https://healthchecks.io/docs/http_api/). Uptime Kuma, known by /api/push/: `?status=up|down&msg=`, and no start
    (https://github.com/louislam/uptime-kuma/wiki/Push-Monitor).
    """
    parts = urlsplit(url)
    said = " ".join(text.split())[:LONGEST_TEXT]
    if KUMA in parts.path:
        if state == "start":
            return None
        kept = {key: value for key, value in parse_qsl(parts.query) if key not in ("status", "msg", "ping")}
        told = {"status": "up" if state == "success" else "down", "msg": said or "OK"}
        return Ping(urlunsplit(parts._replace(query=urlencode(kept | told), fragment="")))
    end = "" if state == "success" else f"/{state}"
    return Ping(urlunsplit(parts._replace(path=parts.path.rstrip("/") + end, fragment="")), said or None)


def send(url: str, state: State, text: str = "") -> str | None:
    """Sends one ping and waits for the answer; None when it was accepted, else what happened, without the address."""
    import httpx  # ten megabytes that a daemon without a dead man's switch never needs

    # They note every address at INFO.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    ping = ping_for(url, state, text)
    if ping is None:
        return None
    # Certificates are verified, and no redirect leads elsewhere. Plain http is for this machine: no proxy, either.
    plain = urlsplit(ping.address).scheme == "http"
    client = httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=not plain)
    said: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=lambda: said.put(_asked(client, ping)), name="ping", daemon=True).start()
    try:
        return said.get(timeout=LONGEST_S)
    except queue.Empty:
        return LATE
    finally:
        client.close()  # and with it what is still being read


def _asked(client: "httpx.Client", ping: Ping) -> str | None:
    import httpx

    try:
        with client.stream("POST" if ping.body else "GET", ping.address, content=ping.body) as answer:
            return None if answer.is_success else f"refused, HTTP {answer.status_code}"
    except httpx.TimeoutException:
        return LATE
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
        return f"not reached ({type(error).__name__})"


class Heartbeat:
    """Pings in their order, from a thread of its own, so that whoever tells it something never waits."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[tuple[str, State, str]] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None
        self._problem: str | None = None

    def tell(self, url: str, state: State, text: str = "") -> None:
        """Leaves a ping to be sent; returns at once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="heartbeat", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait((url, state, text))
        except queue.Full:
            log.debug("heartbeat dropped state=%s", state)

    def _work(self) -> None:
        while True:
            problem = send(*self._waiting.get())
            if problem is not None and problem != self._problem:
                log.warning('heartbeat not heard problem="%s"', problem)
            elif problem is None and self._problem is not None:
                log.info("heartbeat heard again")
            self._problem = problem
