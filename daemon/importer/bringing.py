"""One import: finds files, has them read, has `deciding` decide, and writes what comes of it in batches.

May not judge: it leaves a note of the earliest day whose facts changed.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, timedelta, tzinfo
from operator import itemgetter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from daemon.clock import Clock
from daemon.errors import UserError
from daemon.importer import deciding
from daemon.importer.deciding import Change, Clocks, Item, decide
from daemon.importer.readers import answers
from daemon.importer.work import Answer, Task
from daemon.recordings.errors import Unreadable
from daemon.recordings.members import Member, Skipped, beside, find, identity, key, read_member
from daemon.recordings.owner import exported_athlete
from daemon.recordings.table import TableRow, read_table
from daemon.store import Store, grants
from daemon.store import activities as rows
from daemon.store.imports import ImportedFile, held_by_files, imported, read_otherwise, save_imported
from daemon.store.progress import note_change, progress, save_progress
from daemon.values import UNKNOWN_SPORTS, Activity

log = logging.getLogger(__name__)

VERSION = 3
"""Raised whenever the readers would read the same file differently, so that an import reads it again."""

ROUTES = "routes"
"""The folder of an export in which planned routes lie: GPX files without times."""

BATCH = 50
"""Activities written in one transaction: what Ctrl-C loses at most."""

READY_SPAN = timedelta(weeks=26)
"""As in a pull: while recordings of the newest half year are still to come from Strava, nothing is judged."""


@dataclass(slots=True)
class Outcome:
    """What an import did, in activities; `skipped` names the files that couldn't be used and says why.

    `runs`, `other_sports` and `no_sport` (their files name none) are new. `improved` were known and know more now,
    and so do the `rerecorded`, runs with a better recording. `partly` names files of which something is
    left out, and says what. A dry run says how many of the new ones are `perhaps` other recordings of the same: what is
    recorded decides. `dropped` were found in the same files by older readers, and aren't any more. `first` and `last`
    are local days of everything in the files that counts.
    """

    runs: list[int] = field(default_factory=list)
    other_sports: list[int] = field(default_factory=list)
    no_sport: list[int] = field(default_factory=list)
    improved: int = 0
    rerecorded: int = 0
    known: int = 0
    deleted: int = 0
    dropped: int = 0
    perhaps: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    partly: list[Skipped] = field(default_factory=list)
    first: date | None = None
    last: date | None = None

    @property
    def anything(self) -> bool:
        """Whether anything could be used: taken in, or known already."""
        new = self.runs or self.other_sports or self.no_sport
        return bool(new or self.improved or self.rerecorded or self.known or self.deleted)


def bring(
    store: Store,
    paths: Sequence[Path],
    clock: Clock,
    *,
    zone: tzinfo | None,
    dry_run: bool = False,
    advance: Callable[[int, int], None] = lambda done, total: None,
    wait_s: float = 30.0,
) -> Outcome:
    """Takes in everything below `paths`. `zone` is the runner's where the configuration names it.

    A file named in `paths` is imported by hand: also where its run was deleted at Strava. `advance(done, total)` is
    told of every file. Raises UserError for another athlete's export, StoreError, and Busy where a pull goes on
    for `wait_s` seconds.
    """
    with store.only_one("pull", wait_s=wait_s):
        work = _Import(store, clock, {identity(Path(p)) for p in paths} - {None}, dry_run)
        work.begin(zone)
        members: list[Member] = []
        for found in find(paths):
            if isinstance(found, Skipped):
                work.outcome.skipped.append(found)
            else:
                members.append(found)
        work.read_tables([member for member in members if member.is_table])
        work.read_recordings([member for member in members if not work.passed_over(member)], advance)
        work.finish()
        return work.outcome


@dataclass
class _Import:
    """One import under way: the things every step needs, so that they aren't handed down one by one."""

    store: Store
    clock: Clock
    named: Collection[tuple[int, int] | None]
    dry_run: bool
    outcome: Outcome = field(default_factory=Outcome)
    athlete_id: int = grants.RUNNER
    has_table: bool = False
    listed: dict[tuple[str, str], list[Activity]] = field(default_factory=dict)
    told: dict[int, Activity] = field(default_factory=dict)
    older: set[int] = field(default_factory=set)
    bare: dict[int, Activity] = field(default_factory=dict)
    batch: dict[int, Item] = field(default_factory=dict)
    files: dict[str, ImportedFile] = field(default_factory=dict)
    routes: list[tuple[str, str]] = field(default_factory=list)
    new: dict[int, Activity] = field(default_factory=dict)
    guessed: set[int] = field(default_factory=set)

    def begin(self, zone: tzinfo | None) -> None:
        """Reads what is known before the import."""
        with self.store.read() as session:
            self.athlete_id = grants.athlete(session) or grants.RUNNER
            self.granted = grants.grant(session) is not None
            known = rows.known(session, self.athlete_id)
            facts = rows.by_id(session, self.athlete_id, known)
            self.exported = progress(session, self.athlete_id).exported or ""
            files = imported(session, self.athlete_id, VERSION)
            self.read_before = read_otherwise(session, self.athlete_id, VERSION)
        self.outdated = {number for ids in self.read_before.values() for number in ids}
        self.settled = {digest: (file.activities, file.problem) for digest, file in files.items()}
        self.gone = [facts[number] for number, held in known.items() if held.deleted]
        self.living = [facts[number] for number, held in known.items() if not held.deleted]
        self.days = {activity.id: activity.day for activity in self.living}
        self.tombstones = {number for number, held in known.items() if held.deleted}
        named = max(((a.start, a.timezone) for a in self.living if a.timezone), default=None)
        usual = ZoneInfo(named[1]) if named else None
        self.guessed = {a.id for a in self.living if a.offset_guessed}
        self.clocks = Clocks(zone, usual, {a.start: a.utc_offset_s for a in self.living if not a.offset_guessed})

    def read_tables(self, tables: Sequence[Member]) -> None:
        """What the exports say of their activities, of each the newest. Raises UserError where one is another's."""
        read = [(deciding.age(rows_of, table.changed), table, rows_of) for table, rows_of in self._readable(tables)]
        for age, table, rows_of in sorted(read, key=itemgetter(0), reverse=True):
            for row in rows_of:
                # Older exports may hold its recording all the same.
                if age < self.exported and row.activity.id not in self.told:
                    self.older.add(row.activity.id)
                activity = self.told.setdefault(row.activity.id, replace(row.activity, athlete_id=self.athlete_id))
                if row.filename is None:
                    self.bare[activity.id] = activity
                else:
                    self.listed.setdefault(beside(table, row.filename), []).append(activity)
        newest = max((age for age, *_ in read), default="")
        if newest > self.exported and not self.dry_run:
            with self.store.write() as session:
                self._note(session, exported=newest)

    def _readable(self, tables: Sequence[Member]) -> Iterator[tuple[Member, tuple[TableRow, ...]]]:
        for table in tables:
            try:
                read = read_table(read_member(table))
            except Unreadable as error:
                self.outcome.skipped.append(Skipped(table.label, str(error)))
                continue
            self._must_be_mine(table)
            self.has_table = True
            self.routes.append(beside(table, ROUTES))
            self.outcome.skipped += [Skipped(table.label, why) for why in read.skipped]
            yield table, read.rows

    def passed_over(self, member: Member) -> bool:
        """Whether a file is no recording: a table, or a route that the runner planned, which an export holds too."""
        where, name = key(member)
        planned = any(where == there and name.startswith(f"{folder}/") for there, folder in self.routes)
        return member.is_table or (planned and (where, name) not in self.listed)

    def _must_be_mine(self, table: Member) -> None:
        whose = exported_athlete(table)
        with self.store.read() as session:
            before = progress(session, self.athlete_id).exported_athlete
        mine = self.athlete_id if self.granted else before
        if whose is not None and mine is not None and whose != mine:
            raise UserError(
                f"{table.label} is athlete {whose}'s export, and this pullback watches athlete {mine}: "
                "use another database.url for the second"
            )
        if whose is not None and not self.dry_run:
            with self.store.write() as session:
                self._note(session, exported_athlete=whose)

    def read_recordings(self, members: Sequence[Member], advance: Callable[[int, int], None]) -> None:
        """Reads every file whose activities aren't out of the question, then takes in rows without a file."""
        tasks: list[Task] = []
        spoken_of: list[list[Activity] | None] = []
        for member in members:
            speaking = self.listed.pop(key(member), None)
            wanted = None if speaking is None else [row for row in speaking if row.id not in self.tombstones]
            self.outcome.deleted += len(speaking or ()) - len(wanted or ())
            if wanted is not None and not any(_may_be_run(row) for row in wanted):
                self.bare |= {row.id: row for row in wanted}
                continue
            ids = None if wanted is None else tuple(row.id for row in wanted)
            is_run = wanted is not None and any(row.is_run for row in wanted)
            tasks.append(Task(len(tasks), member, ids, is_run))
            spoken_of.append(wanted)
        with closing(answers(tasks, self.settled)) as answered:
            for done, (task, answer) in enumerate(answered):
                advance(done, len(tasks))
                self._take(task, spoken_of[task.number] or [], answer)
        advance(len(tasks), len(tasks))
        self.bare |= {row.id: row for found in self.listed.values() for row in found}
        for row in self.bare.values():
            self._add(Item(row, None, offset_known=False, listed=True, by_hand=False))

    def _take(self, task: Task, speaking: Sequence[Activity], answer: Answer) -> None:
        """What one file came to: its activities, or the line that says why there are none."""
        if answer.bug is not None:
            log.error('reader failed, this is a bug file="%s"\n%s', task.member.label, answer.bug)
        if answer.problem is not None:
            self.outcome.skipped.append(Skipped(task.member.label, answer.problem))
        by_hand = task.member.inner is None and identity(task.member.path) in self.named
        lost = dict.fromkeys(found.lost for found in answer.found if found.lost is not None)
        self.outcome.partly += [Skipped(task.member.label, why) for why in lost]
        pairs, without = deciding.matched(speaking, answer.found)
        items = [
            Item(deciding.merged(row, found.activity), found.series, found.offset_known, listed=True, by_hand=by_hand)
            for row, found in pairs
        ]
        used = {id(found) for _, found in pairs}
        left = (found for found in answer.found if id(found) not in used)
        items += [Item(f.activity, f.series, f.offset_known, listed=False, by_hand=by_hand) for f in left]
        items += [Item(row, None, offset_known=False, listed=True, by_hand=by_hand) for row in without]
        if answer.known and task.ids is None:
            self.outcome.known += len(answer.known)
            self._span(answer.known)
        taken = [item for item in items if not deciding.is_deleted(item, self.gone, self.living)]
        for item in taken:
            self._add(item)
        if len(taken) < len(items):
            self.outcome.skipped.append(Skipped(task.member.label, deciding.DELETED))
        elif answer.digest is not None and answer.known is None and answer.bug is None:
            # Noted with the last of its activities: whatever ends the import, no file counts as read before them.
            ids = () if answer.problem else tuple(item.activity.id for item in taken)
            self.files[answer.digest] = ImportedFile(ids, answer.problem)

    def _span(self, ids: Iterable[int]) -> None:
        self._reach(self.days[number] for number in ids)

    def _reach(self, days: Iterable[date]) -> None:
        reached = [day for day in (*days, self.outcome.first, self.outcome.last) if day is not None]
        if reached:
            self.outcome.first, self.outcome.last = min(reached), max(reached)

    def _add(self, item: Item) -> None:
        activity = replace(item.activity, athlete_id=self.athlete_id)
        if item.offset_known:
            self.clocks.learn(activity.start, activity.utc_offset_s)
        else:
            offset_s = self.clocks.offset_s(activity.start)
            activity = replace(activity, utc_offset_s=offset_s, offset_guessed=True)
        if len(self.batch) >= BATCH or activity.id in self.batch:
            self.flush()
        self.batch[activity.id] = replace(item, activity=activity, older=item.listed and activity.id in self.older)

    def flush(self) -> None:
        """Writes what has gathered, in one transaction."""
        batch, files = list(self.batch.values()), self.files
        self.batch, self.files = {}, {}
        if self.dry_run:
            with self.store.read() as session:
                changes = self._decided(session, batch)
        else:
            with self.store.write() as session:
                changes = self._decided(session, batch)
                self._apply(session, changes)
                self.guessed |= {change.activity.id for change in changes if change.activity.offset_guessed}
                save_imported(session, self.athlete_id, files, VERSION, self.clock.now())
                self._drop_earlier_readings(session, files)
        for change in changes:
            self._count(change)

    def _decided(self, session: Any, batch: Sequence[Item]) -> list[Change]:
        ids = [item.activity.id for item in batch]
        known = rows.known_by_id(session, self.athlete_id, ids)
        stored = rows.by_id(session, self.athlete_id, known)
        series = {number: rows.series(session, self.athlete_id, number) for number in known}
        again, self.outdated = self.outdated.intersection(ids), self.outdated.difference(ids)
        return [
            decide(item, known.get(n), stored.get(n), series.get(n), read_again=n in again)
            for n, item in zip(ids, batch, strict=True)
        ]

    def _apply(self, session: Any, changes: Sequence[Change]) -> None:
        now, days = self.clock.now(), []
        new = [change for change in changes if change.how == "new"]
        rows.add_recorded(session, [(change.activity, change.series) for change in new], now)
        for change in changes:
            activity, series = change.activity, change.series
            if change.how in ("nothing", "deleted"):
                continue
            days.append(activity.day if change.before is None else min(activity.day, change.before))
            if change.how == "new":
                continue
            if change.how == "add":
                rows.add_facts(session, activity)
            else:
                rows.save_activity(session, activity, now, recording="none" if series is None else "have")
            if series is not None:
                rows.save_recording(session, self.athlete_id, activity.id, series)
            rows.forget_metrics(session, self.athlete_id, activity.id)
        if days:
            note_change(session, self.athlete_id, min(days))

    def _drop_earlier_readings(self, session: Any, files: Mapping[str, ImportedFile]) -> None:
        """Takes out what older readers found in these files and today's don't, if no table or other file has it."""
        ids = {n for digest, file in files.items() if file.problem is None for n in self.read_before.get(digest, ())}
        gone = ids - held_by_files(session, self.athlete_id) if ids else ids
        living = {n for n, held in rows.known_by_id(session, self.athlete_id, gone).items() if not held.deleted}
        found = [a for a in rows.by_id(session, self.athlete_id, living).values() if a.source in deciding.FILES]
        if found:
            rows.remove(session, self.athlete_id, [activity.id for activity in found])
            note_change(session, self.athlete_id, min(activity.day for activity in found))
            self.outcome.dropped += len(found)

    def _count(self, change: Change) -> None:
        if change.how == "deleted":
            self.outcome.deleted += 1
            return
        activity = change.activity
        self._reach([activity.day])
        if change.how == "new" or (change.how == "take" and activity.id in self.new):
            # A fuller copy of the same recording may follow the first.
            self.new[activity.id] = activity
        elif change.how == "nothing":
            self.outcome.known += 1
        elif change.rerecorded:
            self.outcome.rerecorded += 1
        else:
            self.outcome.improved += 1

    def finish(self) -> None:
        """Writes the rest, and says whether there is enough history to judge."""
        self.flush()
        self._guess_again()
        for number, activity in self.new.items():
            kind = self.outcome.no_sport if activity.sport in UNKNOWN_SPORTS else self.outcome.other_sports
            (self.outcome.runs if activity.is_run else kind).append(number)
        if self.dry_run:
            self.outcome.perhaps = deciding.perhaps_doubles(self.new.values(), self.living)
        if self.dry_run or not self.outcome.anything:
            return
        with self.store.write() as session:
            state = progress(session, self.athlete_id)
            recent = self.clock.now() - READY_SPAN
            complete = rows.wanted_since(session, self.athlete_id, recent) == 0
            # Beside Strava a single file is no history: then the next pull says when there is enough.
            if not state.history_ready and complete and (self.has_table or not self.granted):
                note_change(session, self.athlete_id, date.min)
                self._note(session, history_ready=True)

    def _guess_again(self) -> None:
        """The wall clock of what doesn't tell it, now that every file that does has been read.

        Files are read side by side: what the first ones are like must not depend on which was first. What an import
        that was interrupted has guessed is among them.
        """
        if self.dry_run or not self.guessed:
            return
        days: list[date] = []
        with self.store.write() as session:
            for activity in rows.by_id(session, self.athlete_id, self.guessed).values():
                offset = self.clocks.offset_s(activity.start)
                if activity.offset_guessed and offset != activity.utc_offset_s:
                    mended = replace(activity, utc_offset_s=offset)
                    rows.add_facts(session, mended)
                    days.append(min(activity.day, mended.day))
            if days:
                note_change(session, self.athlete_id, min(days))

    def _note(self, session: Any, **changes: object) -> None:
        state = progress(session, self.athlete_id)
        save_progress(session, self.athlete_id, replace(state, **changes))  # type: ignore[arg-type]


def _may_be_run(row: Activity) -> bool:
    """Whether a table's row needs its recording: other sports count with their summary, as from Strava."""
    return row.is_run or row.sport in UNKNOWN_SPORTS
