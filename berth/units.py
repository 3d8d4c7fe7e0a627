"""The systemd units of a project by service, as its declared architecture has them."""

from dataclasses import dataclass

from berth.models import Project

SHARED_SERVICES = ("rest", "auth")
HOST_SERVICES = ("postgres", "nginx", "meta", "storage", "realtime", "functions", "imgproxy", "pooler", "studio")


@dataclass(frozen=True)
class ServiceUnits:
    """The units of one service: `worker` does the work, `proxy` holds it awake, `socket` wakes it by a request."""

    worker: str
    proxy: str | None = None
    socket: str | None = None

    @property
    def running(self) -> tuple[str, ...]:
        """The units that use memory while the service runs."""
        return (self.worker, self.proxy) if self.proxy else (self.worker,)


def slice_of(name: str) -> str:
    """The slice that holds all that an isolated project runs."""
    return f"berth-{name}.slice"


def shared_units(project: Project, service: str) -> ServiceUnits:
    """The units of a service of a shared project, which sleeps between requests."""
    wake = f"berth-{service}-wake@{project.name}"
    return ServiceUnits(f"berth-{service}@{project.name}.service", f"{wake}.service", f"{wake}.socket")


def host_service(unit: str) -> str | None:
    """The service that all projects of a host share to which a unit belongs; None for any other unit."""
    if unit == "nginx.service":
        return "nginx"
    if unit.startswith("postgresql@") and unit.endswith("-berth.service"):
        return "postgres"
    name = unit.removeprefix("berth-").removesuffix(".service").removesuffix("-wake")
    is_ours = unit.startswith("berth-") and unit.endswith(".service") and "@" not in unit
    return name if is_ours and name in HOST_SERVICES else None
