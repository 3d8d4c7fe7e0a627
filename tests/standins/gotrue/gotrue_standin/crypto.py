"""Password hashes from the standard library alone."""

import hashlib
import hmac
import secrets

SCRYPT = {"n": 2**14, "r": 8, "p": 1, "maxmem": 2**26}


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
