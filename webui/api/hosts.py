"""Hosts in the HTTP API."""

from flask import Response

from berth.inventory import HostVars
from webui.api.guard import api, give, scoped
from webui.api.schemas.common import ByName, Named
from webui.api.schemas.hosts import HostOut, Hosts
from webui.core import core
from webui.models import Run
from webui.roles import VIEWER
from webui.services.rooms import HostRoom


@api.get("/hosts", responses={200: Hosts})
@scoped("read", VIEWER)
def list_hosts(query: ByName) -> Response:
    """List the hosts with their capacity, by name."""
    hosts, rooms, busy = core().fleet.hosts(), core().rooms.all(), core().runs.busy()
    shown, last = query.cut([name for name in sorted(hosts) if name > query.after])
    items = [_host(hosts[name], rooms.get(name), busy.get(name)) for name in shown]
    return give(Hosts(items=items, next=last))


@api.get("/hosts/<name>", responses={200: HostOut})
@scoped("read", VIEWER)
def show_host(path: Named) -> Response:
    """Show one host with its capacity."""
    host = core().fleet.host(path.name)
    return give(_host(host, core().rooms.host(path.name), core().runs.busy().get(path.name)))


def _host(host: HostVars, room: HostRoom | None, busy: Run | None) -> HostOut:
    return HostOut(
        name=host.name,
        public_url=host.public_url,
        database_address=host.database_address,
        memory_mb=host.memory_mb,
        projects=[project.name for project in core().fleet.projects().values() if project.host == host.name],
        run_id=busy.id if busy else None,
        is_stale=room.is_stale if room else True,
        capacity=room.capacity if room else None,
    )
