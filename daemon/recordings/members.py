"""Finds the files of an import (plain, in folders, in zip archives) and reads one of them under caps.

It opens regular files only, writes nothing, and doesn't know what the bytes mean. Names inside archives are labels,
never paths (see `archive`).
"""

import gzip
import io
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from daemon.recordings import archive
from daemon.recordings.errors import Unreadable

RECORDINGS = (".fit", ".tcx", ".gpx")
TABLE = "activities.csv"

# The longest recordings seen (24 h at 1 Hz with power and developer fields) take 12 MB as FIT and 45 MB as TCX [ENG].
LARGEST_RECORDING = 64 * 2**20
# A row of an export's table takes 300-500 bytes, with a long description some kB: room for 70,000 activities. Their
# cells take several times as much memory once read, so more is no kindness [ENG].
LARGEST_TABLE = 32 * 2**20
# XML of a watch that stood still packs about 60 times smaller, FIT 2-6 times; bombs reach 1000 per layer [ENG].
LARGEST_RATIO = 250
# Below this a ratio says nothing: one short XML file of constant values is no bomb [ENG].
NO_BOMB = 2 * 2**20

_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Member:
    """One file to read: `path` itself, or the member named `inner` of the zip archive `path`.

    `size` is what the file system or the archive declares, in bytes (packed as it lies there), for progress only.
    `changed` is the local time of its last change that they declare: of two such texts the later one sorts last.
    """

    path: Path
    inner: str | None
    size: int | None
    changed: str = field(default="", compare=False)

    @property
    def label(self) -> str:
        """How messages name it: "export.zip: activities/123.fit.gz"."""
        return printable(f"{self.path.name}: {self.inner}" if self.inner is not None else str(self.path))

    @property
    def is_table(self) -> bool:
        """Whether it is an export's table (activities.csv, or another .csv that was named explicitly)."""
        return (self.inner or self.path.name).lower().endswith(".csv")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that isn't read: `label` names it, `why` is one short line in a runner's words."""

    label: str
    why: str


def printable(text: str) -> str:
    """Names come from anywhere: what would move a terminal's cursor, or can't be encoded, becomes "?"."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def key(member: Member) -> tuple[str, str]:
    """What a table's row and its recording have in common: the archive ("" outside of one), and the name in it.

    Letter case and a last ".gz" don't count: some browsers and unpackers take the ".gz" off.
    """
    if member.inner is not None:
        return str(member.path), _plain(member.inner)
    return "", _plain(str(member.path.absolute()))


def beside(table: Member, filename: str) -> tuple[str, str]:
    """The `key` of the recording that a row of `table` calls `filename` ("activities/123.fit.gz").

    Only a key: whatever a hostile table writes here ("../../etc/passwd") is compared, never opened.
    """
    where, name = key(table)
    return where, _plain(str(PurePosixPath(name).parent / filename.replace("\\", "/").lstrip("/")))


def _plain(name: str) -> str:
    return str(PurePosixPath(name.replace("\\", "/"))).lower().removesuffix(".gz")


def find(paths: Iterable[Path]) -> Iterator[Member | Skipped]:
    """Everything below `paths` that can be a recording or an export's table, tables of an archive or folder first.

    A file named in `paths` is a member whatever it is called; in folders and archives only .fit, .tcx, .gpx (each
    also .gz) and activities.csv are, and what else an export holds is passed over without a word. Each file comes
    once, however many ways lead to it. Never raises for what it finds.
    """
    seen: set[tuple[int, int]] = set()
    for path in paths:
        yield from _from(Path(path), seen)


def _from(path: Path, seen: set[tuple[int, int]]) -> Iterator[Member | Skipped]:
    label = printable(str(path))
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            if _identity(status) not in seen:
                yield from _or_nothing(_in_folder(path, seen), label)
        elif not stat.S_ISREG(status.st_mode):
            yield Skipped(label, "a pipe, socket or device, not a file")
        elif _new(status, seen):
            if archive.looks_zipped(path) or path.suffix.lower() == ".zip":
                yield from _or_nothing(_in_archive(path), label)
            else:
                yield _plain_file(path, status)
    except (OSError, ValueError) as error:
        yield Skipped(label, reason(error))


def identity(path: Path) -> tuple[int, int] | None:
    """Which file a path leads to, whatever it is called; None where there is none."""
    try:
        return _identity(path.stat())
    except (OSError, ValueError):
        return None


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _new(status: os.stat_result, seen: set[tuple[int, int]]) -> bool:
    """Whether this file or folder hasn't been met yet: loops of symbolic links end here."""
    if _identity(status) in seen:
        return False
    seen.add(_identity(status))
    return True


def _or_nothing(found: Iterator[Member | Skipped], label: str) -> Iterator[Member | Skipped]:
    first = next(found, None)
    yield first or Skipped(label, "no FIT, TCX or GPX files in it")
    yield from found


def _in_folder(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Member | Skipped]:
    """Files of a folder by name, then its folders by name; without recursion, so that no depth is too deep."""
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        folders: list[Path] = []
        try:
            if not _new(here.stat(), seen):
                continue
            names = sorted(os.listdir(here))
        except OSError as error:
            yield Skipped(printable(str(here)), reason(error))
            continue
        for path in (here / name for name in names):
            yield from _in_folder_one(path, folders, seen)
        waiting += reversed(folders)


