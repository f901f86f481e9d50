"""TCX and GPX through one hardened parser: no doctype, no entities, nothing fetched, no tree to fill the memory.

What an element means is for `tcx` and `gpx`; this file only walks through them, by their local names.
"""

import codecs
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from lxml import etree

from daemon.recordings.errors import DAMAGED, Unreadable
from daemon.recordings.gpx import GpxReader
from daemon.recordings.tcx import TcxReader
from daemon.values import Recorded

MOST_ELEMENTS = 3_000_000
"""A day at 1 Hz is 90,000 points of 10 to 15 elements each [ENG]."""

LEAST_BEFORE_DAMAGE_S = 60
CHUNK = 1 << 16
NO_XML = "not a FIT, TCX or GPX file"

_READERS: dict[str, Callable[[str, dict[str, str]], "Reader"]] = {"TrainingCenterDatabase": TcxReader, "gpx": GpxReader}


class Reader(Protocol):
    """Takes the elements below the root as they come, and says in the end which activities they were."""

    def begin(self, name: str, attributes: dict[str, str]) -> None: ...

    def end(self, name: str, text: str) -> None: ...

    def activities(self) -> list[Recorded]: ...


def read_xml(data: bytes, stem: str) -> tuple[Recorded, ...]:
    """The activities of a TCX or GPX file, oldest first, up to any damage. Raises Unreadable only."""
    target = _Target(stem)
    damaged = False
    try:
        _feed(data.removeprefix(codecs.BOM_UTF8).lstrip(), target)  # Strava writes blanks before the first tag
    except etree.XMLSyntaxError:
        damaged = True
    if target.reader is None:
        raise Unreadable(NO_XML)
    found = target.reader.activities()
    if damaged:
        found = [replace(one, lost=DAMAGED) for one in found if one.activity.elapsed_time_s >= LEAST_BEFORE_DAMAGE_S]
        if not found:
            raise Unreadable("truncated: less than a minute in it")
    return tuple(sorted(found, key=lambda one: one.activity.start))


def _feed(data: bytes, target: "_Target") -> None:
    parser = etree.XMLParser(
        target=target,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    for at in range(0, len(data), CHUNK):
        parser.feed(data[at : at + CHUNK])
    parser.close()


class _Target:
    """What the parser calls. Builds no tree: only the text of the element at hand is kept."""

    def __init__(self, stem: str) -> None:
        self.reader: Reader | None = None
        self._stem = stem
        self._text: list[str] = []
        self._elements = 0

    def doctype(self, name: str | None, public: str | None, system: str | None) -> None:
        raise Unreadable("it declares a document type, which no recording needs")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            raise Unreadable("more elements than a recording has")
        name = tag.rpartition("}")[2]
        self._text.clear()
        if self.reader is not None:
            self.reader.begin(name, attributes)
        elif name in _READERS:
            self.reader = _READERS[name](self._stem, dict(attributes))
        else:
            raise Unreadable(NO_XML)

    def data(self, text: str) -> None:
        self._text.append(text)

    def end(self, tag: str) -> None:
        if self.reader is not None:
            self.reader.end(tag.rpartition("}")[2], "".join(self._text))
        self._text.clear()

    def close(self) -> None:
        pass
