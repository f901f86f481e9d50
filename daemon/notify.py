"""The only room that knows apprise: is an address usable, and send one message to it."""

import logging
import math
import re
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module, resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from daemon import wording

if TYPE_CHECKING:
    from apprise import Apprise

SCHEMES_HINT = "see https://appriseit.com/services/ for how to write one"
NO_ADDRESS = "not an address apprise understands"

READ_S, WHOLE_S = 15.0, 30.0
"""How long a service may be silent, and how long all of it may take. Apprise by itself waits 4 s for an answer: a
service slower than that would get each message again and again."""

LONGEST_TITLE, LONGEST_TEXT = 200, 6_000
"""Characters; more than any alert has. Some services refuse what is much longer."""

BESIDE_TEXT = 16
"""Characters that apprise keeps free for a counter and a line break, beside title and text."""

ALWAYS_MARKDOWN = ("discord", "mmost", "mmosts")
"""These show Markdown whatever format apprise declares."""

PINGING = ("discord", "mmost", "mmosts", "slack", "rocket", "rockets")
"""In these a name after an @ calls people."""

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, marks that turn the direction of writing, halves of characters."""

_REFUSED = re.compile(r"error=(\d{3})\b|Socket Exception: .*?\(([45]\d\d), b['\"]")
"""The service's own no: the status of a web service, or what a mail server said."""

_TAKEN = re.compile(r"^Sent ", re.MULTILINE)
"""What nearly every plugin says of a piece, or a target, that was taken."""

_WORD = re.compile(r"(?:://(?:[^/?\s]*@)?|/|,\s*|%2C|[?&]to=)((?:(?!%2C)[^/?&,\s])+)", re.IGNORECASE)
"""What may name a target in an address: one step of its path, one of a list."""

_BETWEEN, _BETWEEN_AT_END = re.compile(r"/|,\s*|%2C", re.IGNORECASE), re.compile(r"(/|,\s*|%2C)\Z", re.IGNORECASE)
_NOBODY = re.compile(r"(?<=[?&])to=(&|\Z)")

NO_ANSWER_BEHIND = "504"
"""A gateway that waited in vain for the service behind it, which may have taken the message."""

_UNREACHED = re.compile(
    r"NewConnectionError|NameResolution|ConnectTimeout|SSLError|Connection refused|No route to host|unreachable"
    r"|Name or service not known|Temporary failure in name resolution|nodename nor servname"
)


@dataclass(frozen=True, slots=True)
class Message:
    """What goes to one channel. `picture` gives a PNG, or None; it is asked only where a channel takes attachments.

    `thread` groups mails that belong together.
    """

    title: str
    text: str
    thread: str | None = None
    picture: Callable[[], bytes | None] | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message wasn't accepted, in a few words without a secret. `doubtful`: it may have arrived all the same."""

    text: str
    doubtful: bool = False


def problem_with(url: str) -> str | None:
    """What is wrong with an apprise address, None when nothing is. The address itself is never in the answer."""
    wrong = next((one for one in _single(url) if not _at(one)), None)
    if wrong is None:
        return None
    scheme = _scheme(wrong) if "://" in wrong else ""
    return f"{NO_ADDRESS}{f' ({scheme}://…)' if scheme.isalnum() else ''}; {SCHEMES_HINT}"


def parts(url: str) -> tuple[str, ...]:
    """The addresses of an address that names several targets (topics, chats, mailboxes), empty where there is one.

    Apprise gives one answer for an address, and where one target refuses it is a no: those that took the message would
    get it again with each attempt. Each part is what one would have written for its target alone, so it is the same
    channel whatever else the address names. Some services take their targets only together; these stay one
    (`takes_together`).
    """
    found = dict.fromkeys(part for one in _single(url) for part in _each(one))
    return tuple(found) if len(found) > 1 else ()


def takes_together(url: str) -> bool:
    """Whether an address has several targets of which none can be told by itself."""
    return sum(_count(plugin) for plugin in _at(url)) > 1


def fits(url: str, title: str, text: str) -> bool:
    """Whether one message to an address holds all of it, as far as can be said before a service's own markup."""
    plugins = list(_at(url))
    head, body, _ = _written(url, plugins, title, text)
    room = min((plugin.body_maxlen for plugin in plugins), default=LONGEST_TEXT)
    return len(text) <= LONGEST_TEXT and len(head) + len(body) + BESIDE_TEXT <= room


def send(url: str, message: Message) -> Failure | None:
    """Sends one message to one address; None when it was accepted, all of it.

    What is longer than the service takes goes in several pieces, the picture with one of them; where one is refused,
    all of it was. It takes `WHOLE_S` at most, beside the picture and what apprise waits between two pieces.
    """
    apprise = _at(url)
    plugins = list(apprise)
    if not plugins:
        return Failure(NO_ADDRESS)
    for plugin in plugins:
        _prepare(url, plugin, message)
    png = message.picture() if message.picture and any(p.attachment_support for p in plugins) else None
    answer: Future[Failure | None] = Future()
    # Nothing can stop a thread that listens to a service which answers a byte a second. Each send has one of its own:
    # apprise's pool would be full of such threads, and the process would wait for them at its end.
    threading.Thread(target=_answer, args=(answer, url, apprise, message, png), name="sending", daemon=True).start()
    try:
        return answer.result(timeout=WHOLE_S + max(_between_pieces_s(plugin, message) for plugin in plugins))
    except TimeoutError:
        return Failure("no answer in time", doubtful=True)


