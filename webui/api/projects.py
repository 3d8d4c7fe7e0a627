"""Projects in the HTTP API."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import Response

from berth.rotation import BadEnd
from webui.api.guard import actor, api, bearer, give, once, scoped
from webui.api.schemas.common import Check, Named
from webui.api.schemas.keys import KeysOut, KeyUsage, RotationIn, UsageOut
from webui.api.schemas.projects import (
    ARCHITECTURES,
    Added,
    ChangesIn,
    DomainsIn,
    ProjectIn,
    ProjectOut,
    Projects,
    Removal,
    Shown,
    Wanted,
)
from webui.api.schemas.runs import RunOut
from webui.core import core
from webui.errors import Problem
from webui.models import Run
from webui.roles import ADMIN, MEMBER, OPERATOR, VIEWER
from webui.services.actions import USAGE_PLAYBOOK
from webui.services.audit import note
from webui.services.listing import following, listed
from webui.services.placing import placed

STARTED = {202: RunOut}


@api.get("/projects", responses={200: Projects})
@scoped("read", MEMBER)
def list_projects(query: Wanted) -> Response:
    """List the projects that the token may see, by name or in another order."""
    rows = listed(core().fleet, core().rooms, bearer().access, query.filters, query.sort)
    shown, last = query.cut(following(rows, query.after, query.sort))
    items = [ProjectOut.of(row.project, core().fleet.urls(row.project), row.seen) for row in shown]
    return give(Projects(items=items, next=last.cursor(query.sort) if last else None))


@api.post("/projects", responses={202: Added})
@scoped("write", OPERATOR)
@once
def add_project(query: Check, body: ProjectIn) -> Response:
    """Add a project: declare it and put the run that configures it in the queue."""
    architecture = body.architecture or "shared"
    if body.plan is not None:
        if body.architecture not in (None, ARCHITECTURES[body.plan]):
            told = f"architecture: found {body.architecture!r} beside plan {body.plan!r}; give one of the two"
            raise Problem(400, "That does not work", told)
        architecture = ARCHITECTURES[body.plan]
    host, reason = placed(core().fleet, core().rooms, body.name, architecture, body.host, body.force, body.database)
    settings = body.model_dump(include={"database", "domains", "idle_timeout"})
    values = {"host": host, "architecture": architecture, **settings}
    run = core().actions.change(actor(), "add", body.name, values | {"note": reason}, plan=query.check)
    return give(Added.of(body.name, architecture, run), 202)


@api.get("/projects/<name>", responses={200: Shown})
@scoped("read", VIEWER, project="name")
def show_project(path: Named) -> Response:
    """Show one project and its newest run."""
    project = core().fleet.project(path.name)
    runs = core().runs.page(projects=[path.name], limit=1)
    seen = core().rooms.states({path.name: project})[path.name]
    shown = ProjectOut.of(project, core().fleet.urls(project), seen)
    return give(Shown(**shown.model_dump(), run=RunOut.of(runs[0]) if runs else None))


@api.patch("/projects/<name>", responses=STARTED)
@scoped("write", OPERATOR, project="name")
@once
def update_project(path: Named, query: Check, body: ChangesIn) -> Response:
    """Change keys of the declaration, such as {"limits": {"connections": 50}}, and configure the project."""
    changes = dict(_keys(body.model_extra or {}))
    if not changes:
        raise Problem(400, "That does not work", 'no key given; send some such as {"limits": {"connections": 50}}')
    return _change("update", path.name, changes, query)


@api.delete("/projects/<name>", responses=STARTED)
@scoped("write", OPERATOR, project="name")
@once
def remove_project(path: Named, query: Removal) -> Response:
    """Remove a project with its data for good."""
    return _started(core().actions.remove(actor(), path.name, query.archive, plan=query.check))


@api.post("/projects/<name>/pause", responses=STARTED)
@scoped("write", OPERATOR, project="name")
@once
def pause_project(path: Named, query: Check) -> Response:
    """Let a project answer 503 and run nothing; its data and keys stay."""
    return _change("pause", path.name, {}, query)


@api.post("/projects/<name>/resume", responses=STARTED)
@scoped("write", OPERATOR, project="name")
@once
def resume_project(path: Named, query: Check) -> Response:
    """Let a paused project answer again."""
    return _change("resume", path.name, {}, query)


@api.post("/projects/<name>/domains", responses=STARTED)
@scoped("write", OPERATOR, project="name")
@once
def change_domains(path: Named, query: Check, body: DomainsIn) -> Response:
    """Add and remove domains of a project."""
    if not body.add and not body.remove:
        raise Problem(400, "That does not work", 'no domain given; send some such as {"add": ["blog.example.com"]}')
    return _change("domains", path.name, body.model_dump(), query)


@api.post("/projects/<name>/apply", responses=STARTED)
@scoped("write", OPERATOR, project="name")
@once
def apply_project(path: Named, query: Check) -> Response:
    """Bring a project into its declared state."""
    return _started(core().actions.apply(actor(), path.name, plan=query.check))


@api.post("/apply", responses=STARTED)
@scoped("admin", ADMIN)
@once
def apply_all(query: Check) -> Response:
    """Bring all hosts and projects into their declared state."""
    return _started(core().actions.apply(actor(), plan=query.check))


@api.get("/projects/<name>/keys", responses={200: KeysOut})
@scoped("keys", OPERATOR, project="name")
def show_keys(path: Named) -> Response:
    """Show the keys of a project; noted in the audit."""
    found = core().fleet.keys(core().fleet.project(path.name))
    with core().db.begin() as session:
        note(session, actor(), "show keys", path.name)
    return give(KeysOut.model_validate(found, from_attributes=True))


@api.get("/projects/<name>/key-usage", responses={200: UsageOut})
@scoped("read", OPERATOR, project="name")
def show_key_usage(path: Named) -> Response:
    """Show which keys of a project work, and who used which when it was counted last; no key itself."""
    project = core().fleet.project(path.name)
    counted = core().runs.last(USAGE_PLAYBOOK, project.name)
    usage = (counted.report or {}).get("key_usage") if counted else None
    never = {"requests": None if usage is None else 0, "last_request": None}
    items = [KeyUsage(**asdict(key), **(usage or {}).get(key.id, never)) for key in core().fleet.key_infos(project)]
    return give(UsageOut(items=items, counted_at=counted.ended_at if counted else None))


@api.post("/projects/<name>/key-usage", responses=STARTED)
@scoped("write", OPERATOR, project="name")
@once
def count_key_usage(path: Named) -> Response:
    """Count who uses which key of a project; changes nothing."""
    return _started(core().actions.count_usage(actor(), path.name))


@api.post("/projects/<name>/rotate", responses=STARTED)
@scoped("write", OPERATOR, project="name")
@once
def rotate_keys(path: Named, query: Check, body: RotationIn) -> Response:
    """Give a project new keys, those of before working too until they are retired."""
    try:
        run = core().actions.rotate(actor(), path.name, body.step, body.retire_at, plan=query.check)
    except BadEnd as error:
        raise Problem(400, "That does not work", f"retire_at: {error}") from error
    return _started(run)


def _change(action: str, name: str, values: dict[str, Any], query: Check) -> Response:
    core().fleet.project(name)
    return _started(core().actions.change(actor(), action, name, values, plan=query.check))


def _started(run: Run) -> Response:
    return give(RunOut.of(run), 202)


def _keys(given: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Changes as key paths: a section changes only where it names a key."""
    found: list[tuple[str, Any]] = []
    for key, value in given.items():
        inner = value.items() if isinstance(value, dict) else None
        found += [(key, value)] if inner is None else [(f"{key}.{name}", each) for name, each in inner]
    return found
