"""What templates have at hand: filters, addresses of static files, the navigation, the chosen theme."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, g, request, url_for

from webui.core import core
from webui.formats import FILTERS

STATIC = Path(__file__).parent / "static"
THEMES = ("light", "dark")
NAVIGATION = (
    ("hosts.index", "Hosts", "member"),
    ("projects.index", "Projects", "member"),
    ("runs.index", "Runs", "member"),
    ("audit.index", "Audit", "admin"),
    ("users.index", "Users", "admin"),
    ("tokens.index", "Tokens", "member"),
    ("doctor.index", "Doctor", "viewer"),
)
YEAR = 31_536_000


def init_app(app: Flask) -> None:
    """Give the templates of the application what they use."""
    app.config.setdefault("SEND_FILE_MAX_AGE_DEFAULT", YEAR)
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals["asset"] = asset
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.context_processor(_context)


def asset(name: str) -> str:
    """The address of a static file; another one when the file is another."""
    return url_for("static", filename=name, v=_version(name))


def theme() -> str | None:
    """The theme that the person chose by the switch; None to follow the system."""
    chosen = request.cookies.get("theme")
    return chosen if chosen in THEMES else None


@cache
def _version(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:8]


def _context() -> dict[str, Any]:
    visit = g.get("visit")
    shown = [entry[:2] for entry in NAVIGATION if visit and visit.access.allows(entry[2])]
    return {"navigation": shown, "theme": theme(), "provider": core().config.provider}
