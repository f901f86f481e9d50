"""How long a fuzz test tries: a moment in the suite, many times that in `make fuzz` (PULLBACK_FUZZ is the factor)."""

import os

from hypothesis import HealthCheck, settings

FACTOR = int(os.environ.get("PULLBACK_FUZZ", "1"))


def tries(examples: int) -> settings:
    """So many inputs, or `FACTOR` times as many; none is given up for being slow on a busy machine."""
    unhurried = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
    return settings(max_examples=examples * FACTOR, deadline=None, suppress_health_check=unhurried)
