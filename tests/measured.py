"""Measurements for tests, as the module host_status would tell them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from berth.models import Project
from berth.playbooks import Play
from berth.run_events import Failure
from berth.runner import OnStep, Result
from berth.status import HostStatus, host_status

MIB = 1024**2


def project(name: str, number: int = 1, host: str = "alpha", **values: Any) -> Project:
    """A declared project, shared unless it is said otherwise."""
    return Project.model_validate({"name": name, "number": number, "host": host, "architecture": "shared", **values})


def unit(name: str, active: str = "active", mib: int = 0, **values: Any) -> dict[str, Any]:
    """One unit with its memory in MiB."""
    return {"name": name, "active": active, "memory_bytes": mib * MIB, **values}


def shared(name: str, rest_mib: int = 0, auth_mib: int = 0) -> list[dict[str, Any]]:
    """The units of a shared project, asleep where they use nothing."""
    found = []
    for service, mib in (("rest", rest_mib), ("auth", auth_mib)):
        active = "active" if mib else "inactive"
        found += [
            unit(f"berth-{service}@{name}.service", active, mib),
            unit(f"berth-{service}-wake@{name}.service", active, 2 if mib else 0),
            unit(f"berth-{service}-wake@{name}.socket"),
        ]
    return found


def report(*units: dict[str, Any], total_mib: int = 4096, used_mib: int = 600, **values: Any) -> dict[str, Any]:
    """What a host tells: its units, and PostgreSQL with the databases of `values`."""
    return {
        "measured_at": "2026-11-25T10:00:00+00:00",
        "method": "cgroup",
        "memory_total_bytes": total_mib * MIB,
        "memory_available_bytes": (total_mib - used_mib) * MIB,
        "cpus": 2,
        "load": [0.5, 0.4, 0.3],
        "uptime_seconds": 86400.0,
        "disks": [{"path": "/", "total_bytes": 40_000 * MIB, "free_bytes": 30_000 * MIB}],
        "units": list(units),
        "offered": ["auth", "rest"],
        "failed_units": [],
        "postgres": {
            "version": "17.11",
            "connections": 3,
            "max_connections": 200,
            "wal_bytes": 16 * MIB,
            "wal_max_bytes": 1024 * MIB,
            "databases": [{"name": "blog", "size_bytes": 9 * MIB, "connections": 2, "connection_limit": 20}],
        },
        **values,
    }


def host(*projects: Project, name: str = "alpha", units: tuple[dict[str, Any], ...] = (), **values: Any) -> HostStatus:
    """The status of a host with these projects."""
    return host_status(name, report(*units, **values), projects)


@dataclass
class ReportingRunner:
    """Notes each play and gives the reports of hosts; those in `down` do not answer."""

    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    down: dict[str, str] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    plays: list[Play] = field(default_factory=list)

    def run(self, play: Play, on_step: OnStep) -> Result:
        """Give the result."""
        self.plays.append(play)
        asked = {name: found for name, found in self.reports.items() if not play.hosts or name in play.hosts}
        down = {name: why for name, why in self.down.items() if not play.hosts or name in play.hosts}
        ok = not down and not self.failures
        return Result(ok, {}, (), self.failures, down, Path("/logs/1.log"), 0.1, asked)
