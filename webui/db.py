"""The database of the UI: SQLite or PostgreSQL, by URL, brought to the newest schema by migrations."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from webui.config import DATABASE_VARIABLE, ConfigError

MIGRATIONS = Path(__file__).with_name("migrations")
BUSY_SECONDS = 15
MIGRATION_LOCK = 7_205_759  # of all advisory locks the one for migrations


class Database:
    """Hands out sessions; one for each process, made after the fork."""

    def __init__(self, url: str) -> None:
        self.url = sqlalchemy_url(url)
        own: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS}} if self.is_sqlite else {"pool_pre_ping": True}
        self.engine = create_engine(self.url, pool_size=20, max_overflow=80, **own)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _set_pragmas)
            event.listen(self.engine, "begin", _begin)
        self._reads = sessionmaker(self.engine, expire_on_commit=False)
        self._writes = sessionmaker(self.engine.execution_options(begin="BEGIN IMMEDIATE"), expire_on_commit=False)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is a file rather than a server."""
        return self.url.startswith("sqlite")

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """Give a session in a transaction, committed at the end, rolled back on an exception."""
        with self._writes.begin() as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session to read with; what it read stays usable after it."""
        with self._reads.begin() as session:
            yield session

    def migrate(self) -> None:
        """Bring the schema to its newest version, once for all that start together; raise ConfigError."""
        from alembic import command

        try:
            with self.engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
                if not self.is_sqlite:
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
                command.upgrade(self.alembic(connection), "head")
        except OperationalError as error:
            reason = str(error.orig).splitlines()[0]
            raise ConfigError(f"{DATABASE_VARIABLE}: {reason}; correct the URL, or start the database") from error

    def alembic(self, connection: Any = None) -> Any:
        """The configuration with which Alembic's commands work on this database."""
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        return config

    def close(self) -> None:
        """End all connections."""
        self.engine.dispose()


def sqlalchemy_url(url: str) -> str:
    """The URL with the driver that Berth brings; raise ConfigError."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError(f"{DATABASE_VARIABLE}: not a URL such as sqlite:////path or postgresql://host/db") from None
    drivers = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
    backend = parsed.drivername.partition("+")[0]
    if backend not in drivers:
        raise ConfigError(f"{DATABASE_VARIABLE}: found {backend!r}, allowed: sqlite or postgresql; correct the URL")
    return parsed.set(drivername=drivers[backend]).render_as_string(hide_password=False)


def _set_pragmas(connection: sqlite3.Connection, record: object) -> None:
    # SQLAlchemy begins transactions itself, see _begin
    connection.isolation_level = None
    for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Any) -> None:
    # A reader that became a writer would fail at once where another wrote meanwhile, instead of waiting
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
