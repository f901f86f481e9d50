"""What the daemon says, for whoever reads it: one line per event, `what happened key=value`; for the journal with its
priorities, for a program as JSON. Secrets never pass."""

import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TextIO

from daemon import harmless

PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}
"""syslog(3) levels, as sd-daemon(3) wants them before a line."""

LIBRARIES = {"apscheduler": logging.ERROR, "apscheduler.executors": logging.CRITICAL, "urllib3": logging.ERROR}
"""What these say below that is either a line per job, or what we say ourselves."""

_PAIR = re.compile(r"""(?:^|\s)(\w+)=("[^"]*"|\S+)""")
_PLACE = re.compile(r'(=")?%(?:%|[^a-zA-Z%]*[a-zA-Z])')


def start(
    stream: TextIO,
    environ: Mapping[str, str],
    redact: Callable[[str], str],
    *,
    verbose: bool = False,
    as_json: bool = False,
) -> None:
    """Sends all logs, Python's warnings and what ends a thread to `stream`; `verbose` adds a line per poll."""
    journal = "JOURNAL_STREAM" in environ and not stream.isatty()
    handler = logging.StreamHandler(stream)
    handler.setFormatter((Json if as_json else Lines)(redact, journal))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("daemon").setLevel(logging.DEBUG if verbose else logging.INFO)
    for name, level in LIBRARIES.items():
        logging.getLogger(name).setLevel(level)
    # A log call that is wrong itself would print its arguments past the formatter.
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda caught: _uncaught(caught.exc_type, caught.exc_value, caught.exc_traceback)


class Lines(logging.Formatter):
    """Lines for a reader: `LEVEL room: what happened key=value`. The journal has times and levels by itself."""

    def __init__(self, redact: Callable[[str], str], journal: bool) -> None:
        super().__init__()
        self._redact = redact
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        text = self.text(record)
        if not self._journal:
            return text
        priority = f"<{PRIORITIES.get(record.levelno, 6)}>"
        return "\n".join(priority + line for line in text.split("\n"))

    def text(self, record: logging.LogRecord) -> str:
        """One event; a traceback on lines of its own."""
        level = "" if self._journal else f"{_time(record)} {record.levelname} "
        details = self.details(record)
        return f"{level}{_room(record)}: {self.message(record)}" + (f"\n{details}" if details else "")

    def message(self, record: logging.LogRecord) -> str:
        """What happened, on one line. Quotes inside a quoted value become single ones: its end is its end."""
        text = str(record.msg)
        if not isinstance(record.args, tuple) or not record.args:
            return self._line(record.getMessage())
        quoted = [place[1] is not None for place in _PLACE.finditer(text) if not place[0].endswith("%")]
        pairs = zip(record.args, quoted, strict=False)
        return self._line(text % tuple(self._line(str(v)).replace('"', "'") if inside else v for v, inside in pairs))

    def _line(self, text: str) -> str:
        return " ".join(harmless.lines(self._redact(text)).split())

    def details(self, record: logging.LogRecord) -> str:
        """The traceback, without what it may not hold."""
        if not record.exc_info or record.exc_info[1] is None:
            return ""
        return harmless.lines(self._redact("".join(traceback.format_exception(record.exc_info[1])).rstrip()))


class Json(Lines):
    """One JSON object a line: time, level, room, event, and each key=value of the event as a member."""

    def text(self, record: logging.LogRecord) -> str:
        message = self.message(record)
        pairs = {key: value.strip('"') for key, value in _PAIR.findall(message)}
        event = _PAIR.sub("", message).strip()
        fixed = {"time": _time(record), "level": record.levelname.lower(), "room": _room(record), "event": event}
        details = self.details(record)
        return json.dumps(pairs | fixed | ({"traceback": details} if details else {}), ensure_ascii=False)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="seconds")


def _room(record: logging.LogRecord) -> str:
    return record.name.removeprefix("daemon.")


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: object) -> None:
    if error is not None and not issubclass(kind, KeyboardInterrupt | SystemExit):
        logging.getLogger("daemon").error("this is a bug", exc_info=error)
