"""Memory that Python has freed and the C library keeps for later, given back to the system."""

import ctypes


def give_back() -> None:
    """Does nothing where the C library has no such call (it is glibc's, see malloc_trim(3))."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
