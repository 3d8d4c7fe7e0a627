"""Pages to log in and out, to set a password by a link, and to prove again who one is."""

from urllib.parse import urlsplit

import segno
from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from webui.account_errors import AccountError, CodeNeeded, LoginRefused
from webui.core import core
from webui.roles import MEMBER
from webui.security import COOKIE, address, needs, public, visit

bp = Blueprint("auth", __name__)

Page = str | Response | tuple[str, int]


@bp.get("/login")
@public
def login() -> Page:
    """Show the login form: name, error, code_needed (whether to ask for the second factor), next."""
    return _form("auth/login.html")


@bp.post("/login")
@public
def do_login() -> Page:
    """Log in and go on to the page that was asked for."""
    name = request.form.get("name", "").strip()
    try:
        user = core().accounts.prove(name, request.form.get("password", ""), request.form.get("code", ""), address())
    except CodeNeeded:
        return _form("auth/login.html", name=name, code_needed=True)
    except LoginRefused as error:
        status = 429 if error.retry_after else 401
        return _form("auth/login.html", name=name, error=str(error), code_needed="code" in request.form), status
    session.clear()
    session[COOKIE] = core().accounts.log_in(user, address())
    return redirect(_next())


@bp.post("/logout")
@public
def logout() -> Page:
    """End the session."""
    if COOKIE in session:
        core().accounts.log_out(session[COOKIE])
    session.clear()
    return redirect(url_for("auth.login"))


@bp.get("/prove")
@needs(MEMBER)
def prove() -> Page:
    """Ask for the password again before something secret is shown.

    action (where the form goes), carried (its hidden fields), names (of the fields for password and code),
    code_needed, error.
    """
    return _prove_form(None)


@bp.post("/prove")
@needs(MEMBER)
def do_prove() -> Page:
    """Take the password again and go on."""
    user = visit().user
    form = request.form
    try:
        core().accounts.prove(user.name, form.get("password", ""), form.get("code", ""), address())
    except (LoginRefused, CodeNeeded) as error:
        return _prove_form(str(error)), 401
    core().accounts.prove_again(session[COOKIE])
    return redirect(_next())


@bp.get("/welcome/<token>")
@public
def welcome(token: str) -> Page:
    """Show the form to set a password by a link: user (whose link it is), error."""
    return render_template("auth/welcome.html", user=core().accounts.of_link(token), error=None)


@bp.post("/welcome/<token>")
@public
def do_welcome(token: str) -> Page:
    """Set the password and log in."""
    user = core().accounts.of_link(token)
    password = request.form.get("password", "")
    try:
        if password != request.form.get("again", ""):
            raise AccountError("password: the two differ; type it again")
        user = core().accounts.use_link(token, password, address())
    except AccountError as error:
        return render_template("auth/welcome.html", user=user, error=str(error)), 400
    session.clear()
    session[COOKIE] = core().accounts.log_in(user, address())
    return redirect(url_for("hosts.index"))


@bp.get("/account")
@needs(MEMBER)
def account() -> Page:
    """Show the own account: error. visit.user has name, role, totp_enabled."""
    return render_template("auth/account.html", error=None)


@bp.post("/account/password")
@needs(MEMBER, fresh=True)
def do_password() -> Page:
    """Change the own password; all other sessions end."""
    form = request.form
    try:
        if form.get("password", "") != form.get("again", ""):
            raise AccountError("password: the two differ; type it again")
        core().accounts.change_password(visit().user.id, form.get("password", ""), address(), session[COOKIE])
    except AccountError as error:
        return render_template("auth/account.html", error=str(error)), 400
    flash("The password is changed. All other sessions have ended.")
    return redirect(url_for("auth.account"))


@bp.get("/account/totp")
@needs(MEMBER, fresh=True)
def totp() -> Page:
    """Show how to switch the second factor on: uri, picture (an SVG element with the QR code of it), error."""
    if visit().user.totp_enabled:
        return redirect(url_for("auth.account"))
    uri = core().accounts.start_totp(visit().user.id)
    return _totp_form(uri, None)


@bp.post("/account/totp")
@needs(MEMBER, fresh=True)
def do_totp() -> Page:
    """Switch the second factor on, or off (field off)."""
    accounts, user = core().accounts, visit().user
    if "off" in request.form:
        accounts.stop_totp(user.id, address())
        flash("The second factor is off.")
        return redirect(url_for("auth.account"))
    try:
        accounts.confirm_totp(user.id, request.form.get("code", ""), address())
    except AccountError as error:
        return _totp_form(accounts.totp_uri(user.id), str(error)), 400
    flash("The second factor is on.")
    return redirect(url_for("auth.account"))


def _totp_form(uri: str, error: str | None) -> str:
    picture = segno.make(uri).svg_inline(scale=4, omitsize=True)
    return render_template("auth/totp.html", uri=uri, picture=picture, error=error)


def _prove_form(error: str | None) -> str:
    return render_template(
        "auth/prove.html",
        action=url_for("auth.do_prove"),
        carried=[("next", request.values.get("next", ""))],
        names=("password", "code"),
        code_needed=visit().user.totp_enabled,
        error=error,
    )


def _form(template: str, name: str = "", error: str | None = None, code_needed: bool = False) -> str:
    next_page = request.values.get("next", "")
    return render_template(template, name=name, error=error, code_needed=code_needed, next=next_page)


def _next() -> str:
    """The page of this UI to go on to: never an address elsewhere, whatever the form says."""
    wanted = request.form.get("next", "")
    parts = urlsplit(wanted)
    inside = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return wanted if inside and wanted.isprintable() else url_for("hosts.index")
