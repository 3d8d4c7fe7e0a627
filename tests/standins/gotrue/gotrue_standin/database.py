"""A pool of two connections that survives a restart of PostgreSQL."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.rows import DictRow, dict_row

from .log import log

SIZE = 2
Connection = psycopg.Connection[DictRow]


class Pool:
    """Lends connections; makes them when first needed."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        self.slots: queue.LifoQueue[Connection | None] = queue.LifoQueue()
        for _ in range(SIZE):
            self.slots.put(None)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Lend a connection inside a transaction: committed at the end, rolled back on any exception."""
        connection = self.slots.get()
        try:
            connection = self.live(connection)
            with connection.transaction():
                yield connection
        finally:
            self.slots.put(connection)

    def live(self, connection: Connection | None) -> Connection:
        """Return the connection when it still answers, else a new one; psycopg.OperationalError when there is none."""
        if connection is not None:
            try:
                connection.execute("SELECT 1")
                return connection
            except psycopg.OperationalError as error:
                log("warning", f"Lost a database connection: {str(error).strip()}")
                connection.close()
        return psycopg.connect(self.database_url, autocommit=True, row_factory=dict_row, connect_timeout=5)

    def close(self) -> None:
        """Close the connections; call it when no request is under way."""
        for _ in range(SIZE):
            connection = self.slots.get()
            if connection is not None:
                connection.close()
