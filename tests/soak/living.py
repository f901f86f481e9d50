"""A year of a daemon in minutes: Strava and the channels fail at random, the runner runs, edits, deletes; how it is."""

import importlib.util
import json
import re
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, cast

from daemon.simulator.faults import Fault
from daemon.store import backup
from tests.soak.letterbox import Letterbox, pulse
from tests.soak.machine import ROOT, Machine, ask, hang_up
from tests.soak.story import Story, figures_of
from tests.soak.year import Moved

STEP = timedelta(hours=6)
WARM_UP_DAYS = 45
FLAT = {"rss_mb": 5.0, "handles": 3.0, "threads": 2.0}
"""So far from their median all samples may be."""
RUNS_DONE = 0.9
"""Of the runs that a job's period asks for: its jitter, and the work before it, make it a little rarer."""
HANG = Fault("hang", seconds=20.0)
"""Longer than the program waits for an answer. It takes real seconds, so there is one of it."""
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
    pulse: Letterbox
    page: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.pulse = pulse()
        self.terminal.more_config += f'[heartbeat]\nurl = "{self.pulse.url}"\n'
        if importlib.util.find_spec("uvicorn") is not None:
            self.page = free_address()
            self.terminal.more_config += f'[web]\nlisten = "{self.page}"\n'
        self.terminal.write_config()

    def another_config(self) -> Path:
        """The same for a daemon beside the first: its page is elsewhere."""
        path = self.folder / "another.toml"
        text = self.terminal.config.read_text()
        path.write_text(text if self.page is None else text.replace(self.page, free_address()))
        path.chmod(0o600)
        return path

    def close(self) -> None:
        super().close()
        self.pulse.close()

    def now(self) -> datetime:
        return super().now() if self.stepped is None else self.stepped.now()


@dataclass
class Year(Story):
    """So many `rounds` of six hours."""

    samples: list[dict[str, Any]] = field(default_factory=list)
    fresh: list[dict[str, Any]] = field(default_factory=list)

    @property
    def _stepped(self) -> SteppedMachine:
        return cast(SteppedMachine, self.machine)

    @property
    def hours_a_round(self) -> float:
        return STEP / timedelta(hours=1)

    @property
    def warm_up(self) -> int:
        """So many samples belong to it: half of them in a story that is shorter."""
        return min(4 * WARM_UP_DAYS, self.rounds // 2)

    def go_on(self) -> None:
        machine, clock = self.machine, self.machine.folder / "clock"
        clock.write_bytes(struct.pack("d", machine.now().timestamp()))
        assert isinstance(machine, SteppedMachine)
        machine.stepped = Moved(clock)
        try:
            with self._daemon(machine.terminal.config) as daemon:
                while len(self.samples) < self.rounds and not self.wrong:
                    self._something_fails()
                    self._six_hours(daemon)
                    if len(self.samples) == self.warm_up:
                        self._start_another()
                        self._step(daemon, "sleep", timedelta(0))
            self._well_again()
            self._start_another()
        finally:
            machine.offset = machine.now() - datetime.now(UTC)
            machine.stepped = None

    def _start_another(self) -> None:
        """A daemon that has just been started, and how it is after a day. The other one sleeps meanwhile."""
        with self._daemon(self._stepped.another_config()) as fresh:
            found = [self._step(fresh, "until") for _ in range(4)]
        self.fresh.append(found[-1])

    @contextmanager
    def _daemon(self, config: Path) -> "Iterator[subprocess.Popen[str]]":
        script, folder = Path(__file__).with_name("year.py"), self.machine.folder
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, str(script), str(config), str(folder / "clock")],
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
            hang_up(process, wait_s=60)

    def _step(self, daemon: "subprocess.Popen[str]", what: str, by: timedelta = STEP) -> dict[str, Any]:
        return ask(daemon, [what, (self.machine.now() + by).isoformat()])

    def _six_hours(self, daemon: "subprocess.Popen[str]") -> None:
        what = "sleep" if self.random.random() < 0.03 else "until"
        self.figures["quarters of a day slept through"] += what == "sleep"
        self.samples.append(self._step(daemon, what))
        self.wrong += self.machine.look()
        self._look_at_page()
        self._retention()

    def _look_at_page(self) -> None:
        if self._stepped.page is not None:
            for path in ("", "status.json", "metrics"):
                with urllib.request.urlopen(f"http://{self._stepped.page}/{path}", timeout=30) as answer:
                    answer.read()
                self.figures["pages looked at"] += answer.status == 200

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
        if len(self.samples) == self.rounds // 3:
            world.fail(r"/athlete/activities", HANG, 1)
            self.figures["hangs"] += 1
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
        ((found,),) = self.machine.sql(f"SELECT count(*) FROM raw WHERE expires_at < '{late}'")
        if found:
            self.wrong.append(f"{found} raw answers are kept for too long")

    def judge(self) -> None:
        """Memory, handles, punctuality, backups, log."""
        self._flat()
        self._punctual()
        self._heard()
        if self.samples[-1]["bugs"]:
            self.wrong.append(f"bugs: {self.samples[-1]['bugs']}")
        log = (self.machine.folder / "log").read_text()
        self.figures["backups made"] = log.count("backup made")
        nights = len(self.samples) // 4
        if not nights - 1 <= self.figures["backups made"] <= nights + 4:
            self.wrong.append(f"{self.figures['backups made']} backups in {nights} nights")
        if len(backup.made(self.machine.database)) > 3:
            self.wrong.append("old backups stay")

    def _flat(self) -> None:
        """After warm-up every sample is near their median.

        A longer history takes more memory. Allowed for it is exactly what a daemon that was just started takes more at
        the end than one did at the end of warm-up, as if it came bit by bit.
        """
        warm = self.samples[self.warm_up :]
        then, now = self.fresh
        for what, most in FLAT.items():
            longer = max(0.0, now[what] - then[what]) if what == "rss_mb" else 0.0
            values = [sample[what] - longer * n / len(warm) for n, sample in enumerate(warm)]
            seen = [sample[what] for sample in warm]
            said = f"{median(seen):.1f} ({min(seen):.1f} to {max(seen):.1f})"
            self.figures[f"{what} after warm-up"] = f"{said}; started then {then[what]:.1f}, now {now[what]:.1f}"
            if max(abs(value - median(values)) for value in values) > most:
                self.wrong.append(f"{what} isn't flat: {said}, of which a longer history explains {longer:.1f}")

    def _punctual(self) -> None:
        """Each job as often as its period asks for, and within one period of when it does."""
        last = self.samples[-1]
        for name, (runs, late_s, _, period_s) in last["jobs"].items():
            if late_s > period_s:
                self.wrong.append(f"{name} was {late_s:.0f} s late")
            due = last["awake_s"] / period_s
            if runs < RUNS_DONE * due - 1:
                self.wrong.append(f"{name} ran {runs} times, not {due:.0f}")

    def _heard(self) -> None:
        """The dead man's switch heard of each poll's start and end, but for those of days when it was too slow."""
        said: Counter[str] = Counter(self._stepped.pulse.letters)
        polls = self.samples[-1]["jobs"]["poll"][0]
        self.figures["pings"] = ", ".join(f"{count} {what or 'success'}" for what, count in said.items())
        if min(said["start"], said[""] + said["fail"]) < RUNS_DONE * polls:
            self.wrong.append(f"{polls} polls, of which the dead man's switch heard {dict(said)}")


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


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
    handles = Counter(sample["handles"] for sample in year.samples)
    lines.append("so many handles so often: " + ", ".join(f"{n} x {times}" for n, times in sorted(handles.items())))
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
