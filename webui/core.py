"""What all requests of one application share."""

from dataclasses import dataclass

from flask import current_app

from webui.accounts import Accounts
from webui.config import Config
from webui.db import Database
from webui.services.actions import Actions
from webui.services.answers import Answers
from webui.services.fleet import Fleet
from webui.services.queue import Queue
from webui.services.rooms import Rooms
from webui.services.runs import Runs
from webui.services.tokens import Tokens
from webui.services.watch import Watch


@dataclass(frozen=True)
class Core:
    """The services of one installation, used by pages, HTTP API and workers alike."""

    config: Config
    db: Database
    queue: Queue
    accounts: Accounts
    fleet: Fleet
    runs: Runs
    actions: Actions
    watch: Watch
    rooms: Rooms
    tokens: Tokens
    answers: Answers

    def close(self) -> None:
        """End all connections."""
        self.watch.close()
        self.queue.close()
        self.db.close()


def make_core(config: Config) -> Core:
    """Connect the services over a database that has the newest schema; raise BerthError."""
    db = Database(config.database_url)
    db.migrate()
    queue = Queue(db)
    runs = Runs(db, queue.wake, config.lost_after)
    fleet = Fleet(config.inventory)
    rooms = Rooms(fleet)
    accounts = Accounts(db, config.secret_key, config.session_hours)
    return Core(
        config=config,
        db=db,
        queue=queue,
        accounts=accounts,
        fleet=fleet,
        runs=runs,
        actions=Actions(fleet, runs, rooms),
        watch=Watch(runs),
        rooms=rooms,
        tokens=Tokens(db),
        answers=Answers(db),
    )


def core() -> Core:
    """The services of the application that this request is for."""
    return current_app.extensions["berth"]
