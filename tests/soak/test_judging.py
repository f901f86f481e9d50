"""The soaks' own judgement: what must make a year, or a thousand kills, fail."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

from tests.soak.living import Year
from tests.soak.story import due_alerts

ROUNDS = 4 * 365


def of_a_year(folder: Path, rss_mb: Callable[[int], float], started: tuple[float, float], **odd: Any) -> list[str]:
    """What is wrong with a year in which all is well but for the memory and what is `odd`."""
    (folder / "log").write_text("backup made\n" * 365)
    pulse = SimpleNamespace(letters=["start", ""] * 8760)
    machine: Any = SimpleNamespace(folder=folder, database=folder / "pullback.db", pulse=pulse)
    year = Year(machine, Random(1), ROUNDS)
    well: dict[str, Any] = {"handles": 20, "threads": 5, "jobs": {"poll": (8500, 200.0, 1.0, 3600.0)}, "bugs": {}}
    well |= {"awake_s": 365 * 86400.0}
    odd = odd | {"rss_mb": rss_mb}
    year.samples = [well | {key: it(n) if callable(it) else it for key, it in odd.items()} for n in range(ROUNDS)]
    year.fresh = [well | {"rss_mb": started[0]}, well | {"rss_mb": started[1]}]
    year.judge()
    return year.wrong


def test_a_flat_year_and_one_whose_longer_history_explains_its_growth_are_well(tmp_path: Path) -> None:
    assert of_a_year(tmp_path, lambda n: 100 + n % 5, (90, 90)) == []
    assert of_a_year(tmp_path, lambda n: 100 + 20 * n / ROUNDS, (90, 107)) == []


def test_a_slow_leak_and_a_swelling_for_some_months_are_not_flat(tmp_path: Path) -> None:
    assert of_a_year(tmp_path, lambda n: 100 + 14 * n / ROUNDS, (110, 110))
    assert of_a_year(tmp_path, lambda n: 400 if 400 < n < 500 else 100, (100, 100))


def test_a_handle_a_month_is_a_leak(tmp_path: Path) -> None:
    (wrong,) = of_a_year(tmp_path, lambda n: 100, (100, 100), handles=lambda n: 20 + n // 122)
    assert wrong.startswith("handles isn't flat")


def test_a_job_that_hardly_ever_runs_is_not_on_time(tmp_path: Path) -> None:
    (wrong, *_) = of_a_year(tmp_path, lambda n: 100, (100, 100), jobs={"poll": (3, 0.0, 1.0, 3600.0)})
    assert wrong == "poll ran 3 times, not 8760"
    (wrong, *_) = of_a_year(tmp_path, lambda n: 100, (100, 100), jobs={"poll": (8500, 4000.0, 1.0, 3600.0)})
    assert wrong == "poll was 4000 s late"


def test_what_stood_in_the_record_for_a_week_is_due_and_its_end_too() -> None:
    def days(state: str, number: int, **memory: str) -> list[tuple[str, dict[str, Any]]]:
        return [("2026-12-01", {"state": state, "memory": memory})] * number

    record = days("stable", 9) + days("watch", 6, watch="2026-12-01") + days("pull_back", 7, episode="2026-12-07")
    assert due_alerts(record) == [("pull_back", "2026-12-07")]
    assert due_alerts(record + days("stable", 7))[1:] == [("all_clear", "2026-12-07")]
