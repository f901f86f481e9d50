"""The words with which TCX and GPX name a sport, as Strava's `sport_type`. Tables only."""

_STRAVA = (
    "AlpineSki",
    "BackcountrySki",
    "Badminton",
    "Canoeing",
    "Crossfit",
    "EBikeRide",
    "EMountainBikeRide",
    "Elliptical",
    "Golf",
    "GravelRide",
    "Handcycle",
    "HighIntensityIntervalTraining",
    "Hike",
    "IceSkate",
    "InlineSkate",
    "Kayaking",
    "Kitesurf",
    "MountainBikeRide",
    "NordicSki",
    "Pickleball",
    "Pilates",
    "Racquetball",
    "Ride",
    "RockClimbing",
    "RollerSki",
    "Rowing",
    "Run",
    "Sail",
    "Skateboard",
    "Snowboard",
    "Snowshoe",
    "Soccer",
    "Squash",
    "StairStepper",
    "StandUpPaddling",
    "Surfing",
    "Swim",
    "TableTennis",
    "Tennis",
    "TrailRun",
    "Velomobile",
    "VirtualRide",
    "VirtualRow",
    "VirtualRun",
    "Walk",
    "WeightTraining",
    "Wheelchair",
    "Windsurf",
    "Workout",
    "Yoga",
)

_OTHER_WORDS = {
    "running": "Run",
    "jogging": "Run",
    "streetrunning": "Run",
    "trackrunning": "Run",
    "ultrarun": "TrailRun",
    "trailrunning": "TrailRun",
    "virtualrunning": "VirtualRun",
    "treadmill": "Run",
    "treadmillrunning": "Run",
    "indoorrunning": "Run",
    "cycling": "Ride",
    "biking": "Ride",
    "bike": "Ride",
    "roadbiking": "Ride",
    "roadcycling": "Ride",
    "indoorcycling": "Ride",
    "mountainbiking": "MountainBikeRide",
    "gravelcycling": "GravelRide",
    "virtualcycling": "VirtualRide",
    "ebiking": "EBikeRide",
    "hiking": "Hike",
    "walking": "Walk",
    "swimming": "Swim",
    "lapswimming": "Swim",
    "openwaterswimming": "Swim",
    "crosscountryskiing": "NordicSki",
    "strengthtraining": "WeightTraining",
}

_NUMBERS = {
    1: "Ride",
    2: "AlpineSki",
    3: "BackcountrySki",
    4: "Hike",
    5: "IceSkate",
    6: "InlineSkate",
    7: "NordicSki",
    8: "RollerSki",
    9: "Run",
    10: "Walk",
    11: "Workout",
    12: "Snowboard",
    13: "Snowshoe",
    14: "Kitesurf",
    15: "Windsurf",
    16: "Swim",
    17: "VirtualRide",
    18: "EBikeRide",
    19: "Velomobile",
    21: "Canoeing",
    22: "Kayaking",
    23: "Rowing",
    24: "StandUpPaddling",
    25: "Surfing",
    26: "Crossfit",
    27: "Elliptical",
    28: "RockClimbing",
    29: "StairStepper",
    30: "WeightTraining",
    31: "Yoga",
    51: "Handcycle",
    52: "Wheelchair",
    53: "VirtualRun",
}
"""The numbers that Strava's GPX exports have as a track's type."""

_INDOORS = ("treadmill", "indoor")

_WORDS = {word.casefold(): word for word in _STRAVA} | _OTHER_WORDS


def sport_word(said: str) -> tuple[str, bool]:
    """Strava's word for what the file says, "Workout" where it is unknown, and whether it was done indoors."""
    if said.isascii() and said.isdigit() and len(said) < 4:
        return _NUMBERS.get(int(said), "Workout"), False
    plain = "".join(c for c in said.casefold() if c.isalpha())
    return _WORDS.get(plain, "Workout"), plain.startswith(_INDOORS)


def plain_text(text: str) -> str:
    """A text on one line, at most 100 characters, without what can't be printed."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:1000]).split())[:100]
