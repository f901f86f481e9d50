"""A year of a daemon in minutes: Strava and the channels fail at random, the runner runs, edits, deletes; how it is."""

import json
import re
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from daemon.simulator.faults import Fault
from daemon.store import backup
from tests.soak.machine import ROOT, Machine
from tests.soak.story import Story, figures_of
from tests.soak.year import Moved

STEP = timedelta(hours=6)
WARM_UP_DAYS = 45
MOST_MB = 5.0
FAULTS = (
    Fault("status", status=500),
    Fault("status", status=503, retry_after=600),
    Fault("status", status=429),
    Fault("day"),
    Fault("status", status=401),
    Fault("scope"),
    Fault("inactive"),
    Fault("html"),
    Fault("truncated"),
    Fault("wrong_types"),
    Fault("huge_numbers"),
    Fault("empty"),
    Fault("reset"),
    Fault("lost"),
    Fault("redirect"),
    Fault("drip", seconds=0.2),
)
PATHS = ("/oauth/token", "/athlete/activities", r"/activities/\d+$", "/streams", "/api/")


class SteppedMachine(Machine):
    """A machine on whose clock a daemon steps, as long as it lives."""

    stepped: Moved | None = None

    def now(self) -> datetime:
        return super().now() if self.stepped is None else self.stepped.now()


