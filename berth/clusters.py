"""Which PostgreSQL cluster of its host holds the database of a project: the one place that says so.

Roles and modules get it as `cluster` of each project. Its version is that of the host (postgres_version); with it
/etc/postgresql/<version>/<name> has the settings, /var/lib/postgresql/<version>/<name> the data, and the unit is
postgresql@<version>-<name>.service.
"""

from dataclasses import dataclass

from berth.inventory import HostVars
from berth.models import LEAST_ISOLATED_MEMORY, Project
from berth.names import cluster_name, cluster_port
from berth.values import megabytes

HOST_CLUSTER = "berth"
HOST_SOCKETS = "/run/postgresql"
SOCKETS = "/run/berth/postgres"


@dataclass(frozen=True)
class Cluster:
    """A cluster as its clients see it; `memory_mb` is what a dedicated one is sized by, None for the host's own."""

    name: str
    port: int
    socket_directory: str
    memory_mb: int | None = None

    @property
    def dedicated(self) -> bool:
        """Whether it belongs to one project."""
        return self.memory_mb is not None

    @property
    def socket(self) -> str:
        """The path of its socket on the host."""
        return f"{self.socket_directory}/.s.PGSQL.{self.port}"


def cluster_of(project: Project, host: HostVars) -> Cluster:
    """The cluster that the declaration puts the project's database in."""
    if project.database == "shared":
        return Cluster(HOST_CLUSTER, host.postgres_port, HOST_SOCKETS)
    return own_cluster(project)


def own_cluster(project: Project) -> Cluster:
    """The cluster that the project has, or would have if it were isolated with one of its own."""
    memory = megabytes(project.limits.memory) - LEAST_ISOLATED_MEMORY
    return Cluster(cluster_name(project.name), cluster_port(project.number), f"{SOCKETS}/{project.name}", memory)
