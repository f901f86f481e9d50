"""Writes the table of a Strava export from known truth, in any layout, language and way of writing numbers.

It shares no code and no list with what reads such tables.
"""

import csv
import io
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

# Strava's order, in our own short words; a twin has the same word with a dash.
ORDER = (
    *("id", "date", "name", "type", "description", "whole", "km", "hrmax-", "effort-", "commute-", "note", "gearname"),
    *("file", "weight", "bikeweight", "elapsed", "moving", "metres", "vmax", "v", "up", "down", "low", "high"),
    *("grademax", "grade", "gradeup", "gradedown", "cadmax", "cad", "hrmax", "hr", "wmax", "w", "kcal", "tmax", "t"),
    *("effort", "work", "lifts", "uptime", "downtime", "othertime", "rpe", "kind", "starttime", "np", "powercount"),
    *("prefer", "rpeffort", "commute", "lifted", "upload", "gap", "observed", "sky", "air", "feels", "dew", "humidity"),
    *("pressure", "wind", "gust", "bearing", "rain", "sunrise", "sunset", "moon", "bike", "gear", "rainchance"),
    *("raintype", "clouds", "sight", "uv", "ozone", "jumps", "grit", "flow", "flagged", "velapsed", "dirt", "newly"),
    *("newlydirt", "count", "steps", "carbon", "pool", "load", "intensity", "gapv", "timer", "cycles", "recovery"),
    *("pet", "race", "long", "cause", "child", "descent", "sets", "reps", "media"),
)

MONTHS = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "es": "ene feb mar abr may jun jul ago sept oct nov dic",
    "fr": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "it": "gen feb mar apr mag giu lug ago set ott nov dic",
    "pt": "jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez.",
    "nl": "jan feb mrt apr mei jun jul aug sep okt nov dec",
    "sv": "jan. feb. mars apr. maj juni juli aug. sep. okt. nov. dec.",
    "pl": "sty lut mar kwi maj cze lip sie wrz paź lis gru",
    "ru": "янв. февр. мар. апр. мая июн. июл. авг. сент. окт. нояб. дек.",
    "da": "jan. feb. mar. apr. maj jun. jul. aug. sep. okt. nov. dec.",
    "tr": "Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara",
    "th": "ม.ค. ก.พ. มี.ค. เม.ย. พ.ค. มิ.ย. ก.ค. ส.ค. ก.ย. ต.ค. พ.ย. ธ.ค.",
}
RUN = {"en": "Run", "es": "Carrera", "fr": "Course à pied", "de": "Lauf", "it": "Corsa", "pt": "Corrida", "ja": "ラン"}
RUN |= {
    "nl": "Hardloopsessie",
    "sv": "Löpning",
    "pl": "Bieg",
    "ru": "Забег",
    "ko": "달리기",
    "zh": "跑步",
    "tr": "Koşu",
}
LANGUAGES = (*MONTHS, "de", "fi", "cs", "ja", "zh", "ko")


# year, month and day as numbers, month name, hour of 24 and of 12, minutes and seconds, half of the day
DATES = {
    "en": "{name} {d}, {y}, {twelve}:{m:02}:{s:02} {AM}",
    "es": "{d} {name} {y}, {twelve}:{m:02}:{s:02}\u202f{am}",
    "pt": "{d} de {name} de {y}, {h:02}:{m:02}:{s:02}",
    "ru": "{d} {name} {y}\u202fг., {h:02}:{m:02}:{s:02}",
    "th": "{d} {name} {buddha} {h:02}:{m:02}:{s:02}",
    "de": "{d:02}.{month:02}.{y}, {h:02}:{m:02}:{s:02}",
    "da": "{d}. {name} {y} {h:02}.{m:02}.{s:02}",
    "fi": "{d}.{month}.{y} klo {h}.{m:02}.{s:02}",
    "cs": "{d}. {month}. {y} {h}:{m:02}:{s:02}",
    "ja": "{y}/{month:02}/{d:02} {h}:{m:02}:{s:02}",
    "zh": "{y}年{month}月{d}日 {h:02}:{m:02}:{s:02}",
    "ko": "{y}. {month}. {d}. {half} {twelve}:{m:02}:{s:02}",
}


