"""Conversions of projects to another architecture or cluster: what is under way, and what may begin or end."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from berth.declarations import shown
from berth.errors import BerthError
from berth.files import write_atomically
from berth.models import Project
from berth.store import DeclarationStore
from berth.yaml_edit import compose
from berth.yaml_files import read_mapping

ARCHITECTURES = ("shared", "isolated")
DATABASES = ("shared", "dedicated")
ROLLBACK, COMMIT = "rollback", "commit"
WORDS = (*ARCHITECTURES, ROLLBACK, COMMIT)
OPEN_FOR = timedelta(days=1)
_MODE = 0o644


class ConversionError(BerthError):
    """A conversion that may not begin, be undone or be committed, with the remedy."""


@dataclass(frozen=True)
class Side:
    """What a project is: its architecture, and whose PostgreSQL cluster has its database."""

    architecture: str
    database: str = "shared"

    @classmethod
    def of(cls, project: Project) -> Self:
        """What the declaration says."""
        return cls(project.architecture, project.database)

    def __str__(self) -> str:
        return f"{self.architecture} with a dedicated database" if self.database == "dedicated" else self.architecture


@dataclass(frozen=True)
class Conversion:
    """One conversion: `done` is when requests had come to the new side and the declaration said so."""

    project: str
    origin: Side
    target: Side
    begun: datetime
    done: datetime | None = None

    @classmethod
    def from_mapping(cls, values: dict[str, Any]) -> Self:
        """The conversion that a file tells of; raise KeyError, TypeError or ValueError for another file."""
        done = values.get("done")
        return cls(
            project=values["project"],
            origin=Side(values["from"], values.get("from_database", "shared")),
            target=Side(values["to"], values.get("to_database", "shared")),
            begun=datetime.fromisoformat(values["begun"]),
            done=datetime.fromisoformat(done) if done else None,
        )

    def as_mapping(self) -> dict[str, str]:
        """The conversion as its file and JSON tell it."""
        ended = {"done": self.done.isoformat(), "open_until": self.open_until.isoformat()} if self.done else {}
        return {
            "project": self.project,
            "from": self.origin.architecture,
            "from_database": self.origin.database,
            "to": self.target.architecture,
            "to_database": self.target.database,
            "begun": self.begun.isoformat(),
        } | ended

    @property
    def open_until(self) -> datetime:
        """When it counts as committed, since nobody rolled it back."""
        return (self.done or self.begun) + OPEN_FOR


class Conversions:
    """The conversions of one environment, each in a file beside the declaration of its project."""

    def __init__(self, store: DeclarationStore) -> None:
        self.store = store

    def path(self, name: str) -> Path:
        """The file that tells of the conversion of a project."""
        return self.store.directory / f".{name}.conversion.yml"

    def open(self, name: str, now: datetime, declared: Project | None = None) -> Conversion | None:
        """The conversion that is neither rolled back nor committed; raise BerthError.

        Who has just read what is declared of the project may hand it over.
        """
        path = self.path(name)
        if not path.exists():
            return None
        try:
            found = Conversion.from_mapping(read_mapping(path))
        except (KeyError, TypeError, ValueError) as error:
            raise ConversionError(f"{shown(path)}: tells of no conversion; restore or remove it") from error
        if found.done is None:
            return found
        # somebody who edits the declaration has decided too
        is_current = Side.of(declared or self.store.project(name)) == found.target
        return found if is_current and now < found.open_until else None

    def aim(self, name: str, word: str, now: datetime, database: str | None = None) -> Side:
        """What the project would be after one of WORDS; raise BerthError where that may not be.

        The same may be asked for again, whether the first run was killed or not.
        `database` is shared or dedicated; without it an isolated project keeps its own.
        """
        project = self.store.project(name)
        conversion = self.open(name, now)
        if word in (ROLLBACK, COMMIT):
            return self._end(name, word, conversion)
        wanted = _wanted(project, word, database)
        if conversion and _completes(conversion.target, word, database):
            return conversion.target
        if conversion:
            raise ConversionError(_still_open(conversion))
        if wanted == Side.of(project):
            raise ConversionError(f"architecture: found {word!r}, which {name} is already; nothing to convert")
        if wanted.database != project.database and project.state == "paused":
            raise ConversionError(
                f"{name}: paused, and a database moves while it runs; berth resume {name} first, then convert it"
            )
        self.store.draft_side(name, wanted.architecture, wanted.database)
        return wanted

    def begin(self, name: str, target: Side, now: datetime) -> Conversion:
        """The conversion, written before anything is done; one that did not end is the same; raise BerthError."""
        self.aim(name, target.architecture, now, target.database)
        conversion = self.open(name, now)
        if conversion is None:
            conversion = Conversion(name, Side.of(self.store.project(name)), target, now)
            self._write(conversion)
        return conversion

    def finish(self, name: str, word: str, now: datetime, database: str | None = None) -> None:
        """Let the declaration say what is so now; raise BerthError."""
        side = self.aim(name, word, now, database)
        conversion = self.open(name, now)
        self.store.change_side(name, side.architecture, side.database)
        if conversion and word in ARCHITECTURES:
            self._write(replace(conversion, done=conversion.done or now))
        else:
            self.path(name).unlink(missing_ok=True)

    def abandon(self, name: str, now: datetime) -> None:
        """Forget a conversion that came to nothing; one that is done stays to be rolled back again."""
        conversion = self.open(name, now)
        if conversion and not conversion.done:
            self.path(name).unlink()

    def _end(self, name: str, word: str, conversion: Conversion | None) -> Side:
        if conversion is None:
            raise ConversionError(
                f"{name}: no conversion of the last day to {'roll back' if word == ROLLBACK else 'commit'}; "
                f"berth convert {name} --to {' or '.join(ARCHITECTURES)} begins one"
            )
        if word == COMMIT and not conversion.done:
            raise ConversionError(_still_open(conversion))
        return conversion.origin if word == ROLLBACK else conversion.target

    def _write(self, conversion: Conversion) -> None:
        text = compose(conversion.as_mapping())
        write_atomically(self.path(conversion.project), text, _MODE)


def moment() -> datetime:
    """The time as conversions note it."""
    return datetime.now(UTC).replace(microsecond=0)


def command(name: str, side: Side) -> str:
    """The command that converts a project to a side."""
    option = f" --database {side.database}" if side.architecture == "isolated" else ""
    return f"berth convert {name} --to {side.architecture}{option}"


def _wanted(project: Project, word: str, database: str | None) -> Side:
    if word not in ARCHITECTURES:
        raise ConversionError(f"architecture: found {word!r}, allowed: shared or isolated; correct it")
    if database not in (None, *DATABASES):
        raise ConversionError(f"database: found {database!r}, allowed: shared or dedicated; correct it")
    if word == "shared" and database == "dedicated":
        raise ConversionError(
            "database: found 'dedicated', allowed: shared, as long as architecture is shared; convert it to isolated"
        )
    kept = project.database if word == project.architecture else "shared"
    return Side(word, database or kept)


def _completes(target: Side, word: str, database: str | None) -> bool:
    return target.architecture == word and database in (None, target.database)


def _still_open(conversion: Conversion) -> str:
    name, target = conversion.project, conversion.target
    if not conversion.done:
        return (
            f"{name}: its conversion to {target}, begun {conversion.begun:%Y-%m-%d %H:%M} UTC, did not end; "
            f"{command(name, target)} completes it, berth convert {name} --rollback undoes it"
        )
    return (
        f"{name}: converted from {conversion.origin} to {target} {conversion.done:%Y-%m-%d %H:%M} UTC and not "
        f"committed; berth convert {name} --commit keeps it so, berth convert {name} --rollback returns"
    )
