"""What was measured of the hosts, and the room that they have: read again only when something is new."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal

from berth.capacity import Capacity
from berth.models import Project
from berth.proofs import Verdict, subject
from berth.samples import Samples, Silence
from berth.status import HostStatus, ProjectStatus, State
from webui.models import now
from webui.services.fleet import Fleet

STALE = timedelta(minutes=10)

SeenState = State | Literal["unknown"]
NEVER = "never"
Proven = Verdict | Literal["never"]


@dataclass(frozen=True)
class Seen:
    """The measured state of a project; unknown where its host was not heard lately. None: it was never measured.

    With it the verdict of the last proof of isolation of the project as it is now, and when that was.
    """

    state: SeenState = "unknown"
    measured_at: datetime | None = None
    proof: Proven = NEVER
    proven_at: datetime | None = None


_NOTHING = Seen()


@dataclass(frozen=True)
class HostRoom:
    """The last measurement of a host and the account of its capacity."""

    status: HostStatus
    capacity: Capacity

    @cached_property
    def awake(self) -> int:
        """How many projects of the host were awake."""
        return sum(project.state == "awake" for project in self.status.projects)

    @property
    def is_stale(self) -> bool:
        """Whether nobody has measured the host for longer than the time between two measurements."""
        return _is_old(self.status)


class Rooms:
    """The measurements of one inventory."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._lock = threading.Lock()
        self._latest: dict[str, HostStatus] = {}
        self._kept: dict[str, tuple[Sequence[Project], HostRoom]] = {}
        self._declared: tuple[Mapping[str, Project], dict[str, list[Project]]] = ({}, {})
        self._silent: dict[str, Silence] = {}
        self._states: dict[str, dict[str, Seen]] = {}
        self._verdicts: dict[str, tuple[str, Verdict, datetime]] = {}
        self._read_at: tuple[int, int] | None = None
        self._read_of: set[str] = set()

    @property
    def samples(self) -> Samples:
        """The kept measurements."""
        return Samples(self._fleet.environment.directory)

    def all(self, projects: Mapping[str, Project] | None = None) -> dict[str, HostRoom]:
        """The room of each host that was ever measured, with the projects that were just read; raise BerthError."""
        projects = self._fleet.projects() if projects is None else projects
        with self._lock:
            self._read(list(self._fleet.hosts()))
            declared = self._by_host(projects)
            return {host: self._room(status, declared.get(host, [])) for host, status in self._latest.items()}

    def host(self, name: str) -> HostRoom | None:
        """The room of one host; None where it was never measured."""
        return self.all().get(name)

    def silent(self) -> dict[str, Silence]:
        """The hosts that did not answer when they were asked last; raise BerthError."""
        with self._lock:
            self._read(list(self._fleet.hosts()))
            return self._silent

    def project(self, project: Project) -> ProjectStatus | None:
        """What was measured of a project; None where nothing was yet."""
        room = self.host(project.host)
        return room.status.project(project.name) if room else None

    def states(self, projects: Mapping[str, Project]) -> dict[str, Seen]:
        """The measured state and the proof of each of these projects, by name; raise BerthError."""
        with self._lock:
            self._read(list(self._fleet.hosts()))
            states, silent, verdicts = self._states, self._silent, self._verdicts
            heard = {host for host, status in self._latest.items() if host not in silent and not _is_old(status)}
        found = {}
        for name, project in projects.items():
            seen = states.get(project.host, {}).get(name, _NOTHING)
            if project.host not in heard:
                seen = replace(seen, state="unknown")
            if name in verdicts and verdicts[name][0] == subject(project):
                seen = replace(seen, proof=verdicts[name][1], proven_at=verdicts[name][2])
            found[name] = seen
        return found

    def history(self, host: str, span: timedelta, points: int = 96) -> list[HostStatus]:
        """Measurements of a host, the oldest first; raise SamplesError."""
        since: datetime = now() - span
        return self.samples.history(host, since, points=points)

    def _read(self, hosts: list[str]) -> None:
        """Take in what is new in the file of samples."""
        samples = self.samples
        status = samples.path.stat() if samples.path.exists() else None
        mark = (status.st_mtime_ns, status.st_size) if status else None
        if mark == self._read_at and set(hosts) == self._read_of:
            return
        found = {host: samples.latest(host) for host in hosts}
        self._latest = {host: status for host, status in found.items() if status}
        self._silent = samples.silences()
        self._verdicts = samples.verdicts()
        # once for each measurement rather than for each row of a list
        self._states = {
            host: {project.name: Seen(project.state, status.measured_at) for project in status.projects}
            for host, status in self._latest.items()
        }
        self._read_at, self._read_of = mark, set(hosts)

    def _by_host(self, projects: Mapping[str, Project]) -> dict[str, list[Project]]:
        if self._declared[0] is not projects:
            mine: dict[str, list[Project]] = {}
            for project in projects.values():
                mine.setdefault(project.host, []).append(project)
            self._declared = (projects, mine)
        return self._declared[1]

    def _room(self, status: HostStatus, mine: Sequence[Project]) -> HostRoom:
        kept = self._kept.get(status.name)
        if kept is None or kept[0] != mine or kept[1].status.measured_at != status.measured_at:
            # whoever measures keeps it too; only for a host whose projects changed since is it computed here
            kept = self._kept[status.name] = (mine, HostRoom(status, self.samples.account(status, mine)))
        return kept[1]


def _is_old(status: HostStatus) -> bool:
    return now() - status.measured_at > STALE
