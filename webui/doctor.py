"""Pages of the doctor: what is wrong with hosts and projects, and whether runs find a worker."""

from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webui.core import core
from webui.models import Run, now
from webui.roles import ADMIN, VIEWER
from webui.security import access, actor, needs, public
from webui.services.actions import DOCTOR_PLAYBOOK
from webui.services.runs import RunRefused

bp = Blueprint("doctor", __name__)

LONG = timedelta(minutes=1)

Page = str | Response | tuple[str, int]


@bp.get("/doctor")
@needs(VIEWER)
def index() -> Page:
    """Show what the newest visit of the doctor found, and how runs are.

    hosts (the findings by host, also of hosts without any), declared (projects by name), examined (the run of that, or
    None), going (the run of a visit that is not over, or None), fixable (how many findings can be repaired), may
    (whether the person may have both), counts (runs by state), waiting (the run that waits longest, or None),
    waits_long (whether for more than a minute), error.
    """
    return _page(None)


@bp.post("/doctor/examine")
@needs(ADMIN)
def examine() -> Page:
    """Examine all hosts, and go to the run."""
    return _to(core().actions.examine(actor()))


@bp.post("/doctor/repair")
@needs(ADMIN)
def repair() -> Page:
    """Do what is safe of what was found, or plan that (field intent: plan or do), and go to the run."""
    try:
        return _to(core().actions.repair(actor(), plan=request.form.get("intent") == "plan"))
    except RunRefused as error:
        return _page(str(error)), 409


@bp.get("/healthz")
@public
def health() -> dict[str, str]:
    """Tell a probe that requests are answered and the database too."""
    core().runs.counts()
    return {"status": "ok"}


def _to(run: Run) -> Response:
    return redirect(url_for("runs.show", run_id=run.id), 303)


def _page(error: str | None) -> str:
    runs = core().runs
    runs.sweep()
    examined, newest, waiting = runs.last(DOCTOR_PLAYBOOK), runs.last(DOCTOR_PLAYBOOK, state=None), runs.waiting()
    findings = core().actions.findings()
    names = sorted({*core().fleet.hosts(), *(finding.host for finding in findings)})
    return render_template(
        "doctor/index.html",
        hosts={name: [finding for finding in findings if finding.host == name] for name in names},
        declared=core().fleet.projects(),
        examined=examined,
        going=newest if newest and not newest.over else None,
        fixable=sum(finding.fixable for finding in findings),
        may=access().allows(ADMIN),
        counts=runs.counts(),
        waiting=waiting,
        waits_long=waiting is not None and now() - waiting.created_at > LONG,
        error=error,
    )
