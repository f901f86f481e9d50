"""What tests of commands may ask for."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> "Iterator[Terminal]":
    """A terminal whose configuration is written, and whose runner hasn't authorised pullback yet."""
    from tests.cli.terminal import standing_in  # the stand-in is only for those who ask

    opened = standing_in(tmp_path)
    opened.write_config()
    try:
        yield opened
    finally:
        opened.standin.stop()
