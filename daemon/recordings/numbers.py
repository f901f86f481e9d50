"""Reads the numbers of a table, however its language writes them: decimal commas, thousands separators, spaces."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

from daemon.values import FloatArray

# "1.234" is a thousand or a bit more than one; all other forms tell.
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_DECIMAL = {mark: re.compile(rf"[+-]?[\d.,]*\d?{re.escape(mark)}\d+(?:e[+-]?\d+)?") for mark in ".,"}
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?")
_SPACES = re.compile(r"(?<=\d)[\s'’_](?=\d{3})")  # noqa: RUF001 (Swiss thousands)
_MINUS = str.maketrans({"−": "-", "–": "-", "٫": ".", "٬": ","})  # noqa: RUF001


def decimal_mark(texts: Iterable[str]) -> str | None:
    """The mark that these texts use for decimals, None where all of them are whole or could be read both ways."""
    counts = {".": 0, ",": 0}
    for text in map(_plain, texts):
        if _EITHER.fullmatch(text):
            continue
        for mark, other in (".,", ",."):
            last = text.rfind(mark)
            if last > text.rfind(other) and text.count(mark) == 1 and _DECIMAL[mark].fullmatch(text):
                counts[mark] += 1
            elif text.count(mark) > 1:  # 1.234.567
                counts[other] += 1
    if counts["."] == counts[","]:
        return None
    return max(counts, key=counts.__getitem__)


def read_numbers(texts: Sequence[str], otherwise: str) -> FloatArray:
    """The numbers of one column, NaN where there is none. `otherwise` is the decimal mark of a column that can be read
    both ways, as the rest of the table has it."""
    mark = decimal_mark(texts) or otherwise
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
