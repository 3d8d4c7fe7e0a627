"""The keys of a project: secrets that sign, and what clients send as API key."""

import base64
import hashlib
import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

VALIDITY_SECONDS = 315_360_000  # ten years of 365 days
SIGNED_VALIDITY_SECONDS = 157_680_000  # five years of 365 days
CHECKSUM_PREFIX = "supabase-self-hosted|"
RANDOM_CHARACTERS, CHECKSUM_CHARACTERS = 22, 8

Role = Literal["anon", "service_role"]
OpaqueKind = Literal["publishable", "secret"]


def new_jwt_secret() -> str:
    """A fresh random secret: 64 characters of A-Z, a-z, 0-9, '-' and '_'."""
    return secrets.token_urlsafe(48)


def issue_key(jwt_secret: str, role: Role, project: str, now: datetime) -> str:
    """An HS256 JWT that Supabase clients take as API key, valid for ten years from `now` (which has a time zone)."""
    return jwt.encode(_claims(role, project, now, VALIDITY_SECONDS), jwt_secret, algorithm="HS256")


def key_belongs_to(key: str, jwt_secret: str, project: str) -> bool:
    """Whether the key is signed with this secret and was issued for this project, expired or not."""
    return _belongs_to(key, jwt_secret, "HS256", project)


def new_opaque_key(kind: OpaqueKind) -> str:
    """A fresh sb_publishable_... or sb_secret_... key: 22 random characters and a checksum of 8."""
    body = f"sb_{kind}_{secrets.token_urlsafe(17)[:RANDOM_CHARACTERS]}"
    return f"{body}_{_checksum(body)}"


def is_opaque_key(text: str, kind: OpaqueKind) -> bool:
    """Whether the text is a key of this kind, its checksum included."""
    # both parts may hold "_": only their lengths tell where the one ends
    body, checksum = text[: -CHECKSUM_CHARACTERS - 1], text[-CHECKSUM_CHARACTERS - 1 :]
    long_enough = len(body) == len(f"sb_{kind}_") + RANDOM_CHARACTERS
    return long_enough and body.startswith(f"sb_{kind}_") and checksum == f"_{_checksum(body)}"


def new_signing_key() -> dict[str, str]:
    """A fresh private key of the curve P-256 as a JWK, with a random key id."""
    key = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    return {"kid": str(uuid.uuid4()), **{part: str(key[part]) for part in ("kty", "crv", "x", "y", "d")}}


def issue_signed_key(signing_key: Mapping[str, str], role: Role, project: str, now: datetime) -> str:
    """An ES256 JWT of the role, valid for five years from `now`, for services behind the gateway."""
    claims = _claims(role, project, now, SIGNED_VALIDITY_SECONDS)
    private = ECAlgorithm.from_jwk(dict(signing_key))
    return jwt.encode(claims, private, algorithm="ES256", headers={"kid": signing_key["kid"]})


def signed_key_belongs_to(key: str, signing_key: Mapping[str, str], project: str) -> bool:
    """Whether the key is signed with this private key and was issued for this project, expired or not."""
    try:
        public = ECAlgorithm.from_jwk({part: signing_key[part] for part in ("kty", "crv", "x", "y")})
    except (jwt.InvalidKeyError, KeyError):
        return False
    return _belongs_to(key, public, "ES256", project)


def public_jwk(signing_key: Mapping[str, str]) -> dict[str, object]:
    """The public half of a signing key, as services and the world take it."""
    parts = {part: signing_key[part] for part in ("kty", "kid", "crv", "x", "y")}
    return {**parts, "use": "sig", "key_ops": ["verify"], "alg": "ES256"}


def private_jwk(signing_key: Mapping[str, str]) -> dict[str, object]:
    """A signing key for the service that signs with it."""
    return {**public_jwk(signing_key), "d": signing_key["d"], "key_ops": ["sign", "verify"]}


def symmetric_jwk(jwt_secret: str) -> dict[str, object]:
    """An HS256 secret as a JWK; without a key id, since the tokens that it signs have none."""
    return {"kty": "oct", "k": _base64url(jwt_secret.encode()), "alg": "HS256"}


def _claims(role: Role, project: str, now: datetime, seconds: int) -> dict[str, object]:
    issued_at = int(now.timestamp())
    return {"iss": "supabase", "ref": project, "role": role, "iat": issued_at, "exp": issued_at + seconds}


def _belongs_to(key: str, verifier: object, algorithm: str, project: str) -> bool:
    try:
        claims = jwt.decode(key, verifier, algorithms=[algorithm], options={"verify_exp": False, "verify_iat": False})
    except jwt.InvalidTokenError:
        return False
    return claims.get("ref") == project


def _checksum(body: str) -> str:
    return _base64url(hashlib.sha256(f"{CHECKSUM_PREFIX}{body}".encode()).digest())[:CHECKSUM_CHARACTERS]


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
