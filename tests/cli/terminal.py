"""A runner's terminal for tests: the real command line in this process, against a Strava stand-in on a real socket."""

import io
import os
import threading
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import httpx

from daemon import cli
from daemon.clock import SystemClock
from daemon.simulator.standin import StandIn
from daemon.simulator.world import StravaWorld


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str


@dataclass
class Browser:
    """Opens each address that is printed: consents, and follows where it is sent, or hands it to the runner."""

    follow: bool = True
    pages: list[httpx.Response] = field(default_factory=list)
    pasted: io.StringIO = field(default_factory=io.StringIO)

    def open(self, address: str) -> None:
        if self.follow:
            # Beside the command, which goes on to wait for it.
            thread = threading.Thread(target=self._visit, args=(address,), daemon=True)
            thread.start()
        else:
            self.pasted = io.StringIO(httpx.get(address, timeout=30).headers["location"] + "\n")

    def _visit(self, address: str) -> None:
        self.pages.append(httpx.get(address, follow_redirects=True, timeout=30))


class Screen(io.StringIO):
    """Standard output that shows each address to somebody."""

    def __init__(self, seen: Callable[[str], None]) -> None:
        super().__init__()
        self._seen = seen

    def write(self, text: str) -> int:
        for line in text.splitlines():
            if line.startswith("http"):
                self._seen(line)
        return super().write(text)


@dataclass
class Terminal:
    """One runner's home with a configuration that points at the stand-in."""

    home: Path
    world: StravaWorld
    standin: StandIn
    more_config: str = ""

    @property
    def config(self) -> Path:
        return self.home / "config.toml"

    @property
    def database(self) -> Path:
        return self.home / "state" / "pullback.db"

    def write_config(self, **strava: str) -> None:
        keys = {
            "client_id": "1",
            "client_secret": '"secret"',
            "base_url": f'"{self.standin.base_url}"',
            "api_url": f'"{self.standin.api_url}"',
        }
        lines = [f"{key} = {value}" for key, value in (keys | strava).items() if value]
        self.config.write_text("\n".join(["[strava]", *lines, self.more_config]))
        self.config.chmod(0o600)

    def pullback(self, *arguments: str, browser: Browser | None = None, typed: str = "") -> Result:
        """One command; `browser` sees what is printed, `typed` is what the runner enters."""
        browser = browser or Browser()
        screen, errors = Screen(browser.open), io.StringIO()
        environ = {"HOME": str(self.home), "STATE_DIRECTORY": str(self.database.parent), "COLUMNS": "80"}
        keyboard = io.StringIO(typed) if typed else Keyboard(browser)
        with (
            patch.dict(os.environ, environ, clear=False),
            patch("sys.stdin", keyboard),
            redirect_stdout(screen),
            redirect_stderr(errors),
        ):
            code = cli.main(["--config", str(self.config), *arguments])
        return Result(code, screen.getvalue(), errors.getvalue())

    def authorise(self) -> None:
        """The runner opens the printed address and agrees."""
        result = self.pullback("auth", "--no-browser", "--port", "0")
        assert result.code == 0, result.err


class Keyboard(io.StringIO):
    """Types what the browser's address bar shows."""

    def __init__(self, browser: Browser) -> None:
        super().__init__()
        self._browser = browser

    def readline(self, size: int | None = -1) -> str:  # type: ignore[override]
        return self._browser.pasted.readline()


def standing_in(home: Path) -> Terminal:
    world = StravaWorld(SystemClock().now)
    return Terminal(home, world, StandIn(world).start())
