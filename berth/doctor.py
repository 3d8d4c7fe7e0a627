"""What is wrong with a host and its projects, each with the remedy; pure: it judges what was read before."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from berth.capacity import Capacity
from berth.guidance import DoctorRules, Guidance, guidance
from berth.judgement import Part
from berth.models import Project
from berth.quantities import size
from berth.run_events import Change, Failure
from berth.status import HostStatus, PostgresStatus, ProjectStatus, cluster_of
from berth.units import host_service, is_ours

Kind = Literal[
    "unreachable", "postgres", "gateway", "service", "socket", "route", "unit", "database", "absent", "paused",
    "disk", "memory", "connections", "wal", "slot", "certificate", "orphan", "drift",
]  # fmt: skip
_SHOWN = 4


class Thing(Part):
    """One thing that a host holds of a project; `owner` is the project, or its database's name."""

    kind: str
    owner: str
    thing: str


class Holdings(Part):
    """What the module holdings tells of a host."""

    things: tuple[Thing, ...] = ()
    gateway_error: str = ""

    def of(self, name: str, kind: str | None = None) -> list[str]:
        """The things of a project, all or those of a kind."""
        return [one.thing for one in self.things if _key(one.owner) == _key(name) and kind in (None, one.kind)]


class Finding(Part):
    """One thing that is wrong: what, where, and what to do; `fixable` where `berth doctor --fix` does it safely."""

    host: str
    project: str | None = None
    kind: Kind
    what: str
    remedy: str
    fixable: bool = False


def unreachable(host: str, reason: str) -> Finding:
    """A host that did not answer."""
    remedy = f"try: ansible {host} -m ping, with the same inventory; start the host or correct its address"
    return Finding(host=host, kind="unreachable", what=f"does not answer: {reason}", remedy=remedy)


def examine(
    status: HostStatus,
    holdings: Holdings,
    declared: Collection[Project],
    account: Capacity,
    rules: Guidance | None = None,
) -> list[Finding]:
    """All that a measurement and the holdings of a host show; `declared` are the projects of all hosts."""
    rules = rules or guidance()
    mine = {project.name: project for project in declared if project.host == status.name}
    found = [*_server(status, holdings), *_resources(status, account, rules)]
    for project in status.projects:
        if project.name in mine:
            found += _project(status, project, mine[project.name], holdings)
    for name, cluster in status.dedicated.items():
        where = {"host": status.name, "project": name}
        found += _wal(where, cluster, rules.doctor)
        found += _certificate(where, status.measured_at, cluster, rules.doctor)
    return [*found, *_units(status, found), *_orphans(status.name, holdings, declared)]


def drift(changes: Iterable[Change], failures: Iterable[Failure], project: str | None) -> list[Finding]:
    """What a run in check mode would change, and where it would fail."""
    found = []
    for change in changes:
        lines = [
            line for line in "\n".join(change.diffs).splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")
        ]
        shown = f": {' | '.join(lines[:_SHOWN])}" if lines else ""
        remedy = f"berth plan {project or ''}".rstrip() + " shows all of it, berth apply does it"
        what = f"differs from what is declared: {change.task}{shown}"
        found.append(Finding(host=change.host, project=project, kind="drift", what=what, remedy=remedy, fixable=True))
    for failure in failures:
        what = f"cannot be checked: {failure.task}: {' '.join(failure.message.split())}"
        found.append(
            Finding(host=failure.host, project=project, kind="drift", what=what, remedy="correct what the task says")
        )
    return found


def _server(status: HostStatus, holdings: Holdings) -> Iterable[Finding]:
    if status.postgres is None:
        yield Finding(
            host=status.name,
            kind="postgres",
            what=f"PostgreSQL does not answer: {status.postgres_error}",
            remedy="start it: systemctl start 'postgresql@*-berth'; its log is in /var/log/postgresql",
            fixable=True,
        )
    if holdings.gateway_error:
        yield Finding(
            host=status.name,
            kind="gateway",
            what=f"nginx does not take its configuration: {holdings.gateway_error}",
            remedy="correct the file, or berth apply writes Berth's own anew; until then nginx keeps the old one",
            fixable=True,
        )
    for service in status.services:
        is_told = service.name == "postgres" and status.postgres is None
        if service.state in ("failed", "stopped") and not is_told:
            unit = service.units[0].replace("-wake.service", "-wake.socket")
            remedy = f"systemctl start {unit}; why: journalctl -u {unit}"
            what = f"{service.name} does not run ({service.state})"
            yield Finding(host=status.name, kind="service", what=what, remedy=remedy, fixable=True)


