"""How often, how much more, in a runner's words; and a text cut to what a phone shows.

Pure; knows no verdict.
"""

from collections.abc import Sequence
from math import isfinite

from daemon.measures import counted

TITLE_LENGTH = 60

Sentence = tuple[int, str]
"""How easily it can be done without (0: not at all), and its words; "" is no sentence."""


def a_week(often: float) -> str:
    """How often, to the half: about one a week, one or two a week."""
    words = ("none", "one", "two", "three", "four", "five", "six", "seven")
    low, half = divmod(min(round(2 * often), 14), 2)
    if low == 0:
        return "less than one a week"
    return f"{words[low]} or {words[low + 1]} a week" if half else f"about {words[low]} a week"


def every(per_year: float) -> str:
    """The time between two of what happens so often a year: 2 weeks, 13 months, 8 years."""
    months = 12 / per_year
    if months < 1.5:
        return counted(max(round(52 / per_year), 1), "week")
    return counted(round(months), "month") if months < 23.5 else counted(round(months / 12), "year")


def listed(parts: Sequence[str]) -> str:
    """A, b and c."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def compared(value: float, usual: float) -> str:
    """24 % above your usual; "" where hardly anything is usual."""
    if not (isfinite(value) and isfinite(usual)) or usual < 1:
        return ""
    if value >= 2 * usual:
        return f"{round(value / usual, 1):g} times your usual"
    percent = round(100 * (value / usual - 1))
    return "as usual" if abs(percent) < 3 else f"{abs(percent)} % {'above' if percent > 0 else 'below'} your usual"


def text_of(paragraphs: Sequence[Sequence[Sentence]], at_most: int) -> str:
    """The paragraphs, less the sentences that can best be done without where they are longer than `at_most`.

    Of equally dispensable ones the later goes first; what can't be done without stays, however long.
    """
    kept = [[s for s in paragraph if s[1]] for paragraph in paragraphs]
    while len(text := _joined(kept)) > at_most:
        row, at = max(
            ((r, n) for r, p in enumerate(kept) for n in range(len(p))), key=lambda i: (kept[i[0]][i[1]][0], i)
        )
        if kept[row][at][0] == 0:
            break
        del kept[row][at]
    return text


def _joined(paragraphs: Sequence[Sequence[Sentence]]) -> str:
    return "\n\n".join(" ".join(words for _, words in paragraph) for paragraph in paragraphs if paragraph)
