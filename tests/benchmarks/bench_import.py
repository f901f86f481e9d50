"""What an import costs: the whole of it beside merely decoding the same files, and ten years of runs. Prints; asserts.

PULLBACK_FIT_FILES names a folder of real recordings (else runs of a simulated runner, written by tests/exported.py).
PULLBACK_BENCHMARK=full decodes all 200 files and imports 3,000; otherwise a part is measured, and what is extrapolated
from it is called so.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from daemon.clock import SystemClock
from daemon.config import Config
from daemon.evaluate import runs
from daemon.importer.bringing import bring
from daemon.signals import SignalParams
from daemon.simulator.recording import SimulatedActivity
from daemon.simulator.runner import RunnerSpec, simulate
from daemon.store import grants, open_store
from tests.exported import fit_file

ROOT = Path(__file__).parents[2]
FULL = os.environ.get("PULLBACK_BENCHMARK") == "full"
FILES, DECODED = 200, 200 if FULL else 20
YEARS_FILES, PART = 3000, 3000 if FULL else 300
DETECTORS = tuple(SignalParams.__dataclass_fields__)
FASTER, LONGEST_S, LARGEST_MB = 10.0, 180.0, 300.0


@dataclass(frozen=True)
class Cost:
    """What one import cost, all its processes together."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    said: str


def an_import(folder: Path, home: Path) -> Cost:
    """`pullback import` of a folder into a new database, watched from outside."""
    home.mkdir()
    config = home / "config.toml"
    config.write_text(f'[database]\nurl = "sqlite:///{home / "pullback.db"}"\n')
    command = [sys.executable, "-m", "daemon", "--config", str(config), "import", str(folder)]
    environ = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "HOME": str(home)}
    before, began, peak = os.times(), time.monotonic(), 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environ) as process:
        while process.poll() is None:
            peak = max(peak, resident_mb(process.pid))
            time.sleep(0.02)
        assert process.stdout is not None
        said = process.stdout.read()
    after = os.times()
    assert process.returncode == 0, said
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(time.monotonic() - began, cpu, peak, said)


def read_cleaned_stored_classified_s(folder: Path, database: Path) -> float:
    """Seconds of the import alone in this process and its readers: without the program's start and the verdicts."""
    store = open_store(database)
    began = time.monotonic()
    bring(store, [folder], SystemClock(), zone=None)
    found = runs(store, grants.RUNNER, Config(signals={n: getattr(SignalParams(), n) for n in DETECTORS}))
    spent = time.monotonic() - began
    store.close()
    assert found
    return spent


def resident_mb(pid: int) -> float:
    """Resident memory of a process and those it started (MB); what they share counts for each."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20 + sum(resident_mb(int(child)) for child in children)


def decoding_s(files: list[Path]) -> float:
    """Seconds of one process in which the official SDK decodes `files` and does nothing else."""
    from garmin_fit_sdk import Decoder, Stream  # noqa: I001

    began = time.monotonic()
    for path in files:
        Decoder(Stream.from_byte_array(bytearray(path.read_bytes()))).read()
    return time.monotonic() - began


def lived(count: int) -> list[SimulatedActivity]:
    """The last `count` runs of a runner who runs five times a week, up to November 2026."""
    last = date(2026, 11, 9)
    found = simulate(RunnerSpec(seed=31), last - timedelta(weeks=count // 4 + 2), last, ())
    return found[-count:]


def written(folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    for run in lived(count):
        (folder / f"{run.id}.fit").write_bytes(fit_file(run))
    return sorted(folder.iterdir())


def real(folder: Path, count: int, target: Path) -> list[Path]:
    """The largest ones but for the longest twentieth: whole runs, second by second, and no walk around the block."""
    sizes = sorted((path.stat().st_size, path) for path in folder.glob("**/*.fit"))
    ordinary = sizes[: max(count, len(sizes) * 19 // 20)][-count:]
    target.mkdir()
    for _, path in ordinary:
        (target / path.name).symlink_to(path.resolve())
    return sorted(target.iterdir())


def test_an_import_costs_a_tenth_of_decoding(tmp_path: Path) -> None:
    given = os.environ.get("PULLBACK_FIT_FILES")
    folder = tmp_path / "files"
    files = real(Path(given), FILES, folder) if given else written(folder, FILES)
    sample = files[:: max(1, len(files) // DECODED)][:DECODED]
    first = decoding_s(sample)
    alone = read_cleaned_stored_classified_s(folder, tmp_path / "alone.db")
    cost = an_import(folder, tmp_path / "home")
    decoding = (first + decoding_s(sample)) / 2 * len(files) / len(sample)
    how = "measured" if len(sample) == len(files) else f"extrapolated from {len(sample)}"
    size = sum(path.stat().st_size for path in files) / 2**20
    print(f"\n{len(files)} FIT files ({'real' if given else 'simulated'}), {size:.0f} MB")
    print(f"  decoded by garmin-fit-sdk, one process: {decoding:.1f} s ({how})")
    print(f"  read, cleaned, stored, classified, two processes: {alone:.1f} s, {decoding / alone:.1f} times as fast")
    print(f"  the whole command, with its start and the verdict of every day since: {cost.wall_s:.1f} s,")
    print(f"  {decoding / cost.wall_s:.1f} times as fast; CPU {cost.cpu_s:.1f} s, peak {cost.peak_mb:.0f} MB")
    assert decoding / alone >= FASTER
    assert cost.peak_mb <= LARGEST_MB


def test_ten_years_of_runs(tmp_path: Path) -> None:
    written(tmp_path / "files", PART)
    cost = an_import(tmp_path / "files", tmp_path / "home")
    scale = YEARS_FILES / PART
    how = "measured" if scale == 1 else f"extrapolated from {PART}"
    print(f"\n{YEARS_FILES} FIT files: {cost.wall_s * scale:.0f} s ({how}), peak {cost.peak_mb:.0f} MB for {PART}")
    assert cost.wall_s * scale <= LONGEST_S
    assert cost.peak_mb <= LARGEST_MB
