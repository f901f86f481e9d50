"""What the daemon needs no longer goes back to the machine, which may have little."""

import ctypes
import os
from pathlib import Path

import pytest

from daemon import memory


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="needs glibc")
def test_what_lay_below_something_that_stays_is_given_back() -> None:
    pieces = [os.urandom(64 * 1024) for _ in range(1000)]
    stays = pieces.pop()
    held = resident_mb()
    pieces.clear()
    memory.give_back()
    assert held - resident_mb() > 50
    assert stays
