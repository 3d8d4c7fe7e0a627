"""The page that tells whether the parts of the UI itself are well."""

from flask import Blueprint, render_template

from webui.core import core
from webui.roles import VIEWER
from webui.security import needs, public

bp = Blueprint("doctor", __name__)


@bp.get("/doctor")
@needs(VIEWER)
def index() -> str:
    """Show how the UI is: workers (names with the age of their last sign in seconds), counts (runs by state)."""
    core().runs.sweep()
    return render_template("doctor/index.html", workers=[], counts=core().runs.counts())


@bp.get("/healthz")
@public
def health() -> dict[str, str]:
    """Tell a probe that requests are answered and the database too."""
    core().runs.counts()
    return {"status": "ok"}
