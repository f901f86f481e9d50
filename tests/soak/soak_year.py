"""A simulated year through the service's own jobs: memory, handles and log stay small, everything is on time."""

import os
from pathlib import Path

from tests.soak.living import soak


def test_a_year(tmp_path: Path) -> None:
    wrong = soak(tmp_path, seed=int(os.environ.get("SOAK_SEED", "1")), days=int(os.environ.get("SOAK_DAYS", "365")))
    assert not wrong, "\n".join(wrong)
