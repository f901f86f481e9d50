"""The skeleton of a FIT file: where its messages begin and end. Finds chained files, damage, the few messages needed.

Decodes no values: that is the decoders' work. Whatever the bytes are, it ends, in time that grows with their number.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from daemon.recordings.errors import Unreadable

RECORD = 20
DESCRIPTION, BASE_TYPE_FIELD = 206, 2
FEW = frozenset({0, 12, 18, 19, 21, 23, 26, 34})
"""file_id, sport, session, lap, event, device_info, workout and activity: all we ask for beside the records."""

LAST_BASE_TYPE, UINT8, BYTE, NOBODYS = 0x10, 0x02, 0x0D, 0xFE
"""Base types are numbered to 16 in their lower five bits. fitfast 0.1 panics over any other, and so does its
description of a developer field: such a definition ends the file, such a description is mended."""

MOST_MESSAGES = 2_000_000
MOST_VALUES = 4_000_000
"""A day at 1 Hz is 90,000 records of 20 to 40 values; a decoder takes some 60 bytes for each [measured] [ENG]."""

MOST_PARTS = 50
"""Files in one chain: a triathlon's straps and watches make five or so [ENG]."""

MOST_OTHERS = 50_000
"""Laps, events and the like: a bike computer's gear changes make 5,000 in a long day [ENG]."""

TOO_MANY = "more messages than a recording has"


def _table() -> tuple[int, ...]:
    rows = list(range(256))
    for _ in range(8):
        rows = [row >> 1 ^ (0xA001 if row & 1 else 0) for row in rows]
    return tuple(rows)


_TABLE = _table()
_KNOWN = bytes(byte for byte in range(256) if byte & 0x1F <= LAST_BASE_TYPE)


@dataclass(frozen=True, slots=True)
class Part:
    """One FIT file of a chain. `whole` is it as it stands, header to checksum, None where no decoder should see it.

    `sound` holds the bytes of all whole messages, `few` is a file of the FEW messages. `damaged` says that more was
    promised than is there.
    """

    whole: bytes | None
    sound: bytes
    few: bytes
    damaged: bool
    has_records: bool


def parts(data: bytes) -> list[Part]:
    """The FIT files in `data`, one after the other; what follows the last readable one is passed over."""
    found: list[Part] = []
    at, most = 0, MOST_MESSAGES
    while len(data) - at >= 12 and data[at + 8 : at + 12] == b".FIT" and data[at] >= 12:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        begin, end = at + data[at], at + data[at] + size
        cut = size == 0 or end > len(data)  # a watch that died has written no size
        walk = _Walk(data, begin, len(data) if cut else end)
        most = walk.run(most)
        if most < 0 or len(found) >= MOST_PARTS:
            raise Unreadable(TOO_MANY)
        damaged = cut or walk.at < end
        whole = None if damaged or walk.mended else data[at : end + 2]
        found.append(Part(whole, walk.sound(begin), as_file(b"".join(walk.few)), damaged, walk.records > 0))
        if cut:
            break
        at = end + 2
    return found


