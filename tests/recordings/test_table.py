"""The table of an export: whatever language, layout and way of writing numbers, it says what was true."""

import csv
import io
import random
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.recordings.dates import read_dates
from daemon.recordings.errors import Unreadable
from daemon.recordings.numbers import decimal_marks, read_numbers
from daemon.recordings.table import Table, read_table
from tests.fuzzing import tries
from tests.recordings.export_writer import (
    LANGUAGES,
    ORDER,
    RUN,
    Style,
    Truth,
    comma,
    plain,
    runner,
    spaced,
    written,
)

REAL = Path(__file__).parents[2] / "../shared/data/export_csv"
# Our words, and what the program calls them.
FACTS = {
    **{"metres": "distance_m", "moving": "moving_time_s", "elapsed": "elapsed_time_s", "up": "elevation_gain_m"},
    **{"hr": "average_heart_rate_bpm", "t": "average_temperature_c", "rpe": "perceived_exertion"},
    **{"air": "weather_temperature_c", "dew": "dew_point_c"},
}


def garbled(word: str) -> str:
    """The name of a column in a language that nobody knows."""
    return "q" + word.rstrip("-")[::-1]


def check(table: Table, truth: list[Truth], words: set[str], may_lack: frozenset[str] = frozenset()) -> None:
    assert not table.skipped
    assert [row.activity.id for row in table.rows] == [one.id for one in truth]
    for row, one in zip(table.rows, truth, strict=True):
        assert row.activity.start == one.start
        assert row.filename == one["file"]
        for word in words:
            found = getattr(row.activity, FACTS[word])
            assert found == one[word] or (word in may_lack and found is None), (word, found, one[word])


STYLES = [(plain, plain, ","), (comma, plain, ","), (spaced, plain, ","), (comma, comma, ";"), (spaced, spaced, "\t")]


@tries(14)
@given(
    st.integers(0, 10**6),
    st.sampled_from(LANGUAGES),
    st.booleans(),
    st.sampled_from(STYLES),
    st.sampled_from(("\n", "\r\n")),
    st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")),
    st.booleans(),
)
def test_an_export_in_any_language_says_what_was_true(
    seed: int,
    language: str,
    mile: bool,
    numbers: tuple[object, ...],
    newline: str,
    encoding: str,
    with_media: bool,
) -> None:
    truth = runner(random.Random(seed), 30, language)
    order = tuple(ORDER if with_media else ORDER[:98])
    first, rest, separator = numbers
    style = Style(language, order, garbled, mile, first, rest, separator, newline, encoding)  # type: ignore[arg-type]
    table = read_table(written(truth, style))
    check(table, truth, set(FACTS))
    for row, one in zip(table.rows, truth, strict=True):
        assert row.activity.name == one["name"]
        assert row.activity.max_heart_rate_bpm == one["hrmax"]
        assert row.activity.has_heart_rate == (one["hr"] is not None)
        assert row.activity.manual == (one["file"] is None)
        assert row.activity.source == "export"
        known = {"Kayaking": "Kayaking", RUN.get(language, "Run"): "Run"}
        assert row.activity.sport == known.get(str(one["type"]), "Xyzzy")


@pytest.mark.parametrize("seed", range(16))
def test_columns_that_are_missing_or_new_move_nothing_else(seed: int) -> None:
    """Up to sixteen of Strava's columns gone, some new ones between, and no name known: what a run was stays true,
    and what could be another column is left out."""
    rng = random.Random(seed)
    truth = runner(rng, 60, rng.choice(LANGUAGES))
    needed = {"id", "date", "name", "type", "file", "elapsed", "moving", "metres"}
    gone = {word for word in rng.sample(ORDER, 16) if word not in needed}
    order = [word for word in ORDER if word not in gone]
    new = {}
    for word, cells in (("steps?", lambda: str(rng.randint(0, 200))), ("who?", lambda: rng.choice(("a", "the b")))):
        order.insert(rng.randrange(len(order)), word)
        new[word] = [cells() for _ in truth]
    style = Style(LANGUAGES[seed % len(LANGUAGES)], tuple(order), garbled, first_block=comma)
    table = read_table(written(truth, style, new))
    check(table, truth, {"metres", "moving", "elapsed"})
    check(table, truth, {"hr"} - gone, frozenset({"hr"}))


