"""Answers when something is wrong: a page for people, a JSON problem (RFC 9457) for programs."""

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from peewee import OperationalError as QueueSilent
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from berth.declarations import DeclarationError
from berth.errors import BerthError
from berth.placement import NoRoom
from berth.store import NameTaken
from webui.account_errors import LoginRefused, PersonExists
from webui.services.fleet import NoSuchHost, NoSuchProject
from webui.services.runs import NoSuchRun, RunRefused
from webui.services.tokens import NoSuchToken

MISSING = (NoSuchHost, NoSuchProject, NoSuchRun, NoSuchToken)
CONFLICTS = (RunRefused, NameTaken, NoRoom, PersonExists)
SAYS = {
    400: "The request was not understood.",
    403: "Your role does not allow this. An admin can change it.",
    404: "There is no such page, or your role does not show it to you.",
    405: "This address does not take requests of this kind.",
    413: "That was more than this address takes.",
}


class Problem(BerthError):
    """A refusal by the HTTP API."""

    def __init__(self, status: int, title: str, detail: str, **more: object) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.more = more


def init_app(app: Flask) -> None:
    """Answer every exception."""
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(BerthError, _berth)
    for silent in (OperationalError, QueueSilent):
        app.register_error_handler(silent, _database)
    app.register_error_handler(DataError, lambda error: answer(400, "Bad request", "A text has a character 0 in it."))
    app.register_error_handler(500, lambda error: answer(500, "Something broke", "It was logged. Try again."))


def problem(status: int, title: str, detail: str, **more: object) -> Response:
    """An error as the HTTP API tells it."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail} | more
    response = jsonify(body)
    response.status_code, response.content_type = status, "application/problem+json"
    return response


def answer(status: int, title: str, detail: str) -> Response | tuple[str, int]:
    """An error in the form that who asked can read."""
    if request.path.startswith("/api/"):
        return problem(status, title, detail)
    g.setdefault("visit", None)
    return render_template("error.html", status=status, title=title, detail=detail), status


def status_of(error: BerthError) -> int:
    """The HTTP status that an error of the services is."""
    if isinstance(error, MISSING):
        return 404
    if isinstance(error, CONFLICTS):
        return 409
    return 429 if isinstance(error, LoginRefused) and error.retry_after else 400


def _csrf(error: CSRFError) -> Response | tuple[str, int]:
    return answer(400, "The form is too old", "Go back, load the page again, and send it once more.")


def _http(error: HTTPException) -> Response | tuple[str, int]:
    if error.response is not None:
        return error.response
    status = error.code or 500
    told = answer(status, error.name, SAYS.get(status, error.description or ""))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        told = make_response(told)
        told.headers["Allow"] = ", ".join(error.valid_methods)
    return told


def _berth(error: BerthError) -> Response | tuple[str, int]:
    if isinstance(error, Problem):
        return problem(error.status, error.title, str(error), **error.more)
    status = status_of(error)
    if isinstance(error, DeclarationError) and request.path.startswith("/api/"):
        return problem(status, "That does not work", error.problems[0], problems=error.problems)
    return answer(status, "Not found" if status == 404 else "That does not work", str(error))


def _database(error: Exception) -> Response | tuple[str, int]:
    return answer(503, "The database does not answer", "Nothing was changed. Try again in a moment.")
