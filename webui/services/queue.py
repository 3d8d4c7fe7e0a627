"""The queue that tells workers of runs: Huey in the same database as everything else."""

from collections.abc import Callable

from huey import crontab
from huey.consumer import Consumer
from huey.contrib.sql_huey import SqlHuey
from peewee import Database as QueueDatabase
from peewee import SqliteDatabase
from playhouse.postgres_ext import Psycopg3Database
from sqlalchemy.engine import make_url

from webui.db import BUSY_SECONDS, Database

NAME = "berth"


class Queue:
    """Messages that say "there is work"; what the work is stands in the table of runs."""

    def __init__(self, db: Database) -> None:
        self._database = _database(db)
        self._huey = SqlHuey(NAME, database=self._database, results=False)
        self._work: Callable[[], object] = lambda: None
        self._task = self._huey.task(name="work")(lambda: self._work())
        self._huey.periodic_task(crontab(), name="look")(lambda: self._work())

    def wake(self) -> None:
        """Tell a worker that there is work."""
        with self._database.connection_context():
            self._task()

    def close(self) -> None:
        """End the connection of this thread."""
        self._database.close()

    def consumer(
        self,
        work: Callable[[Callable[[], bool]], object],
        started: Callable[[], None],
        workers: int,
        each_minute: Callable[[], object] = lambda: None,
    ) -> Consumer:
        """The parent of worker processes.

        They call `started` once, and `work` for each message and each minute with what tells whether they have to end.
        One of them calls `each_minute` besides.
        """
        self._huey.periodic_task(crontab(), name="each_minute")(each_minute)
        self._huey.on_startup(name="started")(started)
        consumer = self._huey.create_consumer(
            workers=workers,
            worker_type="process",
            initial_delay=0.1,
            max_delay=0.5,
            health_check_interval=2,
        )
        self._work = lambda: work(consumer.stop_flag.is_set)
        return consumer


def _database(db: Database) -> QueueDatabase:
    url = make_url(db.url)
    if db.is_sqlite:
        return SqliteDatabase(url.database, timeout=BUSY_SECONDS, pragmas={"journal_mode": "wal"})
    given = {"host": url.host, "port": url.port, "user": url.username, "password": url.password, **url.query}
    return Psycopg3Database(url.database, **{key: value for key, value in given.items() if value is not None})
