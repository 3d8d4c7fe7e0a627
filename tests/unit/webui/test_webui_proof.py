"""What is secret or changes accounts wants the password again, and nothing is typed twice for it."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from webui.core import Core
from webui.models import Login, now

PASSWORD = "correct horse battery"


@pytest.fixture
def admin(person, core: Core):
    """An admin whose proof of identity is eleven minutes old."""
    browser = person("admin")
    with core.db.begin() as session:
        session.execute(update(Login).values(proven_at=now() - timedelta(minutes=11)))
    return browser


def test_page_comes_after_the_password(admin) -> None:
    asked = admin.get("/projects/blog/keys")
    assert (asked.status_code, asked.headers["location"]) == (302, "/prove?next=/projects/blog/keys")
    wrong = admin.send("/prove", "/prove?next=/projects/blog/keys", password="wrong", next="/projects/blog/keys")
    assert wrong.status_code == 401
    assert 'value="/projects/blog/keys"' in wrong.text
    right = admin.send("/prove", password=PASSWORD, next="/projects/blog/keys")
    assert right.headers["location"] == "/projects/blog/keys"
    assert admin.get("/projects/blog/remove").status_code == 200


def test_form_goes_on_with_what_was_typed(admin, core: Core) -> None:
    typed = {"name": "ada", "role": "viewer", "grants": "blog operator\nshop viewer"}
    asked = admin.send("/users", **typed)
    assert asked.status_code == 401
    assert 'action="/users"' in asked.text
    for name, value in typed.items():
        assert f'name="{name}" value="{value}"' in asked.text
    assert core.accounts.named("ada") is None
    refused = admin.send("/users", **typed, proof_password="wrong")
    assert (refused.status_code, core.accounts.named("ada")) == (401, None)
    done = admin.send("/users", **typed, proof_password=PASSWORD)
    assert done.status_code == 200
    assert [grants for user, grants in core.accounts.all() if user.name == "ada"] == [
        {"blog": "operator", "shop": "viewer"}
    ]
    assert admin.send("/users", name="eve", role="viewer").status_code == 200, "it holds for ten minutes"


def test_second_factor_is_asked_for_too(admin, core: Core) -> None:
    user = core.accounts.named("admin")
    assert user
    core.accounts.start_totp(user.id)
    with core.db.begin() as session:
        session.get(type(user), user.id).totp_enabled = True
    asked = admin.send("/users", name="ada", role="viewer", proof_password=PASSWORD)
    assert asked.status_code == 401
    assert 'name="proof_code"' in asked.text
    assert "the code of the second factor is needed" in asked.text
    assert core.accounts.named("ada") is None


def test_guesses_are_throttled_here_too(admin) -> None:
    answers = [admin.send("/users", name="ada", role="viewer", proof_password="wrong").text for _ in range(6)]
    assert "name or password is wrong" in answers[0]
    assert "too many attempts" in answers[5]
