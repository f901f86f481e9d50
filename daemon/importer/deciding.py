"""What an import decides: pure functions over values. What comes of it is applied in `bringing`."""

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal, TypeVar

from daemon import metrics
from daemon.importer.work import Found
from daemon.recordings.table import TableRow
from daemon.store.activities import Known
from daemon.values import UNKNOWN_SPORTS, Activity

Value = TypeVar("Value")

NEAR = timedelta(days=45)
"""An activity so near in time tells the clock of one whose file doesn't [ENG]."""

FILES = frozenset({"fit", "tcx", "gpx"})
"""Sources of an activity that nothing but a file speaks of."""

DELETED = "deleted at Strava: to have it all the same, name this file itself"


@dataclass(frozen=True, slots=True)
class Item:
    """One activity on its way into the store.

    `listed` says that an export's table names it, `older` that a newer export was imported before, and `by_hand` that
    the runner named its file on the command line.
    """

    activity: Activity
    series: bytes | None
    offset_known: bool
    listed: bool
    by_hand: bool
    older: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be done: `new` adds it, `take` replaces what an earlier import said, `add` completes Strava's own.

    `activity` holds the facts to keep, `series` the recording, None where the one that is there (or none) stays.
    `before` is the day of what was known, `rerecorded` that a known run gets another recording than it had.
    """

    how: Literal["new", "take", "add", "nothing", "deleted"]
    activity: Activity
    series: bytes | None = None
    before: date | None = None
    rerecorded: bool = False


def merged(row: Activity, recorded: Activity) -> Activity:
    """A table's row and its recording as one: the recording is the truth, the row names it and rates it."""
    return replace(
        recorded,
        id=row.id,
        name=row.name or recorded.name,
        sport=recorded.sport if row.sport in UNKNOWN_SPORTS else row.sport,
        distance_m=recorded.distance_m if recorded.distance_m > 0.0 else row.distance_m,
        elevation_gain_m=_first(recorded.elevation_gain_m, row.elevation_gain_m),
        has_heart_rate=recorded.has_heart_rate or row.has_heart_rate,
        average_heart_rate_bpm=_first(recorded.average_heart_rate_bpm, row.average_heart_rate_bpm),
        max_heart_rate_bpm=_first(recorded.max_heart_rate_bpm, row.max_heart_rate_bpm),
        average_temperature_c=_first(recorded.average_temperature_c, row.average_temperature_c),
        trainer=recorded.trainer or row.trainer,
        private=row.private,
        workout_type=row.workout_type,
        device=recorded.device or row.device,
        perceived_exertion=_first(row.perceived_exertion, recorded.perceived_exertion),
        weather_temperature_c=row.weather_temperature_c,
        dew_point_c=row.dew_point_c,
        source=row.source,
    )


def matched(rows: Sequence[Activity], found: Sequence[Found]) -> tuple[list[tuple[Activity, Found]], list[Activity]]:
    """The rows that speak of one file, each with its part of it, and those without.

    One row and one recording belong together whatever their clocks say; of several each row gets the nearest start.
    """
    pairs: list[tuple[Activity, Found]] = []
    left, without = list(found), []
    for row in sorted(rows, key=lambda r: (r.start, r.id)):
        nearest = min(left, key=lambda f: abs(f.activity.start - row.start), default=None)
        if nearest is None:
            without.append(row)
        else:
            left.remove(nearest)
            pairs.append((row, nearest))
    return pairs, without


def decide(
    item: Item, known: Known | None, stored: Activity | None, series: bytes | None, *, read_again: bool = False
) -> Change:
    """What to do with one activity, given what the store holds under its id (None: nothing).

    Of two files of one recording the fuller counts, whichever comes first; what better readers say, `read_again`, does.
    """
    activity = item.activity
    recording = item.series if activity.is_run else None
    if known is None or stored is None:
        return Change("new", activity, recording)
    if known.deleted:
        return Change("deleted", activity)
    if known.source == "strava":
        more = _completed(stored, activity)
        wanted = recording if stored.is_run and known.recording != "have" else None
        return Change(
            "nothing" if wanted is None and more == stored else "add", more, wanted, stored.day, wanted is not None
        )
    if item.older:
        activity = _completed(merged(stored, activity), activity)
    if item.series is None:
        # A table alone, or a file that was read before: what was recorded stays.
        activity, recording = merged(activity, stored) if item.listed else stored, series
    activity = _completed(activity, stored)
    if not item.offset_known:
        activity = replace(activity, utc_offset_s=stored.utc_offset_s, offset_guessed=stored.offset_guessed)
    poorer = _fullness(activity, recording) < _fullness(stored, series)
    if (activity == stored and recording == series) or (poorer and not read_again):
        return Change("nothing", stored)
    return Change("take", activity, recording, stored.day, recording not in (None, series))


