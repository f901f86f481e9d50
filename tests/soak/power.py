"""The disk as a power cut may have left it, made from what a process wrote, in its order, until it was cut off.

What was written to a file since its last fsync is kept, lost or torn, each 512 bytes for themselves and in any order.
New, renamed and deleted names since their folder's last fsync happened up to some point, or didn't; a new file that was
itself synced is there. That is what POSIX promises and ext4, xfs and btrfs do. Not simulated: a disk that lies about
fsync, bits that rot, and the shared memory file, which SQLite makes anew.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

SECTOR = 512
HEAD = struct.Struct("<c3xIIIQ")


@dataclass(frozen=True, slots=True)
class Record:
    """One change: w(rite), t(runcate), s(ync), c(reate), u(nlink), r(ename), l(ink), or n(et): what was sent."""

    what: str
    path: str
    offset: int
    data: bytes


def records(trace: Path) -> Iterator[Record]:
    raw, at = trace.read_bytes(), 0
    while at + HEAD.size <= len(raw):
        what, path, length, _, offset = HEAD.unpack_from(raw, at)
        at += HEAD.size
        yield Record(what.decode(), raw[at : at + path].decode(), offset, raw[at + path : at + path + length])
        at += path + length


@dataclass
class File:
    """What is surely on the disk, and what was written since."""

    synced: bytearray = field(default_factory=bytearray)
    written: list[Record] = field(default_factory=list)

    def sync(self) -> None:
        for record in self.written:
            _apply(self.synced, record)
        self.written.clear()

    def after_a_cut(self, random: Random | None) -> bytes:
        """With `random`, what a cut may leave; without, what the process itself saw."""
        content = bytearray(self.synced)
        for record in self.written:
            if random is None:
                _apply(content, record)
            elif record.what == "t":
                if random.random() < 0.5:
                    _apply(content, record)
            else:
                share = random.choice((0.0, 0.0, 0.5, 0.9, 1.0, 1.0))
                for begin in range(0, len(record.data), SECTOR):
                    if random.random() < share:
                        piece = record.data[begin : begin + SECTOR]
                        _apply(content, Record("w", record.path, record.offset + begin, piece))
        return bytes(content)


def _apply(content: bytearray, record: Record) -> None:
    if record.what == "t":
        del content[record.offset :]
        content.extend(bytes(record.offset - len(content)))
        return
    end = record.offset + len(record.data)
    content.extend(bytes(max(0, end - len(content))))
    content[record.offset : end] = record.data


@dataclass
class Disk:
    """Files by their names in one folder: as they surely are, as the process saw them, and what came between.

    A name that came with None went.
    """

    names: dict[str, File] = field(default_factory=dict)
    seen: dict[str, File] = field(default_factory=dict)
    between: list[tuple[str, File | None]] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path) -> "Disk":
        """What lies there now, all of it safe."""
        found = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.endswith("-shm"))
        files = {str(path.relative_to(folder)): File(bytearray(path.read_bytes())) for path in found}
        return cls(dict(files), dict(files))

    def take(self, record: Record, folder: Path) -> None:
        """One more change."""
        path = str(Path(record.path).relative_to(folder)) if record.path else ""
        if record.what in "wt":
            self.seen[path].written.append(record)
        elif record.what == "s" and path in self.seen:
            self.seen[path].sync()
            if self.names.get(path) is not self.seen[path]:
                self._settle(path)
        elif record.what == "s":
            self._settle_all(path)
        elif record.what == "c":
            self._rename(path, File())
        elif record.what == "u":
            self._rename(path, None)
        elif record.what in "rl":
            self._rename(str(Path(record.data.decode()).relative_to(folder)), self.seen[path])
            if record.what == "r":
                self._rename(path, None)

    def _rename(self, name: str, file: File | None) -> None:
        _set(self.seen, name, file)
        self.between.append((name, file))

    def _settle(self, name: str) -> None:
        """What happened to this name is on the disk."""
        _set(self.names, name, self.seen.get(name))
        self.between = [(other, file) for other, file in self.between if other != name]

    def _settle_all(self, folder: str) -> None:
        for name in {name for name, _ in self.between if str(Path(name).parent) == folder}:
            self._settle(name)

    def write(self, target: Path, random: Random | None) -> None:
        """Makes files of it: with `random`, what a cut may leave; without, what the process itself saw."""
        names = dict(self.seen if random is None else self.names)
        if random is not None:
            for name, file in self.between[: random.randint(0, len(self.between))]:
                _set(names, name, file)
        for name, file in names.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            (target / name).write_bytes(file.after_a_cut(random))
            (target / name).chmod(0o600)


def _set(names: dict[str, File], name: str, file: File | None) -> None:
    if file is None:
        names.pop(name, None)
    else:
        names[name] = file