def _resources(status: HostStatus, account: Capacity, rules: Guidance) -> Iterable[Finding]:
    host, limits = status.name, rules.doctor
    for disk in status.disks:
        if 100 * disk.free_bytes < limits.disk_free_percent * disk.total_bytes:
            what = f"{size(disk.free_bytes)} of {size(disk.total_bytes)} are free on {disk.path}"
            remedy = "make room or enlarge the disk: du -xh --max-depth=2 / | sort -h | tail"
            yield Finding(host=host, kind="disk", what=what, remedy=remedy)
    if 100 * status.memory_available_bytes < limits.memory_free_percent * status.memory_total_bytes:
        what = f"{size(status.memory_available_bytes)} of {size(status.memory_total_bytes)} of memory are available"
        yield Finding(
            host=host, kind="memory", what=what, remedy="berth status says who uses it; move or pause projects"
        )
    for check in account.now.checks:
        if check.verdict == "refused" and check.resource in ("memory", "connections"):
            what = f"more is promised than there is: {check.words}"
            remedy = "take a larger host, fewer projects, or lower their limits; docs/capacity.md has the arithmetic"
            yield Finding(host=host, kind=check.resource, what=what, remedy=remedy)
    if status.postgres:
        yield from _cluster(status, limits)


def _cluster(status: HostStatus, limits: DoctorRules) -> Iterable[Finding]:
    host, cluster = status.name, status.postgres
    if 100 * cluster.connections >= limits.connections_percent * cluster.max_connections:
        what = f"{cluster.connections} of {cluster.max_connections} connections are in use"
        remedy = "raise postgres_max_connections, or lower limits.connections and rest.pool of projects"
        yield Finding(host=host, kind="connections", what=what, remedy=remedy)
    yield from _wal({"host": host}, cluster, limits)
    yield from _certificate({"host": host}, status.measured_at, cluster, limits)


def _wal(where: Mapping[str, Any], cluster: PostgresStatus, limits: DoctorRules) -> Iterable[Finding]:
    if cluster.wal_bytes > limits.wal_factor * cluster.wal_max_bytes:
        what = f"WAL takes {size(cluster.wal_bytes)}, {size(cluster.wal_max_bytes)} is meant to be the most"
        remedy = "look for a slot that holds it back or an archive_command that fails"
        yield Finding(**where, kind="wal", what=what, remedy=remedy)
    for slot in cluster.slots:
        if not slot.active or slot.retained_bytes > limits.slot_retained:
            state = "is used" if slot.active else "is used by nobody"
            what = f"replication slot {slot.name} {state} and holds back {size(slot.retained_bytes)} of WAL"
            remedy = f"start its reader, or drop it: SELECT pg_drop_replication_slot('{slot.name}')"
            yield Finding(**where, kind="slot", what=what, remedy=remedy)


def _certificate(
    where: Mapping[str, Any], now: datetime, cluster: PostgresStatus, limits: DoctorRules
) -> Iterable[Finding]:
    shown = cluster.certificate
    if shown and shown.expires < now + timedelta(days=limits.certificate_days):
        ended = "ended" if shown.expires < now else "ends"
        what = f"the certificate of PostgreSQL, {shown.path}, {ended} on {shown.expires:%Y-%m-%d}"
        remedy = "put a new one there (or remove a self-signed one), then run playbooks/site.yml"
        yield Finding(**where, kind="certificate", what=what, remedy=remedy)


