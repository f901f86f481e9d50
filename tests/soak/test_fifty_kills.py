"""The short form of the soak of a thousand kills."""

from pathlib import Path

from tests.soak.killing import soak


def test_fifty_processes_killed_at_any_moment_lose_no_run_and_no_alert_and_repeat_none(tmp_path: Path) -> None:
    wrong = soak(tmp_path, seed=6, kills=50)
    assert not wrong, "\n".join(wrong)
