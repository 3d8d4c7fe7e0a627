"""Which host a new project would go to, and what each host says to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from berth.capacity import left_with, propose
from berth.models import LEAST_CLUSTER_MEMORY, LEAST_ISOLATED_MEMORY, Project
from berth.placement import Candidate, told
from webui.formats import utc
from webui.services.fleet import Fleet
from webui.services.rooms import HostRoom, Rooms

_RANKS = ("fits", "tight", "refused", "unknown")
_DATABASE = "postgres"


@dataclass(frozen=True)
class Costs:
    """What a shared project awake and a PostgreSQL of a project's own (cluster) use, in bytes; None before one did.

    cluster_needs is the least memory limit, in MiB, of a project that has one.
    """

    awake: int | None
    cluster: int | None
    cluster_needs: int = LEAST_ISOLATED_MEMORY + LEAST_CLUSTER_MEMORY


def candidates(fleet: Fleet, rooms: Rooms, architecture: str, database: str | None = None) -> list[Candidate]:
    """All hosts with their verdict on one more project, the best first; raise BerthError."""
    known, silent = rooms.all(), rooms.silent()
    found = [
        _judged(host, known.get(host), host in silent, _new(host, architecture, database)) for host in fleet.hosts()
    ]
    return sorted(found, key=lambda one: (_RANKS.index(one.verdict), -one.left_bytes, one.host))


def costs(rooms: Rooms) -> Costs:
    """What the hosts measured, on average."""
    known = rooms.all().values()
    clusters = [
        service.held_bytes
        for room in known
        for project in room.status.projects
        for service in project.services
        if service.name == _DATABASE and service.held_bytes
    ]
    return Costs(_average(sum(room.capacity.service_costs.values()) for room in known), _average(clusters))


def _average(values: Iterable[int]) -> int | None:
    found = list(values)
    return sum(found) // len(found) if found else None


def _new(host: str, architecture: str, database: str | None) -> Project:
    if architecture != "isolated":
        return Project(name="new", number=1, host=host, architecture="shared")
    where: Literal["shared", "dedicated"] = "dedicated" if database == "dedicated" else "shared"
    return Project(name="new", number=1, host=host, architecture="isolated", database=where)


def _judged(host: str, room: HostRoom | None, is_silent: bool, project: Project) -> Candidate:
    if is_silent:
        return Candidate(host=host, verdict="unknown", reason="does not answer")
    if room is None:
        return Candidate(host=host, verdict="unknown", reason="not measured yet")
    if room.is_stale:
        reason = f"not measured since {utc(room.status.measured_at)}"
        return Candidate(host=host, verdict="unknown", reason=reason)
    judgement = propose(room.capacity, project)
    words = told(room.capacity, project, judgement)
    return Candidate(host=host, verdict=judgement.verdict, reason=words, left_bytes=left_with(room.capacity, project))