def _between_pieces_s(plugin: Any, message: Message) -> float:
    pieces = math.ceil((len(message.title) + len(message.text)) / max(plugin.body_maxlen, 1))
    return float(pieces * plugin.request_rate_per_sec) if pieces > 1 else 0.0


def _answer(answer: "Future[Failure | None]", *sending: Any) -> None:
    try:
        answer.set_result(_notify(*sending))
    except Exception as error:
        answer.set_exception(error)


def _notify(url: str, apprise: "Apprise", message: Message, png: bytes | None) -> Failure | None:
    from apprise import NotifyFormat
    from apprise.attachment.memory import AttachMemory

    memory: Any = AttachMemory
    title, text, marked = _written(url, list(apprise), message.title, message.text)
    with _talking():
        result: Any = apprise.notify(
            title=title,
            body=text,
            body_format=NotifyFormat.MARKDOWN if marked else NotifyFormat.TEXT,
            attach=None if png is None else memory(content=png, name="pullback.png", mimetype="image/png"),
            log_level=logging.DEBUG,
        )
    try:
        return None if result else _failure(result)
    finally:
        for service in result:
            service.close()


def _written(url: str, plugins: Sequence[Any], title: str, text: str) -> tuple[str, str, bool]:
    """Title and text as the services of an address are given them, and whether that is Markdown."""
    title, text = plain(title, LONGEST_TITLE).replace("\n", " "), plain(text, LONGEST_TEXT)
    if _any(plugins, PINGING):
        title, text = _hushed(title), _hushed(text)
    marked = any(_takes_markdown(url, plugin) for plugin in plugins)
    return title, wording.markdown(text) if marked else text, marked


def plain(text: str, longest: int) -> str:
    """Text in which nothing is hidden and that isn't endless, whatever a run was called."""
    text = _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _hushed(text: str) -> str:
    """The same text with no name in it that a chat would call."""
    return re.sub(r"(@|<(?=[!@#]))", "\\1\u200b", text)


def _any(plugins: Sequence[Any], names: Collection[str]) -> bool:
    """Whether one is a service of these names; the address may be the service's own, which begins with https."""
    return any(name in names for plugin in plugins for name in (plugin.protocol, plugin.secure_protocol))


def _prepare(url: str, plugin: Any, message: Message) -> None:
    """Gives a slow service time, a mail its thread, and a long text its pieces; what the address says goes first."""
    from apprise import OverflowMode

    # By itself apprise leaves what is too long to the service, which refuses it or shows half of it.
    if re.search(r"[?&]overflow=", url) is None:
        plugin.overflow_mode = OverflowMode.SPLIT
    plugin.body_max_line_count = 0  # and of what a desktop shows at once it keeps no more than that
    if plugin.socket_read_timeout == type(plugin).socket_read_timeout:
        plugin.socket_read_timeout = READ_S
    if message.thread and plugin.service_name == "E-Mail":
        # Apprise makes each Message-ID itself, so a thread hangs on an id that no mail has; programs group by it.
        plugin.headers = {"References": f"<{message.thread}@pullback>", **plugin.headers}


def _takes_markdown(url: str, plugin: Any) -> bool:
    """Whether Markdown is what a service shows by itself, or what its address asks for (`?format=markdown`)."""
    from apprise import NotifyFormat

    asked = re.search(r"[?&]format=(\w+)", url)
    if asked is None and _any([plugin], ALWAYS_MARKDOWN):
        return True
    wanted = plugin.resolve_format(None if asked is None else asked[1].lower())
    return bool(wanted == NotifyFormat.MARKDOWN)


def _failure(result: Any) -> Failure:
    """What apprise's own log says of it: its result tells no more than that it failed. Nothing of it is repeated."""
    log = "\n".join(str(entry.message) for entry in result.logs())
    # Of several pieces, or several targets of one address, one was taken: whoever got it has been told.
    partly = _TAKEN.search(log) is not None
    if refused := _REFUSED.search(log):
        status = refused[1] or refused[2]
        return Failure(f"refused by the service ({status})", doubtful=partly or status == NO_ANSWER_BEHIND)
    if "Socket Exception" in log:
        unreached = _UNREACHED.search(log) is not None
        return Failure("not reached", doubtful=partly) if unreached else Failure("no answer", doubtful=True)
    return Failure("not accepted by the service", doubtful=partly)


def _at(url: str) -> "Apprise":
    """The service at an address, ready to send; none where apprise doesn't understand it."""
    # One channel's thread mustn't look through the plugins while another's adds some.
    with _loading:
        _load_few(_scheme(url))
        if few := _added(url):
            return few
        # A service's own address, which begins with https, or none at all.
        _manager().load_modules()
        return _added(url)