def date_in(language: str, at: datetime) -> str:
    half = int(at.hour >= 12)
    return DATES.get(language, "{d} {name} {y}, {h:02}:{m:02}:{s:02}").format(
        **{"y": at.year, "month": at.month, "d": at.day, "h": at.hour, "m": at.minute, "s": at.second},
        **{"name": MONTHS.get(language, " " * 12).split(" ")[at.month - 1], "buddha": at.year + 543},
        **{"twelve": at.hour % 12 or 12, "AM": ("AM", "PM")[half], "am": ("a.m.", "p.m.")[half]},
        half=("오전", "오후")[half],
    )


@dataclass
class Truth:
    """One activity, all that a table says of it by our short words; None is an empty cell."""

    id: int
    start: datetime
    cells: dict[str, float | str | None] = field(default_factory=dict)

    def __getitem__(self, word: str) -> float | str | None:
        return self.cells.get(word)


def runner(rng: random.Random, runs: int, language: str = "en", weather: bool = True) -> list[Truth]:
    """Some months of one runner: easy runs, a ride now and then, one run in ten typed in by hand."""
    at = datetime(rng.randint(2015, 2026), rng.randint(1, 12), rng.randint(1, 28), tzinfo=UTC)
    id_ = rng.randint(10**8, 10**10)
    found = []
    for _ in range(runs):
        at += timedelta(days=rng.randint(0, 5), seconds=rng.randint(3600, 86400))
        id_ += rng.randint(10**5, 10**8)
        found.append(Truth(id_, at, _activity(rng, id_, at, language, weather)))
    return found


def _activity(
    rng: random.Random, id_: int, at: datetime, language: str, weather: bool
) -> dict[str, float | str | None]:
    moving = rng.randint(900, 7200)
    elapsed = moving + rng.choice((0, 0, rng.randint(1, 900)))
    speed = rng.uniform(2.2, 4.0)
    metres = round(moving * speed, 1)
    hr = rng.randint(115, 170) if rng.random() < 0.9 else None
    low = rng.uniform(0, 600)
    by_hand = rng.random() < 0.1
    air = rng.uniform(-10, 32)
    cells: dict[str, float | str | None] = {
        "name": rng.choice(("Morning Run", "Lunch, easy", 'the "big" one', "Läufchen 🏃", "5")),
        "type": rng.choice((RUN.get(language, "Xyzzy"),) * 4 + ("Kayaking",)),
        "description": "two lines\nof words; and, signs" if rng.random() < 0.1 else None,
        **{"whole": elapsed, "elapsed": float(elapsed), "moving": float(moving), "metres": metres, "km": metres / 1000},
        **{"hrmax-": hr and hr + 15.0, "hrmax": hr and hr + 15.0, "hr": hr and float(hr)},
        "commute-": "false",
        "commute": 0.0,
        "file": None if by_hand else f"activities/{id_ + 7}.{rng.choice(('fit.gz', 'gpx', 'tcx.gz'))}",
        "upload": 0.0 if by_hand else 1.0,
        **{"v": round(metres / moving, 3), "velapsed": round(metres / elapsed, 3), "vmax": round(speed + 1.9, 3)},
        **{"up": (up := round(rng.uniform(0, 300), 1)), "down": round(up * rng.uniform(0.8, 1.2), 1)},
        **{"low": round(low, 1), "high": round(low + rng.uniform(1, 200), 1)},
        **{"grade": round(rng.gauss(0, 0.5), 1), "grademax": round(rng.uniform(1, 40), 1)},
        **{"cad": round(rng.uniform(78, 90), 1), "cadmax": float(rng.randint(90, 110))},
        "kcal": float(rng.randint(100, 900)),
        "t": round(air + rng.uniform(3, 12)) * 1.0 if rng.random() < 0.7 else None,
        "rpe": float(rng.randint(2, 9)) if rng.random() < 0.2 else None,
        "gap": round(metres * rng.uniform(1.0, 1.05), 1),
        "dirt": rng.choice((0.0, round(metres * rng.random(), 1))),
        "flagged": float(rng.randint(0, 2)) if rng.random() < 0.3 else None,
    }
    cells["effort-"] = hr and rng.randint(5, 200)
    cells["effort"] = cells["effort-"]
    if weather and not by_hand and rng.random() < 0.6:
        cells |= _weather(rng, at, air)
    return cells


