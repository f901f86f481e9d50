"""Finding the files of an import: exports as downloaded and unpacked, loose files, and everything that means harm."""

import bz2
import gzip
import io
import os
import random
import socket
import struct
import subprocess
import sys
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.recordings import archive
from daemon.recordings.errors import Unreadable
from daemon.recordings.members import LARGEST_RECORDING, Member, Skipped, beside, find, key, read_member, wanted
from tests.fuzzing import tries

Files = dict[str, bytes]
EXPORT: Files = {
    "activities.csv": b"Activity ID,...\n",
    "activities/1.fit.gz": gzip.compress(b"fit of 1"),
    "activities/2.gpx": b"<gpx/>",
    "activities/3.TCX.GZ": gzip.compress(b"<tcx/>"),
    "media/a.jpg": b"jpeg",
    "profile.csv": b"private",
    "__MACOSX/activities/._1.fit.gz": b"mac",
}


def zipped(path: Path, files: Files, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as out:
        for name, data in files.items():
            out.writestr(name, data)
    return path


def unpacked(folder: Path, files: Files) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def found(*paths: Path) -> tuple[list[Member], list[Skipped]]:
    items = list(find(paths))
    return [i for i in items if isinstance(i, Member)], [i for i in items if isinstance(i, Skipped)]


def why_not(path: Path) -> str:
    """Why nothing of this path can be read, from finding it to reading it."""
    members, skipped = found(path)
    for member in members:
        with pytest.raises(Unreadable) as error:
            read_member(member)
        skipped.append(Skipped(member.label, str(error.value)))
    (line,) = skipped
    assert "\n" not in line.why
    return line.why


@pytest.mark.parametrize("pack", [zipped, unpacked])
def test_an_export_as_downloaded_and_unpacked(tmp_path: Path, pack: Callable[[Path, Files], Path]) -> None:
    members, skipped = found(pack(tmp_path / "export", EXPORT))
    assert [member.inner or str(member.path.relative_to(tmp_path / "export")) for member in members] == [
        *("activities.csv", "activities/1.fit.gz", "activities/2.gpx", "activities/3.TCX.GZ")
    ]
    assert [read_member(member) for member in members[1:]] == [b"fit of 1", b"<gpx/>", b"<tcx/>"]
    assert not skipped
    table = members[0]
    assert table.is_table and not members[1].is_table
    assert [beside(table, name) for name in ("activities/1.fit.gz", "activities/2.gpx", "activities/3.tcx")] == [
        key(member) for member in members[1:]
    ]


def test_two_exports_keep_their_own_recordings(tmp_path: Path) -> None:
    first = zipped(tmp_path / "a.zip", {f"export_1/{name}": data for name, data in EXPORT.items()})
    second = unpacked(tmp_path / "b", EXPORT)
    (one, *_), (two, *_) = found(first)[0], found(second)[0]
    keys = {key(member) for member in found(first, second)[0]}
    assert len(keys) == 8
    assert {beside(one, "activities/1.fit.gz"), beside(two, "activities/1.fit.gz")} <= keys


def test_a_folder_of_downloads(tmp_path: Path) -> None:
    """Recordings at any depth, a Strava export among them; another archive only when it is named."""
    unpacked(tmp_path, {"b/c/run.FIT": b"1", "a.gpx.gz": b"2", "photo.jpg": b"", "notes.csv": b"", "old.fit.bak": b""})
    zipped(tmp_path / "export_9.zip", EXPORT)
    other = zipped(tmp_path / "watch.zip", {"run.fit": b"3"})
    members, skipped = found(tmp_path)
    assert [member.inner or member.path.name for member in members] == [
        *("a.gpx.gz", "activities.csv", "activities/1.fit.gz", "activities/2.gpx", "activities/3.TCX.GZ", "run.FIT")
    ]
    assert [(line.label, line.why.split(":")[0]) for line in skipped] == [
        (str(other), "an archive that isn't a Strava export")
    ]
    assert [member.inner for member in found(tmp_path, other)[0]][-1] == "run.fit"


def test_a_file_that_is_named_counts_whatever_it_is_called(tmp_path: Path) -> None:
    path = unpacked(tmp_path, {"run.bin": b"x"}) / "run.bin"
    assert found(path, path)[0] == [Member(path, None, 1)]  # and once


def test_packed_is_what_begins_like_gzip(tmp_path: Path) -> None:
    files = {"a.fit": gzip.compress(b"packed"), "b.fit.gz": b"not packed", "c.fit.gz": b"", "d.gpx.gz": b"\x1f\x8b"}
    members = found(unpacked(tmp_path / "x", files))[0]
    assert [read_member(member) for member in members[:3]] == [b"packed", b"not packed", b""]
    with pytest.raises(Unreadable, match="cut off"):
        read_member(members[3])


def test_nothing_there(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert why_not(tmp_path / "empty") == "no FIT, TCX or GPX files in it"
    assert why_not(tmp_path / "nowhere") == "there is no such file or folder"
    assert why_not(tmp_path / "empty" / ("n" * 300)) == "file name too long"
    assert why_not(zipped(tmp_path / "empty.zip", {})) == "no FIT, TCX or GPX files in it"


def test_pipes_sockets_and_devices_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.fit")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.gpx"))
        (tmp_path / "device.tcx").symlink_to("/dev/zero")
        members, skipped = found(tmp_path)
    assert not members
    assert {line.why for line in skipped} == {"a pipe, socket or device, not a file"}
    assert len(skipped) == 3
    assert why_not(tmp_path / "pipe.fit") == "a pipe, socket or device, not a file"
    # One that took a file's place after it was found.
    with pytest.raises(Unreadable, match="not a regular file"):
        read_member(Member(tmp_path / "pipe.fit", None, 1))


