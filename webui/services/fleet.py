"""Hosts and projects as the inventory declares them, read again only when a file of it changed."""

import os
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from berth.errors import BerthError
from berth.host_projects import derived
from berth.inventory import Environment, HostVars, directory_of
from berth.models import Project
from berth.secrets import SecretStore
from berth.store import DeclarationStore
from berth.urls import database_url, project_url, project_urls

Signature = tuple[tuple[str, int, int], ...]


class NoSuchHost(BerthError):
    """A host that the inventory does not have."""


class NoSuchProject(BerthError):
    """A project that no file declares."""


@dataclass(frozen=True)
class ProjectKeys:
    """What only people who have just proven who they are may see."""

    url: str
    anon_key: str
    service_role_key: str
    db_url: str


@dataclass(frozen=True)
class KeyInfo:
    """What one may know of a key without seeing it; in_use: it is none of those that a rotation left behind.

    retire_at is when one of those ends, None where nobody has said.
    """

    id: str
    role: str
    kind: str
    created: datetime
    in_use: bool
    retire_at: datetime | None

    @property
    def ended(self) -> bool:
        """Whether its date has passed, so that the next run takes it from the gateway."""
        return self.retire_at is not None and self.retire_at <= datetime.now(UTC)


class Fleet:
    """The hosts and projects of one inventory."""

    def __init__(self, inventory: Path) -> None:
        self.inventory = inventory
        self._lock = threading.Lock()
        self._environment: tuple[Signature, Environment] | None = None
        self._projects: tuple[Signature, dict[str, Project]] | None = None

    @property
    def environment(self) -> Environment:
        """The inventory as Ansible reads it; raise BerthError."""
        with self._lock:
            seen = _signature(self.inventory, besides=("projects", "secrets"))
            if self._environment is None or self._environment[0] != seen:
                environment = Environment(self.inventory)
                environment.hosts  # noqa: B018 - read now, under the lock: Ansible keeps state in globals
                self._environment = (seen, environment)
            return self._environment[1]

    @property
    def store(self) -> DeclarationStore:
        """The declarations to be written; raise BerthError."""
        return _store(self.environment)

    @property
    def secrets(self) -> SecretStore:
        """The secrets of projects and hosts; raise BerthError."""
        return SecretStore(self.environment.directory)

    def hosts(self) -> dict[str, HostVars]:
        """All hosts by name; raise BerthError."""
        return self.environment.hosts

    def host(self, name: str) -> HostVars:
        """One host; raise NoSuchHost."""
        hosts = self.hosts()
        if name not in hosts:
            raise NoSuchHost(f"host {name!r}: not in the inventory; it has: {', '.join(hosts)}")
        return hosts[name]

    def projects(self) -> dict[str, Project]:
        """All projects by name; raise BerthError."""
        environment = self.environment
        seen = _signature(environment.directory / "projects")
        with self._lock:
            if self._projects is None or self._projects[0] != seen:
                self._projects = (seen, _store(environment).load())
            return self._projects[1]

    def project(self, name: str) -> Project:
        """One project; raise NoSuchProject."""
        found = self.projects().get(name)
        if found is None:
            raise NoSuchProject(f"project {name!r}: no file declares it")
        return found

    def urls(self, project: Project) -> list[str]:
        """All API addresses of a project."""
        return project_urls(project, self.host(project.host))

    def derived(self, project: Project) -> dict[str, object]:
        """The declaration with defaults and all that follows from it, nothing secret."""
        return derived(project, self.host(project.host))

    def keys(self, project: Project) -> ProjectKeys:
        """The keys of a project; raise BerthError where nobody has made them yet."""
        host = self.host(project.host)
        secrets = self.secrets.project(project.name, create=False)
        return ProjectKeys(
            url=project_url(project, host),
            anon_key=secrets.anon_key,
            service_role_key=secrets.service_role_key,
            db_url=database_url(project, host, secrets),
        )

    def key_infos(self, project: Project) -> list[KeyInfo]:
        """The keys of a project, those that have ended too, the newest first; raise BerthError where none are made."""
        secrets = self.secrets.project(project.name, create=False)
        return [
            KeyInfo(
                key.id,
                key.role,
                key.kind,
                one.created,
                in_use=one is secrets.current,
                retire_at=None if one is secrets.current else secrets.retire_at,
            )
            for one in reversed(secrets.key_sets)
            for key in one.api_keys
        ]


def _store(environment: Environment) -> DeclarationStore:
    return DeclarationStore(environment.directory, environment.hosts)


def _signature(path: Path, besides: tuple[str, ...] = ()) -> Signature:
    """What changes when a file below the path does: names, times and sizes."""
    found: list[tuple[str, int, int]] = []
    directory = directory_of(path)
    # os.scandir rather than Path: this is asked several times for each page, of thousands of files
    for entry in os.scandir(directory) if directory.is_dir() else ():
        # Ansible reads no hidden files either, and the samples among them change with each measurement
        if entry.name in besides or entry.name.startswith("."):
            continue
        if entry.is_dir():
            found += _signature(Path(entry.path))
        else:
            status = entry.stat()
            found.append((entry.path, status.st_mtime_ns, status.st_size))
    return tuple(sorted(found))