def _weather(rng: random.Random, at: datetime, air: float) -> dict[str, float | str | None]:
    noon = at.timestamp() // 86400 * 86400
    dew = air - rng.uniform(0.5, 15)
    # How moist the air must be for that dew point: vapour pressure over saturation (Magnus).
    humidity = math.exp(17.6 * dew / (243 + dew)) / math.exp(17.6 * air / (243 + air))
    return {
        **{"observed": at.timestamp() // 3600 * 3600, "sunrise": noon - 2e4, "sunset": noon + 2.3e4},
        **{"sky": float(rng.randint(1, 6)), "air": round(air, 1), "feels": round(air - rng.uniform(-2, 5), 1)},
        **{"dew": round(dew, 1), "humidity": round(humidity, 2)},
        **{"pressure": round(rng.uniform(985, 1035), 1), "wind": round(rng.uniform(0, 9), 1)},
        **{"gust": round(rng.uniform(1, 15), 1), "bearing": float(rng.randint(0, 359)), "uv": float(rng.randint(0, 9))},
        **{"moon": 0.125 * rng.randint(1, 7), "rainchance": round(rng.random(), 2), "clouds": round(rng.random(), 2)},
        **{"rain": round(rng.random(), 2), "sight": round(rng.uniform(5000, 30000), 1)},
    }


def plain(number: float) -> str:
    return str(number)


def comma(number: float) -> str:
    """As a German spreadsheet shows it: 12.345,6"""
    text = f"{number:,}"
    return text.translate(str.maketrans(",.", ".,"))


def spaced(number: float) -> str:
    """As a French one does: 12 345,6 with a narrow no-break space."""
    return f"{number:,}".replace(",", "\u202f").replace(".", ",")


@dataclass
class Style:
    """How a table is written."""

    language: str = "en"
    order: tuple[str, ...] = tuple(ORDER)
    name_of: Callable[[str], str] = "name {}".format
    mile: bool = False
    first_block: Callable[[float], str] = plain
    rest: Callable[[float], str] = plain
    separator: str = ","
    newline: str = "\n"
    encoding: str = "utf-8"


def written(truth: list[Truth], style: Style, extra: dict[str, list[str]] | None = None) -> bytes:
    """The bytes of the table. `extra` has the cells of columns that Strava doesn't have yet, by their words."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=style.separator, lineterminator=style.newline)
    writer.writerow([style.name_of(word) for word in style.order])
    for row, activity in enumerate(truth):
        writer.writerow(
            [(extra or {}).get(word, {row: None})[row] or _cell(activity, word, style) for word in style.order]
        )
    return out.getvalue().encode(style.encoding)


def _cell(activity: Truth, word: str, style: Style) -> str:
    if word == "id":
        return str(activity.id)
    if word == "date":
        return date_in(style.language, activity.start)
    value = activity[word]
    if isinstance(value, str) or value is None:
        return value or ""
    if word == "km":
        return style.first_block(round(value / 1.609344 if style.mile else value, 2))
    return (style.first_block if word.endswith("-") or word == "whole" else style.rest)(value)
