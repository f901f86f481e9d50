"""One recording, recognised by what is in it and not by what it is called. The door to the formats' readers."""

from pathlib import PurePath

from daemon.recordings.errors import Unreadable
from daemon.values import Recorded

LARGEST_BYTES = 64 * 1024 * 1024
"""Larger than any day's recording by far (a day of running is 3 MB as FIT, 40 MB as TCX) [ENG]."""


def read_recording(data: bytes, name: str) -> tuple[Recorded, ...]:
    """The activities in one file (plain bytes, already unpacked), oldest first: several from a multi-sport FIT.

    `name` is the file's name: it names the activity where the file has no name for it. The ids are stable: the same
    recording has the same id on every machine, packed or plain. `athlete_id` is 0. Raises Unreadable, and nothing
    else, whatever the bytes are.
    """
    if len(data) > LARGEST_BYTES:
        raise Unreadable("too large for one recording")
    stem = PurePath(name.replace("\\", "/")).name.split(".")[0][:100].strip()
    if data[8:12] == b".FIT":
        from daemon.recordings.fit import read_fit  # numpy work and the decoder: only when a FIT file comes

        return read_fit(data, stem)
    if _is_xml(data[:4096]):
        from daemon.recordings.xml import read_xml  # lxml: only when an XML file comes

        return read_xml(data, stem)
    raise Unreadable("empty" if not data.strip() else "not a FIT, TCX or GPX file")


def _is_xml(beginning: bytes) -> bool:
    """Whether the first thing in it is a tag, in whatever encoding XML may have."""
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if beginning.startswith(mark):
            beginning = beginning[2:].decode(encoding, "replace").encode()
    return beginning.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")
