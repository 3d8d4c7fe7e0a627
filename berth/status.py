"""What a host and its projects use and how they are, as measured; sizes in bytes, times in UTC."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from berth.models import Project
from berth.names import database_name
from berth.units import ServiceUnits, host_service, service_units

Method = Literal["cgroup", "pss"]
State = Literal["awake", "asleep", "paused", "stopped", "failed"]

METHODS = {
    "cgroup": "counted by the memory controller",
    "pss": "proportional set size of the processes: this host has no memory controller",
}
_RUNS = ("active", "activating", "reloading", "deactivating")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Use(_Part):
    """What something uses: `cache_bytes` is the part of memory that the kernel gives back when others need it.

    `peak_bytes` is the most since it started, None where nothing counts it; CPU counts from that start too.
    """

    memory_bytes: int = 0
    cache_bytes: int = 0
    peak_bytes: int | None = None
    cpu_seconds: float = 0.0
    processes: int = 0

    @property
    def held_bytes(self) -> int:
        """The memory that nobody else can have meanwhile."""
        return self.memory_bytes - self.cache_bytes


class UnitStatus(Use):
    """One unit of systemd."""

    name: str
    active: str
    sub: str = ""
    slice: str = ""


class ServiceStatus(Use):
    """One service of a project or of the host."""

    name: str
    state: State
    units: tuple[str, ...] = ()

    @property
    def sleeps(self) -> bool:
        """Whether a request wakes it."""
        return any("-wake@" in unit for unit in self.units)


class DatabaseStatus(_Part):
    """One database of a cluster; a `connection_limit` of -1 is none of its own."""

    name: str
    size_bytes: int
    connections: int
    connection_limit: int


class SlotStatus(_Part):
    """One replication slot, with the WAL that it holds back."""

    name: str
    active: bool
    retained_bytes: int


class Certificate(_Part):
    """A certificate in a file of the host, and when it ends."""

    path: str
    expires: datetime


class PostgresStatus(_Part):
    """A cluster: that of the host, or one that belongs to a project."""

    version: str
    connections: int
    max_connections: int
    wal_bytes: int
    wal_max_bytes: int
    certificate: Certificate | None = None
    slots: tuple[SlotStatus, ...] = ()
    databases: tuple[DatabaseStatus, ...] = ()


class Traffic(_Part):
    """What the gateway's log tells of a project: requests of the last minutes, and when the last one came."""

    requests_per_minute: float = 0.0
    errors_per_minute: float = 0.0
    last_request: datetime | None = None


class Disk(_Part):
    """One file system, by the first place that Berth has on it."""

    path: str
    total_bytes: int
    free_bytes: int


class Report(_Part):
    """What the module host_status tells of one host, in the form in which it comes from there."""

    measured_at: datetime
    method: Method
    memory_total_bytes: int
    memory_available_bytes: int
    cpus: int
    load: tuple[float, float, float]
    uptime_seconds: float
    disks: tuple[Disk, ...]
    units: tuple[UnitStatus, ...]
    offered: tuple[str, ...]
    failed_units: tuple[str, ...]
    postgres: PostgresStatus | None
    postgres_error: str = ""
    dedicated: dict[str, PostgresStatus] = {}
    traffic: dict[str, Traffic] = {}


class ProjectStatus(_Part):
    """One project on its host; `database_bytes` is None where it has no database."""

    name: str
    architecture: Literal["shared", "isolated"]
    state: State
    services: tuple[ServiceStatus, ...] = ()
    connections: int = 0
    connection_limit: int
    database_bytes: int | None = None
    traffic: Traffic = Traffic()

    @property
    def memory_bytes(self) -> int:
        """The memory of all its services; nothing for one that sleeps."""
        return sum(service.memory_bytes for service in self.services)

    @property
    def held_bytes(self) -> int:
        """The memory of its services that nobody else can have meanwhile."""
        return sum(service.held_bytes for service in self.services)

    @property
    def peak_bytes(self) -> int | None:
        """The most that its services had since they started; None where nothing counts it."""
        peaks = [service.peak_bytes for service in self.services if service.peak_bytes is not None]
        return sum(peaks) if peaks else None

    @property
    def cpu_seconds(self) -> float:
        """The CPU time of its services since they started."""
        return sum(service.cpu_seconds for service in self.services)


class HostStatus(_Part):
    """One host; `system_bytes` is what neither its services nor its projects hold, the kernel included.

    `dedicated` has the clusters that belong to one project and answer, by project.
    """

    name: str
    measured_at: datetime
    method: Method
    memory_total_bytes: int
    memory_available_bytes: int
    system_bytes: int
    cpus: int
    load: tuple[float, float, float]
    uptime_seconds: float
    disks: tuple[Disk, ...] = ()
    services: tuple[ServiceStatus, ...] = ()
    projects: tuple[ProjectStatus, ...] = ()
    postgres: PostgresStatus | None = None
    postgres_error: str = ""
    dedicated: dict[str, PostgresStatus] = {}
    failed_units: tuple[str, ...] = ()

    @property
    def memory_used_bytes(self) -> int:
        """The memory that nobody else can have now."""
        return self.memory_total_bytes - self.memory_available_bytes

    def service(self, name: str) -> ServiceStatus | None:
        """A service of the host, such as postgres; None where it has none of that name."""
        return next((service for service in self.services if service.name == name), None)

    def project(self, name: str) -> ProjectStatus | None:
        """A project that is declared on the host; None where it is not."""
        return next((project for project in self.projects if project.name == name), None)


