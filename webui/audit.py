"""The page of the audit."""

from flask import Blueprint, render_template, request

from webui.core import core
from webui.roles import ADMIN
from webui.security import needs
from webui.services.audit import PAGE, entries

bp = Blueprint("audit", __name__)


@bp.get("/audit")
@needs(ADMIN)
def index() -> str:
    """Show who did what, newest first: entries, target (the only one shown, or ""), older (number to go on before)."""
    target = request.args.get("target", "").strip()
    found = entries(core().db, request.args.get("before", type=int), target)
    older = found[-1].id if len(found) == PAGE else None
    return render_template("audit/index.html", entries=found, target=target, older=older)
