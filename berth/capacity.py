"""How much room a host has: arithmetic over a measurement, the declarations and the guidance; sizes in bytes.

A sleeping project uses nothing, but it may wake: so a shared project counts as awake with all its connections in use,
an isolated one with its limit. "fits" is room for all of that at once, "tight" room while no more than a part of the
shared projects is awake, "refused" neither.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

from berth.guidance import Guidance, HostGuidance, guidance
from berth.judgement import Judgement, Needs, Part, Room, Verdict, judge, room_of
from berth.models import Limits, Project, Rest
from berth.needs import AwakeCosts, connections_of, needs_of, needs_of_new
from berth.quantities import parsed_size, size
from berth.status import HostStatus, Method

Kind = Literal["reserve", "system", "service", "isolated", "shared"]

_MOST = 9900  # projects of one environment


class Amount(Part):
    """One line of the memory account: what it uses now, and what counts; `is_measured` tells where that is from."""

    name: str
    kind: Kind
    used_bytes: int
    counted_bytes: int
    is_measured: bool
    may_sleep: bool = False


class Mix(Part):
    """So many isolated and shared projects more fit together."""

    isolated: int
    shared: int


class Capacity(Part):
    """The account of one host: `shared_more` still fit, `shared_most` before one is refused; isolated alike."""

    host: str
    measured_at: datetime
    method: Method
    room: Room
    needs: Needs
    account: tuple[Amount, ...]
    service_costs: dict[str, int]
    shared: int
    isolated: int
    now: Judgement
    shared_more: int
    shared_most: int
    isolated_more: int
    isolated_most: int
    mixes: tuple[Mix, ...]
    guidance: HostGuidance | None

    def counted(self, *kinds: Kind) -> int:
        """The memory that these kinds count together."""
        return sum(amount.counted_bytes for amount in self.account if amount.kind in kinds)

    @property
    def left_bytes(self) -> int:
        """The memory that stays free when all projects are awake; less than 0 where it would not do."""
        return self.room.memory_bytes - self.needs.memory_fixed - self.needs.memory_sleepers


def capacity(
    status: HostStatus, declared: Iterable[Project], seen: Iterable[HostStatus] = (), rules: Guidance | None = None
) -> Capacity:
    """The account of a host: `declared` are the projects of today, `seen` earlier measurements of the host."""
    rules = rules or guidance()
    mine = [project for project in declared if project.host == status.name]
    costs = AwakeCosts((*seen, status), rules)
    account = (*_of_the_host(status, rules), *(_of_a_project(project, status, costs, rules) for project in mine))
    needs = Needs(
        memory_fixed=sum(amount.counted_bytes for amount in account if not amount.may_sleep),
        memory_sleepers=sum(amount.counted_bytes for amount in account if amount.may_sleep),
        isolated=sum(project.architecture == "isolated" for project in mine),
    )
    for project in mine:
        if project.state == "present" and project.database == "shared":
            needs = needs.plus(connections_of(project.architecture, project.idle_timeout, project.rest.pool, rules))
    room = room_of(status)
    found = _Fit(room, needs, costs.typical(), rules)
    isolated_more, isolated_most = found.more(1, 0)
    shared_more, shared_most = found.more(0, 1)
    return Capacity(
        host=status.name,
        measured_at=status.measured_at,
        method=status.method,
        room=room,
        needs=needs,
        account=account,
        service_costs=costs.typical(),
        shared=len(mine) - needs.isolated,
        isolated=needs.isolated,
        now=judge(room, needs, rules),
        shared_more=shared_more,
        shared_most=shared_most,
        isolated_more=isolated_more,
        isolated_most=isolated_most,
        mixes=tuple(found.mixes(isolated_more)),
        guidance=rules.host(room.memory_bytes),
    )


def propose(found: Capacity, project: Project, rules: Guidance | None = None) -> Judgement:
    """The verdict on a host with one more project; its `host` does not matter."""
    rules = rules or guidance()
    return judge(found.room, found.needs.plus(needs_of(project, found.service_costs, rules)), rules)


def what_if(found: Capacity, shared: int, isolated: int, rules: Guidance | None = None) -> Judgement:
    """The verdict on a host with so many more projects that leave all to the defaults."""
    rules = rules or guidance()
    return _Fit(found.room, found.needs, found.service_costs, rules).judged(isolated, shared)


def left_with(found: Capacity, project: Project, rules: Guidance | None = None) -> int:
    """The memory that stays free with one more project when all are awake; less than 0 where it would not do."""
    more = needs_of(project, found.service_costs, rules or guidance())
    return found.left_bytes - more.memory_fixed - more.memory_sleepers


def arithmetic(found: Capacity, project: Project | None = None, rules: Guidance | None = None) -> str:
    """The memory account in one line of words, with a proposed project."""
    rules = rules or guidance()
    kinds = {"reserve": "reserve", "system": "system", "isolated": "limits of isolated projects"}
    parts = [(name, found.counted(kind)) for kind, name in kinds.items()]
    parts[2:2] = [(amount.name, amount.counted_bytes) for amount in found.account if amount.kind == "service"]
    parts += [("shared projects, all awake", found.counted("shared"))]
    if project:
        more = needs_of(project, found.service_costs, rules)
        parts += [(project.name, more.memory_fixed + more.memory_sleepers)]
    terms = " + ".join(f"{size(count)} {name}" for name, count in parts if count)
    needed = sum(count for _name, count in parts)
    return f"{terms} = {size(needed)} of {size(found.room.memory_bytes)}"


class _Fit:
    """How many more projects a host takes."""

    def __init__(self, room: Room, needs: Needs, costs: Mapping[str, int], rules: Guidance) -> None:
        self.room, self.needs, self.rules = room, needs, rules
        memory, pool = parsed_size(Limits().memory), Rest().pool
        self.each_shared = needs_of_new("shared", "15min", pool, sum(costs.values()), rules)
        self.each_isolated = needs_of_new("isolated", "never", pool, memory, rules)

    def judged(self, isolated: int, shared: int) -> Judgement:
        """The verdict on so many more."""
        needs = self.needs.plus(self.each_isolated, isolated).plus(self.each_shared, shared)
        return judge(self.room, needs, self.rules)

    def more(self, isolated: int, shared: int) -> tuple[int, int]:
        """How many times so many more fit, and how many times before they are refused."""
        return tuple(self._most(isolated, shared, 0, allowed) for allowed in (("fits",), ("fits", "tight")))

    def mixes(self, isolated_more: int) -> Iterable[Mix]:
        """For each number of isolated projects how many shared ones fit beside them, the host as it is first."""
        for isolated in range(min(isolated_more, self.rules.mixes) + 1):
            yield Mix(isolated=isolated, shared=self._most(0, 1, isolated, ("fits",)))

    def _most(self, isolated: int, shared: int, beside: int, allowed: tuple[Verdict, ...]) -> int:
        low, high = 0, _MOST + 1
        while high - low > 1:
            middle = (low + high) // 2
            fits = self.judged(isolated * middle + beside, shared * middle).room in allowed
            low, high = (middle, high) if fits else (low, middle)
        return low


def _of_the_host(status: HostStatus, rules: Guidance) -> Iterable[Amount]:
    total = status.memory_total_bytes
    reserve = max(total * rules.memory.reserve_percent // 100, rules.memory.reserve_least)
    yield Amount(name="reserve", kind="reserve", used_bytes=0, counted_bytes=reserve, is_measured=False)
    held = status.system_bytes
    yield Amount(name="system", kind="system", used_bytes=held, counted_bytes=held, is_measured=True)
    assumed = {**rules.memory.shared_services, "postgres": total * rules.memory.postgres_percent // 100}
    for service in status.services:
        held, least = service.held_bytes, assumed.get(service.name, 0)
        counted = max(held, least)
        yield Amount(
            name=service.name, kind="service", used_bytes=held, counted_bytes=counted, is_measured=held >= least
        )


def _of_a_project(project: Project, status: HostStatus, costs: AwakeCosts, rules: Guidance) -> Amount:
    found = status.project(project.name)
    used = found.held_bytes if found else 0
    kind: Kind = project.architecture
    if project.state == "paused":
        return Amount(name=project.name, kind=kind, used_bytes=used, counted_bytes=used, is_measured=True)
    count = project.rest.pool + rules.connections.auth_pool
    backends = rules.memory.backend * count if project.database == "shared" else 0
    if project.architecture == "isolated":
        limit = parsed_size(project.limits.memory)
        return Amount(name=project.name, kind=kind, used_bytes=used, counted_bytes=limit + backends, is_measured=False)
    awake, is_measured = costs.of_project(project.name)
    return Amount(
        name=project.name,
        kind=kind,
        used_bytes=used,
        counted_bytes=awake + backends,
        is_measured=is_measured,
        may_sleep=project.idle_timeout != "never",
    )
