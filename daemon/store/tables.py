"""The tables, keyed by athlete. What is derived (series, metrics, verdicts) can be rebuilt from what isn't."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKeyConstraint, Index, LargeBinary, String, Text, TypeDecorator
from sqlmodel import Field, SQLModel


class UtcText(TypeDecorator[datetime]):
    """An aware moment kept as ISO 8601 text in UTC to the second: readable, and sorts as it should."""

    impl = String(25)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat(timespec="seconds")

    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


def _moment(nullable: bool = True, index: bool = False) -> Any:
    return Field(default=None, sa_column=Column(UtcText, nullable=nullable, index=index))


class ActivityRow(SQLModel, table=True):
    """One activity: its facts, what is still to be fetched for it, and whether Strava still has it."""

    __tablename__ = "activity"

    athlete_id: int = Field(primary_key=True)
    id: int = Field(primary_key=True)
    source: str
    content_hash: str
    start: datetime = _moment(nullable=False, index=True)
    day: date = Field(index=True)
    sport: str
    name: str
    facts: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    first_seen_at: datetime = _moment(nullable=False)
    deleted_at: datetime | None = _moment()
    recording: str = Field(index=True)
    """What of its streams is here: wanted, waiting (asked, not there yet), have, none."""
    attempts: int = 0
    next_attempt_at: datetime | None = _moment()
    failures: int = 0
    """How often Strava failed to give it since it was last wanted."""
    detail_wanted: bool = False
    double_of: int | None = None
    """Derived: the activity that counts where this is another recording of the same one."""


class ImportedRow(SQLModel, table=True):
    """One file that an import has read, by the digest of its content: importing it again needs no reading."""

    __tablename__ = "imported"

    athlete_id: int = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    version: int
    """Of the readers."""
    activities: list[int] = Field(sa_column=Column(JSON, nullable=False))
    problem: str | None = None
    """Why it couldn't be read."""
    imported_at: datetime = _moment(nullable=False)


class RawRow(SQLModel, table=True):
    """One answer of Strava's as it came, compressed; deleted when it expires."""

    __tablename__ = "raw"
    __table_args__ = (
        ForeignKeyConstraint(["athlete_id", "activity_id"], ["activity.athlete_id", "activity.id"], ondelete="CASCADE"),
    )

    athlete_id: int = Field(primary_key=True)
    activity_id: int = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    """activity or streams."""
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    expires_at: datetime = _moment(nullable=False, index=True)


class SeriesRow(SQLModel, table=True):
    """One run as 5-second means (the codec of the metrics room)."""

    __tablename__ = "series"
    __table_args__ = (
        ForeignKeyConstraint(["athlete_id", "activity_id"], ["activity.athlete_id", "activity.id"], ondelete="CASCADE"),
    )

    athlete_id: int = Field(primary_key=True)
    activity_id: int = Field(primary_key=True)
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class MetricsRow(SQLModel, table=True):
    """The numbers of one run, with the version of the code that made them."""

    __tablename__ = "metrics"
    __table_args__ = (
        ForeignKeyConstraint(["athlete_id", "activity_id"], ["activity.athlete_id", "activity.id"], ondelete="CASCADE"),
    )

    athlete_id: int = Field(primary_key=True)
    activity_id: int = Field(primary_key=True)
    version: int
    data: str = Field(sa_column=Column(Text, nullable=False))


class FeelRow(SQLModel, table=True):
    """How one run felt, in the runner's word. Not derived: nothing can rebuild it."""

    __tablename__ = "feel"
    __table_args__ = (
        ForeignKeyConstraint(["athlete_id", "activity_id"], ["activity.athlete_id", "activity.id"], ondelete="CASCADE"),
    )

    athlete_id: int = Field(primary_key=True)
    activity_id: int = Field(primary_key=True)
    feel: str
    given_at: datetime = _moment(nullable=False)


class AnswerRow(SQLModel, table=True):
    """What the runner said of the days `first` to `last`. Not derived: nothing can rebuild it."""

    __tablename__ = "answer"

    id: int | None = Field(default=None, primary_key=True)
    athlete_id: int = Field(index=True)
    reason: str
    first: date
    last: date
    given_at: datetime = _moment(nullable=False)


class VerdictRow(SQLModel, table=True):
    """The judgement of one local day."""

    __tablename__ = "verdict"

    athlete_id: int = Field(primary_key=True)
    day: date = Field(primary_key=True)
    data: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))


class AlertRow(SQLModel, table=True):
    """One thing told, or to be told, to the runner: a row per change of state, its words never rewritten."""

    __tablename__ = "alert"

    id: int | None = Field(default=None, primary_key=True)
    athlete_id: int = Field(index=True)
    kind: str
    episode: str
    about: str | None = None
    """The kind it speaks of where that isn't its own: a reminder's or a retraction's."""
    thread: int | None = None
    """The first alert of its thread; None where it is that itself."""
    title: str
    text: str = Field(sa_column=Column(Text, nullable=False))
    opened_at: datetime = _moment(nullable=False)
    closed_at: datetime | None = _moment()

    __table_args__ = (Index("one_alert_per_episode", "athlete_id", "kind", "episode", unique=True),)


class DeliveryRow(SQLModel, table=True):
    """One alert on one channel. Claimed and sent are recorded apart, so that a crash between them is seen."""

    __tablename__ = "delivery"

    id: int | None = Field(default=None, primary_key=True)
    alert_id: int = Field(foreign_key="alert.id", index=True)
    channel: str
    """A digest of the channel's address: the address is a secret and stays in the config."""
    state: str = Field(index=True)
    """pending, claimed, sent, given_up or withdrawn."""
    attempts: int = 0
    created_at: datetime = _moment(nullable=False)
    next_attempt_at: datetime | None = _moment()
    claimed_at: datetime | None = _moment()
    """When the last attempt began; None once it has failed."""
    sent_at: datetime | None = _moment()
    doubtful_at: datetime | None = _moment()
    """When an attempt ended without an answer: it may have arrived."""
    error: str | None = None

    __table_args__ = (Index("one_delivery_per_channel", "alert_id", "channel", unique=True),)


class SnoozeRow(SQLModel, table=True):
    """Until when nothing is delivered to one athlete."""

    __tablename__ = "snooze"

    athlete_id: int = Field(primary_key=True)
    since: datetime = _moment(nullable=False)
    until: datetime = _moment(nullable=False)


class TokenRow(SQLModel, table=True):
    """An athlete's grant. The pair is replaced in one transaction before it is used."""

    __tablename__ = "token"

    athlete_id: int = Field(primary_key=True)
    access: str
    refresh: str
    expires_at: datetime = _moment(nullable=False)
    scope: str


class SyncRow(SQLModel, table=True):
    """How far the pull has come for one athlete (a JSON document: see `daemon.store.progress.Progress`)."""

    __tablename__ = "sync_state"

    athlete_id: int = Field(primary_key=True)
    data: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
