"""Pages of people."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webui.accounts import NAME_RULE, AccountError
from webui.core import core
from webui.roles import ADMIN, MEANING, ROLES, VIEWER
from webui.security import actor, needs

bp = Blueprint("users", __name__)

Page = str | Response | tuple[str, int]


@bp.get("/users")
@needs(ADMIN)
def index() -> Page:
    """Show everybody: users (pairs of User and roles by project), roles (meaning by name), name_rule, typed, error."""
    return _page({}, None)


@bp.post("/users")
@needs(ADMIN, fresh=True)
def add() -> Page:
    """Add a person (name, role, grants: lines of "project role") and show the one-time link."""
    form = request.form
    try:
        token = core().accounts.add(actor(), form.get("name", "").strip(), form.get("role", ""), _grants())
    except AccountError as error:
        return _page(form.to_dict(), str(error)), 400
    return _link(form["name"].strip(), token)


@bp.post("/users/<int:user_id>")
@needs(ADMIN, fresh=True)
def change(user_id: int) -> Page:
    """Change what a person may: role, active (there or not), grants."""
    form = request.form
    try:
        core().accounts.change(actor(), user_id, form.get("role", ""), "active" in form, _grants())
    except AccountError as error:
        return _page(form.to_dict(), str(error)), 400
    return redirect(url_for("users.index"), 303)


@bp.post("/users/<int:user_id>/link")
@needs(ADMIN, fresh=True)
def link(user_id: int) -> Page:
    """Make a fresh one-time link and show it: name, link, hours (how long it is good for)."""
    return _link(core().accounts.get(user_id).name, core().accounts.new_link(actor(), user_id))


def _link(name: str, token: str) -> str:
    return render_template("users/link.html", name=name, link=welcome_url(core().config.url, token))


def welcome_url(url: str, token: str) -> str:
    """The address that lets a person set a password."""
    return f"{url}/welcome/{token}"


def _page(typed: dict[str, str], error: str | None) -> str:
    return render_template(
        "users/index.html",
        users=core().accounts.all(),
        roles={role: MEANING[role] for role in ROLES},
        name_rule=NAME_RULE,
        typed=typed,
        error=error,
    )


def _grants() -> dict[str, str]:
    """The roles by project that were typed; raise AccountError."""
    found = {}
    for line in filter(None, map(str.split, request.form.get("grants", "").splitlines())):
        if len(line) != 2 or line[1] not in ROLES[1:]:
            allowed = f"a project and one of {', '.join(ROLES[1:])}, such as: blog {VIEWER}"
            raise AccountError(f"grants: found {' '.join(line)!r}, allowed: {allowed}; correct the line")
        found[line[0]] = line[1]
    return found
