"""What an operator may write into config.toml, and what is said when it can't be right."""

import string
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import time, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.config import (
    Config,
    Digest,
    QuietHours,
    database_path,
    find,
    format_duration,
    load,
    parse,
    parse_duration,
)
from daemon.config.model import TABLES, AthleteConfig
from daemon.errors import ConfigError, UserError


@dataclass(frozen=True)
class Fever:
    """A detector's parameters, as `daemon.signals` would declare them."""

    enabled: bool = True
    alert_bpm: float = 5.0
    runs: int = 8
    window: timedelta = timedelta(weeks=12)
    cap_bpm: float | None = None
    mode: Literal["gentle", "strict"] = "gentle"


TABLES_OF_SIGNALS = {"fever": Fever}


def no_such_service(url: str) -> str | None:
    """Stands where apprise's checker does: only ntfy and mailto exist."""
    return None if url.startswith(("ntfy://", "ntfys://", "mailto://")) else f"{url} names no service apprise knows"


def read(text: str, environ: Mapping[str, str] | None = None) -> Config:
    return parse(
        text,
        environ=environ or {},
        where="config.toml",
        check_url=no_such_service,
        signal_tables=TABLES_OF_SIGNALS,
    )


def problems(text: str, environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read(text, environ)
    return caught.value.problems


def test_an_empty_file_is_a_complete_configuration() -> None:
    config = read("")
    assert config.strava.base_url == "https://www.strava.com"
    assert config.strava.api_url == "https://www.strava.com/api/v3"
    assert config.strava.backfill == timedelta(weeks=52)
    assert config.schedule.poll == timedelta(minutes=20)
    assert config.schedule.digest is None
    assert (config.alerts.minimum, config.alerts.all_clear) == ("pull_back", True)
    assert config.alerts.stale_after == timedelta(days=7)
    assert config.alerts.quiet_hours is None
    assert config.alerts.remind_after is None
    assert config.privacy.raw_retention_days == 7
    assert config.backup.keep == 7
    assert config.signals == {"fever": Fever()}
    assert config.athlete == AthleteConfig(units="auto")


def test_every_key_is_read() -> None:
    config = read(
        """
        [strava]
        client_id = 12345
        client_secret = "s3cret"
        base_url = "http://127.0.0.1:8000/"
        api_url = "http://localhost:8000/api/v3"
        backfill = "26w"
        [athlete]
        max_heart_rate = 191
        resting_heart_rate = 48
        threshold_heart_rate = 172
        sex = "female"
        timezone = "Europe/Berlin"
        units = "imperial"
        [database]
        url = "sqlite:////var/lib/pullback/pullback.db"
        [schedule]
        poll = "1h30m"
        digest = "Sunday 18:00"
        [signals.fever]
        enabled = false
        alert_bpm = 6
        window = "8w"
        cap_bpm = 170.5
        mode = "strict"
        [alerts]
        urls = ["ntfys://runs", {url = "mailto://me@example.org", minimum = "watch", kinds = ["pull_back"]}]
        quiet_hours = "22:00-07:00"
        minimum = "watch"
        remind_after = "14d"
        all_clear = false
        stale_after = "10d"
        [privacy]
        raw_retention_days = 0
        [heartbeat]
        url = "https://hc-ping.com/1234"
        [backup]
        keep = 3
        [web]
        listen = "[::1]:8080"
        token = "t0ken"
        """
    )
    assert (config.strava.client_id, config.strava.client_secret) == (12345, "s3cret")
    assert config.strava.missing() is None
    assert config.strava.base_url == "http://127.0.0.1:8000"
    assert config.schedule.poll == timedelta(hours=1, minutes=30)
    assert config.schedule.digest == Digest(6, time(18))
    assert config.signals["fever"] == Fever(False, 6.0, 8, timedelta(weeks=8), 170.5, "strict")
    assert str(config.athlete.timezone) == "Europe/Berlin"
    assert [c.url for c in config.alerts.urls] == ["ntfys://runs", "mailto://me@example.org"]
    assert (config.alerts.urls[1].minimum, config.alerts.urls[1].kinds) == ("watch", ("pull_back",))
    assert config.alerts.quiet_hours == QuietHours(time(22), time(7))
    assert config.alerts.remind_after == timedelta(days=14)
    assert config.web.listen == ("::1", 8080)
    assert config.backup.keep == 3


def test_all_problems_come_at_once_each_with_its_key() -> None:
    found = problems(
        """
        poll = "20m"
        [strava]
        client_idd = 1
        base_url = "http://strava.example.org"
        [schedul]
        [athlete]
        timezone = "Europe/Berln"
        max_heart_rate = 400
        poll = "20m"
        [signals.fevr]
        [signals.fever]
        mode = "mild"
        [alerts]
        urls = ["ntfy://fine", "nfty://oops"]
        quiet_hours = "22-7"
        """
    )
    expected = [
        ("poll: stands outside any table", "[schedule]"),
        ("[schedul]: unknown table", "did you mean schedule?"),
        ("[strava] client_idd: unknown key", "did you mean client_id?"),
        ("[strava] base_url:", "https://"),
        ("[athlete] timezone:", "did you mean Europe/Berlin?"),
        ("[athlete] max_heart_rate:", "from 100 to 240"),
        ("[athlete] poll: unknown key", "it belongs in [schedule]"),
        ("[signals.fevr]: unknown signal", "did you mean fever?"),
        ("[signals.fever] mode:", '"gentle" or "strict"'),
        ("[alerts] urls, channel 2:", "names no service"),
        ("[alerts] quiet_hours:", "22:00-07:00"),
    ]
    for start, hint in expected:
        assert any(p.startswith(start) and hint in p for p in found), (start, found)
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ('[schedule]\npoll = "20 minutes"', "20m"),
        ("[schedule]\npoll = 20", "20m"),
        ('[schedule]\npoll = "5s"', "between 1m and 7d"),
        ('[schedule]\ndigest = "someday 18:00"', "sunday 18:00"),
        ('[schedule]\ndigest = "sunday 25:00"', "sunday 18:00"),
        ('[alerts]\nquiet_hours = "22:00-22:00"', "different"),
        ('[alerts]\nminimum = "loud"', '"pull_back" or "watch"'),
        ('[alerts]\nall_clear = "yes"', "true or false"),
        ('[alerts]\nurls = "ntfy://x"', "must be a list"),
        ("[alerts]\nurls = [7]", "apprise URL"),
        ('[alerts]\nurls = [{url = "ntfy://x", kinds = ["pullback"]}]', "pull_back, watch"),
        ('[alerts]\nurls = [{url = "ntfy://x", kind = ["a"]}]', "did you mean kinds?"),
        ('[athlete]\ntimezone = "Mars/Base"', "Europe/Berlin"),
        ('[athlete]\ntimezone = "Europe"', "time zone"),
        ('[athlete]\ntimezone = "../../etc/passwd"', "time zone"),
        ('[athlete]\nsex = "f"', '"female" or "male"'),
        ("[athlete]\nmax_heart_rate = true", "whole number"),
        ("[athlete]\nmax_heart_rate = 150\nthreshold_heart_rate = 170", "must be below max_heart_rate"),
        ("[strava]\nclient_id = 0", "settings/api"),
        ('[strava]\nclient_secret_file = "secret.txt"', 'starting with "/"'),
        ('[database]\nurl = "sqlite:///pullback.db"', "sqlite:////var/lib"),
        ('[database]\nurl = "postgresql://host/db"', "sqlite:////var/lib"),
        ('[heartbeat]\nurl = "hc-ping.com/1234"', "https://"),
        ('[heartbeat]\nurl = "http://hc.example.org/1234"', "plain http only for localhost"),
        ('[strava]\napi_url = "http://192.168.1.5/api"', "plain http only for localhost"),
        ("[alerts]\nurls = ['ntfys://localhost/topic?verify=no']", "remove verify=no"),
        ("[alerts]\nurls = ['ntfys://example.org/t?format=text&Verify=False']", "remove verify=no"),
        ('[web]\nlisten = "8080"', "127.0.0.1:8080"),
        ('[signals.fever]\nwindow = "long"', "12" and "52w"),
        ("[signals.fever]\nalert_bpm = nan", "must be a number"),
        ("strava = 3", "[strava]"),
        ("signals = 3", "[signals.fever]"),
        ("[strava", "not valid TOML"),
    ],
)
def test_what_cannot_be_right_says_what_would_be(line: str, hint: str) -> None:
    found = problems(line)
    assert len(found) == 1
    assert hint in found[0]


