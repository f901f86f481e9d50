"""Settings a runner tries with `replay --set`: read like the file's, or answered like the file's."""

from dataclasses import dataclass, fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.config import Config, parse
from daemon.config.model import TABLES
from daemon.config.trying import current
from daemon.config.trying import settings as as_typed
from daemon.errors import ConfigError


@dataclass(frozen=True)
class Fever:
    """A detector's parameters."""

    enabled: bool = True
    alert_bpm: float = 5.0
    runs: int = 8


FILE = '[strava]\nclient_secret = "hush"\n[signals.fever]\nruns = 9\n[athlete]\nmax_heart_rate = 190\n'


def read(*changes: str, file: str = FILE) -> Config:
    return parse(
        file, environ={}, where="", check_url=lambda url: None, signal_tables={"fever": Fever}, changes=changes
    )


def problems(*changes: str, file: str = FILE) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read(*changes, file=file)
    return caught.value.problems


def test_what_is_tried_wins_over_the_file_and_the_rest_of_the_file_stays() -> None:
    tried = read("signals.fever.alert_bpm=3", "signals.fever.enabled = false", "alerts.minimum=watch")
    assert tried.signals["fever"] == Fever(enabled=False, alert_bpm=3.0, runs=9)
    assert tried.alerts.minimum == "watch"
    assert tried.athlete == read().athlete
    assert read("signals.fever.runs=7", "athlete.max_heart_rate=185").signals["fever"].runs == 7


def test_everything_wrong_is_said_at_once_and_answered_as_the_file_would_be() -> None:
    found = problems(
        "signals.fever.alert=3",
        "signals.fevr.runs=3",
        "signals.fever.runs=some",
        "athlete.threshold_heart_rate=200",
        "strava.client_secret=guess",
        "athlete.units=imperial",
        "alert_bpm=3",
        "signals.fever=3",
        "nonsense",
        "athlet.sex=male",
    )
    expected = [
        ("strava.client_secret: changes no verdict", "[athlete]"),
        ("athlete.units: changes no verdict", "[athlete]"),
        ("alert_bpm: must name its table", "signals.fever.alert_bpm"),
        ("signals.fever: must be a table and a key", "such as"),
        ("nonsense: must name its table", "such as"),
        ("[athlet]: unknown table", "did you mean athlete?"),
        ("[signals.fever] alert: unknown key", "did you mean alert_bpm?"),
        ("[signals.fevr]: unknown signal", "did you mean fever?"),
        ("[signals.fever] runs:", "whole number"),
        ("[athlete] threshold_heart_rate: 200 bpm must be below", "190"),
    ]
    for start, hint in expected:
        assert any(p.startswith(start) and hint in p for p in found), (start, found)
    assert len(found) == len(expected)
    assert "guess" not in " ".join(found) and "hush" not in " ".join(found)


def test_one_setting_given_twice_is_a_slip() -> None:
    assert problems("signals.fever.runs=3", "signals.fever.runs=4") == ("signals.fever.runs: given twice",)


def test_settings_are_shown_as_they_were_typed_and_as_they_hold() -> None:
    typed = (
        "signals.fever.alert_bpm=3",
        "athlete.timezone=Europe/Berlin",
        'athlete.sex = "male"',
        "alerts.all_clear=false",
    )
    assert as_typed(typed) == {
        "signals.fever.alert_bpm": 3,
        "athlete.timezone": "Europe/Berlin",
        "athlete.sex": "male",
        "alerts.all_clear": False,
    }
    assert current(read(), "signals.fever.runs") == 9
    assert current(read(), "athlete.sex") is None
    assert current(read(*typed), "athlete.sex") == "male"


@given(st.floats(1e-6, 1e6), st.integers(1, 10**6), st.booleans())
def test_trying_a_value_is_writing_it_into_the_file(bpm: float, runs: int, enabled: bool) -> None:
    tried = read(
        f"signals.fever.alert_bpm={bpm}",
        f"signals.fever.runs={runs}",
        f"signals.fever.enabled={str(enabled).lower()}",
    )
    assert tried.signals["fever"] == Fever(enabled, bpm, runs)


KEYS = [f"{name}.{f.name}" for name, table in TABLES.items() for f in fields(table)]
TYPED = st.one_of(
    st.text(max_size=30),
    st.builds(
        "{}={}".format,
        st.sampled_from(
            [*KEYS, *(f"signals.fever.{f.name}" for f in fields(Fever)), "signals", "signals.fever", "a.b.c.d"]
        ),
        st.one_of(
            st.text(max_size=8), st.sampled_from(["1", "-1", "nan", "1e999", "[1]", "{}", "2026-11-02", '"', "off"])
        ),
    ),
)


@settings(max_examples=300)
@given(st.lists(TYPED, max_size=4), st.sampled_from(["", FILE, "signals = 3", "athlete = 3", "[signals]\nfever = 3"]))
def test_whatever_is_typed_the_answer_is_a_configuration_or_its_problems(typed: list[str], file: str) -> None:
    try:
        tried: Any = read(*typed, file=file)
    except ConfigError as error:
        assert error.problems
        assert not any("\n" in problem for problem in error.problems)
    else:
        assert len([current(tried, key) for key in as_typed(typed)]) == len(typed)
