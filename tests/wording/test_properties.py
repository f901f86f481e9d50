"""Whatever a verdict holds, what is said of it is whole sentences, short, calm and harmless."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon import harmless, wording
from daemon.values import Intensity, Run, Signal, Verdict, Week
from tests.signals.weeks import run
from tests.wording import stories

TODAY = date(2026, 11, 12)
LENGTHS = {"pull_back": 950, "watch": 750, "all_clear": 600, "absorbing": 600, "ready": 600, "test": 600}
NEVER_SAID = re.compile(
    r"(?i:injur|\brisk|overtrain|overreach|should have|diagnos|disease|syndrome|your fault|lazy|weak|must\b)"
    r"|\b(None|nan|inf|True|False)\b|\{|\}"
)
HOSTILE = (
    "<script>alert(1)</script>",
    "\n.\n",
    "a\r\nSubject: pull back",
    "{{x}} {% raw %}",
    "\u202eevil\u202c\u2066",
    "@everyone @here",
    "**bold** _it_ [link](http://x) `rm`",
    "\x1b[31mred\x07",
    "Run. Run.. Run...",
    "\u200b\u200d\ufeff",
    "   ",
    "x" * 10_000,
    "Z\u0351\u036b\u0343\u032a\u0302\u036b\u033d",
    "भागना सुबह",
    "朝ラン 🏃‍♂️",
)
names = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=80))
SUMMARIES = sorted({(s.name, s.family, s.summary) for v in stories.days("crowded") for s in v.signals if s.family})
bpms = st.floats(-15, 25).map(lambda bpm: round(bpm, 1))
dates = st.integers(0, 400).map(lambda ago: (TODAY - timedelta(days=ago)).isoformat())


@st.composite
def hearts(draw: st.DrawFn) -> Signal:
    """A heart-rate signal of any kind, with any part of its evidence missing."""
    times = draw(st.integers(0, 9))
    past = st.fixed_dictionaries(
        {
            "years": st.floats(1, 6).map(lambda years: round(years, 1)),
            "times": st.just(times),
            "per_year": st.tuples(st.floats(0, 0.5) if times else st.just(0.0), st.floats(0.6, 9)),
        }
    )
    evidence: dict[str, Any] = {
        "delta_bpm": draw(bpms),
        "recent_delta_bpm": draw(st.none() | bpms),
        "at_pace_s_per_km": draw(st.integers(180, 700)),
        "norm_bpm": draw(st.floats(90, 190)),
        "runs": draw(st.lists(st.integers(1, 12), max_size=12, unique=True)),
        "norm_runs": list(range(draw(st.integers(0, 12)))),
        "own_past": draw(st.none() | past),
        "since": draw(dates),
        "faster": draw(st.booleans()),
        "threshold": 10.0,
        "suppressed": {"score": draw(st.floats(0, 20)), "delta_bpm": draw(bpms)},
        "runs_since_intensity": draw(st.integers(0, 40)),
    }
    kept = {key: value for key, value in evidence.items() if draw(st.integers(0, 9)) > 0 or key == "delta_bpm"}
    return Signal("easy_heart_rate", draw(st.sampled_from(["ok", "watch", "alert"])), 9.0, "", TODAY, kept, "response")


@st.composite
def signs(draw: st.DrawFn) -> Signal:
    name, family, summary = draw(st.sampled_from(SUMMARIES))
    level, score = draw(st.sampled_from(["ok", "watch", "alert"])), draw(st.floats(0, 3))
    return Signal(name, level, score, summary, TODAY, {"runs": draw(st.lists(st.integers(1, 12), max_size=5))}, family)


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    """Any verdict that could be told, and some that could not."""
    rose = draw(dates)
    came = Signal("intensity", "ok", 1.0, "", None, draw(st.sampled_from([{}, {"rose_on": rose}, {"rose_on": None}])))
    spell = st.builds(
        Intensity,
        st.none() | dates.map(date.fromisoformat),
        st.booleans(),
        st.integers(1, 60),
        st.floats(0.0, 7.0).map(lambda often: round(often, 1)),
        st.sampled_from(["added", "replaced", "unclear"]),
        st.none() | dates.map(date.fromisoformat),
    )
    memory = st.fixed_dictionaries(
        {},
        optional={
            "cause": st.sampled_from(["heart_rate", "both", "tight_week", "suppressed", None]),
            "tight": st.text("01", max_size=14),
            "episode": dates,
            "watch": dates,
            "excused": st.just({"load_added": 1}),
        },
    )
    story = draw(st.sampled_from(sorted(stories.RUNS)))
    real = draw(st.sampled_from(stories.days(story)))
    heart = draw(st.none() | hearts())
    return replace(
        real,
        day=TODAY,
        state=draw(st.sampled_from(["learning", "stable", "absorbing", "watch", "pull_back", "recovering"])),
        since=date.fromisoformat(draw(dates)),
        signals=(*((heart,) if heart else ()), came, *draw(st.lists(signs(), max_size=8))),
        intensity=tuple(draw(st.lists(spell, max_size=2))),
        memory=draw(memory),
    )


runs = st.lists(st.tuples(names, st.floats(100, 60_000)), max_size=12).map(
    lambda known: {
        n: replace(run(TODAY - timedelta(days=n)), id=n, name=name, distance_m=far)
        for n, (name, far) in enumerate(known, 1)
    }
)
units = st.sampled_from(["metric", "imperial"])


def reads_well(title: str, text: str, at_most: int, known: dict[int, Run] | None = None) -> None:
    assert 0 < len(title) <= 60
    assert not title.endswith(".")
    assert title == harmless.one_line(title, 60)
    assert len(text) <= at_most
    for paragraph in text.split("\n\n"):
        assert paragraph == harmless.one_line(paragraph, 2000), "one line, nothing hidden, no double spaces"
        assert paragraph.endswith("."), paragraph
        assert ".." not in paragraph
    said = re.sub("“[^”]*”", "", title + text) if known else title + text
    assert not NEVER_SAID.search(said), said


@settings(max_examples=150)
@given(verdict=verdicts(), units=units, known=runs)
def test_any_verdict_is_told_well(verdict: Verdict, units: str, known: dict[int, Run]) -> None:
    for kind, at_most in LENGTHS.items():
        title, text = wording.alert(kind, verdict, units, known)
        reads_well(title, text, at_most, known)
        assert ("pull back" in title) == (kind == "pull_back")
        assert "pullback ack" in text or kind not in ("pull_back", "watch")
        assert text.count("\n\n") <= 3, "three short paragraphs, and how to answer"
    for kind in ("pull_back", "watch"):
        title, text = wording.reminder(kind, verdict, TODAY - timedelta(days=9), units, known)
        reads_well(title, text, 750, known)
        assert kind == "watch" or "pull back" in title


@settings(max_examples=50)
@given(
    verdict=verdicts(),
    units=units,
    numbers=st.tuples(*[st.integers(0, 7)] * 4, *[st.floats(0, 2000)] * 4),
    usual=st.sampled_from([0.0, float("nan"), 1.4]),
)
def test_any_week_is_told_well(verdict: Verdict, units: str, numbers: tuple[Any, ...], usual: float) -> None:
    counts, minutes = numbers[:4], numbers[4:]
    week = Week(TODAY - timedelta(days=6), *counts[:2], *minutes, counts[2], usual, counts[3])
    reads_well(*wording.digest(verdict, week, units), 700)


@pytest.mark.parametrize("kind", wording.KINDS)
@pytest.mark.parametrize("units", ["metric", "imperial"])
def test_every_kind_can_be_rehearsed(kind: str, units: str) -> None:
    title, text = wording.rehearsal(kind, TODAY, units)
    reads_well(title, text, 1000)
    assert title.startswith("Test: ")
    assert text.startswith("This is a test")
    assert ("pull back" in title) == (kind in ("pull_back", "reminder", "retraction"))
    assert ("subscription" in title) == (kind == "access")


@pytest.mark.parametrize("reason", ["inactive", "revoked", "lost", "scope", "client", "unreachable", "something new"])
def test_lost_access_says_what_to_do(reason: str) -> None:
    title, text = wording.access(reason)
    reads_well(title, text, 400)
    assert "`pullback " in text or "https://" in text
    assert ("subscription" in title) == (reason == "inactive")


def test_retractions_and_silence_read_well() -> None:
    standing = [stories.first("strained", state) for state in ("stable", "pull_back")]
    for kind in ("pull_back", "watch", "all_clear", "absorbing", "ready"):
        for reason in ("deleted", "edited", "recorded", "answered", "judged"):
            for verdict in [*standing, stories.learning(), stories.first("relieved", "recovering")]:
                reads_well(*wording.retraction(kind, TODAY, reason, verdict), 750)  # type: ignore[arg-type]
    now = datetime(2026, 11, 12, 9, tzinfo=UTC)
    for last in (None, now, now - timedelta(days=1), now - timedelta(days=400)):
        reads_well(*wording.stale(last, now), 300)


@settings(max_examples=50, deadline=None)  # a story is simulated when it is first told
@given(st.lists(st.sampled_from(sorted(set(stories.MESSAGES) - {"merged"})), min_size=1, max_size=5))
def test_several_messages_become_one(waiting: list[str]) -> None:
    messages = sorted((stories.MESSAGES[name]() for name in waiting), key=lambda m: "pull back" not in m[0])
    title, text = wording.merged(messages)
    reads_well(title, text, 6000)
    alarms = [told for told, _ in messages if "pull back" in told and not told.startswith("Taken back")]
    assert not alarms or "pull back" in title
    assert all("subscription" not in told for told, _ in messages) or "subscription" in title
    assert all(told in text or len(messages) == 1 for told, _ in messages)


@given(text=names, at_most=st.integers(1, 60))
def test_what_a_runner_wrote_fits_one_line_and_hides_nothing(text: str, at_most: int) -> None:
    line = harmless.one_line(text, at_most)
    assert len(line) <= at_most
    assert line == " ".join(line.split())
    assert not re.search("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]", line)
    assert harmless.one_line(line, at_most) == line


@given(names)
def test_no_name_means_anything_in_markdown(name: str) -> None:
    line = harmless.one_line(name, 200)
    marked = wording.markdown(f"The latest: “{line}” on 8 November.")
    assert not re.search(r"(?<!\\)[*_\[\]`|~]", re.sub(r"\\\\", "", re.sub("`pullback [a-z -]+`", "", marked)))
    assert "<" not in marked
    assert marked.replace("\\", "") == f"The latest: “{line}” on 8 November.".translate({60: "‹", 62: "›", 92: None})
