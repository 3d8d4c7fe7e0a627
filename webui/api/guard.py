"""Who may call which part of the HTTP API, how errors are told, and what is sent a second time."""

import functools
import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response, current_app, g, jsonify, make_response, request
from flask_openapi3 import APIBlueprint
from pydantic import BaseModel, ValidationError

from webui.core import core
from webui.errors import Problem, problem
from webui.security import Rule, address, rule_of
from webui.services.answers import KeyInUse
from webui.services.audit import Actor
from webui.services.tokens import Bearer

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "problems": {"type": "array", "items": {"type": "string"}},
    },
}
SAYS = {
    400: "The values are understood and not possible",
    401: "No token, or one that has ended",
    403: "The role or the scopes of the token do not allow this",
    404: "There is none, or the token may not see it",
    405: "Not a method of this address",
    409: "Not possible in this state, or the idempotency key is in use",
    413: "The body is too long",
    415: "The body is not JSON",
    422: "The request is not of the described form",
    429: "Too many attempts",
    503: "The database does not answer",
}
PROBLEMS = {
    status: {"description": text, "content": {"application/problem+json": {"schema": PROBLEM}}}
    for status, text in SAYS.items()
}
KEY_HEADER = "Idempotency-Key"
LONGEST_KEY = 128

api = APIBlueprint(
    "api", __name__, url_prefix="/api/v1", abp_security=[{"bearer": []}], abp_responses=PROBLEMS
)

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
    return Actor(f"{g.bearer.user.name} (token {g.bearer.token.name})"[:80], address())


def require(role: str, project: str | None = None) -> None:
    """Return when the token may; raise Problem."""
    if not g.bearer.access.allows(role, project):
        if project is not None and not g.bearer.access.allows("viewer", project):
            raise Problem(404, "Not found", "there is none, or the token may not see it")
        raise Problem(403, "Forbidden", f"this needs the role {role}; {g.bearer.user.name} has {g.bearer.access.role}")


@api.before_request
def _guard() -> None:
    view = current_app.view_functions[request.endpoint or ""]
    rule = rule_of(current_app, request.endpoint or "")
    if rule is None:
        raise Problem(403, "Forbidden", "closed")
    if rule.role is None:
        return
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    g.bearer = core().tokens.bearer(text.strip()) if kind.lower() == "bearer" else None
    if g.bearer is None:
        raise Problem(401, "Unauthorized", "send the header Authorization: Bearer with a token that has not ended")
    if view.scope not in g.bearer.token.scopes:
        raise Problem(403, "Forbidden", f"this needs the scope {view.scope}; the token has {', '.join(g.bearer.token.scopes)}")
    name = (request.view_args or {}).get(rule.project) if rule.project else None
    require(rule.role, name)


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
        if not key:
            return view(**arguments)
        if len(key) > LONGEST_KEY:
            raise Problem(400, "Bad key", f"{KEY_HEADER}: found {len(key)} characters, allowed: 1 to {LONGEST_KEY}")
        answers, user_id = core().answers, g.bearer.user.id
        asked = b"\n".join((request.method.encode(), request.full_path.encode(), request.get_data()))
        try:
            before = answers.begin(user_id, key, hashlib.sha256(asked).hexdigest())
        except KeyInUse as error:
            raise Problem(409, "Conflict", str(error)) from error
        if before is not None:
            return make_response(jsonify(before[1]), before[0])
        kept = None
        try:
            response = view(**arguments)
            kept = response.get_json() if response.status_code < 300 else None
            return response
        finally:
            # what was refused may be corrected and sent again
            answers.end(user_id, key, response.status_code if kept else 0, kept)

    return wrapped  # type: ignore[return-value]


def invalid(error: ValidationError) -> Response:
    """The answer to a request that is not of the described form."""
    lines = [f"{'.'.join(map(str, item['loc'])) or 'body'}: {item['msg']}" for item in error.errors(include_url=False)]
    return problem(422, "Unprocessable", lines[0], problems=lines[:20])
