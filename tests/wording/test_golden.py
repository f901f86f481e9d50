"""Each message word by word: what a runner reads is looked at by a human, and changes only on purpose."""

import pytest

from daemon.signals import SignalParams
from tests.wording import stories


@pytest.mark.parametrize("name", stories.MESSAGES)
def test_the_message_is_the_one_that_was_read_and_found_good(name: str) -> None:
    written = stories.golden(name).read_text(encoding="utf-8")
    assert stories.as_file(stories.MESSAGES[name]()) == written, "python -m tests.wording.stories writes them anew"


@pytest.mark.parametrize("name", [name for name in stories.MESSAGES if name != "merged"])
def test_a_message_is_three_short_paragraphs_and_how_to_answer(name: str) -> None:
    assert stories.MESSAGES[name]()[1].count("\n\n") <= 3


def test_no_golden_text_is_left_over() -> None:
    assert set(stories.GOLDEN.iterdir()) == {stories.golden(name) for name in stories.MESSAGES}


def test_what_the_detectors_say_reads_as_sentences() -> None:
    summaries = {s.name: s.summary for story in stories.RUNS for v in stories.days(story) for s in v.signals}
    assert set(summaries) - {"intensity"} <= {field for field in SignalParams.__dataclass_fields__}
    for summary in summaries.values():
        assert summary[0].isupper() or summary[0].isdigit()
        assert summary.endswith(".")
        assert ".0 days" not in summary
