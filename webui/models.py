"""The tables of the UI."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, Index, String, Text, TypeDecorator, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

CASCADE = "CASCADE"
QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED, LOST = "queued", "running", "succeeded", "failed", "cancelled", "lost"
STATES = (QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED, LOST)
OVER = (SUCCEEDED, FAILED, CANCELLED, LOST)


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)


class UtcTime(TypeDecorator[datetime]):
    """A time in UTC, which SQLite keeps without saying so."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Return the time with its zone."""
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {datetime: UtcTime, dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012


class User(Base):
    """A person; password and second factor are empty until the person sets them."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    active: Mapped[bool] = mapped_column(default=True)
    password_hash: Mapped[str | None] = mapped_column(Text)
    totp_sealed: Mapped[str | None] = mapped_column(Text)
    totp_enabled: Mapped[bool] = mapped_column(default=False)
    totp_last_step: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_login_at: Mapped[datetime | None]


class Grant(Base):
    """A role that a person has for one project, above the own one."""

    __tablename__ = "grants"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete=CASCADE), primary_key=True)
    project: Mapped[str] = mapped_column(String(24), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))


class Login(Base):
    """A session in a browser, found by the hash of what its cookie holds."""

    __tablename__ = "logins"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete=CASCADE))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    proven_at: Mapped[datetime]  # when the password was given last
    address: Mapped[str] = mapped_column(String(64))


class Link(Base):
    """A link that lets a person set a password, once."""

    __tablename__ = "links"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete=CASCADE))
    expires_at: Mapped[datetime]


class Attempt(Base):
    """A login that failed."""

    __tablename__ = "attempts"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    name: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))


class Token(Base):
    """A bearer token of the HTTP API, found by its hash."""

    __tablename__ = "tokens"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete=CASCADE))
    name: Mapped[str] = mapped_column(String(64))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    beginning: Mapped[str] = mapped_column(String(16))
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class AuditEntry(Base):
    """Who did what, when, from where, and with which run."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    actor: Mapped[str] = mapped_column(String(80))
    address: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(40), index=True)
    target: Mapped[str] = mapped_column(String(80), index=True)
    run_id: Mapped[int | None]
    details: Mapped[dict[str, Any]]


class Run(Base):
    """One run of a playbook: what was asked, how far it is, what came of it."""

    __tablename__ = "runs"
    id: Mapped[int] = mapped_column(primary_key=True)
    action: Mapped[str] = mapped_column(String(24))
    project: Mapped[str | None] = mapped_column(String(24), index=True)
    hosts: Mapped[list[str]]
    playbook: Mapped[str] = mapped_column(String(64))
    check: Mapped[bool]
    draft: Mapped[str | None] = mapped_column(Text)  # the declaration that is to be planned, never written
    asked: Mapped[dict[str, Any]]  # what people gave for the action, so that a plan can be carried out
    state: Mapped[str] = mapped_column(String(16), default=QUEUED, index=True)
    asked_by: Mapped[str] = mapped_column(String(80))
    again_of: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    worker: Mapped[str | None] = mapped_column(String(120))
    cancel_asked_by: Mapped[str | None] = mapped_column(String(80))
    steps: Mapped[int] = mapped_column(default=0)
    changed: Mapped[dict[str, Any]] = mapped_column(default=dict)  # changed tasks by host
    reason: Mapped[str | None] = mapped_column(Text)  # why it did not succeed
    log: Mapped[str | None] = mapped_column(Text)
    report: Mapped[dict[str, Any] | None]  # what it found, where it was to find something out

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in OVER

    @property
    def seconds(self) -> float | None:
        """How long it runs or ran."""
        return ((self.ended_at or now()) - self.started_at).total_seconds() if self.started_at else None


class RunEvent(Base):
    """A step that began (host is empty), or what came of it on a host; number counts within the run from 1."""

    __tablename__ = "run_events"
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete=CASCADE), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    step: Mapped[int]
    task: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(16))  # started, ok, changed, failed, unreachable
    seconds: Mapped[float | None]
    text: Mapped[str] = mapped_column(Text)  # diff or message


class HostLock(Base):
    """The run that has a host to itself."""

    __tablename__ = "host_locks"
    host: Mapped[str] = mapped_column(String(255), primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete=CASCADE))


class Answer(Base):
    """What the HTTP API answered to an idempotency key, for a day; status is 0 while it works on it."""

    __tablename__ = "answers"
    __table_args__ = (UniqueConstraint("user_id", "key"), Index("answers_at", "at"))
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete=CASCADE))
    key: Mapped[str] = mapped_column(String(128))
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(default=0)
    body: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime] = mapped_column(default=now)