def _in_folder_one(path: Path, folders: list[Path], seen: set[tuple[int, int]]) -> Iterator[Member | Skipped]:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            if path.name != "__MACOSX":
                folders.append(path)
        elif wanted(path.name) or path.suffix.lower() == ".zip":
            if not stat.S_ISREG(status.st_mode):
                yield Skipped(printable(str(path)), "a pipe, socket or device, not a file")
            elif _new(status, seen):
                yield from [_plain_file(path, status)] if wanted(path.name) else _archive_met(path, seen)
    except OSError as error:
        # A dangling link to a photo is nobody's concern; an unreadable folder or recording is.
        if wanted(path.name) or not path.suffix:
            yield Skipped(printable(str(path)), reason(error))


def _archive_met(path: Path, seen: set[tuple[int, int]]) -> Iterator[Member | Skipped]:
    """An archive lying in a folder: read if it looks like Strava's export, as nobody asked for it by name."""
    found = list(_in_archive(path))
    members = [item for item in found if isinstance(item, Member)]
    if any(member.is_table for member in members):
        yield from found
    elif members:
        seen.discard(_identity(path.stat()))  # it may yet be named itself
        yield Skipped(printable(str(path)), "an archive that isn't a Strava export: name it itself to import it")
    else:
        yield from (item for item in found if isinstance(item, Skipped))


def _in_archive(path: Path) -> Iterator[Member | Skipped]:
    try:
        infos = archive.entries(path)
    except (Unreadable, *archive.BROKEN) as error:
        yield Skipped(printable(str(path)), reason(error))
        return
    # Tables first: the importer wants a table's ids before the recordings they belong to.
    members = [
        Member(path, info.filename, info.compress_size, _sortable(info.date_time))
        for info in infos
        if wanted(info.filename)
    ]
    yield from sorted(members, key=lambda member: not member.is_table)
    if inside := sum(info.filename.lower().endswith(".zip") for info in infos):
        archives = "an archive" if inside == 1 else f"{inside} archives"
        yield Skipped(printable(str(path)), f"{archives} inside it not opened: unpack it and name what to import")


def _plain_file(path: Path, status: os.stat_result) -> Member:
    try:
        changed = _sortable(time.localtime(status.st_mtime))
    except (OverflowError, OSError):
        changed = ""
    return Member(path, None, status.st_size, changed)


def _sortable(moment: Sequence[int]) -> str:
    """To two seconds, as archives have it."""
    year, month, day, hour, minute, second = moment[:6]
    return f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second // 2 * 2:02}"


def wanted(name: str) -> bool:
    """Whether a file in a folder or archive can be a recording or an export's table, by its name."""
    path = PurePosixPath(name.replace("\\", "/").lower())
    if path.name.startswith("._") or "__macosx" in path.parts:  # what macOS puts beside each file
        return False
    return path.name == TABLE or path.name.removesuffix(".gz").endswith(RECORDINGS)


def read_member(member: Member) -> bytes:
    """The bytes of a member, unpacked. Packed is what begins like gzip, whatever its name says.

    It stops at LARGEST_RECORDING (LARGEST_TABLE) bytes and at LARGEST_RATIO times what lies on disk, and believes no
    declared size. Raises Unreadable and nothing else.
    """
    largest = LARGEST_TABLE if member.is_table else LARGEST_RECORDING
    try:
        if member.inner is not None:
            with archive.open_member(member.path, member.inner) as (stream, packed):
                return _unpacked(stream.read, packed, largest)
        with archive.open_regular(member.path) as file:
            return _unpacked(file.read, os.fstat(file.fileno()).st_size, largest)
    except archive.BROKEN as error:
        raise Unreadable(reason(error)) from error


def _unpacked(read: Callable[[int], bytes], packed: int, largest: int) -> bytes:
    most = min(largest, max(NO_BOMB, LARGEST_RATIO * packed))
    raw = _all(read, most)
    if raw[:2] != b"\x1f\x8b":
        return raw
    with gzip.GzipFile(fileobj=io.BytesIO(raw)) as inflated:
        return _all(inflated.read, most)


def _all(read: Callable[[int], bytes], most: int) -> bytes:
    taken = io.BytesIO()
    while chunk := read(_CHUNK):
        taken.write(chunk)
        if taken.tell() > most:
            raise Unreadable(f"too large: it unpacks to more than {most // 2**20} MB")
    return taken.getvalue()


def reason(error: BaseException) -> str:
    """An error of the system or of an unpacker in a runner's words."""
    match error:
        case Unreadable():
            return str(error)
        case FileNotFoundError() | NotADirectoryError():
            return "there is no such file or folder"
        case PermissionError():
            return "this user may not read it"
        case gzip.BadGzipFile() | EOFError():
            return "it is cut off or damaged"
        case OSError() if error.strerror:
            return error.strerror.lower()
        case OSError():
            return str(error) or "it can't be read"
        case _:
            return "it is cut off or damaged"
