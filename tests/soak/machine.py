"""A runner's machine on which processes of the real program live and are killed: Strava, two channels, a clock.

Whatever a killed process has left is looked at as it lies there, before another may mend it.
"""

import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from daemon import access
from daemon.simulator.events import SpeedWork, Strain
from daemon.simulator.runner import RunnerSpec, simulate
from daemon.simulator.standin import StandIn
from daemon.simulator.tokens import Grant
from daemon.simulator.world import StravaWorld
from daemon.store import open_store, outbox
from daemon.strava.auth import SCOPES, read_tokens
from tests.cli.terminal import Terminal
from tests.soak.letterbox import Letterbox, mailbox, one_line, phone
from tests.soak.zygote import KINDS

ROOT = Path(__file__).parents[2]
WEEKS_BEFORE = 12

Box = tuple[str, str]
"""A channel, and what identifies an alert there: see `mark`."""


@dataclass
class Life:
    """How one process is to end: with the `number`-th event of a kind, and `delay_s` after it."""

    scene: str
    arguments: list[str]
    kind: str = "file"
    number: int = 0
    delay_s: float = 0.0
    state: Path | None = None
    largest_file: int | None = None
    trace: Path | None = None
    cut_after: int = 0


@dataclass
class Machine:
    """Its `clock` is the real one set forward by `offset`, for Strava and for every process."""

    folder: Path
    random: Random
    preloaded: Path | None = None
    offset: timedelta = timedelta(0)
    phone: Letterbox = field(default_factory=phone)
    mailbox: Letterbox = field(default_factory=mailbox)
    windows: Counter[Box] = field(default_factory=Counter)
    seen: dict[str, set[int]] = field(default_factory=lambda: {"alert": set(), "activity": set()})

    def __post_init__(self) -> None:
        self.born = self.now()
        self.world = StravaWorld(self.now)
        self.standin = StandIn(self.world).start()
        self.terminal = Terminal(self.folder, self.world, self.standin)
        urls = ", ".join(f'"{box.url}"' for box in self.boxes.values())
        self.terminal.more_config = (
            f'backfill = "52w"\n[alerts]\nurls = [{urls}]\nminimum = "watch"\n'
            '[schedule]\npoll = "1h"\ndigest = "sunday 18:00"\n[backup]\nkeep = 3\n'
        )
        self.terminal.write_config()
        self._zygote = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("zygote.py"))],
            cwd=ROOT,
            env=self.environ() | ({"LD_PRELOAD": str(self.preloaded)} if self.preloaded else {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def boxes(self) -> dict[str, Letterbox]:
        """The channels, by the name that the database has for them."""
        return {outbox.channel_id(box.url): box for box in (self.phone, self.mailbox)}

    @property
    def database(self) -> Path:
        return self.terminal.database

    def environ(self, state: Path | None = None) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            # As in the unit.
            "OPENBLAS_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "1",
            "STATE_DIRECTORY": str(state or self.database.parent),
        }

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def runner(self, days: int) -> None:
        """Strava has somebody's runs of the last weeks, and those of `days` to come as they happen."""
        today = self.now().date()
        first = today + timedelta(days=days // 4)
        events = (SpeedWork(first, "intervals", 3), Strain(first + timedelta(days=8), bpm=8, days=14))
        runs = simulate(RunnerSpec(seed=self.random.randrange(1000)), *self._span(today, days), events)
        self.world.add_all(runs, as_they_happen=True)

    @staticmethod
    def _span(today: date, days: int) -> tuple[date, date]:
        return today - timedelta(weeks=WEEKS_BEFORE), today + timedelta(days=days)

    def authorise(self) -> None:
        """As `pullback auth` does once Strava has answered."""
        issued = self.world.tokens.issue(Grant("1", self.world.runner, frozenset(SCOPES)), self.now())
        tokens = read_tokens(issued, scope=frozenset(SCOPES), athlete_id=self.world.runner)
        with closing(open_store(self.database)) as store:
            access.authorise(store, tokens)

    def plant(self, number: int) -> None:
        """An alert whose words are its own."""
        with closing(open_store(self.database)) as store, store.write() as session:
            outbox.open_alert(
                session,
                self.world.runner,
                kind="planted",
                episode=f"{self.now():%Y-%m-%d} {number}",
                title=f"Your week, number {number}",
                text=f"Letter number {number} of this soak.\n\nEasy running and the week are as usual.",
                channels=list(self.boxes),
                now=self.now(),
                event=True,
            )

    def live(self, life: Life, *, daemon: bool) -> dict[str, Any]:
        """One process from birth to death; what the zygote says of it."""
        answer = ask(self._zygote, self._told(life, daemon))
        for box in self.boxes.values():
            box.settle()
        return answer | {"counts": dict(zip(KINDS, answer["counts"], strict=True))}

    def live_cold(self, life: Life, seconds: float) -> str:
        """A process that loads the program itself, killed so long after its start."""
        script = str(Path(__file__).with_name("zygote.py"))
        told = json.dumps(self._told(life, False))
        process = subprocess.Popen([sys.executable, script, told], cwd=ROOT, env=self.environ())
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        code = process.wait()
        for box in self.boxes.values():
            box.settle()
        return "killed" if code < 0 else "ended"

    def _told(self, life: Life, daemon: bool) -> dict[str, Any]:
        return {
            "arguments": ["--config", str(self.terminal.config), *life.arguments],
            "environ": self.environ(life.state),
            "log": str(self.folder / "log"),
            "offset_s": self.offset.total_seconds(),
            "kind": life.kind,
            "number": life.number,
            "delay_s": life.delay_s,
            "largest_file": life.largest_file,
            "trace": life.trace and str(life.trace),
            "folder": str(self.database.parent),
            "cut_after": life.cut_after,
            "daemon": daemon,
            "channels": [self.phone.server_address[1]],
        }

    def sql(self, statement: str, database: Path | None = None) -> list[Any]:
        with closing(sqlite3.connect(database or self.database)) as connection, connection:
            return connection.execute(statement).fetchall()

    def look(self) -> list[str]:
        """What is wrong with what the last process left; also counts the kills between an answer and its commit."""
        wrong = [] if self.sql("PRAGMA integrity_check") == [("ok",)] else ["the database is damaged"]
        for table, before in self.seen.items():
            found = {number for (number,) in self.sql(f"SELECT id FROM {table}")}
            wrong += [f"{table} {number} is gone" for number in before - found]
            before.update(found)
        states: dict[Box, Counter[str]] = {}
        rows = self.sql("SELECT channel, title, text, state FROM delivery JOIN alert ON alert.id = alert_id")
        for channel, title, text, state in rows:
            states.setdefault((channel, mark(title, text)), Counter())[state] += 1
        for box, count in states.items():
            # Beyond what was recorded as sent and what earlier kills explain, only a claim explains a letter.
            more = self.received(box) - count["sent"] - self.windows[box]
            if more < -self.windows[box]:
                wrong.append(f"recorded as sent, but never arrived: {box[1]}")
            elif more > count["claimed"]:
                wrong.append(f"arrived twice for no reason: {box[1]}")
            elif more > 0:
                self.windows[box] += more
        return wrong

    def received(self, box: Box) -> int:
        return sum(letter.count(box[1]) for letter in self.boxes[box[0]].letters)

    def close(self) -> None:
        hang_up(self._zygote, wait_s=30)
        self.standin.stop()
        for box in self.boxes.values():
            box.close()


def ask(process: "subprocess.Popen[str]", words: object) -> dict[str, Any]:
    """Says a line of JSON to a process; its answer."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps(words) + "\n")
    process.stdin.flush()
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    return answer


def hang_up(process: "subprocess.Popen[str]", wait_s: float) -> None:
    """Lets a process end that lives as long as it is spoken to."""
    assert process.stdin is not None
    process.stdin.close()
    process.wait(wait_s)


def mark(title: str, text: str) -> str:
    """What an alert is known by: its title and first paragraph, which is all that is left of it in a long letter.

    Without the title a letter that quotes another's first sentence would be taken for both.
    """
    paragraph = text.split("\n\n", maxsplit=1)[0]
    return one_line(f"{title}. {paragraph}")
