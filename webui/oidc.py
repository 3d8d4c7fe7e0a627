"""Pages to log in through a provider of OpenID Connect, where one is configured."""

from typing import Any

from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request, session, url_for
from joserfc.errors import JoseError
from requests import RequestException
from werkzeug.wrappers import Response

from webui.core import core
from webui.security import COOKIE, address, public

bp = Blueprint("oidc", __name__)

Page = str | Response | tuple[str, int]
EXTENSION = "berth_oidc"
REFUSED = (OAuthError, JoseError, RequestException)


def init_app(app: Flask) -> None:
    """Know the provider that is configured, if any; it is asked when the first person logs in."""
    provider = app.extensions["berth"].config.provider
    if provider is None:
        return
    oauth = OAuth(app)
    app.extensions[EXTENSION] = oauth.register(
        "provider",
        server_metadata_url=f"{provider.issuer}/.well-known/openid-configuration",
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256", "timeout": 10},
    )


@bp.get("/login/provider")
@public
def start() -> Page:
    """Go to the provider."""
    try:
        return _client().authorize_redirect(core().config.url + url_for("oidc.back"))
    except REFUSED as error:
        return _failed(f"the provider does not answer: {error}")


@bp.get("/login/provider/back")
@public
def back() -> Page:
    """Come back from the provider, and log in the person of the name that it tells."""
    client = _client()
    if f"_state_provider_{request.args.get('state', '')}" not in session and "again" not in request.args:
        # a strict cookie does not come with a request from elsewhere, but with one from a page of ours
        return render_template("auth/back.html", address=url_for("oidc.back", **request.args, again=1))
    try:
        claims = client.authorize_access_token()["userinfo"]
    except REFUSED as error:
        return _failed(f"the provider or the answer was refused: {error}")
    name = _name(claims, core().config.provider.claim)
    user = core().accounts.named(name) if name else None
    if user is None or not user.active:
        told = repr(name) if name else "as the provider tells, or it has not verified the address"
        return _failed(f"nobody here is called {told}; an admin can add them on the page Users")
    session.clear()
    session[COOKIE] = core().accounts.log_in(user, address())
    return redirect(url_for("hosts.index"))


def _client() -> Any:
    if EXTENSION not in current_app.extensions:
        abort(404)
    return current_app.extensions[EXTENSION]


def _name(claims: dict[str, Any], claim: str) -> str | None:
    """The name that the provider vouches for."""
    name = claims.get(claim)
    if not isinstance(name, str) or (claim == "email" and claims.get("email_verified") is not True):
        return None
    return name.lower()[:64]


def _failed(reason: str) -> Page:
    return render_template("auth/login.html", name="", error=reason, code_needed=False, next=""), 401
