"""What every test may ask for: a house of its own, and nothing of the real machine's."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

# A developer's runs explore; a machine that decides about a landing tries the same stories each time. How fast stories
# are made says how busy the machine is, and nothing about the program.
BUSY = [HealthCheck.too_slow]
settings.register_profile("explore", suppress_health_check=BUSY)
settings.register_profile("ci", derandomize=True, print_blob=True, suppress_health_check=BUSY)
settings.load_profile("ci" if os.environ.get("CI") else "explore")

if TYPE_CHECKING:
    from tests.house import House


@pytest.fixture
def house(tmp_path: Path) -> "Iterator[House]":
    """A house whose runner has authorised pullback."""
    # Loaded here: the tests of the pure rooms shouldn't wait for Strava, apprise and the store.
    from tests.house import open_house

    with open_house(tmp_path) as opened:
        opened.authorise()
        yield opened
