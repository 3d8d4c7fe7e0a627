"""The pictures of the pages: what a host's figures look like as charts."""

from collections.abc import Sequence

from berth.capacity import Capacity
from berth.guidance import HostGuidance
from berth.quantities import size
from berth.status import HostStatus
from webui.charts import Chart, Segment, area, bar, count, sparkline

MIB = 1024**2
DATABASE = "postgres"


def used_now(status: HostStatus) -> Chart:
    """What holds the memory of a host now."""
    awake = [project for project in status.projects if project.architecture == "shared"]
    isolated = [project for project in status.projects if project.architecture == "isolated"]
    parts = [
        ("system", "system", status.system_bytes),
        ("PostgreSQL", "database", sum(s.held_bytes for s in status.services if s.name == DATABASE)),
        ("shared services", "services", sum(s.held_bytes for s in status.services if s.name != DATABASE)),
        ("shared projects", "awake", sum(project.held_bytes for project in awake)),
        ("isolated projects", "isolated", sum(project.held_bytes for project in isolated)),
    ]
    free = f"{size(status.memory_available_bytes)} free"
    return bar(f"Memory of {status.name} now", status.memory_total_bytes, _segments(parts), free)


def all_awake(found: Capacity) -> Chart:
    """What would hold the memory of a host if all its projects were awake, with what is kept in reserve."""
    database = sum(amount.counted_bytes for amount in found.account if amount.name == DATABASE)
    parts = [
        ("reserve", "reserve", found.counted("reserve")),
        ("system", "system", found.counted("system")),
        ("PostgreSQL", "database", database),
        ("shared services", "services", found.counted("service") - database),
        ("shared projects", "awake", found.counted("shared")),
        ("isolated projects", "isolated", found.counted("isolated")),
    ]
    rest = f"{size(found.left_bytes)} left" if found.left_bytes >= 0 else f"{size(-found.left_bytes)} missing"
    title = f"Memory of {found.host} with all projects awake"
    return bar(title, found.room.memory_bytes, _segments(parts), rest)


def how_many(found: Capacity) -> dict[str, Chart]:
    """For shared and isolated projects: how many there are, how many more fit, and what the guidance says."""
    return {
        "shared": count(
            f"Shared projects on {found.host}", found.shared, found.shared_more, _advice(found.guidance, "shared")
        ),
        "isolated": count(
            f"Isolated projects on {found.host}",
            found.isolated,
            found.isolated_more,
            _advice(found.guidance, "isolated"),
        ),
    }


def over_time(history: Sequence[HostStatus]) -> Chart:
    """The memory of each project, of PostgreSQL and of the other services of a host over time, in MiB."""
    names = dict.fromkeys(project.name for status in history for project in status.projects)
    series: dict[str, list[float | None]] = {"PostgreSQL": [], "other services": []}
    series |= {name: [] for name in names}
    for status in history:
        held = {project.name: project.held_bytes for project in status.projects}
        database = sum(service.held_bytes for service in status.services if service.name == DATABASE)
        others = sum(service.held_bytes for service in status.services if service.name != DATABASE)
        named = {"PostgreSQL": database, "other services": others}
        for name, values in series.items():
            values.append((named[name] if name in named else held.get(name, 0)) / MIB)
    shown = {name: values for name, values in series.items() if any(values)}
    times = [f"{status.measured_at:%d %b %H:%M}" for status in history]
    limit = history[-1].memory_total_bytes / MIB if history else None
    return area("Memory by project", times, shown, "MiB", limit)


def project_memory(name: str, history: Sequence[HostStatus]) -> Chart:
    """The memory of one project over time, in MiB; gaps where it was not there."""
    seen = [status.project(name) for status in history]
    values = [round(project.held_bytes / MIB, 1) if project else None for project in seen]
    return sparkline(f"Memory of {name}", values, "MiB")


def _segments(parts: Sequence[tuple[str, str, int]]) -> list[Segment]:
    return [Segment(label, value, kind, size(value)) for label, kind, value in parts if value > 0]


def _advice(row: HostGuidance | None, kind: str) -> tuple[int, int] | None:
    return getattr(row, kind) if row else None
