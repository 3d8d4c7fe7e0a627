"""The form that proves the isolation of a project."""

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from webui.core import core
from webui.projects import bp
from webui.roles import OPERATOR
from webui.security import actor, needs


@bp.post("/projects/<name>/prove")
@needs(OPERATOR, project="name")
def prove(name: str) -> Response:
    """Try whether a project and its neighbours reach each other, field wake: also what sleeps; go to the run."""
    run = core().actions.prove(actor(), name, wakes="wake" in request.form)
    return redirect(url_for("runs.show", run_id=run.id), 303)
