"""Measurements of hosts for 90 days, which hosts did not answer, and proofs, in one file of the environment."""

import hashlib
import sqlite3
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from berth.errors import BerthError
from berth.models import Project
from berth.proofs import Proof, Verdict, subject
from berth.status import HostStatus, Measurement

if TYPE_CHECKING:
    from berth.capacity import Capacity

FILE = ".samples.sqlite3"
KEPT = timedelta(days=90)
KEPT_ALL = timedelta(days=2)
_COUNTED = timedelta(days=7)
_POINTS = 50
_HOUR = 3600
_WAIT = 30.0
_NEVER = 2**62
_TABLE = """
CREATE TABLE IF NOT EXISTS samples (
    host TEXT NOT NULL, at INTEGER NOT NULL, used INTEGER NOT NULL, status BLOB NOT NULL, PRIMARY KEY (host, at)
) WITHOUT ROWID
"""
_SILENCES = "CREATE TABLE IF NOT EXISTS silences (host TEXT PRIMARY KEY, since INTEGER NOT NULL, reason TEXT NOT NULL)"
# the capacity of a host at its last measurement; `basis` tells what it was computed by
_ACCOUNTS = """
CREATE TABLE IF NOT EXISTS accounts (
    host TEXT PRIMARY KEY, at INTEGER NOT NULL, basis TEXT NOT NULL, account BLOB NOT NULL
) WITHOUT ROWID
"""
# the last proof of isolation of each project; `subject` tells which project of that name it was
_PROOFS = """
CREATE TABLE IF NOT EXISTS proofs (
    project TEXT PRIMARY KEY, subject TEXT NOT NULL, verdict TEXT NOT NULL, at INTEGER NOT NULL, proof BLOB NOT NULL
) WITHOUT ROWID
"""
_SILENT = "INSERT INTO silences VALUES (?, ?, ?) ON CONFLICT (host) DO UPDATE SET reason = excluded.reason"
# of each hour the one with the most memory in use stays, so that a peak is not lost
_THIN = """
DELETE FROM samples WHERE host = :host AND at < :thin AND EXISTS (
    SELECT 1 FROM samples better WHERE better.host = samples.host AND better.at / :hour = samples.at / :hour
    AND (better.used > samples.used OR (better.used = samples.used AND better.at > samples.at))
)
"""


class SamplesError(BerthError):
    """Samples that cannot be read or written, with the remedy."""


@dataclass(frozen=True)
class Silence:
    """A host that was asked and did not answer: since the first time that nobody has heard it again after."""

    since: datetime
    reason: str


