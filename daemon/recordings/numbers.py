"""Reads the numbers of a table, however its language writes them: decimal commas, thousands separators, spaces."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from daemon.values import FloatArray

# "1.234" is a thousand or a bit more than one; all other forms tell.
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_DECIMAL = {mark: re.compile(rf"[+-]?[\d.,]*\d?{re.escape(mark)}\d+(?:e[+-]?\d+)?") for mark in ".,"}
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?")
_SPACES = re.compile(r"(?<=\d)[\s'’_](?=\d{3})")  # noqa: RUF001 (Swiss thousands)
_MINUS = str.maketrans({"−": "-", "–": "-", "٫": ".", "٬": ","})  # noqa: RUF001


def decimal_marks(columns: Sequence[Sequence[str]]) -> list[str]:
    """The decimal mark of each column; that of the nearest other one where a column can be read both ways.

    Strava writes the first columns as the account's language does, and the rest with points.
    """
    marks = [_mark(texts) for texts in columns]
    known = [index for index, mark in enumerate(marks) if mark]
    return [mark or _nearest(marks, known, index) for index, mark in enumerate(marks)]


def _nearest(marks: Sequence[str | None], known: Sequence[int], index: int) -> str:
    near = min(known, key=lambda other: abs(other - index), default=None)
    return "." if near is None else marks[near] or "."


def _mark(texts: Sequence[str]) -> str | None:
    """The mark that these texts use for decimals, None where all of them are whole or could be read both ways."""
    counts = {".": 0, ",": 0}
    for text in map(_plain, texts):
        if _EITHER.fullmatch(text):
            continue
        for mark, other in (".,", ",."):
            last = text.rfind(mark)
            if last > text.rfind(other) and text.count(mark) == 1 and _DECIMAL[mark].fullmatch(text):
                counts[mark] += 1
            elif text.count(mark) > 1 and text.replace(mark, "").isdecimal():  # 1.234.567
                counts[other] += 1
    if counts["."] == counts[","]:
        return None
    return max(counts, key=counts.__getitem__)


def read_numbers(texts: Sequence[str], mark: str) -> FloatArray:
    """The numbers of one column with this decimal mark, NaN where there is none."""
    return np.array([_number(_plain(text), mark) for text in texts], dtype=np.float64)


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", text[:40]).translate(_MINUS).strip().lower()
    return _SPACES.sub("", text)


def _number(text: str, mark: str) -> float:
    text = text.replace("," if mark == "." else ".", "").replace(mark, ".")
    if not _NUMBER.fullmatch(text):
        return float("nan")
    number = float(text)
    return number if abs(number) < 1e18 else float("nan")
