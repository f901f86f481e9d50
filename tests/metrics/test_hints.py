"""What names say in the languages runners write in, and what they don't."""

import pytest

from daemon.metrics.hints import called_long, hints, name_says
from daemon.values import Lap
from tests.metrics.recordings import activity


@pytest.mark.parametrize(
    "name",
    [
        "Intervals",
        "INTERVALLE 6×800",
        "4x1k",
        "5 x 1000m",
        "Fractionné 30/30",
        "Séance seuil",
        "Côtes",
        "Series de 1000",
        "Umbral 3x10",
        "Ripetute in pista",
        "Soglia",
        "Tiros",
        "Schwellenlauf",
        "Hügelläufe",
        "Intervalltraining",
        "drempelloop",
        "Tröskelpass",
        "Terskeløkt",
        "tærskel",
        "Bakkeintervaller",
        "Interwały",
        "podbiegi",
        "Fartlek",
        "Tempo",
    ],
)
def test_sessions_by_name(name: str) -> None:
    assert "session" in name_says(name)


@pytest.mark.parametrize(
    "name",
    [
        "parkrun #12",
        "Surprise 5k PB!",
        "Gower 10k - 3rd place",
        "County XC",
        "Wettkampf",
        "gara 10 km",
        "Course 10 km",
        "Carrera popular",
        "Tävling",
        "Zawody",
        "Marathon",
    ],
)
def test_races_by_name(name: str) -> None:
    assert "race" in name_says(name)


@pytest.mark.parametrize("name", ["Long run", "Langer Lauf", "Sortie longue", "Tirada larga", "Lungo", "Långpass"])
def test_long_runs_by_name(name: str) -> None:
    assert called_long(activity(name=name))


@pytest.mark.parametrize(
    "name",
    [
        "Morning Run",
        "Course à pied le matin",
        "Carrera por la tarde",
        "Corsa mattutina",
        "Corrida da tarde",
        "Lauf am Morgen",
        "Grace's loop",
        "garage and back",
        "trace",
        "",
    ],
)
def test_what_strava_writes_by_itself_says_nothing(name: str) -> None:
    assert name_says(name) == frozenset()


def test_laps_count_only_where_they_alternate() -> None:
    turns = tuple(Lap(60.0, 60.0, 240.0) if k % 2 else Lap(90.0, 90.0, 190.0) for k in range(10))
    kilometres = tuple(Lap(370.0, 370.0, 1000.0) for _ in range(10))
    assert hints(activity(laps=turns), 2.7) == ("laps",)
    assert hints(activity(laps=kilometres), 2.7) == ()
    assert hints(activity(laps=turns, workout_type=3, name="6x800"), 2.7) == ("workout type", "laps", "name")
