"""The HTTP API: what the pages do, for programs."""

from typing import Any

from flask import Flask, Response, current_app, jsonify

from webui.api import conversions, doctor, hosts, people, projects, proofs, runs  # noqa: F401 - their views belong to the blueprint
from webui.api.guard import KEY_HEADER, LONGEST_KEY, api, invalid
from webui.api.problems import PROBLEM
from webui.security import csrf, public

SECURITY = {"bearer": {"type": "http", "scheme": "bearer", "description": "A token of the page Tokens"}}
KEY = {
    "name": KEY_HEADER,
    "in": "header",
    "required": False,
    "description": "A text of one's own: sent again within a day, the request gets its first answer and does nothing",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
}

__all__ = ["SECURITY", "init_app", "invalid"]


@api.get("/openapi.json", doc_ui=False)
@public
def document() -> Response:
    """Give the OpenAPI document."""
    return jsonify(described(current_app))


def init_app(app: Flask) -> None:
    """Serve the API, whose requests bring a token with them and so need no proof that a form was ours."""
    app.register_api(api)
    csrf.exempt(api)


def described(app: Any) -> dict[str, Any]:
    """The OpenAPI document of an application."""
    found = app.api_doc
    found["components"]["schemas"]["Problem"] = PROBLEM
    found["components"]["schemas"].pop("ValidationErrorModel", None)
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            view = next(
                app.view_functions[rule.endpoint]
                for rule in app.url_map.iter_rules()
                if rule.rule.replace("<int:", "<") == path.replace("{", "<").replace("}", ">")
                and method.upper() in (rule.methods or ())
            )
            operation["description"] = f"Needs the scope {view.scope} and the role {view.rule.role}."
            if getattr(view, "is_once", False) and KEY not in operation.get("parameters", []):
                operation["parameters"] = [*operation.get("parameters", []), KEY]
    return found
