"""What both FIT decoders give: the records as columns, the few other messages one by one. Values only."""

from dataclasses import dataclass

from daemon.recordings.one_line import one_line
from daemon.values import FloatArray

FIT_EPOCH_UNIX_S = 631_065_600
"""FIT counts seconds from 31 December 1989, 00:00 UTC."""

Message = dict[str, float | str]


@dataclass(frozen=True, slots=True, eq=False)
class Messages:
    """One FIT file decoded. Times are unix seconds, positions degrees, all else in the profile's units.

    `records` has a column of one length for every numeric field that occurs, developer fields by the name they were
    given; NaN where a record lacks it. `others` has the other messages by kind ("session", "lap", "event", …), each
    with its single numbers and texts; enums stay numbers.
    """

    records: dict[str, FloatArray]
    others: dict[str, list[Message]]

    def all(self, kind: str) -> list[Message]:
        return self.others.get(kind, [])


def number(message: Message, *names: str) -> float | None:
    """The first of these fields that the message has as a number."""
    for name in names:
        value = message.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return None


def text(message: Message, name: str) -> str | None:
    """A text of the message on one line, None where it is empty or no text."""
    value = message.get(name)
    return one_line(value) or None if isinstance(value, str) else None
