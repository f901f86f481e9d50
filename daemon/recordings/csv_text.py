"""The text of a table: its encoding, its separator, its rows. Knows nothing of what the cells mean."""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence

from daemon.recordings.errors import Unreadable

# As many rows as tell what a column holds; taken from the whole table, old and new [ENG].
SAMPLE = 400
# Strava writes 87 to 103 columns; more than this is something else [ENG].
MOST_COLUMNS = 400
FEWEST_COLUMNS = 5
_SEPARATORS = ",;\t|"
_CHUNK = 2**18


def encoding_of(data: bytes) -> str:
    """Whatever a spreadsheet saved it as: UTF-8 or UTF-16, with or without a byte order mark, else Western Latin."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if data[:200].count(0) > 20:
        return "utf-16-le" if data[1:200:2].count(0) > 10 else "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _CHUNK):
            decoder.decode(data[start : start + _CHUNK], final=start + _CHUNK >= len(data))
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def separator_of(data: bytes, encoding: str) -> str:
    """The separator that cuts the first rows into most columns."""
    beginning = data[:_CHUNK]

    def columns(separator: str) -> int:
        rows = [len(row) for _, row in zip(range(6), _rows(beginning, encoding, separator), strict=False)]
        return rows[0] if rows and Counter(rows)[rows[0]] * 2 >= len(rows) else 0

    return max(_SEPARATORS, key=columns)


def sample(data: bytes, encoding: str, separator: str) -> tuple[list[str], list[list[str]]]:
    """The names of the columns, and at most 2 * SAMPLE rows spread over the table. Raises Unreadable."""
    rows = _rows(data, encoding, separator)
    names = next(rows, [])
    if not FEWEST_COLUMNS <= len(names) <= MOST_COLUMNS:
        raise Unreadable("it isn't the activities.csv of a Strava export")
    kept: list[list[str]] = []
    step = 1
    for number, row in enumerate(rows):
        if number % step == 0 and len(row) == len(names):
            kept.append(row)
        if len(kept) >= 2 * SAMPLE:
            kept, step = kept[::2], 2 * step
    return names, kept


def picked(
    data: bytes, encoding: str, separator: str, width: int, columns: Sequence[int]
) -> tuple[list[int], list[list[str]], list[tuple[int, str]]]:
    """(numbers of the rows, the cells of each of `columns`, [(row, why it isn't read)]).

    Rows are numbered as a spreadsheet does: the names are row 1. Only what is used is kept in memory.
    """
    numbers: list[int] = []
    cells: list[list[str]] = [[] for _ in columns]
    skipped: list[tuple[int, str]] = []
    rows = _rows(data, encoding, separator)
    next(rows, None)
    for number, row in enumerate(rows, 2):
        if any(row[width:]) or len(row) < width:
            skipped.append((number, f"{len(row)} columns where the table has {width}: it is cut off or broken"))
            continue
        numbers.append(number)
        for kept, column in zip(cells, columns, strict=True):
            kept.append(row[column])
    return numbers, cells, skipped


def _rows(data: bytes, encoding: str, separator: str) -> Iterator[list[str]]:
    """Rows that aren't empty. A quote that is never closed ends the table there."""
    # Decoded as it is read: one emoji would make a text of the whole table four times as large.
    text = io.TextIOWrapper(io.BytesIO(data), encoding, errors="replace", newline="")
    rows = csv.reader(text, delimiter=separator)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            yield ["(a quote that never ends)"]
            return
        if any(row) and not row[0].startswith("sep="):
            yield row
