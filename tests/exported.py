"""A runner's recordings written out as Strava's export would hold them: FIT by an independent writer, and a table.

fit-tool writes all messages; of the thousands of points it writes the first, and the others follow in its own layout,
because it takes two seconds for an hour of running.
"""

import csv
import gzip
import io
import zipfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from fit_tool.fit_file_builder import FitFileBuilder
from fit_tool.profile.messages.activity_message import ActivityMessage
from fit_tool.profile.messages.file_id_message import FileIdMessage
from fit_tool.profile.messages.lap_message import LapMessage
from fit_tool.profile.messages.record_message import RecordMessage
from fit_tool.profile.messages.session_message import SessionMessage
from fit_tool.profile.profile_type import FileType, Manufacturer, Sport

from daemon.simulator.world import Recording

FIT_EPOCH_S = 631_065_600
NAMES = (
    "Activity ID,Activity Date,Activity Name,Activity Type,Activity Description,Elapsed Time,Distance,"
    "Max Heart Rate,Relative Effort,Commute,Activity Private Note,Activity Gear,Filename,Athlete Weight,"
    "Bike Weight,Elapsed Time,Moving Time,Distance,Max Speed,Average Speed,Elevation Gain,Elevation Loss,"
    "Elevation Low,Elevation High,Max Grade,Average Grade,Average Positive Grade,Average Negative Grade,"
    "Max Cadence,Average Cadence,Max Heart Rate,Average Heart Rate,Max Watts,Average Watts,Calories,"
    "Max Temperature,Average Temperature,Relative Effort,Total Work,Number of Runs,Uphill Time,Downhill Time,"
    "Other Time,Perceived Exertion,Type,Start Time,Weighted Average Power,Power Count,Prefer Perceived Exertion,"
    "Perceived Relative Effort,Commute,Total Weight Lifted,From Upload,Grade Adjusted Distance,"
    "Weather Observation Time,Weather Condition,Weather Temperature,Apparent Temperature,Dewpoint,Humidity,"
    "Weather Pressure,Wind Speed,Wind Gust,Wind Bearing,Precipitation Intensity,Sunrise Time,Sunset Time,"
    "Moon Phase,Bike,Gear,Precipitation Probability,Precipitation Type,Cloud Cover,Weather Visibility,UV Index,"
    "Weather Ozone,Jump Count,Total Grit,Average Flow,Flagged,Average Elapsed Speed,Dirt Distance,"
    "Newly Explored Distance,Newly Explored Dirt Distance,Activity Count,Total Steps,Carbon Saved,Pool Length,"
    "Training Load,Intensity,Average Grade Adjusted Pace,Timer Time,Total Cycles,Recovery,With Pet,Competition,"
    "Long Run,For a Cause,Media"
)
COLUMNS = next(csv.reader([NAMES]))
SECOND = {name: len(COLUMNS) - 1 - COLUMNS[::-1].index(name) for name in COLUMNS}
"""The column of each name, the last where a name stands twice."""

STREAM_OF = {"distance": "distance", "altitude": "altitude", "speed": "velocity_smooth"}
STREAM_OF |= {"heart_rate": "heartrate", "cadence": "cadence", "temperature": "temp"}
LAYOUT = {
    "timestamp": (253, "<u4", lambda v: v),
    "distance": (5, "<u4", lambda v: v * 100),
    "altitude": (2, "<u2", lambda v: (v + 500) * 5),
    "speed": (6, "<u2", lambda v: v * 1000),
    "heart_rate": (3, "u1", lambda v: v),
    "cadence": (4, "u1", lambda v: v),
    "temperature": (13, "i1", lambda v: v),
}


def fit_file(recording: Recording, *, whole: bool = False) -> bytes:
    """The recording as a watch writes it; `whole` has fit-tool write every point."""
    summary, streams = recording.summary, recording.streams
    start = datetime.fromisoformat(summary["start_date"]).timestamp()
    times = np.asarray(streams["time"], dtype=np.int64)
    values = {name: np.asarray(streams[of], dtype=float) for name, of in STREAM_OF.items() if of in streams}
    builder = FitFileBuilder()
    head = FileIdMessage()
    head.type, head.manufacturer, head.product = FileType.ACTIVITY, Manufacturer.GARMIN.value, 3076
    head.serial_number, head.time_created = summary["id"] % 2**32, round(start * 1000)
    builder.add(head)
    for i, second in enumerate(times if whole else times[:1]):
        point = RecordMessage()
        point.timestamp = round(1000 * (start + second))
        for name, column in values.items():
            setattr(point, name, int(column[i]) if LAYOUT[name][1][-1] == "1" else float(column[i]))
        builder.add(point)
    _totals(builder, recording, start)
    pieces = [record.to_bytes() for record in builder.records]
    if not whole:
        pieces[3] = _points(builder, pieces[3], times + round(start) - FIT_EPOCH_S, values)
    return _file(b"".join(pieces))


