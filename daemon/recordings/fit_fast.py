"""FIT through fitfast (Rust): the reader wherever it has a wheel. Owns its failures, and knows nothing of running."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import fitfast
import numpy as np

from daemon.recordings.errors import Unreadable
from daemon.recordings.fit_messages import Message, Messages
from daemon.recordings.fit_structure import Part, as_file
from daemon.values import FloatArray

_log = logging.getLogger(__name__)

T = TypeVar("T")

_SINGLE = (int, float, str)
"""A union written where it is used is made anew for each of a thousand values."""


def decode(part: Part) -> Messages:
    """The messages of one FIT file, those before the damage where there is some; Unreadable where there are none."""
    return Messages(_records(part) if part.has_records else {}, _others(part.few))


def _records(part: Part) -> dict[str, FloatArray]:
    whole, columns = part.whole, None
    if whole is not None:
        columns = _asked(lambda: fitfast.records(whole, "record"))
    if columns is None:  # damaged, or only its checksum is wrong: the messages up to there may be fine
        columns = _asked(lambda: fitfast.records(as_file(part.sound), "record"))
    if columns is None:
        raise Unreadable("damaged: not a message of it can be read")
    return {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}


def _asked(decoder: Callable[[], T]) -> T | None:
    """What the decoder gives, None where it refuses the bytes."""
    try:
        return decoder()
    except fitfast.FitDecodeError as error:
        _log.debug('fitfast refuses the bytes problem="%s"', error)
    except BaseException as error:
        # A panic in Rust: its class can't be imported, and is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        _log.debug('fitfast panics problem="%s"', error)
    return None


def _others(few: bytes) -> dict[str, list[Message]]:
    parsed = _asked(lambda: fitfast.parse(few, enum_names=False)) or {}
    return {kind: [_plain(message) for message in messages] for kind, messages in parsed.items()}


def _plain(message: dict[str | int, Any]) -> Message:
    return {k: v for k, v in message.items() if isinstance(k, str) and isinstance(v, _SINGLE)}
