"""base64url without padding, as tokens and keys have it."""

import base64


def encode(data: bytes) -> str:
    """Return the text of bytes."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return the bytes of a text; ValueError when it is none."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