class _Walk:
    """Steps from message to message. `at` is where the last whole message ended."""

    def __init__(self, data: bytes, begin: int, end: int) -> None:
        self.data, self.at, self.end = data, begin, end
        self.few: list[bytes] = []
        self.mended: list[tuple[int, int]] = []
        self.records = self.values = self.definitions = 0
        self._size = [0] * 256  # of the message that begins with this byte; 0 where no definition says
        self._kept = [False] * 256
        self._base_type = [0] * 16  # where a field description has the base type of what it describes; 0 in all others
        self._local = [(0, 0)] * 16  # kind and number of fields

    def run(self, most: int) -> int:
        """Walks to the end or to the first damage. How many of `most` messages are left; Unreadable beyond them."""
        data, end, at = self.data, self.end, self.at
        size, kept = self._size, self._kept
        counted = [0] * 256
        while at < end:
            head = data[at]
            step = size[head]
            if step:
                if at + step > end:
                    break
                counted[head] += 1
                if kept[head]:
                    self._keep(head, at, step)
                at += step
            elif head & 0xC0 == 0x40:
                most -= self._take_in(counted, _heads(head & 0x0F))
                after = self._define(at)
                if after is None:
                    break
                at = after
            else:
                break
        self.at = at
        return most - self._take_in(counted, range(256))

    def _keep(self, head: int, at: int, step: int) -> None:
        local = head >> 5 & 0x03 if head & 0x80 else head & 0x0F
        place = self._base_type[local]
        if self._local[local][0] in FEW:
            self.few.append(self.data[at : at + step])
        elif place and self.data[at + place] & 0x1F > LAST_BASE_TYPE:
            self.mended.append((at + place, BYTE))
        if len(self.few) + len(self.mended) > MOST_OTHERS:
            raise Unreadable(TOO_MANY)

    def sound(self, begin: int) -> bytes:
        """The bytes of the whole messages, those mended that a decoder would stumble over."""
        out = bytearray(self.data[begin : self.at])
        for at, byte in self.mended:
            out[at - begin] = byte
        return bytes(out)

    def _take_in(self, counted: list[int], heads: Iterable[int]) -> int:
        """Adds up the messages that began with one of `heads`, before a new definition of them; how many they were."""
        total = 0
        for head in heads:
            if count := counted[head]:
                kind, fields = self._local[head >> 5 & 0x03 if head & 0x80 else head & 0x0F]
                self.records += count if kind == RECORD else 0
                self.values += count * fields
                total += count
                counted[head] = 0
        if self.values > MOST_VALUES or self.definitions > MOST_OTHERS:
            raise Unreadable(TOO_MANY)
        return total

    def _define(self, at: int) -> int | None:
        """Takes in the definition at `at`; where it ends, or None where it is broken off or nonsense."""
        data, head = self.data, self.data[at]
        if at + 6 > self.end:
            return None
        kind = int.from_bytes(data[at + 3 : at + 5], "big" if data[at + 2] else "little")
        fields, after = data[at + 5], at + 6 + 3 * data[at + 5]
        size, base_types = 1 + sum(data[at + 7 : after : 3]), data[at + 8 : after : 3]
        if head & 0x20 and after < self.end:
            developer, after = after + 1, after + 1 + 3 * data[after]
            fields += (after - developer) // 3
            size += sum(data[developer + 1 : after : 3])
        if after > self.end or head & 0x20 and after == self.end or _any_unknown(base_types):
            return None
        self.definitions += 1
        local = head & 0x0F
        self._local[local] = (kind, fields)
        for each in _heads(local):
            self._size[each], self._kept[each] = size, kind in FEW or kind == DESCRIPTION
        self._base_type[local] = 0
        if kind == DESCRIPTION:
            self._base_type[local] = place = _base_type_in(data[at + 6 : at + 6 + 3 * data[at + 5]])
            if not place:  # describes nothing: becomes a kind of message that nobody knows
                self.mended += [(at + 3, NOBODYS), (at + 4, NOBODYS)]
        if kind in FEW:
            self.few.append(data[at:after])
        return after


def _heads(local: int) -> tuple[int, ...]:
    """The bytes with which a message of this local type may begin."""
    compressed = range(0x80 + 32 * local, 0x80 + 32 * local + 32) if local < 4 else ()
    return (local, 0x10 | local, *compressed)


def _any_unknown(base_types: bytes) -> bool:
    return bool(base_types.translate(None, _KNOWN))


def _base_type_in(fields: bytes) -> int:
    """Where in a field description its base type stands, by the definition's fields; 0 where it has no usable one."""
    at, found = 1, [0]
    for number, size, base_type in zip(fields[0::3], fields[1::3], fields[2::3], strict=True):
        if number == BASE_TYPE_FIELD:
            found.append(at if size == 1 and base_type == UINT8 else 0)
        at += size
    return found[-1] if len(found) == 2 else 0


def as_file(messages: bytes) -> bytes:
    """A FIT file of these messages, with the size and the checksum they have."""
    header = b"\x0e\x20\x00\x08" + len(messages).to_bytes(4, "little") + b".FIT"
    header += checksum(header).to_bytes(2, "little")
    return header + messages + checksum(header + messages).to_bytes(2, "little")


def checksum(data: bytes) -> int:
    """FIT's 16-bit checksum (CRC-16/ARC)."""
    crc = 0
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc
