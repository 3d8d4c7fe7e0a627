"""Declarations written by a command: checked before they are written, one writer at a time."""

import fcntl
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from berth.declarations import DeclarationError, load, projects_directory, shown
from berth.errors import BerthError
from berth.files import write_atomically
from berth.models import Project
from berth.names import HIGHEST_NUMBER, validate_name
from berth.yaml_edit import compose, edit
from berth.yaml_files import InvalidYaml, parse_mapping

LOCK_FILE = ".lock"
HIGHEST_NUMBER_FILE = ".highest-number"
FIXED = {
    "name": "add another project",
    "number": "it belongs to the project for good",
    "host": "moving a project with its data is not there yet",
    "architecture": "berth convert does that, and no request fails meanwhile",
    "database": "berth convert moves it with the data, and no request fails meanwhile",
}
DEEPEST = 4  # auth.providers.github.client_id
_MODE = 0o644


class StoreError(BerthError):
    """A declaration that cannot be added, changed or written, with the remedy."""


class NameTaken(StoreError):
    """A name that another project has already."""


@dataclass(frozen=True)
class Draft:
    """A sound declaration that is not written yet; text is all of its file."""

    project: Project
    path: Path
    text: str


class DeclarationStore:
    """The declarations of one environment; `hosts` are the names that they may give as host."""

    def __init__(self, inventory_dir: Path, hosts: Collection[str]) -> None:
        self.inventory_dir = inventory_dir
        self.hosts = hosts
        self.directory = projects_directory(inventory_dir)

    def load(self) -> dict[str, Project]:
        """The projects by name; raise DeclarationError."""
        return load(self.inventory_dir, self.hosts)

    def project(self, name: str) -> Project:
        """One project; raise StoreError that lists the declared ones, or DeclarationError."""
        projects = self.load()
        if name not in projects:
            known = ", ".join(projects) or "none yet"
            raise StoreError(f"project {name!r} is not declared in {shown(self.directory)}; declared: {known}")
        return projects[name]

    def add(self, name: str, host: str, architecture: str = "shared", **settings: Any) -> Project:
        """Declare a project under a number that none ever had; raise BerthError, and then nothing is written."""
        with self._locked():
            draft = self.draft_add(name, host, architecture, **settings)
            self._write_highest(draft.project.number)
            self._write(draft)
        return draft.project

    def update(self, name: str, changes: Mapping[str, Any]) -> Project:
        """Change keys such as limits.connections, None for the default; raise BerthError, then nothing is written."""
        with self._locked():
            draft = self.draft_update(name, changes)
            self._write(draft)
        return draft.project

    def change_domains(self, name: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Project:
        """Add and remove domains of a project; raise BerthError, also for a domain that is not there to remove."""
        with self._locked():
            draft = self.draft_domains(name, add, remove)
            self._write(draft)
        return draft.project

    def rename_domain(self, name: str, old: str, new: str) -> Project:
        """Put a domain of a project in the place of another; raise BerthError."""
        with self._locked():
            draft = self.draft_rename(name, old, new)
            self._write(draft)
        return draft.project

    def change_side(self, name: str, architecture: str, database: str) -> Project:
        """Declare what a conversion has made of a project; raise BerthError."""
        with self._locked():
            draft = self.draft_side(name, architecture, database)
            self._write(draft)
        return draft.project

    def remove(self, name: str) -> None:
        """Take a declaration away, its number never to be given again; raise BerthError."""
        with self._locked():
            project = self.project(name)
            self._write_highest(max(self._read_highest(), project.number))
            (self.directory / f".{name}.conversion.yml").unlink(missing_ok=True)
            (self.directory / f"{name}.yml").unlink()

    def draft_add(
        self, name: str, host: str, architecture: str = "shared", note: str | None = None, **settings: Any
    ) -> Draft:
        """What `add` would write if it came now, below the note as a comment; raise BerthError."""
        validate_name(name)
        projects = self.load()
        path = self.directory / f"{name}.yml"
        if name in projects:
            raise NameTaken(f"name: found {name!r}, which {shown(path)} has already; choose another name")
        given = {key: value for key, value in settings.items() if value not in (None, [], ())}
        number = self._next_number(projects)
        text = compose({"name": name, "number": number, "host": host, "architecture": architecture, **given})
        text = text.replace("---\n", f"---\n# {' '.join(note.split())}\n", 1) if note else text
        try:
            return self._checked(path, text)
        except DeclarationError:
            if self._next_number(self.load()) == number:
                raise
        # another writer took the number meanwhile
        return self.draft_add(name, host, architecture, note, **settings)

    def draft_update(self, name: str, changes: Mapping[str, Any]) -> Draft:
        """What `update` would write if it came now; raise BerthError."""
        self.project(name)
        text = (self.directory / f"{name}.yml").read_text(encoding="utf-8")
        return self._edited(name, _key_paths(changes, parse_mapping(text)))

    def draft_side(self, name: str, architecture: str, database: str) -> Draft:
        """The declaration as it would be after a conversion; raise BerthError."""
        changes: dict[tuple[str, ...], Any] = {("architecture",): architecture}
        if self.project(name).database != database:
            changes[("database",)] = None if database == "shared" else database
        return self._edited(name, changes)

    def _edited(self, name: str, wanted: Mapping[tuple[str, ...], Any]) -> Draft:
        path = self.directory / f"{name}.yml"
        text = path.read_text(encoding="utf-8")
        try:
            edited = edit(text, wanted)
        except InvalidYaml as error:
            raise StoreError(f"{shown(path)}: {error}") from error
        unchanged = parse_mapping(edited) == parse_mapping(text)
        return self._checked(path, text if unchanged else edited)

    def draft_domains(self, name: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Draft:
        """What `change_domains` would write if it came now; raise BerthError."""
        has = self.project(name).domains
        if unknown := [domain for domain in remove if domain not in has]:
            allowed = ", ".join(has) or "none: the project has no domain"
            raise StoreError(f"domains: found {unknown[0]!r} to remove, allowed: {allowed}; correct the domain")
        if there := [domain for domain in add if domain in has]:
            raise StoreError(f"domains: found {there[0]!r} to add, which {name} has already; leave it out")
        return self.draft_update(name, {"domains": [domain for domain in has if domain not in remove] + list(add)})

    def draft_rename(self, name: str, old: str, new: str) -> Draft:
        """What `rename_domain` would write if it came now; raise BerthError."""
        has = self.project(name).domains
        if old not in has:
            allowed = ", ".join(has) or "none: the project has no domain"
            raise StoreError(f"domains: found {old!r} to rename, allowed: {allowed}; correct the domain")
        if new in has:
            raise StoreError(f"domains: found {new!r} as the new name, which {name} has already; choose another")
        return self.draft_update(name, {"domains": [new if domain == old else domain for domain in has]})

    def draft(self, name: str, text: str) -> Draft:
        """A text as the declaration of a project, checked as it would be if it were written now; raise BerthError."""
        validate_name(name)
        return self._checked(self.directory / f"{name}.yml", text)

    def _checked(self, path: Path, text: str) -> Draft:
        try:
            projects = load(self.inventory_dir, self.hosts, proposed={path: text})
        except DeclarationError as error:
            # of a file that is not there yet only the rest of the line says something
            raise DeclarationError([problem.removeprefix(f"{shown(path)}: ") for problem in error.problems]) from error
        return Draft(projects[path.stem], path, text)

    def _next_number(self, projects: Mapping[str, Project]) -> int:
        number = max([self._read_highest(), *(project.number for project in projects.values())]) + 1
        if number > HIGHEST_NUMBER:
            raise StoreError(
                f"number: {HIGHEST_NUMBER} is taken and no higher one allowed; use another environment, "
                f"or write a declaration by hand with a number that no project of its host ever had"
            )
        return number

    def _read_highest(self) -> int:
        path = self.directory / HIGHEST_NUMBER_FILE
        try:
            text = path.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return 0
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{shown(path)}: not readable ({error}); restore it from git") from error
        if not (text.isascii() and text.isdigit() and len(text) <= 4):
            raise StoreError(f"{shown(path)}: found {text[:20]!r}, allowed: the highest number ever given; restore it")
        return int(text)

    def _write_highest(self, number: int) -> None:
        write_atomically(self.directory / HIGHEST_NUMBER_FILE, f"{number}\n", _MODE)

    def _write(self, draft: Draft) -> None:
        path = draft.path.resolve()
        mode = path.stat().st_mode & 0o777 if path.exists() else _MODE
        if not path.exists() or path.read_text(encoding="utf-8") != draft.text:
            write_atomically(path, draft.text, mode)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.directory.mkdir(exist_ok=True)
            with (self.directory / LOCK_FILE).open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise StoreError(
                f"{shown(self.directory)}: not writable ({error.strerror}); correct the directory"
            ) from error


def _key_paths(changes: Mapping[str, Any], values: Mapping[str, Any]) -> dict[tuple[str, ...], Any]:
    """The changes by key path; raise StoreError for a key that must not change or cannot be one."""
    paths = {}
    for key, value in changes.items():
        path = tuple(key.split("."))
        if path[0] in FIXED:
            raise StoreError(f"{key}: cannot be changed: {FIXED[path[0]]}")
        if not all(path) or len(path) > DEEPEST or not _are_sections(path[:-1], values):
            raise StoreError(f"{key}: not a key of a declaration, allowed: such as limits.connections; correct the key")
        paths[path] = value
    if twice := [path for path in paths for more in paths if more != path and more[: len(path)] == path]:
        raise StoreError(f"{'.'.join(twice[0])}: given as a whole and by its keys; give one of them")
    return paths


def _are_sections(path: Sequence[str], values: Any) -> bool:
    """Whether a key may be put there: every key of the path holds a mapping, or nothing yet."""
    for key in path:
        values = values.get(key, {})
        if not isinstance(values, Mapping):
            return False
    return True