def test_loops_of_links_end(tmp_path: Path) -> None:
    unpacked(tmp_path, {"a/b/run.fit": b"1"})
    (tmp_path / "a/b/up").symlink_to(tmp_path)
    (tmp_path / "a/again").symlink_to(tmp_path / "a/b")
    (tmp_path / "self.fit").symlink_to(tmp_path / "self.fit")
    members, skipped = found(tmp_path)
    assert len(members) == 1
    assert [line.label for line in skipped] == [str(tmp_path / "self.fit")]


def test_what_this_user_may_not_read_is_one_line_each(tmp_path: Path) -> None:
    """Root reads everything: there another user looks, in a process of its own."""
    files = {"shut/run.fit": b"1", "shut.gpx": b"2", "open.fit": b"3", "shut.zip": b"4"}
    for name in ("shut", "shut.gpx", "shut.zip"):
        unpacked(tmp_path, files).joinpath(name).chmod(0)
    script = """
import os, sys
from pathlib import Path
from daemon.recordings.members import Skipped, find, read_member
if os.getuid() == 0:
    os.setuid(65534)
for item in find([Path(sys.argv[1])]):
    try:
        print(item.why if isinstance(item, Skipped) else read_member(item))
    except Exception as error:
        print(type(error).__name__, error)
"""
    reachable = [tmp_path, *tmp_path.parents]
    for folder in reachable[:-2]:
        if folder.stat().st_uid == os.getuid():
            folder.chmod(folder.stat().st_mode | 0o755)
    ran = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == [
        "b'3'",
        "Unreadable this user may not read it",
        "this user may not read it",
        "this user may not read it",
    ]
    (tmp_path / "shut").chmod(0o700)


def test_names_in_an_archive_lead_nowhere(tmp_path: Path) -> None:
    """Zip slip: nothing is extracted, so these are names like others, and no file is made or opened."""
    names = ("../../slip.fit", "/etc/passwd.fit", "C:\\x\\..\\slip.fit", "a\x1b[2J\n.fit")
    (tmp_path / "in").mkdir()
    path = zipped(tmp_path / "in/x.zip", dict.fromkeys(names, b"!"))
    members, skipped = found(path)
    assert [read_member(member) for member in members] == [b"!"] * 4
    assert not skipped
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "in", path]
    assert all(member.label.isprintable() for member in members)
    table = Member(path, "activities.csv", None)
    assert beside(table, "../../../etc/passwd") not in {key(member) for member in members}


