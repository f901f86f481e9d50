"""FIT's numbers as words: sports as Strava's `sport_type`, makers and Garmin's watches by name. Tables only."""

_TREADMILL, _INDOOR_RUN, _VIRTUAL, _TRAIL = 1, 45, 58, 3
TRANSITION = 3
"""The sport of changing one's shoes, between two others."""

_INDOOR = frozenset({_TREADMILL, 5, 6, 14, 15, 16, 25, 27, _INDOOR_RUN, 68, 86, 87, 88})
"""Sub-sports on the spot: treadmill, spin, indoor cycling, indoor rowing, elliptical, stairs, indoor walking, …"""

_SPORTS = {
    1: "Run",
    2: "Ride",
    5: "Swim",
    7: "Soccer",
    8: "Tennis",
    11: "Walk",
    12: "NordicSki",
    13: "AlpineSki",
    14: "Snowboard",
    15: "Rowing",
    16: "Hike",
    17: "Hike",
    19: "Canoeing",
    21: "EBikeRide",
    25: "Golf",
    30: "InlineSkate",
    31: "RockClimbing",
    32: "Sail",
    33: "IceSkate",
    35: "Snowshoe",
    37: "StandUpPaddling",
    38: "Surfing",
    41: "Kayaking",
    43: "Windsurf",
    44: "Kitesurf",
    62: "HighIntensityIntervalTraining",
    65: "Wheelchair",
    66: "Wheelchair",
}

_SUB_SPORTS = {
    (1, _TRAIL): "TrailRun",
    (1, 67): "TrailRun",  # "ultra" on Garmin's watches
    (1, _VIRTUAL): "VirtualRun",
    (2, 8): "MountainBikeRide",
    (2, 9): "MountainBikeRide",
    (2, 28): "EBikeRide",
    (2, 46): "GravelRide",
    (2, 47): "EMountainBikeRide",
    (2, 12): "Handcycle",
    (2, 10): "Velomobile",
    (2, _VIRTUAL): "VirtualRide",
    (15, 14): "Rowing",
    (13, 37): "BackcountrySki",
    (12, 42): "NordicSki",
    (64, 94): "Squash",
    (64, 95): "Badminton",
    (64, 84): "Pickleball",
    (64, 96): "Racquetball",
    (64, 97): "TableTennis",
}

_FITNESS = {
    _TREADMILL: "Run",
    _INDOOR_RUN: "Run",
    14: "Rowing",
    15: "Elliptical",
    16: "StairStepper",
    6: "Ride",
    27: "Walk",
    20: "WeightTraining",
    43: "Yoga",
    44: "Pilates",
    70: "HighIntensityIntervalTraining",
}
"""What "fitness equipment" (4) and "training" (10) are by their sub-sport."""


def sport_word(sport: int | None, sub_sport: int | None) -> tuple[str, bool]:
    """Strava's word for the two ("Workout" where there is none), and whether it was done on the spot."""
    sport, sub_sport = sport or 0, sub_sport or 0
    on_the_spot = sub_sport in _INDOOR
    if sport in {0, 4, 10}:
        return _FITNESS.get(sub_sport, "Workout"), on_the_spot
    return _SUB_SPORTS.get((sport, sub_sport)) or _SPORTS.get(sport, "Workout"), on_the_spot


_MAKERS = {
    1: "Garmin",
    2: "Garmin",
    13: "Garmin",
    15: "Garmin",
    16: "Timex",
    23: "Suunto",
    32: "Wahoo",
    61: "Geonaute",
    70: "Sigma",
    71: "TomTom",
    95: "Stryd",
    107: "Magene",
    115: "iGPSPORT",
    123: "Polar",
    140: "Decathlon",
    142: "TAG Heuer",
    258: "Lezyne",
    260: "Zwift",
    265: "Strava",
    267: "Bryton",
    289: "Hammerhead",
    294: "COROS",
    310: "Decathlon",
    326: "Nike",
    339: "Zepp",
    340: "Peloton",
    348: "Huawei",
}

GARMIN = {
    717: "Forerunner 405",
    782: "Forerunner 50",
    988: "Forerunner 60",
    1018: "Forerunner 310XT",
    1124: "Forerunner 110",
    1328: "Forerunner 910XT",
    1345: "Forerunner 610",
    1436: "Forerunner 70",
    1482: "Forerunner 10",
    1551: "fēnix",
    1623: "Forerunner 620",
    1632: "Forerunner 220",
    1765: "Forerunner 920XT",
    1903: "Forerunner 15",
    1967: "fēnix 2",
    2050: "fēnix 3",
    2148: "Forerunner 25",
    2153: "Forerunner 225",
    2156: "Forerunner 630",
    2157: "Forerunner 230",
    2158: "Forerunner 735XT",
    2413: "fēnix 3 HR",
    2431: "Forerunner 235",
    2503: "Forerunner 35",
    2544: "fēnix 5S",
    2604: "fēnix 5X",
    2691: "Forerunner 935",
    2697: "fēnix 5",
    2700: "vívoactive 3",
    2886: "Forerunner 645",
    2888: "Forerunner 645 Music",
    2891: "Forerunner 30",
    2900: "fēnix 5S Plus",
    3076: "Forerunner 245",
    3077: "Forerunner 245 Music",
    3110: "fēnix 5 Plus",
    3111: "fēnix 5X Plus",
    3113: "Forerunner 945",
    3224: "vívoactive 4S",
    3225: "vívoactive 4",
    3226: "Venu",
    3282: "Forerunner 45",
    3287: "fēnix 6S",
    3288: "fēnix 6S Pro",
    3289: "fēnix 6",
    3290: "fēnix 6 Pro",
    3291: "fēnix 6X Pro",
    3466: "Instinct Solar",
    3589: "Forerunner 745",
    3638: "Enduro",
    3652: "Forerunner 945 LTE",
    3703: "Venu 2",
    3704: "Venu 2S",
    3869: "Forerunner 55",
    3888: "Instinct 2",
    3889: "Instinct 2S",
    3905: "fēnix 7S",
    3906: "fēnix 7",
    3907: "fēnix 7X",
    3943: "epix (Gen 2)",
    3990: "Forerunner 255 Music",
    3991: "Forerunner 255S Music",
    3992: "Forerunner 255",
    3993: "Forerunner 255S",
    4024: "Forerunner 955",
    4257: "Forerunner 265",
    4258: "Forerunner 265S",
    4260: "Venu 3",
    4261: "Venu 3S",
    4315: "Forerunner 965",
    4341: "Enduro 2",
    4374: "fēnix 7S Pro",
    4375: "fēnix 7 Pro",
    4376: "fēnix 7X Pro",
    4426: "vívoactive 5",
    4432: "Forerunner 165",
    4433: "Forerunner 165 Music",
    4536: "fēnix 8",
    4565: "Forerunner 970",
    4570: "Forerunner 570",
}
"""Garmin's watches for runners by product number (FIT profile 21.218); others go by their number."""


def device_words(maker: int | None, product: int | None, product_name: str | None) -> str | None:
    """ "Garmin fēnix 6 Pro"; by number where the name isn't known; None where the file names no maker."""
    word = _MAKERS.get(maker or 0)
    if product_name:
        return product_name if word is None or product_name.startswith(word) else f"{word} {product_name}"
    if word == "Garmin" and product in GARMIN:
        return f"Garmin {GARMIN[product]}"
    if word and product:
        return f"{word} {product}"
    return word