class Measurement(_Part):
    """All hosts that were asked: those that answered, and why the others did not."""

    hosts: tuple[HostStatus, ...] = ()
    down: dict[str, str] = Field(default_factory=dict)


def cluster_of(project: Project, found: Report | HostStatus) -> PostgresStatus | None:
    """The cluster that is declared to hold the project's database; None where it does not answer."""
    return found.postgres if project.database == "shared" else found.dedicated.get(project.name)


def host_status(name: str, report: dict[str, Any], declared: Iterable[Project]) -> HostStatus:
    """What the module host_status told of a host, put together with the projects that are declared on it."""
    found = Report.model_validate(report)
    units = {unit.name: unit for unit in found.units}
    projects = tuple(_project(project, found, units) for project in declared if project.host == name)
    services = tuple(_host_services(found.units))
    known = sum(part.held_bytes for part in (*services, *projects))
    return HostStatus(
        name=name,
        system_bytes=max(found.memory_total_bytes - found.memory_available_bytes - known, 0),
        services=services,
        projects=projects,
        **found.model_dump(exclude={"units", "offered", "traffic"}),
    )


def _project(project: Project, found: Report, units: dict[str, UnitStatus]) -> ProjectStatus:
    services = tuple(_services(project, found, units))
    cluster = cluster_of(project, found)
    databases = {item.name: item for item in cluster.databases} if cluster else {}
    database = databases.get(database_name(project.name))
    return ProjectStatus(
        name=project.name,
        architecture=project.architecture,
        state=_together(project, services),
        services=services,
        connections=database.connections if database else 0,
        connection_limit=project.limits.connections,
        database_bytes=database.size_bytes if database else None,
        traffic=found.traffic.get(project.name, Traffic()),
    )


def _services(project: Project, found: Report, units: dict[str, UnitStatus]) -> Iterable[ServiceStatus]:
    slices = {unit.name: unit.slice for unit in found.units}
    for name, named in service_units(project, found.offered, slices).items():
        yield _service(name, project, named, units)


def _service(name: str, project: Project, named: ServiceUnits, units: dict[str, UnitStatus]) -> ServiceStatus:
    parts = [units[unit] for unit in named.running if unit in units]
    socket = units.get(named.socket) if named.socket else None
    return ServiceStatus(
        name=name,
        state=_state(units.get(named.worker), socket, project.state == "paused"),
        units=tuple(part.name for part in parts),
        **_sum(parts),
    )


def _state(worker: UnitStatus | None, socket: UnitStatus | None, is_paused: bool) -> State:
    if worker and (worker.active == "failed" or worker.sub == "auto-restart"):
        return "failed"
    if worker and worker.active in _RUNS:
        return "awake"
    if socket and socket.active in _RUNS:
        return "asleep"
    return "paused" if is_paused else "failed" if socket and socket.active == "failed" else "stopped"


def _together(project: Project, services: Iterable[ServiceStatus]) -> State:
    """The state of a project: what is worst of its services, and awake where any of them is."""
    states = {service.state for service in services}
    if project.state == "paused" and states <= {"paused"}:
        return "paused"
    return next((state for state in ("failed", "stopped", "awake", "asleep") if state in states), "stopped")


def _host_services(units: Iterable[UnitStatus]) -> Iterable[ServiceStatus]:
    parts: dict[str, list[UnitStatus]] = {}
    sockets = {unit.name for unit in units if unit.name.endswith(".socket") and unit.active in _RUNS}
    for unit in units:
        if name := host_service(unit.name):
            parts.setdefault(name, []).append(unit)
    for name, found in sorted(parts.items()):
        states = {unit.active for unit in found}
        is_failed, runs = "failed" in states, bool(states & set(_RUNS))
        sleeps = f"berth-{name}-wake.socket" in sockets
        state = "failed" if is_failed else "awake" if runs else "asleep" if sleeps else "stopped"
        yield ServiceStatus(name=name, state=state, units=tuple(unit.name for unit in found), **_sum(found))


def _sum(parts: Iterable[Use]) -> dict[str, Any]:
    parts = tuple(parts)
    peaks = [part.peak_bytes for part in parts if part.peak_bytes is not None]
    return {
        "memory_bytes": sum(part.memory_bytes for part in parts),
        "cache_bytes": sum(part.cache_bytes for part in parts),
        "peak_bytes": sum(peaks) if peaks else None,
        "cpu_seconds": round(sum(part.cpu_seconds for part in parts), 3),
        "processes": sum(part.processes for part in parts),
    }