def test_blocks_in_another_order_are_found_by_what_they_hold() -> None:
    truth = runner(random.Random(5), 80)
    block = ORDER[54:70]  # the weather
    order = [*ORDER[:13], *block, *(word for word in ORDER[13:] if word not in block)]
    check(read_table(written(truth, Style(order=tuple(order), name_of=garbled))), truth, set(FACTS))


@pytest.mark.skipif(not REAL.exists(), reason="the real tables aren't beside this tree")
@pytest.mark.parametrize("name", ["en_87_columns.csv", "en_99_columns.csv", "es_103_columns.csv"])
def test_real_tables_are_read_alike_with_and_without_their_names(name: str) -> None:
    data = (REAL / name).read_bytes()
    named = read_table(data)
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert len(named.rows) == len(rows) - 1
    assert not named.skipped
    out = io.StringIO()
    csv.writer(out).writerows([[f"x{i}" for i in range(len(rows[0]))], *rows[1:]])
    assert read_table(out.getvalue().encode()) == named
    for row, cells in zip(named.rows, rows[1:], strict=True):
        assert (row.activity.id, row.activity.distance_m) == (int(cells[0]), float(cells[17]))
        assert (row.activity.elapsed_time_s, row.activity.moving_time_s) == (int(cells[5]), float(cells[16]))
        average = float(cells[31] or 0)
        # Two of them say 0 and 3 beats a minute.
        assert row.activity.average_heart_rate_bpm == (average if average > 25 else None)
        assert row.activity.dew_point_c == (float(cells[58]) if cells[58] else None)


