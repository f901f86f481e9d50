"""Weather from an export: the air as it felt."""

from datetime import UTC, datetime

import pytest

from daemon.metrics.weather import air_of
from daemon.values import Activity

JULY = datetime(2026, 7, 5, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("air", "dew", "felt"),
    [
        (30.0, 25.0, 42.3),  # a damp day in July: Environment Canada's table says 42
        (25.0, 10.0, 26.3),
        (5.0, -3.0, 5.0),  # cold and dry: as the thermometer says
        (20.0, None, 20.0),
        (20.0, 35.0, 20.0),  # no air holds that much
        (None, 12.0, None),
        (900.0, 12.0, None),
    ],
)
def test_the_air_feels_warmer_when_it_is_damp(air: float | None, dew: float | None, felt: float | None) -> None:
    run = Activity(1, 0, "Run", "Run", JULY, 0, 9000.0, 3000, 3000, weather_temperature_c=air, dew_point_c=dew)
    assert air_of(run) == (None if felt is None else pytest.approx(felt, abs=0.1))
