"""The power goes while pullback works: nothing that was committed is lost, nothing is there by half."""

import os
from pathlib import Path

import pytest

from tests.soak.cutting import soak


def test_power_cuts(tmp_path: Path) -> None:
    seed, rounds = int(os.environ.get("SOAK_SEED", "1")), int(os.environ.get("SOAK_ROUNDS", "200"))
    wrong = soak(tmp_path, seed=seed, rounds=rounds)
    if wrong is None:
        pytest.skip("needs a C compiler")
    assert not wrong, "\n".join(wrong)
