"""Pages of hosts."""

from datetime import timedelta

from flask import Blueprint, render_template, request

from berth.capacity import Capacity, what_if
from berth.guidance import guidance
from berth.models import Project
from berth.status import METHODS
from webui import pictures
from webui.core import core
from webui.models import Run
from webui.roles import VIEWER
from webui.security import access, needs

bp = Blueprint("hosts", __name__)

SPANS = {"day": "a day", "week": "a week", "all": "90 days"}
LENGTHS = {"day": timedelta(days=1), "week": timedelta(days=7), "all": timedelta(days=90)}
MOST = 9900


@bp.get("/")
@needs("member")
def index() -> str:
    """Show all hosts: hosts (berth.inventory.HostVars by name), projects (lists of berth.models.Project by host),
    busy (the run that has the host to itself, by host), rooms (HostRoom by host, of those that were
    measured), silent (berth.samples.Silence by host).
    """
    declared = core().fleet.projects()
    seen = access().sees(declared)
    hosts = core().fleet.hosts() if access().allows(VIEWER) else _hosts_of(seen)
    projects: dict[str, list[Project]] = {name: [] for name in hosts}
    for name in seen:
        projects[declared[name].host].append(declared[name])
    return render_template(
        "hosts/index.html",
        hosts=hosts,
        projects=projects,
        busy=_busy(),
        rooms=core().rooms.all(declared) if access().allows(VIEWER) else {},
        silent=core().rooms.silent() if access().allows(VIEWER) else {},
        pictures=pictures,
    )


@bp.get("/hosts/<name>")
@needs(VIEWER)
def show(name: str) -> str:
    """Show one host: host (HostVars), projects (its berth.models.Project), runs (its newest), busy (run or None).

    states (webui.services.rooms.Seen by project), room (HostRoom or None), silence (berth.samples.Silence or None),
    history (HostStatus over span, one of spans), asked (a what-if), guidance, methods.
    """
    host = core().fleet.host(name)
    projects = [project for project in core().fleet.projects().values() if project.host == name]
    runs = [run for run in core().runs.page(limit=200) if name in run.hosts][:10]
    room = core().rooms.host(name)
    span = request.args.get("span") if request.args.get("span") in SPANS else "day"
    return render_template(
        "hosts/show.html",
        host=host,
        projects=projects,
        states=core().rooms.states({project.name: project for project in projects}),
        runs=runs,
        busy=_busy().get(name),
        room=room,
        silence=core().rooms.silent().get(name),
        history=core().rooms.history(name, LENGTHS[span]) if room else [],
        span=span,
        spans=SPANS,
        asked=_asked(room.capacity) if room else None,
        guidance=guidance(),
        methods=METHODS,
        pictures=pictures,
    )


@bp.get("/hosts/<name>/what-if")
@needs(VIEWER)
def what_if_more(name: str) -> str:
    """Tell about a host with more projects, as a piece of a page: shared, isolated (how many more), judgement."""
    core().fleet.host(name)
    room = core().rooms.host(name)
    return render_template("hosts/_what_if.html", **_asked(room.capacity)) if room else ""


def _asked(found: Capacity) -> dict[str, object]:
    more = {kind: _number(kind) for kind in ("shared", "isolated")}
    return more | {"judgement": what_if(found, **more)}


def _number(name: str) -> int:
    return min(max(request.args.get(name, 0, type=int), 0), MOST)


def _hosts_of(projects: list[str]) -> dict:
    names = {core().fleet.project(project).host for project in projects}
    return {name: host for name, host in core().fleet.hosts().items() if name in names}


def _busy() -> dict[str, Run]:
    return core().runs.busy()
