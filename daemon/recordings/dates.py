"""Reads a column of dates in any language: all rows of the column together, since one row alone can be ambiguous.

Month names and day periods come from CLDR (through Babel), which is also where Strava's own date formats come from.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import NamedTuple

# Languages are tried in this order: those Strava is known to speak first. The order only matters where two of them
# know all words of a table (the Polish "lis" is November, the Croatian one October).
LIKELY = (
    *("en", "en_GB", "en_AU", "es", "es_419", "de", "fr", "it", "pt", "pt_PT", "nl", "ja", "ru", "zh", "zh_Hant", "ko"),
    *("sv", "da", "nb", "fi", "pl", "cs", "tr", "id", "th", "hu", "el", "uk", "ro", "ca", "vi", "bg", "hr", "sk", "sl"),
    *("en_CA", "fr_CA", "de_AT"),
)

_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?")
_ZERO_OFFSET = re.compile(r"(?<=\d)\s*(?:z|utc|gmt)?\s*[+-]00:?00$")
_NUMBER = re.compile(r"\d+")
_LONGEST = 80


class _Text(NamedTuple):
    """One date, taken apart: its numbers but for the time, the time (h, min, s), and its words."""

    numbers: tuple[int, ...]
    four_digits: int | None
    time: tuple[int, int, int]
    words: str


class _Language(NamedTuple):
    months: dict[str, int]
    halves: dict[str, str]


def read_dates(texts: Sequence[str], ids: Sequence[int | None]) -> list[datetime | None]:
    """Aware UTC for each text, None where it is no date with a time of day.

    `ids` (one for each text) are the activities' ids: they grow with time, which tells 3/4 from 4/3 where no day
    above 12 does.
    """
    parts = [_taken_apart(text) for text in texts]
    language = _language_of({part for part in parts if part and part.words.strip()})
    orders = [[_dated(part, language, order) if part else None for part in parts] for order in ("dmy", "mdy", "ymd")]
    return max(orders, key=lambda dates: (_readable(dates), -_steps_back(dates, ids), _first_of_month(dates, parts)))


def _readable(dates: Sequence[datetime | None]) -> int:
    return sum(found is not None for found in dates)


def _steps_back(dates: Sequence[datetime | None], ids: Sequence[int | None]) -> int:
    """How often a later id has an earlier date."""
    known = sorted((id_, found) for id_, found in zip(ids, dates, strict=True) if id_ is not None and found)
    return sum(after[1] < before[1] for before, after in zip(known, known[1:], strict=False))


def _first_of_month(dates: Sequence[datetime | None], parts: Sequence[_Text | None]) -> int:
    """Where nothing else decides: with a.m. and p.m. the month comes first (United States), else the day."""
    part = next((part for part in parts if part), None)
    found = next((found for found in dates if found), None)
    if part is None or found is None or len(part.numbers) < 3:
        return 0
    return int((part.numbers[0] == found.month) == ({"am", "pm"} & set(part.words.split()) != set()))


def _taken_apart(text: str) -> _Text | None:
    if not 6 <= len(text) <= _LONGEST:
        return None
    text = unicodedata.normalize("NFKC", text).strip().casefold()
    text = _ZERO_OFFSET.sub("", text)
    if clock := _TIME.search(text):
        time = clock.groups(default="0")
        rest = f"{text[: clock.start()]} {text[clock.end() :]}"
        digits = _NUMBER.findall(rest)
    else:  # "14. jul. 2020 22.36.55": the time has dots, and comes last
        digits = _NUMBER.findall(text)
        digits, time = digits[:-3], tuple(digits[-3:])
        rest = text
    if not 2 <= len(digits) <= 3 or len(time) < 3 or any(len(number) > 4 for number in digits):
        return None
    if any(len(number) > 2 for number in time):
        return None
    four = next((place for place, number in enumerate(digits) if len(number) == 4), None)
    hour, minute, second = map(int, time)
    return _Text(tuple(map(int, digits)), four, (hour, minute, second), _words(rest))


def _words(text: str) -> str:
    """The letters alone, lower case, one space on each side of a word; dots go ("p.m." and "p. m." are "pm")."""
    text = unicodedata.normalize("NFKC", text).casefold()
    kinds = ((letter, unicodedata.category(letter)) for letter in text)
    kept = (
        letter if kind[0] in "LM" else "" if letter in ".'’" or kind == "Cf" else " "  # noqa: RUF001
        for letter, kind in kinds
    )
    joined = f" {' '.join(''.join(kept).split())} "
    return joined.replace(" a m ", " am ").replace(" p m ", " pm ")


def _dated(part: _Text, language: _Language | None, order: str) -> datetime | None:
    month = _month(part.words, language)
    hour = _hour(part.time[0], part.words, language)
    if len(part.numbers) == 3:
        numbers = dict(zip("ymd" if part.four_digits == 0 else order, part.numbers, strict=True))
        if part.four_digits not in (None, 0, 2) or (part.four_digits == 2) != (
            order[2] == "y" and part.numbers[2] > 99
        ):
            return None
    elif month is not None:
        first, second = part.numbers
        year_first = part.four_digits == 0 or (part.four_digits is None and first > 31)
        numbers = {"y": first if year_first else second, "m": month, "d": second if year_first else first}
    else:
        return None
    try:
        return datetime(_year(numbers["y"]), numbers["m"], numbers["d"], hour, *part.time[1:], tzinfo=UTC)
    except ValueError:
        return None


def _year(year: int) -> int:
    """Two digits are of this century; Thailand counts 543 years more."""
    year = year + 2000 if year < 100 else year - 543 if year > 2400 else year
    if not 1970 <= year <= 2200:
        raise ValueError("no year in which runs were recorded")
    return year


def _month(words: str, language: _Language | None) -> int | None:
    if language is None:
        return None
    return next((language.months[word] for word in words.split() if word in language.months), None)


def _hour(hour: int, words: str, language: _Language | None) -> int:
    """The hour of 24, from an hour of 12 and the words around it."""
    halves = {"am": "am", "pm": "pm", **(language.halves if language else {})}
    half = next((half for name, half in halves.items() if f" {name} " in words), None)
    if half is None or not 1 <= hour <= 12:
        return hour
    if half == "night":
        half = "pm" if 6 <= hour < 12 else "am"
    return hour % 12 + (12 if half == "pm" else 0)


def _language_of(parts: set[_Text]) -> _Language | None:
    """The first language that knows the months of most of these dates, then the halves of the day of most."""
    month_needed = sum(len(part.numbers) < 3 for part in parts)
    half_needed = 0 if any(part.time[0] in (0, *range(13, 24)) for part in parts) else len(parts)
    best: tuple[tuple[int, int], _Language | None] = ((0, 0), None)
    for name in _languages() if month_needed or half_needed else ():
        language = _vocabulary(name)
        months = sum(len(part.numbers) < 3 and _month(part.words, language) is not None for part in parts)
        halves = sum(any(f" {half} " in part.words for half in language.halves) for part in parts)
        if (months, halves) > best[0]:
            best = (months, halves), language
        if months >= month_needed and halves >= half_needed:
            return language
    return best[1]


def _languages() -> Iterator[str]:
    """The likely ones, then every other that CLDR knows. A generator: 300 languages take half a second to load."""
    # Babel is loaded when dates are read: nothing else in the program needs it.
    from babel import localedata

    yield from LIKELY
    yield from sorted(name for name in localedata.locale_identifiers() if "_" not in name and name not in LIKELY)


@cache
def _vocabulary(name: str) -> _Language:
    from babel import Locale
    from babel.dates import format_date

    locale = Locale.parse(name)
    months: dict[str, int] = {}
    for length in ("medium", "long"):  # as they stand in a date: Hebrew and Catalan join a preposition to some
        shown = [_words(format_date(date(2020, month, 15), length, locale)).split() for month in range(1, 13)]
        often = Counter(word for words in shown for word in set(words))
        months |= {word: month for month, words in enumerate(shown, 1) for word in words if often[word] == 1}
    for context in locale.months.values():
        for width in ("abbreviated", "wide"):
            months |= {
                _words(word).strip(): month for month, word in context[width].items() if not _NUMBER.search(word)
            }
    halves: dict[str, str] = {}
    for context in locale.day_periods.values():
        for width in ("abbreviated", "wide"):
            halves |= {_words(word).strip(): _half(period) for period, word in context.get(width, {}).items()}
    months.pop("", None)
    halves.pop("", None)
    return _Language(months, halves)


def _half(period: str) -> str:
    if period.startswith(("am", "morning", "midnight")):
        return "am"
    return "night" if period.startswith("night") else "pm"
