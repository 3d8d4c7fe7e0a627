"""The doctor in the HTTP API."""

from flask import Response

from webui.api.guard import actor, api, give, once, scoped
from webui.api.schemas.common import Check
from webui.api.schemas.doctor import DoctorOut
from webui.api.schemas.runs import RunOut
from webui.core import core
from webui.roles import ADMIN, VIEWER
from webui.services.actions import DOCTOR_PLAYBOOK


@api.get("/doctor", responses={200: DoctorOut})
@scoped("read", VIEWER)
def show_findings() -> Response:
    """Show what the newest visit of the doctor found."""
    visit = core().runs.last(DOCTOR_PLAYBOOK)
    return give(DoctorOut.of(core().actions.findings(), visit))


@api.post("/doctor/examine", responses={202: RunOut})
@scoped("admin", ADMIN)
@once
def examine_hosts() -> Response:
    """Examine all hosts; what was found stands at /doctor once the run is over."""
    return give(RunOut.of(core().actions.examine(actor())), 202)


@api.post("/doctor/repair", responses={202: RunOut})
@scoped("admin", ADMIN)
@once
def repair_hosts(query: Check) -> Response:
    """Do what is safe of what was found."""
    return give(RunOut.of(core().actions.repair(actor(), plan=query.check)), 202)