def test_a_zip_bomb_stops_at_once(tmp_path: Path) -> None:
    """Zeros without end: neither the memory nor the time of what it would become."""
    path = tmp_path / "bomb.zip"
    block = b"\0" * 2**20
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        with out.open("bomb.fit", "w", force_zip64=True) as member:
            for _ in range(200):
                member.write(block)
        out.writestr("run.fit", b"fine")
    members, _ = found(path)
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(Unreadable, match="unpacks to more than 64 MB"):
        read_member(members[0])
    took, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * LARGEST_RECORDING
    assert took < 5
    assert read_member(members[1]) == b"fine"


def test_a_bomb_within_a_bomb_is_judged_by_what_lies_on_disk(tmp_path: Path) -> None:
    inner = gzip.compress(b"\0" * 30 * 2**20)
    path = zipped(tmp_path / "x.zip", {"a.fit.gz": gzip.compress(inner), "b.fit.gz": inner})
    members, _ = found(path)
    assert read_member(members[0]) == inner  # one layer is taken off, and what is left is no FIT
    with pytest.raises(Unreadable, match="too large"):
        read_member(members[1])


def test_a_sparse_file_of_ten_gigabytes(tmp_path: Path) -> None:
    path = tmp_path / "huge.fit"
    with path.open("wb") as out:
        out.truncate(10 * 2**30)
    assert why_not(path) == "too large: it unpacks to more than 64 MB"


def test_sizes_that_an_archive_declares_aren_t_believed(tmp_path: Path) -> None:
    """The list of contents says 5 bytes, then 4 GB; the member has 100 kB."""
    path = zipped(tmp_path / "liar.zip", {"run.fit": random.Random(0).randbytes(100_000)})
    good = path.read_bytes()
    at = good.rfind(b"PK\x01\x02")
    path.write_bytes(good[: at + 24] + struct.pack("<L", 5) + good[at + 28 :])
    assert why_not(path) == "it is cut off or damaged"
    path.write_bytes(good[: at + 24] + struct.pack("<L", 2**32 - 2) + good[at + 28 :])
    assert len(read_member(found(path)[0][0])) == 100_000


