"""What the dead man's switch is told: which of the daemon's troubles are failures, and which are ordinary waiting.

A failure is what somebody has to mend: access lost, a bug, a database or disk in trouble, or a Strava that hasn't been
heard for longer than any rate limit or outage excuses. Waiting for the rate limit, an hour without a network, and a
lock that another command holds are ordinary.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from daemon.clock import moment_text
from daemon.errors import UserError
from daemon.heartbeat import State
from daemon.store import Busy
from daemon.store.progress import Progress, silent_since

UNREACHABLE_FOR = timedelta(hours=6)
"""An outage of Strava or of the network that nobody need be told of."""
WAITING_FOR = timedelta(hours=26)
"""A rate limit lasts until midnight UTC at the longest; and a poll more."""

POLL = "poll"
"""The job whose start and end are told; any other speaks only when it fails."""


def trouble(state: Progress, now: datetime) -> str | None:
    """What is wrong after a poll that came to its end, None where all is well or ordinary waiting.

    `now` is on the runner's clock, which the words go by."""
    if state.access is not None:
        return state.problem or "Strava refuses access; run `pullback check`"
    if state.last_success_at is None and state.problem is not None:
        return state.problem
    since = silent_since(state, now)
    patience = WAITING_FOR if state.waiting_until is not None else UNREACHABLE_FOR
    if since is not None and now - since > patience:
        silent = moment_text(since, now.tzinfo or UTC)
        return f"nothing that can be read came from Strava since {silent}; run `pullback check`"
    return None


class Pulse:
    """Turns the jobs' beginnings and ends into pings. A job's trouble stands until that job has gone well again."""

    def __init__(self, tell: Callable[[State, str], None], after_poll: Callable[[], str | None]) -> None:
        self._tell = tell
        self._after_poll = after_poll
        self._troubles: dict[str, str] = {}

    @contextmanager
    def around(self, job: str) -> Iterator[None]:
        """One run of a job, whatever comes of it."""
        if job == POLL:
            self._tell("start", "")
        try:
            yield
            found = self._after_poll() if job == POLL else None
        except Busy:
            found = None
        except UserError as error:
            self.failed(job, str(error))
            raise
        except Exception:
            self.failed(job, "a bug: see the log")
            raise
        if found is not None:
            self.failed(job, found)
            return
        self._troubles.pop(job, None)
        if job != POLL:
            return
        standing = "; ".join(f"{name}: {text}" for name, text in self._troubles.copy().items())
        self._tell("fail" if standing else "success", standing)

    def failed(self, job: str, text: str) -> None:
        """Tells of a trouble: each time after a poll, which began with a start, else once."""
        news = self._troubles.get(job) != text
        self._troubles[job] = text
        if news or job == POLL:
            self._tell("fail", f"{job}: {text}")
