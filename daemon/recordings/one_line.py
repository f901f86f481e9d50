"""Texts from files made fit for a list: one line, printable, short."""

LONGEST = 100


def one_line(text: str) -> str:
    """`text` on one line, at most LONGEST characters, without what can't be printed (half characters included)."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[: 10 * LONGEST]).split())[:LONGEST].strip()
