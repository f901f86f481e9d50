"""Whatever bytes the configuration holds: it can be used, or each problem is one line that names its place."""

import re
from pathlib import Path
from typing import Any, get_type_hints

from hypothesis import example, given
from hypothesis import strategies as st

from daemon.config import Config, database_path, load
from daemon.config.model import TABLES
from daemon.errors import ConfigError, UserError
from daemon.notify import parts, problem_with
from daemon.signals import SignalParams
from tests.fuzzing import tries

EXAMPLE = (Path(__file__).parents[2] / "config.example.toml").read_text("utf-8")
SIGNALS = get_type_hints(SignalParams)
PLACED = re.compile(
    r"not valid TOML: .*(\(at (line \d+, column \d+|end of document)\)|recursion|digits)"
    r"|not UTF-8 text \(byte \d+\)|\[[^]]+\]|\S+: "
)
SECRET = "f00dfeed5ecret"
OF_SECRETS = ("[strava] client_secret", "[alerts] urls", "[heartbeat] url", "[web] token")

SCALARS = st.one_of(
    st.sampled_from(
        ["true", "false", "nan", "-inf", "1e999", "0x7fffffffffffffffffff", "9" * 5000, "-1", "0",
         "1979-05-27T07:32:00Z", "07:32:00", "1979-05-27", '""', "''", '"off"', '"20m"', '"0s"', '"999999w"',
         '"22:00-22:00"', '"::1:80"', '"http://[::1"', '"https://a:b@c:99999/"', '"sqlite:////"', '"/"',
         '"sqlite:////tmp/%00"', '"\\u0000"', '"\\ud800"', '"sunday 24:00"', '"Europe"', '"../../etc/passwd"',
         f'"{SECRET}"', f'"json://{SECRET}@h/?verify=no"', f'"mailto://{SECRET}:{SECRET}@"', f'"nosuch://{SECRET}"',
         '"tgram://"', '"mailto://a:b@c?x=%ff"'],
    ),
    st.integers(-(10**25), 10**25).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(
        lambda text: '"' + "".join(f"\\U{ord(letter):08x}" for letter in text) + '"'
    ),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
        st.dictionaries(st.sampled_from(["url", "minimum", "kinds", "a", '"b\\nc"']), inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        ),
    ),
    max_leaves=6,
)
KEYS = [(name, key) for name, table in (TABLES | SIGNALS).items() for key in get_type_hints(table)]


def written(path: Path, content: bytes) -> None:
    """Loads it as the daemon does, and judges what is said."""
    config = path / "config.toml"
    config.write_bytes(content)
    try:
        read: Any = load(config, environ={}, check_url=problem_with, parts_of=parts, signal_tables=SIGNALS)
    except ConfigError as error:
        assert error.problems
        for problem in error.problems:
            assert PLACED.match(problem), problem
            assert "\n" not in problem and problem.isprintable() and len(problem) < 500, problem
            assert SECRET not in problem or not problem.startswith(OF_SECRETS), problem
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert isinstance(read, Config)
        assert database_path(read, {"STATE_DIRECTORY": "/nowhere"}).is_absolute()
        assert not [secret for secret in read.secrets() if secret in repr(read) and len(secret) > 8]


@tries(200)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1, max_size=6))
@example({("alerts", "urls_file"): f'"ntfy://{SECRET}"'})
@example({("strava", "client_secret_file"): f'"{SECRET}"'})
def test_whatever_a_key_is_set_to(tmp_path: Path, given_values: dict[tuple[str, str], str]) -> None:
    tables: dict[str, list[str]] = {}
    for (table, key), value in given_values.items():
        header = f"signals.{table}" if table in SIGNALS else table
        tables.setdefault(header, []).append(f"{key} = {value}")
    written(tmp_path, "\n".join(line for name, lines in tables.items() for line in [f"[{name}]", *lines]).encode())


@tries(150)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(EXAMPLE)), st.integers(0, 12), st.one_of(st.binary(max_size=6), VALUES.map(str.encode))
        ),
        min_size=1,
        max_size=4,
    ),
    st.booleans(),
)
@example([(0, 0, 600 * b"a" + b" = 1\n[" + 600 * b"9" + b"]\n")], False)
def test_an_example_that_a_cat_walked_over(
    tmp_path: Path, changes: list[tuple[int, int, bytes]], uncommented: bool
) -> None:
    text = re.sub(r"(?m)^# (?=\w+ = )", "", EXAMPLE) if uncommented else EXAMPLE
    content = text.encode()
    for at, length, put in changes:
        content = content[:at] + put + content[at + length :]
    written(tmp_path, content)


@tries(150)
@given(st.one_of(st.binary(max_size=80), st.text("[]{}=\"'\\\n.,# ab1", max_size=60).map(str.encode)))
def test_any_bytes_at_all(tmp_path: Path, content: bytes) -> None:
    written(tmp_path, content)
