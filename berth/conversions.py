"""Conversions of projects from one architecture to the other: what is under way, and what may begin or end."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from berth.declarations import shown
from berth.errors import BerthError
from berth.files import write_atomically
from berth.store import DeclarationStore
from berth.yaml_edit import compose
from berth.yaml_files import read_mapping

ARCHITECTURES = ("shared", "isolated")
ROLLBACK, COMMIT = "rollback", "commit"
WORDS = (*ARCHITECTURES, ROLLBACK, COMMIT)
OPEN_FOR = timedelta(days=1)
_MODE = 0o644


class ConversionError(BerthError):
    """A conversion that may not begin, be undone or be committed, with the remedy."""


@dataclass(frozen=True)
class Conversion:
    """One conversion: `done` is when requests had come to the new side and the declaration said so."""

    project: str
    origin: str
    target: str
    begun: datetime
    done: datetime | None = None

    @classmethod
    def from_mapping(cls, values: dict[str, Any]) -> Self:
        """The conversion that a file tells of; raise KeyError, TypeError or ValueError for another file."""
        done = values.get("done")
        return cls(
            project=values["project"],
            origin=values["from"],
            target=values["to"],
            begun=datetime.fromisoformat(values["begun"]),
            done=datetime.fromisoformat(done) if done else None,
        )

    def as_mapping(self) -> dict[str, str]:
        """The conversion as its file and JSON tell it."""
        ended = {"done": self.done.isoformat(), "open_until": self.open_until.isoformat()} if self.done else {}
        return {
            "project": self.project,
            "from": self.origin,
            "to": self.target,
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

    def open(self, name: str, now: datetime) -> Conversion | None:
        """The conversion that is neither rolled back nor committed; raise BerthError."""
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
        is_current = self.store.project(name).architecture == found.target
        return found if is_current and now < found.open_until else None

    def aim(self, name: str, word: str, now: datetime) -> str:
        """The architecture that one of WORDS would bring about; raise BerthError where it may not."""
        declared = self.store.project(name).architecture
        conversion = self.open(name, now)
        if word in (ROLLBACK, COMMIT):
            return self._end(name, word, conversion)
        if word not in ARCHITECTURES:
            raise ConversionError(f"architecture: found {word!r}, allowed: shared or isolated; correct it")
        if conversion and not conversion.done and conversion.target == word:
            return word
        if conversion:
            raise ConversionError(_still_open(conversion))
        if declared == word:
            raise ConversionError(f"architecture: found {word!r}, which {name} is already; nothing to convert")
        self.store.draft_architecture(name, word)
        return word

    def begin(self, name: str, target: str, now: datetime) -> Conversion:
        """The conversion, written before anything is done; one that did not end is the same; raise BerthError."""
        self.aim(name, target, now)
        conversion = self.open(name, now)
        if conversion is None:
            origin = self.store.project(name).architecture
            conversion = Conversion(name, origin, target, now)
            self._write(conversion)
        return conversion

    def finish(self, name: str, word: str, now: datetime) -> None:
        """Let the declaration say what is so now; raise BerthError."""
        architecture = self.aim(name, word, now)
        conversion = self.open(name, now)
        self.store.change_architecture(name, architecture)
        if conversion and word in ARCHITECTURES:
            self._write(replace(conversion, done=now))
        else:
            self.path(name).unlink(missing_ok=True)

    def abandon(self, name: str, now: datetime) -> None:
        """Forget a conversion that came to nothing; one that is done stays to be rolled back again."""
        conversion = self.open(name, now)
        if conversion and not conversion.done:
            self.path(name).unlink()

    def _end(self, name: str, word: str, conversion: Conversion | None) -> str:
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


def _still_open(conversion: Conversion) -> str:
    name, target = conversion.project, conversion.target
    if not conversion.done:
        return (
            f"{name}: its conversion to {target}, begun {conversion.begun:%Y-%m-%d %H:%M} UTC, did not end; "
            f"berth convert {name} --to {target} completes it, berth convert {name} --rollback undoes it"
        )
    return (
        f"{name}: converted from {conversion.origin} to {target} {conversion.done:%Y-%m-%d %H:%M} UTC and not "
        f"committed; berth convert {name} --commit keeps it so, berth convert {name} --rollback returns"
    )
