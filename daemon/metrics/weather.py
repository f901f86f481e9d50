"""What the air was like for a runner, from the weather an export brings. Pure."""

import math

from daemon.values import Activity

COMFORT_HPA = 10.0
"""Vapour pressure at which the air feels as warm as it is (hPa), in the formula below."""


def air_of(activity: Activity) -> float | None:
    """The air as it felt (°C): humidex, where the dew point is known, else its temperature; None without weather.

    Humidex adds 5/9 °C for each hPa of vapour pressure above 10 (Masterton and Richardson 1979, Environment Canada);
    dry air isn't made to feel cooler by it here, for it isn't meant for the cold.
    """
    air, dew = activity.weather_temperature_c, activity.dew_point_c
    if air is None or not -50.0 <= air <= 60.0:
        return None
    if dew is None or not -50.0 <= dew <= air:
        return air
    vapour = 6.11 * math.exp(5417.7530 * (1 / 273.16 - 1 / (dew + 273.15)))
    return air + max(5 / 9 * (vapour - COMFORT_HPA), 0.0)
