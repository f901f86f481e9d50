"""Kills one process after the other at any moment of its life, and says what that did to runs and alerts."""

import shutil
import sqlite3
import time
from collections import Counter, deque
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from unittest.mock import patch

import daemon.store.schema
from daemon.store import open_store
from daemon.store.schema import HEAD
from tests.soak.machine import Life, Machine
from tests.soak.story import Story, figures_of
from tests.soak.zygote import KINDS

SCENES = {"run": 11, "sync": 4, "import": 2, "upgrade": 2, "backup": 1, "cold": 1}
"""How often each comes: the daemon (which also makes the night's backup and deletes what is due) most of all."""
OLD_RUNS = 200
LATER_S = 0.002
"""Half of the processes die so long after what they are killed by, on the average: in the middle of a statement."""


@dataclass
class Killer(Story):
    """So many processes (`rounds`) of the machine die at work, and then one may live.

    Not counted are those that die when all is done, or still loading.
    """

    old: Path = Path()
    moments: Counter[tuple[str, str]] = field(default_factory=Counter)
    lives: dict[str, deque[dict[str, int]]] = field(default_factory=dict)

    def go_on(self) -> None:
        """Lives until enough were cut short."""
        while self.figures["killed"] < self.rounds and not self.wrong:
            self.time_passes()
            scene = self.random.choices(list(SCENES), list(SCENES.values()))[0]
            getattr(self, f"_{scene}")()
            self.figures["lives"] += 1
            self.wrong += self.machine.look()
            self.renew_access()

    def _run(self) -> None:
        self._live("run", ["run"], daemon=True)

    def _sync(self) -> None:
        self._live("sync", ["sync"])

    def _backup(self) -> None:
        target = self.machine.folder / "copy.db"
        self._live("backup", ["backup", str(target)])
        if target.exists():
            self._whole(target)
            target.unlink()

    def _import(self) -> None:
        self._live("import", ["import", str(self.record_more())])

    def _upgrade(self) -> None:
        """A database of the first version, its schema half brought up to date."""
        state = self.machine.folder / "upgraded"
        if not state.exists():
            state.mkdir(mode=0o700)
            shutil.copy(self.old, state / "pullback.db")
        self._live("upgrade", ["status"], state=state)
        (state / "pullback.db-shm").unlink(missing_ok=True)
        self._whole(state / "pullback.db")
        before = state / f"pullback.db.before-{HEAD}"
        if before.exists():
            self._whole(before)
        if self.random.random() < 0.7:
            open_store(state / "pullback.db").close()
            if self.machine.sql("SELECT count(*) FROM series", state / "pullback.db") != [(OLD_RUNS,)]:
                self.wrong.append("an upgrade lost runs")
            shutil.rmtree(state)

    def _cold(self) -> None:
        how = self.machine.live_cold(Life("cold", ["sync"]), self.random.uniform(0.1, 1.6))
        self.moments["cold", how] += 1

    def _live(self, scene: str, arguments: list[str], *, daemon: bool = False, state: Path | None = None) -> None:
        lives = self.lives.setdefault(scene, deque(maxlen=15))
        most = {kind: max((counts[kind] for counts in lives), default=0) for kind in KINDS}
        kind = self.random.choice([kind for kind in KINDS if most[kind]] or ["file"])
        # The first of its kind shows how much there is to do.
        number = self.random.randint(1, most[kind]) if lives else 0
        delay_s = self.random.choice((0.0, self.random.expovariate(1 / LATER_S)))
        life = Life(scene, arguments, kind, number, delay_s, state)
        done = self.machine.live(life, daemon=daemon)
        lives.append(done["counts"])
        self.moments[scene, kind if done["how"] == "killed" else done["how"]] += 1
        self.figures["killed"] += done["how"] == "killed"
        if done["left"]:
            self.wrong.append(f"{done['left']} processes outlive {scene}")
        if done["how"] == "endless" or done["code"] == 3:
            self.wrong.append(f"{scene} {done['how']} with {done['code']}")

    def _whole(self, copy: Path) -> None:
        if self.machine.sql("PRAGMA integrity_check", copy) != [("ok",)]:
            self.wrong.append(f"{copy.name} is damaged")


def old_database(folder: Path) -> Path:
    """A database as the first version left it, with some runs."""
    steps = folder / "migrations"
    shutil.copytree(Path(daemon.store.schema.__file__).with_name("migrations"), steps)
    for step in (steps / "versions").glob("*.py"):
        if not step.name.startswith("0001"):
            step.unlink()
    path = folder / "old.db"
    with ExitStack() as stack:
        stack.enter_context(patch.object(daemon.store.schema, "HEAD", "0001"))
        stack.enter_context(patch.object(daemon.store.schema, "__file__", str(folder / "schema.py")))
        open_store(path).close()
    with closing(sqlite3.connect(path)) as raw, raw:
        for number in range(OLD_RUNS):
            raw.execute(
                "INSERT INTO activity VALUES (1, ?, 'strava', 'x', '2026-11-02', '2026-11-02', 'Run', 'Run', '{}',"
                " '2026-11-02', NULL, 'have', 0, NULL, 0, 0)",
                (number,),
            )
            raw.execute("INSERT INTO series VALUES (1, ?, zeroblob(3000))", (number,))
    return path


def soak(folder: Path, *, seed: int, kills: int) -> list[str]:
    """What is wrong after so many kills; prints what happened."""
    random = Random(seed)
    machine = Machine(folder, random)
    killer = Killer(machine, random, kills, old=old_database(folder))
    began = time.monotonic()
    try:
        killer.begin()
        killer.go_on()
        if not killer.wrong:
            killer.let_live()
            killer.settle()
    finally:
        machine.close()
    print(f"\n{table(killer)}\nseed {seed}, {time.monotonic() - began:.0f} s")
    return killer.wrong


def table(killer: Killer) -> str:
    """How many were killed while they did what, and what came of it."""
    ends = [*KINDS, "idle", "killed", "ended"]
    lines = ["".join(f"{head:>9}" for head in ("", *ends))]
    for scene in SCENES:
        lines.append("".join(f"{cell:>9}" for cell in (scene, *(killer.moments[scene, end] for end in ends))))
    return "\n".join([*lines, figures_of(killer)])
