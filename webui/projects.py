"""Pages of projects: list, one, add, change."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from berth.errors import BerthError
from berth.models import Project
from berth.names import NAME_RULE, InvalidName, validate_name
from berth.placement import Candidate, NoRoom
from berth.proofs import MEANINGS
from berth.rotation import STEPS, BadEnd
from webui import forms, pictures
from webui.core import core
from webui.models import Run
from webui.roles import ADMIN, MEMBER, OPERATOR, VIEWER
from webui.security import access, actor, needs
from webui.services.actions import USAGE_PLAYBOOK
from webui.services.audit import note
from webui.services.converting import opened
from webui.services.listing import FILTERS, MEASURED_STATES, PROOFS, SORTS, listed
from webui.services.placing import placed
from webui.services.proving import shown
from webui.services.suggest import candidates, costs

bp = Blueprint("projects", __name__)

DAY = timedelta(days=1)
PAGE = 200

Page = str | Response | tuple[str, int]


@bp.get("/projects")
@needs(MEMBER)
def index() -> Page:
    """Show a page of the projects that the person may see: rows (webui.services.listing.Row, filtered and sorted).

    filters, hosts (names), measured_states, proofs, total (how many there are on all pages), first (the number of the
    first one shown, from 1), page, last (page).
    """
    filters = {key: request.args.get(key, "").strip() for key in (*FILTERS, "sort")}
    sort = filters["sort"] if filters["sort"] in SORTS else "name"
    rows = listed(core().fleet, core().rooms, access(), filters, sort)
    declared = core().fleet.projects()
    last = max(1, -(-len(rows) // PAGE))
    page = min(max(1, request.args.get("page", 1, type=int)), last)
    first = (page - 1) * PAGE
    return render_template(
        "projects/index.html",
        rows=rows[first : first + PAGE],
        filters=filters,
        hosts=sorted({declared[name].host for name in access().sees(declared)}),
        measured_states=MEASURED_STATES,
        proofs=PROOFS,
        total=len(rows),
        first=first + 1,
        page=page,
        last=last,
    )


@bp.get("/projects/new")
@needs(OPERATOR)
def new() -> Page:
    """Show the form to add a project: name_rule, typed (what was typed), errors (by field, the rest under "").

    candidates (berth.placement.Candidate of all hosts, the best first), costs (webui.services.suggest.Costs).
    """
    return _new_form(request.args.to_dict(), {})


@bp.get("/projects/new/name")
@needs(OPERATOR)
def check_name() -> Page:
    """Tell about a name as it is typed, as a piece of a page: name, problem (None when it is free)."""
    name = request.args.get("name", "")
    problem = None
    try:
        validate_name(name)
    except InvalidName as error:
        problem = f"{error.rule}; {error.remedy}"
    if problem is None and name in core().fleet.projects():
        problem = "there is a project of this name already; choose another name"
    return render_template("projects/_name.html", name=name, problem=problem, name_rule=NAME_RULE)


@bp.get("/projects/new/host")
@needs(OPERATOR)
def check_host() -> Page:
    """Tell what the hosts say to an architecture and a database, as a piece of a page: candidates, the best first."""
    return render_template("projects/_hosts.html", candidates=_candidates(request.args), typed={})


@bp.post("/projects/new")
@needs(OPERATOR)
def add() -> Page:
    """Add a project, or plan that (field intent: plan or do), and go to the run."""
    name = request.form.get("name", "").strip()
    try:
        run = _do("add", name, _placed(name, forms.added(request.form)))
    except NoRoom as error:
        return _new_form(request.form.to_dict(), {"host": str(error)}), 400
    except BerthError as error:
        return _new_form(request.form.to_dict(), forms.problems(error, forms.ADDED)), 400
    return _to(run)


def _placed(name: str, values: dict[str, Any]) -> dict[str, Any]:
    """The values of an add with what is noted of a host that was overruled; raise InvalidName or NoRoom."""
    wanted = (values["architecture"], values["host"])
    _host, reason = placed(core().fleet, core().rooms, name, *wanted, "force" in request.form, values["database"])
    return values | {"note": reason}


@bp.get("/projects/<name>")
@needs(VIEWER, project="name")
def show(name: str) -> Page:
    """Show one project.

    project (berth.models.Project), facts (the declaration with all that follows from it), urls, fields (value and rule
    by key), typed (what was typed, by key), errors (by key), runs (the newest), may (whether the person may change it),
    state (webui.services.rooms.Seen), seen (berth.status.ProjectStatus or None), measured_at, history (HostStatus of a
    day), conversion (the one that is open, berth.conversions.Conversion, or None), attacks of the last proof of
    isolation (webui.services.proving.Shown), proof_means (what its verdict says).
    """
    return _page(core().fleet.project(name), {}, {})


@bp.get("/projects/<name>/keys")
@needs(OPERATOR, project="name", fresh=True)
def keys(name: str) -> Page:
    """Show the keys of a project, noted in the audit: project, keys (url, anon_key, service_role_key, db_url)."""
    project = core().fleet.project(name)
    found = core().fleet.keys(project)
    with core().db.begin() as session:
        note(session, actor(), "show keys", name)
    return render_template("projects/keys.html", project=project, keys=found)


@bp.get("/projects/<name>/rotate")
@needs(OPERATOR, project="name", fresh=True)
def ask_rotate(name: str) -> Page:
    """Show which keys work, and ask before a rotation.

    project, keys (webui.services.fleet.KeyInfo), usage (requests and last_request by id of a key, None until they were
    counted), counted_at, typed (again, the name; retire_at), errors (by field, the rest under "").
    """
    return _rotate_form(core().fleet.project(name), {}, {})


@bp.post("/projects/<name>/rotate")
@needs(OPERATOR, project="name", fresh=True)
def rotate(name: str) -> Page:
    """Rotate keys, or plan that; field step: start, retire, or now, which wants the name typed again.

    With start, field retire_at says when the former keys end.
    """
    project, typed, step = core().fleet.project(name), request.form.to_dict(), request.form.get("step", "start")
    if step not in STEPS:
        return _rotate_form(project, typed, {"": f"step: found {step!r}, allowed: {', '.join(STEPS)}"}), 400
    again = typed.get("again", "")
    if step == "now" and not _plan_only() and again.strip() != name:
        return _rotate_form(project, typed, {"again": f"found {again!r}, allowed: {name}; nothing was changed"}), 400
    try:
        run = core().actions.rotate(actor(), name, step, typed.get("retire_at", "").strip() or None, plan=_plan_only())
    except BadEnd as error:
        return _rotate_form(project, typed, {"retire_at": str(error)}), 400
    return _to(run)


@bp.post("/projects/<name>/usage")
@needs(OPERATOR, project="name")
def count_usage(name: str) -> Page:
    """Count who uses which key, and go to the run."""
    return _to(core().actions.count_usage(actor(), name))


@bp.post("/projects/<name>/update")
@needs(OPERATOR, project="name")
def update(name: str) -> Page:
    """Change settings; the fields are keys such as limits.connections."""
    project = core().fleet.project(name)
    try:
        changes = forms.changed(request.form, project)
        if not changes:
            raise forms.BadField("nothing differs from what is declared; change a field first")
        run = _do("update", name, changes)
    except BerthError as error:
        return _page(project, request.form.to_dict(), forms.problems(error, forms.fields(project))), 400
    return _to(run)


@bp.post("/projects/<name>/domains")
@needs(OPERATOR, project="name")
def domains(name: str) -> Page:
    """Add the domains of field add, remove those of field remove."""
    project = core().fleet.project(name)
    lists = {key: forms.words(" ".join(request.form.getlist(key))) for key in ("add", "remove")}
    try:
        if not any(lists.values()):
            raise forms.BadField("domains: nothing given; type a domain such as blog.example.com")
        run = _do("domains", name, lists)
    except BerthError as error:
        return _page(project, request.form.to_dict(), _of_domains(error)), 400
    return _to(run)


@bp.post("/projects/<name>/<any(pause, resume):action>")
@needs(OPERATOR, project="name")
def change_state(name: str, action: str) -> Page:
    """Pause or resume a project."""
    core().fleet.project(name)
    return _to(_do(action, name, {}))


@bp.get("/projects/<name>/remove")
@needs(OPERATOR, project="name", fresh=True)
def ask_remove(name: str) -> Page:
    """Ask before a removal: project, archive (whether to keep one), again (the name as typed), error."""
    return _remove_form(core().fleet.project(name), True, "", None)


@bp.post("/projects/<name>/remove")
@needs(OPERATOR, project="name", fresh=True)
def remove(name: str) -> Page:
    """Remove a project for good once its name was typed again, or plan that."""
    project, archive, again = core().fleet.project(name), "archive" in request.form, request.form.get("again", "")
    if not _plan_only() and again.strip() != name:
        error = f"found {again!r}, allowed: {name}; nothing was removed"
        return _remove_form(project, archive, again, error), 400
    return _to(core().actions.remove(actor(), name, archive, plan=_plan_only()))


@bp.post("/projects/<name>/apply")
@needs(OPERATOR, project="name")
def apply(name: str) -> Page:
    """Bring a project into its declared state, or plan that."""
    return _to(core().actions.apply(actor(), name, plan=_plan_only()))


@bp.post("/apply")
@needs(ADMIN)
def apply_all() -> Page:
    """Bring all hosts and projects into their declared state, or plan that."""
    return _to(core().actions.apply(actor(), plan=_plan_only()))


def _do(action: str, name: str, values: dict[str, Any]) -> Run:
    return core().actions.change(actor(), action, name, values, plan=_plan_only())


def _plan_only() -> bool:
    return request.form.get("intent") == "plan"


def _to(run: Run) -> Response:
    return redirect(url_for("runs.show", run_id=run.id), 303)


def _of_domains(error: BerthError) -> dict[str, str]:
    """The problems with the field to add domains, which is called so on the page."""
    found = forms.problems(error, ("domains",))
    return {"add" if key == "domains" else key: text for key, text in found.items()}


def _remove_form(project: Project, archive: bool, again: str, error: str | None) -> str:
    return render_template("projects/remove.html", project=project, archive=archive, again=again, error=error)


def _rotate_form(project: Project, typed: dict[str, str], errors: dict[str, str]) -> str:
    counted = core().runs.last(USAGE_PLAYBOOK, project.name)
    return render_template(
        "projects/rotate.html",
        project=project,
        keys=core().fleet.key_infos(project),
        usage=(counted.report or {}).get("key_usage") if counted else None,
        counted_at=counted.ended_at if counted else None,
        typed=typed,
        errors=errors,
    )


def _new_form(typed: dict[str, str], errors: dict[str, str]) -> str:
    return render_template(
        "projects/new.html",
        candidates=_candidates(typed),
        costs=costs(core().rooms),
        name_rule=NAME_RULE,
        typed=typed,
        errors=errors,
    )


def _candidates(typed: Mapping[str, str]) -> list[Candidate]:
    return candidates(core().fleet, core().rooms, typed.get("architecture", ""), typed.get("database"))


def _page(project: Project, typed: dict[str, str], errors: dict[str, str]) -> str:
    room, proof = core().rooms.host(project.host), core().rooms.samples.proof(project)
    conversion = None
    try:
        conversion = opened(core().fleet, project)
    except BerthError as error:
        errors = {"": str(error)} | errors
    return render_template(
        "projects/show.html",
        project=project,
        facts=core().fleet.derived(project),
        urls=core().fleet.urls(project),
        fields=forms.fields(project),
        typed=typed,
        errors=errors,
        runs=core().runs.page(projects=[project.name], limit=10),
        may=access().allows(OPERATOR, project.name),
        state=core().rooms.states({project.name: project})[project.name],
        seen=room.status.project(project.name) if room else None,
        measured_at=room.status.measured_at if room else None,
        history=core().rooms.history(project.host, DAY) if room else [],
        pictures=pictures,
        conversion=conversion,
        attacks=shown(proof, access()) if proof else [],
        proof_means=MEANINGS[proof.verdict] if proof else "",
    )
