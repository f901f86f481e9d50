"""How numbers and days are written on the picture and the page. Pure."""

from datetime import date

KM_PER_MILE = 1.609344


def pace(s_per_km: float, units: str) -> str:
    """5:40/km, or 9:07/mi."""
    seconds = round(s_per_km * KM_PER_MILE if units == "imperial" else s_per_km)
    return f"{seconds // 60}:{seconds % 60:02d}/{'mi' if units == 'imperial' else 'km'}"


def distance(metres: float, units: str) -> str:
    """10.2 km, or 6.3 mi."""
    km = metres / 1000
    return f"{km / KM_PER_MILE:.1f} mi" if units == "imperial" else f"{km:.1f} km"


def duration(seconds: float) -> str:
    """48 min, or 1 h 25."""
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d}"


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
