"""The API keys of a project, as a Supabase client and PostgREST see them."""

import re
from datetime import UTC, datetime

import jwt
import pytest

from berth.keys import issue_key, key_belongs_to, new_jwt_secret

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
