"""Password hashes and HS256 tokens from the standard library alone."""

import base64
import hashlib
import hmac
import json
import secrets
import time

from .errors import ApiError

SCRYPT = {"n": 2**14, "r": 8, "p": 1, "maxmem": 2**26}
UNVERIFIED = "invalid JWT: unable to parse or verify signature"


def hash_password(password: str) -> str:
    """Return a salted scrypt hash, at most 255 characters."""
    salt = secrets.token_bytes(16)
    return f"$scrypt${salt.hex()}${hashlib.scrypt(password.encode(), salt=salt, **SCRYPT).hex()}"


def password_matches(password: str, stored: str | None) -> bool:
    """Return whether the password made the stored hash."""
    parts = (stored or "").split("$")
    if len(parts) != 4 or parts[1] != "scrypt":
        return False
    found = hashlib.scrypt(password.encode(), salt=bytes.fromhex(parts[2]), **SCRYPT).hex()
    return hmac.compare_digest(found, parts[3])


def sign(claims: dict[str, object], secret: str) -> str:
    """Return an HS256 JWT."""
    head = encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    text = f"{head}.{encode(json.dumps(claims).encode())}"
    return f"{text}.{encode(signature(text, secret))}"


def verify(token: str, secret: str) -> dict[str, object]:
    """Return the claims; ApiError 403 bad_jwt for any token that is malformed, forged or expired."""
    try:
        text, _, given = token.rpartition(".")
        head, payload = (json.loads(decode(part)) for part in text.split("."))
        genuine = head["alg"] == "HS256" and hmac.compare_digest(decode(given), signature(text, secret))
    except (ValueError, KeyError, TypeError):
        raise ApiError(403, "bad_jwt", f"{UNVERIFIED}, token is malformed") from None
    if not genuine or not isinstance(payload, dict):
        raise ApiError(403, "bad_jwt", f"{UNVERIFIED}, token signature is invalid: signature is invalid")
    expiry = payload.get("exp")
    if expiry is not None and (not isinstance(expiry, int | float) or expiry <= time.time()):
        raise ApiError(403, "bad_jwt", f"{UNVERIFIED}, token has invalid claims: token is expired")
    return payload


def signature(text: str, secret: str) -> bytes:
    """Return the HMAC of a token's first two parts."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()


def encode(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return the bytes of unpadded base64url; ValueError when it is none."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