def _completed(activity: Activity, other: Activity) -> Activity:
    """`activity`, and of `other` what only a detail or an import says: the store keeps it in the same way."""
    return replace(
        activity,
        laps=activity.laps or other.laps,
        device=activity.device or other.device,
        perceived_exertion=_first(activity.perceived_exertion, other.perceived_exertion),
        weather_temperature_c=_first(activity.weather_temperature_c, other.weather_temperature_c),
        dew_point_c=_first(activity.dew_point_c, other.dew_point_c),
    )


def _fullness(activity: Activity, series: bytes | None) -> tuple[bool, int, int, bytes]:
    """Sorts what is known of one activity: a recording is fuller, then the longer one, then the one that tells more."""
    return series is not None, activity.elapsed_time_s, len(series or b""), series or b""


def perhaps_doubles(new: Collection[Activity], known: Iterable[Activity]) -> int:
    """How many `new` activities may be other recordings of what is `known` or of each other, as far as clocks tell."""
    ids, count = {activity.id for activity in new}, 0
    for group in metrics.groups([*new, *(activity for activity in known if activity.id not in ids)]):
        ordered = sorted(group, key=lambda activity: activity.id in ids)
        for at, activity in enumerate(ordered):
            count += activity.id in ids and any(metrics.same_clock(activity, other) for other in ordered[:at])
    return count


def is_deleted(item: Item, deleted: Iterable[Activity], living: Iterable[Activity]) -> bool:
    """Whether a file that no table lists is of a run that was deleted at Strava, and not uploaded again."""
    if item.listed or item.by_hand:
        return False
    same = [a for a in deleted if metrics.same_clock(a, item.activity)]
    return bool(same) and not any(metrics.same_clock(a, item.activity) for a in living)


def age(table: Sequence[TableRow], changed: str) -> str:
    """Sorts exports by age: the newer one goes further, or has more in it, or was `changed` later."""
    newest = max((row.activity.start for row in table), default=datetime.min.replace(tzinfo=UTC))
    return f"{newest.astimezone(UTC).isoformat()} {len(table):07} {changed}"


class Clocks:
    """The runner's wall clock at any time.

    By the configured `zone`, else as known nearest in time, else by the `usual` zone, else (None) by the machine's.
    Where that zone has the same clock as the nearest, the runner was at home, and summer time may lie between them.
    """

    def __init__(self, zone: tzinfo | None, usual: tzinfo | None, known: Mapping[datetime, int]) -> None:
        self._zone = zone
        self._usual = usual
        self._known = sorted(known.items())

    def learn(self, start: datetime, offset_s: int) -> None:
        insort(self._known, (start, offset_s))

    def offset_s(self, start: datetime) -> int:
        """Seconds from UTC to the runner's clock at `start`."""
        if self._zone is None:
            at = bisect_left(self._known, (start, 0))
            near = [entry for entry in self._known[max(0, at - 1) : at + 1] if abs(entry[0] - start) <= NEAR]
            when, offset_s = min(near, key=lambda entry: abs(entry[0] - start), default=(None, 0))
            if when is not None and self._in_zone_s(when) != offset_s:
                return offset_s
        return self._in_zone_s(start)

    def _in_zone_s(self, moment: datetime) -> int:
        offset = moment.astimezone(self._zone or self._usual).utcoffset()
        return 0 if offset is None else round(offset.total_seconds())


def _first(one: Value | None, other: Value | None) -> Value | None:
    return other if one is None else one
