"""What the runner, the laps or the name say a session was. A hint lowers the bar and decides nothing."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from daemon.values import Activity, Lap

RACE_TYPE, LONG_TYPE, WORKOUT_TYPE = 1, 2, 3
RIDE_RACE_TYPE, RIDE_WORKOUT_TYPE = 11, 12
SESSION_TYPES: Final = frozenset({RACE_TYPE, WORKOUT_TYPE, RIDE_RACE_TYPE, RIDE_WORKOUT_TYPE})

LAP_FAST = 1.10
LAP_S = (20, 480)
LEAST_LAPS, LEAST_TURNS = 6, 3
"""Laps alternate where six or more of 20 s to 8 min go from fast (`LAP_FAST` x easy speed) to slow three times."""

# Without case and accents, so that "FRACTIONNÉ" is "fractionne". An ending that may follow is written out: Germanic
# languages build long words on these stems, Romance ones would turn them into others (gara, garage).
_SESSION: Final = r"""
    \d+\s?[x*]\s?\d\w* | vo2 | vma | yasso
  | interval\w* | interwal\w* | fartlek | fahrtspiel | track | reps | repeats? | repetitions?
  | fraction+e?s? | fractionnes? | series? | ripetut[ae] | variazioni | tiros | bahn(?:training|einheit)? | piste
  | tempo(?:lauf|laeufe|run|dauerlauf|duurloop|pass|trening|okt)? | threshold | lt | cruise
  | schwell\w* | seuil | umbral | soglia | limiar | drempel\w* | terskel\w* | troskel\w* | taerskel\w* | prog
  | progress\w* | marathon\s?pace | (?:hm|mp|10k|5k)\s?pace | ritmo | allure
  | hills? | hugel\w* | huegel\w* | berg(?:sprint|intervall|einheit)\w* | cotes | cuestas? | salit[ae] | subidas?
  | ladeiras? | heuvel\w* | mot?bakke\w* | bakke\w* | back(?:e|ar|intervall\w*) | podbieg\w*
"""
_RACE: Final = r"""
    race | parkrun | \w*marathon\w* | \w*maraton\w*
  | time\s?trial | pb | \d+(?:st|nd|rd|th)\s(?:place|overall) | podium | xc | cross\s?country
  | rennen | wettkampf | volkslauf | competition | competicion | competencia
  | gara | prova | wedstrijd | tavling | lopp | konkurranse | konkurrence | zawody | wyscig
  | (?:course|carrera|corrida|corsa)\s(?:de\s)?\d+\s?k(?:m)? | \d+\s?k(?:m)?\s(?:course|carrera|corrida|corsa)
  | course\sofficielle | carrera\s(?:popular|oficial) | corrida\soficial
"""
_LONG: Final = r"""
    long\s?run | lsd | long\sslow | lange?r?\s(?:lauf|run|loop|duurloop) | sortie\slongue | tirada\slarga | fondo\slargo
  | rodaje\slargo | lungo | lunghissimo | longao | treino\slongo | langpass | langtur | langkjoring | langtursok
  | dlugie\swybieganie
"""
_WORDS: Final = tuple(
    (word, re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.VERBOSE))
    for word, pattern in (("session", _SESSION), ("race", _RACE), ("long", _LONG))
)
# Letters that don't come apart into a base and an accent.
_LETTERS: Final = str.maketrans({"ø": "o", "æ": "ae", "ł": "l", "đ": "d", "×": "x", "œ": "oe"})


@lru_cache(maxsize=1024)
def name_says(name: str) -> frozenset[str]:
    """Of "session", "race" and "long" what the name of an activity speaks of, in the languages of Europe's runners.

    Strava's own names ("Course à pied le matin", "Carrera por la tarde", "Morning Run") say nothing.
    """
    apart = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return frozenset(word for word, pattern in _WORDS if pattern.search(plain))


def hints(activity: Activity, easy_m_s: float | None) -> tuple[str, ...]:
    """What speaks for a session, in words: "workout type", "laps", "name"; empty where nothing does.

    `easy_m_s` is the usual easy speed (m/s); laps say nothing without it.
    """
    found = []
    if activity.workout_type in SESSION_TYPES:
        found.append("workout type")
    if easy_m_s is not None and laps_alternate(activity.laps, easy_m_s):
        found.append("laps")
    if name_says(activity.name) & {"session", "race"}:
        found.append("name")
    return tuple(found)


def called_race(activity: Activity) -> bool:
    """Whether the runner marked or named it a race."""
    return activity.workout_type == RACE_TYPE or "race" in name_says(activity.name)


def called_long(activity: Activity) -> bool:
    """Whether the runner marked or named it a long run."""
    return activity.workout_type == LONG_TYPE or "long" in name_says(activity.name)


def laps_alternate(laps: Sequence[Lap], easy_m_s: float) -> bool:
    """Whether laps alternate between fast and slow at least three times."""
    quick = [
        lap.distance_m / lap.moving_s >= LAP_FAST * easy_m_s
        for lap in laps
        if LAP_S[0] <= lap.moving_s <= LAP_S[1] and lap.distance_m > 0
    ]
    turns = sum(a and not b for a, b in zip(quick, quick[1:], strict=False))
    return len(quick) >= LEAST_LAPS and turns >= LEAST_TURNS
