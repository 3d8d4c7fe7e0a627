"""Verifiers of SCRAM-SHA-256, held against the example of RFC 7677."""

import base64
import hashlib
import hmac
import os

import ansible_plugins  # noqa: F401 - makes the collection importable
import pytest
from ansible_collections.berth.supabase.plugins.module_utils import scram

PASSWORD = "pencil"
SALT = "W22ZaJ0SNY7soEsUEjb6gQ=="
NONCE = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
MESSAGE = f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={NONCE},s={SALT},i=4096,c=biws,r={NONCE}".encode()
CLIENT_PROOF = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
SERVER_SIGNATURE = base64.b64decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the verifier of the password and salt of the RFC."""
    monkeypatch.setattr(os, "urandom", lambda size: base64.b64decode(SALT)[:size])
    return scram.verifier(PASSWORD)


def test_verifier_has_the_form_of_postgresql(stored: str) -> None:
    assert stored.startswith(f"SCRAM-SHA-256$4096:{SALT}$")
    assert PASSWORD not in stored


def test_verifier_proves_client_and_server_of_the_rfc(stored: str) -> None:
    stored_key, server_key = (base64.b64decode(key) for key in stored.split("$")[2].split(":"))
    signature = hmac.digest(stored_key, MESSAGE, "sha256")
    client_key = bytes(a ^ b for a, b in zip(CLIENT_PROOF, signature, strict=True))
    assert hashlib.sha256(client_key).digest() == stored_key
    assert hmac.digest(server_key, MESSAGE, "sha256") == SERVER_SIGNATURE


def test_verifier_matches_its_password_alone(stored: str) -> None:
    assert scram.matches(PASSWORD, stored)
    assert not scram.matches("pencils", stored)


def test_verifiers_of_one_password_differ() -> None:
    assert scram.verifier(PASSWORD) != scram.verifier(PASSWORD)


@pytest.mark.parametrize("other", [None, "", "md5d41d8cd98f00b204e9800998ecf8427e", "SCRAM-SHA-256$4096", PASSWORD])
def test_what_is_no_verifier_matches_nothing(other: str | None) -> None:
    assert not scram.matches(PASSWORD, other)
