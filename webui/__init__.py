"""The web UI of Berth: pages and an HTTP API over the same services."""

from flask_openapi3 import Info, OpenAPI
from werkzeug.middleware.proxy_fix import ProxyFix

from webui import (
    api,
    audit,
    auth,
    conversions,  # noqa: F401 - its views belong to the blueprint of projects
    doctor,
    errors,
    hosts,
    looks,
    oidc,
    projects,
    proving,  # noqa: F401 - as conversions
    runs,
    security,
    templating,
    tokens,
    users,
)
from webui.config import Config
from webui.core import make_core

VERSION = "1"


def create_app(config: Config) -> OpenAPI:
    """The application over one inventory and one database; raise BerthError when they cannot be used."""
    app = OpenAPI(
        __name__,
        info=Info(title="Berth", version=VERSION),
        security_schemes=api.SECURITY,
        validation_error_callback=api.invalid,
        doc_ui=False,
    )
    app.config.update(
        SECRET_KEY=config.secret_key,
        SESSION_COOKIE_NAME="__Host-berth" if config.secure else "berth",
        SESSION_COOKIE_SECURE=config.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=1 << 20,
        TESTING=config.testing,
    )
    if config.proxied:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    app.extensions["berth"] = make_core(config)

    security.init_app(app)
    errors.init_app(app)
    templating.init_app(app)
    looks.init_app(app)
    oidc.init_app(app)
    for module in (auth, oidc, hosts, projects, runs, audit, users, tokens, doctor):
        app.register_blueprint(module.bp)
    api.init_app(app)
    return app
