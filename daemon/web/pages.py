"""What the page's addresses say, made from the store on demand. Judges nothing, sends nothing, knows no HTTP."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC

from daemon import memory
from daemon.clock import Clock
from daemon.config import Config
from daemon.evaluate import local_now, whole_status
from daemon.evaluate.looking import look
from daemon.report.page import empty, page
from daemon.store import Busy, Store, grants, judgement, outbox
from daemon.store.progress import in_the_way, progress, silent_since
from daemon.strava.limits import from_json
from daemon.web.figures import Seen, figures, trouble

TEXT, HTML = "text/plain; charset=utf-8", "text/html; charset=utf-8"
BUSY_WAIT_S = 10.0
"""How long the page waits for a judgement under way, before it shows what it showed before."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one address says."""

    status: int
    media_type: str
    body: bytes


class Pages:
    """The addresses. Each call reads a consistent state; none keeps the store open while somebody reads."""

    def __init__(
        self, store: Store, clock: Clock, config: Callable[[], Config], failures: Callable[[], Mapping[str, int]]
    ) -> None:
        self._store = store
        self._clock = clock
        self._config = config
        self._failures = failures
        self._made: tuple[tuple[object, ...], Answer] | None = None

    def report(self) -> Answer:
        """The page as `pullback report` writes it; made anew only when something was stored, or set, since."""
        config = self._config()
        of = (self._store.file, self._store.mark(), config)
        if self._made is not None and self._made[0] == of:
            return self._made[1]
        try:
            with self._store.in_use():
                answer = self._report(config)
        except Busy:
            if self._made is None or self._made[0][0] != of[0]:
                raise  # what was made is of another database, and may be of another runner
            return self._made[1]
        finally:
            memory.give_back()
        if answer is None:
            return Answer(200, HTML, empty(self._trouble() or "").encode())
        self._made = of, answer
        return answer

    def _report(self, config: Config) -> Answer | None:
        athlete_id = self._athlete()
        if athlete_id is None:
            return None
        data = look(self._store, athlete_id, config, self._clock.now(), wait_s=BUSY_WAIT_S)
        return None if data is None else Answer(200, HTML, page(data).encode())

    def status(self) -> Answer:
        """What `pullback status --json` prints."""
        document = whole_status(self._store, self._config(), self._clock.now())
        text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
        return Answer(200, "application/json", f"{text}\n".encode())

    def health(self) -> Answer:
        """200 while new runs are seen and judged, else 503 and the first reason."""
        problem = self._trouble()
        return Answer(200 if problem is None else 503, TEXT, f"{problem or 'ok'}\n".encode())

    def _trouble(self) -> str | None:
        config = self._config()
        return trouble(self._seen(), self._clock.now(), config.strava.missing(), config.alerts.stale_after)

    def figures(self) -> Answer:
        """For Prometheus."""
        text = figures(self._seen(), self._clock.now(), self._failures())
        return Answer(200, "text/plain; version=0.0.4; charset=utf-8", text.encode())

    def _athlete(self) -> int | None:
        with self._store.read() as session:
            return grants.athlete(session)

    def _seen(self) -> Seen:
        athlete_id = self._athlete()
        if athlete_id is None:
            return Seen()
        now = local_now(self._store, self._config(), self._clock.now())
        with self._store.read() as session:
            state = progress(session, athlete_id)
            last = judgement.last_day(session, athlete_id)
            verdict = None if last is None else judgement.verdict(session, athlete_id, last)
            granted = grants.grant(session) is not None
            deliveries = outbox.states(session)
        return Seen(
            authorised=granted,
            imported=not granted,
            synced_at=None if state.last_success_at is None else silent_since(state, now),
            problem=in_the_way(state, now.tzinfo or UTC),
            budget=from_json(state.budget),
            verdict=None if verdict is None else verdict["state"],
            deliveries=deliveries,
        )
