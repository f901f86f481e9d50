"""`pullback import`: an export or recordings taken in by hand, judged and told. What it does is decided in the rooms
below."""

import os
import pwd
import sys
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from datetime import tzinfo
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.cli import show
from daemon.cli.session import Session, athlete
from daemon.errors import UserError
from daemon.harmless import one_line

if TYPE_CHECKING:
    from daemon.importer.bringing import Outcome
    from daemon.recordings.members import Skipped
    from daemon.store import Store

A_HANDFUL = 5
"""So many files skipped for one reason are named; of more, some and how many."""
EXAMPLES = 3
MANY = 200
"""Judging so many runs is said to take a while [ENG; 837 took 25 seconds]."""
LABEL_LENGTH = 160
"""A file's name that is longer is cut."""


def command(
    context: typer.Context,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH…",
            help="A Strava export (the zip as it came, or its folder), recordings (.fit, .tcx, .gpx, each also .gz), "
            "folders of them.",
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read everything, say what would be done, do nothing.")] = (
        False
    ),
) -> None:
    """Take in runs from a Strava export or from a watch's files, and judge them. Importing again changes nothing.

    A run that was deleted at Strava stays deleted, unless its file itself is named here.
    """
    session: Session = context.obj
    named = [Path(os.path.abspath(path)) for path in paths] if os.geteuid() == 0 else paths
    before = os.geteuid()
    with ExitStack() as opened:
        store = None
        try:
            config = session.config()
            if os.geteuid() != before:
                must_be_readable(named)
            store = opened.enter_context(session.store())
            _import(session, store, named, config.athlete.timezone, dry_run)
        except KeyboardInterrupt:
            show.out([show.Line(_interrupted(store, dry_run))], sys.stderr)
            raise


def _import(session: Session, store: "Store", named: Sequence[Path], zone: tzinfo | None, dry_run: bool) -> None:
    from daemon.importer.bringing import bring

    with show.progress("Reading", "files") as advance:
        outcome = bring(store, named, session.clock, zone=zone, dry_run=dry_run, advance=advance)
    show.out([show.Line(line, hang=2) for line in [*skipped(outcome.skipped), *partly(outcome.partly)]])
    if not outcome.anything:
        raise UserError("nothing could be imported; name a Strava export, or .fit, .tcx or .gpx files")
    if dry_run:
        show.out([show.Line(line, hang=2) for line in [*summary(outcome), *foreseen(outcome)]])
    else:
        _judge(session, store, outcome)


def _judge(session: Session, store: "Store", outcome: "Outcome") -> None:
    """Judges with what came, tells today's state (and no older one), and says what comes next."""
    from daemon.cli.sync import tell
    from daemon.evaluate import evaluate, note_look
    from daemon.store import activities, grants

    athlete_id, config = athlete(store), session.config()
    assert athlete_id is not None
    with store.read() as reading:
        runs = activities.counts(reading, athlete_id)["runs"]
    with show.progress(_judging(runs)):
        evaluated = evaluate(store, athlete_id, config, session.clock.now())
    delivered = tell(session, config, store)
    note_look(store, athlete_id, config, session.clock.now(), "well")
    with store.read() as reading:
        doubles = activities.doubles(reading, grants.whose(reading, athlete_id))
    new = {*outcome.runs, *outcome.other_sports, *outcome.no_sport}
    # A better recording of a run that was known before is no new run either.
    again = {*doubles, *(better for number, better in doubles.items() if number not in new)}
    parts = [show.Line(line, hang=2) for line in summary(outcome, again)]
    if evaluated.verdict is not None:
        parts.append(show.Line(evaluated.verdict.headline))
    if delivered.sent or delivered.failed:
        parts.append(show.Line(f"Alerts: {delivered.sent} sent, {delivered.failed} failed (tried again later)"))
    parts.append(show.Line("Next: `pullback replay` shows what it would have said, `pullback status` where you stand."))
    show.out(parts)


def _judging(runs: int) -> str:
    """Nothing moves meanwhile, so what takes long is said to."""
    return f"Judging {runs} {'run' if runs == 1 else 'runs'}{', up to a minute' if runs >= MANY else ''} …"