def _added(url: str) -> "Apprise":
    apprise = _apprise()
    apprise.add(url)
    return apprise


def _tried(url: str) -> "Apprise":
    """The same for a part of an address that was understood, with the plugins there are: it may be nobody's."""
    with _loading:
        return _added(url)


def _single(text: str) -> list[str]:
    """The addresses in a text; apprise takes several with a comma or a blank between them."""
    return list(import_module("apprise.utils.parse").parse_urls(text)) or [text]


def _each(url: str) -> list[str]:
    """The address of each target where every one makes one message and together they are all; else the one of all.

    In the order in which they are written: some services keep their targets as a set.
    """
    whole: Any = next(iter(_at(url)), None)
    if whole is None or _count(whole) == 1:
        return [url]
    targets, naming = _targets(whole), dict[str, tuple[int, int]]()
    for word in [found.span(1) for found in _WORD.finditer(url)]:
        lost = targets.difference(*map(_targets, _tried(_without(url, [word]))))
        if len(lost) == 1:  # the word furthest on: some services take the first target for a host that is missing
            naming[lost.pop()] = word
    ordered = sorted(naming, key=lambda target: naming[target])
    alone = {t: _without(url, [naming[other] for other in ordered if other != t]) for t in ordered}
    told = [(target, [(_targets(plugin), _count(plugin)) for plugin in _tried(alone[target])]) for target in ordered]
    complete = len(alone) == _count(whole) and all(found == [({target}, 1)] for target, found in told)
    return list(alone.values()) if complete else [url]


def _without(url: str, words: Sequence[tuple[int, int]]) -> str:
    """An address without some of its words, each with what parts it from the next, or else from the one before."""
    for start, end in sorted(words, reverse=True):
        behind, before = _BETWEEN.match(url, end), _BETWEEN_AT_END.search(url, 0, start)
        url = url[:start] + url[behind.end() :] if behind else url[: before.start() if before else start] + url[end:]
    return _NOBODY.sub("", url).rstrip("?&")


def _count(plugin: Any) -> int:
    """How many messages one makes; apprise counts the attempts that an address asks for (`?retry=`) among them."""
    from apprise import NotifyBase

    if type(plugin).__len__ is NotifyBase.__len__:  # it doesn't say, and has one answer for all of them
        return max(1, len(_targets(plugin)))
    return int(len(plugin) // (plugin.retry + 1))


def _targets(plugin: Any) -> set[str]:
    """Targets are written differently for each service; the address it makes of itself names them one by one."""
    canonical = import_module("apprise.plugins").url_to_dict(plugin.url()) or {}
    return set(canonical.get("events" if canonical.get("schema") == "ifttt" else "targets", ()))


def _scheme(url: str) -> str:
    return url.split("://", 1)[0].lower()


def _apprise() -> "Apprise":
    # Loaded on the first address: it costs 20 MB and a third of a second that most commands don't need.
    import apprise

    # Its plugins log addresses and payloads: that may go to the result of a call (see `_talking`), and nowhere else.
    logger = logging.getLogger("apprise")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    with _turn:
        if not _talks:
            logger.setLevel(logging.CRITICAL)
    # Neither its threads nor its time limit, see `send`.
    asset = apprise.AppriseAsset(
        app_id="pullback", app_desc="pullback", secure_logging=True, async_mode=False, service_timeout=0
    )
    return apprise.Apprise(asset=asset)


_loading = threading.Lock()


def _load_few(scheme: str) -> None:
    """Loads the plugins that may be a scheme's: all of them would be 11 MB, for as long as the daemon lives."""
    manager = _manager()
    # Asked whether it has something before it has anything it loads all: so it does later, where there is no room here.
    if scheme in ("http", "https") or (manager and scheme in manager):
        return
    with suppress(OSError), TemporaryDirectory(prefix="pullback-") as names:
        for module in naming(scheme):
            # It imports, by its name, what a folder lists: these files are its list, and are never read.
            with suppress(ImportError):
                import_module(f"apprise.plugins.{module}")
                (Path(names) / f"{module}.py").touch()
        manager.load_modules(path=names, name="apprise.plugins")


def _manager() -> Any:
    from apprise import NotificationManager

    manager: Any = NotificationManager
    return manager()


def naming(scheme: str) -> list[str]:
    """The modules among apprise's plugins in which a scheme is written: its own is one of them, others may be."""
    word = f'"{scheme}"'
    plugins = [
        m for m in Path(str(resources.files("apprise.plugins"))).iterdir() if not m.name.startswith(("_", "base"))
    ]
    return sorted(m.stem for m in plugins if any(word in text.read_text("utf-8") for text in _texts(m)))


def _texts(module: Path) -> list[Path]:
    return sorted(module.glob("*.py")) if module.is_dir() else [module]


_talks: list[None] = []
_turn = threading.Lock()


@contextmanager
def _talking() -> Iterator[None]:
    """While somebody is sending, apprise says what happens: its results are made of what it logs."""
    logger = logging.getLogger("apprise")
    with _turn:
        _talks.append(None)
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        with _turn:
            _talks.pop()
            if not _talks:
                logger.setLevel(logging.CRITICAL)
