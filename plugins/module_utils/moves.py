"""What a host notes of a database that moves between its clusters: where from, where to, and which counts."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

MOVES = Path("/etc/berth/postgres/moves")
LOCKS = Path("/run/berth")
KEPT_SECONDS = 86400


@dataclass
class Move:
    """One move; `origin` and `target` are shared or dedicated, `places` has port and socket directory of both.

    Until it is `switched` (seconds since 1970) the database at the origin counts, from then on the one at the target.
    """

    project: str
    database: str
    origin: str
    target: str
    places: dict
    connections: int
    schema: str = ""
    switched: float = 0

    @classmethod
    def read(cls, database):
        """Returns the move of a database, None where there is none."""
        try:
            return cls(**json.loads((MOVES / database).read_text()))
        except FileNotFoundError:
            return None

    @property
    def live(self):
        """Returns which of the two databases counts."""
        return self.target if self.switched else self.origin

    def write(self):
        """Notes the move in one step, on the disk when this returns."""
        MOVES.mkdir(mode=0o755, parents=True, exist_ok=True)
        fresh = MOVES / f".{self.database}"
        with fresh.open("w") as stream:
            json.dump(asdict(self), stream)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(MOVES / self.database)
        directory = os.open(MOVES, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)

    def forget(self):
        """Removes the note, and the directory where it was the last."""
        (MOVES / self.database).unlink(missing_ok=True)
        with suppress(OSError):
            MOVES.rmdir()


@contextmanager
def locked(database):
    """Lets one process of the host at a time work on the move of a database: a module outlives a run that is killed.

    What is noted of the move is to be read inside.
    """
    LOCKS.mkdir(mode=0o755, parents=True, exist_ok=True)
    path = LOCKS / f"move-{database}.lock"
    while True:
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _names(path, lock):
                continue  # whoever held it took it away
            try:
                yield
            finally:
                path.unlink()
            return


def _names(path, stream):
    """Returns whether a path names the file that is open."""
    try:
        return os.path.samestat(path.stat(), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False
