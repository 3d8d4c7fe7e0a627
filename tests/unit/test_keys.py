"""The API keys of a project, as a Supabase client and PostgREST see them."""

import base64
import hashlib
import json
import re
from datetime import UTC, datetime

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth.keys import (
    is_opaque_key,
    issue_key,
    issue_signed_key,
    key_belongs_to,
    new_jwt_secret,
    new_opaque_key,
    new_signing_key,
    private_jwk,
    public_jwk,
    signed_key_belongs_to,
    symmetric_jwk,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECRET = "s" * 64


def test_secret_is_64_characters_that_need_no_quoting() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{64}", new_jwt_secret())


def test_every_secret_is_new() -> None:
    assert len({new_jwt_secret() for _ in range(50)}) == 50


@pytest.mark.parametrize("role", ["anon", "service_role"])
def test_key_carries_role_project_and_ten_years(role: str) -> None:
    key = issue_key(SECRET, role, "blog", NOW)
    assert jwt.get_unverified_header(key) == {"alg": "HS256", "typ": "JWT"}
    claims = jwt.decode(key, SECRET, algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False})
    issued = int(NOW.timestamp())
    assert claims == {"iss": "supabase", "ref": "blog", "role": role, "iat": issued, "exp": issued + 315_360_000}


def test_key_does_not_verify_with_another_secret() -> None:
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(issue_key(SECRET, "anon", "blog", NOW), "t" * 64, algorithms=["HS256"])


@pytest.mark.parametrize(
    ("secret", "project", "belongs"),
    [(SECRET, "blog", True), (SECRET, "shop", False), ("t" * 64, "blog", False)],
)
def test_key_belongs_to_one_project_and_one_secret(secret: str, project: str, belongs: bool) -> None:
    assert key_belongs_to(issue_key(SECRET, "anon", "blog", NOW), secret, project) is belongs


def test_text_that_is_no_key_belongs_to_nobody() -> None:
    assert not key_belongs_to("not.a.key", SECRET, "blog")


def test_unsigned_key_belongs_to_nobody() -> None:
    unsigned = jwt.encode({"ref": "blog", "role": "service_role"}, None, algorithm="none")
    assert not key_belongs_to(unsigned, SECRET, "blog")


KINDS = ("publishable", "secret")


@pytest.mark.parametrize("kind", KINDS)
def test_opaque_key_has_the_official_form(kind: str) -> None:
    for key in (new_opaque_key(kind) for _ in range(200)):
        assert re.fullmatch(rf"sb_{kind}_[A-Za-z0-9_-]{{22}}_[A-Za-z0-9_-]{{8}}", key)
        body, checksum = key[:-9], key[-8:]
        digest = hashlib.sha256(f"supabase-self-hosted|{body}".encode()).digest()
        assert base64.urlsafe_b64encode(digest).decode().startswith(checksum)
        assert is_opaque_key(key, kind)
        assert not any(is_opaque_key(key, other) for other in KINDS if other != kind)


@given(st.integers(0, 44), st.characters(codec="utf-8"))
def test_opaque_key_with_another_character_is_none(place: int, character: str) -> None:
    key = new_opaque_key("secret")
    place %= len(key)
    changed = key[:place] + character + key[place + 1 :]
    assert is_opaque_key(changed, "secret") is (changed == key)


@given(st.text())
def test_text_is_no_opaque_key(text: str) -> None:
    assert not is_opaque_key(text, "secret")
    assert not is_opaque_key(f"sb_secret_{text}", "secret")


@pytest.mark.parametrize("role", ["anon", "service_role"])
def test_signed_key_carries_role_project_key_id_and_five_years(role: str) -> None:
    signing_key = new_signing_key()
    key = issue_signed_key(signing_key, role, "blog", NOW)
    assert jwt.get_unverified_header(key) == {"alg": "ES256", "typ": "JWT", "kid": signing_key["kid"]}
    public = jwt.PyJWK(public_jwk(signing_key))
    claims = jwt.decode(key, public, algorithms=["ES256"], options={"verify_exp": False, "verify_iat": False})
    issued = int(NOW.timestamp())
    assert claims == {"iss": "supabase", "ref": "blog", "role": role, "iat": issued, "exp": issued + 157_680_000}


def test_signed_key_belongs_to_one_project_and_one_signing_key() -> None:
    mine, other = new_signing_key(), new_signing_key()
    key = issue_signed_key(mine, "anon", "blog", NOW)
    assert signed_key_belongs_to(key, mine, "blog")
    assert not signed_key_belongs_to(key, mine, "shop")
    assert not signed_key_belongs_to(key, other, "blog")
    assert not signed_key_belongs_to(issue_key(SECRET, "anon", "blog", NOW), mine, "blog")


def test_public_half_holds_nothing_private() -> None:
    signing_key = new_signing_key()
    assert signing_key["d"] not in json.dumps(public_jwk(signing_key))
    assert (public_jwk(signing_key)["key_ops"], private_jwk(signing_key)["key_ops"]) == (["verify"], ["sign", "verify"])


def test_symmetric_key_has_no_key_id_and_verifies_legacy_keys() -> None:
    found = symmetric_jwk(SECRET)
    assert set(found) == {"kty", "k", "alg"}
    options = {"verify_exp": False, "verify_iat": False}
    jwt.decode(issue_key(SECRET, "anon", "blog", NOW), jwt.PyJWK(found), algorithms=["HS256"], options=options)
