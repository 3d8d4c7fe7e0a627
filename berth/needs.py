"""What projects need when they are awake: measured where they were seen so, assumed elsewhere; sizes in bytes."""

from collections.abc import Iterable, Mapping

from berth.guidance import Guidance
from berth.judgement import Needs
from berth.models import Project
from berth.quantities import parsed_size
from berth.status import HostStatus

_UNKNOWN_SERVICE = 32 * 1024**2


class AwakeCosts:
    """The memory of services of shared projects awake: the most that was measured, else the average, else assumed."""

    def __init__(self, statuses: Iterable[HostStatus], rules: Guidance) -> None:
        self.rules = rules
        self.names = set()
        self.most: dict[tuple[str, str], int] = {}
        for status in statuses:
            for project in status.projects:
                if project.architecture == "shared":
                    for service in project.services:
                        self.names.add(service.name)
                        if service.state == "awake":
                            key = (project.name, service.name)
                            self.most[key] = max(self.most.get(key, 0), service.held_bytes)

    def of_service(self, name: str) -> int:
        """The cost of a service of a project that nobody saw awake."""
        known = [cost for (_project, service), cost in self.most.items() if service == name]
        return sum(known) // len(known) if known else self.rules.memory.awake.get(name, _UNKNOWN_SERVICE)

    def typical(self) -> dict[str, int]:
        """The cost of each service of a new project."""
        return {name: self.of_service(name) for name in sorted(self.names or self.rules.memory.awake)}

    def of_project(self, name: str) -> tuple[int, bool]:
        """The cost of a project's services, and whether all of them were measured."""
        costs = self.typical()
        measured = {service: cost for (project, service), cost in self.most.items() if project == name}
        return sum((costs | measured).values()), set(costs) <= set(measured)


def needs_of(project: Project, costs: Mapping[str, int], rules: Guidance) -> Needs:
    """What one more project needs; `costs` are those of a service of a shared one, a dedicated database has its own."""
    memory = sum(costs.values()) if project.architecture == "shared" else parsed_size(project.limits.memory)
    if project.database == "dedicated":
        return Needs(memory_fixed=memory, disk=rules.disk.database, isolated=1)
    return needs_of_new(project.architecture, project.idle_timeout, project.rest.pool, memory, rules)


def needs_of_new(architecture: str, idle_timeout: str, pool: int, memory: int, rules: Guidance) -> Needs:
    """What a new project needs, its backends in PostgreSQL included."""
    connections = connections_of(architecture, idle_timeout, pool, rules)
    backends = rules.memory.backend * (connections.connections_fixed + connections.connections_sleepers)
    sleeps = connections.connections_sleepers > 0
    new = Needs(
        memory_fixed=0 if sleeps else memory + backends,
        memory_sleepers=memory + backends if sleeps else 0,
        disk=rules.disk.database,
        isolated=int(architecture == "isolated"),
    )
    return new.plus(connections)


def connections_of(architecture: str, idle_timeout: str, pool: int, rules: Guidance) -> Needs:
    """The connections of a project to PostgreSQL when all of them are in use."""
    count = pool + rules.connections.auth_pool
    stays = architecture == "isolated" or idle_timeout == "never"
    return Needs(connections_fixed=count) if stays else Needs(connections_sleepers=count)
