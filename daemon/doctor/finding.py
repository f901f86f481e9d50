"""What the doctor finds: one line each, with the next step where there is one to take."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from daemon.errors import UserError

Result = Literal["ok", "off", "untried", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. A warning can wait; a problem keeps warnings from coming, or lets others in.

    What isn't in use is "off", and what is and wasn't put to the test "untried": neither is known to be well.
    """

    about: str
    result: Result
    text: str


def ok(about: str, text: str) -> Finding:
    return Finding(about, "ok", text)


def off(about: str, text: str) -> Finding:
    return Finding(about, "off", text)


def untried(about: str, text: str) -> Finding:
    return Finding(about, "untried", text)


def warning(about: str, text: str) -> Finding:
    return Finding(about, "warning", text)


def problem(about: str, text: str) -> Finding:
    return Finding(about, "problem", text)


def guarded(about: str, looked: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What can't even be looked at is a finding too, and the next look still comes."""
    try:
        yield from looked()
    except UserError as error:
        yield problem(about, str(error))
    except OSError as error:
        yield problem(about, f"can't be looked at ({error.strerror or type(error).__name__})")
