"""Who may call which part of the HTTP API, and what is sent a second time."""

import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response, current_app, g, jsonify, make_response, request
from flask_openapi3 import APIBlueprint
from pydantic import BaseModel, ValidationError

from webui.api.problems import PROBLEMS
from webui.core import core
from webui.errors import Problem, problem
from webui.roles import VIEWER
from webui.security import Rule, address, rule_of
from webui.services.answers import KeyInUse
from webui.services.audit import Actor
from webui.services.tokens import Bearer

KEY_HEADER = "Idempotency-Key"
LONGEST_KEY = 128

api = APIBlueprint("api", __name__, url_prefix="/api/v1", abp_security=[{"bearer": []}], abp_responses=PROBLEMS)

View = TypeVar("View", bound=Callable[..., Any])


def scoped(scope: str, role: str, project: str | None = None) -> Callable[[View], View]:
    """Open a view to tokens with a scope, of people of a role, for the project that a part of its URL names."""

    def mark(view: View) -> View:
        view.rule = Rule(role, project)  # type: ignore[attr-defined]
        view.scope = scope  # type: ignore[attr-defined]
        return view

    return mark


def bearer() -> Bearer:
    """Whose request this is."""
    return g.bearer


def actor() -> Actor:
    """The person of the token, and where the request came from."""
    return Actor(f"{g.bearer.user.name[:60]} ({g.bearer.token.name[:16]})", address())


def require(role: str, project: str | None = None) -> None:
    """Return when the token may; raise Problem."""
    access = bearer().access
    if access.allows(role, project):
        return
    if project is not None and not access.allows(VIEWER, project):
        raise Problem(404, "Not found", "there is none, or the token may not see it")
    raise Problem(403, "Forbidden", f"this needs the role {role}; {bearer().user.name} has {access.role}")


@api.before_request
def _guard() -> None:
    view = current_app.view_functions[request.endpoint or ""]
    rule = rule_of(current_app, request.endpoint or "")
    if rule is None:
        raise Problem(403, "Forbidden", "this address is open to nobody")
    if rule.role is None:
        return
    # never the session: a page elsewhere must not act for who has this UI open
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    found = core().tokens.bearer(text.strip()) if kind.lower() == "bearer" else None
    if found is None:
        raise Problem(401, "Unauthorized", "send the header Authorization: Bearer with a token that has not ended")
    g.bearer = found
    if view.scope not in found.token.scopes:
        has = ", ".join(found.token.scopes)
        raise Problem(403, "Forbidden", f"this needs the scope {view.scope}; the token has {has}")
    require(rule.role, (request.view_args or {}).get(rule.project) if rule.project else None)
    _require_json()


def _require_json() -> None:
    body = request.get_data()
    if not body:
        return
    if not request.is_json:
        raise Problem(415, "Unsupported media type", "send the body with Content-Type: application/json")
    try:
        is_object = isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        is_object = False
    if not is_object:
        raise Problem(400, "Bad request", "the body is not a JSON object")


@api.after_request
def _ask_for_token(response: Response) -> Response:
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def give(model: BaseModel, status: int = 200) -> Response:
    """A model as the answer."""
    response = jsonify(model.model_dump(mode="json"))
    response.status_code = status
    return response


def once(view: View) -> View:
    """Let a request with the header Idempotency-Key do something only once in a day."""

    @functools.wraps(view)
    def wrapped(**arguments: Any) -> Response:
        key = request.headers.get(KEY_HEADER)
        if key is None:
            return view(**arguments)
        if not 1 <= len(key) <= LONGEST_KEY:
            raise Problem(400, "Bad key", f"{KEY_HEADER}: found {len(key)} characters, allowed: 1 to {LONGEST_KEY}")
        answers, user_id = core().answers, bearer().user.id
        asked = b"\n".join((request.method.encode(), request.full_path.encode(), request.get_data()))
        try:
            before = answers.begin(user_id, key, hashlib.sha256(asked).hexdigest())
        except KeyInUse as error:
            raise Problem(409, "Conflict", str(error)) from error
        if before is not None:
            return make_response(jsonify(before[1]), before[0])
        kept: tuple[int, Any] = (0, None)
        try:
            response = view(**arguments)
            kept = (response.status_code, response.get_json())
            return response
        finally:
            # what was refused may be corrected and sent again
            answers.end(user_id, key, *kept)

    wrapped.is_once = True  # type: ignore[attr-defined]
    return wrapped  # type: ignore[return-value]


def invalid(error: ValidationError) -> Response:
    """The answer to a request that is not of the described form."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    lines = [f"{'.'.join(map(str, item['loc'])) or 'body'}: {item['msg']}" for item in found]
    return problem(422, "Unprocessable content", lines[0], problems=lines[:20])
