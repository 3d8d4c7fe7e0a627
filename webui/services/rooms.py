"""What was measured of the hosts, and the room that they have: read again only when something is new."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from berth.capacity import Capacity, capacity
from berth.models import Project
from berth.samples import Samples, Silence
from berth.status import HostStatus, ProjectStatus
from webui.models import now
from webui.services.fleet import Fleet

STALE = timedelta(minutes=10)
REMEMBERED = timedelta(days=7)
POINTS = 50


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
        return now() - self.status.measured_at > STALE


class Rooms:
    """The measurements of one inventory."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._lock = threading.Lock()
        self._seen: dict[str, deque[HostStatus]] = {}
        self._kept: dict[str, tuple[datetime, Mapping[str, Project], HostRoom]] = {}
        self._silent: dict[str, Silence] = {}
        self._read_at: tuple[int, int] | None = None

    @property
    def samples(self) -> Samples:
        """The kept measurements."""
        return Samples(self._fleet.environment.directory)

    def all(self, projects: Mapping[str, Project] | None = None) -> dict[str, HostRoom]:
        """The room of each host that was ever measured, with the projects that were just read; raise BerthError."""
        projects = self._fleet.projects() if projects is None else projects
        with self._lock:
            self._read(list(self._fleet.hosts()))
            return {host: self._room(host, projects) for host, seen in self._seen.items() if seen}

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

    def history(self, host: str, span: timedelta, points: int = 96) -> list[HostStatus]:
        """Measurements of a host, the oldest first; raise SamplesError."""
        since: datetime = now() - span
        return self.samples.history(host, since, points=points)

    def _read(self, hosts: list[str]) -> None:
        """Take in what is new in the file of samples."""
        samples = self.samples
        status = samples.path.stat() if samples.path.exists() else None
        mark = (status.st_mtime_ns, status.st_size) if status else None
        if mark == self._read_at and set(hosts) == set(self._seen):
            return
        for host in hosts:
            seen = self._seen.get(host)
            if seen is None:
                seen = self._seen[host] = deque(samples.history(host, now() - REMEMBERED, points=POINTS), POINTS)
            newest = samples.latest(host)
            if newest and (not seen or seen[-1].measured_at != newest.measured_at):
                seen.append(newest)
        for gone in set(self._seen) - set(hosts):
            del self._seen[gone]
        self._silent = samples.silences()
        self._read_at = mark

    def _room(self, host: str, projects: Mapping[str, Project]) -> HostRoom:
        seen = self._seen[host]
        status = seen[-1]
        kept = self._kept.get(host)
        if kept is None or kept[0] != status.measured_at or kept[1] is not projects:
            room = HostRoom(status, capacity(status, projects.values(), list(seen)[:-1]))
            kept = self._kept[host] = (status.measured_at, projects, room)
        return kept[2]
