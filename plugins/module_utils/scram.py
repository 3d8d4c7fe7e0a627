"""SCRAM-SHA-256 verifiers as PostgreSQL stores them (RFC 5802, RFC 7677)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re

ITERATIONS = 4096
FORM = re.compile(r"SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)")


def _keys(password: str, salt: bytes, iterations: int) -> tuple[str, str]:
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored = hashlib.sha256(client_key).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return base64.b64encode(stored).decode(), base64.b64encode(server).decode()


def verifier(password: str) -> str:
    """Returns a fresh verifier, so that the password itself never reaches the server or its log."""
    salt = os.urandom(16)
    stored, server = _keys(password, salt, ITERATIONS)
    return f"SCRAM-SHA-256${ITERATIONS}:{base64.b64encode(salt).decode()}${stored}:{server}"


def matches(password: str, stored_verifier: str | None) -> bool:
    """Returns whether a stored verifier is one of this password."""
    found = FORM.fullmatch(stored_verifier or "")
    if not found:
        return False
    iterations, salt, stored, server = found.groups()
    return hmac.compare_digest(":".join(_keys(password, base64.b64decode(salt), int(iterations))), f"{stored}:{server}")
