"""Users and identities: what the tables hold and the JSON that GoTrue makes of it."""

import re
import secrets
import uuid
from datetime import UTC, datetime

import psycopg
from psycopg import sql
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from .crypto import hash_password
from .database import Connection
from .errors import ApiError, weak_password
from .settings import Settings

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)*")
LONGEST_PASSWORD = 72
TIMES = ("email_confirmed_at", "confirmation_sent_at", "recovery_sent_at", "confirmed_at", "last_sign_in_at")


def valid_email(email: str) -> str:
    """Return the address in lower case; ApiError 400 when it is not one."""
    if not email:
        raise ApiError(400, "validation_failed", "An email address is required")
    if len(email) > 255 or not EMAIL.fullmatch(email):
        raise ApiError(400, "validation_failed", "Unable to validate email address: invalid format")
    return email.lower()


def valid_password(password: str, settings: Settings) -> str:
    """Return the password; ApiError for one that is too short or too long for GoTrue."""
    if len(password) > LONGEST_PASSWORD:
        raise ApiError(400, "validation_failed", "Password cannot be longer than 72 characters")
    if len(password) < settings.password_min_length:
        raise weak_password(settings.password_min_length)
    return password


def find(connection: Connection, column: str, value: object) -> DictRow | None:
    """Return the user whose column (id, email, confirmation_token, recovery_token) has the value, locked for update."""
    statement = sql.SQL("SELECT * FROM users WHERE {} = %s FOR UPDATE").format(sql.Identifier(column))
    return connection.execute(statement, (value,)).fetchone()


def create(
    connection: Connection, settings: Settings, email: str, password: str, metadata: dict[str, object], aud: str
) -> DictRow:
    """Return a new unconfirmed user with its e-mail identity; ApiError 422 when the address is taken."""
    now = datetime.now(UTC)
    user_id = uuid.uuid4()
    app = {"provider": "email", "providers": ["email"]}
    claims = {"sub": str(user_id), "email": email, "email_verified": False, "phone_verified": False}
    try:
        connection.execute(
            "INSERT INTO users (instance_id, id, aud, role, email, encrypted_password, raw_app_meta_data,"
            " raw_user_meta_data, created_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (uuid.UUID(int=0), user_id, aud, settings.default_group, email, hash_password(password), Jsonb(app),
             Jsonb(metadata | claims), now, now),
        )  # fmt: skip
    except psycopg.errors.UniqueViolation:
        message = "A user with this email address has already been registered"
        raise ApiError(422, "email_exists", message) from None
    connection.execute(
        "INSERT INTO identities"
        " (provider, provider_id, user_id, identity_data, last_sign_in_at, created_at, updated_at)"
        " VALUES ('email', %s, %s, %s, %s, %s, %s)",
        (str(user_id), user_id, Jsonb(metadata | claims), now, now, now),
    )
    return read(connection, user_id)


def create_anonymous(connection: Connection, settings: Settings, metadata: dict[str, object], aud: str) -> DictRow:
    """Return a new user without address, password and identity."""
    now, user_id = datetime.now(UTC), uuid.uuid4()
    connection.execute(
        "INSERT INTO users (instance_id, id, aud, role, raw_app_meta_data, raw_user_meta_data, is_anonymous,"
        " created_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s, true, %s, %s)",
        (uuid.UUID(int=0), user_id, aud, settings.default_group, Jsonb({}), Jsonb(metadata), now, now),
    )
    return read(connection, user_id)


def update(connection: Connection, user_id: uuid.UUID, **columns: object) -> None:
    """Set the named columns of a user."""
    sets = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in (*columns, "updated_at")
    )
    statement = sql.SQL("UPDATE users SET {} WHERE id = %(id)s").format(sets)
    connection.execute(statement, {**columns, "updated_at": datetime.now(UTC), "id": user_id})