@dataclass
class Year(Story):
    """So many `rounds` of six hours."""

    samples: list[dict[str, Any]] = field(default_factory=list)
    fresh: dict[str, Any] = field(default_factory=dict)

    def go_on(self) -> None:
        machine, clock = self.machine, self.machine.folder / "clock"
        clock.write_bytes(struct.pack("d", machine.now().timestamp()))
        assert isinstance(machine, SteppedMachine)
        machine.stepped = Moved(clock)
        try:
            with self._daemon() as daemon:
                while len(self.samples) < self.rounds and not self.wrong:
                    self._something_fails()
                    self._six_hours(daemon)
            self._well_again()
            with self._daemon() as fresh:
                for _ in range(4):
                    self.fresh = self._step(fresh, "until")
        finally:
            machine.offset = machine.now() - datetime.now(UTC)
            machine.stepped = None

    @contextmanager
    def _daemon(self) -> "Iterator[subprocess.Popen[str]]":
        script, folder = Path(__file__).with_name("year.py"), self.machine.folder
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, str(script), str(self.machine.terminal.config), str(folder / "clock")],
                cwd=ROOT,
                env=self.machine.environ(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        try:
            yield process
        finally:
            process.stdin.close()
            process.wait(60)

    def _step(self, daemon: "subprocess.Popen[str]", what: str) -> dict[str, Any]:
        daemon.stdin.write(json.dumps([what, (self.machine.now() + STEP).isoformat()]) + "\n")
        daemon.stdin.flush()
        return json.loads(daemon.stdout.readline())

    def _six_hours(self, daemon: "subprocess.Popen[str]") -> None:
        what = "sleep" if self.random.random() < 0.03 else "until"
        self.figures["quarters of a day slept through"] += what == "sleep"
        self.samples.append(self._step(daemon, what))
        self.wrong += self.machine.look()
        self._retention()

    def _well_again(self) -> None:
        self.planted += 1
        self.machine.plant(self.planted)
        self.machine.world.heal()
        self.machine.world.inactive = False
        for box in self.machine.boxes.values():
            box.refuses = lambda: False

    def _something_fails(self) -> None:
        """For the next six hours; and what failed before is well again, the runner has signed in where asked to."""
        world, chance = self.machine.world, self.random.random
        world.heal()
        world.forget_asked()
        self.renew_access()
        self.things_happen()
        world.inactive = chance() < 0.01
        if chance() < 0.25:
            times = self.random.choice((1, 3, None))
            world.fail(self.random.choice(PATHS), self.random.choice(FAULTS), times)
            self.figures["faults"] += 1
        refused = chance() < 0.1
        for box in self.machine.boxes.values():
            box.refuses = lambda: refused
        self.figures["hours of refusing channels"] += 6 * refused

    def renew_access(self) -> None:
        state = json.loads((self.machine.sql("SELECT data FROM sync_state WHERE athlete_id > 1") or [("{}",)])[0][0])
        if state.get("access") in ("lost", "revoked", "scope"):
            self.figures["signed in again"] += 1
            self.machine.authorise()

    def _retention(self) -> None:
        late = (self.machine.now() - timedelta(hours=6, minutes=5)).isoformat(timespec="seconds")
        if found := self.machine.sql(f"SELECT count(*) FROM raw WHERE expires_at < '{late}'") != [(0,)]:
            self.wrong.append(f"{found} raw answers are kept for too long")

    def judge(self) -> None:
        """Memory, handles, punctuality, backups, log."""
        warm = self.samples[4 * WARM_UP_DAYS :] or self.samples[len(self.samples) // 2 :]
        for what, most in (("rss_mb", MOST_MB), ("handles", 3), ("threads", 1)):
            values, fresh = [sample[what] for sample in warm], self.fresh[what]
            span = f"{min(values):.1f} to {max(values):.1f}"
            self.figures[f"{what} after {WARM_UP_DAYS} days"] = f"{median(values):.1f} ({span}), anew {fresh:.1f}"
            # A longer history takes more: what a daemon started with it takes, too, is no leak.
            flat = max(values) - median(values) <= most
            if not flat and median(values[-28:]) > fresh + most:
                self.wrong.append(f"{what} has grown: {span}, {fresh:.1f} in a daemon that has just been started")
        for name, (_, late_s, _, period_s) in self.samples[-1]["jobs"].items():
            if late_s > period_s:
                self.wrong.append(f"{name} was {late_s:.0f} s late")
        if self.samples[-1]["bugs"]:
            self.wrong.append(f"bugs: {self.samples[-1]['bugs']}")
        log = (self.machine.folder / "log").read_text()
        self.figures["backups made"] = log.count("backup made")
        nights = len(self.samples) // 4
        if not nights - 1 <= self.figures["backups made"] <= nights + 3:
            self.wrong.append(f"{self.figures['backups made']} backups in {nights} nights")
        if len(backup.made(self.machine.database)) > 3:
            self.wrong.append("old backups stay")


def table(year: Year) -> str:
    """Jobs, memory, log."""
    lines = [f"{'job':>10}{'runs':>9}{'period s':>10}{'worst late s':>14}{'longest s':>11}"]
    for name, (runs, late_s, longest_s, period_s) in year.samples[-1]["jobs"].items():
        lines.append(f"{name:>10}{runs:>9}{period_s:>10.0f}{late_s:>14.2f}{longest_s:>11.2f}")
    log = (year.machine.folder / "log").read_text()
    sizes: dict[str, list[int]] = {}
    for line in log.splitlines():
        found = re.match(r"\S+ (DEBUG|INFO|WARNING|ERROR) ", line)
        sizes.setdefault(found[1] if found else "other", []).append(len(line.encode()) + 1)
    lines += [f"{'log ' + level:>34} {len(found)} lines, {sum(found)} bytes" for level, found in sizes.items()]
    said = Counter(
        re.sub(r"[\d.:-]+", "N", line.split(" ", 2)[2])[:90] for line in log.splitlines() if line[:2] == "20"
    )
    lines += [f"{count:>10} x {text}" for text, count in said.most_common(8)]
    monthly = year.samples[:: max(1, len(year.samples) // 12)]
    lines.append("memory by month, MB: " + " ".join(f"{sample['rss_mb']:.0f}" for sample in monthly))
    return "\n".join([*lines, figures_of(year)])


def soak(folder: Path, *, seed: int, days: int) -> list[str]:
    """What is wrong after so many days; prints how it was."""
    random, began = Random(seed), time.monotonic()
    machine = SteppedMachine(folder, random)
    year = Year(machine, random, 4 * days)
    try:
        year.begin()
        year.go_on()
        if not year.wrong:
            year.judge()
            year.let_live()
            year.settle()
    finally:
        machine.close()
    print(f"\n{table(year)}\nseed {seed}, {time.monotonic() - began:.0f} s")
    return year.wrong
