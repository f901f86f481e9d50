"""How well the cells of a column look like a kind of thing, and how columns of one table depend on each other.

Pure; works on the sample that `columns` is given. Weights are engineering choices [ENG], see there.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from daemon.recordings.sports_told import sport_type
from daemon.values import FloatArray

NEVER = -9.0
RECORDING = re.compile(r"\.(fit|tcx|gpx)(\.gz)?$", re.IGNORECASE)
MILE_M = 1609.344
# Fewer rows than this agree by chance with some triple of a hundred columns.
FEW = 5
PROBES = 64
"""Rows in which three columns of a hundred are compared: every column with every other [ENG]."""
MOST_OFF_C = 0.3


class Cells(Protocol):
    """A sampled column, as `columns.Column` is."""

    @property
    def texts(self) -> Sequence[str]: ...
    @property
    def numbers(self) -> FloatArray: ...
    @property
    def dates(self) -> float: ...
    @property
    def empty(self) -> bool: ...


def content(column: Cells) -> dict[str, float]:
    """For each kind of `layout` how well the cells agree: from NEVER to 5, 0 where they say nothing."""
    if column.empty:
        return {"id": NEVER, "date": NEVER} if column.texts else {}
    texts = [text for text in column.texts if text]
    numbers = column.numbers[np.isfinite(column.numbers)]
    numeric = len(numbers) >= 0.8 * len(texts)
    fits = {kind: (rule(numbers) if numeric else NEVER) for kind, rule in _NUMERIC.items()}
    two_valued = len(set(texts)) <= 2 and (not numeric or set(numbers) <= {0.0, 1.0})
    # Two different words fill one column of a short table by chance: no yes or no then.
    fits["yes_no"] = (1.0 if numeric else 0.3) if two_valued and column.dates < 0.5 else NEVER
    fits["text"] = -3.0 if numeric else 0.3
    fits["name"] = -2.0 if numeric else 0.5
    fits["sport"] = -4.0 if numeric else _like_sports(texts)
    fits["date"] = 5.0 if column.dates >= 0.6 else NEVER
    fits["file"] = 5.0 if sum(bool(RECORDING.search(text)) for text in texts) >= 0.5 * len(texts) else NEVER
    if fits["file"] > 0 or fits["date"] > 0:
        fits |= {"text": -6.0, "name": -6.0, "sport": -6.0}
    fits["id"] = 4.0 if numeric and _like_ids(column, numbers) else NEVER
    return fits


def _like_sports(texts: Sequence[str]) -> float:
    """Words of sports, or at least few words that come again and again."""
    words = set(texts)
    known = sum(sport_type(text) is not None for text in texts) / len(texts)
    again = len(words) <= max(3, 0.2 * len(texts)) and all(len(word) <= 40 for word in words)
    return 4.0 * known + (0.8 if again else -0.5)


def _like_ids(column: Cells, numbers: FloatArray) -> bool:
    """Whole, large, in nearly every row, hardly any twice, and no times since 1970 (these come with ".0")."""
    everywhere = len(numbers) >= 0.75 * len(column.texts)
    unique = len(set(numbers)) >= 0.9 * len(numbers)
    whole = sum(text.strip().isdigit() for text in column.texts) >= 0.5 * len(column.texts)
    return everywhere and unique and whole and float(np.median(numbers)) >= 1e4


def _whole(numbers: FloatArray) -> bool:
    return bool(np.all(numbers == np.round(numbers)))


def _between(least: float, most: float, fit: float, otherwise: float) -> Callable[[FloatArray], float]:
    """Nearly all between two bounds: one broken cell of a hundred is no other kind."""
    return lambda numbers: fit if np.mean((numbers >= least) & (numbers <= most)) >= 0.98 else otherwise


def _whole_between(least: float, most: float, fit: float, otherwise: float) -> Callable[[FloatArray], float]:
    inside = _between(least, most, fit, otherwise)
    return lambda numbers: inside(numbers) if _whole(numbers) else otherwise


def _heart_rate(numbers: FloatArray) -> float:
    """Most activities of anyone average above 92; cadence, per leg, doesn't."""
    inside = np.mean((numbers >= 40) & (numbers <= 250)) >= 0.95
    return 1.0 if inside and 92 <= np.median(numbers) <= 210 else -6.0


def _fraction(numbers: FloatArray) -> float:
    if numbers.min() < 0 or numbers.max() > 1:
        return NEVER
    return 0.0 if _whole(numbers) else 1.0


def _number(numbers: FloatArray) -> float:
    return -2.0 if numbers.min() > 1e9 else 0.0