def confirm(connection: Connection, user: DictRow) -> None:
    """Mark the user's address as verified, in the table and in what GoTrue keeps beside it."""
    update(
        connection,
        user["id"],
        email_confirmed_at=user["email_confirmed_at"] or datetime.now(UTC),
        confirmation_token="",
        raw_user_meta_data=Jsonb({**(user["raw_user_meta_data"] or {}), "email_verified": True}),
    )
    set_identity(connection, user["id"], {"email_verified": True})


def set_email(connection: Connection, user_id: uuid.UUID, email: str) -> None:
    """Change the address of a user and of its identity; ApiError 422 when it is taken."""
    try:
        update(connection, user_id, email=email, email_change="")
    except psycopg.errors.UniqueViolation:
        message = "A user with this email address has already been registered"
        raise ApiError(422, "email_exists", message) from None
    set_identity(connection, user_id, {"email": email})


def set_identity(connection: Connection, user_id: uuid.UUID, data: dict[str, object]) -> None:
    """Merge data into the e-mail identity."""
    connection.execute(
        "UPDATE identities SET identity_data = identity_data || %s, updated_at = now()"
        " WHERE user_id = %s AND provider = 'email'",
        (Jsonb(data), user_id),
    )


def merged(old: dict[str, object] | None, new: dict[str, object]) -> Jsonb:
    """Return metadata with `new` laid over `old`; a null removes its key."""
    return Jsonb({key: value for key, value in {**(old or {}), **new}.items() if value is not None})


def read(connection: Connection, user_id: uuid.UUID) -> DictRow:
    """Return a user that is known to exist."""
    row = connection.execute("SELECT * FROM users WHERE id = %s", (user_id,)).fetchone()
    if row is None:
        raise ApiError(404, "user_not_found", "User not found")
    return row


def as_json(connection: Connection, user: DictRow) -> dict[str, object]:
    """Return the user as GoTrue shows it, identities included; unset times are left out."""
    identities = connection.execute("SELECT * FROM identities WHERE user_id = %s ORDER BY created_at", (user["id"],))
    shown: dict[str, object] = {
        "id": str(user["id"]),
        "aud": user["aud"],
        "role": user["role"],
        "email": user["email"] or "",
    }
    shown |= {name: rfc3339(user[name]) for name in TIMES if user[name]}
    if user["email_change"]:
        shown["new_email"] = user["email_change"]
    if user["banned_until"] and user["banned_until"] > datetime.now(UTC):
        shown["banned_until"] = rfc3339(user["banned_until"])
    return shown | {
        "phone": user["phone"] or "",
        "app_metadata": user["raw_app_meta_data"] or {},
        "user_metadata": user["raw_user_meta_data"] or {},
        "identities": [identity_json(row) for row in identities.fetchall()],
        "created_at": rfc3339(user["created_at"]),
        "updated_at": rfc3339(user["updated_at"]),
        "is_anonymous": user["is_anonymous"],
    }


def identity_json(row: DictRow) -> dict[str, object]:
    """Return an identity as GoTrue shows it."""
    return {
        "identity_id": str(row["id"]),
        "id": row["provider_id"],
        "user_id": str(row["user_id"]),
        "identity_data": row["identity_data"],
        "provider": row["provider"],
        "last_sign_in_at": rfc3339(row["last_sign_in_at"]),
        "created_at": rfc3339(row["created_at"]),
        "updated_at": rfc3339(row["updated_at"]),
        "email": row["email"],
    }


def rfc3339(moment: datetime) -> str:
    """Return a moment as Go prints it in JSON."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def one_time_token() -> str:
    """Return a token of the kind that stands in a confirmation or recovery link."""
    return secrets.token_hex(28)


def audit(connection: Connection, action: str, user: DictRow, ip: str) -> None:
    """Record an action on a user in the audit log."""
    payload = {"action": action, "actor_id": str(user["id"]), "actor_username": user["email"]}
    connection.execute(
        "INSERT INTO audit_log_entries (instance_id, id, payload, created_at, ip_address)"
        " VALUES (%s, %s, %s, now(), %s)",
        (uuid.UUID(int=0), uuid.uuid4(), Jsonb(payload), ip),
    )