def test_a_spanish_afternoon_with_a_narrow_space() -> None:
    assert read_dates(["2 ago 2026, 12:20:32\u202fp.m."], [1]) == [datetime(2026, 8, 2, 12, 20, 32, tzinfo=UTC)]
    assert read_dates(["1 ago 2026, 12:53:54\u202fa.m."], [1]) == [datetime(2026, 8, 1, 0, 53, 54, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("texts", "days"),
    [
        (["3/4/2024 08:00", "5/4/2024 08:00", "4/5/2024 08:00"], [(4, 3), (4, 5), (5, 4)]),  # day first, by the ids
        (["4/3/2024 08:00", "4/5/2024 08:00", "5/4/2024 08:00"], [(4, 3), (4, 5), (5, 4)]),  # month first, by the ids
        (["4/30/24, 7:00 AM"], [(4, 30)]),
        (["2024-04-30T07:00:00Z", "2024-05-01 07:00:00 UTC"], [(4, 30), (5, 1)]),
        (["30 lis 2024, 07:00:00"], [(11, 30)]),  # Polish, not the Croatian October
        (["30 de abr. de 2024, 07:00:00", "9 de set. de 2024, 07:00:00"], [(4, 30), (9, 9)]),
    ],
)
def test_days_and_months_aren_t_mixed_up(texts: list[str], days: list[tuple[int, int]]) -> None:
    assert [(at.month, at.day) if at else None for at in read_dates(texts, list(range(len(texts))))] == days


def test_what_is_no_date_is_none() -> None:
    texts = ["", "yesterday", "31 Feb 2024, 10:00:00", "Feb 3, 2024", "1" * 500, "32.13.2024 25:61:61", "٣"]
    texts.append("14. jul. 2020 22.36.55555555555")  # found by fuzzing: more seconds than a clock can hold
    assert read_dates(texts, [None] * len(texts)) == [None] * len(texts)


def test_a_thousand_and_a_bit_more_than_one_are_told_apart_by_the_neighbours() -> None:
    german, raw = ["1.234", "2.500"], ["1.234", "2.500"]
    columns = [german, ["9,75", "10,00"], raw, ["4.5", "13000.25"]]
    marks = decimal_marks(columns)
    assert [list(read_numbers(*column)) for column in zip(columns, marks, strict=True)] == [
        [1234.0, 2500.0],
        [9.75, 10.0],
        [1.234, 2.5] if marks[2] == "." else [1234.0, 2500.0],
        [4.5, 13000.25],
    ]
    assert marks[0] == ","


def test_one_broken_row_stops_nothing() -> None:
    truth = runner(random.Random(3), 12)
    lines = list(csv.reader(io.StringIO(written(truth, Style()).decode(), newline="")))
    lines[2][1] = "someday"
    lines[3][0] = "1.95698E+10"
    lines[4][0] = lines[1][0]
    lines[5][0] = ""
    lines[6] = lines[6][:20]
    lines[7] = [cell if i not in (5, 12, 15, 16) else "" for i, cell in enumerate(lines[7])]
    out = io.StringIO()
    csv.writer(out).writerows(lines)
    table = read_table(out.getvalue().encode())
    assert len(table.rows) == 6
    assert table.skipped == (
        "row 3: a date it doesn't understand",
        "row 4: a spreadsheet rounded the ids; import the table as Strava made it",
        "row 5: an id that came before",
        "row 6: no id",
        "row 7: 20 columns where the table has 103: it is cut off or broken",
        "row 8: no time",
    )


def test_impossible_numbers_are_nobody_s_heart_rate() -> None:
    truth = runner(random.Random(3), 60)
    truth[9].cells |= {
        "hr": 1e9,
        "hrmax": -3.0,
        "hrmax-": 9999.0,
        "air": 500.0,
        "rpe": 77.0,
        "up": -1e30,
        "metres": 1e17,
    }
    activity = read_table(written(truth, Style())).rows[9].activity
    assert activity.average_heart_rate_bpm is None
    assert activity.max_heart_rate_bpm is None
    assert activity.weather_temperature_c is None
    assert activity.perceived_exertion is None
    assert activity.elevation_gain_m is None
    assert activity.distance_m == pytest.approx(truth[9]["km"] * 1000, abs=6)  # the other column has it
    assert activity.end > activity.start


def test_ids_that_a_spreadsheet_rounded_are_said() -> None:
    rows = list(csv.reader(io.StringIO(written(runner(random.Random(3), 9), Style()).decode(), newline="")))
    out = io.StringIO()
    csv.writer(out).writerows([rows[0], *([f"{int(row[0]):.5E}", *row[1:]] for row in rows[1:])])
    with pytest.raises(Unreadable, match="a spreadsheet rounded the ids"):
        read_table(out.getvalue().encode())


def test_an_account_without_activities_has_an_empty_table() -> None:
    assert read_table(written([], Style())) == Table((), ())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 5000,
        b"\xff\xfe",
        b"name,age\nA,3\n",
        b"a,b,c,d,e,f\n" + b"1,2,3,4,5,6\n" * 50,
        b'"' + b"x" * 300_000,
        b"," * 100_000,
        bytes(range(256)) * 40,
    ],
    ids=["empty", "zeros", "mark", "other", "numbers", "quote", "wide", "bytes"],
)
def test_what_is_no_table_is_said_in_one_line(data: bytes) -> None:
    with pytest.raises(Unreadable, match=r"^it isn't the activities\.csv"):
        read_table(data)


GOOD = written(runner(random.Random(1), 6), Style())


def test_a_hundred_columns_that_could_be_anything_are_told_apart_in_seconds() -> None:
    """Humidity of any air, speed of any time: what is compared by threes must not be compared for a minute."""
    draws = np.random.default_rng(1)
    columns = [np.round(draws.uniform(0.2, 1.0, 3000), 3).astype(str) for _ in range(101)]
    ids, dates = range(10**9, 10**9 + 3000), [f"2019-{n % 12 + 1:02}-{n % 28 + 1:02} 07:00:00" for n in range(3000)]
    lines = [",".join(f"c{n}" for n in range(103))]
    lines += [",".join(map(str, row)) for row in zip(ids, dates, *columns, strict=True)]
    began = time.process_time()
    with suppress(Unreadable):
        read_table("\n".join(lines).encode())
    assert time.process_time() - began < 5.0


@tries(40)
@given(st.data())
def test_no_damage_makes_it_stumble(data: st.DataObject) -> None:
    broken = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(broken) - 1))
        end = at + data.draw(st.integers(0, 40))
        broken[at:end] = data.draw(
            st.binary(max_size=12) | st.sampled_from((b'"', b"\n", b",", b"1e400", b"nan", b"-"))
        )
        if not broken:
            break
    try:
        table = read_table(bytes(broken))
    except Unreadable as why:
        assert "\n" not in str(why)
    else:
        for row in table.rows:
            assert row.activity.end >= row.activity.start
