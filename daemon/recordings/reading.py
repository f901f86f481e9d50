"""One recording, recognised by what is in it and not by what it is called. The door to the formats' readers."""

import codecs
import re
from pathlib import PurePath

from daemon.recordings.errors import Unreadable
from daemon.recordings.one_line import one_line
from daemon.values import Recorded

_ENDING = re.compile(r"(\.(fit|tcx|gpx|xml))?(\.gz)?$", re.IGNORECASE)

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
    stem = one_line(_ENDING.sub("", PurePath(name.replace("\\", "/")).name))
    if data[8:12] == b".FIT":
        from daemon.recordings.fit import read_fit  # numpy work and the decoder: only when a FIT file comes

        return read_fit(data, stem)
    if _is_xml(data[:4096]):
        from daemon.recordings.xml import read_xml  # lxml: only when an XML file comes

        return read_xml(data, stem)
    raise Unreadable("empty" if not data.strip() else "not a FIT, TCX or GPX file")


def _is_xml(beginning: bytes) -> bool:
    """Whether the first thing in it is a tag, in whatever encoding XML may have."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if beginning.startswith(mark):
            beginning = beginning[2:].decode(encoding, "replace").encode()
    return beginning.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"<")
