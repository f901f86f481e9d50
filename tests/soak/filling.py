"""Processes on a disk that has little room left, or none; then there is room again: what is said, left and made up for.

Two ways of having no room: a small disk of its own (as root), filled by a file; and a limit on how large a file may
grow (by anybody), which gives another error and strikes one file while the others can still be written. Against that
the room kept back on a disk is no help: tokens may get lost, and a message be sent again; both are counted.
"""

import subprocess
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from daemon.store import backup
from tests.soak.machine import Life, Machine
from tests.soak.story import Story, figures_of

DISK_MB = 32
ROOM_KB = (0, 0, 4, 8, 16, 24, 32, 48, 64, 96, 128, 256, 512)
"""What is left."""
SCENES = {"run": 6, "sync": 4, "import": 1, "backup": 1, "status": 1, "check": 1}
SAID = ("disk is full", "disk I/O error", "File too large", "too little for a backup", "was lost on the way")


class SmallDisk:
    """A disk of its own on which the machine keeps everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def mount(self) -> bool:
        """False where this machine lets none be mounted."""
        self.folder.mkdir(mode=0o700)
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=700", "none", str(self.folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def leave(self, room_kb: int, life: Life) -> None:
        with (self.folder / "filler").open("ab", buffering=0) as file:
            with suppress(OSError):
                while True:
                    file.write(bytes(4096))
            file.truncate(max(0, file.tell() - room_kb * 1024))

    def free(self) -> None:
        (self.folder / "filler").unlink(missing_ok=True)

    def unmount(self) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


class SmallFiles:
    """No file of a process grows beyond so much more than the database has."""

    def __init__(self, database: Path) -> None:
        self.database = database

    def leave(self, room_kb: int, life: Life) -> None:
        wal = self.database.with_name(f"{self.database.name}-wal")
        largest = self.database.stat().st_size if room_kb > 64 else (wal.stat().st_size if wal.exists() else 0)
        life.largest_file = max(largest, 65536) + room_kb * 1024

    def free(self) -> None:
        return


@dataclass
class Filler(Story):
    """So many `rounds` without room, each made up for."""

    disk: SmallDisk | SmallFiles = field(kw_only=True)
    ends: Counter[tuple[str, str]] = field(default_factory=Counter)

    def go_on(self) -> None:
        while self.figures["rounds"] < self.rounds and not self.wrong:
            self.time_passes()
            scene = self.random.choices(list(SCENES), list(SCENES.values()))[0]
            self._without_room(scene, self.random.choice(ROOM_KB))
            self.figures["rounds"] += 1
            self.wrong += [f"{scene}: {wrong}" for wrong in self.machine.look()]
            if isinstance(self.disk, SmallDisk) and self.machine.windows:
                self.wrong.append(f"{scene} sent what it couldn't write down: {self.machine.windows}")
            if self.random.random() < 0.3:
                self._with_room()

    def _without_room(self, scene: str, room_kb: int) -> None:
        machine = self.machine
        life = Life(scene, self._arguments(scene))
        self.disk.leave(room_kb, life)
        # A log of its own, or the limit on files would end that one day.
        self.log.unlink(missing_ok=True)
        try:
            done = machine.live(life, daemon=scene == "run")
        finally:
            self.disk.free()
        said = self.log.read_text()
        self.ends[scene, self._end(done, said)] += 1
        self.wrong += [f"{scene} with {room_kb} kB: {wrong}" for wrong in self._wrong(done, said)]
        if halves := [path for path in backup.copies(machine.database) if path.suffix == ".part"]:
            self.wrong.append(f"{scene} left {halves}")

    def _arguments(self, scene: str) -> list[str]:
        if scene == "import":
            return ["import", str(self.record_more())]
        if scene == "backup":
            (self.machine.database.parent / "by hand.db").unlink(missing_ok=True)
            return ["backup", str(self.machine.database.parent / "by hand.db")]
        return [scene]

    @staticmethod
    def _end(done: dict[str, Any], said: str) -> str:
        if any(sign in said for sign in SAID):
            return "named"
        return "enough" if done["code"] in (0, -9) else "silent"

    @staticmethod
    def _wrong(done: dict[str, Any], said: str) -> list[str]:
        wrong = []
        if "Traceback" in said or "this is a bug" in said or done["code"] == 3:
            wrong.append(f"a bug: {said[-1500:]}")
        if done["code"] not in (0, -9) and not any(sign in said for sign in SAID):
            wrong.append(f"ends with {done['code']} and doesn't say why: {said[-500:]}")
        jobs = Counter(line.split("job=")[1].split()[0] for line in said.splitlines() if "job failed job=" in line)
        wrong += [f"{job} says it {times} times" for job, times in jobs.items() if times > 1]
        return wrong

    def _with_room(self) -> None:
        """Everything is made up for at once."""
        done = self.machine.live(Life("sync", ["sync"]), daemon=False)
        self.wrong += self.machine.look()
        self.renew_access()
        if isinstance(self.disk, SmallDisk) and self.figures["access lost"]:
            self.wrong.append("access got lost")
        if done["code"] != 0 and not self.figures["access lost"]:
            self.wrong.append(f"with room again, sync ends with {done['code']}: {self.log.read_text()[-300:]}")

    @property
    def log(self) -> Path:
        return self.machine.folder / "log"


def soak(folder: Path, *, seed: int, rounds: int, small_files: bool) -> list[str] | None:
    """What is wrong after so many rounds; prints what happened. None where no disk can be mounted."""
    random, began = Random(seed), time.monotonic()
    machine = Machine(folder, random)
    disk: SmallDisk | SmallFiles = SmallFiles(machine.database) if small_files else SmallDisk(machine.database.parent)
    if isinstance(disk, SmallDisk) and not disk.mount():
        machine.close()
        return None
    filler = Filler(machine, random, rounds, disk=disk)
    try:
        filler.begin()
        filler.go_on()
        if not filler.wrong:
            filler.let_live()
            filler.settle()
    finally:
        machine.close()
        if isinstance(disk, SmallDisk):
            disk.unmount()
    print(f"\n{table(filler)}\nseed {seed}, {time.monotonic() - began:.0f} s")
    return filler.wrong


def table(filler: Filler) -> str:
    """How it ended: the lack of room was named, there was room enough, or (wrong) nothing was said."""
    ends = ("named", "enough", "silent")
    lines = ["".join(f"{head:>9}" for head in ("", *ends))]
    lines += ["".join(f"{cell:>9}" for cell in (scene, *(filler.ends[scene, end] for end in ends))) for scene in SCENES]
    return "\n".join([*lines, figures_of(filler)])
