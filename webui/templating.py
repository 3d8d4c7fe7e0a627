"""What templates need of the request: the hidden field of forms, the person's session."""

from flask import Flask, g
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup


def init_app(app: Flask) -> None:
    """Give templates `csrf()` and `visit`, the session of the request, which is None for nobody."""
    app.jinja_env.globals["csrf"] = csrf_field
    app.context_processor(lambda: {"visit": g.get("visit")})


def csrf_field() -> Markup:
    """The hidden field that every form with the method post needs."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())
