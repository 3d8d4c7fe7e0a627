"""Pages of conversions: make a project isolated or shared, or its database another's, return, keep it."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from berth.errors import BerthError
from berth.models import Project
from webui.core import core
from webui.projects import bp
from webui.roles import OPERATOR
from webui.security import actor, needs
from webui.services.converting import CONVERT, outlook, word_of

Page = str | Response | tuple[str, int]


@bp.get("/projects/<name>/conversion")
@needs(OPERATOR, project="name")
def ask_convert(name: str) -> Page:
    """Show what a project can become and what that does.

    project, conversion (berth.conversions.Conversion that is open, or None), offers (webui.services.converting.Offer),
    error, forced (whether the host was to be overruled).
    """
    return _page(core().fleet.project(name), None)


@bp.post("/projects/<name>/conversion")
@needs(OPERATOR, project="name")
def convert(name: str) -> Page:
    """Convert, or plan that; field step: convert (with to and database), rollback or commit."""
    project, form = core().fleet.project(name), request.form
    to, database = form.get("to") or None, form.get("database") or None
    try:
        word = word_of(form.get("step", CONVERT), to, database)
        plan = form.get("intent") == "plan"
        run = core().actions.convert(actor(), name, word, database, force="force" in form, plan=plan)
    except BerthError as error:
        return _page(project, str(error)), 400
    return redirect(url_for("runs.show", run_id=run.id), 303)


def _page(project: Project, error: str | None) -> str:
    found = outlook(core().fleet, core().rooms, project)
    return render_template(
        "projects/conversion.html",
        project=project,
        conversion=found.conversion,
        offers=found.offers,
        error=error,
        forced="force" in request.form,
    )
