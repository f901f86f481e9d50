"""Finds out which column of an export's table is which: by content, by place among known neighbours, and by name.

The table is laid along Strava's own order of columns (`layout`) so that the sum of what fits is largest, as one aligns
two sequences (Needleman & Wunsch 1970): columns may be missing or new anywhere. What is left is laid along what is left
again, which finds blocks that were moved. All weights here are engineering choices [ENG], chosen on tables in random
layouts and without any known name; a name that is known decides almost alone.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from daemon.recordings.fitting import content, relations
from daemon.recordings.layout import LAYOUT
from daemon.values import FloatArray

NAME_IS = 6.0
NAME_IS_OF_ANOTHER = -3.0
ANY = 0.2
NEXT_TO_EACH_OTHER = 0.3
COLUMN_UNKNOWN = 0.4
COLUMN_EMPTY = 0.1
PLACE_MISSING = 0.05
# What a pair must score when it is found away from its usual place.
MOVED = 2.0

_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A sample of one column: its name, its cells, and their numbers (NaN where there is none)."""

    name: str
    texts: Sequence[str]
    numbers: FloatArray
    dates: float  # the share of filled cells that are dates

    @property
    def empty(self) -> bool:
        return not any(self.texts)


def recognise(columns: Sequence[Column]) -> dict[str, int]:
    """Which column (its index) plays which role of `layout`; roles not found are left out."""
    scores = _scores(columns)
    found: dict[int, int] = {}
    for least in (-1e6, MOVED, MOVED, MOVED):
        weak = {place for place, column in found.items() if columns[column].empty and scores[place, column] < NAME_IS}
        places = [place for place in range(len(LAYOUT)) if place not in found or place in weak]
        taken = {column for place, column in found.items() if place not in weak}
        left = [c for c in range(len(columns)) if c not in taken and (not found or not columns[c].empty)]
        pairs = [pair for pair in _aligned(scores, places, left, columns) if scores[pair] >= least]
        if not pairs:
            break
        found |= dict(pairs)
    return {LAYOUT[place].role: column for place, column in sorted(found.items()) if LAYOUT[place].role}


def in_strava_order(names: int, columns: dict[str, int]) -> bool:
    """Whether the last columns stand where Strava puts them: yes-or-no columns there can't be told by content."""
    return names in (99, 103) and all(
        columns.get(place.role, number) == number for number, place in enumerate(LAYOUT) if place.role
    )


def is_named(name: str, role: str) -> bool:
    """Whether a column's name is the one we know for this role."""
    return any(_plain(name) in (_plain(p.english), _plain(p.spanish)) for p in LAYOUT if p.role == role)


def _plain(name: str) -> str:
    text = unicodedata.normalize("NFKC", _TAG.sub("", name)).casefold()
    return "".join(letter for letter in text if letter.isalnum())


def _scores(columns: Sequence[Column]) -> FloatArray:
    """How well each place (row) and column (column) agree."""
    known = {_plain(name) for place in LAYOUT for name in (place.english, place.spanish)}
    related = relations(columns)
    names = [_plain(column.name) for column in columns]
    contents = [content(column) for column in columns]
    scores = np.zeros((len(LAYOUT), len(columns)))
    for row, place in enumerate(LAYOUT):
        own = {_plain(place.english), _plain(place.spanish)}
        for index, name in enumerate(names):
            named = NAME_IS if name in own else NAME_IS_OF_ANOTHER if name in known else 0.0
            scores[row, index] = ANY + named + contents[index].get(place.kind, 0.0)
            scores[row, index] += related.get((place.role, index), 0.0)
    return scores


def _aligned(
    scores: FloatArray, places: Sequence[int], left: Sequence[int], columns: Sequence[Column]
) -> list[tuple[int, int]]:
    """The pairs (place, column), in order on both sides, whose scores less the gaps sum to most."""
    height, width = len(places) + 1, len(left) + 1
    best = np.full((2, height, width), -1e9)  # [0] ends with a pair, [1] with a gap
    came = np.zeros((2, height, width), dtype=np.int8)
    best[1, 0, 0] = 0.0
    skip = [COLUMN_EMPTY if columns[column].empty else COLUMN_UNKNOWN for column in left]
    for row in range(height):
        for at in range(width):
            if row and at:
                options = (best[0, row - 1, at - 1] + NEXT_TO_EACH_OTHER, best[1, row - 1, at - 1])
                came[0, row, at] = int(options[1] > options[0])
                best[0, row, at] = scores[places[row - 1], left[at - 1]] + max(options)
            gaps = [(best[1, row, at], 9)]
            for state in (0, 1):
                if row:
                    gaps.append((best[state, row - 1, at] - PLACE_MISSING, state))
                if at:
                    gaps.append((best[state, row, at - 1] - skip[at - 1], 2 + state))
            best[1, row, at], came[1, row, at] = max(gaps)
    return _walked_back(best, came, places, left)


def _walked_back(
    best: FloatArray, came: np.ndarray[tuple[int, ...], np.dtype[np.int8]], places: Sequence[int], left: Sequence[int]
) -> list[tuple[int, int]]:
    row, at = len(places), len(left)
    state = int(best[1, row, at] > best[0, row, at])
    pairs: list[tuple[int, int]] = []
    while row or at:
        step = int(came[state, row, at])
        if state == 0:
            pairs.append((places[row - 1], left[at - 1]))
            row, at, state = row - 1, at - 1, step
        elif step < 2:
            row, state = row - 1, step
        else:
            at, state = at - 1, step - 2
    return pairs[::-1]
