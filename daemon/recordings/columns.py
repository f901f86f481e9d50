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
from numpy.typing import NDArray

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
# How much better another partner must be for a pair to be looked at again.
BETTER = 1.0

IntArray = NDArray[np.int8]

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
    for least in (-np.inf, MOVED, MOVED, MOVED):
        left, places = _open(scores, found, columns)
        pairs = [pair for pair in _aligned(scores, places, left, columns) if scores[pair] >= least]
        if not pairs:
            break
        again = {column for _, column in pairs}
        found = {place: column for place, column in found.items() if column not in again} | dict(pairs)
    return {LAYOUT[place].role: column for place, column in sorted(found.items()) if LAYOUT[place].role}


def _open(scores: FloatArray, found: dict[int, int], columns: Sequence[Column]) -> tuple[list[int], list[int]]:
    """(columns, places) that have no partner, or one that is much worse than another without one."""
    if not found:
        return list(range(len(columns))), list(range(len(LAYOUT)))
    partner = {column: place for place, column in found.items()}
    free = [place for place in range(len(LAYOUT)) if place not in found]
    left = [
        column
        for column, cells in enumerate(columns)
        if not cells.empty
        and (
            column not in partner or scores[free, column].max(initial=-9.0) >= scores[partner[column], column] + BETTER
        )
    ]
    best = scores[:, left].max(axis=1, initial=-np.inf)
    return left, [p for p in range(len(LAYOUT)) if p not in found or best[p] >= scores[p, found[p]] + BETTER]


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
    skip = [COLUMN_EMPTY if columns[column].empty else COLUMN_UNKNOWN for column in left]
    best, came = _sums(scores[np.ix_(places, left)], skip)
    return [(places[row], left[at]) for row, at in _walked_back(best, came)]


def _sums(scores: FloatArray, skip: Sequence[float]) -> tuple[FloatArray, IntArray]:
    """The largest sums that end with a pair ([0]) or a gap ([1]) at each place and column, and whence they came."""
    height, width = scores.shape[0] + 1, scores.shape[1] + 1
    best = np.full((2, height, width), -1e9)
    came = np.zeros((2, height, width), dtype=np.int8)
    best[1, 0, 0] = 0.0
    for row in range(height):
        for at in range(width):
            if row and at:
                options = (best[0, row - 1, at - 1] + NEXT_TO_EACH_OTHER, best[1, row - 1, at - 1])
                came[0, row, at] = int(options[1] > options[0])
                best[0, row, at] = scores[row - 1, at - 1] + max(options)
            gaps = [(best[1, row, at], 0)]
            for state in (0, 1):
                if row:
                    gaps.append((best[state, row - 1, at] - PLACE_MISSING, state))
                if at:
                    gaps.append((best[state, row, at - 1] - skip[at - 1], 2 + state))
            best[1, row, at], came[1, row, at] = max(gaps)
    return best, came


def _walked_back(best: FloatArray, came: IntArray) -> list[tuple[int, int]]:
    row, at = best.shape[1] - 1, best.shape[2] - 1
    state = int(best[1, row, at] > best[0, row, at])
    pairs: list[tuple[int, int]] = []
    while row or at:
        step = int(came[state, row, at])
        if state == 0:
            row, at, state = row - 1, at - 1, step
            pairs.append((row, at))
        elif step < 2:
            row, state = row - 1, step
        else:
            at, state = at - 1, step - 2
    return pairs[::-1]
