"""FIT through fitfast (Rust): the reader wherever it has a wheel. Owns its failures, and knows nothing of running."""

import logging
from typing import Any

import fitfast
import numpy as np

from daemon.recordings.errors import Unreadable
from daemon.recordings.fit_messages import Message, Messages
from daemon.recordings.fit_structure import Part, as_file
from daemon.values import FloatArray


def decode(part: Part) -> Messages:
    """The messages of one FIT file, those before the damage where there is some; Unreadable where there are none."""
    return Messages(_records(part) if part.has_records else {}, _others(part.few))


def _records(part: Part) -> dict[str, FloatArray]:
    if part.whole is not None:
        try:
            return _columns(fitfast.records(part.whole, "record"))
        except fitfast.FitDecodeError:
            pass  # a wrong checksum, or a kind of message that the decoder refuses: its records may be fine
    try:
        return _columns(fitfast.records(as_file(part.sound), "record"))
    except fitfast.FitDecodeError as error:
        logging.getLogger(__name__).debug("fitfast refuses the file: %s", error)
        raise Unreadable("damaged: not a message of it can be read") from None


def _columns(columns: dict[str, np.ndarray]) -> dict[str, FloatArray]:
    return {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}


def _others(few: bytes) -> dict[str, list[Message]]:
    try:
        parsed = fitfast.parse(few, enum_names=False)
    except fitfast.FitDecodeError:
        return {}
    return {kind: [_plain(message) for message in messages] for kind, messages in parsed.items()}


def _plain(message: dict[str | int, Any]) -> Message:
    return {k: v for k, v in message.items() if isinstance(k, str) and isinstance(v, int | float | str)}
