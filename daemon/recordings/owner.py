"""Whose export it is: the athlete's id, where the export tells. Reads one small file of it; decides nothing."""

import csv
import io
import re
from dataclasses import replace
from pathlib import PurePosixPath

from daemon.recordings.errors import Unreadable
from daemon.recordings.members import Member, read_member

PROFILE = "profile.csv"
_NAMED = re.compile(r"export_(\d{5,15})")
_A_DATE = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])")
_BEGINNING = 64 * 1024


def exported_athlete(table: Member) -> int | None:
    """The athlete whose activities `table` lists: by the profile beside it, else by the name Strava gave the export."""
    if table.inner is not None:
        profile = replace(table, inner=str(PurePosixPath(table.inner).with_name(PROFILE)), size=None)
        name = table.path.stem
    else:
        profile = replace(table, path=table.path.with_name(PROFILE), size=None)
        name = table.path.absolute().parent.name
    try:
        text = read_member(profile)[:_BEGINNING].decode("utf-8-sig", "replace")
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except (Unreadable, csv.Error):
        rows = []
    # Its first column is the athlete's id, in whatever language the heading is.
    number = rows[1][0].strip() if len(rows) > 1 and rows[1] else ""
    if number.isascii() and number.isdigit() and len(number) <= 15:
        return int(number)
    # A runner may have put the day into the name instead.
    named = _NAMED.fullmatch(name)
    return int(named[1]) if named and not _A_DATE.fullmatch(named[1]) else None