def test_archives_that_can_t_be_used(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "whole.zip", EXPORT).read_bytes()
    path = tmp_path / "x.zip"

    def why(data: bytes) -> str:
        path.write_bytes(data)
        return why_not(path)

    assert why(whole[:-40]) == archive.AGAIN
    assert why(whole[: len(whole) // 2]) == archive.AGAIN
    assert why(b"<html>Log in to download</html>") == archive.AGAIN
    assert why(b"") == archive.AGAIN
    assert why(b"PK\x07\x08" + whole[:400]) == archive.AGAIN  # the first part of a set
    listing = whole.find(b"PK\x01\x02")
    assert why(whole[: listing + 34] + b"\x02\0" + whole[listing + 36 :]) == archive.DIVIDED
    assert "overlap" in why(overlapping(300))


def overlapping(times: int) -> bytes:
    """One member's bytes under many names, as in an overlap bomb."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as made:
        made.writestr("0.fit", b"\0" * 50_000)
        first = made.infolist()[0]
        for number in range(1, times):
            copied = zipfile.ZipInfo(f"{number}.fit")
            copied.header_offset, copied.CRC = first.header_offset, first.CRC
            copied.file_size = copied.compress_size = first.file_size
            made.filelist.append(copied)
            made.NameToInfo[copied.filename] = copied
    return out.getvalue()


def test_a_list_of_contents_without_end_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "long.zip"
    entry = (
        struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 3, 20, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0) + b"a.fit"
    )
    listing = entry * 400_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(listing), 0, 0)
    path.write_bytes(b"PK\x03\x04" + listing + end)
    tracemalloc.start()
    assert "list of contents is too long" in why_not(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_members_that_can_t_be_unpacked_are_one_line_each(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {"a.fit": b"a" * 5000, "b.fit": b"b" * 5000, "c.fit": b"c"}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[data.find(b"aaaa") + 100] ^= 1  # one bit
    for mark, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        start = data.find(b"b.fit", 0) if mark == b"PK\x03\x04" else data.rfind(b"b.fit")
        data[data.rfind(mark, 0, start) + at] |= 1  # encrypted
    path.write_bytes(data)
    zipped(tmp_path / "y.zip", {"d.fit": b"d" * 100}, zipfile.ZIP_BZIP2)
    members, _ = found(path, tmp_path / "y.zip")
    reasons = {}
    for member in members:
        try:
            reasons[member.inner] = read_member(member).decode()
        except Unreadable as error:
            reasons[member.inner] = str(error)
    assert reasons == {
        "a.fit": "it is cut off or damaged",
        "b.fit": "it is encrypted",
        "c.fit": "c",
        "d.fit": "it is packed in a way this program doesn't unpack: unpack it and import the folder",
    }


def test_archives_inside_an_archive_are_mentioned_once(tmp_path: Path) -> None:
    inside = zipped(tmp_path / "in.zip", {"r.fit": b"1"}).read_bytes()
    path = zipped(tmp_path / "out.zip", {"a.zip": inside, "b.zip": inside, "r.fit": b"2"})
    members, skipped = found(path)
    assert [member.inner for member in members] == ["r.fit"]
    assert [line.why.split(":")[0] for line in skipped] == ["2 archives inside it not opened"]


def test_a_member_without_a_name_is_passed_over(tmp_path: Path) -> None:
    """Found by fuzzing: zipfile asks for the last letter of the name."""
    path = zipped(tmp_path / "x.zip", {"?": b"1", "r.fit": b"2"}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x01\x02", 46), (b"PK\x03\x04", 30)):
        data[data.find(mark) + at] = 0  # names end at a zero
    path.write_bytes(data)
    assert [member.inner for member in found(path)[0]] == ["r.fit"]


def test_an_archive_of_more_than_65535_files_is_fine(tmp_path: Path) -> None:
    """zip64, as exports with many photos are."""
    path = tmp_path / "big.zip"
    with zipfile.ZipFile(path, "w") as out:
        for number in range(66_000):
            out.writestr(zipfile.ZipInfo(f"m/{number}"), b"")
        out.writestr("run.fit", b"yes")
    (member,) = found(path)[0]
    assert read_member(member) == b"yes"


def test_an_archive_that_changes_or_goes_meanwhile(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {"a.fit": b"old"})
    (member,) = found(path)[0]
    assert read_member(member) == b"old"
    zipped(path, {"a.fit": b"newer"})
    assert read_member(member) == b"newer"
    zipped(path, {"b.fit": b"other"})
    with pytest.raises(Unreadable, match="no longer in the archive"):
        read_member(member)
    path.unlink()
    with pytest.raises(Unreadable, match="no such file"):
        read_member(member)


def test_a_worker_moves_no_file_position_of_its_parent_s(tmp_path: Path) -> None:
    """Two processes that share one would tear each other's bytes."""
    path = zipped(tmp_path / "x.zip", {"a.fit": b"a" * 9000, "b.fit": b"b" * 9000}, zipfile.ZIP_STORED)
    first, second = found(path)[0]
    assert read_member(first) == b"a" * 9000
    ((_, opened),) = archive._kept.items()
    assert opened.fp is not None
    before = os.lseek(opened.fp.fileno(), 0, os.SEEK_CUR)
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if read_member(second) == b"b" * 9000 else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert os.lseek(opened.fp.fileno(), 0, os.SEEK_CUR) == before


@pytest.mark.parametrize(
    ("name", "counts"),
    [("a.fit", True), ("A.TCX.GZ", True), ("x/activities.csv", True), ("x/profile.csv", False), ("a.fitx", False)]
    + [("fit", False), ("._a.fit", False), ("a.fit.zip", False), ("x\\a.gpx", True), ("a.gz", False)],
)
def test_which_names_can_be_recordings(name: str, counts: bool) -> None:
    assert wanted(name) == counts


@tries(80)
@given(st.data())
def test_no_damage_to_an_archive_makes_it_stumble(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    whole = bytearray(
        zipped(path, EXPORT, data.draw(st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))).read_bytes()
    )
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    path.unlink()
    path.write_bytes(whole)
    for item in find([path]):
        if isinstance(item, Member):
            try:
                read_member(item)
            except Unreadable as why:
                assert str(why) and "\n" not in str(why)


def test_packed_with_bzip2_is_no_recording(tmp_path: Path) -> None:
    """Not unpacked, whatever it would become: the reader of recordings says what it isn't."""
    path = unpacked(tmp_path, {"a.fit": bz2.compress(b"x")}) / "a.fit"
    assert read_member(found(path)[0][0])[:3] == b"BZh"
