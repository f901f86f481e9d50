"""A thousand processes killed at any moment: no run missing, no alert lost, none twice without a reason."""

import os
from pathlib import Path

from tests.soak.killing import soak


def test_a_thousand_kills(tmp_path: Path) -> None:
    wrong = soak(tmp_path, seed=int(os.environ.get("SOAK_SEED", "1")), kills=int(os.environ.get("SOAK_KILLS", "1000")))
    assert not wrong, "\n".join(wrong)
