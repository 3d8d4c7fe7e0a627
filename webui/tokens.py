"""Pages of the tokens with which programs use the HTTP API."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webui.core import core
from webui.roles import ADMIN, MEMBER
from webui.security import access, actor, needs, visit
from webui.services.tokens import MOST_DAYS, SCOPES, TokenError

bp = Blueprint("tokens", __name__)

Page = str | Response | tuple[str, int]


@bp.get("/tokens")
@needs(MEMBER)
def index() -> Page:
    """Show the own tokens, an admin those of everybody: tokens (pairs of Token and owner), scopes, typed, error."""
    return _page({}, [], None)


@bp.post("/tokens")
@needs(MEMBER, fresh=True)
def add() -> Page:
    """Make a token (name, scopes, days) and show its text, this once."""
    form = request.form
    scopes = form.getlist("scopes")
    try:
        token, text = core().tokens.add(actor(), visit().user.id, form.get("name", ""), scopes, _days())
    except TokenError as error:
        return _page(form.to_dict(), scopes, str(error)), 400
    return render_template("tokens/made.html", token=token, text=text, url=core().config.url)


@bp.post("/tokens/<int:token_id>/revoke")
@needs(MEMBER)
def revoke(token_id: int) -> Page:
    """Revoke a token: the own one, or for an admin that of anybody."""
    core().tokens.revoke(actor(), token_id, _whose())
    return redirect(url_for("tokens.index"), 303)


def _days() -> int | None:
    typed = request.form.get("days", "").strip()
    if not typed:
        return None
    if not (typed.isascii() and typed.isdigit() and len(typed) < 5):
        raise TokenError(f"days: found {typed[:20]!r}, allowed: 1 to {MOST_DAYS}, or empty for no end")
    return int(typed)


def _whose() -> int | None:
    return None if access().allows(ADMIN) else visit().user.id


def _page(typed: dict[str, str], chosen: list[str], error: str | None) -> str:
    return render_template(
        "tokens/index.html",
        tokens=core().tokens.of(_whose()),
        scopes=SCOPES,
        chosen=chosen or ["read"],
        most_days=MOST_DAYS,
        typed=typed,
        error=error,
    )
