"""Runs and the audit in the HTTP API."""

from collections.abc import Callable

from flask import Response

from webui.api.guard import actor, api, bearer, give, once, require, scoped
from webui.api.schemas.audit import AuditOut, AuditPage, OfTarget
from webui.api.schemas.common import Numbered
from webui.api.schemas.runs import AfterEvent, EventOut, Events, OfProject, RunOut, RunsPage
from webui.api.schemas.tokens import TokenOut
from webui.core import core
from webui.models import Run
from webui.roles import ADMIN, MEMBER, VIEWER
from webui.services.audit import Actor, entries
from webui.services.runs import role_to_change


@api.get("/runs", responses={200: RunsPage})
@scoped("read", MEMBER)
def list_runs(query: OfProject) -> Response:
    """List the runs that the token may see, the newest first."""
    core().runs.sweep()
    projects = bearer().access.only
    if query.project is not None:
        require(VIEWER, query.project)
        projects = [query.project]
    runs, last = query.cut(core().runs.page(before=query.before, projects=projects, limit=query.limit + 1))
    return give(RunsPage(items=[RunOut.of(run) for run in runs], next=last.id if last else None))


@api.get("/runs/<int:id>", responses={200: RunOut})
@scoped("read", MEMBER)
def show_run(path: Numbered) -> Response:
    """Show one run."""
    core().runs.sweep()
    return give(RunOut.of(_run(path.id)))


@api.get("/runs/<int:id>/events", responses={200: Events})
@scoped("read", MEMBER)
def list_events(path: Numbered, query: AfterEvent) -> Response:
    """List what happened in a run, in its order; ask again with `next` while its state is queued or running."""
    core().runs.sweep()
    # the run before its events: once it is over, none can be missing
    run = _run(path.id)
    events = core().runs.events(path.id, query.after, query.limit)
    last = events[-1].number if events else query.after
    return give(Events(items=[EventOut.of(event) for event in events], state=run.state, next=last))


@api.post("/runs/<int:id>/cancel", responses={202: RunOut})
@scoped("write", MEMBER)
@once
def cancel_run(path: Numbered) -> Response:
    """Ask a run to end; a queued one has ended then."""
    return _act(path.id, core().actions.cancel)


@api.post("/runs/<int:id>/again", responses={202: RunOut})
@scoped("write", MEMBER)
@once
def run_again(path: Numbered) -> Response:
    """Run once more what a run that is over did."""
    return _act(path.id, core().actions.again)


@api.post("/runs/<int:id>/carry-out", responses={202: RunOut})
@scoped("write", MEMBER)
@once
def carry_out(path: Numbered) -> Response:
    """Do what a run has planned."""
    return _act(path.id, core().actions.carry_out)


@api.get("/audit", responses={200: AuditPage})
@scoped("admin", ADMIN)
def list_audit(query: OfTarget) -> Response:
    """List who did what, the newest first."""
    found, last = query.cut(entries(core().db, query.before, query.target, limit=query.limit + 1))
    return give(AuditPage(items=[AuditOut.of(entry) for entry in found], next=last.id if last else None))


@api.get("/token", responses={200: TokenOut})
@scoped("read", MEMBER)
def show_token() -> Response:
    """Show whose token this is, and what it may."""
    who = bearer()
    return give(TokenOut.of(who.user.name, who.access.role, who.access.grants, who.token))


def _act(run_id: int, what: Callable[[Actor, int], Run]) -> Response:
    run = _run(run_id)
    require(role_to_change(run), run.project)
    return give(RunOut.of(what(actor(), run_id)), 202)


def _run(run_id: int) -> Run:
    run = core().runs.get(run_id)
    require(VIEWER, run.project)
    return run
