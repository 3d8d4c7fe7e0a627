"""A request and its answer, and what handlers ask of a request."""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from psycopg.rows import DictRow

from .database import Connection, Pool
from .errors import ApiError
from .settings import Settings

BEARER = re.compile(r"bearer (\S+)", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """Status, JSON body (None: no body) and headers."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """One HTTP request with what its handler works on."""

    settings: Settings
    pool: Pool
    headers: Mapping[str, str]
    query: dict[str, str]
    body: bytes
    ip: str

    def json(self) -> dict[str, object]:
        """Return the body as an object; ApiError 400 bad_json when it is none."""
        try:
            value = json.loads(self.body)
        except ValueError as error:
            raise ApiError(400, "bad_json", f"Could not parse request body as JSON: {error}") from None
        if not isinstance(value, dict):
            kind = type(value).__name__
            raise ApiError(400, "bad_json", f"Could not parse request body as JSON: {kind} instead of an object")
        return value

    def claims(self) -> dict[str, object]:
        """Return the claims of the Bearer token; ApiError 401 without one, 403 for a bad one."""
        match = BEARER.fullmatch(self.headers.get("Authorization", ""))
        if match is None:
            raise ApiError(401, "no_authorization", "This endpoint requires a valid Bearer token")
        return self.settings.keys.verify(match[1])

    def admin(self) -> None:
        """Refuse with ApiError 401 or 403 unless the token's role is an administrator's."""
        if self.claims().get("role") not in self.settings.admin_roles:
            raise ApiError(403, "not_admin", "User not allowed")

    def signed_in(self, connection: Connection) -> tuple[DictRow, uuid.UUID | None]:
        """Return the user and the session of the Bearer token; ApiError 401 or 403 when either is gone."""
        claims = self.claims()
        user_id = claim_uuid(claims, "sub")
        if user_id is None:
            raise ApiError(403, "bad_jwt", "invalid claim: missing sub claim")
        user = connection.execute("SELECT * FROM users WHERE id = %s FOR UPDATE", (user_id,)).fetchone()
        if user is None:
            raise ApiError(403, "user_not_found", "User from sub claim in JWT does not exist")
        session_id = claim_uuid(claims, "session_id")
        session = connection.execute("SELECT 1 FROM sessions WHERE id = %s", (session_id,)).fetchone()
        if session_id is not None and session is None:
            raise ApiError(403, "session_not_found", "Session from session_id claim in JWT does not exist")
        return user, session_id

    def redirect(self) -> str:
        """Return where the browser is to go back to: as asked, else the page it comes from, where that is allowed."""
        return self.settings.redirect(self.query.get("redirect_to", "") or self.headers.get("Referer", ""))

    def audience(self) -> str:
        """Return the audience that the request is about."""
        return self.headers.get("X-JWT-AUD", "") or self.settings.jwt_aud

    def agent(self) -> str:
        """Return the client's own name for itself."""
        return self.headers.get("User-Agent", "")


def claim_uuid(claims: dict[str, object], name: str) -> uuid.UUID | None:
    """Return a claim as a UUID, None when absent; ApiError 403 when it is not one."""
    value = claims.get(name)
    try:
        return uuid.UUID(str(value)) if value else None
    except ValueError:
        raise ApiError(403, "bad_jwt", f"invalid claim: {name} claim must be a UUID") from None


def text(params: dict[str, object], name: str) -> str:
    """Return a text field, empty when absent; ApiError 400 bad_json for another type."""
    value = params.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ApiError(400, "bad_json", f"Could not parse request body as JSON: field {name} is not a string")
    return value


def mapping(params: dict[str, object], name: str) -> dict[str, object]:
    """Return an object field, empty when absent; ApiError 400 bad_json for another type."""
    value = params.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ApiError(400, "bad_json", f"Could not parse request body as JSON: field {name} is not an object")
    return value