def test_off_means_the_same_as_leaving_it_out() -> None:
    text = '[schedule]\ndigest = "off"\n[alerts]\nquiet_hours = false\nremind_after = "off"\n[heartbeat]\nurl = "off"'
    assert read(text) == read("")


# Secrets


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "strava_client_secret"
    path.write_text("from-a-file\n")
    return path


def test_the_secret_comes_from_any_one_source(secret_file: Path) -> None:
    by_file = read(f"[strava]\nclient_secret_file = '{secret_file}'")
    by_environment = read("", {"PULLBACK_STRAVA_CLIENT_SECRET": "from-the-environment"})
    by_credential = read("", {"CREDENTIALS_DIRECTORY": str(secret_file.parent)})
    assert by_file.strava.client_secret == by_credential.strava.client_secret == "from-a-file"
    assert by_environment.strava.client_secret == "from-the-environment"


def test_two_sources_at_once_are_a_problem_and_neither_is_shown(secret_file: Path) -> None:
    environ = {"CREDENTIALS_DIRECTORY": str(secret_file.parent)}
    (found,) = problems('[strava]\nclient_secret = "inline-one"', environ)
    assert "client_secret and by the credential strava_client_secret" in found
    assert "inline-one" not in found
    assert "from-a-file" not in found


def test_a_secret_file_that_is_missing_or_empty_says_so(tmp_path: Path) -> None:
    (missing,) = problems(f"[strava]\nclient_secret_file = '{tmp_path / 'nowhere'}'")
    assert "is not there" in missing
    (tmp_path / "empty").write_text("\n")
    (empty,) = problems(f"[strava]\nclient_secret_file = '{tmp_path / 'empty'}'")
    assert "one word" in empty


