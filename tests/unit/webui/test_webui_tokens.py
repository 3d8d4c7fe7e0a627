"""The page of tokens: made, shown once, kept as a hash, revoked."""

import re
from datetime import timedelta

from sqlalchemy import select

from webui.models import AuditEntry, Token, now


def test_token_is_shown_once_and_kept_as_a_hash(person, app, core) -> None:
    browser = person("operator")
    made = browser.send("/tokens", name="deploy", scopes=["read", "write"], days="30")
    text = re.search(r"berth_[\w-]{43}", made.text)[0]
    assert text not in browser.get("/tokens").text
    with core.db.read() as session:
        token = session.scalar(select(Token))
        entries = [entry.details for entry in session.scalars(select(AuditEntry).where(AuditEntry.target == "deploy"))]
    assert text not in str(vars(token)) + str(entries)
    assert token.scopes == ["read", "write"]
    assert abs(token.expires_at - now() - timedelta(days=30)) < timedelta(minutes=5)
    found = app.test_client().get("/api/v1/token", headers={"Authorization": f"Bearer {text}"})
    assert (found.json["user"], found.json["scopes"]) == ("operator", ["read", "write"])
    assert "never" not in browser.get("/tokens").text, "it was used"


def test_bad_input_makes_no_token_and_keeps_what_was_typed(person, core) -> None:
    browser = person("viewer")
    for fields, told in (
        ({"name": " "}, "allowed: 1 to 64 characters"),
        ({"scopes": ["everything"]}, "found everything"),
        ({"scopes": []}, "found none"),
        ({"days": "0"}, "allowed: 1 to 366"),
        ({"days": "soon"}, "found &#39;soon&#39;"),
    ):
        answer = browser.send("/tokens", **{"name": "deploy", "scopes": ["read"], "days": "30"} | fields)
        assert (answer.status_code, told in answer.text) == (400, True), fields
    assert 'value="deploy"' in answer.text
    assert core.tokens.of() == []


def test_people_revoke_their_own_and_admins_any(person, api, core) -> None:
    api("operator")
    viewer = person("viewer")
    viewer.send("/tokens", name="mine", scopes="read", days="")
    assert [token.name for token, _ in core.tokens.of()] == ["tests", "mine"]
    assert viewer.send("/tokens/1/revoke", "/tokens").status_code == 404
    assert viewer.send("/tokens/2/revoke", "/tokens").status_code == 303
    assert person("admin").send("/tokens/1/revoke", "/tokens").status_code == 303
    assert core.tokens.of() == []
    assert api("operator").get("/token").status_code == 401


def test_making_a_token_needs_a_fresh_proof(person, core, monkeypatch) -> None:
    browser = person("admin")
    monkeypatch.setattr("webui.accounts.PROOF_MINUTES", 0)
    browser.send("/tokens", name="mine", scopes="read", days="")
    assert core.tokens.of() == []
