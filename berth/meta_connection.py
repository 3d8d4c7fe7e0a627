"""The header x-connection-encrypted, which tells postgres-meta the database of a request."""

import base64
import hashlib

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_MAGIC = b"Salted__"
_SALT_BYTES = 8
_KEY_BYTES = 32
_IV_BYTES = 16


def encrypt(url: str, passphrase: str, salt: bytes | None = None) -> str:
    """The URL in the salted format of `openssl enc -aes-256-cbc -md md5 -a -A`; raise ValueError for a bad salt.

    Without a salt of 8 bytes one is derived from passphrase and URL, so that equal input gives an equal text.
    """
    if salt is None:
        salt = hashlib.sha256((passphrase + url).encode()).digest()[:_SALT_BYTES]
    if len(salt) != _SALT_BYTES:
        raise ValueError(f"salt of {len(salt)} bytes: allowed: {_SALT_BYTES}")
    key, iv = _key_and_iv(passphrase.encode(), salt)
    padder = padding.PKCS7(algorithms.AES.block_size).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    sealed = encryptor.update(padder.update(url.encode()) + padder.finalize()) + encryptor.finalize()
    return base64.b64encode(_MAGIC + salt + sealed).decode()


def _key_and_iv(passphrase: bytes, salt: bytes) -> tuple[bytes, bytes]:
    """EVP_BytesToKey with MD5, the derivation that postgres-meta expects."""
    derived = block = b""
    while len(derived) < _KEY_BYTES + _IV_BYTES:
        block = hashlib.md5(block + passphrase + salt, usedforsecurity=False).digest()
        derived += block
    return derived[:_KEY_BYTES], derived[_KEY_BYTES : _KEY_BYTES + _IV_BYTES]
