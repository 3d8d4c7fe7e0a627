"""Which host a new project would go to, and what each host says to it."""

from typing import Literal

from berth.capacity import left_with, propose
from berth.models import Project
from berth.placement import Candidate, told
from webui.formats import utc
from webui.services.fleet import Fleet
from webui.services.rooms import HostRoom, Rooms

_RANKS = ("fits", "tight", "refused", "unknown")


def candidates(fleet: Fleet, rooms: Rooms, architecture: str) -> list[Candidate]:
    """All hosts with their verdict on one more project, the best first; raise BerthError."""
    known, silent = rooms.all(), rooms.silent()
    found = [_judged(host, known.get(host), host in silent, _new(host, architecture)) for host in fleet.hosts()]
    return sorted(found, key=lambda one: (_RANKS.index(one.verdict), -one.left_bytes, one.host))


def cost_awake(rooms: Rooms) -> int | None:
    """The memory of a shared project that is awake, as the hosts measured it on average; None before they did."""
    costs = [sum(room.capacity.service_costs.values()) for room in rooms.all().values()]
    return sum(costs) // len(costs) if costs else None


def _new(host: str, architecture: str) -> Project:
    kind: Literal["shared", "isolated"] = "isolated" if architecture == "isolated" else "shared"
    return Project(name="new", number=1, host=host, architecture=kind)


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
