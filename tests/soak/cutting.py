"""Power cuts: one process after the other is cut off, its disk left as it may be then, and the next goes on from there.

Of each cut many outcomes are looked at: the database is whole, holds all that was committed before, and half of
nothing; no token that was used, and no letter that was sent, is unknown; whatever has a backup's name is one.
"""

import re
import shutil
import sqlite3
import subprocess
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from tests.soak.machine import Life, Machine
from tests.soak.power import Disk, Record, records
from tests.soak.story import Story, figures_of

SCENES = {"run": 6, "sync": 4, "import": 1}
OUTCOMES = 12
"""Looked at after each cut; with the last of them life goes on."""
MEMORY = Path("/dev/shm")
WHAT_COUNTS = (
    "SELECT access, refresh FROM token",
    "SELECT id, state, attempts, sent_at FROM delivery",
    "SELECT id, kind, closed_at FROM alert",
    "SELECT data FROM sync_state",
    "SELECT id, content_hash, recording, deleted_at, detail_wanted FROM activity",
    "SELECT count(*), sum(length(data)) FROM series",
    "SELECT count(*), sum(length(data)) FROM metrics",
    "SELECT count(*), max(day), sum(length(data)) FROM verdict",
)

State = tuple[Any, ...]


@dataclass
class Cutter(Story):
    """So many `rounds` of cuts."""

    scratch: Path = field(kw_only=True)
    lengths: dict[str, deque[int]] = field(default_factory=dict)
    access: str = ""

    def go_on(self) -> None:
        while self.figures["cuts"] < self.rounds and not self.wrong:
            self.time_passes()
            scene = self.random.choices(list(SCENES), list(SCENES.values()))[0]
            self._cut(scene)
            self.wrong += [f"after {scene}: {wrong}" for wrong in self.machine.look()]
            self.renew_access()

    def _cut(self, scene: str) -> None:
        machine, folder = self.machine, self.machine.database.parent
        arguments = ["import", str(self.record_more())] if scene == "import" else [scene]
        before, (self.access,) = Disk.of(folder), machine.sql("SELECT access FROM token")[0]
        lengths = self.lengths.setdefault(scene, deque(maxlen=10))
        # Some live on, and show how much there is to do.
        cut_after = self.random.randint(1, max(lengths)) if lengths and self.random.random() < 0.8 else 0
        trace = machine.folder / "trace"
        done = machine.live(Life(scene, arguments, trace=trace, cut_after=cut_after), daemon=scene == "run")
        found = list(records(trace))
        lengths.append(len(found))
        self.figures["lives"] += 1
        if done["code"] < 0:
            self.figures["cuts"] += 1
            self.wrong += self._outcomes(before, found, folder)

    def _outcomes(self, disk: Disk, found: list[Record], folder: Path) -> list[str]:
        """Looks at what the cut may leave, and leaves the last of it in the folder."""
        last_sync = max((n for n, record in enumerate(found, 1) if record.what == "s"), default=0)
        for record in found[:last_sync]:
            disk.take(record, folder)
        committed = [self._state(disk)]
        for record in found[last_sync:]:
            disk.take(record, folder)
        committed.append(self._state(disk))
        self.figures["writes that weren't synced"] += sum(len(file.written) for file in disk.seen.values())
        sent = [record.data for record in found if record.what == "n"]
        for left in range(OUTCOMES, 0, -1):
            with TemporaryDirectory(dir=self.scratch) as name:
                disk.write(Path(name), self.random)
                if left == 1:
                    shutil.rmtree(folder)
                    shutil.copytree(name, folder)
                wrong = self._look_at(Path(name), committed, sent)
            self.figures["outcomes"] += 1
            if wrong:
                return wrong
        return []

    def _state(self, disk: Disk) -> State:
        """What the process itself saw."""
        with TemporaryDirectory(dir=self.scratch) as name:
            disk.write(Path(name), None)
            return state(Path(name) / "pullback.db")

    def _look_at(self, folder: Path, committed: list[State], sent: list[bytes]) -> list[str]:
        database = folder / "pullback.db"
        if damage := whole(database):
            return [f"the database is damaged: {damage}"]
        found = state(database)
        if found not in committed:
            differ = [n for n, (a, b) in enumerate(zip(found, committed[-1], strict=True)) if a != b]
            return [f"neither what was committed, nor what was about to be: {[WHAT_COUNTS[n] for n in differ]}"]
        self.figures["outcomes without the last commit"] += found != committed[-1]
        names = (path for path in folder.rglob("pullback*") if path.suffix == ".db" or ".before-" in path.name)
        wrong = [f"{path.name} is damaged: {damage}" for path in names if (damage := whole(path))]
        return wrong + self._tokens(found, sent) + self._letters(database, sent)

    def _tokens(self, found: State, sent: list[bytes]) -> list[str]:
        (access, refresh), (progress,) = found[0][0], found[3][0]
        used = [self.access, *(token.decode() for token in re.findall(rb"Bearer (\w+)", b"\n".join(sent)))]
        self.figures["outcomes after tokens were renewed"] += used[-1] != self.access
        if access in set(used) - {used[-1]}:
            return ["tokens were used before they were safe"]
        alive = refresh in self.machine.world.tokens._refresh  # noqa: SLF001 - what Strava itself goes by
        return [] if alive or '"refresh_begun_at": "' in progress else ["tokens are gone, and nobody knows why"]

    def _letters(self, database: Path, sent: list[bytes]) -> list[str]:
        """Of what was on its way to the phone it is known that it was."""
        numbers = {
            int(n) for data in sent for n in re.findall(rb"Letter number (\d+) of", data) if b'"message"' in data
        }
        (phone, _), wrong = self.machine.boxes, []
        for number in numbers:
            question = f"SELECT attempts FROM delivery JOIN alert ON alert.id = alert_id WHERE channel = '{phone}'"
            attempts = self.machine.sql(f"{question} AND text LIKE 'Letter number {number} of%'", database)
            if attempts == [(0,)]:
                wrong.append(f"nobody knows that letter {number} was sent")
        self.figures["outcomes after a letter was sent"] += bool(numbers)
        return wrong


def state(database: Path) -> State:
    """What matters of a database."""
    with closing(sqlite3.connect(database)) as connection:
        return tuple(connection.execute(question).fetchall() for question in WHAT_COUNTS)


def whole(database: Path) -> str | None:
    """What is wrong with a database."""
    try:
        with closing(sqlite3.connect(database)) as connection:
            found = [text for (text,) in connection.execute("PRAGMA integrity_check")]
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if found == ["ok"] else str(found[:3])


def shim(folder: Path) -> Path | None:
    """The library that writes down what a process does; None without a C compiler."""
    library = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        return None
    return library


def soak(folder: Path, *, seed: int, rounds: int) -> list[str] | None:
    """What is wrong after so many cuts; prints what happened. None without a C compiler."""
    library = shim(folder)
    if library is None:
        return None
    random, began = Random(seed), time.monotonic()
    machine = Machine(folder, random, preloaded=library)
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as scratch:
        cutter = Cutter(machine, random, rounds, scratch=Path(scratch))
        try:
            cutter.begin()
            cutter.go_on()
            if not cutter.wrong:
                cutter.let_live()
                cutter.settle()
        finally:
            machine.close()
    print(f"\n{figures_of(cutter)}\nseed {seed}, {time.monotonic() - began:.0f} s")
    return cutter.wrong
