"""How numbers and days are written on the picture and the page, beside `daemon.measures`. Pure."""

from datetime import date


def day(day: date) -> str:
    """5 Oct."""
    return f"{day.day} {day:%b}"


def full_day(day: date) -> str:
    """5 October 2026."""
    return f"{day.day} {day:%B} {day.year}"


def signed(bpm: float) -> str:
    """+3, −2, ±0: with a real minus sign."""
    n = round(bpm)
    return f"{'+' if n > 0 else '−' if n < 0 else '±'}{abs(n)}"


def count(n: int, noun: str) -> str:
    """1 run, 3 runs, no runs."""
    return f"{n or 'no'} {noun}{'' if n == 1 else 's'}"


def words(name: str) -> str:
    """A verdict's or a signal's name as one says it."""
    return name.replace("_", " ")


def gap(hours: float) -> str:
    """43 hours, or 6.2 days."""
    return f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.1f} days"


def short_day(day: date) -> str:
    """5 Oct 2026."""
    return f"{day.day} {day:%b} {day.year}"
