"""One run explained to its runner: an easy one, a hard one, one that is left out, and ids of runs that don't count."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from daemon.cli import show
from daemon.cli.explain import explanation
from daemon.errors import UserError
from daemon.evaluate import explain, runs
from daemon.evaluate.answering import keep_answer, keep_feel
from daemon.evaluate.history import activity
from daemon.measures import pace
from daemon.values import Run
from tests.cli.terminal import Terminal
from tests.cli.test_show import BERLIN, on_terminal
from tests.house import House, plain_run
from tests.strained import strained_house


@pytest.fixture
def warned(tmp_path: Path) -> Iterator[House]:
    with strained_house(tmp_path) as house:
        yield house


def last(house: House, **facts: Any) -> Run:
    """The newest run of which these facts hold."""
    found = [
        run
        for run in runs(house.store, house.athlete_id, house.config)
        if all(getattr(run, name) == value for name, value in facts.items())
    ]
    return found[-1]


def explained(house: House, run: Run) -> dict[str, Any]:
    document = explain(house.store, house.athlete_id, house.config, run.id)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    sections = {"run", "athlete", "cleaning", "classification", "easy_heart_rate", "contribution"}
    assert document.keys() == sections
    return document


def as_read(document: dict[str, Any], units: str = "metric") -> str:
    return "\n".join(part.text for part in explanation(document, BERLIN, units) if isinstance(part, show.Line))


def test_an_easy_run_is_compared_with_the_norm_of_its_day(warned: House) -> None:
    run = next(
        run
        for run in reversed(runs(warned.store, warned.athlete_id, warned.config))
        if run.easy and explained(warned, run)["easy_heart_rate"]["compared_with"]
    )
    document = explained(warned, run)
    easy = document["easy_heart_rate"]
    assert run.easy is not None
    total = run.easy.bpm + sum(easy["corrections_bpm"].values())
    assert easy["residual_bpm"] == pytest.approx(total - easy["compared_with"]["norm_bpm"], abs=0.11)
    faster = easy["reading"]["at_pace_s_per_km"] < easy["compared_with"]["at_pace_s_per_km"]
    assert (easy["corrections_bpm"]["pace"] < 0) == faster, "who ran faster is brought down to the norm's pace"
    assert easy["residual_bpm"] > 3, "the story's runner is strained"
    assert run.id not in easy["compared_with"]["runs"]
    heart = next(s for s in document["contribution"]["signals"] if s["name"] == "easy_heart_rate")
    assert heart["this_run"] == "compared"
    text = as_read(document)
    left, strays = easy["residual_bpm"], easy["usual_spread_bpm"]
    norm, expected = easy["compared_with"], easy["reading"]["bpm"] - left
    assert f"your norm: {norm['norm_bpm']:.1f} bpm at {pace(norm['at_pace_s_per_km'], 'metric')}, from 12 easy" in text
    assert f"for this run that makes {expected:.1f} bpm: pace {-easy['corrections_bpm']['pace']:+.1f}" in text
    assert f"it lay {left:.1f} bpm above that; one run alone strays by {strays:.1f}" in text
    days = {other.id: other.day.isoformat() for other in runs(warned.store, warned.athlete_id, warned.config)}
    assert sorted(days[number] for number in norm["runs"])[:: len(norm["runs"]) - 1] == [norm["first"], norm["last"]]
    assert "Called: easy, not hard" in text or "Called: long, not hard" in text


def test_two_heart_rates_of_easy_running_that_differ_are_told_apart(warned: House) -> None:
    """What the runner mostly ran lately is strained already; the norm is of the weeks before."""
    document = explained(warned, last(warned, kind="easy"))
    usual, norm = document["classification"]["usual"]["bpm"], document["easy_heart_rate"]["compared_with"]["norm_bpm"]
    assert usual - norm > 3
    assert f"your usual run's {usual:.0f} bpm are another thing" in as_read(document)
    document["classification"]["usual"]["bpm"] = norm + 2
    assert "another thing" not in as_read(document), "nobody asks"


def test_it_says_which_minutes_a_reading_rests_on_and_what_was_taken_from_them(warned: House) -> None:
    run = last(warned, kind="easy")
    assert run.easy is not None
    document = explained(warned, run)
    rests_on = document["easy_heart_rate"]["rests_on"]
    assert rests_on["from_minute"] >= 5
    assert rests_on["to_minute"] - rests_on["from_minute"] >= run.easy.minutes
    assert rests_on["mean_bpm"] + rests_on["drift_correction_bpm"] == pytest.approx(run.easy.bpm, abs=0.11)
    text = as_read(document)
    minutes = f"from {run.easy.minutes:.0f} steady minutes between minute {rests_on['from_minute']} and"
    assert minutes in text
    assert f"brought to minute 20: drift {rests_on['drift_correction_bpm']:+.1f} bpm" in text


def test_an_easy_run_says_what_would_have_been_fast(warned: House) -> None:
    document = explained(warned, last(warned, kind="easy"))
    judged = document["classification"]
    assert judged["why"] and judged["why"] in as_read(document)
    bar = judged["usual"]["pace_s_per_km"] / judged["thresholds"]["minute_x_easy"]
    needed = f"to be a session it needed minutes at {pace(bar, 'metric')} or faster"
    assert f"{needed}\n" in as_read(document)
    judged["thresholds"]["five_minutes_x_easy"] = judged["usual"]["pace_s_per_km"] / 300
    assert f"{needed}, or five minutes on end at 5:00/km\n" in as_read(document)
    assert document["athlete"]["day"] == document["run"]["day"]
    assert "You then: easy running is 5:" in as_read(document)


def test_a_hard_session_shows_its_repetitions_and_why_its_heart_rate_does_not_count(warned: House) -> None:
    document = explained(warned, last(warned, kind="intervals"))
    judged = document["classification"]
    assert judged["hard"] and judged["hard_minutes"] > 5
    assert len(judged["fast_stretches"]) >= 3
    counted = [s for s in judged["fast_stretches"] if s["counted"]]
    assert sum(s["seconds"] for s in counted) == pytest.approx(60 * judged["hard_minutes"], abs=60)
    assert all(s["x_easy"] >= s["needed_x_easy"] > 1 for s in counted)
    assert document["contribution"]["hard_day"]
    text = as_read(document, "imperial")
    assert f"hard for {judged['hard_minutes']:.0f} minutes: repetitions" in text
    assert f"counted: {len(counted)} fast stretches of " in text
    assert "such stretches had to reach " in text
    stray = counted[0] | {"counted": False, "seconds": 20, "pace_s_per_km": 180}
    more = judged | {"fast_stretches": [*judged["fast_stretches"], stray]}
    assert as_read(document | {"classification": more}, "imperial") == text, "what didn't count isn't told"
    assert "Easy heart rate: left out: hard session" in text
    assert "/mi" in text and "/km" not in text


def test_what_was_up_that_day_is_told_and_what_was_not_is_named(warned: House) -> None:
    document = explained(warned, last(warned, kind="easy"))
    up = [s for s in document["contribution"]["signals"] if s["level"] != "ok"]
    assert all(s["threshold"] is not None for s in document["contribution"]["signals"] if s["family"])
    text = as_read(document)
    for signal in up:
        assert f"{signal['name'].replace('_', ' ')} ({signal['level']}): {signal['summary']}" in text
    week = next(signal for signal in up if signal["name"] != "easy_heart_rate")
    week["own_past"] = {"years": 3.0, "times": 5, "per_year": [0.55, 4.0]}
    assert f"{week['summary']} The same happened 5 times in your last 3 years." in as_read(document)
    week["own_past"]["times"] = 0
    assert f"{week['summary']} That never happened in your last 3 years." in as_read(document)
    quiet = next(line for line in text.splitlines() if line.startswith("quiet: "))
    assert "longest run" in quiet
    assert not any(signal["name"].replace("_", " ") in quiet for signal in up)


def test_a_run_cut_in_two_is_read_as_one(house: House) -> None:
    start = house.clock.now() - timedelta(days=20)
    for n in range(8):
        house.world.add(plain_run(n, start + timedelta(days=2 * n)))
    begin = start + timedelta(days=17)
    house.world.add(plain_run(20, begin, minutes=30))
    house.world.add(plain_run(21, begin + timedelta(minutes=32), minutes=20))
    house.pull()
    house.evaluate()
    document = explain(house.store, house.athlete_id, house.config, 21)
    assert [part["id"] for part in document["classification"]["parts"]] == [20, 21]
    assert "read as one session with 20" in as_read(document)
    assert "Easy heart rate: left out: read with another part of the run" in as_read(document)
    assert "read as one session with 21" in as_read(explain(house.store, house.athlete_id, house.config, 20))


def test_a_ride_and_a_belt_are_judged_by_heart_rate(house: House) -> None:
    start = house.clock.now() - timedelta(days=20)
    for n in range(8):
        house.world.add(plain_run(n, start + timedelta(days=2 * n)))
    house.world.add(plain_run(20, start + timedelta(days=17), sport_type="Ride", type="Ride"))
    house.world.add(plain_run(21, start + timedelta(days=18), trainer=True))
    house.pull()
    house.evaluate()
    for number, left_out in ((20, "not a run"), (21, "treadmill")):
        text = as_read(explain(house.store, house.athlete_id, house.config, number))
        assert "judged by heart rate: hard from " in text
        assert f"left out: {left_out}" in text


def test_a_run_without_a_recording_says_so(house: House) -> None:
    start = house.clock.now() - timedelta(days=30)
    for n in range(14):
        house.world.add(plain_run(n, start + timedelta(days=2 * n)))
    house.world.hold_streams(13)
    house.pull()
    house.clock.advance(days=3)
    house.pull()
    house.evaluate()
    text = as_read(explain(house.store, house.athlete_id, house.config, 13))
    assert "Recording: only its summary is known, so it weighs less" in text
    assert "from the mean of the whole run" in text


def test_what_the_runner_said_is_part_of_it(warned: House) -> None:
    run, now = last(warned, kind="easy"), warned.clock.now()
    keep_feel(warned.store, activity(warned.store, warned.athlete_id, run.id), "heavy", now)
    assert "you said it felt heavy" in as_read(explained(warned, run))
    keep_answer(warned.store, warned.athlete_id, "ill", run.day, run.day, now)
    text = as_read(explained(warned, run))
    assert "you said of that day: ill" in text
    assert "left out: ill, as you said" in text


@pytest.mark.parametrize("kind", ["easy", "long", "intervals"])
def test_it_fits_a_terminal_of_80_columns(warned: House, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = explanation(explained(warned, last(warned, kind=kind)), BERLIN, "metric")
    assert max(map(len, on_terminal(parts, monkeypatch))) <= 80


def test_a_run_recorded_twice_a_deleted_one_and_one_that_never_was(house: House) -> None:
    start = house.clock.now() - timedelta(days=1)
    house.world.add(plain_run(10, start))
    house.world.add(plain_run(11, start + timedelta(seconds=40), has_heartrate=False, average_heartrate=None))
    house.world.add(plain_run(12, start - timedelta(days=2)))
    house.pull()
    house.world.delete(12)
    house.pull()
    for number, said in ((11, "11 was recorded twice; 10 counts"), (12, "12 was deleted"), (13, "no run 13")):
        with pytest.raises(UserError, match=said):
            explain(house.store, house.athlete_id, house.config, number)
    document = explain(house.store, house.athlete_id, house.config, 10)
    assert document["contribution"]["verdict"] is None
    assert "not judged yet" in as_read(document)


def test_a_run_known_from_its_summary_and_a_ride_are_explained_too(house: House) -> None:
    start = house.clock.now() - timedelta(days=1)
    house.world.add(plain_run(10, start, manual=True))
    house.world.add(plain_run(11, start - timedelta(days=1), sport_type="Ride", type="Ride"))
    house.pull()
    house.evaluate()
    by_hand, ride = (explain(house.store, house.athlete_id, house.config, number) for number in (10, 11))
    assert "only its summary" in as_read(by_hand) and "entered by hand" in as_read(by_hand)
    assert ride["easy_heart_rate"]["left_out"] == "not a run" and ride["contribution"]["load"] > 0


def test_the_command_prints_it_for_people_and_for_programs(terminal: Terminal) -> None:
    terminal.authorise()
    terminal.world.add(plain_run(7, terminal.world.now() - timedelta(hours=30)))
    terminal.pullback("sync")
    assert terminal.pullback("explain", "7").out.startswith("Morning Run, ")
    assert json.loads(terminal.pullback("explain", "7", "--json").out)["run"]["id"] == 7
    newest = terminal.pullback("explain")
    assert newest.out == terminal.pullback("explain", "last").out
    assert terminal.pullback("explain", "yesterday").code == 2
    missing = terminal.pullback("explain", "8")
    assert (missing.code, missing.err.count("\n")) == (1, 1)