def _totals(builder: FitFileBuilder, recording: Recording, start: float) -> None:
    summary, begin = recording.summary, start
    for lap in recording.laps:
        message = LapMessage()
        message.start_time, begin = round(1000 * begin), begin + lap["elapsed_time"]
        message.timestamp = round(1000 * begin)
        message.total_elapsed_time, message.total_timer_time = lap["elapsed_time"], lap["moving_time"]
        message.total_distance = lap["distance"]
        if lap.get("average_heartrate"):
            message.avg_heart_rate = round(lap["average_heartrate"])
        builder.add(message)
    session = SessionMessage()
    session.start_time = round(1000 * start)
    session.timestamp = round(1000 * (start + summary["elapsed_time"]))
    session.total_elapsed_time, session.total_timer_time = summary["elapsed_time"], summary["elapsed_time"]
    session.total_distance, session.sport = summary["distance"], Sport.RUNNING
    builder.add(session)
    activity = ActivityMessage()
    activity.timestamp = round(1000 * (start + summary["elapsed_time"]))
    local = start + summary["elapsed_time"] + summary["utc_offset"]
    activity.local_timestamp = round(local) - FIT_EPOCH_S
    builder.add(activity)


def _points(builder: FitFileBuilder, first: bytes, stamps: np.ndarray, values: Mapping[str, np.ndarray]) -> bytes:
    """All points, in the layout that fit-tool gave the first."""
    names = {number: name for name, (number, _, _) in LAYOUT.items()}
    defined = [d for d in builder.records[2].message.field_definitions if d.size]
    fields = [(names[d.field_id], LAYOUT[names[d.field_id]][1]) for d in defined]
    table = np.zeros(stamps.size, dtype=[("header", "u1"), *fields])
    table["header"] = first[0]
    for name, _ in fields:
        column = stamps if name == "timestamp" else LAYOUT[name][2](values[name])
        table[name] = np.rint(column)
    assert table[:1].tobytes() == first
    return table.tobytes()


def _file(messages: bytes) -> bytes:
    header = bytes([14, 0x20]) + (2140).to_bytes(2, "little") + len(messages).to_bytes(4, "little") + b".FIT"
    header += _checksum(header).to_bytes(2, "little")
    return header + messages + _checksum(header + messages).to_bytes(2, "little")


def _checksum(data: bytes) -> int:
    """CRC-16/ARC."""
    crc = 0
    for byte in data:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc


def _crc_of(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (0xA001 if byte & 1 else 0)
    return byte


_CRC = [_crc_of(byte) for byte in range(256)]


def table(recordings: Iterable[Recording], more: Mapping[int, Mapping[str, Any]] | None = None) -> str:
    """activities.csv in English; `more` has further cells by activity and column, "Filename" too."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for recording in recordings:
        summary = recording.summary
        row = [""] * len(COLUMNS)
        row[COLUMNS.index("Elapsed Time")] = str(summary["elapsed_time"])
        row[COLUMNS.index("Distance")] = f"{summary['distance'] / 1000:.2f}"
        start = datetime.fromisoformat(summary["start_date"]).astimezone(UTC)
        exertion = recording.extra.get("perceived_exertion")
        cells: dict[str, Any] = {
            "Activity ID": summary["id"],
            "Activity Date": f"{start:%b %-d, %Y, %-I:%M:%S %p}",
            "Activity Name": summary["name"],
            "Activity Type": summary["sport_type"],
            "Filename": f"activities/{summary['id'] + 77}.fit.gz",
            "Elapsed Time": float(summary["elapsed_time"]),
            "Moving Time": float(summary["moving_time"]),
            "Distance": summary["distance"],
            "Average Heart Rate": summary.get("average_heartrate") or "",
            "Max Heart Rate": summary.get("max_heartrate") or "",
            "Perceived Exertion": "" if exertion is None else float(exertion),
            **(more or {}).get(summary["id"], {}),
        }
        for name, value in cells.items():
            row[SECOND[name]] = str(value)
        rows.writerow(row)
    return out.getvalue()


def export(path: Path, recordings: Iterable[Recording], more: Mapping[int, Mapping[str, Any]] | None = None) -> Path:
    """The zip as Strava sends it: the table, a profile, and a FIT file for each recording that has streams."""
    everything = list(recordings)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("activities.csv", table(everything, more))
        for recording in everything:
            if recording.streams:
                packed = gzip.compress(fit_file(recording), 1, mtime=0)
                archive.writestr(f"activities/{recording.summary['id'] + 77}.fit.gz", packed)
    return path
