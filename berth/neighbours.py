"""Which projects may feel what a plan would change."""

from collections.abc import Collection, Iterable

from berth.models import Project
from berth.run_events import Change

# Roles that may restart what projects share, by the architecture of those that use it; requests wait meanwhile.
_SHARED_BY = {
    "postgres": ("shared", "isolated"),
    "nginx": ("shared", "isolated"),
    "rest": ("shared",),
    "auth": ("shared",),
    "meta": ("shared",),
    "isolated": ("isolated",),
}


def felt_by(changes: Iterable[Change], project: str | None, declared: Collection[Project]) -> dict[str, list[str]]:
    """By host with changes the projects besides the planned one that may feel them.

    None for a plan of one project: its play restarts nothing that others use. Check mode cannot tell a restart from a
    reload, so all that could be restarted counts.
    """
    found: dict[str, set[str]] = {}
    for change in changes:
        names = found.setdefault(change.host, set())
        architectures = () if project else _SHARED_BY.get(change.role, ())
        names |= {one.name for one in declared if one.host == change.host and one.architecture in architectures}
    return {host: sorted(names) for host, names in sorted(found.items())}
