"""What looking may cost, in seconds of a processor, which a busy machine makes no more, and in bytes."""

import resource
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from daemon.evaluate import evaluate
from daemon.report.picture import picture
from tests.benchmarks.bench_cost import a_config, a_long_history
from tests.report.lives import a_picture

PICTURE_S, REPORT_S = 2.0, 3.0
PICTURE_BYTES, REPORT_BYTES = 150 * 1024, 1536 * 1024
ROOT = Path(__file__).parents[2]


def spent_by_children(work: Callable[[], object]) -> float:
    """The seconds of processor time that the processes cost which `work` starts and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def test_a_picture_costs_two_seconds_at_most() -> None:
    data, drawn = a_picture(), [picture(a_picture())]  # the first one may have to make a list of fonts
    assert spent_by_children(lambda: drawn.append(picture(data))) <= PICTURE_S
    assert all(png is not None and len(png) <= PICTURE_BYTES for png in drawn)


def test_the_report_of_three_years_costs_three_seconds_at_most(tmp_path: Path) -> None:
    """780 runs, five a week, through the command a runner types."""
    store = a_long_history(tmp_path / "pullback.db", 780)
    evaluate(store, 1, a_config(), datetime.now(UTC))
    store.close()
    config, page = tmp_path / "config.toml", tmp_path / "report.html"
    config.write_text(f'[database]\nurl = "sqlite:///{tmp_path}/pullback.db"\n', encoding="utf-8")
    config.chmod(0o600)
    typed = [sys.executable, "-m", "daemon", "--config", str(config), "report", "-o", str(page)]
    assert spent_by_children(lambda: subprocess.run(typed, cwd=ROOT, check=True, capture_output=True)) <= REPORT_S
    assert page.stat().st_size <= REPORT_BYTES
    assert page.read_text(encoding="utf-8").count('<th scope="rowgroup"') >= 3, "three years are on it"
