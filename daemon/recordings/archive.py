"""Opens zip archives for `members`: lists what they hold and streams one member. Nothing is ever extracted to disk.

Names inside an archive are only labels and dictionary keys here, never paths of the file system, so a name like
"../../etc/passwd" or "/etc/passwd" (zip slip) has no meaning.
"""

import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from daemon.recordings.errors import Unreadable

# The list of contents is read into memory as a whole: 8 MiB hold some 80,000 names of an export's length and cost at
# most about 150 MB while the archive is open [ENG]. The largest export seen has 10,000 activities and as many photos.
LARGEST_LIST = 8 * 2**20

AGAIN = "the archive is cut off or damaged: download it again"
DIVIDED = "one part of a divided archive: download it again, in one piece"

# What zipfile, gzip and zlib raise on bytes that are no archive (read in their source, and fuzzed).
BROKEN = (OSError, EOFError, ValueError, OverflowError, RuntimeError, zipfile.BadZipFile, zlib.error, struct.error)

# The last archive of this process: who (process, file) and the open archive. Each process reads in one thread.
_kept: dict[tuple[object, ...], zipfile.ZipFile] = {}


class _Bounded(io.FileIO):
    """A file of which nobody reads more than a long list of contents at once, whatever sizes it declares."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > LARGEST_LIST:
            raise Unreadable("its list of contents is too long: unpack it and import the folder")
        return super().read(size)


def open_regular(path: Path) -> io.FileIO:
    """A regular file, opened so that a pipe or a device put there meanwhile can't hold the program. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    file = _Bounded(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise OSError("not a regular file")
    return file


def looks_zipped(path: Path) -> bool:
    """Whether the file begins like a zip archive, an empty one, or the first part of a divided one. Raises OSError."""
    with open_regular(path) as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"PK00")


def entries(path: Path) -> list[zipfile.ZipInfo]:
    """The files of an archive, each name once, in the order in which their bytes lie. Raises Unreadable."""
    size = path.stat().st_size
    # Not `is_dir()`: it stumbles over a member without a name.
    found = {info.filename: info for info in _archive(path).infolist() if not info.filename.endswith("/")}
    if any(info.volume for info in found.values()):
        raise Unreadable(DIVIDED)
    if any(not 0 <= info.header_offset <= size - info.compress_size for info in found.values()):
        raise Unreadable(AGAIN)
    # Members that sum to more than the archive read the same bytes again and again (an overlap bomb). With this, the
    # ratio cap of each member bounds the whole archive: no total cap is needed, and a true export of 50 GB passes.
    if sum(info.compress_size for info in found.values()) > size:
        raise Unreadable("its members overlap: neither Strava nor a watch makes such an archive")
    return sorted(found.values(), key=lambda info: (info.header_offset, info.filename))


@contextmanager
def open_member(path: Path, inner: str) -> Iterator[tuple[IO[bytes], int]]:
    """One member as a stream, and how many packed bytes it takes at most. Raises Unreadable and all of BROKEN.

    Only stored and deflated members are read: Python unpacks bzip2 and lzma without a bound on the output.
    """
    archive = _archive(path)
    try:
        info = archive.getinfo(inner)
    except KeyError:
        raise Unreadable("it is no longer in the archive") from None
    if info.flag_bits & 0x1:
        raise Unreadable("it is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unreadable("it is packed in a way this program doesn't unpack: unpack it and import the folder")
    with archive.open(info) as stream:
        yield stream, min(info.compress_size, path.stat().st_size)


def _archive(path: Path) -> zipfile.ZipFile:
    """The archive, open. The last one of this process stays open: reading its list anew for each of thousands of
    members would take longer than the members. Raises Unreadable and OSError."""
    now = path.stat()
    # The process is part of it: a forked worker shares the file position of what its parent opened.
    who = (os.getpid(), path, now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns)
    if who not in _kept:
        for archive in _kept.values():
            if archive.fp:
                archive.fp.close()
        _kept.clear()
        _kept[who] = _opened(path)
    return _kept[who]


def _opened(path: Path) -> zipfile.ZipFile:
    file = open_regular(path)
    try:
        return zipfile.ZipFile(file)
    except BaseException as error:
        file.close()
        if isinstance(error, NotImplementedError):
            raise Unreadable("it needs a newer zip reader: unpack it and import the folder") from error
        if isinstance(error, BROKEN) and not isinstance(error, PermissionError):
            raise Unreadable(AGAIN) from error
        raise
