"""The admin API: users as an administrator sees and changes them."""

import hashlib
import re
import secrets
import uuid
from datetime import UTC, datetime, timedelta

from psycopg.rows import DictRow

from . import sessions, users
from .crypto import hash_password
from .database import Connection
from .errors import ApiError
from .exchange import Answer, Request, mapping, text

PER_PAGE = 50
UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")


def list_users(request: Request) -> Answer:
    """Return one page of users, newest first; the total is in X-Total-Count."""
    request.admin()
    page = page_number(request, "page", 1)
    size = page_number(request, "per_page", PER_PAGE)
    audience = request.audience()
    with request.pool.transaction() as connection:
        count = connection.execute("SELECT count(*) AS n FROM users WHERE aud = %s", (audience,)).fetchone()
        rows = connection.execute(
            "SELECT * FROM users WHERE aud = %s ORDER BY created_at DESC, id LIMIT %s OFFSET %s",
            (audience, size, (page - 1) * size),
        ).fetchall()
        shown = [users.as_json(connection, row) for row in rows]
    total = count["n"] if count else 0
    headers = {"X-Total-Count": str(total), "Link": links(page, size, total)}
    return Answer(body={"users": shown, "aud": audience}, headers=headers)


def page_number(request: Request, name: str, default: int) -> int:
    """Return a positive number of the query; ApiError 400 for anything else."""
    value = request.query.get(name, "") or str(default)
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise ApiError(400, "validation_failed", f"Bad Pagination Parameters: {name} is not a number")
    return max(1, int(value)) if name == "page" else int(value) or default


def links(page: int, size: int, total: int) -> str:
    """Return the Link header: the next page when there is one, and the last."""
    last = max(1, -(-total // size))
    target = '</admin/users?page={}&per_page={}>; rel="{}"'
    following = [target.format(page + 1, size, "next")] if page < last else []
    return ", ".join([*following, target.format(last, size, "last")])


def create_user(request: Request) -> Answer:
    """Create a user, confirmed when email_confirm says so."""
    request.admin()
    params = request.json()
    if not text(params, "email"):
        raise ApiError(400, "validation_failed", "Cannot create a user without either an email or phone")
    email = users.valid_email(text(params, "email"))
    password = text(params, "password") or secrets.token_urlsafe(48)
    audience = text(params, "aud") or request.audience()
    with request.pool.transaction() as connection:
        user = users.create(connection, request.settings, email, password, mapping(params, "user_metadata"), audience)
        change(connection, user, {key: value for key, value in params.items() if key not in ("email", "password")})
        users.audit(connection, "user_signedup", user, request.ip)
        return Answer(body=users.as_json(connection, users.read(connection, user["id"])))


def get_user(request: Request, user_id: str) -> Answer:
    """Return one user."""
    request.admin()
    with request.pool.transaction() as connection:
        return Answer(body=users.as_json(connection, load(connection, user_id)))


def update_user(request: Request, user_id: str) -> Answer:
    """Change one user."""
    request.admin()
    params = request.json()
    with request.pool.transaction() as connection:
        user = load(connection, user_id)
        if text(params, "password"):
            password = users.valid_password(text(params, "password"), request.settings)
            users.update(connection, user["id"], encrypted_password=hash_password(password))
        if text(params, "email"):
            users.set_email(connection, user["id"], users.valid_email(text(params, "email")))
        change(connection, users.read(connection, user["id"]), params)
        users.audit(connection, "user_modified", user, request.ip)
        return Answer(body=users.as_json(connection, users.read(connection, user["id"])))


def delete_user(request: Request, user_id: str) -> Answer:
    """Delete one user with identities and sessions, or only hide it when should_soft_delete says so."""
    request.admin()
    soft = bool(request.body) and request.json().get("should_soft_delete") is True
    with request.pool.transaction() as connection:
        user = load(connection, user_id)
        users.audit(connection, "user_deleted", user, request.ip)
        if soft:
            unknown = hashlib.sha256((user["email"] or "").encode()).hexdigest()
            columns = {"email": unknown, "encrypted_password": "", "deleted_at": datetime.now(UTC)}
            users.update(connection, user["id"], **columns)
            sessions.end(connection, user["id"], None, "global")
        else:
            connection.execute("DELETE FROM users WHERE id = %s", (user["id"],))
    return Answer(body={})


def load(connection: Connection, user_id: str) -> DictRow:
    """Return the user of the path; ApiError 404 when there is none."""
    try:
        user = users.find(connection, "id", uuid.UUID(user_id))
    except ValueError:
        raise ApiError(404, "validation_failed", "user_id must be an UUID") from None
    if user is None:
        raise ApiError(404, "user_not_found", "User not found")
    return user


def change(connection: Connection, user: DictRow, params: dict[str, object]) -> None:
    """Apply role, metadata, ban and confirmation."""
    columns: dict[str, object] = {}
    if text(params, "role"):
        columns["role"] = text(params, "role")
    if mapping(params, "app_metadata"):
        columns["raw_app_meta_data"] = users.merged(user["raw_app_meta_data"], mapping(params, "app_metadata"))
    if mapping(params, "user_metadata"):
        columns["raw_user_meta_data"] = users.merged(user["raw_user_meta_data"], mapping(params, "user_metadata"))
    if text(params, "ban_duration"):
        length = ban(text(params, "ban_duration"))
        columns["banned_until"] = datetime.now(UTC) + length if length else None
    if columns:
        users.update(connection, user["id"], **columns)
    if params.get("email_confirm") is True:
        users.confirm(connection, users.read(connection, user["id"]))


def ban(duration: str) -> timedelta | None:
    """Return a ban in Go's spelling such as '24h' or '1h30m', None for 'none'; ApiError 400 otherwise."""
    if duration == "none":
        return None
    if not re.fullmatch(f"(?:{DURATION.pattern})+", duration):
        raise ApiError(400, "validation_failed", f"invalid format for ban duration: {duration!r}")
    return timedelta(seconds=sum(float(amount) * UNITS[unit] for amount, unit in DURATION.findall(duration)))
