"""The messages about a verdict, each kind by its own words; pure."""

from collections.abc import Mapping

from daemon.values import Run, Verdict
from daemon.wording import good_news, warnings
from daemon.wording.sentences import NO_RUNS
from daemon.wording.words import TITLE_LENGTH

_KINDS = {
    "pull_back": warnings.pull_back,
    "watch": warnings.watch,
    "all_clear": good_news.all_clear,
    "absorbing": good_news.absorbing,
    "ready": good_news.ready,
    "test": good_news.test,
}


def alert(kind: str, verdict: Verdict, units: str = "metric", runs: Mapping[int, Run] = NO_RUNS) -> tuple[str, str]:
    """Title (at most 60 characters) and plain text of a message about `verdict`.

    `kind` is "pull_back", "watch", "all_clear", "absorbing", "ready" or "test"; `units` is "metric" or "imperial";
    `runs` gives the names and distances of runs by id. What is absent there or in the verdict is left unsaid.
    """
    title, text = _KINDS[kind](verdict, units, runs)
    return title[:TITLE_LENGTH], text
