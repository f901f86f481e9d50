"""Texts from files made fit for a list: one line, printable, short."""

from daemon import harmless

LONGEST = 100


def one_line(text: str) -> str:
    """`text` on one line of at most LONGEST characters, without what can't be printed."""
    return harmless.one_line(text, LONGEST)
