"""Sessions, refresh token rotation and the token answer."""

import secrets
import string
import time
import uuid
from datetime import UTC, datetime

from psycopg.rows import DictRow

from .database import Connection
from .errors import ApiError
from .settings import Settings
from .users import as_json, read, update

ALPHABET = string.ascii_lowercase + string.digits


def start(connection: Connection, settings: Settings, user: DictRow, agent: str, ip: str) -> dict[str, object]:
    """Return the token answer of a new session of the user."""
    session_id = uuid.uuid4()
    now = datetime.now(UTC)
    connection.execute(
        "INSERT INTO sessions (id, user_id, created_at, updated_at, user_agent, ip) VALUES (%s, %s, %s, %s, %s, %s)",
        (session_id, user["id"], now, now, agent, ip),
    )
    update(connection, user["id"], last_sign_in_at=now)
    refresh = add_token(connection, user["id"], session_id, None)
    return answer(connection, settings, read(connection, user["id"]), session_id, refresh)


def add_token(connection: Connection, user_id: uuid.UUID, session_id: uuid.UUID, parent: str | None) -> str:
    """Return a new refresh token of the session, the child of `parent`."""
    token = "".join(secrets.choice(ALPHABET) for _ in range(12))
    connection.execute(
        "INSERT INTO refresh_tokens (instance_id, token, user_id, revoked, created_at, updated_at, parent, session_id)"
        " VALUES (%s, %s, %s, false, now(), now(), %s, %s)",
        (uuid.UUID(int=0), token, str(user_id), parent, session_id),
    )
    return token


def rotate(connection: Connection, settings: Settings, token: str) -> dict[str, object] | ApiError:
    """Return the next token answer, or the refusal (returned, not raised, since it must not undo a revocation).

    As in GoTrue the parent of the active token may come again and gets the active one; any older token
    revokes the whole family.
    """
    row = connection.execute("SELECT * FROM refresh_tokens WHERE token = %s FOR UPDATE", (token,)).fetchone()
    if row is None:
        return ApiError(400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
    user = read(connection, uuid.UUID(row["user_id"]))
    if is_banned(user):
        return ApiError(400, "user_banned", "Invalid Refresh Token: User Banned")
    session_id = row["session_id"]
    if not row["revoked"]:
        connection.execute("UPDATE refresh_tokens SET revoked = true, updated_at = now() WHERE id = %s", (row["id"],))
        connection.execute("UPDATE sessions SET refreshed_at = now(), updated_at = now() WHERE id = %s", (session_id,))
        return answer(connection, settings, user, session_id, add_token(connection, user["id"], session_id, token))
    active = connection.execute(
        "SELECT * FROM refresh_tokens WHERE session_id = %s AND NOT revoked ORDER BY id DESC LIMIT 1", (session_id,)
    ).fetchone()
    if active is not None and active["parent"] == token:
        return answer(connection, settings, user, session_id, active["token"])
    connection.execute("UPDATE refresh_tokens SET revoked = true WHERE session_id = %s", (session_id,))
    return ApiError(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")


def answer(
    connection: Connection, settings: Settings, user: DictRow, session_id: uuid.UUID, refresh: str
) -> dict[str, object]:
    """Return the token answer: access token, its life in seconds, refresh token, user."""
    now = int(time.time())
    claims = {
        "iss": settings.jwt_issuer,
        "sub": str(user["id"]),
        "aud": user["aud"],
        "exp": now + settings.jwt_exp,
        "iat": now,
        "email": user["email"] or "",
        "phone": user["phone"] or "",
        "app_metadata": user["raw_app_meta_data"] or {},
        "user_metadata": user["raw_user_meta_data"] or {},
        "role": user["role"],
        "aal": "aal1",
        "amr": [{"method": "password", "timestamp": now}],
        "session_id": str(session_id),
        "is_anonymous": user["is_anonymous"],
    }
    return {
        "access_token": settings.keys.sign(claims),
        "token_type": "bearer",
        "expires_in": settings.jwt_exp,
        "expires_at": now + settings.jwt_exp,
        "refresh_token": refresh,
        "user": as_json(connection, user),
        "weak_password": None,
    }


def end(connection: Connection, user_id: uuid.UUID, session_id: uuid.UUID | None, scope: str) -> None:
    """Delete the sessions that a logout of this scope (global, local, others) covers; ApiError 400 for another."""
    if scope == "global":
        connection.execute("DELETE FROM sessions WHERE user_id = %s", (user_id,))
    elif scope == "local":
        connection.execute("DELETE FROM sessions WHERE id = %s", (session_id,))
    elif scope == "others":
        connection.execute("DELETE FROM sessions WHERE user_id = %s AND id IS DISTINCT FROM %s", (user_id, session_id))
    else:
        raise ApiError(400, "validation_failed", f"Unsupported logout scope {scope!r}")


def is_banned(user: DictRow) -> bool:
    """Return whether the user may not sign in now."""
    return bool(user["banned_until"]) and user["banned_until"] > datetime.now(UTC)
