"""Pages of hosts."""

from flask import Blueprint, render_template

from webui.core import core
from webui.models import Run
from webui.roles import VIEWER
from webui.security import access, needs

bp = Blueprint("hosts", __name__)


@bp.get("/")
@needs("member")
def index() -> str:
    """Show all hosts: hosts (berth.inventory.HostVars by name), projects (lists of berth.models.Project by host),
    busy (the run that has the host to itself, by host).
    """
    declared = core().fleet.projects()
    seen = access().sees(declared)
    hosts = core().fleet.hosts() if access().allows(VIEWER) else _hosts_of(seen)
    projects = {name: [declared[project] for project in seen if declared[project].host == name] for name in hosts}
    return render_template("hosts/index.html", hosts=hosts, projects=projects, busy=_busy())


@bp.get("/hosts/<name>")
@needs(VIEWER)
def show(name: str) -> str:
    """Show one host: host (HostVars), projects (its berth.models.Project), runs (its newest), busy (run or None)."""
    host = core().fleet.host(name)
    projects = [project for project in core().fleet.projects().values() if project.host == name]
    runs = [run for run in core().runs.page(limit=200) if name in run.hosts][:10]
    return render_template("hosts/show.html", host=host, projects=projects, runs=runs, busy=_busy().get(name))


def _hosts_of(projects: list[str]) -> dict:
    names = {core().fleet.project(project).host for project in projects}
    return {name: host for name, host in core().fleet.hosts().items() if name in names}


def _busy() -> dict[str, Run]:
    return core().runs.busy()