_NUMERIC: dict[str, Callable[[FloatArray], float]] = {
    "number": _number,
    "seconds": _whole_between(0, 5e6, 0.5, -6.0),
    "km": _between(0, 5000, 0.3, -6.0),
    "metres": _between(0, 5e6, 0.3, -6.0),
    "heart_rate": _heart_rate,
    "effort": _whole_between(0, 3000, 0.5, -4.0),
    "speed": _between(0, 60, 0.5, -6.0),
    "temperature": _between(-50, 60, 0.5, NEVER),
    "weather": lambda numbers: 1.0 if _mild(numbers) else NEVER if abs(numbers).max() > 60 else -1.0,
    "climb": _between(0, 20000, 0.3, -6.0),
    "grade": _between(-100, 100, 0.3, -6.0),
    "exertion": _between(1, 10, 1.0, NEVER),
    "epoch": _between(1e9, 4e9, 3.0, NEVER),
    "code": _whole_between(0, 30, 0.5, -6.0),
    "fraction": _fraction,
    "pressure": _between(800, 1100, 3.0, NEVER),
    "cadence": _between(0, 260, 0.3, -6.0),
}


def relations(columns: Sequence[Cells]) -> dict[tuple[str, int], float]:
    """What columns say of each other, as weights for (role, column): kilometres and metres of one distance, times and
    speeds that make it, and the columns that Strava writes twice."""
    weights: dict[tuple[str, int], float] = {}

    def add(role: str, column: int, weight: float) -> None:
        weights[role, column] = max(weights.get((role, column), 0.0), weight)

    for km, metres, _ in distance_pairs(columns):
        add("distance_km", km, 3.0)
        add("distance_m", metres, 3.0)
    for time, speed, distance in _times_and_speeds(columns):
        add("distance_m", distance, 1.0)
        add("moving", time, 2.0)
        add("average_speed", speed, 2.0)
        add("elapsed", time, 1.0)
        add("elapsed_whole", time, 1.0)
        add("elapsed_speed", speed, 1.0)
    for air, dew in _air_and_dew(columns):
        add("weather_temperature", air, 4.0)
        add("dew_point", dew, 4.0)
    for first, second in _twins(columns):
        for role in ("elapsed", "max_heart_rate"):
            add(role, second, 1.5)
        for role in ("elapsed_whole", "max_heart_rate_first"):
            add(role, first, 1.5)
        # Strava writes averages once.
        weights |= {("average_heart_rate", column): -4.0 for column in (first, second)}
        numbers = _finite(columns[second])
        if _heart_rate(numbers) > 0:
            for average in _under(columns, second, 0.7):
                add("average_heart_rate", average, 1.5)
        elif np.median(numbers) > 300:
            for moving in _under(columns, second, 0.6):
                add("moving", moving, 1.0)
    return weights


def distance_pairs(columns: Sequence[Cells]) -> Iterator[tuple[int, int, float]]:
    """(kilometres or miles, metres, metres in one of the former): columns that give one distance, the best pair only.

    The former is rounded to 0.01; swims have metres in both, so half of the rows are enough.
    """
    best: tuple[float, int, int, float] | None = None
    numeric = [index for index, column in enumerate(columns) if np.count_nonzero(column.numbers > 0)]
    for km in numeric:
        some = columns[km].numbers
        for metres in numeric:
            for unit in (1000.0, MILE_M):
                both = (some > 0.05) & (columns[metres].numbers > 0)
                agree = np.abs(columns[metres].numbers[both] / unit - some[both]) <= 0.0101
                if km != metres and agree.sum() >= max(1, 0.5 * np.count_nonzero(some > 0.05)):
                    share = float(agree.sum() / np.count_nonzero(some > 0.05))
                    if best is None or share > best[0]:
                        best = share, km, metres, unit
    if best:
        yield best[1:]


def _times_and_speeds(columns: Sequence[Cells]) -> Iterator[tuple[int, int, int]]:
    """(time, speed, distance) where the first two make the third. Speeds are rounded, so 1 % is close enough."""
    middle = {i: float(np.nanmedian(column.numbers)) for i, column in enumerate(columns) if _is_numeric(column)}
    times = [i for i, value in middle.items() if value >= 60 and _whole(_finite(columns[i]))]
    speeds = [i for i, value in middle.items() if 0 < value < 30 and not _whole(_finite(columns[i]))]
    for distance in (i for i, value in middle.items() if value >= 200):
        probed = _probed(columns[distance].numbers > 0)
        gone = columns[distance].numbers[probed]
        made = _table(columns, times, probed)[:, None] * _table(columns, speeds, probed)
        known, agree = np.isfinite(made).sum(axis=2), (np.abs(made - gone) <= 0.01 * gone).sum(axis=2)
        for at, of in np.argwhere((known > 0) & (agree >= 0.8 * known)):
            if times[at] != distance:
                yield times[at], speeds[of], distance