def test_without_client_id_or_secret_the_configuration_is_fine_and_names_what_is_missing() -> None:
    assert read("").strava.missing() == "[strava] client_id"
    assert read("[strava]\nclient_id = '7'").strava.missing() == "[strava] client_secret"


def test_channels_come_from_a_file_or_a_credential_too(tmp_path: Path) -> None:
    (tmp_path / "alert_urls").write_text("# phone\nntfys://runs\n\nmailto://me@example.org\n")
    by_file = read(f"[alerts]\nurls = []\nurls_file = '{tmp_path / 'alert_urls'}'")
    by_credential = read("", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert [c.url for c in by_file.alerts.urls] == ["ntfys://runs", "mailto://me@example.org"]
    assert by_credential.alerts.urls == by_file.alerts.urls
    (twice,) = problems(f"[alerts]\nurls = ['ntfy://a']\nurls_file = '{tmp_path / 'alert_urls'}'")
    assert "given twice" in twice


def test_no_secret_is_ever_shown() -> None:
    config = read(
        '[strava]\nclient_secret = "hush-1"\n[alerts]\nurls = ["ntfy://hush-2"]\n'
        '[heartbeat]\nurl = "https://hc-ping.com/hush-3"\n[web]\ntoken = "hush-4"'
    )
    assert "hush" not in repr(config)
    assert sorted(config.secrets()) == ["https://hc-ping.com/hush-3", "hush-1", "hush-4", "ntfy://hush-2"]
    wrong = problems(
        '[strava]\nclient_secret = "hush 1"\n[alerts]\nurls = ["teleg://hush-2"]\n'
        '[heartbeat]\nurl = "hush-3"\n[web]\ntoken = ["hush-4"]'
    )
    assert len(wrong) == 4
    assert "hush" not in " ".join(wrong)


# Files


def test_the_first_configuration_found_is_used(tmp_path: Path) -> None:
    own = tmp_path / ".config" / "pullback" / "config.toml"
    environ = {"HOME": str(tmp_path)}
    if not Path("/etc/pullback/config.toml").exists():
        with pytest.raises(UserError, match="pullback init"):
            find(None, environ)
        own.parent.mkdir(parents=True)
        own.write_text("")
        assert find(None, environ) == own
    named = tmp_path / "named.toml"
    named.write_text("")
    assert find(None, environ | {"PULLBACK_CONFIG": str(named)}) == named
    other = tmp_path / "other.toml"
    with pytest.raises(UserError, match=r"other\.toml"):
        find(other, environ | {"PULLBACK_CONFIG": str(named)})


def test_a_file_that_is_no_text_or_no_file_is_one_clear_sentence(tmp_path: Path) -> None:
    def open_it(path: Path) -> Config:
        return load(path, environ={}, check_url=no_such_service, signal_tables=TABLES_OF_SIGNALS)

    (tmp_path / "latin.toml").write_bytes(b'[athlete]\nsex = "\xe9"')
    with pytest.raises(ConfigError, match="not UTF-8"):
        open_it(tmp_path / "latin.toml")
    with pytest.raises(UserError, match="directory"):
        open_it(tmp_path)


def test_where_the_database_is(tmp_path: Path) -> None:
    assert database_path(read(""), {"STATE_DIRECTORY": f"{tmp_path}:/other"}) == tmp_path / "pullback.db"
    named = read('[database]\nurl = "sqlite:////srv/my%20runs.db"')
    assert database_path(named, {"STATE_DIRECTORY": str(tmp_path)}) == Path("/srv/my runs.db")


# Properties

KEYS = [(name, f.name) for name, table in TABLES.items() for f in fields(table)]


@given(st.sampled_from(KEYS), st.data())
def test_a_slip_of_the_finger_in_any_key_gets_the_right_suggestion(key: tuple[str, str], data: st.DataObject) -> None:
    table, name = key
    known = {f.name for f in fields(TABLES[table])}
    at = data.draw(st.integers(1, len(name) - 1))
    slip = data.draw(
        st.sampled_from(
            [
                name[:at] + name[at + 1 :],
                name[:at] + name[at - 1] + name[at:],
                name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :],
            ]
        ).filter(lambda s: len(s) >= 3 and s not in known)
    )
    (found,) = problems(f"[{table}]\n{slip} = 1")
    assert f"did you mean {name}?" in found