def _project(status: HostStatus, found: ProjectStatus, declared: Project, holdings: Holdings) -> Iterable[Finding]:
    where: dict[str, Any] = {"host": status.name, "project": found.name}
    if not holdings.of(found.name):
        remedy = f"berth apply {found.name}"
        yield Finding(**where, kind="absent", what="is declared and not on its host", remedy=remedy, fixable=True)
        return
    cluster = cluster_of(declared, status)
    if declared.database == "dedicated" and declared.state == "present" and cluster is None:
        what, remedy = "its own PostgreSQL does not answer", f"berth apply {found.name} starts it"
        yield Finding(**where, kind="postgres", what=what, remedy=remedy, fixable=True)
    if cluster and found.database_bytes is None:
        remedy = f"restore its database; berth apply {found.name} makes an empty one"
        yield Finding(**where, kind="database", what="has no database", remedy=remedy)
    if cluster and found.connections >= found.connection_limit:
        what = f"{found.connections} of {found.connection_limit} connections are in use"
        remedy = f"berth update {found.name} limits.connections=..., or close what is left open"
        yield Finding(**where, kind="connections", what=what, remedy=remedy)
    if not any(path.startswith("/etc/nginx/") for path in holdings.of(found.name, "file")):
        what = "the gateway has no route to it"
        yield Finding(**where, kind="route", what=what, remedy=f"berth apply {found.name}", fixable=True)
    yield from _services(where, found, declared, holdings)


def _services(
    where: Mapping[str, Any], found: ProjectStatus, declared: Project, holdings: Holdings
) -> Iterable[Finding]:
    sockets = holdings.of(found.name, "socket")
    # the PostgreSQL of a project that has its own is told of before
    for service in (service for service in found.services if service.name != "postgres"):
        log = f"berth logs {found.name} --service {service.name}"
        if declared.state == "paused" and service.state in ("awake", "asleep"):
            what = f"is paused, and {service.name} is {service.state} all the same"
            yield Finding(**where, kind="paused", what=what, remedy=f"berth apply {found.name}", fixable=True)
        elif service.state == "stopped":
            what = f"no request wakes {service.name}"
            yield Finding(**where, kind="service", what=what, remedy=f"berth apply {found.name}", fixable=True)
        elif service.state == "failed":
            what = f"{service.name} has failed"
            yield Finding(**where, kind="service", what=what, remedy=f"why: {log}", fixable=True)
        elif service.state != "paused" and service.sleeps and not _has_socket(sockets, service.name):
            what = f"the socket of {service.name} is gone, so that no request reaches it"
            remedy = f"systemctl restart berth-{service.name}-wake@{found.name}.socket"
            yield Finding(**where, kind="socket", what=what, remedy=remedy, fixable=True)


def _has_socket(sockets: Iterable[str], service: str) -> bool:
    return any(path.endswith(f"-{service}.sock") for path in sockets)


def _units(status: HostStatus, told: Iterable[Finding]) -> Iterable[Finding]:
    """Failed units that no other finding is about."""
    words = " ".join(f"{finding.remedy} {finding.project or ''}" for finding in told)
    for unit in status.failed_units:
        if status.postgres is None and host_service(unit) == "postgres":
            continue
        instance = unit.rpartition(".")[0].partition("@")[2]
        if unit not in words and (not instance or instance not in words.split()):
            remedy = f"why: journalctl -u {unit}; then: systemctl reset-failed {unit}"
            what = f"unit {unit} has failed"
            yield Finding(host=status.name, kind="unit", what=what, remedy=remedy, fixable=is_ours(unit))


def _orphans(host: str, holdings: Holdings, declared: Iterable[Project]) -> Iterable[Finding]:
    homes = {_key(project.name): project.host for project in declared}
    owners: dict[str, list[Thing]] = {}
    for thing in holdings.things:
        if homes.get(_key(thing.owner)) != host:
            owners.setdefault(_key(thing.owner), []).append(thing)
    for key, things in sorted(owners.items()):
        name = next((thing.owner for thing in things if thing.kind not in ("database", "role")), things[0].owner)
        listed = ", ".join(f"{thing.kind} {thing.thing}" for thing in things[:_SHOWN])
        more = f" and {len(things) - _SHOWN} more" if len(things) > _SHOWN else ""
        home = homes.get(key)
        why = f"of {name}, which is declared on {home}" if home else f"of {name}, which no file declares"
        remedy = (
            f"if it moved: remove these by hand once {home} serves it"
            if home
            else f"restore projects/{name}.yml from git; to be rid of it, declare it again and: berth remove {name}"
        )
        yield Finding(host=host, project=name, kind="orphan", what=f"{listed}{more}: {why}", remedy=remedy)


def _key(owner: str) -> str:
    """The same for a project and for its database."""
    return owner.replace("-", "_")
