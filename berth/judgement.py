"""Whether what a host has is enough for what is needed of it, resource by resource; sizes in bytes."""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from berth.guidance import Guidance
from berth.quantities import size
from berth.status import HostStatus

Verdict = Literal["fits", "tight", "refused"]
Resource = Literal["memory", "connections", "disk", "cpu"]

_WORST_FIRST: tuple[Verdict, ...] = ("refused", "tight", "fits")


class Part(BaseModel):
    """A frozen part of an account, with no other keys than its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Room(Part):
    """What a host has; `connections` is None where PostgreSQL did not answer, `disk` its fullest file system."""

    memory_bytes: int
    connections: int | None
    disk_path: str
    disk_bytes: int
    disk_free_bytes: int
    cpus: int
    load: float


class Needs(Part):
    """What is needed: `fixed` always, `sleepers` only while the shared projects that may sleep are awake."""

    memory_fixed: int = 0
    memory_sleepers: int = 0
    connections_fixed: int = 0
    connections_sleepers: int = 0
    disk: int = 0
    isolated: int = 0

    def plus(self, other: "Needs", times: int = 1) -> "Needs":
        """These needs and so many times the others."""
        mine, others = self.model_dump(), other.model_dump()
        return Needs(**{key: value + times * others[key] for key, value in mine.items()})


class Check(Part):
    """What one resource says, in words."""

    resource: Resource
    verdict: Verdict
    words: str


class Judgement(Part):
    """The verdict on a host with all that it is to carry: that of its worst resource."""

    checks: tuple[Check, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of all."""
        return _worst(self.checks)

    @property
    def room(self) -> Verdict:
        """The worst of what can run out; a busy processor makes slow, it does not refuse."""
        return _worst(check for check in self.checks if check.resource != "cpu")

    @property
    def words(self) -> str:
        """What speaks against it, or what is left of the memory where nothing does."""
        against = [check for check in self.checks if check.verdict == self.verdict]
        return "; ".join(check.words for check in (self.checks[:1] if self.verdict == "fits" else against))


def room_of(status: HostStatus) -> Room:
    """What a host has, as measured."""
    disk = min(status.disks, key=lambda disk: disk.free_bytes / max(disk.total_bytes, 1), default=None)
    return Room(
        memory_bytes=status.memory_total_bytes,
        connections=status.postgres.max_connections if status.postgres else None,
        disk_path=disk.path if disk else "/",
        disk_bytes=disk.total_bytes if disk else 0,
        disk_free_bytes=disk.free_bytes if disk else 0,
        cpus=status.cpus,
        load=status.load[2],
    )


def judge(room: Room, needs: Needs, rules: Guidance) -> Judgement:
    """The verdict on what a host has against what is needed of it."""
    return Judgement(
        checks=(*_checks_of_amounts(room, needs, rules), _disk(room, needs, rules), _cpu(room, needs, rules))
    )


def _checks_of_amounts(room: Room, needs: Needs, rules: Guidance) -> Iterable[Check]:
    yield _amount("memory", room.memory_bytes, needs.memory_fixed, needs.memory_sleepers, rules.awake_percent)
    if room.connections is None:
        yield Check(resource="connections", verdict="tight", words="connections: PostgreSQL did not answer")
    else:
        there = room.connections - rules.connections.reserve
        fixed, sleepers = needs.connections_fixed, needs.connections_sleepers
        yield _amount("connections", there, fixed, sleepers, rules.awake_percent)


def _amount(resource: Resource, there: int, fixed: int, sleepers: int, awake_percent: int) -> Check:
    def told(count: int) -> str:
        return size(count) if resource == "memory" else str(count)

    left, left_of_some = there - fixed - sleepers, there - fixed - sleepers * awake_percent // 100
    part = f"with {awake_percent} % of the shared projects awake"
    if left >= 0:
        return Check(
            resource=resource,
            verdict="fits",
            words=f"{resource}: {told(left)} of {told(there)} stay free when all projects are awake",
        )
    if left_of_some >= 0:
        words = (
            f"{resource}: {told(-left)} are missing when all projects are awake, {told(left_of_some)} stay free {part}"
        )
        return Check(resource=resource, verdict="tight", words=words)
    words = f"{resource}: {told(-left_of_some)} of {told(there)} are missing even {part}"
    return Check(resource=resource, verdict="refused", words=words)


def _disk(room: Room, needs: Needs, rules: Guidance) -> Check:
    left = room.disk_free_bytes - needs.disk
    percent = 100 * left / max(room.disk_bytes, 1)
    verdict: Verdict = (
        "refused" if percent < rules.disk.refused_percent else "tight" if percent < rules.disk.tight_percent else "fits"
    )
    words = f"disk: {size(max(left, 0))} of {size(room.disk_bytes)} stay free on {room.disk_path}"
    return Check(resource="disk", verdict=verdict, words=words)


def _cpu(room: Room, needs: Needs, rules: Guidance) -> Check:
    load = room.load / max(room.cpus, 1)
    carried = room.cpus * rules.cpu.isolated_per_core
    if needs.isolated > carried:
        words = f"cpu: {needs.isolated} isolated projects on {room.cpus} cores, one core for each is advised"
        return Check(resource="cpu", verdict="tight", words=words)
    verdict: Verdict = "tight" if load > rules.cpu.tight_load else "fits"
    return Check(resource="cpu", verdict=verdict, words=f"cpu: load {load:.1f} per core over 15 minutes")


def _worst(checks: Iterable[Check]) -> Verdict:
    verdicts = {check.verdict for check in checks}
    return next(verdict for verdict in _WORST_FIRST if verdict in verdicts)
