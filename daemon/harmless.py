"""Text that somebody else wrote, made harmless: nothing in it controls a terminal, hides, or turns the writing round.

What a run is called, what a file says of itself. It knows no medium: quoting for HTML, Markdown or JSON comes after it.
"""

import json
import re
import unicodedata

_BREAKS = dict.fromkeys(map(ord, "\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029\u2800"), " ")
_NOT_SHOWN = {"Cc", "Cf", "Cs", "Co", "Cn"}
"""Unicode's classes for what controls: escapes, joiners, overrides of direction, and what has no meaning at all."""

_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Letters and marks that draw nothing."""

MOST_MARKS = 2
"""More marks on one letter are there to spill over other lines."""


def one_line(text: str, at_most: int) -> str:
    """Text someone else wrote, on one line of at most so many characters (1 or more); nothing in it controls or hides.

    Emoji lose what joins them. What is cut ends in "…".
    """
    text = unicodedata.normalize("NFC", text[: 20 * at_most + 200]).translate(_BREAKS)
    shown, marks = [], 0
    for character in _UNSEEN.sub("", text):
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if category not in _NOT_SHOWN and marks <= MOST_MARKS:
            shown.append(character)
    line = " ".join("".join(shown).split())
    return line if len(line) <= at_most else line[: at_most - 1].rstrip() + "…"


def lines(text: str) -> str:
    """A text of ours that may hold words of others, on as many lines as it has: nothing in it controls or hides."""
    return "\n".join(line if line.isprintable() else _printable(line) for line in text.split("\n"))


def escaped(json_text: str) -> str:
    """JSON that reads the same and controls no terminal: what would is written as \\u and its number."""
    return "\n".join(line if line.isprintable() else "".join(map(_number, line)) for line in json_text.split("\n"))


def _number(c: str) -> str:
    return json.dumps(c)[1:-1] if unicodedata.category(c) in {*_NOT_SHOWN, "Zl", "Zp"} else c


def _printable(line: str) -> str:
    return "".join(c for c in line.translate(_BREAKS) if unicodedata.category(c) not in _NOT_SHOWN)
