"""Makes text harmless: what a runner named a run, for one line of any medium; a whole message, for Markdown.

Pure, and knows nothing of what the text says.
"""

import re
import unicodedata

_BREAKS = dict.fromkeys(map(ord, "\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029\u2800"), " ")
_NOT_SHOWN = {"Cc", "Cf", "Cs", "Co", "Cn"}
"""Unicode's classes for what controls: escapes, joiners, overrides of direction, and what has no meaning at all."""

_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Letters and marks that draw nothing."""

MOST_MARKS = 2
"""More marks on one letter are there to spill over other lines."""

_LEAD = re.compile(r"^(\d+ of \d+: .+|What to do: |Next: |To answer: )", re.MULTILINE)
_OURS = re.compile(
    r"`pullback [a-z -]+`|`client_id`|`client_secret`|https://www\.strava\.com/settings/api|https://status\.strava\.com"
)
_MARKS = re.compile(r"([\\`*_\[\]|~])")
_BRACKETS = str.maketrans("<>", "‹›")


def plain(text: str, at_most: int) -> str:
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


def markdown(text: str) -> str:
    """The same message where Markdown is understood: leads in bold, commands as code, everything else as it reads.

    Angle brackets become ‹ ›: escaping them differs from one Markdown to the next. No line of ours begins with a mark
    that means a list or a heading.
    """
    done, begin = [], 0
    for ours in _OURS.finditer(text):
        done += [_escaped(text[begin : ours.start()]), ours.group()]
        begin = ours.end()
    return _LEAD.sub(_bold, "".join([*done, _escaped(text[begin:])]))


def _bold(lead: re.Match[str]) -> str:
    words = lead.group()
    return f"**{words.rstrip()}**{' ' if words.endswith(' ') else ''}"


def _escaped(text: str) -> str:
    return _MARKS.sub(r"\\\1", text.translate(_BRACKETS))
