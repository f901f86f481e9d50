"""Memory that Python has freed and the C library (glibc) keeps for later. Does nothing with another C library."""

import ctypes

M_ARENA_MAX = -8


def one_heap() -> None:
    """Lets all threads share a heap, see mallopt(3): each with one of its own keeps holes that no other may fill.

    To be called before there are threads. They wait for Python's lock anyway, seldom for the heap's.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)


def give_back() -> None:
    """Gives free memory back to the system, see malloc_trim(3)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
