"""The short form of the judgement's benchmark: fails where a figure is worse than expected beyond its sampling error.

Fixed seeds, few runners, the scenarios of the floors, held against the same runners as they were judged when the
figures were last written down: thirty-two runners have their own luck, and another sample's figures would blame a
change for it. Whether the floors hold is for the nightly form to say. After a change that is meant to move the figures,
and once the nightly form has shown that they may:
`python -m tests.benchmarks.judgement --runners 32 --seed 5000 --save-expected`.
"""

import time

from daemon.simulator.runner import WorldName
from tests.benchmarks import expected, judgement
from tests.benchmarks.scenarios import SHORT
from tests.benchmarks.walk import Outcome

SEEDS = range(5_000, 5_032)
PROCESSES = 2


def test_no_figure_is_worse_than_expected() -> None:
    began = time.perf_counter()
    worlds: tuple[WorldName, ...] = ("quiet", "realistic")
    outcomes: dict[WorldName, list[Outcome]] = {
        world: judgement.judged(world, SEEDS, SHORT, processes=PROCESSES) for world in worlds
    }
    judgement.show_floors(outcomes, SHORT)
    print(f"\n{len(SEEDS)} runners in each of {len(SHORT)} scenarios, {time.perf_counter() - began:.0f} s")
    worse = expected.regressions(judgement.counted(outcomes, SHORT))
    assert not worse, "\n".join(worse)
