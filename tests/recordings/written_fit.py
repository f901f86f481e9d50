"""FIT files for tests, written by fit-tool: a writer that shares no code with either of the readers."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from fit_tool.base_type import BaseType
from fit_tool.data_message import DataMessage
from fit_tool.developer_field import DeveloperField
from fit_tool.fit_file_builder import FitFileBuilder
from fit_tool.profile.messages.activity_message import ActivityMessage
from fit_tool.profile.messages.developer_data_id_message import DeveloperDataIdMessage
from fit_tool.profile.messages.event_message import EventMessage
from fit_tool.profile.messages.field_description_message import FieldDescriptionMessage
from fit_tool.profile.messages.file_id_message import FileIdMessage
from fit_tool.profile.messages.lap_message import LapMessage
from fit_tool.profile.messages.record_message import RecordMessage
from fit_tool.profile.messages.session_message import SessionMessage
from fit_tool.profile.messages.sport_message import SportMessage
from fit_tool.profile.profile_type import Event, EventType, FileType, Sport, SubSport

START = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
SERIAL = 3_945_849_289
FENIX_6 = 3290

FIT_EPOCH_UNIX_S = 631_065_600

Row = dict[str, float]
M = TypeVar("M", bound=DataMessage)


def fit_file(messages: Iterable[DataMessage]) -> bytes:
    """The messages as one FIT file."""
    builder = FitFileBuilder(auto_define=True, min_string_size=30)
    builder.add_all(list(messages))
    return bytes(builder.build().to_bytes())


def message(new: M, /, **fields: Any) -> M:
    """The message with these fields; a field that is None is left out. Times are aware datetimes or unix seconds."""
    for name, value in fields.items():
        if isinstance(value, datetime):
            value = value.timestamp()  # noqa: PLW2901
        if value is not None:
            setattr(new, name, round(value * 1000) if name in {"timestamp", "start_time", "time_created"} else value)
    return new


def file_id(**fields: Any) -> FileIdMessage:
    facts = {"manufacturer": 1, "product": FENIX_6, "serial_number": SERIAL, "time_created": START} | fields
    return message(FileIdMessage(), type=facts.pop("type", FileType.ACTIVITY), **facts)


def steady(seconds: Iterable[float], speed: float = 2.8, heart: float = 142.0, since: float | None = None) -> list[Row]:
    """Rows of a steady run: the usual fields of a watch, at these seconds from the start."""
    zero = START.timestamp() if since is None else since
    return [
        {
            "timestamp": zero + second,
            "distance": speed * second,
            "enhanced_speed": speed,
            "enhanced_altitude": 100.0 + 0.02 * second,
            "heart_rate": heart + (second % 3),
            "cadence": 84,
            "fractional_cadence": 0.5,
            "temperature": 19,
        }
        for second in seconds
    ]


def records(rows: Sequence[Row]) -> list[RecordMessage]:
    return [message(RecordMessage(), **row) for row in rows]


def timer(second: float, kind: EventType) -> EventMessage:
    return message(EventMessage(), event=Event.TIMER, event_type=kind, timestamp=START.timestamp() + second)


def lap(begin: float, end: float, distance: float, heart: int = 143) -> LapMessage:
    zero = START.timestamp()
    return message(
        LapMessage(),
        timestamp=zero + end,
        start_time=zero + begin,
        total_elapsed_time=end - begin,
        total_timer_time=end - begin,
        total_distance=distance,
        avg_heart_rate=heart,
    )


def session(begin: float, end: float, **fields: Any) -> SessionMessage:
    zero = START.timestamp()
    facts: dict[str, Any] = {
        "timestamp": zero + end,
        "start_time": zero + begin,
        "total_elapsed_time": end - begin,
        "total_timer_time": end - begin,
        "sport": Sport.RUNNING,
        "sub_sport": SubSport.GENERIC,
    }
    return message(SessionMessage(), **(facts | fields))


def activity(end: float, offset_s: int | None = 3600) -> ActivityMessage:
    """The message that ends a file; `offset_s` leads from UTC to the wall clock, None where the watch has no zone."""
    moment = START.timestamp() + end
    local = None if offset_s is None else round(moment) + offset_s - FIT_EPOCH_UNIX_S  # the writer takes it as it is
    return message(ActivityMessage(), timestamp=moment, local_timestamp=local, num_sessions=1)


def sport(what: Sport, sub: SubSport = SubSport.GENERIC) -> SportMessage:
    return message(SportMessage(), sport=what, sub_sport=sub)


def whole_run(rows: Sequence[Row], *between: DataMessage, offset_s: int | None = 3600, **fields: Any) -> bytes:
    """A run as a watch writes it: head, timer start, records (and what is `between`), timer stop, lap, session."""
    end = rows[-1]["timestamp"] - START.timestamp()
    distance = rows[-1].get("distance")
    return fit_file(
        [
            file_id(),
            timer(0, EventType.START),
            *records(rows),
            *between,
            timer(end, EventType.STOP_ALL),
            lap(0, end, distance or 0.0),
            session(0, end, **({"total_distance": distance} | fields)),
            activity(end, offset_s),
        ]
    )


def with_developer_field(rows: Sequence[Row], name: str, values: Sequence[int], units: str = "bpm") -> bytes:
    """A run whose records carry one number more, from an app on the watch."""
    application = message(DeveloperDataIdMessage(), developer_data_index=0)
    described = message(
        FieldDescriptionMessage(),
        developer_data_index=0,
        field_definition_number=0,
        fit_base_type_id=BaseType.UINT8.value,
        field_name=name,
        units=units,
    )
    carrying = []
    for row, value in zip(rows, values, strict=True):
        field = DeveloperField(developer_data_index=0, field_id=0, name=name, base_type=BaseType.UINT8, size=1)
        field.set_value(0, value)
        carrying.append(message(RecordMessage(developer_fields=[field]), **row))
    end = rows[-1]["timestamp"] - START.timestamp()
    return fit_file([file_id(), application, described, *carrying, session(0, end), activity(end)])
