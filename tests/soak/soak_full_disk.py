"""A disk that fills up while pullback works: said in a sentence, nothing half-written, all made up for afterwards."""

import os
from pathlib import Path

import pytest

from tests.soak.filling import soak


@pytest.mark.parametrize("small_files", [False, True], ids=["a small disk", "small files"])
def test_a_full_disk(tmp_path: Path, small_files: bool) -> None:
    seed, rounds = int(os.environ.get("SOAK_SEED", "1")), int(os.environ.get("SOAK_ROUNDS", "150"))
    wrong = soak(tmp_path, seed=seed, rounds=rounds, small_files=small_files)
    if wrong is None:
        pytest.skip("needs the right to mount a disk")
    assert not wrong, "\n".join(wrong)