class Samples:
    """The samples of one environment; several processes may use them at the same time."""

    def __init__(self, inventory_dir: Path) -> None:
        self.path = inventory_dir / FILE

    def add(self, status: HostStatus, declared: Collection[Project] | None = None) -> None:
        """Keep a measurement, and let go of those that are too old; raise SamplesError.

        With what is declared, keep the capacity that follows too, so that whoever asks for it need not compute.
        """
        now = int(status.measured_at.timestamp())
        times = {
            "host": status.name,
            "old": now - int(KEPT.total_seconds()),
            "thin": (now - int(KEPT_ALL.total_seconds())) // _HOUR * _HOUR,
            "hour": _HOUR,
        }
        account = (
            None if declared is None else (_basis(status.name, declared), _packed(self._counted(status, declared)))
        )
        with self._open() as database:
            values = (status.name, now, status.memory_used_bytes, _packed(status))
            database.execute("INSERT OR REPLACE INTO samples VALUES (?, ?, ?, ?)", values)
            database.execute("DELETE FROM silences WHERE host = :host", times)
            database.execute("DELETE FROM samples WHERE host = :host AND at < :old", times)
            database.execute(_THIN, times)
            if account:
                database.execute("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?)", (status.name, now, *account))

    def keep(self, found: Measurement, declared: Collection[Project]) -> None:
        """Keep what hosts told, with the capacity that follows, and which did not answer; raise SamplesError."""
        for status in found.hosts:
            self.add(status, declared)
        for host, reason in found.down.items():
            self.note_silence(host, reason, datetime.now(UTC))

    def note_silence(self, host: str, reason: str, at: datetime) -> None:
        """Keep that a host did not answer; the next measurement of it ends that. Raise SamplesError."""
        with self._open() as database:
            database.execute(_SILENT, (host, int(at.timestamp()), reason))

    def silences(self) -> dict[str, Silence]:
        """The hosts that did not answer when they were asked last; raise SamplesError."""
        if not self.path.exists():
            return {}
        with self._open() as database:
            rows = database.execute("SELECT host, since, reason FROM silences").fetchall()
        return {host: Silence(datetime.fromtimestamp(since, UTC), reason) for host, since, reason in rows}

    def keep_proofs(self, found: Collection[Proof]) -> None:
        """Keep proofs of isolation, each in place of the one before; raise SamplesError."""
        rows = [
            (proof.project, proof.subject, proof.verdict, int(proof.at.timestamp()), _packed(proof)) for proof in found
        ]
        with self._open() as database:
            database.executemany("INSERT OR REPLACE INTO proofs VALUES (?, ?, ?, ?, ?)", rows)

    def proof(self, project: Project) -> Proof | None:
        """The last proof of isolation of a project as it is declared, None where there is none; raise SamplesError."""
        if not self.path.exists():
            return None
        query = "SELECT proof FROM proofs WHERE project = ? AND subject = ?"
        with self._open() as database:
            found = database.execute(query, (project.name, subject(project))).fetchone()
        return Proof.model_validate_json(zlib.decompress(found[0])) if found else None

    def verdicts(self) -> dict[str, tuple[str, Verdict, datetime]]:
        """Of what each project's last proof is, its verdict and when it was made, by name; raise SamplesError."""
        if not self.path.exists():
            return {}
        with self._open() as database:
            rows = database.execute("SELECT project, subject, verdict, at FROM proofs").fetchall()
        return {name: (of, verdict, datetime.fromtimestamp(at, UTC)) for name, of, verdict, at in rows}

    def latest(self, host: str) -> HostStatus | None:
        """The last measurement of a host, None where there is none; raise SamplesError."""
        found = self._read("SELECT status FROM samples WHERE host = ? ORDER BY at DESC LIMIT 1", host)
        return found[0] if found else None

    def history(
        self, host: str, since: datetime | None = None, until: datetime | None = None, points: int = 200
    ) -> list[HostStatus]:
        """Measurements of a host, the oldest first, at most `points` evenly picked; raise SamplesError."""
        begin = int(since.timestamp()) if since else 0
        end = int(until.timestamp()) if until else _NEVER
        query = """
            SELECT status FROM (
                SELECT at, status, row_number() OVER (ORDER BY at DESC) - 1 AS place, count(*) OVER () AS total
                FROM samples WHERE host = ? AND at BETWEEN ? AND ?
            ) WHERE place % ((total + ? - 1) / ?) = 0 ORDER BY at
        """
        return self._read(query, host, begin, end, points, points)

    def account(self, status: HostStatus, declared: Collection[Project]) -> "Capacity":
        """The capacity of a host by a measurement and those of the days before; raise SamplesError."""
        return self._kept_account(status, declared) or self._counted(status, declared)

    def _kept_account(self, status: HostStatus, declared: Collection[Project]) -> "Capacity | None":
        from berth.capacity import Capacity

        if not self.path.exists():
            return None
        which = (status.name, int(status.measured_at.timestamp()), _basis(status.name, declared))
        query = "SELECT account FROM accounts WHERE host = ? AND at = ? AND basis = ?"
        with self._open() as database:
            found = database.execute(query, which).fetchone()
        try:
            return Capacity.model_validate_json(zlib.decompress(found[0])) if found else None
        except ValidationError:
            return None  # in a form that another version of Berth wrote

    def _counted(self, status: HostStatus, declared: Collection[Project]) -> "Capacity":
        from berth.capacity import capacity

        history = self.history(status.name, status.measured_at - _COUNTED, points=_POINTS)
        return capacity(status, declared, history)

    def _read(self, query: str, *parameters: object) -> list[HostStatus]:
        if not self.path.exists():
            return []
        with self._open() as database:
            blobs = [row[0] for row in database.execute(query, parameters)]
        return [status for blob in blobs if (status := _status(blob))]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            database = sqlite3.connect(self.path, timeout=_WAIT)
            try:
                database.execute(_TABLE)
                database.execute(_SILENCES)
                database.execute(_ACCOUNTS)
                database.execute(_PROOFS)
                with database:
                    yield database
            finally:
                database.close()
        except sqlite3.Error as error:
            raise SamplesError(
                f"{self.path}: {error}; correct its permissions, or remove the file: only past measurements are in it"
            ) from error


def _packed(told: BaseModel) -> bytes:
    return zlib.compress(told.model_dump_json().encode())


def _basis(host: str, declared: Collection[Project]) -> str:
    """What changes when the same measurement would be judged otherwise."""
    from berth.guidance import guidance

    digest = hashlib.sha256(guidance().model_dump_json().encode())
    for project in declared:
        if project.host == host:
            digest.update(project.model_dump_json().encode())
    return digest.hexdigest()


def _status(blob: bytes) -> HostStatus | None:
    """The measurement; None for one in a form that another version of Berth wrote."""
    try:
        return HostStatus.model_validate_json(zlib.decompress(blob))
    except ValidationError:
        return None