@given(st.sampled_from([*TABLES, "signals"]), st.sampled_from(string.ascii_lowercase))
def test_a_letter_too_many_in_a_table_gets_the_right_suggestion(table: str, letter: str) -> None:
    (found,) = problems(f"[{table}{letter}]")
    assert f"did you mean {table}?" in found


@given(st.integers(0, 10**8))
def test_durations_round_trip(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    assert parse_duration(format_duration(length)) == length


def test_durations_are_written_as_a_runner_would() -> None:
    written = ["20m", "1h30m", "7d", "52w", "8d", "90s"]
    assert [format_duration(parse_duration(text)) for text in written] == ["20m", "1h30m", "7d", "52w", "8d", "1m30s"]


SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(
        ["20m", "off", "22:00-07:00", "sqlite:////x/y", "http://[", "https://a:b", "/", "Europe/Berlin", "1:1"]
    ),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["url", "kinds", "minimum", "x"]), inner)
    ),
    max_leaves=4,
)


def toml(value: Any) -> str:
    """A value as TOML; enough of a writer for what the strategies above make."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return '"' + "".join(f"\\U{ord(c):08x}" for c in value if not 0xD800 <= ord(c) <= 0xDFFF) + '"'
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    return repr(value)


@settings(max_examples=300)
@given(
    st.dictionaries(
        st.sampled_from([*KEYS, ("signals", "fever"), ("signals", "x"), ("no", "where")]), VALUES, max_size=5
    )
)
def test_whatever_is_written_the_answer_is_a_configuration_or_its_problems(content: dict[tuple[str, str], Any]) -> None:
    by_table: dict[str, dict[str, Any]] = {}
    for (table, key), value in content.items():
        by_table.setdefault(table, {})[key] = value
    text = "\n".join(f"{table} = {toml(keys)}" for table, keys in by_table.items())
    try:
        assert isinstance(read(text), Config)
    except ConfigError as error:
        assert all(problem.startswith(("[", "no:")) and "\n" not in problem for problem in error.problems)


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_any_text_at_all_is_a_configuration_or_its_problems(text: str) -> None:
    try:
        assert isinstance(read(text), Config)
    except ConfigError as error:
        assert error.problems
        assert not any("\n" in problem for problem in error.problems)


def test_a_key_of_strange_letters_is_quoted_on_one_line() -> None:
    assert "\n" not in "".join(problems('"a\\nb" = 1\n["c\\nd"]\n[strava]\n"e\\nf" = 1\n[signals."g\\nh"]'))