def _interrupted(store: "Store | None", dry_run: bool) -> str:
    """What of it is kept, also where it had only begun and no `store` was open."""
    if dry_run:
        return "Interrupted: nothing was stored."
    athlete_id = None if store is None else athlete(store)
    if store is None or athlete_id is None:
        return "Interrupted: nothing was kept yet; the same command begins again."
    from daemon.store import activities

    with store.read() as reading:
        runs = activities.counts(reading, athlete_id)["runs"]
    return f"Interrupted: {runs} {'run is' if runs == 1 else 'runs are'} kept; the same command goes on from there."


def summary(outcome: "Outcome", again: Collection[int] = ()) -> list[str]:
    """What one import did, in a line or two; of its activities those in `again` are known by another recording."""
    runs, others, unnamed = (
        [number for number in numbers if number not in again]
        for numbers in (outcome.runs, outcome.other_sports, outcome.no_sport)
    )
    new = (outcome.runs, outcome.other_sports, outcome.no_sport)
    twice = sum(map(len, new)) - len(runs) - len(others) - len(unnamed)
    counts = (
        (len(runs), "new run", "new runs"),
        (len(others), "activity of another sport", "activities of other sports"),
        (len(unnamed), "activity whose file names no sport", "activities whose files name no sport"),
        (twice, "other recording of the same activity", "other recordings of the same activities"),
        (outcome.rerecorded, "known run got its better recording", "known runs got their better recordings"),
        (outcome.improved, "known activity has more to it now", "known activities have more to them now"),
        (outcome.known, "already known", "already known"),
        (outcome.dropped, "older reading of a file dropped", "older readings of files dropped"),
        (outcome.deleted, "deleted at Strava, left out", "deleted at Strava, left out"),
        (len(outcome.skipped), "skipped", "skipped"),
    )
    lines = [", ".join(f"{count} {one if count == 1 else many}" for count, one, many in counts if count)]
    if outcome.first is not None and outcome.last is not None:
        lines.append(f"The activities reach from {outcome.first} to {outcome.last}.")
    return lines


def foreseen(outcome: "Outcome") -> list[str]:
    """What a dry run says of itself: which of the new activities are one and the same only their recordings tell."""
    lines = ["Nothing was stored. Leave out --dry-run to import."]
    if outcome.perhaps:
        those = "1 of the new ones looks" if outcome.perhaps == 1 else f"{outcome.perhaps} of the new ones look"
        again = "another recording" if outcome.perhaps == 1 else "other recordings"
        lines.insert(0, f"By the clock {those} like {again} of the same; the import compares them and says.")
    return lines


def skipped(files: Sequence["Skipped"]) -> list[str]:
    """A line for each file that couldn't be used; where there are many with one reason, some and a number."""
    return [f"Skipped {line}" for line in partly(files)]


def partly(files: Sequence["Skipped"]) -> list[str]:
    """A line for each file and what is the matter with it; where there are many with one reason, some and a number."""
    lines = []
    for why, group in groupby(sorted(files, key=lambda file: (file.why, file.label)), key=lambda file: file.why):
        same = [file.label for file in group]
        named = same if len(same) <= A_HANDFUL else same[:EXAMPLES]
        lines += [f"{one_line(label, LABEL_LENGTH)}: {why}" for label in named]
        if len(named) < len(same):
            lines.append(f"{len(same) - len(named)} more: {why}")
    return lines


def must_be_readable(paths: Sequence[Path]) -> None:
    """Root's command became the service's user, who may not look everywhere. Raises UserError that says what to do."""
    user = pwd.getpwuid(os.geteuid()).pw_name
    for path in paths:
        try:
            readable = os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0))
            hidden = not readable and path.exists()
        except PermissionError:
            hidden = True
        if hidden:
            raise UserError(
                f"the user {user}, as whom pullback's commands run here, may not read {path}; lend it a copy: "
                f"sudo cp -r {path} /var/tmp/ && sudo chown -R {user} /var/tmp/{path.name} "
                f"&& sudo pullback import /var/tmp/{path.name}"
            )
