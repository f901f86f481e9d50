"""The page, live: started, kept and stopped here, in a thread of its own. Reads the store and changes nothing in it.

Nothing heavy is imported before `[web] listen` is set, and no failure of the page ever stops the daemon.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from daemon.clock import Clock
from daemon.config import Config, WebConfig
from daemon.errors import UserError
from daemon.store import Store

if TYPE_CHECKING:
    from daemon.web.server import Server

log = logging.getLogger(__name__)

AGAIN_S = 60.0
"""A page that couldn't be started is tried again so often: a port becomes free, an address comes up."""
STOP_WAIT_S = 1.0


class Web:
    """The page as the configuration wants it; `problem` says why it isn't there, "" while all is well.

    `failures` counts failed jobs by name since the start.
    """

    def __init__(
        self, store: Store, clock: Clock, config: Callable[[], Config], failures: Callable[[], Mapping[str, int]]
    ) -> None:
        self.problem = ""
        self._store = store
        self._clock = clock
        self._config = config
        self._failures = failures
        self._server: Server | None = None
        self._wanted = WebConfig()
        self._again_at = 0.0

    def keep(self) -> bool:
        """Starts, restarts or stops the page where it isn't as configured; True when `problem` is another one."""
        wanted, before = self._config().web, self.problem
        if wanted != self._wanted:
            self.close()
            self._wanted, self._again_at, self.problem = wanted, 0.0, ""
        up = self._server is not None and self._server.is_alive()
        if wanted.listen is not None and not up and time.monotonic() >= self._again_at:
            self._again_at = time.monotonic() + AGAIN_S
            self._start()
        if self.problem != before and self.problem:
            log.error('page not served problem="%s"', self.problem)
        return self.problem != before

    def close(self) -> bool:
        """Stops the page; False when an answer under way had to be left behind."""
        server, self._server = self._server, None
        return server is None or server.stop(STOP_WAIT_S)

    def _start(self) -> None:
        assert self._wanted.listen is not None
        host, port = self._wanted.listen
        try:
            from daemon.web.server import Server  # megabytes that an idle daemon does without
        except ModuleNotFoundError as error:
            self.problem = (
                f"no page: {error.name} is not installed; pip install 'pullback[web]', or take out [web] listen"
            )
            return
        try:
            self._server = Server(self._store, self._clock, self._config, self._failures, self._wanted)
        except UserError as error:
            self.problem = str(error)
            return
        self.problem = ""
        log.info('page served address="http://%s:%d/"', f"[{host}]" if ":" in host else host, port)
