"""Who may call which view, and what browsers are told: nothing is open that does not say so."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from flask_wtf.csrf import CSRFProtect

from webui.accounts import Visit
from webui.core import core
from webui.proof import prove_with_form
from webui.roles import Access
from webui.services.audit import Actor

COOKIE = "login"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
csrf = CSRFProtect()

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Rule:
    """What a view asks for: a role, None for nobody in particular; for the project of a URL part; a fresh proof."""

    role: str | None
    project: str | None = None
    fresh: bool = False


def public(view: View) -> View:
    """Open a view to everybody."""
    view.rule = Rule(None)  # type: ignore[attr-defined]
    return view


def needs(role: str, project: str | None = None, fresh: bool = False) -> Callable[[View], View]:
    """Open a view to people of a role, for the project that a part of its URL names; `fresh`: proven just now."""

    def mark(view: View) -> View:
        view.rule = Rule(role, project, fresh)  # type: ignore[attr-defined]
        return view

    return mark


def rule_of(app: Flask, endpoint: str) -> Rule | None:
    """What a view asks for; None where it forgot to say."""
    return Rule(None) if endpoint == "static" else getattr(app.view_functions[endpoint], "rule", None)


def visit() -> Visit:
    """The session of this request."""
    return g.visit


def access() -> Access:
    """What the person of this request may."""
    return g.visit.access


def actor() -> Actor:
    """The person of this request and where it came from."""
    return Actor(g.visit.user.name, address())


def address() -> str:
    """The network address that the request came from."""
    return (request.remote_addr or "unknown")[:64]


def require(role: str, project: str | None = None) -> None:
    """Return when the person of this request may; else the page is not found, or forbidden where they may look."""
    if not access().allows(role, project):
        abort(403 if access().allows("viewer", project) else 404)


def init_app(app: Flask) -> None:
    """Guard all views of the application."""
    csrf.init_app(app)
    app.before_request(_guard)
    app.after_request(_add_headers)


def _guard() -> Response | None:
    if request.blueprint == "api":
        return None
    g.visit = core().accounts.visit(session[COOKIE]) if COOKIE in session else None
    if request.endpoint is None:
        return None
    rule = rule_of(current_app, request.endpoint)
    if rule is None:
        abort(403)
    if rule.role is None:
        return None
    if g.visit is None:
        session.clear()
        return redirect(url_for("auth.login", next=_back()))
    require(rule.role, request.view_args[rule.project] if rule.project and request.view_args else None)
    if rule.fresh and not g.visit.proven:
        if request.method == "GET":
            return redirect(url_for("auth.prove", next=_back()))
        return prove_with_form(session[COOKIE], address())
    return None


def _back() -> str | None:
    """Where to return to after a login: the page asked for, or the one that the form was on."""
    return request.full_path.rstrip("?") if request.method == "GET" else None


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if core().config.secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
