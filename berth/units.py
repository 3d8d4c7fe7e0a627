"""The systemd units of a project by service, as its declared architecture has them."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from berth.models import Project
from berth.names import slice_name

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


def service_units(project: Project, offered: Collection[str], slices: Mapping[str, str]) -> dict[str, ServiceUnits]:
    """The units of each service; `offered` are services that the host has, `slices` the loaded units with theirs.

    An isolated project has besides the services that wake for it alone, and whatever else runs in its slice.
    """
    named = {name: _woken(project.name, name) for name in SHARED_SERVICES if name in offered}
    if project.architecture == "shared":
        return named
    own = re.compile(rf"berth-([a-z]+)-wake@{re.escape(project.name)}\.socket")
    named |= {match[1]: _woken(project.name, match[1]) for unit in sorted(slices) if (match := own.fullmatch(unit))}
    known = {unit for units in named.values() for unit in units.running}
    for unit, inside in sorted(slices.items()):
        if inside == slice_name(project.name) and unit.endswith(".service") and unit not in known:
            named[_short(unit, project.name)] = ServiceUnits(unit)
    return named


def _woken(project: str, service: str) -> ServiceUnits:
    wake = f"berth-{service}-wake@{project}"
    return ServiceUnits(f"berth-{service}@{project}.service", f"{wake}.service", f"{wake}.socket")


def _short(unit: str, project: str) -> str:
    if unit.startswith("postgresql@"):
        return "postgres"
    name = unit.removesuffix(".service").removeprefix("berth-")
    return name.removesuffix(f"@{project}").removeprefix(f"{project}-")


def is_ours(unit: str) -> bool:
    """Whether Berth is who starts and stops a unit."""
    return unit.startswith("berth-") or host_service(unit) is not None


def host_service(unit: str) -> str | None:
    """The service that all projects of a host share to which a unit belongs; None for any other unit."""
    if unit == "nginx.service":
        return "nginx"
    if unit.startswith("postgresql@") and unit.endswith("-berth.service"):
        return "postgres"
    name = unit.removeprefix("berth-").removesuffix(".service").removesuffix("-wake")
    is_ours = unit.startswith("berth-") and unit.endswith(".service") and "@" not in unit
    return name if is_ours and name in HOST_SERVICES else None
