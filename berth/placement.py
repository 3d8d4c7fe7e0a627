"""On which host a new project goes, with the reason; arithmetic only."""

from collections.abc import Mapping
from typing import Literal

from berth.capacity import Capacity, arithmetic, left_with, propose
from berth.errors import BerthError
from berth.judgement import Judgement, Part, Verdict
from berth.models import Project
from berth.quantities import size


class NoRoom(BerthError):
    """No host takes the project, with the reason of each and the remedy."""


class Candidate(Part):
    """One host that was looked at; `left_bytes` is what stays free there when all projects are awake."""

    host: str
    verdict: Verdict | Literal["unknown"]
    reason: str
    left_bytes: int = 0


class Placement(Part):
    """The host to take, why, and all hosts that were looked at, the best first."""

    host: str
    verdict: Verdict
    reason: str
    candidates: tuple[Candidate, ...]


def choose(project: Project, accounts: Mapping[str, Capacity], unknown: Mapping[str, str]) -> Placement:
    """The best host for a project, whose own `host` does not matter; `unknown` are others with why; raise NoRoom."""
    judged = {host: propose(found, project) for host, found in accounts.items()}
    candidates = [_candidate(accounts[host], project, judgement) for host, judgement in judged.items()]
    candidates += [Candidate(host=host, verdict="unknown", reason=reason) for host, reason in unknown.items()]
    candidates.sort(key=_order)
    best = candidates[0] if candidates else None
    if best is None or best.verdict not in ("fits", "tight"):
        reasons = "\n".join(f"{candidate.host}: {candidate.verdict}: {candidate.reason}" for candidate in candidates)
        raise NoRoom(f"no host takes {project.name}; add a host, or name one with --host and --force\n{reasons}")
    return Placement(
        host=best.host, verdict=best.verdict, reason=_reason(best, candidates[1:]), candidates=tuple(candidates)
    )


def told(found: Capacity, project: Project, judgement: Judgement) -> str:
    """Why a host takes a project or not, with the arithmetic where memory speaks against it."""
    memory = next(check for check in judgement.checks if check.resource == "memory")
    return f"{judgement.words} ({arithmetic(found, project)})" if memory.verdict != "fits" else judgement.words


def _candidate(found: Capacity, project: Project, judgement: Judgement) -> Candidate:
    left = left_with(found, project)
    if found.room.connections is None:
        reason = "PostgreSQL did not answer; berth apply configures the host"
        return Candidate(host=found.host, verdict="unknown", reason=reason, left_bytes=left)
    reason = told(found, project, judgement)
    return Candidate(host=found.host, verdict=judgement.verdict, reason=reason, left_bytes=left)


def _order(candidate: Candidate) -> tuple[int, int, str]:
    rank = ("fits", "tight", "refused", "unknown").index(candidate.verdict)
    return rank, -candidate.left_bytes, candidate.host


def _reason(best: Candidate, others: list[Candidate]) -> str:
    rivals = [other for other in others if other.verdict == best.verdict]
    if not rivals:
        only = ", ".join(f"{other.host} {other.verdict}" for other in others)
        return f"{best.verdict}: {best.reason}" + (f"; the others: {only}" if only else "")
    second = rivals[0]
    return f"{best.verdict}: {best.reason}; more than on {second.host}, where {size(max(second.left_bytes, 0))} would"
