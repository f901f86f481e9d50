"""`pullback status` for its runner: the verdict, why, who the runner is, in what a screen holds."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from daemon.cli.replay import replayed
from daemon.cli.sparks import can_draw, rows
from daemon.cli.status import SCREEN, standing
from daemon.evaluate import athlete_document, replay, status_document
from daemon.evaluate.looking import lately, look
from daemon.report.data import EasyHeart, EasyRun, PictureData, Week
from daemon.report.page import page
from daemon.store import activities
from tests.cli.test_show import BERLIN, every_word_is_shown, on_terminal, piped
from tests.house import House
from tests.strained import strained_house

PULLING_BACK: dict[str, Any] = {
    "verdict": "pull_back",
    "since": "2026-11-12",
    "headline": "Easy runs cost 5 bpm more [than before intervals came]",
    "advice": ["Leave the intervals out this week", "Keep Sunday easy"],
    "intensity": {
        "introduced_on": "2026-10-05",
        "established": False,
        "sessions": 6,
        "per_week": 1.5,
        "change": "added",
        "ended_on": None,
    },
    "signals": [
        {
            "name": "easy_heart_rate",
            "family": "response",
            "level": "alert",
            "score": 10.24,
            "since": "2026-11-10",
            "summary": "Easy heart rate is 5 bpm above its norm over the last 9 easy runs.",
            "evidence": {"recent_delta_bpm": 6.2},
        }
    ],
    "athlete": {
        "day": "2026-11-21",
        "easy_pace_s_per_km": {"value": 340, "source": "median of the last runs"},
        "easy_heart_rate_bpm": {"value": 143.2, "source": "median of the last runs"},
        "maximum_heart_rate_bpm": {"value": 190, "source": "config"},
        "threshold_heart_rate_bpm": {"value": 168.4, "source": "learned from the race on 4 October 2026"},
        "threshold_pace_s_per_km": {"value": None, "source": "not known yet: needs a hard effort"},
        "week": {
            "runs": 4.5,
            "minutes": 231,
            "long_run_minutes": 84,
            "rest_days": 2.0,
            "hard_days": 1.0,
            "source": "median of the last 8 weeks",
        },
        "device": "Garmin Forerunner 265",
        "sensor": "A",
    },
    "data": {
        "runs": 214,
        "with_heart_rate": 201,
        "first": "2024-06-18",
        "last": "2026-11-21",
        "last_sync": "2026-11-23T06:15:00Z",
    },
    "alerts_open": [
        {"id": 7, "kind": "pull_back", "opened": "2026-11-12", "title": "Time to pull back"},
        {"id": 8, "kind": "access", "opened": "2026-11-20", "title": "Strava access was withdrawn"},
    ],
    "answers": [
        {"reason": "race", "first": "2025-10-05", "last": "2025-10-05"},
        {"reason": "ill", "first": "2026-11-15", "last": "2026-11-16"},
        {"reason": "ill", "first": "2026-11-14", "last": "2026-11-20"},
        {"reason": "heat", "first": "2026-11-15", "last": "2026-11-15"},
    ],
    "trouble": None,
    "waiting_until": None,
}

FRESH: dict[str, Any] = {
    "verdict": "learning",
    "since": None,
    "headline": "no runs yet",
    "advice": ["run `pullback auth`"],
    "intensity": None,
    "signals": [],
    "data": {"runs": 0, "with_heart_rate": 0, "first": None, "last": None, "last_sync": None},
    "alerts_open": [],
    "answers": [],
    "athlete": None,
}


def as_read(units: str = "metric", **facts: Any) -> list[str]:
    return piped(standing(PULLING_BACK | facts, BERLIN, units))


def test_the_verdict_comes_first_then_why_and_what_it_rests_on() -> None:
    lines = as_read()
    assert lines[:4] == [
        "pull back since 2026-11-12",
        "Easy runs cost 5 bpm more [than before intervals came]",
        "  - Leave the intervals out this week",
        "  - Keep Sunday easy",
    ]
    assert (
        "easy heart rate (alert, began 2026-11-10): Easy heart rate is 5 bpm above its norm over the last 9 easy runs. "
        "The last three were 6 bpm above it."
    ) in lines
    assert "Intensity: since 2026-10-05, 6 sessions, 1.5 a week of late, added to the week" in lines
    assert "Runs: 214 (201 with heart rate), 2024-06-18 to 2026-11-21" in lines
    assert "Last sync: 2026-11-23 07:15 CET" in lines
    assert "You said: ill, 14 to 20 November 2026; heat, 15 November 2026" in lines
    assert lines[-3:] == [
        "Open alert 7 of 2026-11-12: Time to pull back",
        "  To answer: pullback ack 7 --reason ill (or heat, travel, sensor, fine)",
        "Open alert 8 of 2026-11-20: Strava access was withdrawn",
    ]


def test_a_runner_sees_what_the_program_takes_him_for_and_where_it_has_that_from() -> None:
    lines = as_read()
    begin = next(n for n, line in enumerate(lines) if line.startswith("You: "))
    assert lines[begin : begin + 5] == [
        "You: easy running is 5:40/km at 143 bpm as recorded, by Garmin Forerunner 265",
        "  usual week: about 4.5 runs, 231 minutes, the longest 84; 2 days without sport, 1 hard day",
        "  maximum heart rate 190 (from your configuration)",
        "  threshold heart rate 168 (the race on 4 October 2026)",
        "  threshold pace not known yet: needs a hard effort",
    ]
    assert "You: easy running is 9:07/mi at 143 bpm as recorded, by Garmin Forerunner 265" in as_read("imperial")


def test_a_long_name_of_a_watch_is_wrapped_below_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    athlete = PULLING_BACK["athlete"] | {"device": "Garmin Forerunner 265 Music, the blue one"}
    lines = on_terminal(standing(PULLING_BACK | {"athlete": athlete}, BERLIN, "metric"), monkeypatch)
    begin = next(n for n, line in enumerate(lines) if line.startswith("You: "))
    assert lines[begin + 1].startswith("  ") and not lines[begin + 1].startswith("  usual week")


def test_after_a_long_time_away_the_usual_week_is_that_of_then() -> None:
    week = PULLING_BACK["athlete"]["week"] | {"source": "median of the last 8 weeks, as of 24 April 2026"}
    lines = as_read(athlete=PULLING_BACK["athlete"] | {"week": week})
    week_then = "about 4.5 runs, 231 minutes, the longest 84; 2 days without sport, 1 hard day"
    assert f"  usual week as of 24 April 2026: {week_then}" in lines


def test_who_never_ran_hard_reads_that_once() -> None:
    unknown = {"value": None, "source": "not known yet: needs a hard effort"}
    keys = ("maximum_heart_rate_bpm", "threshold_heart_rate_bpm", "threshold_pace_s_per_km")
    away = {"minutes": 0, "source": "median of the last 8 weeks"}
    athlete = PULLING_BACK["athlete"] | dict.fromkeys(keys, unknown) | {"device": None, "sensor": "C", "week": away}
    lines = as_read(athlete=athlete)
    assert "You: easy running is 5:40/km at 143 bpm as recorded" in lines
    assert "  the sensor loses heart rate now and then; what can't be believed isn't used" in lines
    assert "  usual week: without running (median of the last 8 weeks)" in lines
    assert [line for line in lines if "not known" in line] == [
        "  maximum and threshold not known yet: needs a hard effort"
    ]


def test_of_many_signals_the_loudest_are_told_and_the_quiet_ones_counted() -> None:
    loud = PULLING_BACK["signals"][0] | {"evidence": {}}
    heart = loud | {"level": "ok", "summary": "Easy heart rate is at its norm."}
    quiet = [loud | {"name": f"quiet_{n}", "level": "ok"} for n in range(13)]
    watched = [loud | {"name": f"sign_{n}", "level": "watch", "since": None, "summary": f"{n}."} for n in range(4)]
    intensity = loud | {"name": "intensity", "family": "", "level": "ok"}
    alarm = loud | {"name": "rest", "summary": "No rest day."}
    lines = as_read(signals=[heart, intensity, *quiet, *watched, alarm])
    at = lines.index("rest (alert, began 2026-11-10): No rest day.")
    assert lines[at + 1 : at + 6] == [
        "sign 0 (watch): 0.",
        "sign 1 (watch): 1.",
        "also up: sign 2, sign 3",
        "Easy heart rate is at its norm.",
        "13 other signs are fine",
    ]


def test_a_rise_that_is_over_is_said_to_be_over() -> None:
    up = PULLING_BACK["signals"][0]
    lines = as_read(verdict="recovering", signals=[up | {"evidence": {"recent_delta_bpm": 0.2}}])
    assert any(line.endswith("over the last 9 easy runs. The last three were at it.") for line in lines)


def test_a_heart_rate_that_cannot_be_judged_is_said() -> None:
    rest = PULLING_BACK["signals"][0] | {"name": "rest", "level": "ok"}
    assert "Easy heart rate can't be judged at the moment." in as_read(signals=[rest])
    assert not any("can't be judged" in line for line in as_read(signals=[rest], verdict="learning"))


def test_the_spell_that_is_over_the_one_that_was_always_there_and_none() -> None:
    spell = PULLING_BACK["intensity"] | {"introduced_on": None, "established": True, "change": "unclear"}
    assert "Intensity: there from the first run on, 6 sessions, 1.5 a week of late" in as_read(intensity=spell)
    over = {"name": "intensity", "family": "", "level": "ok", "evidence": {"ended_on": "2026-05-01"}}
    assert "Intensity: none now, the last spell ended on 2026-05-01" in as_read(intensity=None, signals=[over])
    rest = PULLING_BACK["signals"][0] | {"name": "rest", "level": "ok"}
    assert "Intensity: none yet" in as_read(intensity=None, signals=[rest])
    assert "Intensity: not known yet" in as_read(intensity=None, signals=[])


def test_before_anything_was_fetched_it_says_what_to_do() -> None:
    lines = piped(standing(FRESH, UTC, "metric"))
    assert lines[:3] == ["learning", "no runs yet", "  - run `pullback auth`"]
    assert lines[-2:] == ["Runs: none", "Last sync: never"]


def test_trouble_with_strava_is_in_it() -> None:
    assert "subscription lapsed" in as_read(trouble="subscription lapsed")


def test_a_history_that_is_only_partly_there_is_said_to_be(warned: House) -> None:
    assert "to be fetched" not in " ".join(as_read())
    # Half of it is back on Strava's side of the wall, as during a first fetch.
    with warned.store.write() as session:
        old = list(activities.known(session, warned.athlete_id).values())[::2]
        for item in old:
            session.connection().exec_driver_sql("UPDATE activity SET recording = 'wanted' WHERE id = ?", (item.id,))
    document = status_document(warned.store, warned.athlete_id)
    assert document["data"]["recordings_to_fetch"] == len(old)
    said = f"{len(old)} recordings are still to be fetched from Strava: until then those runs count"
    assert said in " ".join(piped(standing(document | {"athlete": None}, BERLIN, "metric")))
    walked = replay(warned.store, warned.athlete_id, warned.config, warned.clock.now())
    assert walked.to_fetch == len(old)
    few = {"recordings_to_fetch": 1, "days": [{"date": "2026-11-01", "verdict": "learning", "signals": {}}]}
    nothing = {"from": "2026-11-01", "to": "2026-11-01", "intensity": [], "alerts": [], "usable_runs_per_week": 0.0}
    assert piped(replayed(few | nothing, 1))[-1].startswith("1 recording is still to be fetched")
    shown = look(warned.store, warned.athlete_id, warned.config, warned.clock.now())
    assert shown is not None and said in page(shown)


def test_a_terminal_of_80_columns_shows_every_word(monkeypatch: pytest.MonkeyPatch) -> None:
    every_word_is_shown(standing(PULLING_BACK, BERLIN, "metric"), monkeypatch)


@pytest.fixture
def warned(tmp_path: Path) -> Iterator[House]:
    with strained_house(tmp_path) as house:
        yield house


def test_a_warned_runner_reads_it_all_on_one_screen(warned: House, monkeypatch: pytest.MonkeyPatch) -> None:
    athlete = athlete_document(warned.store, warned.athlete_id, warned.config)
    document = status_document(warned.store, warned.athlete_id) | {"athlete": athlete}
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    drawn = lately(warned.store, warned.athlete_id, warned.config)
    assert drawn is not None
    charts = rows(drawn, blocks=True)
    parts = standing(document, BERLIN, "metric", charts=charts, now=warned.clock.now())
    lines = on_terminal(parts, monkeypatch, at_most=25)
    assert len(lines) <= 25 and max(map(len, lines)) <= 80
    assert set(" ".join(" ".join(lines).split()).split()) <= set(" ".join(piped(parts)).split())
    assert lines[0].startswith("pull back since")
    # The body of the story: 5:45/km at 142 bpm, 188 at most, and strained; five runs a week, then six.
    assert athlete is not None and athlete["day"] == warned.clock.now().date().isoformat()
    assert athlete["easy_pace_s_per_km"]["value"] == pytest.approx(345, abs=8)
    assert 142 <= athlete["easy_heart_rate_bpm"]["value"] <= 151
    assert athlete["maximum_heart_rate_bpm"]["value"] == pytest.approx(188, abs=4)
    assert athlete["maximum_heart_rate_bpm"]["source"].startswith("learned from two efforts")
    assert athlete["week"]["runs"] in (5, 6)
    warned.set_config("athlete", max_heart_rate=191)
    athlete = athlete_document(warned.store, warned.athlete_id, warned.config)
    assert athlete is not None and athlete["maximum_heart_rate_bpm"] == {"value": 191, "source": "config"}


def test_before_the_first_verdict_nothing_is_said_of_the_runner(house: House) -> None:
    assert athlete_document(house.store, None, house.config) is None
    assert athlete_document(house.store, house.athlete_id, house.config) is None


MONDAY = date(2026, 9, 7)


def weeks(minutes: list[int], hard: list[int]) -> tuple[Week, ...]:
    return tuple(
        Week(MONDAY + timedelta(weeks=n), easy, 0.0, float(easy), ("hard",) * days + ("easy",) * (7 - days))
        for n, (easy, days) in enumerate(zip(minutes, hard, strict=True))
    )


ROSE = PictureData(
    title="",
    today=date(2026, 10, 8),
    easy=EasyHeart(
        runs=tuple(
            EasyRun(MONDAY + timedelta(days=day), bpm, True)
            for day, bpm in ((0, 140.0), (3, 144.0), (8, 139.0), (21, 146.0), (28, 150.4))
        ),
        norm_bpm=142.0,
        spread_bpm=2.6,
        at_pace_s_per_km=340.0,
        delta_bpm=6.0,
        raised=True,
    ),
    came_on=None,
    stepped_up=False,
    weeks=weeks([240, 200, 0, 120, 60], [0, 1, 0, 2, 1]),
    hard_days=(),
    usual_minutes=230.0,
    units="metric",
)


def test_the_weeks_are_drawn_in_blocks_with_the_norm_among_them() -> None:
    assert [line.text for line in rows(ROSE, blocks=True)] == [
        "                Sep         Oct  to 8 Oct; bpm at 5:40/km",
        "Easy heart rate  ▄▄ ▃▃  . ▆▆ ██  norm 142 ±3 (▄), now 150",
        "Minutes a week   ██ ▇▇  . ▅▅ ▃▃  last week 120, usual 230",
        "Hard days         .  1  .  2  1",
    ]


def test_where_no_block_can_be_drawn_the_numbers_stand_there() -> None:
    lines = [line.text for line in rows(ROSE, blocks=False)]
    assert lines == [
        "                 Sep             Oct  at 5:40/km",
        "Easy heart rate    0  -3   .  +4  +8  on 142 bpm",
        "Minutes a week   240 200   . 120  60  usual 230",
        "Hard days          .   1   .   2   1",
    ]
    assert "".join(lines).isascii()


def test_a_runner_without_heart_rate_or_without_a_week_sees_what_there_is() -> None:
    bare = replace(ROSE, easy=None, usual_minutes=None, weeks=ROSE.weeks[:1])
    assert [line.text.split("  ")[0] for line in rows(bare, blocks=True)] == ["", "Minutes a week", "Hard days"]
    assert rows(replace(ROSE, weeks=()), blocks=True) == []
    assert rows(replace(ROSE, weeks=weeks([0] * 30, [0] * 30)), blocks=True) == [], (
        "twelve weeks of nothing say nothing"
    )
    silent = replace(ROSE, easy=replace(ROSE.easy, runs=()), weeks=weeks([0] * 29 + [60], [0] * 30))  # type: ignore[type-var]
    assert max(len(line.text) for line in rows(silent, blocks=False)) <= 80


@pytest.mark.parametrize(
    ("encoding", "environ", "drawn"),
    [
        ("utf-8", {"LANG": "de_DE.UTF-8"}, True),
        ("utf-8", {}, True),
        ("utf-8", {"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),  # as Python itself changes it
        ("utf-8", {"LANG": "C", "LC_CTYPE": "en_US.UTF-8"}, True),
        ("utf-8", {"LANG": "en_US.UTF-8", "LC_ALL": "POSIX"}, False),
        ("utf-8", {"LANG": "en_US.UTF-8", "TERM": "linux"}, False),
        ("iso8859-1", {"LANG": "de_DE"}, False),
        (None, {}, False),
    ],
)
def test_blocks_are_drawn_where_they_come_out(encoding: str | None, environ: dict[str, str], drawn: bool) -> None:
    assert can_draw(encoding, environ) is drawn


def test_the_last_sync_says_how_long_ago_it_was_and_what_waits() -> None:
    now = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    lines = piped(standing(PULLING_BACK | {"deliveries_waiting": 2}, BERLIN, "metric", now=now))
    assert "Last sync: 2026-11-23 07:15 CET (3 hours ago); 2 messages wait to be sent" in lines


def test_a_screen_too_small_for_all_leaves_out_what_can_be_spared_and_never_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loud = PULLING_BACK["signals"][0] | {"level": "watch", "evidence": {}}
    signals = [*PULLING_BACK["signals"], *(loud | {"name": f"sign_{n}"} for n in range(3))]
    advice = [f"advice {n} " + "that is long " * 6 for n in range(1, 5)]
    facts = {"signals": signals, "advice": advice, "trouble": "Strava is off", "deliveries_waiting": 1}
    parts = standing(PULLING_BACK | facts, BERLIN, "metric", charts=rows(ROSE, blocks=True))
    lines = on_terminal(parts, monkeypatch, at_most=25)
    assert len(lines) <= 25
    text = "\n".join(lines)
    for kept in ("pull back since", "advice 4", "Strava is off", "easy heart rate (alert", "pullback ack 7", "██"):
        assert kept in text
    assert "threshold heart rate" not in text and "threshold heart rate" in "\n".join(piped(parts))


def test_an_old_pace_is_not_stated_as_todays() -> None:
    old = {"value": 340, "source": "median of the last runs, as of 30 March 2021"}
    lines = as_read(athlete=PULLING_BACK["athlete"] | {"easy_pace_s_per_km": old})
    assert "You: as of 30 March 2021 easy running was 5:40/km at 143 bpm as recorded, by Garmin Forerunner 265" in lines
    none = {"value": None, "source": "not known yet: no run has shown it"}
    lines = as_read(athlete=PULLING_BACK["athlete"] | {"easy_pace_s_per_km": none})
    assert "You: easy pace is not known yet: no run has shown it" in lines
    assert "  threshold heart rate 168 (the race on 4 October 2026)" in lines


WORDS = st.text("abcdefg hij", min_size=1, max_size=24).map(str.strip).filter(bool)


def told(longest: int) -> st.SearchStrategy[str]:
    """Sentences of words, up to so many characters."""
    return st.lists(WORDS, min_size=1, max_size=30).map(lambda words: " ".join(words)[:longest].strip() or "x")


SIGNALS = st.builds(
    lambda name, level, summary, bpm: (
        PULLING_BACK["signals"][0]
        | {"name": name, "level": level, "summary": summary, "evidence": {"recent_delta_bpm": bpm, "faster": True}}
    ),
    st.sampled_from(["easy_heart_rate", "rest", "hard_spacing", "run_day_added", "intensity", "easy_pace"]),
    st.sampled_from(["ok", "watch", "alert"]),
    told(170),
    st.none() | st.floats(-20, 20),
)
FAILED = {"alert": 7, "opened": "2026-11-12", "channel": "x", "given_up": False, "error": "no answer in time"}
KINDS = ("pull_back", "access", "stale")
STATES = st.fixed_dictionaries(
    {
        "verdict": st.sampled_from(["learning", "stable", "absorbing", "watch", "pull_back", "recovering"]),
        "headline": told(170),
        "advice": st.lists(told(125), max_size=9),
        "signals": st.lists(SIGNALS, max_size=16),
        "trouble": st.none() | told(155),
        "waiting_until": st.none() | st.just("2026-11-24T00:00:00Z"),
        "snoozed_until": st.none() | st.just("2026-11-30T00:00:00Z"),
        "undelivered": st.lists(st.just(FAILED), max_size=6),
        "deliveries_waiting": st.integers(0, 12),
        "intensity": st.none() | st.just(PULLING_BACK["intensity"]),
        "athlete": st.none() | st.just(PULLING_BACK["athlete"] | {"sensor": "C"}),
        "alerts_open": st.lists(st.sampled_from(KINDS), unique=True).map(
            lambda kinds: [
                {"id": n, "kind": k, "opened": "2026-11-12", "title": f"{k} {60 * k}"[:60]} for n, k in enumerate(kinds)
            ]
        ),
    }
)


LONG = " ".join(["word"] * 40)
WORST = {
    "verdict": "pull_back",
    "headline": LONG[:170],
    "advice": [LONG[:125]] * 9,
    "signals": [PULLING_BACK["signals"][0] | {"name": f"sign_{n}", "summary": LONG[:170]} for n in range(16)],
    "trouble": LONG[:155],
    "waiting_until": "2026-11-24T00:00:00Z",
    "snoozed_until": "2026-11-30T00:00:00Z",
    "undelivered": [FAILED] * 6,
    "deliveries_waiting": 12,
    "alerts_open": [{"id": n, "kind": k, "opened": "2026-11-12", "title": LONG[:59]} for n, k in enumerate(KINDS)],
}
"""Everything at once, each as long as it gets."""


@pytest.mark.parametrize("blocks", [True, False])
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts=STATES)
@example(facts=WORST)
def test_every_state_fits_a_terminal_of_80_by_25_and_begins_with_the_verdict(
    facts: dict[str, Any], blocks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    parts = standing(PULLING_BACK | facts, BERLIN, "imperial", charts=rows(ROSE, blocks=blocks), now=now)
    lines = on_terminal(parts, monkeypatch, at_most=SCREEN)
    assert len(lines) <= 24, "a line is the prompt's"
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith(facts["verdict"].replace("_", " "))
    text = " ".join(" ".join(lines).split())
    for advice in facts["advice"][:3]:
        assert " ".join(f"- {advice}".split()) in text
    assert "Last sync: 2026-11-23" in text
    for alert in facts["alerts_open"]:
        assert alert["title"] in text


def test_five_pieces_of_advice_fit_beside_the_weeks(monkeypatch: pytest.MonkeyPatch) -> None:
    advice = [f"advice {n} " + "that is long " * 6 for n in range(1, 6)]
    charts = rows(ROSE, blocks=True)
    lines = on_terminal(
        standing(PULLING_BACK | {"advice": advice}, BERLIN, "metric", charts=charts), monkeypatch, SCREEN
    )
    assert len(lines) <= SCREEN
    for kept in ("advice 5", "██", "easy heart rate (alert", "pullback ack 7"):
        assert kept in "\n".join(lines)