def _probed(rows: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Some of these rows, over the whole table: enough to tell, where three columns of a hundred are compared."""
    found = np.flatnonzero(rows)
    return found[np.linspace(0, found.size - 1, min(found.size, PROBES)).astype(np.intp)]


def _table(columns: Sequence[Cells], chosen: Sequence[int], rows: NDArray[np.intp]) -> FloatArray:
    return np.array([columns[i].numbers[rows] for i in chosen]).reshape(len(chosen), rows.size)


def _finite(column: Cells) -> FloatArray:
    return column.numbers[np.isfinite(column.numbers)]


def _air_and_dew(columns: Sequence[Cells]) -> Iterator[tuple[int, int]]:
    """Temperature and dew point that go with a column of relative humidity (Magnus, coefficients of Alduchov &
    Eskridge 1996; within 0.1 °C in real tables), the best pair only."""
    mild = [i for i, column in enumerate(columns) if _is_numeric(column) and _mild(column.numbers)]
    tried: list[tuple[float, int, int, int]] = []
    for humidity in (i for i, column in enumerate(columns) if _is_numeric(column) and _humid(column.numbers)):
        probed = _probed(np.isfinite(columns[humidity].numbers))
        warmth = _table(columns, mild, probed)
        off = _off_c(columns[humidity].numbers[probed], warmth[:, None], warmth)
        off[range(len(mild)), range(len(mild))] = np.inf
        nearest = [int(at) for at in np.argsort(off, axis=None)[:FEW] if off.flat[at] <= MOST_OFF_C]
        tried += [(float(off.flat[at]), humidity, *divmod(at, len(mild))) for at in nearest]
    off_c, air, dew = min(
        (
            (float(_off_c(columns[humidity].numbers, columns[mild[air]].numbers, columns[mild[dew]].numbers)), air, dew)
            for _, humidity, air, dew in sorted(tried)[:FEW]
        ),
        default=(np.inf, 0, 0),
    )
    if off_c <= MOST_OFF_C:
        yield mild[air], mild[dew]


def _humid(numbers: FloatArray) -> bool:
    """Fractions, and not all of them 1."""
    return bool(0 < np.nanmin(numbers) < 1 and np.nanmax(numbers) <= 1)


def _off_c(humidity: FloatArray, air_c: FloatArray, dew_c: FloatArray) -> FloatArray:
    """How far the dew point is from what humidity and air make it (°C, the middle row), NaN where too few rows tell."""
    part = np.log(humidity) + 17.625 * air_c / (243.04 + air_c)
    off = np.abs(243.04 * part / (17.625 - part) - dew_c)
    known = np.isfinite(off).sum(axis=-1)
    off = np.sort(off, axis=-1)  # what isn't known goes to the end
    middle = np.take_along_axis(off, np.maximum(known - 1, 0)[..., None] // 2, axis=-1)[..., 0]
    return np.where(known >= FEW, middle, np.nan)


def _mild(numbers: FloatArray) -> bool:
    """Degrees Celsius of weather, with decimals as weather has them."""
    finite = numbers[np.isfinite(numbers)]
    return bool(finite.min() >= -50 and finite.max() <= 60) and not _whole(finite)


def _is_numeric(column: Cells) -> bool:
    return bool(np.isfinite(column.numbers).any())


def _under(columns: Sequence[Cells], highest: int, least: float) -> Iterator[int]:
    """Columns filled in the same rows as `highest`, never above it, and usually more than `least` of it: average heart
    rate and its maximum, moving and elapsed time."""
    most = columns[highest].numbers
    for index, column in enumerate(columns):
        share = np.divide(column.numbers, most, out=np.full(len(most), np.nan), where=most > 0)
        known = np.isfinite(share)
        together = np.mean(np.isfinite(column.numbers) == np.isfinite(most)) >= 0.95
        below = known.any() and np.mean(share[known] <= 1) >= 0.98 and least <= np.median(share[known])
        if together and below and share[known].min() < 1:
            yield index


def _twins(columns: Sequence[Cells]) -> Iterator[tuple[int, int]]:
    """Columns with the same numbers in the same rows, not all of them alike."""
    seen: dict[bytes, int] = {}
    for index, column in enumerate(columns):
        finite = column.numbers[np.isfinite(column.numbers)]
        if len(set(finite)) < min(3, len(column.texts)) or not finite.any():
            continue
        same = np.nan_to_num(column.numbers, nan=-1.0).tobytes()
        if same in seen:
            yield seen[same], index
        seen.setdefault(same, index)
