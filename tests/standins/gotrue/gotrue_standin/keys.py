"""The keys that sign and verify tokens: GOTRUE_JWT_KEYS, else GOTRUE_JWT_SECRET, as GoTrue takes them."""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field

from . import es256
from .base64url import decode, encode
from .errors import ApiError

UNVERIFIED = "invalid JWT: unable to parse or verify signature"
VISIBLE = ("alg", "crv", "kid", "kty", "x", "y")


class KeysError(ValueError):
    """GOTRUE_JWT_KEYS is not what GoTrue takes; the text repeats no key."""


@dataclass(frozen=True)
class Key:
    """One key, as a JWK; without a private part it only verifies."""

    jwk: dict[str, object] = field(repr=False)

    @property
    def kid(self) -> str:
        """The key id, empty without one."""
        return str(self.jwk.get("kid", ""))

    @property
    def algorithm(self) -> str:
        """ES256 where the key says so, else HS256, as in GoTrue."""
        return "ES256" if self.jwk.get("alg") == "ES256" else "HS256"

    @property
    def signs(self) -> bool:
        """Whether this is the key that signs."""
        return "sign" in (self.jwk.get("key_ops") or [])

    def number(self, part: str) -> int:
        """Return a part of an elliptic key."""
        return int.from_bytes(decode(str(self.jwk[part])), "big")

    def signature(self, text: str) -> bytes:
        """Return the signature of a token's first two parts."""
        if self.algorithm == "ES256":
            return es256.sign(text.encode(), self.number("d"))
        return hmac.new(decode(str(self.jwk["k"])), text.encode(), hashlib.sha256).digest()

    def made(self, text: str, signature: bytes) -> bool:
        """Return whether the key made the signature."""
        if self.algorithm == "ES256":
            return es256.verify(text.encode(), signature, (self.number("x"), self.number("y")))
        return hmac.compare_digest(self.signature(text), signature)

    def check(self) -> None:
        """Raise KeysError for a key that cannot work."""
        needed = {"EC": ("x", "y"), "oct": ("k",)}.get(str(self.jwk.get("kty")))
        if needed is None or any(not isinstance(self.jwk.get(part), str) for part in needed):
            raise KeysError("a key is neither a whole EC key nor an oct key")
        if self.algorithm == "ES256" and self.jwk["kty"] != "EC":
            raise KeysError("a key of the algorithm ES256 is no EC key")
        if self.jwk["kty"] == "EC" and not es256.is_on_curve((self.number("x"), self.number("y"))):
            raise KeysError("an EC key is not on the curve P-256")


@dataclass(frozen=True)
class Keys:
    """All keys of one process: those of GOTRUE_JWT_KEYS by their id, and the secret for tokens without one."""

    secret: Key
    by_id: dict[str, Key]

    @classmethod
    def load(cls, secret: str, text: str) -> "Keys":
        """Return the keys; KeysError when GOTRUE_JWT_KEYS is malformed or not exactly one key signs."""
        plain = Key({"kty": "oct", "k": encode(secret.encode()), "alg": "HS256", "key_ops": ["sign", "verify"]})
        if not text:
            return cls(plain, {"": plain})
        try:
            listed = json.loads(text)
        except ValueError:
            raise KeysError("not JSON") from None
        if not isinstance(listed, list) or not all(isinstance(jwk, dict) for jwk in listed):
            raise KeysError("not a list of keys")
        keys = [Key(jwk) for jwk in listed]
        for key in keys:
            key.check()
        by_id = {key.kid: key for key in keys}
        signing = [key for key in by_id.values() if key.signs]
        if len(signing) != 1:
            raise KeysError("multiple signing keys detected" if signing else "no signing key detected")
        return cls(plain, by_id)

    def sign(self, claims: dict[str, object]) -> str:
        """Return a JWT of the one key that signs."""
        key = next(key for key in self.by_id.values() if key.signs)
        head = {"alg": key.algorithm, **({"kid": key.kid} if key.kid else {}), "typ": "JWT"}
        text = ".".join(encode(json.dumps(part).encode()) for part in (head, claims))
        return f"{text}.{encode(key.signature(text))}"

    def verify(self, token: str) -> dict[str, object]:
        """Return the claims; ApiError 403 bad_jwt for any token that is malformed, forged or expired."""
        try:
            text, _, given = token.rpartition(".")
            head, payload = (json.loads(decode(part)) for part in text.split("."))
            signature = decode(given)
            key = self.verifier(head)
        except (ValueError, KeyError, TypeError):
            raise ApiError(403, "bad_jwt", f"{UNVERIFIED}, token is malformed") from None
        if key.algorithm != head["alg"] or not key.made(text, signature) or not isinstance(payload, dict):
            raise ApiError(403, "bad_jwt", f"{UNVERIFIED}, token signature is invalid: signature is invalid")
        expiry = payload.get("exp")
        if expiry is not None and (not isinstance(expiry, int | float) or expiry <= time.time()):
            raise ApiError(403, "bad_jwt", f"{UNVERIFIED}, token has invalid claims: token is expired")
        return payload

    def verifier(self, head: dict[str, object]) -> Key:
        """Return the key for a token's head: by its id, else the secret; ApiError 403 when there is none."""
        algorithm = head["alg"]
        if algorithm not in {key.algorithm for key in self.by_id.values()}:
            message = f"token signature is invalid: signing method {algorithm} is invalid"
            raise ApiError(403, "bad_jwt", f"{UNVERIFIED}, {message}")
        if "kid" in head:
            found = self.by_id.get(str(head["kid"]))
            if found is None:
                raise ApiError(403, "bad_jwt", f"{UNVERIFIED}, token is unverifiable: invalid kid: {head['kid']}")
            return found
        if algorithm != "HS256":
            message = f"token is unverifiable: unrecognized JWT kid <nil> for algorithm {algorithm}"
            raise ApiError(403, "bad_jwt", f"{UNVERIFIED}, {message}")
        return self.secret

    def public(self) -> list[dict[str, object]]:
        """Return the public keys as the world may see them, none of the symmetric ones."""
        elliptic = [key.jwk for key in self.by_id.values() if key.jwk["kty"] == "EC"]
        return [
            {name: jwk[name] for name in VISIBLE if name in jwk} | {"use": "sig", "key_ops": ["verify"]}
            for jwk in elliptic
        ]
