"""How far, how fast and how long, as it is written in the runner's units: the one place for every text. Pure."""

from typing import Literal

Units = Literal["metric", "imperial"]

KM_PER_MILE = 1.609344
"""The international mile of 1959, exactly."""


def unit(units: str) -> str:
    """The unit of length: km, or mi."""
    return "mi" if units == "imperial" else "km"


def length(metres: float, units: str) -> float:
    """A length in kilometres or miles."""
    return metres / 1000 / (KM_PER_MILE if units == "imperial" else 1.0)


def distance(metres: float, units: str) -> str:
    """10.2 km, or 6.3 mi."""
    return f"{length(metres, units):.1f} {unit(units)}"


def about(metres: float, units: str) -> str:
    """10 km, or 6 miles; whole ones from three on, as it is said."""
    far = length(metres, units)
    number = f"{far:.0f}" if far >= 3 else f"{round(far, 1):g}"
    return f"{number} {'mile' if number == '1' else 'miles'}" if units == "imperial" else f"{number} km"


def pace_alone(s_per_km: float, units: str) -> str:
    """5:40, or 9:07: where a heading has the unit."""
    seconds = round(s_per_km * KM_PER_MILE if units == "imperial" else s_per_km)
    return f"{seconds // 60}:{seconds % 60:02d}"


def pace(s_per_km: float, units: str) -> str:
    """5:40/km, or 9:07/mi."""
    return f"{pace_alone(s_per_km, units)}/{unit(units)}"


def duration(minutes: float) -> str:
    """45 minutes, 3 hours 50 minutes."""
    hours, rest = divmod(round(minutes), 60)
    parts = [counted(hours, "hour")] if hours else []
    return " ".join(parts + ([counted(rest, "minute")] if rest or not hours else []))


def short_duration(seconds: float) -> str:
    """48 min, or 1 h 25."""
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d}"


def counted(number: int, noun: str) -> str:
    """1 run, 3 runs."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
