"""The JWT secret of a project and the API keys signed with it."""

import secrets
from datetime import datetime
from typing import Literal

import jwt

VALIDITY_SECONDS = 315_360_000  # ten years of 365 days

Role = Literal["anon", "service_role"]


def new_jwt_secret() -> str:
    """A fresh random secret: 64 characters of A-Z, a-z, 0-9, '-' and '_'."""
    return secrets.token_urlsafe(48)


def issue_key(jwt_secret: str, role: Role, project: str, now: datetime) -> str:
    """An HS256 JWT that Supabase clients take as API key, valid for ten years from `now` (which has a time zone)."""
    issued_at = int(now.timestamp())
    claims = {
        "iss": "supabase",
        "ref": project,
        "role": role,
        "iat": issued_at,
        "exp": issued_at + VALIDITY_SECONDS,
    }
    return jwt.encode(claims, jwt_secret, algorithm="HS256")


def key_belongs_to(key: str, jwt_secret: str, project: str) -> bool:
    """Whether the key is signed with this secret and was issued for this project, expired or not."""
    try:
        claims = jwt.decode(key, jwt_secret, algorithms=["HS256"], options={"verify_exp": False})
    except jwt.InvalidTokenError:
        return False
    return claims.get("ref") == project
